"""Every number in a figure of docs/ is what its program computes, and the figure is what its program draws."""

import numpy as np
import pytest

from scripts.figures import FIGURES, data_in, figures, load

ALL = figures()
COMPUTED = [name for name, figure in ALL.items() if not figure.arguments]


def assert_alike(found, expected, where=""):
    """Equal words, and numbers that differ by what another processor rounds differently."""
    assert type(found) is type(expected) or isinstance(found, int | float), where
    if isinstance(expected, dict):
        assert [*found] == [*expected], where
        for key in expected:
            assert_alike(found[key], expected[key], f"{where}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, pair in enumerate(zip(found, expected, strict=True)):
            assert_alike(*pair, f"{where}/{i}")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-5), where
    else:
        assert found == expected, where


@pytest.mark.parametrize("name", COMPUTED)
def test_the_data_are_computed_anew_and_are_those_in_the_figure(name):
    figure = ALL[name]
    assert_alike(figure.data(), data_in(figure.file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ALL)
def test_the_figure_is_what_its_data_look_like(name):
    figure = ALL[name]
    text = figure.file.read_text(encoding="utf-8")
    assert figure.text(data_in(text)) == text


@pytest.mark.parametrize("name", ALL)
def test_a_figure_says_what_is_to_be_seen(name):
    text = ALL[name].file.read_text(encoding="utf-8")
    assert 'role="img"' in text
    assert "<title>" in text
    assert "<desc>" in text


def test_a_number_that_is_out_of_date_is_found():
    figure = ALL["ice0"]
    data = data_in(figure.file.read_text(encoding="utf-8"))
    data["scores"][1][1] += 1
    with pytest.raises(AssertionError):
        assert_alike(figure.data(), data)


def test_the_gradient_of_the_encoder_layers_input_is_the_layers_own():
    program = load(FIGURES / "encoder_layer.py")
    make_layer = program.data.__globals__["make_layer"]
    layer, x = make_layer(), np.random.default_rng(0).normal(size=(5, 6))[:3]
    y, cache = layer.forward(x, np.array([3]))
    data = program.data()
    np.testing.assert_allclose(data["y"]["value"], y, rtol=1e-12)
    dx = layer.backward(np.array(data["y"]["gradient"]), cache)
    np.testing.assert_allclose(data["x"]["gradient"], dx, rtol=1e-9)
