"""Fitting the order of suggestions to a log (search/suggestion_ranking.py has the two factors and their features).

Four fifths of the users tell the rates and the popularity; the searches and the lists of the others are the labels. So
no feature has seen its label: a text that one person picked would otherwise look like one that is always picked. Only
the weights are kept from that; the rates that suggestions then have are counted over all users.

For p(picked | typed, text), each text of each list is an example. For p(cart | text), each search is one, and not each
text with its rate as a target: few texts have enough searches for a rate.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.errors import UserError
from minitransformer.evaluation.logistic_regression import fit_logistic_regression
from minitransformer.evaluation.suggestions import AT
from minitransformer.randomness import generator
from minitransformer.search.completions import Completions
from minitransformer.search.past_searches import Search, queries_with_clicks
from minitransformer.search.shown_lists import ShownList, typed_lists
from minitransformer.search.suggestion_ranking import (
    Regression,
    SuggestionRanking,
    TextCounts,
    buying_features,
    count_lists,
    count_rows,
    picking_features,
    picking_rates,
)

LABELLED = 5  # one of so many users
C = 1.0  # the weight of the data against the penalty on the weights
FEW_LABELS = 200  # lists or searches: too few to learn from
MOST_LISTS = 20_000  # typed anew for the rates, and as many for the labels

Popularity = Callable[[Mapping[str, int]], Mapping[str, float]]  # past queries: the popularity of what they suggest


class Part(NamedTuple):
    """Of the users."""

    searches: Sequence[Search]
    lists: Sequence[ShownList]


class TrainedRanking(NamedTuple):
    """The ranking, and of how many lists and searches its weights were learnt."""

    ranking: SuggestionRanking
    num_lists: int
    num_searches: int


def train_suggestion_ranking(
    searches: Sequence[Search],
    lists: Sequence[ShownList] | None,
    popularity_of: Popularity,
    finds_few: Callable[[str], bool],
    seed: int = 0,
) -> TrainedRanking:
    """Learn in which order to suggest.

    lists            what people saw and picked; None types the searches anew
    popularity_of    what an index would suggest after some past queries
    finds_few        whether a text finds few products

    Raises UserError if nothing was picked, or if all or none of the searches that are labels ended in the cart.
    """
    user_parts = split_searches(searches, seed)
    popularity = popularity_of(queries_with_clicks(user_parts[0]))
    list_parts = _typed(user_parts, popularity, seed) if lists is None else _split(lists, seed)
    told, asked = (Part(*part) for part in zip(user_parts, list_parts, strict=True))
    few = [text for text in dict.fromkeys([*popularity, *(search.query for search in searches)]) if finds_few(text)]
    counts = counts_of(told, few)
    picking = _fit(*picking_examples(asked.lists, popularity, counts), "suggestions in the lists were picked")
    buying = _fit(*buying_examples(asked.searches, counts), "searches ended in the cart")
    if (fewest := min(len(asked.lists), len(asked.searches))) < FEW_LABELS:
        warnings.warn(
            f"the weights are mostly chance: there are only {fewest:,} lists or searches for them", stacklevel=2
        )
    everyone = Part([*told.searches, *asked.searches], [*told.lists, *asked.lists])
    ranking = SuggestionRanking(picking, buying, counts_of(everyone, few))
    return TrainedRanking(ranking, len(asked.lists), len(asked.searches))


def split_searches(searches: Sequence[Search], seed: int) -> tuple[list[Search], list[Search]]:
    """Those of the users that tell the rates, and those of the others."""
    users = sorted({search.user for search in searches})
    order = generator(seed, "users").permutation(len(users))
    asked = {users[place] for place in order[: len(users) // LABELLED]}
    return [search for search in searches if search.user not in asked], [s for s in searches if s.user in asked]


def _split(lists: Sequence[ShownList], seed: int) -> tuple[list[ShownList], list[ShownList]]:
    order = generator(seed, "lists").permutation(len(lists)).tolist()
    cut = len(lists) // LABELLED
    return [lists[place] for place in order[cut:]], [lists[place] for place in order[:cut]]


def _typed(
    parts: Sequence[Sequence[Search]], popularity: Mapping[str, float], seed: int
) -> tuple[list[ShownList], list[ShownList]]:
    """The lists that the searches of each part would have seen on the way, by popularity."""
    texts = sorted(popularity, key=lambda text: (-popularity[text], text))
    completions = Completions(texts)

    def suggest(prefix: str) -> list[str]:
        return [texts[found.place] for found in completions.find(prefix, AT)]

    def lists(number: int, searches: Sequence[Search]) -> list[ShownList]:
        chosen = generator(seed, "typed", number).permutation(len(searches))[:MOST_LISTS]
        queries = [query for place in chosen if (query := searches[place].query)]
        return typed_lists(queries, suggest, seed + number)

    told, asked = (lists(number, searches) for number, searches in enumerate(parts))
    return told, asked


def counts_of(part: Part, few: Sequence[str]) -> dict[str, TextCounts]:
    """What the users of a part say of each text."""
    counts = {text: TextCounts(finds_few=1) for text in few}
    for search in part.searches:
        of = counts.get(search.query, TextCounts())
        converted, added = of.converted + (search.added > 0), of.added + search.added
        counts[search.query] = of._replace(searches=of.searches + 1, converted=converted, added=added)
    return count_lists(part.lists, counts)


def picking_examples(
    lists: Sequence[ShownList], popularity: Mapping[str, float], counts: Mapping[str, TextCounts]
) -> tuple[np.ndarray, np.ndarray]:
    """(n, 5) features of each text of each list in which one was picked, and (n,) whether it was that one."""
    texts = list(dict.fromkeys([*popularity, *(text for shown in lists for text in shown.shown)]))
    place = {text: number for number, text in enumerate(texts)}
    rates = picking_rates(count_rows(counts, texts))
    least = min(popularity.values(), default=1.0)
    features, labels = [np.empty((0, 3 + rates.shape[1]))], []
    for prefix, shown, picked in lists:
        if picked is not None:
            popular = np.array([popularity.get(text, least) for text in shown])
            begins = [text.startswith(prefix) for text in shown]
            corrected = [f" {prefix}" not in f" {text}" for text in shown]
            features.append(picking_features(popular, begins, corrected, rates[[place[text] for text in shown]]))
            labels += [text == picked for text in shown]
    return np.concatenate(features), np.array(labels, int)


def buying_examples(searches: Sequence[Search], counts: Mapping[str, TextCounts]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) features of each search, and (n,) whether it ended in the cart."""
    texts = list(dict.fromkeys([*counts, *(search.query for search in searches)]))
    place = {text: number for number, text in enumerate(texts)}
    features = buying_features(count_rows(counts, texts))
    return features[[place[search.query] for search in searches]], np.array([s.added > 0 for s in searches], int)


def _fit(features: np.ndarray, labels: np.ndarray, what: str) -> Regression:
    """The regression in the features' own units."""
    if len(set(labels.tolist())) < 2:
        number = "none" if not labels.any() else "all"
        raise UserError(f"nothing can be learnt from the log: {number} of the {len(labels):,} {what}")
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1
    model = fit_logistic_regression((features - mean) / spread, labels, 2, C)
    weights = model.weight[:, 0] / spread
    return Regression(weights, float(model.bias[0] - mean @ weights))
