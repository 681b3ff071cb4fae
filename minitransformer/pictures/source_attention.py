"""A picture of a translation: which tokens of its source a decoder looks at before it writes each of its own."""

from collections.abc import Sequence

import numpy as np

from minitransformer.pictures.drawing import titled, under
from minitransformer.pictures.heat_map import heat_map, per_cent
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table


def source_attention_picture(source: Sequence[str], target: Sequence[str], weights: np.ndarray) -> Picture:
    """weights (L, A, T, M) of T target and M source tokens; a map for each layer, the mean of its heads."""
    means = weights.mean(axis=1)
    means_of_columns = means.mean(axis=1, keepdims=True)
    layer, t, m = np.unravel_index((means - means_of_columns).argmax(), means.shape)
    finding = (
        f"Before it writes “{target[t]}”, layer {layer} gives {100 * means[layer, t, m]:.0f} % of its attention to "
        f"“{source[m]}”, which gets {100 * means_of_columns[layer, 0, m]:.0f} % on average."
    )
    tables = [
        Table(
            f"Layer {number}, the mean of its heads in hundredths: before a row's token is written, a column's gets",
            ["", *source],
            [[token, *map(per_cent, row)] for token, row in zip(target, of_layer.tolist(), strict=True)],
        )
        for number, of_layer in enumerate(means)
    ]
    maps = [titled(f"layer {number}", heat_map(of_layer, target, source)) for number, of_layer in enumerate(means)]
    return Picture(
        title=f"A translation: {' '.join(source)} to {' '.join(target)}",
        finding=finding,
        data={"source": list(source), "target": list(target), "weights": weights},
        tables=tuple(tables),
        drawing=under(maps),
    )
