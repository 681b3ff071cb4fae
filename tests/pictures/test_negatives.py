import re

import numpy as np

from minitransformer.inference.in_batch_negatives import equal_weights, weights_by_hardness
from minitransformer.pictures.negatives import negatives_picture

SCORES = np.array([[0.9, 0.5, 0.1], [0.0, 0.8, 0.0], [-1.0, 1.0, 0.2]])
WEIGHTS = weights_by_hardness(SCORES, 0.5)
PICTURE = negatives_picture("abc", "xyz", SCORES, WEIGHTS, equal_weights(3))


def test_the_hardest_is_the_wrong_one_that_is_furthest_above_the_right_one():
    assert PICTURE.finding == (
        "The hardest wrong one is “y” for “c”, with 1.00 beside 0.20 of the right one: of the row's weight it has "
        f"{WEIGHTS[2, 1]:.0%}, not 50%."
    )
    assert PICTURE.tables[0].rows[0] == ["a", "x", "0.900", "y", "0.500", f"{100 * WEIGHTS[0, 1]:.1f}"]


def test_the_three_maps_have_the_numbers_of_the_data():
    cells = re.findall(r'text-anchor="middle"[^>]*>([^<]*)<', PICTURE.as_svg())
    shares = [f"{100 * weight:.0f}" for weight in (*equal_weights(3).flat, *WEIGHTS.flat)]
    assert cells == [*(f"{score:.2f}" for score in SCORES.flat), *shares]
    np.testing.assert_array_equal(PICTURE.data["weights"], WEIGHTS)
