"""The steps that a run gives up when it goes on from a scrubbed one, and how to get them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.core.ensemble import Progress
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params
from engine.run.replay import in_chunks
from engine.run.session import Session
from engine.run.spec import RunSpec


@dataclass(frozen=True, slots=True)
class Branch:
    """A run up to some step: all it takes to compute the same bits again."""

    run: RunSpec
    finished: bool

    @classmethod
    def of(cls, session: Session) -> Branch:
        """Describe what a session has done until now."""
        return cls(RunSpec.of(session), session.finished)

    def recompute(
        self, experiment: AbstractExperiment[Any, Any], progress: Progress
    ) -> Session | None:
        """Compute the run again; return None if `progress` asked to stop."""
        session = Session(experiment, self.run.params, self.run.seed, self.run.start)
        if not in_chunks(self.run, session, progress):
            session.close()
            return None
        if self.finished:
            session.advance(1)  # makes no step, and so finds that the run has ended
        return session


@dataclass(slots=True)
class Fork:
    """A run that has two branches: one is in force, `other` is the one that is not.

    `engine.run.runner.Runner.switch_branch` exchanges the two.
    """

    other: Branch


@dataclass(frozen=True, slots=True)
class DroppedSteps:
    """The steps `first` to `last` of a run that were given up, kept as the other side of `fork`.

    `params` are the live parameters with which the run went on, None where it went on for another
    reason than a change of them.
    """

    fork: Fork
    first: int
    last: int
    params: Params | None
