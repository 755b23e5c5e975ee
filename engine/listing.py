"""What a list shows of an experiment, before anything of it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from engine.experiment import AbstractExperiment


class Listed(Protocol):
    """An entry of a list of experiments: a `Listing`, or an experiment that is there already."""

    @property
    def id(self) -> str:
        """Public id, in kebab-case."""
        ...

    @property
    def title(self) -> str:
        """Name in the list."""
        ...

    @property
    def section(self) -> str:
        """Section of the paper, and what of it."""
        ...

    @property
    def summary(self) -> str:
        """One sentence."""
        ...

    def load(self) -> AbstractExperiment[Any, Any]:
        """Give the experiment itself."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A line of the registry: the texts of an experiment, and how to load it.

    The texts repeat those of the experiment's class, so that a window can list what it has not
    imported yet: numpy and the models of the parameters take longer than the window itself.
    """

    id: str
    title: str
    section: str
    summary: str
    load: Callable[[], AbstractExperiment[Any, Any]]
