"""The registry of experiments: what there is, and how each one is loaded.

A package with an experiment registers it; `engine.experiments` does so for those of the program. A
window lists what is registered before anything of an experiment is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from engine.core.errors import InputError
from engine.core.listing import Listing

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment

    Experiment = AbstractExperiment[Any, Any]


class Listed(Protocol):
    """An item of a list of experiments: an `Entry`, or an experiment that is loaded already."""

    @property
    def id(self) -> str:
        """Public id, in kebab-case."""
        ...

    @property
    def title(self) -> str:
        """Name in the list."""
        ...

    @property
    def listing(self) -> Listing:
        """Texts and window policy."""
        ...

    def load(self) -> Experiment:
        """Return the experiment itself."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A registered experiment.

    Attributes
    ----------
    listing : Listing
        Texts and window policy.
    factory : callable
        Imports and makes the experiment; called once, when it is first asked for.
    """

    listing: Listing
    factory: Callable[[], Experiment]

    @property
    def id(self) -> str:
        """Public id, in kebab-case."""
        return self.listing.id

    @property
    def title(self) -> str:
        """Name in the list."""
        return self.listing.title

    def load(self) -> Experiment:
        """Return the experiment itself."""
        return _loaded(self.factory)


@cache
def _loaded(factory: Callable[[], Experiment]) -> Experiment:
    return factory()


_entries: dict[str, Entry] = {}


def register(listing: Listing, factory: Callable[[], Experiment]) -> Entry:
    """Add an experiment to the registry, in place of an older one with its id.

    Parameters
    ----------
    listing : Listing
        Texts and window policy; its id is the experiment's.
    factory : callable
        Imports and makes the experiment, so that registering imports none.
    """
    entry = Entry(listing, factory)
    _entries[listing.id] = entry
    return entry


def entries() -> tuple[Entry, ...]:
    """Return what is registered, in the order of registration."""
    return tuple(_entries.values())


def opened_first(listed: Sequence[Listed]) -> Listed | None:
    """Return the item that a window opens when nothing is remembered; None of an empty list."""
    marked = (item for item in listed if item.listing.opens_first)
    return next(marked, listed[0] if listed else None)


def get(experiment_id: str) -> Experiment:
    """Load an experiment by its public id.

    Raises
    ------
    InputError
        If none of that id is registered; the sentence lists those that are.
    """
    if isinstance(experiment_id, str) and experiment_id in _entries:
        return _entries[experiment_id].load()
    raise InputError("experiment", experiment_id, f"give one of {', '.join(_entries)}")
