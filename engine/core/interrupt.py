"""Progress and cancel within one step of a run, which may take minutes.

Whoever makes steps installs a `Progress` for its thread (`watched`), and long work within a step
calls `report` or `check`. Where nobody watches, both do nothing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine.core.ensemble import Progress

CALLS = 256
"""Calls of functions between two looks whether work that reports nothing should stop."""


class Interrupted(Exception):  # noqa: N818  no error: it was asked for
    """A step was stopped; the run is as it was before the step."""


@dataclass(slots=True)
class _Watch:
    """Who watches a thread's work, and what was reported last."""

    progress: Progress
    fraction: float = 0.0
    text: str = ""
    heeds: bool = True


class _Current(threading.local):
    watch: _Watch | None = None


_current = _Current()


@contextmanager
def watched(progress: Progress) -> Iterator[None]:
    """Report the work of the block, as far as it is done by this thread, to `progress`.

    Raises
    ------
    Interrupted
        Out of the work, once `progress` returned False.
    """
    before, _current.watch = _current.watch, _Watch(progress)
    try:
        yield
    finally:
        _current.watch = before


def is_watched() -> bool:
    """Return whether the work of this thread is reported, as it is within a step."""
    return _current.watch is not None


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Report the work of the block, but carry it to its end whatever the answer."""
    watch = _current.watch
    if watch is None:
        yield
        return
    before, watch.heeds = watch.heeds, False
    try:
        yield
    finally:
        watch.heeds = before


def report(fraction: float, text: str) -> None:
    """Report that a fraction (0 to 1) of the work that `text` names is done.

    Raises
    ------
    Interrupted
        If it should stop.
    """
    watch = _current.watch
    if watch is not None:
        watch.fraction, watch.text = fraction, text
        check()


def check() -> None:
    """Report that the work goes on; called every few milliseconds to every few tenths of a second.

    Raises
    ------
    Interrupted
        If it should stop.
    """
    watch = _current.watch
    if watch is not None and not watch.progress(watch.fraction, watch.text) and watch.heeds:
        raise Interrupted


@contextmanager
def breakable() -> Iterator[None]:
    """Make the block stoppable at any call of a Python function in it.

    For long work of a library that reports nothing, such as its reading of a text. Nothing may be
    imported in the block, for an import that is broken off leaves its module in parts.

    Raises
    ------
    Interrupted
        If it should stop.
    """
    if _current.watch is None:
        yield
        return
    calls = 0

    def count(frame: object, event: str, argument: object) -> Any:
        nonlocal calls
        calls += 1
        if calls % CALLS == 0:
            check()

    former = sys.gettrace()
    sys.settrace(count)
    try:
        yield
    finally:
        sys.settrace(former)
