"""What figures are drawn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.change import Change
from engine.core.claims import Bound
from engine.core.ensemble import Observation
from engine.core.views import Colormap
from engine.figures.steady import Range, Steady
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.run.trace import TraceView


@dataclass(frozen=True, slots=True)
class PinnedRun:
    """A run kept for comparison: how its settings differ, a colour role or ``#rrggbb``, history."""

    label: str
    color: str
    trace: TraceView


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureData:
    """What figures are drawn from: a run's whole history and what was computed at one step of it.

    `run` is written into the files, so that a figure documents how it was made; `step` may lie
    before its end. `pins` are other runs, drawn behind it along the step. `steady` holds the ends
    that axes and colours have whatever the data, as in the pictures of an animation.
    """

    title: str
    run: RunSpec
    step: int
    trace: TraceView
    observation: Observation
    theory: tuple[Bound, ...] = ()
    changes: tuple[Change, ...] = field(default_factory=tuple)
    pins: tuple[PinnedRun, ...] = ()
    steady: Steady = field(default_factory=Steady)

    def level_ends(self, key: str, values: FloatArray, colormap: Colormap) -> Range | None:
        """Return the values of the first and the last colour of what an observation's key holds."""
        return self.steady.levels.get(key) or level_ends(values, colormap)

    @classmethod
    def of(
        cls, session: Session, step: int | None = None, pins: tuple[PinnedRun, ...] = ()
    ) -> FigureData:
        """Take everything from a run as it stands, or its pictures from an earlier step.

        Raises
        ------
        InputError
            If the step was not reached, or the experiment keeps no old states.
        """
        experiment = session.experiment
        state, recent = session.look(session.step if step is None else step)
        return cls(
            title=experiment.title,
            run=RunSpec.of(session),
            step=state.step,
            trace=session.trace.view(),
            observation=experiment.observe(state, recent),
            theory=experiment.theory(state.params, state),
            changes=session.changes,
            pins=pins,
        )


def chains(places: Sequence[float], names: Sequence[str], gap: float) -> list[tuple[int, int]]:
    """Return the first and the last index of each chain of marks that belong together.

    Dragging a parameter changes it dozens of times in a row: neighbours of one name that are less
    than `gap` apart are one mark.

    Parameters
    ----------
    places : sequence of float
        Where the marks are, not decreasing.
    names : sequence of str
        What each changes; an empty name belongs to no chain.
    gap : float
    """
    found: list[tuple[int, int]] = []
    for index, (place, name) in enumerate(zip(places, names, strict=True)):
        if found and name and names[index - 1] == name and place - places[index - 1] < gap:
            found[-1] = (found[-1][0], index)
        else:
            found.append((index, index))
    return found


def level_ends(values: FloatArray, colormap: Colormap) -> tuple[float, float] | None:
    """Return the values of the first and the last colour of an image; None if nothing is finite.

    They are equal on both sides of 0 if the map is diverging, and never the same.
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    low, high = float(known.min()), float(known.max())
    if colormap == "diverging":
        most = max(abs(low), abs(high)) or 1.0
        return -most, most
    if low == high:
        return min(0.0, low), max(0.0, low) or 1.0
    return low, high
