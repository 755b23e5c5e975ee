"""What the pictures of an animation are drawn from: a run at some step, or runs of other values."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections import deque
from typing import Any

from engine.core import interrupt
from engine.core.change import Change
from engine.core.params import update
from engine.figures.animation.film import Film, Span
from engine.figures.data import FigureData
from engine.run import replay
from engine.run.analyst import complete
from engine.run.spec import RunSpec
from engine.run.trace import TraceView

AT_ONCE = 100_000
"""Steps made between two looks at whether to go on."""


class Moments(ABC):
    """Computes what a picture is drawn from; quickest where the places asked for go up."""

    @abstractmethod
    def at(self, place: float) -> FigureData:
        """Return what the picture of a step, or of a value, is drawn from.

        Raises
        ------
        LabError
            If the run cannot be made.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what runs hold outside Python's memory."""


def moments(film: Film) -> Moments:
    """Begin the runs of an animation.

    Raises
    ------
    InputError
        If their parameters cannot be used together.
    """
    if isinstance(film.course, Span):
        return _OfRun(film.run, film.course)
    return _OfSweep(film.run, film.course.name, film.swept.kind == "int")


class _OfRun(Moments):
    """A run at its steps: its lines grow, as they are kept of the whole."""

    def __init__(self, run: RunSpec, span: Span) -> None:
        self._run = run.until(span.last)
        self._course = _Course(self._run)
        self._course.to(span.last)
        self._trace = self._course.session.trace.view()
        self._rewindable = self._course.session.experiment.rewindable

    def at(self, place: float) -> FigureData:
        step = min(int(place), self._trace.last)
        if not self._rewindable:
            self._forward(step)
        data = FigureData.of(self._course.session, step)
        changes = tuple(change for change in data.changes if change.step <= step)
        return dataclasses.replace(
            data, run=self._run, trace=until(self._trace, step), changes=changes
        )

    def _forward(self, step: int) -> None:
        """Make the steps of a run that keeps no old states, anew if it is past that step."""
        if self._course.session.step > step:
            self.close()
            self._course = _Course(self._run)
        self._course.to(step)

    def close(self) -> None:
        self._course.session.close()


class _OfSweep(Moments):
    """A run for every value, at its end."""

    def __init__(self, run: RunSpec, name: str, is_whole: bool) -> None:
        self._run = run
        self._name = name
        self._is_whole = is_whole

    def at(self, place: float) -> FigureData:
        value: Any = int(place) if self._is_whole else place
        run = dataclasses.replace(self._run, params=update(self._run.params, **{self._name: value}))
        course = _Course(run)
        try:
            course.to(replay.target_of(run))
            return dataclasses.replace(FigureData.of(course.session), run=run)
        finally:
            course.session.close()

    def close(self) -> None:
        pass


class _Course:
    """A run that is carried on from step to step, with the changes that were made to it."""

    def __init__(self, run: RunSpec) -> None:
        session = self.session = replay.begin(run)
        self._changes: deque[Change] = deque(run.changes)
        complete(session.experiment, session.params, session.state, lambda done, text: True)

    def to(self, step: int) -> None:
        """Make the steps up to one, and the changes at it."""
        while self._changes and self._changes[0].step <= step:
            self._advance(self._changes[0].step)
            if self.session.step < self._changes[0].step:
                return
            self.session.change(self._changes.popleft())
        self._advance(step)

    def _advance(self, step: int) -> None:
        while self.session.step < step:
            interrupt.check()
            if self.session.advance(min(step - self.session.step, AT_ONCE), coarse=True) == 0:
                return


def until(trace: TraceView, step: int) -> TraceView:
    """Return a trace up to a step; of the bucket that the step is in, all is kept."""
    if step >= trace.last:
        return trace
    count = step // trace.stride + 1
    exact = max(step - trace.recent_first + 1, 0)
    return TraceView(
        last=step,
        stride=trace.stride,
        low={key: rows[:count] for key, rows in trace.low.items()},
        high={key: rows[:count] for key, rows in trace.high.items()},
        recent_first=min(trace.recent_first, step + 1),
        recent={key: rows[:exact] for key, rows in trace.recent.items()},
    )
