"""A picture of one layer: its matrices from x to y, and under each its gradient, where its value stood."""

from collections.abc import Sequence

import numpy as np

from minitransformer.inference.layer_steps import LayerStep
from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import Drawing, beside, titled, under
from minitransformer.pictures.heat_map import heat_map
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

COLUMNS, CELL = 16, (8, 18)  # numbers of a row of x that are drawn, of a wider row in proportion; and their size
IN_A_ROW = 4  # matrices


def layer_picture(
    tokens: Sequence[str], number: int, steps: Sequence[LayerStep], gradients_of: str | None = None
) -> Picture:
    """The steps of layer `number` on a text; if they have gradients, `gradients_of` says of what."""
    lengths = {step.name: _length(step.value) for step in steps}
    between = next(step.name for step in steps if step.name in ("x1", "x1 = x + attended"))
    header = ["step", "shape", "length of a row", *(["of its gradient"] if gradients_of else [])]
    rows = [
        [
            step.name,
            " × ".join(map(str, step.value.shape)),
            f"{lengths[step.name]:.3f}",
            *([] if step.gradient is None else [f"{_length(step.gradient):.2e}"]),
        ]
        for step in steps
    ]
    return Picture(
        title=f"Layer {number}: {' '.join(tokens)}",
        finding=f"What attention adds to x is {lengths['attended'] / lengths['x']:.0%} as long as x itself; what the "
        f"feed-forward network adds to x1, {lengths['transformed'] / lengths[between]:.0%} as long as x1."
        + (f" The gradients are those of {gradients_of}." if gradients_of else ""),
        data={"tokens": list(tokens), "layer": number, "steps": [step._asdict() for step in steps]},
        tables=(Table("The steps of the layer, and how long a row is on average", header, rows),),
        drawing=layer_drawing(tokens, steps),
    )


def layer_drawing(tokens: Sequence[str], steps: Sequence[LayerStep]) -> Drawing:
    """All matrices to one scale; of long rows only the first numbers."""
    size = steps[0].value.shape[1]
    rows = [steps[start : start + IN_A_ROW] for start in range(0, len(steps), IN_A_ROW)]
    drawn = [
        beside([_step(step, size, [""] * len(tokens) if number else tokens) for number, step in enumerate(row)])
        for row in rows
    ]
    shown = f"The first {COLUMNS} of {size} numbers, of wider rows in proportion" if size > COLUMNS else "All numbers"
    return titled(f"{shown}; blue is above 0, orange below, in the scale of each matrix", under(drawn))


def _step(step: LayerStep, size: int, names: Sequence[str]) -> Drawing:
    """The value, and under it its gradient if it has one."""
    num_columns = step.value.shape[1] if size <= COLUMNS else COLUMNS * step.value.shape[1] // size
    shape = " × ".join(map(str, step.value.shape))
    value = _matrix(f"{step.name}: {shape}", step.value[:, :num_columns], names)
    if step.gradient is None:
        return value
    return under([value, _matrix("its gradient", step.gradient[:, :num_columns], names)], gap=12)


def _matrix(title: str, values: np.ndarray, names: Sequence[str]) -> Drawing:
    scale = float(np.quantile(np.abs(values), 0.99)) or 1.0
    return titled(title, heat_map(values / scale, names, [], signed_colour, None, CELL))


def _length(rows: np.ndarray) -> float:
    return float(np.linalg.norm(rows, axis=1).mean())
