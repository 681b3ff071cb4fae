"""Letters to phonemes: a translator of ours against the GRU of g2p-en, on words that ours has never seen.

    python -m scripts.experiments.letters_to_phonemes pairs cmudict/train.tsv > train.tsv
    python -m scripts.experiments.letters_to_phonemes pairs cmudict/dev.tsv > dev.tsv
    minitransformer train-seq2seq --train train.tsv --dev dev.tsv --tokenizer characters --out phonemes
    python -m scripts.experiments.letters_to_phonemes measure phonemes cmudict/dev.tsv --g2p-en g2p_en/checkpoint20.npz

The tables (TSV) have the columns word and pronunciations, these divided by " | ", their phonemes (ARPAbet, vowels with
a digit of stress) by spaces. A translation is right if it is one of the word's pronunciations. To the translator a
phoneme is one character. g2p-en 2.1.0 is a package of Park and Kim, which has the weights of an encoder and a decoder,
both GRUs (Cho et al. 2014, arXiv 1406.1078), in a file for NumPy; they were learnt from the same dictionary.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from scipy.special import expit

from minitransformer import PackedTokens
from minitransformer.cli._translators import load_translator
from minitransformer.inference.translation import translate
from scripts.pages import table

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = ("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG")
CONSONANTS += ("P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH")
PHONEMES = sorted([*CONSONANTS, *(vowel + stress for vowel in VOWELS for stress in "012")])
CHARACTERS = {phoneme: chr(ord("À") + number) for number, phoneme in enumerate(PHONEMES)}
OF_CHARACTERS = {character: phoneme for phoneme, character in CHARACTERS.items()}

Pronunciation = tuple[str, ...]  # phonemes


class Word(NamedTuple):
    letters: str
    pronunciations: list[Pronunciation]


@click.group()
def main() -> None:
    """Letters to phonemes."""


@main.command()
@click.argument("tsv", type=click.Path(path_type=Path))
def pairs(tsv: Path) -> None:
    """Print each word with its first pronunciation, as a table to train on."""
    click.echo("source\ttarget")
    for word in words(tsv):
        click.echo(f"{word.letters}\t{''.join(map(CHARACTERS.__getitem__, word.pronunciations[0]))}")


@main.command()
@click.argument("model")
@click.argument("dev", type=click.Path(path_type=Path))
@click.option("--g2p-en", "weights", type=click.Path(path_type=Path), help="The file checkpoint20.npz of g2p-en.")
@click.option("--examples", default=8, show_default=True, help="Words to show.")
def measure(model: str, dev: Path, weights: Path | None, examples: int) -> None:
    """Compare the pronunciations of the words in DEV."""
    asked = words(dev)
    letters = [word.letters for word in asked]
    results = {"Transformer": translations(model, letters)}
    if weights is not None:
        results["g2p-en, GRU"] = Gru(weights).pronounce(letters)
    print(f"{len(asked):,} words\n\n{error_table(results, asked)}\n")
    chosen = np.random.default_rng(0).permutation(len(asked))[:examples]
    shown = [[letters[i], *(" ".join(said[i]) for said in results.values())] for i in chosen]
    print(table(["word", *results], shown))


def words(tsv: Path) -> list[Word]:
    _, *rows = (line.split("\t") for line in tsv.read_text(encoding="utf-8").splitlines())
    return [Word(word, [tuple(said.split()) for said in column.split("|")]) for word, column in rows]


def translations(name: str, letters: Sequence[str]) -> list[Pronunciation]:
    """By the most probable phoneme at each place, as g2p-en does."""
    model, tokenizer = load_translator(name)
    sources = PackedTokens.pack([tokenizer.encode_sequence(word) for word in letters])
    found = [tokenizer.decode(ids) for ids in translate(model, sources)]
    return [pronunciation(text) for text in found]


def pronunciation(text: str) -> Pronunciation:
    """The phonemes of a translation. A letter in it is none, and so it is wrong."""
    return tuple(OF_CHARACTERS.get(character, character) for character in text)


class Gru:
    """g2p-en's network: a GRU reads the letters, a second one goes on from its state and says the phonemes.

    r, z = sigmoid(x W + b + h U + c),   n = tanh(x W_n + b_n + r (h U_n + c_n)),   h = (1 - z) n + z h
    """

    letters = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
    phonemes = ("<pad>", "<unk>", "<s>", "</s>", *sorted([*PHONEMES, "UW"]))
    longest = 20  # phonemes

    def __init__(self, weights: Path) -> None:
        self.weights = dict(np.load(weights))

    def pronounce(self, letters: Sequence[str]) -> list[Pronunciation]:
        found: list[Pronunciation] = [()] * len(letters)
        for length in sorted({*map(len, letters)}):
            places = [i for i, word in enumerate(letters) if len(word) == length]
            for i, said in zip(places, self._of_equal_length([letters[i] for i in places]), strict=True):
                found[i] = said
        return found

    def _of_equal_length(self, letters: Sequence[str]) -> list[Pronunciation]:
        number = {letter: i for i, letter in enumerate(self.letters)}
        read = np.array([[number.get(letter, number["<unk>"]) for letter in word] for word in letters])
        h = np.zeros((len(letters), self.weights["enc_w_hh"].shape[1]), np.float32)
        for column in (*read.T, number["</s>"]):
            h = self._step("enc", column, h)
        ids, said = np.full(len(letters), self.phonemes.index("<s>")), []
        for _ in range(self.longest):
            h = self._step("dec", ids, h)
            ids = (h @ self.weights["fc_w"].T + self.weights["fc_b"]).argmax(axis=1)
            said.append([self.phonemes[i] for i in ids])
        return [tuple(takewhile(lambda phoneme: phoneme != "</s>", word)) for word in zip(*said, strict=True)]

    def _step(self, side: str, ids: np.ndarray | int, h: np.ndarray) -> np.ndarray:
        w, u, b, c = (self.weights[f"{side}_{name}"] for name in ("w_ih", "w_hh", "b_ih", "b_hh"))
        x = self.weights[f"{side}_emb"][np.broadcast_to(ids, len(h))]
        (r_x, z_x, n_x), (r_h, z_h, n_h) = (np.split(rows, 3, axis=1) for rows in (x @ w.T + b, h @ u.T + c))
        z = expit(z_x + z_h)
        return (1 - z) * np.tanh(n_x + expit(r_x + r_h) * n_h) + z * h


def error_table(results: dict[str, list[Pronunciation]], asked: Sequence[Word]) -> str:
    """The share of words that are wrong, with stress and without, and of phonemes: edits in all by phonemes in all."""
    rows = []
    for name, found in results.items():
        pairs = [*zip(found, asked, strict=True)]
        wrong = np.mean([said not in word.pronunciations for said, word in pairs])
        unstressed = np.mean([_plain(said) not in map(_plain, word.pronunciations) for said, word in pairs])
        edits = [min((distance(said, p), len(p)) for p in word.pronunciations) for said, word in pairs]
        phonemes = sum(count for count, _ in edits) / sum(length for _, length in edits)
        rows.append([name, f"{wrong:.1%}", f"{unstressed:.1%}", f"{phonemes:.1%}"])
    return table(["pronunciation", "words wrong", "without stress", "phonemes wrong"], rows)


def _plain(said: Pronunciation) -> Pronunciation:
    return tuple(phoneme.rstrip("012") for phoneme in said)


def distance(a: Pronunciation, b: Pronunciation) -> int:
    """How many phonemes must be put in, left out or replaced to turn a into b (Levenshtein 1966)."""
    row = [*range(len(b) + 1)]
    for i, phoneme in enumerate(a):
        above, row = row, [i + 1]
        for j, other in enumerate(b):
            row.append(min(above[j] + (phoneme != other), above[j + 1] + 1, row[j] + 1))
    return row[-1]


if __name__ == "__main__":
    main()
