"""A picture of the input: for each token the rows of the tables, their sum, and what the first layer gets."""

from collections.abc import Sequence

import numpy as np

from minitransformer.inference.input_sum import InputSum
from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import Drawing, beside, titled
from minitransformer.pictures.heat_map import heat_map
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

COLUMNS, CELL = 16, (8, 18)  # numbers of each row that are drawn, and their size


def input_picture(tokens: Sequence[str], parts: InputSum) -> Picture:
    """Each summand as a strip of colours, all in one scale; what the first layer gets has a scale of its own."""
    lengths = {summand.name: _length(summand.rows) for summand in parts.summands}
    means = {name: float(of_rows.mean()) for name, of_rows in lengths.items()}
    longest = max(means, key=means.__getitem__)
    others = " and ".join(f"{mean:.2f} for the {name}'s" for name, mean in means.items() if name != longest)
    return Picture(
        title=f"The input: {' '.join(tokens)}",
        finding=f"The {longest}'s row is the longest summand: {means[longest]:.2f} on average, beside {others}.",
        data={
            "tokens": list(tokens),
            "summands": {summand.name: {"ids": summand.ids, "rows": summand.rows} for summand in parts.summands},
            "sum": parts.total,
            "first_layer": parts.embedded,
        },
        tables=(lengths_table(tokens, parts),),
        drawing=input_drawing(tokens, parts, parts.total.shape[1]),
    )


def lengths_table(tokens: Sequence[str], parts: InputSum) -> Table:
    """For each token its ids, and how long each of the rows is."""
    header = ["token", *(f"{summand.name} id" for summand in parts.summands)]
    header += [f"|{name}|" for name in (*(summand.name for summand in parts.summands), "sum", "first layer")]
    rows = [*(summand.rows for summand in parts.summands), parts.total, parts.embedded]
    columns = [[str(i) for i in summand.ids] for summand in parts.summands]
    columns += [[f"{length:.3f}" for length in _length(of_part)] for of_part in rows]
    return Table(
        "The ids of each token, and the Euclidean lengths of its rows", header, [*zip(tokens, *columns, strict=True)]
    )


def input_drawing(tokens: Sequence[str], parts: InputSum, num_columns: int) -> Drawing:
    """The strips of parts whose rows have num_columns numbers, of which the first are there at least."""
    scale = _scale([summand.rows for summand in parts.summands])
    strips = []
    for number, (name, ids, rows) in enumerate(parts.summands):
        names = [f"{token} {i}" for token, i in zip(tokens, ids, strict=True)] if number == 0 else [str(i) for i in ids]
        strips.append(_strip(f"{'+ ' if number else ''}{name}", names, rows, scale))
    blank = [""] * len(tokens)
    strips.append(_strip("= sum", blank, parts.total, scale))
    if parts.embedded is not parts.total and not np.array_equal(parts.embedded, parts.total):
        strips.append(_strip("normalised", blank, parts.embedded, _scale(parts.embedded)))
    shown = f"The first {min(COLUMNS, num_columns)} of {num_columns} numbers"
    title = f"{shown}; blue is above 0, orange below, darkest from the largest hundredth on"
    return titled(title, beside(strips, gap=12))


def _strip(title: str, names: Sequence[str], rows: np.ndarray, scale: float) -> Drawing:
    return titled(title, heat_map(rows[:, :COLUMNS], names, [], lambda x: signed_colour(x / scale), None, CELL))


def _scale(rows: np.ndarray | list[np.ndarray]) -> float:
    """What has the full colour: all but a hundredth of the numbers are within it."""
    return float(np.quantile(np.abs(rows), 0.99)) or 1.0


def _length(rows: np.ndarray) -> np.ndarray:
    return np.linalg.norm(rows, axis=1)
