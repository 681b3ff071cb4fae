"""New questions with their SQL, put together from pieces of those that are known.

    what is the largest state      ... MAX( STATE.AREA ) ...        so "largest" may be to MAX(
    what is the smallest state     ... MIN( STATE.AREA ) ...        what "smallest" is to MIN(
    what is the largest city in value0 ...                          then what is the smallest city in value0 ...?

Two questions that differ in one place, whose queries do so, too, show a pair of pieces that can be exchanged; another
question that has both pieces becomes a new one. Some of these are no English, or ask for something else than their SQL
says. (The idea of Andreas 2020, arXiv 1904.09545, "Good-Enough Compositional Data Augmentation".)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scripts.experiments.sql_values import Example

Words = tuple[str, ...]
LONGEST_OF_QUESTION, LONGEST_OF_SQL = 4, 6  # words of a piece
FEWEST_IN_COMMON = 2  # words that two questions share around the piece


def recombined(examples: Sequence[Example]) -> list[Example]:
    """What can be put together from the examples and isn't among them, without values: slots stay slots."""
    known = list(dict.fromkeys((tuple(example.source), tuple(example.target)) for example in examples))
    new: dict[tuple[Words, Words], None] = {}
    for (piece, sql_piece), (other, sql_other) in dict.fromkeys(_exchanges(known)):
        for source, target in known:
            sources, targets = _replaced(source, piece, other), _replaced(target, sql_piece, sql_other)
            if source != sources and target != targets:
                new[sources, targets] = None
    for pair in known:
        new.pop(pair, None)
    return [Example("", "", [*source], [*target], []) for source, target in new]


def _exchanges(known: Sequence[tuple[Words, Words]]) -> Iterator[tuple[tuple[Words, Words], tuple[Words, Words]]]:
    """(piece of a question, piece of its SQL), and the two that can stand in their place."""
    for i, (source, target) in enumerate(known):
        for other_source, other_target in known[:i]:
            first, second, common = _difference(source, other_source)
            if common < FEWEST_IN_COMMON or not _is_piece(first, second, LONGEST_OF_QUESTION):
                continue
            sql_first, sql_second, _ = _difference(target, other_target)
            if _is_piece(sql_first, sql_second, LONGEST_OF_SQL):
                yield (first, sql_first), (second, sql_second)
                yield (second, sql_second), (first, sql_first)


def _is_piece(first: Words, second: Words, longest: int) -> bool:
    has_slot = any(word.startswith("value") for word in first + second)
    return 0 < len(first) <= longest and 0 < len(second) <= longest and not has_slot


def _difference(first: Words, second: Words) -> tuple[Words, Words, int]:
    """What is left of both without the words that they begin and end with alike, and how many those are."""
    shorter = min(len(first), len(second))
    begin = next((i for i in range(shorter) if first[i] != second[i]), shorter)
    end = next((i for i in range(shorter - begin) if first[-1 - i] != second[-1 - i]), shorter - begin)
    return first[begin : len(first) - end], second[begin : len(second) - end], begin + end


def _replaced(words: Words, piece: Words, other: Words) -> Words:
    """The words with each piece replaced by the other one."""
    found: list[str] = []
    i = 0
    while i < len(words):
        if words[i : i + len(piece)] == piece:
            found += other
            i += len(piece)
        else:
            found.append(words[i])
            i += 1
    return tuple(found)
