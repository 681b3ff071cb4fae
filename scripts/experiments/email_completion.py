"""Completing e-mails while they are typed: how often suggestions are right, what they save, and how long they take.

    python -m scripts.experiments.email_completion corpus train.tsv > mails.txt
    minitransformer pretrain-gpt --corpus mails.txt --size nano --vocab-size 2048 --max-length 64 --out mail-gpt
    python -m scripts.experiments.email_completion measure mail-gpt train.tsv dev.tsv

The tables (TSV) have the columns mailbox, subject and body, a body's sentences divided by " \\n ". Places are word
boundaries of held-out sentences, after two words or more. A confidence is chosen so that suggestions are made at the
share of the places that is the coverage, each with as many words as have it. ExactMatch is the share of them that is
equal to the words that came. In the rows "whole", all words or none are shown, by their mean confidence.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from tqdm import tqdm

from minitransformer import Gpt
from minitransformer.inference.completion.completer import Completer, Suggestion, confidence_for
from minitransformer.inference.completion.personal_ngrams import PersonalNgrams
from minitransformer.inference.completion.suggestible import suggestible_part
from minitransformer.text.lossless_tokenizer import LosslessTokenizer
from minitransformer.text.tokenizer_of_folder import tokenizer_of_folder
from scripts.pages import table

COVERAGES = (0.01, 0.05, 0.10, 0.20)
LENGTHS = ((1, 1), (2, 2), (3, 4), (5, 16))  # of suggestions, in words: from, to
SHARES = (0.2, 0.4)  # of the mailbox's n-grams
KEYSTROKES = 2000
ORDER = 5  # of the n-grams of all mails

Suggest = Callable[["Place"], list[Suggestion]]  # the first word, the first two, ...


class Mail(NamedTuple):
    mailbox: str
    sentences: list[str]


class Place(NamedTuple):
    """Somewhere in a mail: what is typed of it, of its sentence, and the words of the sentence that follow."""

    mailbox: str
    typed: str
    sentence: str
    following: list[str]


@click.group()
def main() -> None:
    """Completing e-mails."""


@main.command()
@click.argument("tsv", type=click.Path(path_type=Path))
def corpus(tsv: Path) -> None:
    """Print the mails of a table as a text to train on: a sentence a line, an empty line after each mail."""
    for mail in mails(tsv):
        click.echo("\n".join([*mail.sentences, ""]))


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("train", type=click.Path(path_type=Path))
@click.argument("dev", type=click.Path(path_type=Path))
@click.option("--num-places", default=3000, show_default=True)
def measure(model: Path, train: Path, dev: Path, num_places: int) -> None:
    """Compare a trie of sentences, n-grams, a GPT, and the GPT with each mailbox's own n-grams."""
    gpt, tokenizer, known = Gpt.from_pretrained(model), tokenizer_of_folder(model), mails(train)
    places = [place for mail in mails(dev) for place in places_of(mail)]
    chosen = np.random.default_rng(0).permutation(len(places))[:num_places]
    places = [places[i] for i in np.sort(chosen)]
    results = {}
    for name, suggest in contestants(gpt, tokenizer, known).items():
        results[name] = [suggest(place) for place in tqdm(places, desc=name, disable=None)]
    results["GPT, whole"] = [whole(found) for found in results["GPT"]]
    print(f"{len(places):,} places of {dev.name}\n\n{coverage_table(results, places)}\n")
    print(f"At a coverage of 5 %, by the length of the suggestion:\n\n{length_table(results, places)}\n")
    print(latency_line(Completer(gpt, tokenizer), mails(dev)))


def mails(tsv: Path) -> list[Mail]:
    header, *rows = (line.split("\t") for line in tsv.read_text(encoding="utf-8").split("\n") if line)
    mailbox, body = header.index("mailbox"), header.index("body")
    return [Mail(row[mailbox], [part.strip() for part in row[body].split("\\n") if part.strip()]) for row in rows]


def places_of(mail: Mail) -> Iterator[Place]:
    for number, sentence in enumerate(mail.sentences):
        before = "".join(f"{other}\n" for other in mail.sentences[:number])
        words = sentence.split(" ")
        for i in range(2, len(words)):
            begun = f"{' '.join(words[:i])} "
            yield Place(mail.mailbox, before + begun, begun, words[i:])


def contestants(gpt: Gpt, tokenizer: LosslessTokenizer, known: list[Mail]) -> dict[str, Suggest]:
    of_all = PersonalNgrams(
        (tokenizer.encode("\n".join(mail.sentences)) for mail in known), gpt.config.vocab_size, ORDER
    )
    alone, ngrams = Completer(gpt, tokenizer), Completer(gpt, tokenizer, personal=of_all, personal_share=1.0)
    of_mailbox = mailbox_ngrams(tokenizer, known, gpt.config.vocab_size)

    def mixed(share: float) -> Suggest:
        completer = Completer(gpt, tokenizer, personal_share=share)

        def suggest(place: Place) -> list[Suggestion]:
            completer.personal = of_mailbox.get(place.mailbox)
            return completer.suggestions(place.typed)

        return suggest

    return {
        "trie of the training sentences": Trie(known).suggest,
        f"{ORDER}-grams of all mails": lambda place: ngrams.suggestions(place.typed),
        "GPT": lambda place: alone.suggestions(place.typed),
        **{f"GPT and {share:.0%} of the mailbox's trigrams": mixed(share) for share in SHARES},
    }


def mailbox_ngrams(tokenizer: LosslessTokenizer, known: list[Mail], vocab_size: int) -> dict[str, PersonalNgrams]:
    texts = defaultdict(list)
    for mail in known:
        texts[mail.mailbox].append(tokenizer.encode("\n".join(mail.sentences)))
    return {mailbox: PersonalNgrams(ids, vocab_size) for mailbox, ids in texts.items()}


class Trie:
    """The most frequent end of a sentence that began like this; its share of them is the confidence."""

    def __init__(self, known: list[Mail]) -> None:
        self.ends: dict[str, Counter[str]] = defaultdict(Counter)
        for mail in known:
            for sentence in mail.sentences:
                words = sentence.split(" ")
                for i in range(2, len(words)):
                    self.ends[f"{' '.join(words[:i])} "][" ".join(words[i:])] += 1

    def suggest(self, place: Place) -> list[Suggestion]:
        if (ends := self.ends.get(place.sentence)) is None:
            return []
        words = suggestible_part(place.typed, ends.most_common(1)[0][0]).split(" ")
        suggestions = []
        for i in range(1, len(words) + 1):
            count = sum(n for end, n in ends.items() if end.split(" ")[:i] == words[:i])
            # Of two words that are equally likely, the one that was seen more often is surer.
            suggestions.append(Suggestion(" ".join(words[:i]), count / (ends.total() + 1)))
        return suggestions if words[0] else []


def is_right(suggestion: Suggestion, place: Place) -> bool:
    words = suggestion.text.split()
    return words == place.following[: len(words)]


def shown_at(coverage: float, results: list[list[Suggestion]]) -> dict[int, Suggestion]:
    """What is shown at which places, no more than this share of all."""
    least = confidence_for(np.array([found[0].confidence if found else 0 for found in results]), coverage)
    sure = {i: [s for s in found if s.confidence >= least] for i, found in enumerate(results)}
    return {i: found[-1] for i, found in sure.items() if found}


def coverage_table(results: dict[str, list[list[Suggestion]]], places: list[Place]) -> str:
    header = ["ExactMatch at a coverage of", *(f"{c:.0%}" for c in COVERAGES), "words right, of 100 places, at 5 %"]
    rows = []
    for name, found in results.items():
        shown = [shown_at(coverage, found) for coverage in COVERAGES]
        exact = [np.mean([is_right(s, places[i]) for i, s in at.items()]) for at in shown]
        words = sum(len(s.text.split()) for i, s in shown_at(0.05, found).items() if is_right(s, places[i]))
        rows.append([name, *(f"{share:.0%}" for share in exact), f"{100 * words / len(places):.1f}"])
    return table(header, rows)


def length_table(results: dict[str, list[list[Suggestion]]], places: list[Place]) -> str:
    names = [f"{low} word{'s' if high > 1 else ''}" if low == high else f"{low} to {high}" for low, high in LENGTHS]
    rows = []
    for name, found in results.items():
        shown = shown_at(0.05, found)
        cells = []
        for low, high in LENGTHS:
            of_length = {i: s for i, s in shown.items() if low <= len(s.text.split()) <= high}
            cells.append(f"{sum(is_right(s, places[i]) for i, s in of_length.items())} of {len(of_length)}")
        rows.append([name, *cells])
    return table(["right, of those shown", *names], rows)


def whole(found: list[Suggestion]) -> list[Suggestion]:
    """All words or none, with their mean confidence: Smart Compose's rule, here with words for tokens."""
    return [Suggestion(s.text, s.confidence ** (1 / len(s.text.split()))) for s in found[-1:]]


def latency_line(completer: Completer, written: list[Mail]) -> str:
    """Typing the first mails letter by letter, a suggestion at each."""
    seconds = []
    for mail in written:
        text = "\n".join(mail.sentences)
        for end in range(1, len(text)):
            began = time.perf_counter()
            completer.suggest(text[:end])
            seconds.append(time.perf_counter() - began)
            if len(seconds) == KEYSTROKES:
                half, nine_tenths = 1e3 * np.percentile(seconds, [50, 90])
                return f"A keystroke takes {half:.0f} ms (median) and {nine_tenths:.0f} ms (nine tenths are faster)."
    raise click.ClickException(f"the mails have fewer than {KEYSTROKES} letters")


if __name__ == "__main__":
    main()
