import re

import numpy as np

from minitransformer.pictures.source_attention import source_attention_picture

SOURCE, TARGET = ["ein", "Hund", "."], ["a", "dog"]
WEIGHTS = np.array([[[[0.8, 0.1, 0.1], [0.1, 0.7, 0.2]], [[0.6, 0.3, 0.1], [0.3, 0.5, 0.2]]]])
PICTURE = source_attention_picture(SOURCE, TARGET, WEIGHTS)


def test_a_map_is_the_mean_of_the_heads():
    assert PICTURE.tables[0].rows == [["a", "70", "20", "10"], ["dog", "20", "60", "20"]]
    cells = re.findall(r'text-anchor="middle"[^>]*>([^<]*)<', PICTURE.as_svg())
    assert cells == ["70", "20", "10", "20", "60", "20"]
    np.testing.assert_array_equal(PICTURE.data["weights"], WEIGHTS)


def test_the_sentence_names_the_look_that_is_furthest_above_its_columns_mean():
    expected = "Before it writes “a”, layer 0 gives 70 % of its attention to “ein”, which gets 45 % on average."
    assert PICTURE.finding == expected
