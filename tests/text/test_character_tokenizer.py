import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.text.character_tokenizer import CharacterTokenizer

CHARACTERS = "\n !ab\u0301é北🤗"
TOKENIZER = CharacterTokenizer.train(["ab!\n é", "北🤗\u0301"])


def test_the_vocabulary_is_the_characters_in_order_then_the_end_of_a_text():
    assert [token.decode() for token in TOKENIZER.token_bytes] == [*sorted(CHARACTERS), ""]
    assert (TOKENIZER.vocab_size, TOKENIZER.eos_token_id) == (10, 9)


def test_a_character_is_an_id():
    assert TOKENIZER.encode("a\nb") == [3, 0, 4]
    assert TOKENIZER.encode("") == []


@given(st.text(CHARACTERS))
def test_a_text_of_known_characters_comes_back_as_it_was(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text
    assert len(TOKENIZER.encode(text)) == len(text)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: TOKENIZER.encode("a b?"), r"'\?' \(U\+003F, QUESTION MARK\), which isn't one of the 9 characters"),
        (lambda: TOKENIZER.encode("\x07"), r"\(U\+0007, without a name\)"),
        (lambda: TOKENIZER.encode("\ud800"), "surrogate"),
        (lambda: TOKENIZER.encode(None), "must be a text, found None"),
        (lambda: CharacterTokenizer.train([]), "the text is empty"),
        (lambda: CharacterTokenizer.train(["", b"a"]), r"texts\[1\] must be a text"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(call, words):
    with pytest.raises(UserError, match=words):
        call()
