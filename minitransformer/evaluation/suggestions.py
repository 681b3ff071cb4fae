"""How good suggestions are: how soon does what somebody types appear among them?

Each query is typed letter by letter. After each letter its rank among the suggestions counts:

    MRR@k             the mean of 1 / rank after each letter, 0 if it isn't among the first k
    success@k         the share of searches that are among the first k after 1, 2 and 3 letters
    keystrokes saved  the share of all letters that needn't be typed, if one picks the query as soon as it is there

A query that is searched for twice as often counts twice. People don't look at each suggestion after each letter, so the
last number is the most that can be saved.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

AT = 10
LETTERS = (1, 2, 3)  # after which success is asked for

Suggest = Callable[[str], Sequence[str]]  # what was typed: the suggested texts, the best first


class SuggestionScores(NamedTuple):
    mean_reciprocal_rank: float
    success: tuple[float, ...]  # for each of LETTERS
    keystrokes_saved: float
    never_suggested: float  # the share of searches


def score_suggestions(suggest: Suggest, counts: Mapping[str, int]) -> SuggestionScores:
    """The scores for queries and how often each is searched for."""
    lists: dict[str, Sequence[str]] = {}

    def reciprocal_rank(query: str, length: int) -> float:
        typed = query[:length]
        if typed not in lists:
            lists[typed] = suggest(typed)[:AT]
        return 1 / (1 + lists[typed].index(query)) if query in lists[typed] else 0.0

    ranks = {query: [reciprocal_rank(query, n) for n in range(1, len(query) + 1)] for query in counts}
    searches = np.array([*counts.values()], float)
    letters = searches * [len(query) for query in counts]
    typed = [next((n for n, rank in enumerate(of_query, 1) if rank), len(of_query)) for of_query in ranks.values()]

    def share(found: Sequence[bool]) -> float:
        return float(np.average(found, weights=searches))

    return SuggestionScores(
        mean_reciprocal_rank=float(np.average([np.mean(of_query) for of_query in ranks.values()], weights=letters)),
        success=tuple(share([of_query[min(n, len(of_query)) - 1] > 0 for of_query in ranks.values()]) for n in LETTERS),
        keystrokes_saved=1 - float((searches * typed).sum() / letters.sum()),
        never_suggested=share([not any(of_query) for of_query in ranks.values()]),
    )
