import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.inference.generation.options import GenerationOptions


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_beams": 3, "length_penalty": -1},
        {"temperature": 0.5, "eos_token_id": 0},
        {"temperature": 2, "top_k": 3, "top_p": 1},
        {"num_beams": np.int64(2), "length_penalty": np.float32(0.5)},
    ],
    ids=str,
)
def test_options_that_agree_are_accepted(options):
    accepted = GenerationOptions(max_new_tokens=5, **options)
    assert {name: getattr(accepted, name) for name in options} == options


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"max_new_tokens": 0}, "max_new_tokens must be a whole number of at least 1, found 0"),
        ({"max_new_tokens": None}, "max_new_tokens must be a whole number of at least 1, found None"),
        ({"num_beams": 1.5}, "num_beams must be a whole number of at least 1, found 1.5"),
        ({"temperature": 1, "top_k": 0}, "top_k must be a whole number of at least 1, found 0"),
        ({"eos_token_id": -1}, "eos_token_id must be a whole number of at least 0, found -1"),
        ({"eos_token_id": [1, 2]}, r"eos_token_id must be a whole number of at least 0, found \[1, 2\]"),
        ({"temperature": 1, "top_p": 0}, "top_p must be above 0 and at most 1, found 0"),
        ({"temperature": 1, "top_p": 1.1}, "top_p must be above 0 and at most 1, found 1.1"),
        ({"temperature": 0}, "temperature must be a number above 0, found 0; leave it out for greedy choice"),
        ({"temperature": -0.5}, "temperature must be a number above 0, found -0.5"),
        ({"temperature": float("nan")}, "temperature must be a number above 0, found nan"),
        ({"num_beams": 2, "length_penalty": "1"}, "length_penalty must be a number, found '1'"),
        ({"top_k": 5}, "top-k 5 is about drawing tokens, and without a temperature none are drawn"),
        ({"top_p": 0.9}, "top-p 0.9 is about drawing tokens, and without a temperature none are drawn"),
        ({"num_beams": 2, "top_k": 5}, "top-k 5 is about drawing tokens"),
        ({"temperature": 0.8, "num_beams": 4}, "temperature 0.8 and 4 beams contradict each other"),
        ({"length_penalty": 0.6}, "length penalty 0.6 compares beams of different lengths, but there is only one"),
        ({"temperature": 1, "length_penalty": 2.0}, "length penalty 2.0 compares beams"),
    ],
)
def test_what_is_out_of_range_or_would_be_ignored_is_refused(options, words):
    with pytest.raises(UserError, match=words):
        GenerationOptions(**{"max_new_tokens": 5, **options})
