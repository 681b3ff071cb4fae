import warnings

import numpy as np
import pytest

from minitransformer.errors import UserError
from minitransformer.search.past_searches import Search
from minitransformer.search.shown_lists import ShownList
from minitransformer.search.suggestion_ranking import BUYING, PICKING, TextCounts
from minitransformer.search.terms import suggested_texts
from minitransformer.training.suggestion_ranking import split_searches, train_suggestion_ranking

pytestmark = pytest.mark.filterwarnings("ignore:the weights are mostly chance")


def popularity_of(queries):
    return suggested_texts(["Milk", "Mill"], queries)


def searches(number=400):
    """Everybody searches for one of two things: of ten who want milk, nine take some; of ten who want a mill, one."""
    return [
        Search("milk" if i % 2 else "mill", f"u{i}", True, int(i % 20 in (1, 3, 5, 7, 9, 11, 13, 15, 17, 2)))
        for i in range(number)
    ]


def train(lists=None, found=None, few=lambda text: False):
    return train_suggestion_ranking(found or searches(), lists, popularity_of, few)


def test_what_ends_in_the_cart_more_often_gets_the_higher_probability():
    trained = train()
    weights = dict(zip(BUYING, trained.ranking.buying.weights, strict=True))
    assert weights["converted"] + weights["added"] > 0.5
    assert trained.num_searches == 80  # a fifth of the users


def test_the_rates_in_the_end_are_those_of_all_users():
    counts = train(few=lambda text: text == "mill").ranking.counts
    assert counts["milk"]._replace(shown=0, picked=0, skipped=0) == TextCounts(searches=200, converted=180, added=180)
    assert counts["mill"].finds_few == 1
    assert counts["mill"].searches == 200


def test_lists_that_were_shown_are_learnt_from():
    """The second is picked from each list, though it is less popular."""
    trained = train([ShownList("mi", ("milk", "mill"), "mill")] * 100)
    weights = dict(zip(PICKING, trained.ranking.picking.weights, strict=True))
    assert weights["picked"] > 0 > weights["skipped"]


def test_a_short_log_is_learnt_from_with_a_warning():
    with pytest.warns(UserWarning, match="mostly chance: there are only 80 lists or searches"):
        train()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(found=searches(1000))


def test_no_user_tells_the_rates_and_is_a_label():
    told, asked = split_searches(searches(), 0)
    assert not {search.user for search in told} & {search.user for search in asked}
    assert len(told) + len(asked) == 400


def test_the_same_seed_gives_the_same_ranking():
    first, second = train().ranking, train().ranking
    assert np.array_equal(first.picking.weights, second.picking.weights)
    assert first.counts == second.counts


@pytest.mark.parametrize(
    ("lists", "added", "message"),
    [
        ([ShownList("m", ("milk",), None)] * 9, 1, "none of the 0 suggestions in the lists were picked"),
        (None, 0, "none of the 10 searches ended in the cart"),
        (None, 1, "all of the 10 searches ended in the cart"),
    ],
)
def test_a_log_that_teaches_nothing_is_refused(lists, added, message):
    with pytest.raises(UserError, match=message):
        train(lists, [Search("milk", f"u{i}", True, added) for i in range(50)])
