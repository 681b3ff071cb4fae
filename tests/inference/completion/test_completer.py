import math

import numpy as np
import pytest

from minitransformer import AdamW, CharacterTokenizer, Gpt, GptConfig, PackedTokens
from minitransformer.errors import UserError
from minitransformer.inference.completion.completer import Completer, confidence_for, split_last_word
from minitransformer.inference.completion.personal_ngrams import PersonalNgrams
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer

SENTENCES = ["let me know if you need it.", "let me see it.", "thanks for all of it.", "call me if you can."]


@pytest.fixture(scope="module")
def trained():
    """A small GPT that has learnt four sentences, and its tokenizer."""
    tokenizer = BytePairTokenizer.train(" ".join(SENTENCES * 3), vocab_size=275)
    config = GptConfig.preset("tiny", vocab_size=275, num_hidden_layers=1, max_position_embeddings=60)
    model = Gpt(config, seed=1)
    ids = [[tokenizer.eos_token_id, *tokenizer.encode(s), tokenizer.eos_token_id] for s in SENTENCES]
    batch, optimizer = PackedTokens.pack(ids), AdamW(model.storage, weight_decay=0)
    for _ in range(150):
        model.zero_grad()
        _, cache = model.forward(batch)
        model.backward(cache)
        optimizer.step(3e-3)
    return model, tokenizer


@pytest.mark.parametrize(
    ("typed", "suggestion"),
    [
        ("let me kn", "ow if you need it."),
        ("let me know", " if you need it."),
        ("let me know ", "if you need it."),
        ("than", "ks for all of it."),
        ("let me s", "ee it."),
        ("call me if", " you can."),
    ],
)
def test_the_half_typed_word_is_completed_and_the_sentence_after_it(trained, typed, suggestion):
    found = Completer(*trained, max_new_tokens=24).suggest(typed)
    assert found.text == suggestion
    assert 0.8 < found.confidence <= 1


def test_typing_on_gives_what_a_fresh_start_gives(trained):
    """What the texts share is read once, whatever is typed, erased or pasted."""
    completer = Completer(*trained, max_new_tokens=24)
    for text in ("let", "let me", "let me kn", "let me k", "call", "", "call me if you", "thanks for", "thanks for"):
        found, expected = completer.suggest(text), Completer(*trained, max_new_tokens=24).suggest(text)
        assert found.text == expected.text
        assert found.confidence == pytest.approx(expected.confidence, rel=1e-5)


def test_as_many_words_are_suggested_as_are_sure_enough(trained):
    completer = Completer(*trained, max_new_tokens=24)
    words = completer.suggestions("let me")  # know, or see
    assert [suggestion.text for suggestion in words[:2]] == [" know", " know if"]
    confidences = [suggestion.confidence for suggestion in words]
    assert confidences == sorted(confidences, reverse=True)
    for suggestion in words:
        assert completer.suggest("let me", min_confidence=suggestion.confidence - 1e-4).text.startswith(suggestion.text)
    assert completer.suggest("let me", min_confidence=confidences[0] + 1e-4) is None
    assert completer.suggest("let me").text == words[-1].text


def test_the_confidence_is_the_probability_of_all_the_tokens_given_what_was_typed(trained):
    model, tokenizer = trained
    found = Completer(model, tokenizer, max_new_tokens=24).suggest("call me")
    before, said = [tokenizer.eos_token_id, *tokenizer.encode("call")], tokenizer.encode(" me" + found.text)
    logits = model(PackedTokens.pack([[*before, *said]]))[len(before) - 1 : -1]
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    spells = [token.startswith(b" me") or (token and b" me".startswith(token)) for token in tokenizer.token_bytes]
    log_p[0] -= np.log(np.exp(log_p[0][np.array(spells, bool)]).sum())
    assert found.confidence == pytest.approx(math.exp(log_p[np.arange(len(said)), said].sum()), rel=1e-3)


def test_long_texts_lose_their_beginning_and_complete_as_well(trained):
    completer = Completer(*trained, max_new_tokens=24)
    assert completer.suggest("thanks for all of it. " * 30 + "let me kn").text


@pytest.mark.parametrize("length", [1, 11, 12, 13, 14, 15, 16, 17, 40])
def test_any_length_of_a_text_fits_into_the_positions(length):
    """A new model's beams hardly ever end: they take all the tokens they may."""
    tokenizer = CharacterTokenizer.train("abc ")
    model = Gpt(GptConfig.preset("tiny", vocab_size=tokenizer.vocab_size, max_position_embeddings=20), seed=0)
    for text in ("abcabcab " * 9 + "c" * length, "b" * length):
        for suggestion in Completer(model, tokenizer, max_new_tokens=5).suggestions(text):
            assert 1 <= len(suggestion.text) <= 5  # a token a character


def test_a_mailbox_speaks_up_for_its_own_phrases(trained):
    model, tokenizer = trained
    own = PersonalNgrams([tokenizer.encode("let me know of it.")] * 20, tokenizer.vocab_size)
    assert (
        Completer(model, tokenizer, max_new_tokens=24, personal=own, personal_share=0.9).suggest("let me kn").text
        == "ow of it."
    )
    assert (
        Completer(model, tokenizer, max_new_tokens=24, personal=own, personal_share=0.0)
        .suggest("let me kn")
        .text.startswith("ow if")
    )


def test_characters_do_as_well_as_byte_pairs():
    tokenizer = CharacterTokenizer.train("".join(SENTENCES))
    model = Gpt(GptConfig.preset("tiny", vocab_size=tokenizer.vocab_size, max_position_embeddings=20), seed=0)
    Completer(model, tokenizer, max_new_tokens=8).suggest("let me kn")  # a new model says anything, or nothing
    with pytest.raises(UserError, match="max_new_tokens is 20, which leaves none of the model's positions"):
        Completer(model, tokenizer, max_new_tokens=20)


def test_the_last_word_is_split_off_with_its_space():
    assert split_last_word("a b\nc d") == ("a b\nc", " d")
    assert split_last_word("a b\nc") == ("a b", "\nc")


def test_the_threshold_for_a_coverage_shows_no_more_than_that():
    confidences = np.array([0.9, 0.0, 0.5, 0.5, 0.7, 0.1, 0.0, 0.3, 0.2, 0.6])
    for coverage in (0.0, 0.1, 0.2, 0.35, 0.5, 0.99):
        shown = (confidences >= confidence_for(confidences, coverage)).mean()
        assert shown <= coverage
    assert (confidences >= confidence_for(confidences, 0.3)).mean() == 0.3
    assert confidence_for(confidences, 1.0) == 0.0
