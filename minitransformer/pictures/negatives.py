"""A picture of in-batch negatives: the similarities of a batch, and how much each wrong pair counts."""

from collections.abc import Sequence

import numpy as np

from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import Drawing, beside, titled
from minitransformer.pictures.heat_map import heat_map
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

LONGEST_NAME = 28  # letters of a text beside its row
WIDE_CELL = (34, 24)


def negatives_picture(
    firsts: Sequence[str],
    seconds: Sequence[str],
    similarities: np.ndarray,
    negatives: np.ndarray,
    weights: np.ndarray,
    kind: str,
) -> Picture:
    """similarities (S, S) of S pairs, which are wrong, and their weights of this kind, (S, S) each."""
    wrong = np.where(negatives, similarities, -np.inf)
    hardest = wrong.argmax(axis=1)
    i = int((wrong.max(axis=1) - similarities.diagonal()).argmax())
    j = hardest[i]
    rows = [
        [firsts[n], seconds[n], f"{similarities[n, n]:.3f}"]
        + [seconds[m], f"{similarities[n, m]:.3f}", f"{weights[n, m]:.2f}"]
        for n, m in enumerate(hardest)
        if negatives[n].any()
    ]
    header = ["first text", "right", "similarity", "hardest wrong one", "similarity", "its weight"]
    equal = negatives.astype(float)
    return Picture(
        title=f"{len(firsts)} pairs, and each against the others",
        finding=f"The hardest wrong one is “{seconds[j]}” for “{firsts[i]}”, with {similarities[i, j]:.2f} beside "
        f"{similarities[i, i]:.2f} of the right one: it counts {weights[i, j]:.2f}, where all alike would count 1.",
        data={
            "firsts": [*firsts],
            "seconds": [*seconds],
            "similarities": similarities,
            "weights": weights,
            "equal": equal,
            "kind": kind,
        },
        tables=(Table("The hardest wrong one of each pair", header, rows),),
        drawing=negatives_drawing(firsts, similarities, equal, weights, kind),
    )


def negatives_drawing(
    firsts: Sequence[str], similarities: np.ndarray, equal: np.ndarray, weights: np.ndarray, kind: str
) -> Drawing:
    """The three maps of a batch, one beside the other; the columns are the pairs' second texts."""
    numbers = [str(number) for number in range(1, len(firsts) + 1)]
    names = [f"{_short(text)} {number}" for text, number in zip(firsts, numbers, strict=True)]
    return beside(
        [
            titled("similarities", _map(similarities, names, numbers)),
            titled("weights, all wrong ones alike", _map(equal, numbers, numbers)),
            titled(f"weights, {kind}", _map(weights, numbers, numbers)),
        ]
    )


def _map(values: np.ndarray, rows: Sequence[str], columns: Sequence[str]) -> Drawing:
    scale = float(np.abs(values).max()) or 1.0
    return heat_map(values, rows, columns, lambda x: signed_colour(x / scale), "{:.2f}".format, WIDE_CELL)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"
