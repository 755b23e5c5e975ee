"""The phase of a run, read off its last steps: converging, periodic, aperiodic or diverged.

A classification looks at a window of consecutive recorded steps. It knows float noise: what moves
by less than a few units in the last place of the run's own scale does not move.
Used for the phase badge of every experiment; vector states are welcome.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engine.analysis.cycles import gap, settles
from engine.core.outcome import CONVERGED, Outcome, OutcomeKind, Standing

Array = npt.NDArray[np.float64]

MAX_PERIOD = 64
"""Longest period looked for; three turns of it must fit into the window."""
NOISE = 1e-13
"""Relative motion below which a state counts as resting."""
REPEATS = 1e-12
"""Relative change over each of two laps up to which a cycle is exact, rounding aside."""
DISTINCT = 1e-9
"""Relative distance from which on two points of an orbit count as different."""
ROUNDING = 1e-12
"""Relative error below which rounding may be all there is, deep networks included."""
LONG = 1024
"""Steps from which on a small Lyapunov exponent can be told from 0."""
SHORT = 8
"""A window of fewer steps says nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What a window shows.

    `text` is the badge ("monotone", "period 2", "diverged at k = 41"), `message` a sentence,
    `standing` what both say of rest, `orbit` has one row per point of a cycle (in order of time),
    `rate` is the factor by which the error shrinks per step where it does.
    """

    kind: OutcomeKind
    text: str
    message: str
    standing: Standing = Standing.OPEN
    period: int | None = None
    orbit: Array | None = None
    lyapunov: float | None = None
    rate: float | None = None
    sublinear: bool = False

    def points(self, column: int = 0) -> tuple[float, ...]:
        """Return one number of every point of the cycle, in order of time; none without a cycle."""
        return () if self.orbit is None else tuple(float(row[column]) for row in self.orbit)

    def outcome(self, step: int, points: Sequence[float], points_of: str) -> Outcome:
        """Return it as the outcome of a run.

        Parameters
        ----------
        step : int
            The step it is said of, or that at which the run diverged.
        points : sequence of float
            The points of the cycle as they are told, empty without one.
        points_of : str
            What they are values of.
        """
        return Outcome(
            kind=self.kind,
            step=step,
            message=self.message,
            phase=self.text,
            standing=self.standing,
            period=self.period,
            orbit=tuple(points),
            orbit_of=points_of if points else "",
            lyapunov=self.lyapunov,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The last steps of a run.

    Attributes
    ----------
    step : int
        The last step, k.
    error : ndarray, shape (m,)
        Signed error or its norm; zero at a minimum.
    states : ndarray, shape (m, d)
        What must repeat for the run to be periodic: the weights, or the error as one column.
    scale : float
        Size of errors that count as large, for example the target's magnitude.
    first_error : float or None
        Magnitude of the error at step 0, to tell exponential from slower decay.
    diverged_at : int or None
    lyapunov : float or None
        Largest Lyapunov exponent per step over the window, if known.
    multiplier : float or None
        Factor by which a small error is multiplied per step at the last state, if known.
    rest : ndarray or None
        The last distances from an equilibrium that is no minimum (for example the largest
        weight), its value at step 0 in `first_rest` and its name in `rest_name`.
    """

    step: int
    error: Array
    states: Array
    scale: float = 1.0
    first_error: float | None = None
    diverged_at: int | None = None
    lyapunov: float | None = None
    multiplier: float | None = None
    rest: Array | None = None
    first_rest: float | None = None
    rest_name: str = "0"


def classify(window: Window) -> Phase:
    """Say in which phase a run is."""
    if window.diverged_at is not None:
        text = f"diverged at k = {window.diverged_at}"
        message = f"The run left the range of useful numbers at step {window.diverged_at}."
        return Phase(
            kind=OutcomeKind.DIVERGED, text=text, message=message, lyapunov=window.lyapunov
        )
    if window.error.size < SHORT:
        return Phase(
            kind=OutcomeKind.MAX_STEPS,
            text="starting",
            message="Too few steps to tell.",
            lyapunov=window.lyapunov,
        )
    for look in (_resting, _periodic, _approaching, _sinking, _wandering):
        phase = look(window)
        if phase is not None:
            return phase
    return Phase(
        kind=OutcomeKind.MAX_STEPS,
        text="transient",
        message="Neither settled nor periodic over the recorded steps.",
        lyapunov=window.lyapunov,
    )


def _resting(window: Window) -> Phase | None:
    """Recognise a state that does not move any more."""
    tail = window.states[-max(SHORT, window.states.shape[0] // 4) :]
    size = max(float(np.max(np.abs(tail))), 1e-300)
    if float(np.max(np.ptp(tail, axis=0))) > NOISE * size:
        return None
    error = abs(float(window.error[-1]))
    if error > CONVERGED * window.scale:
        at_rest = window.rest is not None and float(window.rest[-1]) <= CONVERGED
        place = window.rest_name if at_rest else "a point that is no minimum"
        return Phase(
            kind=OutcomeKind.CONVERGED if at_rest else OutcomeKind.CONVERGING,
            text=f"at rest at {place}",
            standing=Standing.AT_SADDLE if at_rest else Standing.AT_NO_MINIMUM,
            lyapunov=window.lyapunov,
            message=f"The run rests at {place}; the gradient vanishes there, the error does not.",
        )
    return _converged(window, "")


def _converged(window: Window, manner: str) -> Phase:
    factor = window.multiplier
    if factor is not None and abs(factor) > 1.0 + 1e-9:
        return Phase(
            kind=OutcomeKind.CONVERGED,
            text="on an unstable minimum",
            standing=Standing.AT_UNSTABLE_MINIMUM,
            lyapunov=window.lyapunov,
            message="The run stands exactly on a minimum that is unstable at this step size; "
            "the smallest push would drive it away.",
        )
    if not manner and factor is not None and factor != 0.0:
        manner = "oscillating" if factor < 0.0 else "monotone"
    text = f"converged ({manner})" if manner else "converged"
    return Phase(
        kind=OutcomeKind.CONVERGED,
        text=text,
        standing=Standing.AT_MINIMUM,
        lyapunov=window.lyapunov,
        rate=None if factor is None else abs(factor),
        message="The run has reached a minimum.",
    )


def _periodic(window: Window) -> Phase | None:
    """Recognise a cycle, or an approach to one that is almost over."""
    x = window.states
    m = x.shape[0]
    size = max(float(np.max(np.abs(x[-min(m, 3 * MAX_PERIOD) :]))), 1e-300)
    for p in range(2, min(MAX_PERIOD, m // 3) + 1):
        change = gap(x, p, p)
        if change > 0.02 * 2.0 * size:
            continue
        apart = min(gap(x, q, p) for q in range(1, p) if p % q == 0)
        if apart <= DISTINCT * size or change > 0.02 * apart:
            continue
        exact = gap(x, p, 2 * p) <= REPEATS * size
        if not exact and not settles(x, p, apart):
            continue
        held = exact and window.lyapunov is not None and window.lyapunov > 1e-6
        return Phase(
            kind=OutcomeKind.OSCILLATING,
            text=f"period {p}",
            period=p,
            orbit=x[-p:].copy(),
            lyapunov=window.lyapunov,
            message=f"The run repeats itself every {p} steps and does not converge."
            + (" The cycle is unstable; exact numbers hold the run on it." if held else ""),
        )
    return None


def _envelope(values: Array) -> Array:
    """Return the largest magnitudes of the window's four quarters."""
    return np.array([float(np.max(np.abs(part))) for part in np.array_split(values, 4)])


def _decay(values: Array, step: int, first: float | None) -> tuple[float, bool]:
    """Return the factor per step of a shrinking series, and whether it is slower than exponential.

    Exponential decay from the start would have made log(first / last) equal to the present rate
    times k; a power law is far beyond that.
    """
    peaks = _envelope(values)
    span = 0.75 * values.size
    if peaks[-1] <= 0.0:
        return 0.0, False
    rate = (math.log(peaks[0]) - math.log(peaks[-1])) / span
    slow = False
    if first is not None and first > 0.0 and step > 4 * SHORT:
        slow = math.log(first) - math.log(peaks[-1]) > 2.0 * rate * step + 0.1
    return math.exp(-rate), slow


def _approaching(window: Window) -> Phase | None:
    """Recognise an error that shrinks to zero."""
    error = window.error
    loud = np.abs(error) > ROUNDING * window.scale
    if _is_small(error, window.scale):
        return _converged(window, _manner(error[loud]))
    peaks = _envelope(error)
    if not all(later < sooner for sooner, later in pairwise(peaks)) or _levels_off(peaks):
        return None
    if window.rest is not None and _shrinks(window.rest) and not _halves(peaks, window):
        return None
    rate, slow = _decay(error, window.step, window.first_error)
    manner = _manner(error)
    text = f"{manner}, sublinear" if slow else manner
    speed = "slower than exponentially" if slow else f"by a factor {rate:.6g} per step"
    return Phase(
        kind=OutcomeKind.CONVERGING,
        text=text,
        standing=Standing.NEARING_MINIMUM,
        rate=rate,
        sublinear=slow,
        lyapunov=window.lyapunov,
        message=f"The error shrinks {speed} ({manner}).",
    )


def _levels_off(peaks: Array) -> bool:
    """Return whether shrinking peaks, carried on as they are, end clearly above 0.

    Aitken's extrapolation ends at 0 for exponential decay, at 2/3 of the last peak for a decay like
    1 / sqrt(k) seen late, and near the last peak where the run settles on a cycle.
    """
    first, second = peaks[1] - peaks[2], peaks[2] - peaks[3]
    if second >= first:
        return False
    return bool(peaks[3] - second * second / (first - second) > 0.85 * peaks[3])


def _is_small(error: Array, scale: float) -> bool:
    """Return whether the last errors are negligible and do not grow, as at an unstable minimum."""
    last = float(np.max(np.abs(error[-SHORT:])))
    before = float(np.max(np.abs(error[-2 * SHORT : -SHORT]), initial=0.0))
    return last <= ROUNDING * scale or (last <= CONVERGED * scale and last <= before)


def _halves(peaks: Array, window: Window) -> bool:
    """Return whether the error is on its way to 0 rather than to a nonzero limit."""
    first = window.first_error if window.first_error is not None else peaks[0]
    return bool(peaks[-1] < 0.5 * min(first, window.scale))


def _shrinks(values: Array) -> bool:
    return bool(np.all(np.diff(values) <= 0.0) and values[-1] < values[0])


def _manner(error: Array) -> str:
    """Return "monotone" where the error keeps its sign and shrinks at every step."""
    if error.size < 2:
        return ""
    falling = np.diff(np.abs(error)) <= 0.0
    one_sign = bool(np.all(error > 0.0) or np.all(error < 0.0))
    return "monotone" if one_sign and bool(np.all(falling)) else "oscillating"


def _sinking(window: Window) -> Phase | None:
    """Recognise an approach to an equilibrium that is no minimum."""
    if window.rest is None or not _shrinks(window.rest):
        return None
    rate, slow = _decay(window.rest, window.step, window.first_rest)
    manner = "sublinearly" if slow else "exponentially"
    return Phase(
        kind=OutcomeKind.CONVERGING,
        text=f"converging to {window.rest_name}, {manner}",
        standing=Standing.NEARING_SADDLE,
        rate=rate,
        sublinear=slow,
        lyapunov=window.lyapunov,
        message=f"The weights sink to {window.rest_name}, an equilibrium that is no minimum, "
        f"{manner}.",
    )


def _wandering(window: Window) -> Phase | None:
    """Recognise motion that neither settles nor repeats."""
    m = window.error.size
    if m < 3 * MAX_PERIOD:
        return None
    peaks = _envelope(window.states - np.mean(window.states, axis=0))
    recurrent = float(np.min(peaks)) > 0.3 * float(np.max(peaks))
    chaotic = window.lyapunov is not None
    # An exponent from few steps is uncertain: a slow approach to a cycle looks like chaos at first.
    least = 0.0 if m >= LONG else 0.05
    if not recurrent or (window.lyapunov is not None and window.lyapunov <= least):
        return None
    return Phase(
        kind=OutcomeKind.APERIODIC,
        text="aperiodic",
        lyapunov=window.lyapunov,
        message="The run neither converges nor repeats itself"
        + (", and neighbouring runs part exponentially." if chaotic else "."),
    )
