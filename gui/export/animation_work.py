"""What the dialog of animations asks for, carried out on a thread that touches no widget."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.errors import LabError

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.core.params import Params
    from engine.run.spec import RunSpec

LEAST_SHARE = 0.03
"""Share of the work from which the time left is known well enough to be shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An animation as it is asked for.

    Attributes
    ----------
    path : Path
    views : tuple of str
        Ids of plots; none for the page.
    name : str or None
        The parameter that is swept; None where the run is shown step by step.
    first, last : float
        Steps, or values of the parameter.
    seconds : float
    size : (int, int)
    rate : int
    steps : int
        Length of each run of a sweep.
    """

    path: Path
    views: tuple[str, ...]
    name: str | None
    first: float
    last: float
    seconds: float
    size: tuple[int, int]
    rate: int
    steps: int

    def without_changes(self, run: RunSpec, params: Params) -> RunSpec:
        """Return a run with the settings in force throughout, which a sweep varies."""
        return replace(run, params=params, changes=(), steps=self.steps)


def animate(wish: Wish, run: RunSpec, progress: Progress) -> int:
    """Make an animation and return its number of frames.

    Raises
    ------
    LabError
        If something is not allowed, cannot be written, or was cancelled.
    """
    from engine.figures.animation.film import Span, Sweep, film, kind_of, views_named
    from engine.figures.animation.making import make

    course: Span | Sweep
    if wish.name is None:
        course = Span(int(wish.first), int(wish.last))
    else:
        course = Sweep(wish.name, wish.first, wish.last)
    made = film(
        run,
        views_named(run, wish.views),
        course,
        size=wish.size,
        rate=wish.rate,
        seconds=wish.seconds,
        kind=kind_of(wish.path),
    )
    if not make(made, wish.path, with_time_left(progress)):
        raise LabError("Cancelled; nothing was written.")
    return made.frames


def with_time_left(progress: Progress) -> Progress:
    """Return a progress that adds the time left to what it says."""
    begin = time.monotonic()

    def report(share: float, text: str) -> bool:
        if share > LEAST_SHARE:
            left = (time.monotonic() - begin) * (1.0 - share) / share
            text = f"{text}, about {left:.0f} s left"
        return progress(share, text)

    return report
