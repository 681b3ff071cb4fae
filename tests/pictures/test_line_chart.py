import re

import numpy as np
import pytest

from minitransformer.pictures.line_chart import HEIGHT, Curve, Level, line_chart, shortened, ticks


def points(text):
    path, *_ = re.findall(r'<path d="M([^"]*)"', text)
    return np.array([[float(number) for number in point.split()] for point in path.split(" L")])


def test_equal_steps_of_a_curve_are_equal_steps_on_paper():
    curve = Curve("loss", np.arange(5.0), np.array([8.0, 6.0, 4.0, 2.0, 0.0]))
    across, down = np.diff(points(str(line_chart([curve]).element)), axis=0).T
    assert across == pytest.approx(np.full(4, across[0]), abs=0.2)
    assert down == pytest.approx(np.full(4, HEIGHT / 4), abs=0.2)  # downwards is less


def test_a_level_is_drawn_where_a_curve_of_its_height_would_be():
    curve = Curve("loss", np.arange(2.0), np.array([7.0, 3.0]))
    text = str(line_chart([curve], [Level("ln V", 3.0)]).element)
    y, _ = re.findall(r'y1="([\d.]*)"[^>]*stroke-dasharray', text)
    assert float(y) == pytest.approx(points(text)[1, 1], abs=0.1)


@pytest.mark.parametrize(("low", "high"), [(0, 7.3), (0, 1500), (-0.3, 0.9), (0, 0.0015), (0, 0), (5, 5)])
def test_ticks_go_round_all_values_in_few_equal_steps(low, high):
    found = ticks(low, high)
    assert found[0] <= low + 1e-12
    assert found[-1] >= high - 1e-12
    assert 2 <= len(found) <= 7
    assert np.diff(found) == pytest.approx(np.full(len(found) - 1, found[1] - found[0]))


def test_a_long_curve_is_means_of_neighbours_and_says_so():
    curve = Curve("loss", np.arange(1, 1001.0), np.arange(1000.0) ** 2)
    short = shortened(curve)
    assert short.name == "loss, means of 4"
    assert len(short.x) == 250
    assert short.y[0] == np.mean([0, 1, 4, 9])
    assert shortened(short) is short


def test_before_each_name_is_a_piece_of_what_it_names():
    x, y = np.arange(3.0), np.arange(3.0)
    curves = [Curve("loss", x, y, 1), Curve("held out", x, y, 1, as_dots=True)]
    text = str(line_chart(curves, [Level("ln V", 1.0)]).element)
    assert text.count("<path") == text.count('stroke-dasharray="1 4"') == 2
    assert text.count("<circle") == 3 + 2


def test_no_name_is_written_over_another():
    curves = [Curve(name, np.arange(2.0), np.ones(2), kind) for kind, name in enumerate("abc")]
    text = str(line_chart(curves).element)
    heights = [float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>[abc]<', text)]
    assert np.diff(heights).min() > 10
