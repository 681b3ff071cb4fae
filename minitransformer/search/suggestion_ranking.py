"""In which order suggestions are shown, learnt from what people picked and from what came of their searches.

    p(cart | typed, text) = p(picked | typed, text) p(cart | text)

Each factor is a logistic regression (training/suggestion_ranking.py fits them). The first asks, of a text in a list,

    popularity    log of its share of the popularity of those that match
    begins        whether it begins with what was typed, or only has a word that does
    corrected     whether what was typed had to be corrected for it
    picked        how often it was picked where it was shown
    skipped       how often one below it was picked instead

and the second, of a text alone,

    converted     how many of those who searched for it put something into the cart
    added         how many products each of them put there
    finds_few     whether fewer than FEW products have all its words

(The features are Instacart's, but for a product's picture.) Rates are logarithms, relative to the mean of all texts,
and PRIOR lists or searches of mean success are added to each: so a text that nobody knows yet is an average one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from minitransformer.errors import UserError
from minitransformer.files import read_json_object, replace_all
from minitransformer.search.shown_lists import ShownList

RANKING_FILE = "suggestions.json"
FORMAT = 1
PICKING = ("popularity", "begins", "corrected", "picked", "skipped")
BUYING = ("converted", "added", "finds_few")
PRIOR = 20.0
FEW = 5
LEAST = 1e-9  # popularity: a query may have been counted 0 times

Flags = Sequence[bool] | np.ndarray


class TextCounts(NamedTuple):
    """What is known of a text.

    shown, picked, skipped       lists that had it; those in which it was picked; those in which one below it was
    searches, converted, added   people who searched for it; those who put something into the cart; products put there
    finds_few                    1 if fewer than FEW products have all its words
    """

    shown: int = 0
    picked: int = 0
    skipped: int = 0
    searches: int = 0
    converted: int = 0
    added: int = 0
    finds_few: int = 0


class Regression(NamedTuple):
    """Of a factor: weights (k,) of its features, and a bias."""

    weights: np.ndarray
    bias: float

    def log_probability(self, features: np.ndarray) -> np.ndarray:
        """log p (n,) of features (n, k)."""
        return -np.logaddexp(0, -(features @ self.weights + self.bias))


class SuggestionRanking(NamedTuple):
    """What was learnt from a log."""

    picking: Regression
    buying: Regression
    counts: Mapping[str, TextCounts]

    def write(self, folder: Path) -> None:
        content = {
            "format": FORMAT,
            "picking": dict(zip((*PICKING, "bias"), [*self.picking.weights.tolist(), self.picking.bias], strict=True)),
            "buying": dict(zip((*BUYING, "bias"), [*self.buying.weights.tolist(), self.buying.bias], strict=True)),
            "counts": self.counts,
        }
        replace_all(folder, {RANKING_FILE: json.dumps(content, ensure_ascii=False)})

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """That of an index, or None if it has none. Raises UserError if the file isn't what write wrote."""
        file = folder / RANKING_FILE
        if not file.exists():
            return None
        content = read_json_object(file)
        try:
            if content["format"] != FORMAT:
                raise ValueError(f"its format is {content['format']!r}")
            picking, buying = (
                Regression(np.array([float(content[factor][name]) for name in names]), float(content[factor]["bias"]))
                for factor, names in (("picking", PICKING), ("buying", BUYING))
            )
            counts = {text: TextCounts._make(map(int, numbers)) for text, numbers in content["counts"].items()}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            broken = f"{file} isn't what train-suggest of this version writes ({error})"
            raise UserError(f"{broken}; delete it, or train again") from None
        return cls(picking, buying, counts)


class RankedTexts:
    """The texts (n,) that an index suggests, with what was learnt of each."""

    def __init__(self, ranking: SuggestionRanking, texts: Sequence[str], popularity: Sequence[float]) -> None:
        counts = count_rows(ranking.counts, texts)
        self._picking, self._popularity = ranking.picking, np.asarray(popularity, float)
        self._picked = picking_rates(counts)
        self._log_buying = ranking.buying.log_probability(buying_features(counts))

    def log_probabilities(self, places: Sequence[int], begins: Flags, corrected: Flags) -> np.ndarray:
        """log p(cart | typed, text) (m,) of the texts at these places in one list (m,)."""
        features = picking_features(self._popularity[[*places]], begins, corrected, self._picked[[*places]])
        return self._picking.log_probability(features) + self._log_buying[[*places]]


def count_rows(counts: Mapping[str, TextCounts], texts: Sequence[str]) -> np.ndarray:
    """(n, len(TextCounts._fields)): zeros for a text of which nothing is known."""
    return np.array([counts.get(text, TextCounts()) for text in texts], float).reshape(-1, len(TextCounts._fields))


def picking_features(popularity: np.ndarray, begins: Flags, corrected: Flags, rates: np.ndarray) -> np.ndarray:
    """(m, len(PICKING)) of the texts (m,) of one list, with their picking_rates (m, 2)."""
    popularity = np.maximum(popularity, LEAST)
    share = np.log(popularity / popularity.sum())
    return np.column_stack([share, np.asarray(begins, float), np.asarray(corrected, float), rates])


def picking_rates(counts: np.ndarray) -> np.ndarray:
    """(n, 2) picked and skipped, of counts (n, 7)."""
    shown, picked, skipped, *_ = counts.T
    return np.column_stack([relative_log_rate(picked, shown), relative_log_rate(skipped, shown)])


def buying_features(counts: np.ndarray) -> np.ndarray:
    """(n, len(BUYING)) of counts (n, 7)."""
    *_, searches, converted, added, finds_few = counts.T
    return np.column_stack([relative_log_rate(converted, searches), relative_log_rate(added, searches), finds_few])


def relative_log_rate(hits: np.ndarray, trials: np.ndarray) -> np.ndarray:
    """(n,) log of (hits + PRIOR mean) / (trials + PRIOR), less that of the mean over all.

    >>> print(relative_log_rate(np.array([0, 30, 0]), np.array([0, 40, 20])))  # the mean is 1/2
    [ 0.         0.28768207 -0.69314718]
    """
    mean = max(hits.sum(), 1) / max(trials.sum(), 1)
    return np.log((hits + PRIOR * mean) / (trials + PRIOR) / mean)


def count_lists(lists: Sequence[ShownList], counts: Mapping[str, TextCounts]) -> dict[str, TextCounts]:
    """The counts, with these lists added to them."""
    found = dict(counts)
    for shown in lists:
        place = shown.shown.index(shown.picked) if shown.picked is not None else -1
        for rank, text in enumerate(shown.shown):
            of = found.get(text, TextCounts())
            skipped, picked = of.skipped + (rank < place), of.picked + (rank == place)
            found[text] = of._replace(shown=of.shown + 1, picked=picked, skipped=skipped)
    return found
