import re

import numpy as np

from minitransformer.inference.source_attention import source_looks
from minitransformer.pictures.source_attention import source_attention_picture

SOURCE, TARGET = ["ein", "Hund", "."], ["a", "dog"]
WEIGHTS = np.array([[[[0.8, 0.1, 0.1], [0.1, 0.7, 0.2]], [[0.6, 0.3, 0.1], [0.3, 0.5, 0.2]]]])
LOOKS = source_looks(WEIGHTS)
PICTURE = source_attention_picture(SOURCE, TARGET, WEIGHTS, LOOKS)


def test_a_map_is_the_mean_of_the_heads():
    assert PICTURE.tables[1].rows == [["a", "70", "20", "10"], ["dog", "20", "60", "20"]]
    cells = re.findall(r'text-anchor="middle"[^>]*>([^<]*)<', PICTURE.as_svg())
    assert cells == ["70", "20", "10", "20", "60", "20"]
    np.testing.assert_array_equal(PICTURE.data["weights"], WEIGHTS)


def test_the_sentence_names_the_look_that_is_furthest_above_its_columns_mean():
    expected = "Before it writes “a”, layer 0 gives 70 % of its attention to “ein”, which gets 45 % on average."
    assert PICTURE.finding == expected


def test_heads_are_ranked_by_what_the_other_rows_give():
    assert PICTURE.tables[0].rows == [
        ["0", "0", "a", "ein", "80.0", "10.0", "70.0"],
        ["0", "1", "a", "ein", "60.0", "30.0", "30.0"],
    ]
    assert [head["head"] for head in PICTURE.data["heads"]] == [0, 1]


def test_a_chosen_head_is_shown_whole():
    picture = source_attention_picture(SOURCE, TARGET, WEIGHTS, LOOKS, LOOKS[1])
    assert picture.tables[1].rows == [["a", "60", "30", "10"], ["dog", "30", "50", "20"]]
    assert picture.finding == (
        "Before it writes “a”, layer 0, head 1 gives 60 % of its attention to “ein”; before the other tokens, 30 % on "
        "average."
    )
