import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer.errors import UserError
from minitransformer.inference.generation.generate import search_beams
from minitransformer.inference.generation.options import GenerationOptions
from minitransformer.inference.translation import translate
from minitransformer.text.packed_tokens import PackedTokens
from tests.small_models import small_seq2seq

EOS = 1


@pytest.fixture(scope="module")
def model():
    return small_seq2seq(max_position_embeddings=30)


SOURCES = [[4, 7, EOS], [9, EOS], [3, 3, 5, 8, 11, EOS], [4, 7, 9, EOS]]


def test_greedy_takes_the_best_token_at_each_step_as_if_the_target_were_read_anew(model):
    for source, found in zip(SOURCES, translate(model, PackedTokens.pack(SOURCES)), strict=True):
        target = []
        while len(target) < 30:
            logits = model(PackedTokens.pack([source]), PackedTokens.pack([[*target, 0]]))  # the last is only asked for
            best = int(logits[-1].argmax())
            if best == EOS:
                break
            target.append(best)
        assert found == target


@pytest.mark.parametrize("num_beams", [2, 3])
def test_beams_are_those_of_a_language_model_that_has_read_the_source(model, num_beams):
    found = translate(model, PackedTokens.pack(SOURCES), num_beams=num_beams, length_penalty=0.6)
    for source, ids in zip(SOURCES, found, strict=True):
        options = GenerationOptions(30, num_beams, 0.6, eos_token_id=EOS)
        best = search_beams(model.over(PackedTokens.pack([source])), [2], options)[0]
        assert ids == best.token_ids[: len(ids)]
        assert best.token_ids[len(ids) :] in ([], [EOS])


@given(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=5), st.sampled_from([1, 2]))
def test_a_batch_gives_each_source_what_it_gets_alone(chosen, num_beams):
    model = small_seq2seq(max_position_embeddings=12)
    found = translate(model, PackedTokens.pack(chosen), num_beams=num_beams)
    assert found == [translate(model, PackedTokens.pack([source]), num_beams=num_beams)[0] for source in chosen]


@pytest.mark.parametrize("num_beams", [1, 2])
def test_a_target_that_never_ends_is_as_long_as_the_positions(num_beams):
    model = small_seq2seq(max_position_embeddings=20)
    model.head.bias.value[EOS] = -1e3
    found = translate(model, PackedTokens.pack([[5] * 20, [6] * 3]), num_beams=num_beams)
    assert [len(ids) for ids in found] == [20, 20]


def test_no_sources_give_no_targets(model):
    assert translate(model, PackedTokens.pack([])) == []


def test_what_cannot_be_translated_is_refused_in_words(model):
    for sources, options, words in (
        ([[1] * 31], {}, "a source has 31 tokens, but this model has 30 positions"),
        ([[23]], {}, "token id 23 is outside the vocabulary"),
        ([[1]], {"length_penalty": 0.5}, "there is only one"),
        ([[1]], {"num_beams": 0}, "num_beams must be a whole number of at least 1"),
    ):
        with pytest.raises(UserError, match=words):
            translate(model, PackedTokens.pack(sources), **options)


def test_the_model_is_not_changed(model):
    before = model.storage.values.copy()
    translate(model, PackedTokens.pack(SOURCES), num_beams=2)
    np.testing.assert_array_equal(model.storage.values, before)
