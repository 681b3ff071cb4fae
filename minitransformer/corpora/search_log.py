"""The log of a shop's search: after which query who did what with which product.

A table (corpora/columns.py) with a line for each event and the columns query, product_id (or id), user (or user_id) and
action (or event); of further columns, position (the place in the list of results, from 1) and time (such as
2026-11-26T09:30:00) are read if they are there. A position may be empty: not everything is done in a list of results.

    query<TAB>product_id<TAB>user<TAB>action<TAB>position
    orange<TAB>13176<TAB>u1<TAB>impression<TAB>2
    orange<TAB>13176<TAB>u1<TAB>add_to_cart<TAB>2
"""

import os
import warnings
from collections import Counter
from collections.abc import Collection, Sequence
from sys import intern
from typing import NamedTuple

from minitransformer.corpora.columns import place_of, read_rows
from minitransformer.corpora.dialects import Row
from minitransformer.errors import UserError

COLUMNS = {  # what a header may call them
    "query": ("query",),
    "product_id": ("product_id", "id"),
    "user": ("user", "user_id"),
    "action": ("action", "event"),
}
_MOST_NAMES = 5  # in a message


class Event(NamedTuple):
    """A line of a log. position is None and time is empty where the log doesn't say."""

    query: str
    product_id: str
    user: str
    action: str
    position: int | None = None
    time: str = ""


def read_search_log(path: str | os.PathLike[str], known: Collection[str] | None = None) -> list[Event]:
    """The events of a log, in its order, whose products are among the known ids; all of them without `known`.

    Warns of how many events are left out, and names the commonest of their products. Raises UserError if the log lacks
    a column or has no events, if no product is known, and, with the line, for an empty field or a wrong position.
    """
    events = events_of(path, *read_rows(path))
    return events if known is None else _of_known_products(path, events, known)


def events_of(path: str | os.PathLike[str], header: Sequence[str], rows: Sequence[Row]) -> list[Event]:
    """The events of a table that has been read, as read_search_log gives them."""
    places = [place_of(path, header, names) for names in COLUMNS.values()]
    position = header.index("position") if "position" in header else None
    time = header.index("time") if "time" in header else None
    events = []
    for line, values in rows:
        if empty := [header[place] for place in places if not values[place]]:
            raise UserError(f"{path}, line {line}: the field {empty[0]!r} is empty; fill it or delete the line")
        query, product_id, user, action = (intern(values[place]) for place in places)
        place = None if position is None else _position(f"{path}, line {line}", values[position])
        events.append(Event(query, product_id, user, action, place, "" if time is None else values[time]))
    return events


def _position(where: str, text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and int(text) > 0):
        raise UserError(f"{where}: the position {text!r} is not a whole number from 1 on; correct it or leave it empty")
    return int(text)


def _of_known_products(path: str | os.PathLike[str], events: list[Event], known: Collection[str]) -> list[Event]:
    unknown = Counter(event.product_id for event in events if event.product_id not in known)
    if not unknown:
        return events
    names = ", ".join(repr(name[:40]) for name, _ in unknown.most_common(_MOST_NAMES))
    more = f" and {len(unknown) - _MOST_NAMES:,} more" if len(unknown) > _MOST_NAMES else ""
    if unknown.total() == len(events):
        raise UserError(f"{path}: none of its products is among the {len(known):,} known ones, neither {names}{more}")
    left_out = f"{unknown.total():,} of {len(events):,} events are left out, since their products are unknown"
    warnings.warn(f"{path}: {left_out}: {names}{more}", stacklevel=3)
    return [event for event in events if event.product_id in known]
