"""A picture of a translation: which tokens of its source a decoder looks at before it writes each of its own."""

from collections.abc import Sequence

import numpy as np

from minitransformer.inference.attention_maps import Look
from minitransformer.pictures.drawing import titled, under
from minitransformer.pictures.heat_map import heat_map, per_cent
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

MOST_HEADS = 12  # in the table of heads


def source_attention_picture(
    source: Sequence[str], target: Sequence[str], weights: np.ndarray, looks: Sequence[Look], chosen: Look | None = None
) -> Picture:
    """weights (L, A, T, M) of T target and M source tokens, and the looks of its heads, ranked.

    There is a map for each layer, the mean of its heads; or one of the chosen look's head.
    """
    finding, maps = layers(source, target, weights) if chosen is None else one_head(source, target, weights, chosen)
    tables = [
        Table(
            f"{name}, in hundredths: before a row's token is written, a column's gets",
            ["", *source],
            [[token, *map(per_cent, row)] for token, row in zip(target, of_map.tolist(), strict=True)],
        )
        for name, of_map in maps.items()
    ]
    return Picture(
        title=f"A translation: {' '.join(source)} to {' '.join(target)}",
        finding=finding,
        data={
            "source": list(source),
            "target": list(target),
            "weights": weights,
            "heads": [{**look._asdict(), "above": look.above} for look in looks],
        },
        tables=(heads_table(source, target, looks[:MOST_HEADS]), *tables),
        drawing=under([titled(name, heat_map(of_map, target, source)) for name, of_map in maps.items()]),
    )


def heads_table(source: Sequence[str], target: Sequence[str], looks: Sequence[Look]) -> Table:
    rows = [
        [str(look.layer), str(look.head), target[look.query], source[look.key]]
        + [f"{100 * share:.1f}" for share in (look.weight, look.others, look.above)]
        for look in looks
    ]
    caption = "Heads by how much more a row gives to what it looks at than the others do on average, in hundredths"
    return Table(caption, ["layer", "head", "before", "looks at", "gives", "others", "above"], rows)


def layers(source: Sequence[str], target: Sequence[str], weights: np.ndarray) -> tuple[str, dict[str, np.ndarray]]:
    """What is to be seen in the means of each layer's heads, and these."""
    means = weights.mean(axis=1)
    means_of_columns = means.mean(axis=1, keepdims=True)
    layer, t, m = np.unravel_index((means - means_of_columns).argmax(), means.shape)
    finding = (
        f"Before it writes “{target[t]}”, layer {layer} gives {100 * means[layer, t, m]:.0f} % of its attention to "
        f"“{source[m]}”, which gets {100 * means_of_columns[layer, 0, m]:.0f} % on average."
    )
    return finding, {f"Layer {number}, the mean of its heads": of_layer for number, of_layer in enumerate(means)}


def one_head(
    source: Sequence[str], target: Sequence[str], weights: np.ndarray, look: Look
) -> tuple[str, dict[str, np.ndarray]]:
    """What is to be seen in the look's head, and its weights."""
    finding = (
        f"Before it writes “{target[look.query]}”, layer {look.layer}, head {look.head} gives "
        f"{100 * look.weight:.0f} % of its attention to “{source[look.key]}”; before the other tokens, "
        f"{100 * look.others:.0f} % on average."
    )
    return finding, {f"Layer {look.layer}, head {look.head}": weights[look.layer, look.head]}
