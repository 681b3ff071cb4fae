import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.corpora.sentences import split_sentences


# Each paragraph is written with a bar where it must be cut.
@pytest.mark.parametrize(
    "marked",
    [
        "It rained. | Did it snow? | It did! | Good.",
        "Mr. and Mrs. Knox met Dr. St. John, Prof. Weil and Capt. Ahab. | They spoke.",
        "J. R. R. Tolkien and C. S. Lewis wrote. | George W. Bush did not.",
        "Compare e.g. Smith et al. 1999, i.e. the vs. Navy case.",
        "See fig. 3, no. 5 and vol. 12 of Feb. 7. | No. | It is done.",
        "He served in the U.S. Army in the U.S. | The war ended at 5 p.m. on Monday.",
        "They sell tea, milk, etc. | The shop of Smith Bros. London is shut.",
        "Pi is 3.14 and python3.11 is at www.example.com for $5.00. | Yes.",
        "“Oh dear! | I shall be late!” she thought. | She ran.",
        '"Stop!" he cried. | "Why?" | "Because I said so." | He left.',
        "She left (it was late.) | He stayed. | (He slept.) | They met.",
        "It was I. | He knew. | So did Henry I. of England.",
        "Well... perhaps. | And then... | Nothing. | Wait . . . | Go.",
        "1. Open the door. | 2. Close it.",
        "CHAPTER I. Down the Rabbit-Hole",
        "the cat sat. | it slept? | then it ate.",
        'it is called " lobster red . " | Mating occurs ( in summer . ) | They grow .',
        "我爱你。|你呢？|“好！”|他说。",
    ],
)
def test_a_paragraph_is_cut_where_its_sentences_end(marked):
    expected = [part.strip() for part in marked.split("|")]
    paragraph = " ".join(expected) if marked.isascii() or "“Oh" in marked else "".join(expected)
    assert split_sentences(paragraph) == expected


@given(st.text(alphabet="aB1 .!?\"'”)…。-\n", max_size=60))
def test_no_character_but_white_space_is_lost(paragraph):
    sentences = split_sentences(paragraph)
    assert "".join("".join(sentences).split()) == "".join(paragraph.split())
    assert all(sentence == " ".join(sentence.split()) != "" for sentence in sentences)


def test_a_long_text_without_an_end_is_one_sentence():
    assert split_sentences("word " * 10_000) == [("word " * 10_000).strip()]


@pytest.mark.parametrize("unit", [". )", "A. ", ". " + ")" * 20, '. " ', ".", "A.A. ", "! ? ", " . a"])
def test_a_text_of_marks_alone_takes_no_longer_than_any_other(unit):
    """Read with each mark looking back at all of its sentence, a megabyte would take a quarter of an hour."""
    assert split_sentences(unit * (1_000_000 // len(unit)))
