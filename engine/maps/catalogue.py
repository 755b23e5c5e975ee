"""The kinds of maps there are, each imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from engine.core.errors import InputError
from engine.maps.kind import Kind
from engine.maps.spec import KindId


def _orbit() -> Kind:
    from engine.maps.kinds.orbit import Orbit

    return Orbit()


def _basin() -> Kind:
    from engine.maps.kinds.basin import Basin

    return Basin()


def _stability() -> Kind:
    from engine.maps.kinds.stability import Stability

    return Stability()


def _trainability() -> Kind:
    from engine.maps.kinds.trainability import Trainability

    return Trainability()


KINDS: Mapping[KindId, Callable[[], Kind]] = {
    "orbit": _orbit,
    "basin": _basin,
    "stability": _stability,
    "trainability": _trainability,
}
"""What imports and makes each kind, in the order in which they are listed."""


@cache
def _made(factory: Callable[[], Kind]) -> Kind:
    return factory()


def kind(kind_id: str) -> Kind:
    """Return a kind of map by its id.

    Raises
    ------
    InputError
        If there is none of that id; the sentence lists those that there are.
    """
    for known, factory in KINDS.items():
        if known == kind_id:
            return _made(factory)
    raise InputError("map", kind_id, f"give one of {', '.join(KINDS)}")


def offered(experiment: str, params: Any, seed: int = 0) -> Iterator[Kind]:
    """Yield the kinds of map that an experiment has at some parameters."""
    for known in KINDS:
        each = kind(known)
        if each.offer(experiment, params, seed) is not None:
            yield each
