import re

import numpy as np

from minitransformer.pictures.colours import share_colour
from minitransformer.pictures.drawing import beside, svg, titled, under
from minitransformer.pictures.heat_map import heat_map


def test_each_cell_has_its_number_and_its_colour():
    values = np.array([[0.0, 0.25, np.nan], [1.0, 0.5, 0.126]])
    text = str(heat_map(values, ["a", "b"], ["x", "y", "z"]).element)
    assert re.findall(r">([^<>]+)</text>", text) == ["x", "y", "z", "a", "0", "25", "b", "100", "50", "13"]
    colours = [share_colour(value) for value in values.flat if not np.isnan(value)]
    assert re.findall(r'<rect[^>]*fill="([^"]*)"', text) == colours


def test_cells_can_be_without_a_number():
    assert 'text-anchor="middle"' not in str(heat_map(np.ones((2, 2)), ["a", "b"], "cd", text=None).element)


def test_drawings_add_up_their_sizes():
    a, b = heat_map(np.ones((1, 2)), ["a"], "bc"), heat_map(np.ones((3, 1)), "abc", ["d"])
    assert beside([a, b], gap=10)[1:] == (a.width + 10 + b.width, max(a.height, b.height))
    assert under([a, b], gap=10)[1:] == (max(a.width, b.width), a.height + 10 + b.height)
    assert titled("a title that is wider than the map", a).width > a.width


def test_an_image_says_what_it_is():
    text = str(svg(heat_map(np.ones((1, 1)), "a", "b"), "Title", "What is seen."))
    assert 'role="img"' in text
    assert text.index("<title>Title</title><desc>What is seen.</desc>") < text.index("<rect")
