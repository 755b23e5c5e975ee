"""Runs side by side that make their steps together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.core.beside import recall
from engine.core.change import Change
from engine.core.ensemble import Progress
from engine.core.errors import LabError
from engine.core.experiment import AbstractExperiment, State
from engine.core.params import Params
from engine.core.registry import get
from engine.run import replay
from engine.run.analyst import complete
from engine.run.run import Run
from engine.run.snapshot import Snapshot, Status
from engine.run.spec import RunSpec
from engine.run.trace import TraceView

MOST = 6
"""Runs that stand beside one another."""
LAST_STEP = 10_000_000
"""Step at which all stop; a run is made from its beginning each time."""


@dataclass(frozen=True, slots=True)
class Side:
    """A run among others.

    Attributes
    ----------
    label : str
    run : RunSpec
        What was done to it is done at the same steps again.
    trace : TraceView, optional
        What was recorded of it, where it is made again from its settings alone.
    """

    label: str
    run: RunSpec
    trace: TraceView | None = None


@dataclass(slots=True)
class _Course:
    """A run, and what of its changes is still to come."""

    run: Run
    coming: list[Change] = field(default_factory=list)

    def go_to(self, step: int) -> None:
        """Make steps until there, with the changes on the way; a run that has ended stays."""
        session = self.run.session
        while True:
            change = self.coming[0] if self.coming and self.coming[0].step <= step else None
            stop = step if change is None else change.step
            while session.step < stop and session.advance(stop - session.step, coarse=True):
                pass
            if change is None or session.step < stop:
                return
            session.change(self.coming.pop(0))


class Lockstep:
    """Shows the same step of several runs.

    All methods are called on one thread.

    Parameters
    ----------
    sides : sequence of Side
        Two to `MOST` runs of one experiment.

    Raises
    ------
    LabError
        If they are too few, too many, of several experiments, or cannot be made again.
    """

    def __init__(self, sides: Sequence[Side]) -> None:
        if not 2 <= len(sides) <= MOST:
            raise LabError(f"Two to {MOST} runs stand side by side, not {len(sides)}.")
        if len({side.run.experiment for side in sides}) > 1:
            raise LabError("Runs of one experiment stand side by side.")
        experiment = get(sides[0].run.experiment)
        if not experiment.rewindable:
            raise LabError(f"A run of {experiment.title} keeps no old states to go back to.")
        self.step = 0
        self._frame = 0
        self._courses: list[_Course] = []
        self._begun: list[tuple[AbstractExperiment[Any, Any], Params, State[Any]]] = []
        try:
            for side in sides:
                self._begin(side)
        except BaseException:
            self.close()
            raise

    def _begin(self, side: Side) -> None:
        session = replay.begin(replace(side.run, steps=0))
        course = _Course(Run(session, lambda dropped: ""), list(side.run.changes))
        self._courses.append(course)
        if side.trace is not None and not _begins_as(course.run, side.trace):
            raise LabError(
                f"“{side.label}” began from learned parameters, which were not kept with it."
            )
        course.go_to(0)
        self._begun.append((session.experiment, session.params, session.state))

    def advance(self, n: int) -> None:
        """Show the step `n` later, or earlier if it is negative."""
        self.seek(self.step + n)

    def seek(self, step: int) -> None:
        """Show a step of all runs; those that ended before it show their last."""
        self.step = min(max(step, 0), LAST_STEP)
        for course in self._courses:
            course.go_to(self.step)
            last = course.run.session.step
            course.run.seek(None if self.step >= last else self.step)
        self.step = min(self.step, max(course.run.session.step for course in self._courses))

    @property
    def has_ended(self) -> bool:
        """Whether no run can go on."""
        return all(course.run.session.finished for course in self._courses)

    def snapshots(self) -> tuple[Snapshot, ...]:
        """Return a picture of each run at the step that is shown."""
        self._frame += 1
        pictures = []
        for course in self._courses:
            run = course.run
            run.status = Status.FINISHED if run.session.finished else Status.PAUSED
            pictures.append(run.snapshot(run.show(force=True), run_id=0, frame=self._frame))
        return tuple(pictures)

    def analyse(self, on_done: Callable[[], None], progress: Progress) -> None:
        """Make the analyses of all runs; may be called on a thread of its own.

        Parameters
        ----------
        on_done : callable
            Called when one is there, for the next pictures to show.
        progress : callable
        """
        for experiment, params, state in self._begun:
            key = experiment.analysis_key(params, state.seed)
            if key is None or recall(key) is not None:
                continue
            with contextlib.suppress(LabError):  # the run itself says what is wrong
                if not complete(experiment, params, state, progress):
                    return
                on_done()

    def close(self) -> None:
        """Release what the runs hold."""
        for course in self._courses:
            course.run.close()


def _begins_as(run: Run, trace: TraceView) -> bool:
    """Return whether a run at step 0 is within what was recorded of its first steps."""
    own = run.session.trace.view()
    for key, low in trace.low.items():
        if key not in own.low:
            continue
        first = np.nan_to_num(own.low[key][0])
        least, most = np.nan_to_num(low[0]), np.nan_to_num(trace.high[key][0])
        if not (np.all(least <= first) and np.all(first <= most)):
            return False
    return True
