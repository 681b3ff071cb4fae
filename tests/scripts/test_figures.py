"""Every number in a figure of docs/ is what its program computes, and the figure is what its program draws."""

import numpy as np
import pytest

from minitransformer import Seq2Seq, Seq2SeqConfig
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


def test_the_steps_of_the_heads_are_the_layers_and_so_is_the_gradient_of_their_input():
    program = load(FIGURES / "multi_head.py")
    attention, data = program.data.__globals__["make_attention"](), program.data()
    x, dy = np.random.default_rng(0).normal(size=(2, 4, 8))
    y, cache = attention.forward(x, np.array([4]))
    np.testing.assert_allclose(data["y"]["value"], y, rtol=1e-9)
    np.testing.assert_allclose(data["x"]["gradient"], attention.backward(dy, cache), rtol=1e-9)


def test_the_encoder_and_decoder_have_the_parameters_of_the_model():
    data = load(FIGURES / "encoder_decoder.py").data()
    layers = sum(data[name]["times"] * sum(size for _, size in data[name]["steps"]) for name in ("encoder", "decoder"))
    assert data["table"] + layers + data["bias"] == Seq2Seq(Seq2SeqConfig(), seed=None).num_parameters


def test_what_a_weight_gets_through_both_texts_is_its_gradient():
    data = load(FIGURES / "siamese.py").data()
    np.testing.assert_allclose(np.sum(data["through"], axis=0), data["gradient"], rtol=1e-9)


def test_the_published_means_are_those_of_the_published_numbers():
    """Table 5's of the paper; Table 1's are checked in docs/evaluation.md."""
    data = load(FIGURES / "table5.py").data()
    assert data["mean of seven"]["paper"] == [81.52, 82.42, 84.94, 84.66, 85.59, 85.10, 87.41, 87.69]
    text = (FIGURES.parent / "experiments.md").read_text(encoding="utf-8")
    assert f"| averaged GloVe | {data['CR']['paper'][0]:.2f} | {data['MRPC']['paper'][0]:.2f} |" in text


def test_the_gradient_of_the_encoder_layers_input_is_the_layers_own():
    program = load(FIGURES / "encoder_layer.py")
    make_layer = program.data.__globals__["make_layer"]
    layer, x = make_layer(), np.random.default_rng(0).normal(size=(5, 6))[:3]
    y, cache = layer.forward(x, np.array([3]))
    data = program.data()
    np.testing.assert_allclose(data["y"]["value"], y, rtol=1e-12)
    dx = layer.backward(np.array(data["y"]["gradient"]), cache)
    np.testing.assert_allclose(data["x"]["gradient"], dx, rtol=1e-9)
