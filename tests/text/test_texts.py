import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.text.texts import as_texts


class Frame:
    """A table as pandas and polars have it: it has a shape, and iterating over it gives the names of its columns."""

    shape = (3, 2)

    def __iter__(self):
        return iter(["text", "label"])


@pytest.mark.parametrize(
    "texts", [["a", "b"], ("a", "b"), np.array(["a", "b"]), np.array(["a", "b"], object), iter(["a", "b"])]
)
def test_lists_tuples_arrays_and_generators_of_texts_are_taken(texts):
    assert as_texts(texts, "texts") == ["a", "b"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (Frame(), r"texts must be a text or a list of texts, found a Frame of shape \(3, 2\); choose one column"),
        (np.array([["a"], ["b"]]), r"found a ndarray of shape \(2, 1\); choose one column"),
        (np.array("a"), r"found a ndarray of shape \(\)"),
        ({"a": 1}, "found a dict; put its texts in a list"),
        ({"a"}, "found a set; put its texts in a list"),
        (b"ab", r"found b'ab' \(bytes\)"),
        (None, r"found None \(NoneType\)"),
        (["a", None], r"texts\[1\] must be a text, found None"),
        (["a", float("nan")], r"texts\[1\] must be a text, found nan \(float\)"),
        ([["a"]], r"texts\[0\] must be a text, found \['a'\] \(list\)"),
        (["x", 99 * "9" and int(99 * "9")], r"texts\[1\] must be a text, found 9{60} \(int\)"),
    ],
)
def test_what_is_no_list_of_texts_is_refused_with_a_sentence(texts, message):
    with pytest.raises(UserError, match=message):
        as_texts(texts, "texts")
