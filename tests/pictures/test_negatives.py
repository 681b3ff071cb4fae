import re

import numpy as np

from minitransformer.pictures.negatives import negatives_picture

SIMILARITIES = np.array([[0.9, 0.5, 0.1], [0.0, 0.8, 0.0], [-1.0, 1.0, 0.2]])
NEGATIVES = np.array([[False, True, True], [False, False, False], [True, True, False]])
WEIGHTS = np.array([[0, 1.4, 0.6], [0, 0, 0], [0.1, 1.9, 0]])
PICTURE = negatives_picture("abc", "xyz", SIMILARITIES, NEGATIVES, WEIGHTS, "softmax")


def test_the_hardest_is_the_wrong_one_that_is_furthest_above_the_right_one():
    assert PICTURE.finding == (
        "The hardest wrong one is “y” for “c”, with 1.00 beside 0.20 of the right one: it counts 1.90, where all alike "
        "would count 1."
    )


def test_the_table_has_a_line_for_each_pair_for_which_something_is_wrong():
    assert PICTURE.tables[0].rows == [
        ["a", "x", "0.900", "y", "0.500", "1.40"],
        ["c", "z", "0.200", "y", "1.000", "1.90"],
    ]


def test_the_three_maps_have_the_numbers_of_the_data():
    cells = re.findall(r'text-anchor="middle"[^>]*>([^<]*)<', PICTURE.as_svg())
    assert cells == [f"{value:.2f}" for map_ in (SIMILARITIES, NEGATIVES, WEIGHTS) for value in map_.flat]
    np.testing.assert_array_equal(PICTURE.data["weights"], WEIGHTS)
