"""Something loaded from the index that is loaded anew once the index has changed."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """What `load` gave for the version that was asked for last. Threads that come meanwhile wait for it."""

    def __init__(self, load: Callable[[], Value]) -> None:
        self._load, self._lock = load, threading.Lock()
        self._kept: tuple[int, Value] | None = None

    def get(self, version: int) -> Value:
        kept = self._kept
        if kept is None or kept[0] != version:
            with self._lock:
                kept = self._kept
                if kept is None or kept[0] != version:
                    kept = self._kept = (version, self._load())
        return kept[1]
