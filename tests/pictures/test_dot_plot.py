import re

import numpy as np
import pytest

from minitransformer.pictures.dot_plot import Dot, dot_plot

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
