"""Times of contenders that take turns, and what follows from them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

ROUNDS = 5
"""Turns of each contender at least; a median of fewer says little."""

Contender = Callable[[], float | None]
"""Does its work once; returns the seconds that it took, or None to have them taken."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A clock on the wall, one of this process's processor time, and how often turns are taken."""

    clock: Callable[[], float] = time.perf_counter
    rounds: int = ROUNDS
    processor: Callable[[], float] = time.process_time

    def by_processor(self) -> Timer:
        """Return a timer for work on one thread, on which other programs count as little as can be.

        On the wall a contender that works longer is interrupted more often.
        """
        return replace(self, clock=self.processor)

    def once(self, contender: Contender) -> float:
        """Return the seconds of one call."""
        begin = self.clock()
        own = contender()
        return self.clock() - begin if own is None else own

    def in_turns(self, contenders: Mapping[str, Contender]) -> dict[str, list[float]]:
        """Return the seconds of every call, after one each that compiles and is not counted.

        The order is turned round every time, so that what else the machine does meets all alike.
        """
        names = list(contenders)
        seconds: dict[str, list[float]] = {name: [] for name in names}
        for turn in range(self.rounds + 1):
            for name in names if turn % 2 == 0 else reversed(names):
                spent = self.once(contenders[name])
                if turn:
                    seconds[name].append(spent)
        return seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One speed or one time, measured several times.

    Attributes
    ----------
    name : str
        What was measured.
    unit : str
        Of the samples: ``steps/s`` and the like, where more is better, else ``s`` or ``ms``.
    samples : tuple of float
    peer : bool
        Another program, for comparison.
    times_as_fast : float, optional
        Median of how many times as fast as this the first of its group was, round by round.
    of_limit : float, optional
        Median share of `limit`, the most that this machine can do.
    limit : str
    size : float, optional
        Size of the job where several sizes are compared, named by `along`.
    along : str
    """

    name: str
    unit: str
    samples: tuple[float, ...]
    peer: bool = False
    times_as_fast: float | None = None
    of_limit: float | None = None
    limit: str = ""
    size: float | None = None
    along: str = ""

    @property
    def median(self) -> float:
        """The median of the samples."""
        return statistics.median(self.samples)

    @property
    def is_rate(self) -> bool:
        """Whether more is better."""
        return self.unit.endswith("/s")


def rates(
    seconds: Mapping[str, Sequence[float]],
    work: Mapping[str, float],
    unit: str,
    ours: Sequence[str],
) -> list[Measurement]:
    """Turn seconds of contenders that took turns into rates, each compared with the first.

    Parameters
    ----------
    seconds : mapping of str to sequence of float
        As from `Timer.in_turns`.
    work : mapping of str to float
        What each does in a call, in the units of `unit` without ``/s``.
    unit : str
    ours : sequence of str
        Those that are no peers.
    """
    made = {name: [work[name] / spent for spent in seconds[name]] for name in seconds}
    first = next(iter(made.values()))
    return [
        Measurement(
            name=name,
            unit=unit,
            samples=tuple(samples),
            peer=name not in ours,
            times_as_fast=median_ratio(first, samples),
        )
        for name, samples in made.items()
    ]


def median_ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median of the quotients of what was measured in the same rounds."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def slope(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of costs over sizes in a log–log plot, by least squares."""
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle, level = statistics.fmean(x), statistics.fmean(y)
    spread = sum((a - middle) ** 2 for a in x)
    return sum((a - middle) * (b - level) for a, b in zip(x, y, strict=True)) / spread


def by_size(
    timer: Timer, along: str, contenders: Mapping[float, Contender], name: str = "cost"
) -> list[Measurement]:
    """Measure the seconds of jobs of several sizes, in turns."""
    seconds = timer.in_turns({str(size): job for size, job in contenders.items()})
    return [
        Measurement(name=name, unit="s", samples=tuple(seconds[str(size)]), size=size, along=along)
        for size in contenders
    ]
