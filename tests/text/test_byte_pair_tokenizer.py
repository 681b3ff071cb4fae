import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.text import byte_pair_tokenizer
from minitransformer.text.byte_pair_tokenizer import BYTE_OF, BytePairTokenizer, parts_of

TEXT = "The cat sat on the mat.\n\nThe other cat didn't: it's 1,234 miles away — in Köln.\n" * 3
TOKENIZER = BytePairTokenizer.train(TEXT, 300)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
spaced = st.text(st.sampled_from("aB1.'s \n\t\x1c\x85\xa0é"), max_size=80)


def pieces_of(text):
    return [TOKENIZER.token_bytes[i].decode(errors="replace") for i in TOKENIZER.encode(text)]


def test_each_byte_is_written_as_one_character_that_one_can_see():
    assert sorted(BYTE_OF.values()) == [bytes([byte]) for byte in range(256)]
    assert (BYTE_OF["A"], BYTE_OF["Ġ"], BYTE_OF["Ċ"], BYTE_OF["Ã"]) == (b"A", b" ", b"\n", b"\xc3")
    assert all(character.isprintable() for character in BYTE_OF)


def test_words_take_their_space_with_them():
    assert pieces_of("The cat sat") == ["The", " cat", " sat"]
    assert pieces_of("The cat\n\nThe") == ["The", " cat", "\n", "\n", "The"]


@given(texts | spaced)
def test_any_text_comes_back_as_it_was(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(st.binary(max_size=40))
def test_bytes_that_are_no_text_decode_to_replacement_characters(content):
    ids = [TOKENIZER.token_bytes.index(bytes([byte])) for byte in content]
    assert TOKENIZER.decode(ids) == content.decode("utf-8", "replace")


@given(texts | spaced, st.integers(1, 20))
def test_a_text_in_parts_has_the_ids_of_the_whole(text, longest):
    parts = [*parts_of(text, longest)]
    assert "".join(parts) == text
    assert [i for part in parts for i in TOKENIZER.encode(part)] == TOKENIZER.encode(text)


def test_a_long_text_is_encoded_in_parts(monkeypatch):
    ids, parts = TOKENIZER.encode(TEXT), []
    cut = byte_pair_tokenizer.parts_of
    monkeypatch.setattr(byte_pair_tokenizer, "parts_of", lambda text: parts.extend(cut(text, 10)) or cut(text, 10))
    assert TOKENIZER.encode(TEXT) == ids
    assert len(parts) > 10


def test_a_text_without_a_place_to_cut_stays_whole():
    assert [*parts_of("x" * 50 + " a", 10)] == ["x" * 50, " a"]
    assert [*parts_of("x" * 50, 10)] == ["x" * 50]
    assert [*parts_of(" " * 50, 10)] == [" " * 50]


# -- training ----------------------------------------------------------------------------------------------------------


def test_the_vocabulary_is_the_bytes_then_what_was_merged_then_the_end_of_a_text():
    assert TOKENIZER.vocab_size == len(TOKENIZER.token_bytes) == 300
    assert TOKENIZER.token_bytes[:256] == [*BYTE_OF.values()]
    assert TOKENIZER.token_bytes[256:258] == [b"at", b"he"]
    assert TOKENIZER.eos_token_id == 299
    assert TOKENIZER.token_bytes[299] == b""


def test_the_order_of_the_texts_and_how_they_are_cut_do_not_matter():
    lines = TEXT.splitlines(keepends=True)
    for same in (lines, lines[::-1], iter(lines)):
        assert BytePairTokenizer.train(same, 300).texts() == TOKENIZER.texts()


def test_another_process_learns_the_same_vocabulary():
    program = "from tests.text.test_byte_pair_tokenizer import TOKENIZER; print(TOKENIZER.texts()['tokenizer.json'])"
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
        assert done.stdout.decode("utf-8").rstrip() == TOKENIZER.texts()["tokenizer.json"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: BytePairTokenizer.train(TEXT, 256), "vocab_size is 256, but the 256 bytes .* alone need 257"),
        (
            lambda: BytePairTokenizer.train(TEXT, 5000),
            r"vocab_size is 5000, but the text supports at most \d\d\d tokens",
        ),
        (lambda: BytePairTokenizer.train("", 258), "supports at most 257 tokens"),
        (lambda: BytePairTokenizer.train(["a", None], 300), r"texts\[1\] must be a text, found None"),
        (lambda: TOKENIZER.encode(7), "text must be a text, found 7"),
        (lambda: TOKENIZER.encode("\ud800"), "surrogate"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(call, words):
    with pytest.raises(UserError, match=words):
        call()
