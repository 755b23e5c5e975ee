"""Caches of what takes long: measurements of a state while it lives, and analyses by key.

A state holds what a run goes on from and nothing else, so that equal states are equal and a copy
measures anew. What takes long to measure and is asked for by several pictures and claims is kept
here, by the identity of the state: entries die with it.

What is computed in the background of a whole problem (equilibria, normal forms) outlives a state.
An experiment names by `AbstractExperiment.analysis_key` what its analysis depends on, and makes it
with `analyse`; the engine does so once a key, and keeps it here. `theory`, `claims` and `observe`
look it up with `recall`, and say so where it is not there yet.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar, cast

T = TypeVar("T")

MOST_KEPT = 32
"""Analyses that are kept; the one that was not asked for the longest goes first."""


class _Entry:
    """What is known of one state."""

    __slots__ = ("lock", "ref", "values")

    def __init__(self, state: object) -> None:
        self.ref = weakref.ref(state, partial(_forget, id(state)))
        self.lock = threading.RLock()  # one quantity may be made of another
        self.values: dict[Hashable, Any] = {}


_entries: dict[int, _Entry] = {}
_lock = threading.RLock()  # the collector may call `_forget` at any time, on any thread


def once(state: object, key: Hashable, compute: Callable[[], T]) -> T:
    """Compute a quantity of a state unless that was done before, and return it.

    Threads that ask for quantities of the same state wait for one another, so that each quantity is
    computed once; those of different states do not.

    Parameters
    ----------
    state : object
        Frozen, and able to be referred to weakly.
    key : hashable
        Name of the quantity among those of the state.
    compute : callable
        Returns the quantity, which must not refer to the state: it would never die.
    """
    entry = _entry_of(state)
    with entry.lock:
        if key not in entry.values:
            entry.values[key] = compute()
        return cast("T", entry.values[key])


def count() -> int:
    """Count the states of which something is kept."""
    return len(_entries)


def _entry_of(state: object) -> _Entry:
    with _lock:
        entry = _entries.get(id(state))
        if entry is None or entry.ref() is not state:
            entry = _entries[id(state)] = _Entry(state)
        return entry


def _forget(number: int, ref: weakref.ref[object]) -> None:
    with _lock:
        entry = _entries.get(number)
        if entry is not None and entry.ref is ref:
            del _entries[number]


class Analysis:
    """Base of what `analyse` returns; subclasses are frozen dataclasses."""


_analyses: OrderedDict[Hashable, Analysis] = OrderedDict()
_analyses_lock = threading.Lock()
_writes = 0


def keep(key: Hashable, analysis: Analysis) -> None:
    """Keep the analysis of a key."""
    global _writes
    with _analyses_lock:
        _writes += 1
        _analyses[key] = analysis
        _analyses.move_to_end(key)
        while len(_analyses) > MOST_KEPT:
            _analyses.popitem(last=False)


def writes() -> int:
    """Return the number of times that an analysis, or a part of one, was kept."""
    return _writes


def recall(key: Hashable) -> Analysis | None:
    """Return the analysis of a key, None if there is none (yet)."""
    with _analyses_lock:
        if key in _analyses:
            _analyses.move_to_end(key)
        return _analyses.get(key)


def forget() -> None:
    """Drop everything that is kept."""
    with _analyses_lock:
        _analyses.clear()
