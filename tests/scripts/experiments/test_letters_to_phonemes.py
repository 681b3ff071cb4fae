"""The parts of the experiment that decide what its numbers mean."""

import numpy as np
import pytest
from click.testing import CliRunner

from scripts.experiments.letters_to_phonemes import (
    CHARACTERS,
    OF_CHARACTERS,
    Gru,
    Word,
    distance,
    error_table,
    main,
    pronunciation,
    words,
)
from tests.parity.real_data import data_file

LIVE = [("L", "AY1", "V"), ("L", "IH1", "V")]


@pytest.fixture
def table(tmp_path):
    (tmp_path / "words.tsv").write_text("word\tpronunciations\nlive\tL AY1 V | L IH1 V\nit's\tIH1 T S\n")
    return tmp_path / "words.tsv"


def test_a_word_may_be_said_in_several_ways_and_the_first_is_learnt(table):
    assert words(table) == [Word("live", LIVE), Word("it's", [("IH1", "T", "S")])]
    printed = CliRunner().invoke(main, ["pairs", str(table)], catch_exceptions=False).output
    header, *pairs = (line.split("\t") for line in printed.splitlines())
    assert header == ["source", "target"]
    assert [(word, *(OF_CHARACTERS[letter] for letter in said)) for word, said in pairs] == [
        ("live", "L", "AY1", "V"),
        ("it's", "IH1", "T", "S"),
    ]


def test_each_phoneme_is_a_character_of_its_own_and_none_that_words_have():
    assert len(OF_CHARACTERS) == len(CHARACTERS) == 24 + 3 * 15
    assert not any(character.isascii() or character.isspace() for character in OF_CHARACTERS)


def test_a_letter_in_a_translation_is_wrong():
    assert pronunciation(CHARACTERS["B"] + CHARACTERS["IY1"]) == ("B", "IY1")
    assert pronunciation(CHARACTERS["B"] + "e") not in [("B",), ("B", "IY1")]


def test_all_real_pronunciations_are_made_of_them():
    dev = words(data_file("g2p_cmudict/dev.tsv"))
    assert {phoneme for word in dev for said in word.pronunciations for phoneme in said} <= set(CHARACTERS)


def test_the_distance_counts_what_must_be_put_in_left_out_or_replaced():
    assert distance(LIVE[0], LIVE[1]) == 1
    assert distance((), LIVE[0]) == distance(LIVE[0], ()) == 3
    assert distance(("K", "AH0", "T"), ("AH0", "T", "S")) == 2
    assert distance(LIVE[0], LIVE[0]) == 0


def test_any_of_a_words_pronunciations_is_right_and_a_phoneme_error_is_that_of_the_nearest():
    asked = [Word("live", LIVE), Word("bee", [("B", "IY1")])]
    found = {"both right": [LIVE[1], ("B", "IY1")], "a stress": [LIVE[0], ("B", "IY2")], "wrong": [(), ("B",)]}
    assert error_table(found, asked).splitlines()[2:] == [
        "| both right | 0.0% | 0.0% | 0.0% |",
        "| a stress | 50.0% | 0.0% | 20.0% |",
        "| wrong | 100.0% | 100.0% | 80.0% |",
    ]


def test_a_gru_says_the_same_of_words_alone_and_together_and_stops_at_the_end(tmp_path):
    """PyTorch's equations, one word at a time, with random weights of a small size."""
    rng = np.random.default_rng(3)
    sizes = {"w_ih": (15, 4), "w_hh": (15, 5), "b_ih": (15,), "b_hh": (15,)}
    weights = {f"{side}_{name}": rng.normal(size=size) for side in ("enc", "dec") for name, size in sizes.items()}
    weights |= {"enc_emb": rng.normal(size=(29, 4)), "dec_emb": rng.normal(size=(74, 4))}
    weights |= {"fc_w": rng.normal(size=(74, 5)), "fc_b": 2.0 * (np.arange(74) == 3)}
    np.savez(tmp_path / "weights.npz", **weights)
    gru = Gru(tmp_path / "weights.npz")
    asked = ["ab", "cab", "ba", "it's"]
    assert gru.pronounce(asked) == [gru.pronounce([word])[0] for word in asked] == [said(weights, w) for w in asked]


def said(weights, word):
    h = np.zeros(5)
    for letter in [*word.replace("'", "?"), "</s>"]:
        i = Gru.letters.index(letter) if letter in Gru.letters else Gru.letters.index("<unk>")
        h = step(weights, "enc", i, h)
    i, phonemes = Gru.phonemes.index("<s>"), []
    while len(phonemes) < Gru.longest:
        h = step(weights, "dec", i, h)
        i = int((weights["fc_w"] @ h + weights["fc_b"]).argmax())
        if Gru.phonemes[i] == "</s>":
            break
        phonemes.append(Gru.phonemes[i])
    return tuple(phonemes)


def step(weights, side, i, h):
    gates = weights[f"{side}_w_ih"] @ weights[f"{side}_emb"][i] + weights[f"{side}_b_ih"]
    state = weights[f"{side}_w_hh"] @ h + weights[f"{side}_b_hh"]
    r, z = (1 / (1 + np.exp(-(gates[part] + state[part]))) for part in (slice(5), slice(5, 10)))
    return (1 - z) * np.tanh(gates[10:] + r * state[10:]) + z * h
