import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitransformer import generate
from minitransformer.errors import UserError
from minitransformer.inference.generation.generate import generate_each, generate_stepwise
from minitransformer.inference.generation.options import GenerationOptions
from minitransformer.text.packed_tokens import PackedTokens
from tests.inference.generation.toy_model import bigram_gpt
from tests.small_models import small_gpt

START, A, B, EOS = range(4)
PROBABILITIES = [[0, 0.6, 0.4, 0], [0, 0.5, 0.2, 0.3], [0, 0.05, 0.05, 0.9], [0.25] * 4]
OPTIONS = [{}, {"num_beams": 3}, {"temperature": 0.7}, {"temperature": 1.2, "top_k": 5, "top_p": 0.8}]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)


@pytest.fixture(scope="module")
def model():
    return small_gpt(max_position_embeddings=30)


@pytest.fixture(scope="module")
def bigrams():
    return bigram_gpt(PROBABILITIES)


def test_greedy_takes_the_best_token_at_each_step_as_if_the_text_were_read_anew(model):
    text = [4, 7, 1]
    for _ in range(12):
        text.append(int(model(PackedTokens.pack([text]))[-1].argmax()))
    assert generate(model, [4, 7, 1], max_new_tokens=12) == text[3:]


def test_greedy_beams_and_chance_on_a_model_whose_probabilities_are_known(bigrams):
    assert generate(bigrams, [START], max_new_tokens=2, eos_token_id=EOS) == [A, A]
    assert generate(bigrams, [START], max_new_tokens=2, eos_token_id=EOS, num_beams=2) == [B, EOS]
    draws = [
        generate(bigrams, [START], max_new_tokens=1, temperature=1, rng=np.random.default_rng(i)) for i in range(400)
    ]
    assert sum(ids == [A] for ids in draws) / 400 == pytest.approx(0.6, abs=0.1)


def test_a_text_stops_with_eos_which_is_given_out(bigrams):
    assert generate(bigrams, [B], max_new_tokens=9, eos_token_id=EOS) == [EOS]
    assert len(generate(bigrams, [B], max_new_tokens=9)) == 9


def test_one_number_is_drawn_for_each_token(model):
    rng, twin = np.random.default_rng(5), np.random.default_rng(5)
    generate(model, [4], max_new_tokens=7, temperature=1, rng=rng)
    twin.random(7)
    assert rng.random() == twin.random()


def test_without_a_temperature_nothing_is_drawn(model):
    rng = np.random.default_rng(5)
    for options in ({}, {"num_beams": 2}):
        generate(model, [4], max_new_tokens=7, rng=rng, **options)
    assert rng.random() == np.random.default_rng(5).random()


@every_option
def test_results_are_ints_and_the_same_seed_gives_the_same_text(model, options):
    first, again = (
        generate(model, [4, 7], max_new_tokens=6, rng=np.random.default_rng(2), **options) for _ in range(2)
    )
    assert first == again
    assert {type(token_id) for token_id in first} == {int}


def test_without_a_generator_texts_differ(model):
    texts = {tuple(generate(model, [4], max_new_tokens=20, temperature=3.0)) for _ in range(5)}
    assert len(texts) == 5


@given(st.lists(st.lists(st.integers(0, 22), min_size=1, max_size=8), min_size=1, max_size=5), st.sampled_from(OPTIONS))
def test_a_batch_gives_each_prompt_what_it_gets_alone(prompts, options):
    """Of whatever lengths, and though they end at different times."""
    model = small_gpt(max_position_embeddings=30)
    found = generate_each(model, prompts, np.random.default_rng(7), max_new_tokens=9, eos_token_id=3, **options)
    rngs = np.random.default_rng(7).spawn(len(prompts))
    alone = [
        generate(model, prompt, max_new_tokens=9, eos_token_id=3, rng=rng, **options)
        for prompt, rng in zip(prompts, rngs, strict=True)
    ]
    assert found == alone


def test_no_prompts_give_no_texts(model):
    assert generate_each(model, [], max_new_tokens=3) == []


def test_steps_come_one_by_one_with_the_models_own_log_probabilities(bigrams):
    """Whatever the temperature: it changes what is drawn, not what the model thinks."""
    options = GenerationOptions(8, temperature=0.3, eos_token_id=EOS)
    steps = generate_stepwise(bigrams, [[START]], options, [np.random.default_rng(1)])
    first = next(steps)
    text = [START, int(first.token_ids[0]), *(int(step.token_ids[0]) for step in steps)]
    assert first.log_probabilities[0] == pytest.approx(np.log(PROBABILITIES[START][text[1]]))
    steps = generate_stepwise(bigrams, [[START]], options, [np.random.default_rng(1)])
    found = [float(step.log_probabilities[0]) for step in steps]
    assert found == pytest.approx([np.log(PROBABILITIES[a][b]) for a, b in itertools.pairwise(text)])


# -- the end of the positions ------------------------------------------------------------------------------------------


@every_option
def test_a_text_stops_when_the_positions_are_used_up_and_says_so(options):
    model = small_gpt()
    with pytest.warns(UserWarning, match="the text ends here because the model's 9 positions are used up"):
        assert len(generate(model, [4, 7, 1], max_new_tokens=50, **options)) == 7


@every_option
def test_a_text_that_just_fits_says_nothing(options, recwarn):
    assert len(generate(small_gpt(), [4, 7, 1], max_new_tokens=7, **options)) == 7
    assert not recwarn.list


@pytest.mark.filterwarnings("ignore:the text ends here")
def test_in_a_batch_each_text_has_its_own_room():
    found = generate_each(small_gpt(), [[4] * 8, [7] * 2], max_new_tokens=50)
    assert [len(ids) for ids in found] == [2, 8]


# -- what can't be done ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "options", "words"),
    [
        ([], {}, "the prompt is empty"),
        ([1] * 31, {}, "the prompt has 31 tokens, but the model has 30 positions"),
        ([23], {}, "token id 23 is outside the vocabulary of 23 tokens"),
        ([1], {"eos_token_id": 23}, "eos_token_id 23 is outside the vocabulary of 23 tokens"),
        ([1], {"temperature": 0}, "temperature must be a number above 0"),
        ([1], {"num_beams": 2, "temperature": 1.0}, "contradict each other"),
        ([1], {"top_k": 3}, "without a temperature none are drawn"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(model, prompt, options, words):
    with pytest.raises(UserError, match=words):
        generate(model, prompt, max_new_tokens=3, **options)


def test_the_model_is_not_changed(model):
    before = model.storage.values.copy()
    for options in OPTIONS:
        generate(model, [4, 7], max_new_tokens=5, **options)
    np.testing.assert_array_equal(model.storage.values, before)
