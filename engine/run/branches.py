"""What came after a scrubbed step from which a run went on: noted, and made again if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.core.ensemble import Progress
from engine.core.experiment import AbstractExperiment
from engine.core.params import Params
from engine.run.replay import in_pieces
from engine.run.session import Session
from engine.run.spec import RunSpec


@dataclass(frozen=True, slots=True)
class Branch:
    """A run to where it was: enough to make the same bits again, at the memory of its changes."""

    run: RunSpec
    finished: bool

    @classmethod
    def of(cls, session: Session) -> Branch:
        """Note what a session has done until now."""
        return cls(RunSpec.of(session), session.finished)

    def remade(
        self, experiment: AbstractExperiment[Any, Any], progress: Progress
    ) -> Session | None:
        """Make the run again; None if `progress` was told to stop."""
        session = Session(experiment, self.run.params, self.run.seed, self.run.start)
        if not in_pieces(self.run, session, progress):
            return None
        if self.finished:
            session.advance(1)  # which makes no step, and so finds that the run has ended
        return session


@dataclass(slots=True)
class Course:
    """Two courses of one run: that in force, and the `other`, which an exchange puts in force."""

    other: Branch


@dataclass(frozen=True, slots=True)
class Dropped:
    """The steps `first` to `last` of a run were given up, and can be had again by `course`.

    `params` are the live parameters with which it went on, None where it was for another reason.
    """

    course: Course
    first: int
    last: int
    params: Params | None
