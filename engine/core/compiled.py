"""Whether kernels may be compiled now, or interpreted, or only taken from where they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum


class Compiling(Enum):
    """What is done about a kernel that is called and not compiled yet."""

    AS_NEEDED = "compile it, or interpret it a few times where that gives the same bits"
    ALWAYS = "compile it"
    NEVER = "raise NotCompiled"


class NotCompiled(Exception):  # noqa: N818  a signal as StopIteration is, not a fault
    """A kernel is needed that is not compiled."""


_compiling: ContextVar[Compiling] = ContextVar("_compiling", default=Compiling.AS_NEEDED)


def compiling() -> Compiling:
    """Return what is done about kernels here."""
    return _compiling.get()


@contextmanager
def compile_kernels(how: Compiling) -> Iterator[None]:
    """Do this about kernels within the context."""
    token = _compiling.set(how)
    try:
        yield
    finally:
        _compiling.reset(token)


_observers: list[Callable[[str], None]] = []


def observe_compiling(observer: Callable[[str], None]) -> None:
    """Call a function with the name of every kernel that is compiled from now on."""
    _observers.append(observer)


def report_compiled(name: str) -> None:
    """Notify the observers that a kernel was compiled."""
    for observer in _observers:
        observer(name)
