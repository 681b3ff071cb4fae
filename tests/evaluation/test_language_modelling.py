import math

import numpy as np
import pytest

from minitransformer.evaluation import language_modelling
from minitransformer.evaluation.language_modelling import (
    characters_of,
    evaluate_language_model,
    language_modelling_baselines,
)
from minitransformer.evaluation.ngrams import ngram_losses
from minitransformer.models.gpt import Gpt
from minitransformer.models.gpt_config import GptConfig
from minitransformer.ops.cross_entropy import cross_entropy_forward
from minitransformer.text.byte_pair_tokenizer import BytePairTokenizer
from minitransformer.text.character_tokenizer import CharacterTokenizer
from minitransformer.text.packed_tokens import PackedTokens
from tests.small_models import randomise

TRAINING, HELD_OUT = "the cat sat on the mat. " * 20, "the café sat on the cat."
CHARACTERS = CharacterTokenizer.train([TRAINING, HELD_OUT])
BYTES = BytePairTokenizer.train(TRAINING, 265)
both = pytest.mark.parametrize("tokenizer", [BYTES, CHARACTERS], ids=["bytes", "characters"])


def small_gpt(vocab_size, positions=6):
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": positions}
    return randomise(Gpt(GptConfig(vocab_size=vocab_size, **sizes), dtype=np.float64), std=0.3)


def ids(tokenizer, text):
    return np.array(tokenizer.encode(text), np.uint16)


@both
def test_every_token_but_the_first_is_asked_for_once(tokenizer):
    """Window by window: from the last token of the one before, the logits of each row are those of the next token."""
    model, token_ids = small_gpt(tokenizer.vocab_size), ids(tokenizer, HELD_OUT).astype(int)
    losses = []
    for start in range(0, len(token_ids) - 1, 5):
        window = token_ids[start : start + 6]
        logits = model(PackedTokens.pack([window]))[:-1]
        losses += [*cross_entropy_forward(logits, window[1:])[0]]
    metrics = evaluate_language_model(model, tokenizer, token_ids)
    assert len(losses) == len(token_ids) - 1
    assert metrics.nats_per_token == pytest.approx(np.mean(losses))
    num_characters = len(HELD_OUT) - len(tokenizer.decode(token_ids[:1]))
    assert metrics.nats_per_character == pytest.approx(np.sum(losses) / num_characters)


def test_batches_and_workers_do_not_matter(monkeypatch):
    model, token_ids = small_gpt(CHARACTERS.vocab_size), ids(CHARACTERS, TRAINING)
    expected = evaluate_language_model(model, CHARACTERS, token_ids, workers=1)
    monkeypatch.setattr(language_modelling, "TOKENS_PER_BATCH", 12)
    assert evaluate_language_model(model, CHARACTERS, token_ids, workers=2) == pytest.approx(expected)


@both
def test_the_characters_of_some_ids_are_those_of_their_text_with_the_ends_of_documents(tokenizer):
    found = characters_of(tokenizer, np.array([*tokenizer.encode("the cat"), tokenizer.eos_token_id]))
    assert found.tolist() == [*map(ord, "the cat"), 0x10FFFF]


def test_baselines_of_characters_by_hand():
    training, predicted = ids(CHARACTERS, TRAINING), ids(CHARACTERS, HELD_OUT)
    b = language_modelling_baselines(CHARACTERS, training, predicted)
    assert (b.tokens, b.characters, b.ngram_counted) == (len(HELD_OUT) - 1, len(HELD_OUT) - 1, len(TRAINING))
    assert b.uniform_per_token == pytest.approx(math.log(CHARACTERS.vocab_size))
    shares = {c: (TRAINING.count(c) + 1) / (len(TRAINING) + CHARACTERS.vocab_size) for c in HELD_OUT}
    assert b.unigram_per_token == pytest.approx(-np.mean([math.log(shares[c]) for c in HELD_OUT[1:]]))
    losses = ngram_losses(characters_of(CHARACTERS, training), characters_of(CHARACTERS, predicted[1:]))
    assert (b.ngram_per_character, b.ngram_order) == (min(losses), 1 + losses.index(min(losses)))


def test_ngrams_of_characters_are_the_same_whatever_the_tokens_are():
    """The tokens of bytes begin a character later, since the first one is only seen."""
    first = CHARACTERS.decode(BYTES.encode(HELD_OUT)[:0]) or BYTES.decode(BYTES.encode(HELD_OUT)[:1])
    rest = HELD_OUT[len(first) - 1 :]
    of_bytes = language_modelling_baselines(BYTES, ids(BYTES, TRAINING), ids(BYTES, HELD_OUT))
    of_characters = language_modelling_baselines(CHARACTERS, ids(CHARACTERS, TRAINING), ids(CHARACTERS, rest))
    assert of_bytes.characters == of_characters.characters
    assert (of_bytes.ngram_per_character, of_bytes.ngram_order) == (
        of_characters.ngram_per_character,
        of_characters.ngram_order,
    )


def test_of_a_long_text_the_last_characters_are_counted(monkeypatch):
    monkeypatch.setattr(language_modelling, "MAX_COUNTED", 50)
    b = language_modelling_baselines(CHARACTERS, ids(CHARACTERS, TRAINING), ids(CHARACTERS, HELD_OUT))
    assert b.ngram_counted == 50
    last = ids(CHARACTERS, TRAINING[-50:])
    assert (
        b.ngram_per_character
        == language_modelling_baselines(CHARACTERS, last, ids(CHARACTERS, HELD_OUT)).ngram_per_character
    )
    whole = language_modelling_baselines(CHARACTERS, last, ids(CHARACTERS, HELD_OUT)).unigram_per_token
    assert b.unigram_per_token != whole  # tokens are counted in all of the text
