"""All that a run depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from engine.core.change import Change
from engine.core.params import Params
from engine.run.notes import Note
from engine.run.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """All that a run depends on.

    `params` are those of step 0; `steps` is None where the experiment's own number is meant;
    `start` holds learned parameters to begin from, `sha256` what the input files must hold, by the
    parameter that names them (see `engine.run.inputs`). `notes` are the user's, on which nothing
    depends.
    """

    experiment: str
    params: Params
    seed: int = 0
    steps: int | None = None
    changes: tuple[Change, ...] = ()
    start: Mapping[str, NDArray[Any]] | None = field(default=None, compare=False)
    sha256: Mapping[str, str] = field(default_factory=dict, compare=False)
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, session: Session) -> RunSpec:
        """Describe what a session has done until now."""
        return cls(
            experiment=session.experiment.id,
            params=session.initial_params,
            seed=session.seed,
            steps=session.step,
            changes=session.changes,
            start=session.start,
            sha256=session.inputs,
            notes=session.notes,
        )

    def until(self, step: int) -> RunSpec:
        """Return the run that ends at a step, after the changes made at it."""
        kept = tuple(change for change in self.changes if change.step <= step)
        return replace(self, steps=step, changes=kept)


@dataclass(frozen=True, slots=True)
class SettingsInForce:
    """What a run is computed with now: live parameters as they are, seed, and where it began.

    Unlike the session they come from, they may be read on any thread.
    """

    params: Params
    seed: int
    start: Mapping[str, NDArray[Any]] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, session: Session) -> SettingsInForce:
        """Take the settings of a session as they are."""
        return cls(session.params, session.seed, session.start)
