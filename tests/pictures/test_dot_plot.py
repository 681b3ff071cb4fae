import re

import numpy as np
import pytest

from minitransformer.pictures.dot_plot import Dot, dot_plot, dot_plots

PLOT = str(dot_plot(["a", "b"], {"ours": [Dot(40, 5), Dot(60)], "paper": [Dot(80), None]}).element)


def test_places_are_in_proportion_to_the_values():
    first, second, third = sorted(float(x) for x in re.findall(r'<circle cx="([\d.]+)"', PLOT)[:3])
    assert second - first == pytest.approx(third - second, abs=0.05)


def test_an_error_is_a_line_to_both_sides_of_its_dot():
    [(left, right)] = re.findall(r'<line x1="([\d.]+)" x2="([\d.]+)"[^>]*stroke-width="2"', PLOT)
    centre = float(re.search(r'<circle cx="([\d.]+)"', PLOT)[1])
    assert np.mean([float(left), float(right)]) == pytest.approx(centre, abs=0.02)


def test_the_first_series_is_filled_and_what_is_missing_is_not_drawn():
    assert PLOT.count("<circle") == 3 + 2  # and the two of the legend
    assert PLOT.count('fill="none"') == 1 + 1


def test_plots_beside_each_other_have_one_axis_and_one_legend():
    panels = {"a set": {"ours": [40, None], "paper": [50, 60]}, "another": {"ours": [None, None], "paper": [60, 50]}}
    text = str(dot_plots(["first", "second"], panels).element)
    assert text.count(">first<") == text.count(">ours<") == 1
    assert re.findall(r">(\d+)<", text) == 2 * ["40", "45", "50", "55", "60"]
    assert text.count("<circle") == 3 + 2 + 2
