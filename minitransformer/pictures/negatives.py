"""A picture of in-batch negatives: the scores of a batch, and how much each wrong pair counts."""

from collections.abc import Sequence

import numpy as np

from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import beside, titled
from minitransformer.pictures.heat_map import heat_map
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

LONGEST_NAME = 28  # letters of a text beside its row
WIDE_CELL = (34, 24)


def negatives_picture(
    firsts: Sequence[str], seconds: Sequence[str], scores: np.ndarray, weights: np.ndarray, equal: np.ndarray
) -> Picture:
    """scores (S, S) of S pairs, and two ways to weigh the wrong ones, (S, S) each."""
    wrong = np.where(np.eye(len(scores), dtype=bool), -np.inf, scores)
    hardest = wrong.argmax(axis=1)
    i = int((wrong.max(axis=1) - scores.diagonal()).argmax())
    j = hardest[i]
    rows = [
        [first, second, f"{scores[n, n]:.3f}", seconds[m], f"{scores[n, m]:.3f}", f"{100 * weights[n, m]:.1f}"]
        for n, (first, second, m) in enumerate(zip(firsts, seconds, hardest, strict=True))
    ]
    header = ["first text", "right", "score", "hardest wrong one", "score", "its weight"]
    numbers = [str(number) for number in range(1, len(firsts) + 1)]
    names = [f"{_short(text)} {number}" for text, number in zip(firsts, numbers, strict=True)]
    scale = float(np.abs(scores).max()) or 1.0
    maps = [
        titled(
            "scores", heat_map(scores, names, numbers, lambda x: signed_colour(x / scale), "{:.2f}".format, WIDE_CELL)
        ),
        titled("weights, all wrong ones alike", heat_map(equal, numbers, numbers)),
        titled("weights, the harder the more", heat_map(weights, numbers, numbers)),
    ]
    return Picture(
        title=f"{len(firsts)} pairs, and each against the others",
        finding=f"The hardest wrong one is “{seconds[j]}” for “{firsts[i]}”, with {scores[i, j]:.2f} beside "
        f"{scores[i, i]:.2f} of the right one: of the row's weight it has {weights[i, j]:.0%}, not {equal[i, j]:.0%}.",
        data={"firsts": [*firsts], "seconds": [*seconds], "scores": scores, "weights": weights, "equal": equal},
        tables=(Table("The hardest wrong one of each pair; weights in hundredths", header, rows),),
        drawing=beside(maps),
    )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"
