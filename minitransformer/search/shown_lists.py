"""Lists of suggestions that somebody saw, and what they picked.

Best is a table of what the shop showed, with a line for each list: what had been typed, the suggestions from above with
| between them, and the one that was picked, if any was.

    prefix<TAB>shown<TAB>picked
    mac<TAB>macaroni|mac and cheese|macadamia nuts<TAB>mac and cheese
    mac<TAB>macaroni|mac and cheese|macadamia nuts<TAB>

Without one, the searches of a log are typed anew: each up to some letter, chosen at random, and of the list that would
have been there, its query is picked. Then nobody skips what they want, so it flatters the list.
"""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from minitransformer.corpora.columns import place_of, read_rows
from minitransformer.errors import UserError
from minitransformer.randomness import generator
from minitransformer.search.completions import typed_prefix
from minitransformer.search.terms import normalise_text


class ShownList(NamedTuple):
    """picked is None if nothing was."""

    prefix: str
    shown: tuple[str, ...]
    picked: str | None


def read_shown_lists(path: str | os.PathLike[str]) -> list[ShownList]:
    """The lists of a table. Raises UserError, with the line, if a picked one wasn't shown, or nothing was shown."""
    header, rows = read_rows(path)
    prefix, shown, picked = (place_of(path, header, (name,)) for name in ("prefix", "shown", "picked"))
    lists = []
    for line, values in rows:
        texts = tuple(normalise_text(text) for text in values[shown].split("|") if text.strip())
        chosen = normalise_text(values[picked]) or None
        if not texts:
            raise UserError(f"{path}, line {line}: no suggestions were shown; expected texts with | between them")
        if chosen is not None and chosen not in texts:
            raise UserError(f"{path}, line {line}: {chosen!r} was picked, but isn't among those that were shown")
        lists.append(ShownList(typed_prefix(values[prefix]), texts, chosen))
    return lists


def typed_lists(queries: Sequence[str], suggest: Callable[[str], Sequence[str]], seed: int) -> list[ShownList]:
    """A list for each query, each after a random number of its letters; those with nothing to show are left out."""
    rng = generator(seed, "typed lists")
    lists = []
    for query in queries:
        prefix = query[: rng.integers(1, len(query) + 1)]
        if shown := tuple(suggest(prefix)):
            lists.append(ShownList(prefix, shown, query if query in shown else None))
    return lists
