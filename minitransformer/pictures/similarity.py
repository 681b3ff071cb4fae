"""Pictures of similarity: texts by texts, and what each pair of tokens contributes to a cosine."""

from collections.abc import Callable, Sequence

import numpy as np

from minitransformer.inference.explanation import SimilarityExplanation
from minitransformer.pictures.colours import signed_colour
from minitransformer.pictures.drawing import Drawing
from minitransformer.pictures.heat_map import heat_map
from minitransformer.pictures.picture import Picture
from minitransformer.pictures.table import Table

WIDE_CELL = (38, 26)
LONGEST_NAME = 48  # letters of a text beside its row


def similarity_picture(texts: Sequence[str], similarities: np.ndarray) -> Picture:
    """similarities (S, S) of at least two texts, and which two of them are closest and furthest apart."""
    numbers = [str(number) for number in range(1, len(texts) + 1)]
    first, second = np.triu_indices(len(texts), 1)
    of_pairs = similarities[first, second]
    (low, high), values = (of_pairs.argmin(), of_pairs.argmax()), similarities.tolist()
    finding = f"The most similar are “{texts[first[high]]}” and “{texts[second[high]]}”, with {of_pairs[high]:.2f}"
    if len(texts) > 2:
        finding += f"; the least, “{texts[first[low]]}” and “{texts[second[low]]}”, with {of_pairs[low]:.2f}"
    rows = [
        [number, *(f"{value:.4f}" for value in row), text]
        for number, row, text in zip(numbers, values, texts, strict=True)
    ]
    names = [
        f"{text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + '…'} {n}"
        for n, text in zip(numbers, texts, strict=True)
    ]
    return Picture(
        title=f"How similar {len(texts)} texts are",
        finding=f"{finding}.",
        data={"texts": list(texts), "similarities": similarities},
        tables=(Table("The similarity of each text to each", ["", *numbers, "text"], rows),),
        drawing=_signed_map(similarities, names, numbers, "{:.2f}".format),
    )


def explanation_picture(explanation: SimilarityExplanation) -> Picture:
    """The cosine as the sum of what the pairs of tokens contribute, in hundredths."""
    first, second, parts = explanation.first_tokens, explanation.second_tokens, 100 * explanation.contributions
    i, j = np.unravel_index(parts.argmax(), parts.shape)
    sums = [*(f"{column.sum():.1f}" for column in parts.T), f"{parts.sum():.1f}"]
    rows = [[token, *(f"{x:.1f}" for x in row), f"{row.sum():.1f}"] for token, row in zip(first, parts, strict=True)]
    finding = (
        f"The cosine is {explanation.cosine:.4f}, the sum of {parts.size} parts; the largest, of “{first[i]}” and "
        f"“{second[j]}”, is {parts[i, j] / 100:.4f}."
    )
    return Picture(
        title=f"What a cosine consists of: {' '.join(first)} and {' '.join(second)}",
        finding=finding,
        data={"cosine": explanation.cosine, **explanation._asdict()},
        tables=(Table("In hundredths, for each pair of tokens", ["", *second, "sum"], [*rows, ["sum", *sums]]),),
        drawing=_signed_map(parts, first, second, "{:.1f}".format),
    )


def _signed_map(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], text: Callable[[float], str]
) -> Drawing:
    """Colours from the value that is furthest from 0."""
    largest = float(np.abs(values).max()) or 1.0
    return heat_map(values, rows, columns, lambda value: signed_colour(value / largest), text, WIDE_CELL)
