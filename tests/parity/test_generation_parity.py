"""Generating against transformers' generate: greedy, beams with their scores, and sampling with the same numbers."""

import itertools

import numpy as np
import pytest

from minitransformer import generate
from minitransformer.inference.generation.generate import search_beams
from minitransformer.inference.generation.options import GenerationOptions
from minitransformer.models.gpt import Gpt
from tests.parity.real_data import data_file
from tests.small_models import small_gpt

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from tests.parity.gpt_twin import transformers_gpt  # noqa: E402

PROMPTS = [[4, 7, 1], [9], [3, 3, 5, 8, 11, 2]]
EOS = 3
TOLERANCE = 1e-5  # of scores, which transformers adds up in float32


@pytest.fixture(scope="module")
def ours():
    model = small_gpt(max_position_embeddings=40, num_hidden_layers=3)
    model.storage.values[...] *= 0.6  # so that one token isn't all that the model can think of
    return model


@pytest.fixture(scope="module")
def theirs(ours):
    return transformers_gpt(ours)


def their_generate(theirs, prompt, max_new_tokens, eos_token_id=EOS, **options):
    with torch.no_grad():
        found = theirs.generate(
            torch.tensor([prompt]),
            max_new_tokens=max_new_tokens,
            eos_token_id=eos_token_id,
            pad_token_id=0,
            return_dict_in_generate=True,
            output_scores=True,
            **options,
        )
    return found.sequences[0, len(prompt) :].tolist(), found


@pytest.mark.parametrize("prompt", PROMPTS, ids=str)
@pytest.mark.parametrize("eos_token_id", [None, 2, 3, 7, 11, 19])
def test_greedy_gives_the_same_tokens(ours, theirs, prompt, eos_token_id):
    expected, _ = their_generate(theirs, prompt, 20, eos_token_id, do_sample=False)
    assert generate(ours, prompt, max_new_tokens=20, eos_token_id=eos_token_id) == expected


BEAMS = [*itertools.product(PROMPTS, (2, 3, 4), (-1.0, 0.0, 0.6, 1.0, 2.0), (1, 6, 17))]


@pytest.mark.parametrize("eos_token_id", [None, 3, 7])
def test_beam_search_gives_the_same_tokens_and_scores(ours, theirs, eos_token_id):
    lengths = set()
    for prompt, num_beams, length_penalty, max_new_tokens in BEAMS:
        options = {"num_beams": num_beams, "length_penalty": length_penalty}
        expected, found = their_generate(theirs, prompt, max_new_tokens, eos_token_id, do_sample=False, **options)
        best = search_beams(ours, prompt, GenerationOptions(max_new_tokens, eos_token_id=eos_token_id, **options))[0]
        assert best.token_ids == expected, options
        assert best.score(length_penalty) == pytest.approx(found.sequences_scores.item(), rel=TOLERANCE), options
        lengths.add(len(expected))
    assert lengths == {1, 6, 17} if eos_token_id is None else lengths >= {1, 6}


SAMPLING = [
    {"temperature": 1.0},
    {"temperature": 0.5},
    {"temperature": 1.7, "top_k": 5},
    {"temperature": 1.0, "top_p": 0.83},
    {"temperature": 1.3, "top_k": 9, "top_p": 0.61},
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=str)
@pytest.mark.parametrize("options", SAMPLING, ids=str)
def test_sampling_gives_the_same_tokens_for_the_same_numbers(ours, theirs, prompt, options, monkeypatch):
    """transformers draws with torch.multinomial, whose place a draw from our numbers takes here."""
    for seed in range(5):
        numbers = np.random.default_rng(seed)

        def draw_from_our_numbers(probabilities, num_samples, numbers=numbers):
            sums = probabilities.double().cumsum(dim=1)
            return torch.searchsorted(sums, numbers.random() * sums[:, -1:], right=True)

        monkeypatch.setattr(torch, "multinomial", draw_from_our_numbers)
        expected, _ = their_generate(theirs, prompt, 20, do_sample=True, **{"top_k": 0, **options})
        rng = np.random.default_rng(seed)
        assert generate(ours, prompt, max_new_tokens=20, eos_token_id=EOS, rng=rng, **options) == expected


@pytest.mark.parametrize("kind", ["rows of chance", "ties"])
@pytest.mark.parametrize("options", SAMPLING, ids=str)
def test_the_probabilities_that_tokens_are_drawn_with_are_the_same(options, kind):
    from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    from minitransformer.inference.generation.sampling import sampling_probabilities

    logits = 3 * np.random.default_rng(1).normal(size=(50, 23))
    logits = np.round(logits) if kind == "ties" else logits
    expected = TemperatureLogitsWarper(options["temperature"])(None, torch.from_numpy(logits))
    if "top_k" in options:
        expected = TopKLogitsWarper(options["top_k"])(None, expected)
    if "top_p" in options and kind != "ties":  # which of several equal ones top-p drops is a matter of sorting
        expected = TopPLogitsWarper(options["top_p"])(None, expected)
    found = sampling_probabilities(logits, **{k: v for k, v in options.items() if k != "top_p" or kind != "ties"})
    np.testing.assert_allclose(found, expected.softmax(dim=1).numpy(), rtol=1e-10)


@pytest.mark.parametrize("text", [0, 1])
def test_a_trained_gpt2_writes_what_its_reference_says(text):
    """24 tokens after the first 8, greedily and with beams; the text ends with [SEP]."""
    folder = data_file("model_iglm_s_gpt2")
    reference = np.load(folder / "reference.npz")
    vocabulary = (folder / "vocab.txt").read_text().split()
    model = Gpt.from_pretrained(folder, dtype=np.float64)
    prompt, end = reference[f"token_ids_{text}"].ravel()[:8].tolist(), vocabulary.index("[SEP]")
    assert generate(model, prompt, max_new_tokens=24, eos_token_id=end) == reference[f"greedy_{text}"][8:].tolist()
    for name, num_beams, length_penalty in (("beam4", 4, 1.0), ("beam3_penalty06", 3, 0.6)):
        options = GenerationOptions(24, num_beams, length_penalty, eos_token_id=end)
        best = search_beams(model, prompt, options)[0]
        assert best.token_ids == reference[f"{name}_{text}"][8:].tolist()
        assert best.score(length_penalty) == pytest.approx(float(reference[f"{name}_score_{text}"]), rel=TOLERANCE)
