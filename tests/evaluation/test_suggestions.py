import pytest

from minitransformer.evaluation.suggestions import score_suggestions

LISTS = {"t": ["tea", "toast"], "te": ["tea"], "to": ["toast"], "p": []}


def test_scores_worked_by_hand():
    """tea is searched for 3 times: first after t, te, tea. toast once: second after t, then first.

    MRR    letters of all searches: 3 x 3 + 5 = 14; ranks: 3 x (1 + 1 + 0) + (1/2 + 1 + 0 + 0 + 0) = 7.5
    saved  14 letters, of which 3 x 1 + 1 are typed
    """
    found = score_suggestions(lambda typed: LISTS.get(typed, []), {"tea": 3, "toast": 1})
    assert found.mean_reciprocal_rank == pytest.approx(7.5 / 14)
    assert found.success == (1, 1, 0)
    assert found.keystrokes_saved == pytest.approx(1 - 4 / 14)
    assert found.never_suggested == 0


def test_what_is_never_suggested_saves_nothing():
    assert score_suggestions(lambda typed: [], {"pear": 2}) == (0, (0, 0, 0), 0, 1)


def test_a_short_query_counts_with_all_its_letters():
    """ "te" has no third letter: it is there after all that there is to type."""
    assert score_suggestions(lambda typed: ["te"], {"te": 1}).success == (1, 1, 1)


def test_each_beginning_is_asked_for_once():
    asked = []
    score_suggestions(lambda typed: asked.append(typed) or [], {"tea": 1, "ten": 1})
    assert sorted(asked) == ["t", "te", "tea", "ten"]
