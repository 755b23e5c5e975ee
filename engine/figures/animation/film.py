"""What an animation is: a run or a sweep of a parameter, its plots, size, rate and length."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np

from engine.core.errors import InputError
from engine.core.params import ParamSpec, spec_of, update
from engine.core.registry import get
from engine.core.views import View
from engine.run.replay import target_of
from engine.run.spec import RunSpec
from engine.storage import runfile
from engine.text.mathtext import plain_math
from engine.text.numbers import fixed, short, whole

Kind = Literal["mp4", "gif", "webp"]
KINDS: tuple[Kind, ...] = ("mp4", "gif", "webp")
SIZE = (1280, 720)
SIZES = (64, 4096)
"""Least and greatest width and height in pixels."""
RATE = 30
RATES = (1, 60)
GIF_RATE = 50
"""Frames a second at most in a GIF: viewers slow down what is faster."""
SECONDS = (0.1, 600.0)
SHORTEST, LONGEST = 2.0, 10.0
"""Length of an animation of few and of many steps, in seconds, where none is asked for."""
STEPS_A_SECOND = 10.0
"""Speed at which few steps are shown then."""
MOST_FRAMES = 20_000
MOST_DECIMALS, LARGEST = 8, 1e9
"""Decimals and size up to which a swept number is written without a power of ten."""


@dataclass(frozen=True, slots=True)
class Span:
    """A run from one step to another, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Runs that differ in one number, each shown at its end; `log` makes equal ratios."""

    name: str
    low: float
    high: float
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """An animation: what is shown, and how.

    Attributes
    ----------
    run : RunSpec
        The run, or what the runs of a sweep have in common.
    views : tuple of View
        The plots, one or a page of them.
    course : Span or Sweep
    size : (int, int)
        Width and height in pixels.
    rate : int
        Frames a second.
    seconds : float
    """

    run: RunSpec
    views: tuple[View, ...]
    course: Span | Sweep
    size: tuple[int, int] = SIZE
    rate: int = RATE
    seconds: float

    @property
    def frames(self) -> int:
        """Number of frames."""
        return max(round(self.rate * self.seconds), 1)

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The different pictures in their order, each with how many frames it lasts."""
        found = (Shot(place, len(list(same))) for place, same in groupby(self._places()))
        return tuple(found)

    def _places(self) -> list[float]:
        """Return what each frame shows: a step, or a value of the parameter."""
        course = self.course
        if isinstance(course, Span):
            places = np.linspace(course.first, course.last, self.frames).round()
        elif course.log:
            places = np.geomspace(course.low, course.high, self.frames)
        else:
            places = np.linspace(course.low, course.high, self.frames)
        if isinstance(course, Sweep) and self.swept.kind == "int":
            places = places.round()
        return [float(place) for place in places]

    @property
    def swept(self) -> ParamSpec:
        """The parameter of a sweep."""
        assert isinstance(self.course, Sweep)
        return spec_of(type(self.run.params), self.course.name)

    def place_text(self, place: float) -> str:
        """Write what a frame shows, with as many digits in all frames."""
        course = self.course
        if isinstance(course, Span):
            return f"step $k$ = {whole(int(place))}"
        spec = self.swept
        name = f"${spec.symbol}$" if spec.symbol else spec.label
        if spec.kind == "int":
            return f"{name} = {int(place)}"
        size = max(abs(course.low), abs(course.high))
        decimals = max(3 - math.floor(math.log10(size)), 0)
        if course.log or decimals > MOST_DECIMALS or size > LARGEST:
            return f"{name} = {short(place, 4)}"
        return f"{name} = {fixed(place, decimals)}"

    @property
    def about(self) -> str:
        """What an animation's file says of how it was made: a run file, after a few comments."""
        width, height = self.size
        lines = [f"# {self.summary}", f"# {width} × {height}, {self.rate} frames a second"]
        return "\n".join(lines) + "\n" + runfile.dumps(self.run)

    @property
    def summary(self) -> str:
        """What is shown, in a line."""
        title, course = get(self.run.experiment).title, self.course
        if isinstance(course, Span):
            return f"{title}: steps {course.first} to {course.last}"
        name = plain_math(self.swept.symbol) or self.swept.label
        return f"{title}: {name} from {short(course.low, 6)} to {short(course.high, 6)}"


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of an animation: the step or the value that it shows, and for how many frames."""

    place: float
    frames: int


def kind_of(path: Path) -> Kind:
    """Return the format that a file's name asks for.

    Raises
    ------
    InputError
        If there is none.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    for kind in KINDS:
        if kind == suffix:
            return kind
    raise InputError("animation", Path(path).name, "give a name that ends in .mp4, .gif or .webp")


def film(
    run: RunSpec,
    views: Sequence[View],
    course: Span | Sweep,
    *,
    size: tuple[int, int] = SIZE,
    rate: int = RATE,
    seconds: float | None = None,
    kind: Kind = "mp4",
) -> Film:
    """Put an animation together and check all of it.

    Without `seconds` it takes as long as suits the number of steps.

    Raises
    ------
    InputError
        If anything is out of range.
    """
    check_size(size)
    low, high = RATES[0], GIF_RATE if kind == "gif" else RATES[1]
    if not low <= rate <= high:
        raise InputError("rate", rate, f"give {low} to {high} frames a second")
    if seconds is not None and not SECONDS[0] <= seconds <= SECONDS[1]:
        raise InputError("seconds", seconds, f"give {SECONDS[0]} to {SECONDS[1]:.0f} seconds")
    if isinstance(course, Sweep):
        _check_sweep(run, course)
        length = LONGEST
    else:
        _check_span(run, course)
        length = min(max((course.last - course.first) / STEPS_A_SECOND, SHORTEST), LONGEST)
    made = Film(
        run=run,
        views=tuple(views),
        course=course,
        size=size,
        rate=rate,
        seconds=length if seconds is None else seconds,
    )
    if made.frames > MOST_FRAMES:
        raise InputError("seconds", seconds, f"give at most {MOST_FRAMES} frames in all")
    return made


def check_size(size: tuple[int, int]) -> None:
    """Check width and height in pixels.

    Raises
    ------
    InputError
        If they are odd, or outside `SIZES`.
    """
    low, high = SIZES
    for value in size:
        if not low <= value <= high or value % 2:
            rule = f"give even numbers of pixels from {low} to {high}, such as 1280x720"
            raise InputError("size", f"{size[0]}x{size[1]}", rule)


def _check_span(run: RunSpec, span: Span) -> None:
    target = target_of(run)
    if not 0 <= span.first <= target:
        raise InputError("from", span.first, f"give a step from 0 to {target}")
    if not span.first <= span.last <= target:
        raise InputError("to", span.last, f"give a step from {span.first} to {target}")


def _check_sweep(run: RunSpec, sweep: Sweep) -> None:
    spec = spec_of(type(run.params), sweep.name)
    if spec.kind not in ("float", "int"):
        raise InputError("sweep", sweep.name, "give a parameter that is a number")
    if sweep.log and min(sweep.low, sweep.high) <= 0.0:
        raise InputError("sweep", sweep.low, "give positive ends for equal ratios")
    if sweep.low == sweep.high:
        raise InputError("sweep", sweep.high, "give two different ends")
    for value in (sweep.low, sweep.high):
        update(run.params, **{sweep.name: round(value) if spec.kind == "int" else value})


def views_named(run: RunSpec, names: Sequence[str]) -> tuple[View, ...]:
    """Return the views of a run of some ids, or, without ids, those that its page shows.

    Raises
    ------
    InputError
        If there is no view of a name.
    """
    views = get(run.experiment).views(run.params)
    known = {view.id: view for view in views}
    for name in names:
        if name not in known:
            raise InputError("view", name, f"give page or one of {', '.join(known)}")
    shown = tuple(view for view in views if view.shown) or tuple(views)
    return tuple(known[name] for name in names) or shown
