"""A picture of attention: which heads look at something of their own, and one of them as a map of who looks at whom."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitransformer.inference.attention_maps import Look
from minitransformer.pictures.attention_page import attention_page
from minitransformer.pictures.attention_tables import AttendedText, Question, head_table, heads_table
from minitransformer.pictures.drawing import Drawing, beside, titled
from minitransformer.pictures.heat_map import heat_map
from minitransformer.pictures.picture import Picture

MOST_HEADS = 12  # in the table of heads
MOST_COLUMNS = 24  # of a head's table: of a longer text it is in the drawing and on the page alone


def attention_picture(texts: Sequence[AttendedText], question: Question, chosen: Look) -> Picture:
    """The heads ranked by how far their best look is above what the other tokens give, and the chosen look's head.

    texts is one, or two of as many tokens: the heads are those of the first, and the second is shown beside it.
    """
    looks = texts[0].maps.best_looks(*question)
    heads = heads_table(texts, looks[:MOST_HEADS])
    shown_whole = texts if len(texts[0].tokens) <= MOST_COLUMNS else []
    maps = [titled(" ".join(text.tokens), _heat_map(text, chosen)) for text in texts]
    return Picture(
        title=f"Attention: {' '.join(texts[0].tokens)}",
        finding=finding(texts, chosen),
        data=data_of(texts, looks),
        tables=(heads, *(head_table(text, chosen) for text in shown_whole)),
        drawing=beside(maps),
        contents=attention_page(texts, heads, question, chosen),
        script="attention.js",
    )


def finding(texts: Sequence[AttendedText], look: Look) -> str:
    """What the look gives, and the others, in each of the texts."""
    tokens, shares = texts[0].tokens, f"{_share(look.weight)} of its attention"
    sentence = (
        f"In layer {look.layer}, head {look.head}, “{tokens[look.query]}” gives {shares} to “{tokens[look.key]}”, "
        f"to which the other tokens give {_share(look.others)} on average."
    )
    for other in texts[1:]:
        same = other.maps.look(look.layer, look.head, look.query, look.key)
        changed = [f"“{new}” for “{old}”" for old, new in zip(tokens, other.tokens, strict=True) if old != new]
        words = ", ".join(changed) or "the same words"
        sentence += f" With {words} it is {_share(same.weight)}, and the others give {_share(same.others)}."
    return sentence


def data_of(texts: Sequence[AttendedText], looks: Sequence[Look]) -> dict[str, Any]:
    of_texts = [{"tokens": text.tokens, "weights": text.maps.weights} for text in texts]
    heads = [{**look._asdict(), "above": look.above} for look in looks]
    return {**of_texts[0], **({"against": of_texts[1]} if len(texts) > 1 else {}), "heads": heads}


def _heat_map(text: AttendedText, look: Look) -> Drawing:
    seen = np.where(text.maps.can_see, text.maps.weights[look.layer, look.head], np.nan)
    return heat_map(seen, text.tokens, text.tokens)


def _share(share: float) -> str:
    return f"{100 * share:.0f} %"
