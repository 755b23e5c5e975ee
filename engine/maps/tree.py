"""The search for the branches of an experiment, as an orbit diagram draws them.

At values of the parameter all over its range cycles are looked for by Newton's method: from points
at which the orbit of the run's own start nearly returns, and from points of a box. Each that lies
on no branch yet is followed in both directions; at flips and branch points the search goes on along
the branches that begin there.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.analysis.branch import Branch, End, Event, Special
from engine.analysis.continuation import follow
from engine.analysis.equilibria import starts
from engine.analysis.family import Family
from engine.analysis.multistart import (
    ON_CIRCLE,
    BranchPoint,
    cycles,
    is_sharp,
    newton,
    on_cycle,
)
from engine.analysis.switching import doubled, forked
from engine.core.arrays import FloatArray
from engine.core.claims import Lamp
from engine.core.ensemble import Progress
from engine.maps import branches as drawn
from engine.maps.branches import Branches, BranchSpec, Stability
from engine.maps.subject import Subject, subject_of

VALUES = 48
"""Values of the parameter at which cycles are looked for."""
BOXED = 8
"""Every so many of them cycles are also looked for all over a box."""
TRANSIENT, KEPT = 256, 384
"""Steps of the orbit before its returns are looked at, and those looked at."""
RETURNS = 3
"""Nearest returns of an orbit after a period that Newton's steps begin at."""
SCATTERED = 24
"""Points of the box that they begin at."""
REACH = 2.0
"""Half the side of the box, in units of the largest coordinate of an orbit or of 1."""
FADED = 100.0
"""Multiplier in magnitude up to which cycles of period 3 and longer are followed."""
SEEDED = 20.0
"""Multiplier in magnitude up to which such a cycle is followed from where it was found: one that
is larger at all these values is stable in so small a part of the range that it cannot be seen."""
BORN = 1e-11
"""Distance of a multiplier from 1 near a bifurcation up to which it is 1 all along the branch."""
MOST = 160
"""Branches that are followed at most."""
FAR = 1e100
"""Size of an orbit that has diverged."""
PARTLY = 1.0
"""Seconds between two looks at what is found until then."""
PATIENCE = 0.05
"""Seconds between two questions whether to go on."""


class StoppedError(Exception):
    """The search is no longer wanted."""


def find(
    spec: BranchSpec,
    progress: Progress,
    partly: Callable[[Branches], None] | None = None,
) -> Branches | None:
    """Find the branches of an experiment over one parameter.

    Parameters
    ----------
    spec : BranchSpec
    progress : callable
        Asked about every 50 ms, from the thread that this runs in.
    partly : callable, optional
        Given what is found until then, about once a second where there is more.

    Returns
    -------
    Branches or None
        None if `progress` asked to stop.

    Raises
    ------
    InputError
        If the experiment has no smooth step, or the parameter cannot be varied so.
    """
    ends = {spec.name: (spec.low, spec.high)}
    subject = subject_of(spec.experiment, spec.params, spec.seed, ends)
    size = max(float(np.linalg.norm(subject.start)), 1e-3)
    family = Family(subject.carrier, spec.low, spec.high, subject.frame, size)
    search = Search(family, subject.start, spec.max_period, spec.seed, progress)
    shown, count = time.monotonic(), 0
    try:
        for _ in search.steps():
            now = time.monotonic()
            if partly is not None and now - shown >= PARTLY and len(search.found) > count:
                partly(_result(spec, subject, search))
                shown, count = time.monotonic(), len(search.found)
    except StoppedError:
        return None
    return _result(spec, subject, search)


@dataclass(slots=True, eq=False)
class Found:
    """A branch, and the special point of another that it begins at."""

    branch: Branch
    origin: tuple[int, Special] | None


@dataclass(slots=True, eq=False)
class Search:
    """A search for branches over one parameter.

    Attributes
    ----------
    family : Family
    start : ndarray, shape (n,)
        Where the run begins.
    max_period : int
    seed : int
        Of the random points that cycles are looked for from.
    progress : callable
    values : int
        Values of the parameter at which cycles are looked for.
    found : list of Found
    is_full : bool
        Whether there were more branches than are followed.
    is_blurred : bool
        Whether there were cycles with a multiplier 1 that fill no manifold.
    """

    family: Family
    start: FloatArray
    max_period: int
    seed: int
    progress: Progress
    values: int = VALUES
    found: list[Found] = field(default_factory=list)
    waiting: deque[tuple[BranchPoint, int, tuple[int, Special] | None]] = field(
        default_factory=deque
    )
    done: float = 0.0
    asked: float = 0.0
    is_full: bool = False
    is_blurred: bool = False

    def go_on(self) -> bool:
        """Raise where the search is to stop."""
        now = time.monotonic()
        if now - self.asked >= PATIENCE:
            self.asked = now
            if not self.progress(self.done, f"{len(self.found)} branches found"):
                raise StoppedError
        return True

    def run(self) -> None:
        """Look for cycles at all values, and follow their branches."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[None]:
        """Do the same, and pause after each branch."""
        bits = max(self.values - 1, 1).bit_length()
        order = np.argsort([int(f"{i:0{bits}b}"[::-1], 2) for i in range(self.values)])
        for count, place in enumerate(order):  # coarse to fine
            self.done = count / self.values
            share = (int(place) + 0.5) / self.values
            value = self.family.low + share * (self.family.high - self.family.low)
            for period, begin in self._seeds(value, scattered=count % BOXED == 0):
                self.waiting.append((begin, period, None))
                while self.waiting:
                    self._follow(*self.waiting.popleft())
                    yield

    def _seeds(self, value: float, *, scattered: bool) -> Iterator[tuple[int, BranchPoint]]:
        """Find cycles at a value of the parameter, in turn."""
        orbit = self._orbit(value)
        around: list[FloatArray] = []
        if scattered:
            reach = REACH * max(float(np.max(np.abs(orbit), initial=0.0)), 1.0)
            center = np.zeros(self.family.frame.count)
            around = starts(center, np.full_like(center, reach), SCATTERED, self.seed)
        for period in range(1, self.max_period + 1):
            points = [*_returns(orbit, period), *(around if period <= 2 else [])]
            for point in points:
                for begin in cycles(self.family, value, period, [point], self.go_on):
                    yield period, begin

    def _orbit(self, value: float) -> FloatArray:
        """Return where the run's start is led to, shape (m, k); empty where it diverges."""
        self.go_on()
        with np.errstate(all="ignore"):
            points = self.family.carrier.orbit(self.start, np.array([value]), TRANSIENT + KEPT)
        made = self.family.frame.seen(points[TRANSIENT:])
        return made if np.max(np.abs(made), initial=0.0) < FAR else made[:0]

    def _follow(self, begin: BranchPoint, period: int, origin: tuple[int, Special] | None) -> None:
        """Follow the branch of a cycle, if it is a new one."""
        is_faint = period > 2 and begin.radius > SEEDED
        circle = ON_CIRCLE if origin is None else BORN
        if is_faint or self._is_known(begin, period, begin.ones(circle)):
            return
        if origin is None and not is_sharp(self.family, begin, period):
            self.is_blurred = True
            return
        if len(self.found) >= MOST:
            self.is_full = True
            return
        branch = follow(
            self.family,
            begin,
            period,
            both=origin is None,
            largest=np.inf if period <= 2 else FADED,
            circle=circle,
            go_on=self.go_on,
        )
        number = len(self.found)
        self.found.append(Found(branch, origin))
        for event in branch.events:
            self._switch(number, period, event)

    def _switch(self, number: int, period: int, event: Special) -> None:
        """Go on along the branches that begin at a special point."""
        self.go_on()
        begun: tuple[BranchPoint, ...] = ()
        if event.event is Event.FLIP and 2 * period <= self.max_period:
            born = doubled(self.family, event.at, period)
            if born is not None:
                self.waiting.append((born, 2 * period, (number, event)))
        elif event.event is Event.BRANCH_POINT:
            begun = forked(self.family, event.at, period)
        self.waiting.extend((each, period, (number, event)) for each in begun)

    def _is_known(self, point: BranchPoint, period: int, neutral: int) -> bool:
        """Return whether a cycle lies on a branch that was followed, or fills one's manifold."""
        a = point.parameter
        for each in self.found:
            branch = each.branch
            if branch.period != period or branch.neutral != neutral:
                continue
            for before, after in pairwise(branch.points):
                span = after.parameter - before.parameter
                if (
                    not min(before.parameter, after.parameter)
                    <= a
                    <= max(before.parameter, after.parameter)
                ):
                    continue
                if branch.neutral:
                    return True
                part = (a - before.parameter) / span if span else 0.0
                near = before.x + part * (after.x - before.x)
                x = newton(self.family, near, a, period)
                if x is not None and on_cycle(self.family, point.x, x, a, period):
                    return True
        return False


def _result(spec: BranchSpec, subject: Subject, search: Search) -> Branches:
    """Return what was found as plain data."""
    specials: list[drawn.Special] = []
    numbers: dict[int, int] = {}
    for number, each in enumerate(search.found):
        for event in each.branch.events:
            numbers[id(event)] = len(specials)
            specials.append(
                _special(search.family, len(specials), number, each.branch.period, event)
            )
    curves = []
    for number, each in enumerate(search.found):
        origin = None if each.origin is None else numbers[id(each.origin[1])]
        curves.append(_curve(search, number, each, origin))
    within = subject.frame.within
    return Branches(
        spec=spec,
        coordinates=subject.coordinates,
        names=subject.names,
        within="" if within is None else within.name,
        curves=tuple(curves),
        specials=tuple(specials),
        lamps=_lamps(search, curves, within is not None),
        notes=tuple(_notes(search)),
    )


def _special(family: Family, number: int, curve: int, period: int, event: Special) -> drawn.Special:
    form = event.form
    return drawn.Special(
        number=number,
        event=event.event.value,
        curve=curve,
        period=period,
        parameter=event.parameter,
        cycle=family.cycle(event.at.x, event.parameter, period),
        coefficient=None if form is None else form.value,
        error=0.0 if form is None else form.error,
        others=event.others,
    )


def _curve(search: Search, number: int, each: Found, origin: int | None) -> drawn.Curve:
    branch, points, family = each.branch, list(each.branch.points), search.family
    codes = _codes(branch)
    radius = [
        at.radius if branch.neutral else float(np.max(np.abs(at.multipliers))) for at in points
    ]
    across = [float(np.max(np.abs(at.across), initial=0.0)) for at in points]
    cycle = [family.cycle(at.x, at.parameter, branch.period) for at in points]
    if each.origin is not None:  # its first point is a step away from where it begins
        at = each.origin[1].at
        half = family.cycle(at.x, at.parameter, search.found[each.origin[0]].branch.period)
        times = branch.period // len(half)
        cycle.insert(0, np.tile(half, (times, 1)))
        points.insert(0, at)
        codes.insert(0, codes[0])
        radius.insert(0, float(np.max(np.abs(at.multipliers))) ** times)
        across.insert(0, float(np.max(np.abs(at.across), initial=0.0)) ** times)
    return drawn.Curve(
        number=number,
        period=branch.period,
        parameter=np.array([at.parameter for at in points]),
        cycles=np.array(cycle),
        stability=np.array(codes, np.uint8),
        radius=np.array(radius),
        across=np.array(across),
        manifold=branch.neutral,
        origin=origin,
    )


def _lamps(search: Search, curves: list[drawn.Curve], is_within: bool) -> tuple[Lamp, ...]:
    within = max((each.branch.neutral for each in search.found), default=0)
    across = max((_ones_across(each.branch) for each in search.found), default=0)
    details = []
    if within:
        details.append(f"some fill a manifold of dimension {within}, of which one point is drawn")
    if across:
        details.append(f"some fill a manifold of dimension {across} across the invariant set")
    isolated = None if not curves else not details
    lamps = [Lamp("Cycles are isolated", isolated, "; ".join(details))]
    if is_within:
        lamps.append(_transverse(search, curves))
    return tuple(lamps)


def _ones_across(branch: Branch) -> int:
    """Return how many transverse multipliers are 1 all along a branch."""
    counts = [np.count_nonzero(np.abs(at.across - 1.0) < ON_CIRCLE) for at in branch.points]
    return int(min(counts, default=0))


def _transverse(search: Search, curves: list[drawn.Curve]) -> Lamp:
    """Return whether all cycles that are stable within the set are so across it.

    It is open where the largest multiplier is 1, and where no cycle is stable within the set.
    """
    some = [each.across[each.stability != Stability.UNSTABLE] for each in curves]
    sizes = np.concatenate([*some, np.zeros(0)])
    if not sizes.size:
        return Lamp("Transversally stable", None, "no cycle is stable within the invariant set")
    largest = float(np.max(sizes))
    detail = f"largest multiplier across, of a lap of a cycle stable within: {largest:.6g}"
    if any(np.any(each.stability == Stability.ACROSS) for each in curves):
        return Lamp("Transversally stable", False, detail)
    if largest < 1.0 - ON_CIRCLE:
        return Lamp("Transversally stable", True, detail)
    is_manifold = any(_ones_across(each.branch) for each in search.found)
    word = "neutral: the minima are a manifold" if is_manifold else "neutral"
    return Lamp("Transversally stable", None, f"{detail}, {word}")


def _notes(search: Search) -> Iterator[str]:
    ends = [end for each in search.found for end in each.branch.ends]
    if search.is_full:
        yield f"The search ended after {MOST} branches; there are more."
    if search.is_blurred:
        yield (
            "Cycles with a multiplier 1 that fill no manifold are left out: Newton's steps do not "
            "find them sharply."
        )
    if End.FADED in ends:
        yield (
            f"Cycles of period 3 and longer are followed up to a multiplier of {FADED:g} in "
            "magnitude."
        )
    if End.LOST in ends:
        yield f"{ends.count(End.LOST)} ends lie where Newton's steps no longer converge."


def _codes(branch: Branch) -> list[Stability]:
    """Return the stability of a branch's points; special points count to the unstable side."""
    special = {id(event.at) for event in branch.events}
    codes = []
    for point in branch.points:
        code = Stability.UNSTABLE
        if point.is_stable and id(point) not in special:
            code = Stability.ACROSS if point.is_repelling_across else Stability.STABLE
        codes.append(code)
    return codes


def _returns(orbit: FloatArray, period: int) -> list[FloatArray]:
    """Return the points of an orbit that come back nearest to themselves, one a stretch of it."""
    if len(orbit) <= 2 * period:
        return []
    gaps = np.linalg.norm(orbit[period:] - orbit[:-period], axis=1)
    stretches = np.array_split(np.arange(len(gaps)), RETURNS)
    return [orbit[part[np.argmin(gaps[part])]] for part in stretches]
