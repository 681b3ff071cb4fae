"""docs/reference-numbers.json, which others check their implementations against, is what this package computes."""

import json

import numpy as np
import pytest

from minitransformer.ops.layer_norm import layer_norm_backward, layer_norm_forward
from scripts.reference_numbers import EPS, FILE, data, plain, text
from tests.gradient_check import numerical_gradient
from tests.scripts.test_figures import assert_alike

KEPT = json.loads(FILE.read_text(encoding="utf-8"))
WITH_GRADIENTS = [name for name, case in KEPT.items() if name != "about" and "upstream" in case]


def test_the_numbers_are_computed_anew_and_are_those_in_the_file():
    assert_alike(plain(data()), KEPT)


def test_the_file_is_what_its_numbers_look_like():
    assert text(KEPT) == FILE.read_text(encoding="utf-8")


def test_the_file_is_small_enough_to_be_copied_into_any_project():
    assert FILE.stat().st_size < 50_000


@pytest.mark.parametrize("name", WITH_GRADIENTS)
def test_every_input_has_a_gradient_of_its_shape(name):
    case = KEPT[name]
    assert [*case["gradients"]] == [*case["inputs"]]
    for key, value in case["inputs"].items():
        assert np.shape(case["gradients"][key]) == np.shape(value)


def test_the_numbers_of_layer_norm_agree_with_central_differences_and_not_with_a_wrong_backward():
    case = KEPT["layer_norm"]
    x, gamma, beta = (np.array(case["inputs"][name]) for name in ("x", "gamma", "beta"))
    dy, dx = np.array(case["upstream"]), np.array(case["gradients"]["x"])
    measured = numerical_gradient(lambda: layer_norm_forward(x, gamma, beta, EPS)[0], x, dy)
    np.testing.assert_allclose(dx, measured, atol=1e-7)
    _, cache = layer_norm_forward(x, gamma, beta, EPS)
    without_gamma, _, _ = layer_norm_backward(dy / gamma, cache)
    assert np.abs(dx - without_gamma).max() > 0.1
