"""Attention in numbers: the heads that look at something of their own, and one head whole."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minitransformer.inference.attention_maps import AttentionMaps, Look
from minitransformer.pictures.heat_map import per_cent
from minitransformer.pictures.table import Table


class AttendedText(NamedTuple):
    tokens: Sequence[str]  # T
    maps: AttentionMaps


class Question(NamedTuple):
    """Which looks are ranked: those of the tokens at the places `queries`, at those at the places `keys`."""

    queries: np.ndarray
    keys: np.ndarray


def heads_table(texts: Sequence[AttendedText], looks: Sequence[Look]) -> Table:
    """A row for each look in the first text, in hundredths, with the same look in the other one."""
    tokens = texts[0].tokens
    numbers = ["gives", "others", "above"] + ["in the other text", "others", "above"] * (len(texts) - 1)
    rows = [
        [str(look.layer), str(look.head), tokens[look.query], tokens[look.key], *look_numbers(texts, look)]
        for look in looks
    ]
    caption = "Heads by how much more a token gives to what it looks at than the others do on average, in hundredths"
    return Table(caption, ["layer", "head", "token", "looks at", *numbers], rows)


def look_numbers(texts: Sequence[AttendedText], look: Look) -> list[str]:
    """In each of the texts: what the token gives, what the others give, and the difference, in hundredths."""
    looks = [text.maps.look(look.layer, look.head, look.query, look.key) for text in texts]
    return [f"{100 * share:.1f}" for same in looks for share in (same.weight, same.others, same.above)]


def head_table(text: AttendedText, look: Look) -> Table:
    """The look's head whole: row i is what token i gives, in hundredths; the last row is what each gets on average."""
    weights = text.maps.weights[look.layer, look.head]
    rows = [
        [token, *(per_cent(share) if seen else "" for share, seen in zip(row, can_see, strict=True))]
        for token, row, can_see in zip(text.tokens, weights.tolist(), text.maps.can_see, strict=True)
    ]
    means = weights.sum(axis=0) / text.maps.can_see.sum(axis=0)
    caption = f"Layer {look.layer}, head {look.head}, in hundredths: the token of a row gives to that of a column"
    return Table(caption, ["", *text.tokens], [*rows, ["mean", *map(per_cent, means.tolist())]])
