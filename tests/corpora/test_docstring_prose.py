import pytest

from minitransformer.corpora.docstring_prose import prose_sentences

NUMPYDOC = r"""
    Return the `axis` of the ``array``, as :func:`~numpy.take` [1]_ does.

    The order is *stable*, and
    it is **kept** for equal items (see the Notes).

    .. versionadded:: 1.7
       This sentence is about a version and is left out.

    Parameters
    ----------
    a : array_like
        This sentence is in a table and is left out.

    Returns
    -------
    out : ndarray
        So is this one of the table of results.

    Notes
    -----
    The sum is :math:`\sum_i x_i` for all of the items.
    This one follows the formula in the text. The proof is in [1]_.

    .. note:: A note is prose and is kept.

    .. math::

        This is a formula and not a sentence of English.

    - The first item of the list is a sentence.
    - the second is not
    - The third item goes on
      in a second line of the list.

    Call it like this::

        The code of an example is left out.

    References
    ----------
    .. [1] The book by Knuth is in a list of references.

    Examples
    --------
    >>> take([1, 2])
    The output of an example is left out.

    The next example shows what is kept of them.
"""


def test_of_a_numpydoc_docstring_the_prose_remains():
    assert prose_sentences(NUMPYDOC) == [
        "Return the axis of the array, as numpy.take does.",
        "The order is stable, and it is kept for equal items (see the Notes).",
        "This one follows the formula in the text.",
        "A note is prose and is kept.",
        "The first item of the list is a sentence.",
        "The third item goes on in a second line of the list.",
        "The next example shows what is kept of them.",
    ]


@pytest.mark.parametrize(
    "docstring",
    [
        "",
        "Too short.",
        "Return the value",
        "return the value of the item.",
        "The result is x = y + 1 for all of the items.",
        "Call f(x, y) to get the value of it.",
        "x y z u v w the a b.",
        "VALUE  NAME  AGE  TIME.",
        ":param name: The name of the thing to return.",
    ],
)
def test_what_is_no_prose_gives_nothing(docstring):
    assert prose_sentences(docstring) == []


def test_a_call_without_arguments_is_written_as_a_name():
    assert prose_sentences("Use the ``close()`` method, or quit(), to end it.") == [
        "Use the close method, or quit, to end it."
    ]
