"""What scripts/recipes/ice0.py prints, against the exercise worked out by hand (tests/ops/test_attention.py)."""

import numpy as np
import pytest

from scripts.recipes import ice0


@pytest.fixture
def printed(capsys) -> str:
    ice0.main()
    return capsys.readouterr().out


def matrices(text: str) -> dict[str, np.ndarray]:
    """The matrices of a part of the output by the name over each."""
    blocks = [block.splitlines() for block in text.split("\n\n") if "  (" in block]
    return {name.split("  (")[0]: np.array([row.split() for row in rows], float) for name, *rows in blocks}


def part(printed: str, title: str) -> dict[str, np.ndarray]:
    return matrices(printed.split(f"---- {title}")[1].split("\n----")[0])


def test_it_starts_from_the_x_of_the_exercise_and_projects_it(printed):
    given = matrices(printed.split("----")[0])
    np.testing.assert_array_equal(given["x"], [[1, 2, 3, -1], [3, -4, -7, 5]])
    np.testing.assert_array_equal(given["Q = x W^Q"], [[9, 7, -12], [-33, -1, 30]])
    np.testing.assert_array_equal(given["K = x W^K"], [[15, 5, 16], [-31, 15, -14]])
    np.testing.assert_array_equal(given["V = x W^V"], [[2, -10, 13], [-6, 10, -33]])


def test_unscaled_scores_weights_and_output(printed):
    shown = part(printed, "unscaled")
    np.testing.assert_array_equal(shown["scores = Q K^T * scale"], [[-22, -6], [-20, 588]])
    weights = [[1.12535162055e-7, 0.999999887465], [8.8910899265e-265, 1]]
    np.testing.assert_allclose(shown["weights = softmax(scores)"], weights, rtol=1e-10)
    np.testing.assert_allclose(shown["log(weights)"][1], [-608, 0], rtol=1e-12)
    output = [[-5.9999990997, 9.9999977493, -32.9999948233], [-6, 10, -33]]
    np.testing.assert_allclose(shown["y = weights V"], output, rtol=1e-10)


def test_scaled_scores_weights_and_output(printed):
    shown = part(printed, "scaled")
    scores = [[-12.7017059222, -3.4641016151], [-11.5470053838, 339.4819582835]]
    np.testing.assert_allclose(shown["scores = Q K^T * scale"], scores, rtol=1e-10)
    weights = [[9.7300968727e-5, 0.9999026990], [3.5486085212e-153, 1]]
    np.testing.assert_allclose(shown["weights = softmax(scores)"], weights, rtol=1e-10)
    np.testing.assert_allclose(shown["log(weights)"][1], [-351.0289636673, 0], rtol=1e-11)
    output = [[-5.99922159225, 9.99805398063, -32.99552415544], [-6, 10, -33]]
    np.testing.assert_allclose(shown["y = weights V"], output, rtol=1e-10)


def test_token_2_attends_to_itself_either_way(printed):
    assert printed.count("Token 2 attends to token 2.") == 2


def test_the_bare_formula_overflows_in_float32_and_not_in_float64(printed):
    shown = part(printed, "softmax of token 2")
    np.testing.assert_allclose(shown["exp(scores), float64"], [[np.exp(-20), 2.31822379423e255]], rtol=1e-10)
    np.testing.assert_allclose(shown["exp(scores) / sum(exp(scores)), float64"], [[8.8910899265e-265, 1]], rtol=1e-10)
    np.testing.assert_array_equal(shown["exp(scores), float32"][0, 1], np.inf)
    np.testing.assert_array_equal(shown["exp(scores) / sum(exp(scores)), float32"], [[0, np.nan]])
