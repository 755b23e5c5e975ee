"""A slot for the latest value: the writer never waits, the reader never sees an old one."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most one value, overwritten by every `put` and emptied by `take`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._value: T | None = None

    def put(self, value: T) -> None:
        """Leave a value, in place of one not yet taken."""
        with self._lock:
            self._value = value

    def take(self) -> T | None:
        """Remove and return the value, or None if there is no new one."""
        with self._lock:
            value, self._value = self._value, None
            return value

    @property
    def is_empty(self) -> bool:
        """Whether the last value was taken."""
        return self._value is None
