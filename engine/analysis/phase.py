"""The phase of a run, read off its last steps: converging, periodic, aperiodic or diverged.

A classification looks at a window of consecutive recorded steps, and at what is known of the run's
equilibria. What the window does not decide stays undecided: a word is shown only where chance, a
slow transient or rounding cannot have made it. It knows float noise: what moves by less than a few
units in the last place of the run's own scale does not move.
Used for the phase badge of every experiment; vector states are welcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.analysis.cycles import MAX_PERIOD, find_cycle, repeats_nowhere
from engine.analysis.decay import Decay, decay_of
from engine.analysis.exponents import settled
from engine.analysis.window import Window
from engine.core.outcome import CONVERGED, Exponent, Outcome, OutcomeKind, Standing

Array = npt.NDArray[np.float64]

NOISE = 1e-13
"""Relative motion below which a state counts as resting."""
ROUNDING = 1e-12
"""Relative error below which rounding may be all there is, deep networks included."""
NEAR = 0.1
"""Relative error below which the sharpness at the minimum ahead is near that of the run."""
FAR_DOWN = 0.01
"""Relative error below which one that falls at every step falls to 0, where the rate lets it."""
SLOWING = 0.2
"""Largest `Decay.bend` of a mixture of exponentials that goes to 0; a limit other than 0 is then at
most a sixth of the error."""
SHARPENS = 2.5
"""Relative growth of the sharpness up to the minimum over the relative error, at most."""
NEUTRAL = 1e-9
"""Distance of a factor from 1 in magnitude within which it is neither above nor below."""
SIGMAS = 5.0
"""Standard errors by which an exponent must be above 0 before the run is called chaotic."""
PARTED = 8.0
"""Least log growth of a displacement over the window before the run is called chaotic."""
STEADY = 0.5
"""Least ratio of the spreads of two quarters of motion that does not die down, and of its largest
step to its spread."""
SHORT = 8
"""A window of fewer steps says nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What a window shows.

    `text` is the badge ("monotone", "period 2", "diverged at k = 41"), `message` a sentence,
    `standing` what both say of rest, `orbit` has one row per point of a cycle (in order of time),
    `rate` is the factor by which the error shrinks per step where it does, `exponents` those known,
    the largest first.
    """

    kind: OutcomeKind
    text: str
    message: str
    standing: Standing = Standing.OPEN
    period: int | None = None
    orbit: Array | None = None
    exponents: tuple[Exponent, ...] = ()
    rate: float | None = None
    sublinear: bool = False

    @property
    def lyapunov(self) -> float | None:
        """The largest Lyapunov exponent, if one is known."""
        return self.exponents[0].value if self.exponents else None

    def points(self, column: int = 0) -> tuple[float, ...]:
        """Return one number of every point of the cycle, in order of time; none without a cycle."""
        return () if self.orbit is None else tuple(float(row[column]) for row in self.orbit)

    def outcome(
        self, step: int, points: Sequence[float], points_of: str, since: int | None = None
    ) -> Outcome:
        """Return it as the outcome of a run.

        Parameters
        ----------
        step : int
            The step it is about, or that at which the run diverged.
        points : sequence of float
            The points of the cycle as they are shown, empty without one.
        points_of : str
            What they are values of.
        since : int or None
            The step of the last change or push, after which the window begins.
        """
        return Outcome(
            kind=self.kind,
            step=step,
            message=self.message + ("" if since is None else f" Judged since k = {since}."),
            phase=self.text,
            standing=self.standing,
            period=self.period,
            orbit=tuple(points),
            orbit_of=points_of if points else "",
            lyapunov=self.lyapunov,
            exponents=self.exponents,
            since=since,
        )


def classify(window: Window) -> Phase:
    """Classify the phase of a run."""
    if window.diverged_at is not None:
        text = f"diverged at k = {window.diverged_at}"
        message = f"The run left the range of useful numbers at step {window.diverged_at}."
        return Phase(kind=OutcomeKind.DIVERGED, text=text, message=message)
    if window.error.size < SHORT:
        return Phase(
            kind=OutcomeKind.MAX_STEPS,
            text="starting",
            message="Too few steps to tell.",  # of exponents, too
        )
    for look in (
        _resting,
        _small,
        _linear,
        _periodic,
        _approaching,
        _sinking,
        _wandering,
        _transient,
    ):
        phase = look(window)
        if phase is not None:
            return phase
    return _undecided(window)


def _undecided(window: Window) -> Phase:
    """Describe what the window shows where it decides nothing."""
    leaving, few = window.can_rest is False, window.error.size < 3 * MAX_PERIOD
    message = "Neither settled nor periodic over the steps seen"
    message += "." if few else f"; periods up to {MAX_PERIOD} are looked for."
    if leaving:
        message += " No minimum is stable at this step size."
    return Phase(
        kind=OutcomeKind.MAX_STEPS, text="transient", message=message, exponents=window.exponents()
    )


def _transient(window: Window) -> Phase | None:
    """Recognise motion to and fro that does not die down, where no minimum is stable.

    It may be chaos, a cycle of a long period, or still on its way to a shorter one; a minimum it
    cannot reach, and a saddle is not approached to and fro in steady motion.
    """
    x = window.states
    if window.can_rest is not False or window.rest is not None or x.shape[0] < 4 * SHORT:
        return None
    quarters = np.array_split(x, 4)
    spreads = [float(np.max(np.ptp(quarter, axis=0))) for quarter in quarters]
    steps = [float(np.max(np.abs(np.diff(quarter, axis=0)))) for quarter in quarters]
    steady = min(spreads) > STEADY * max(spreads) > NOISE * float(np.max(np.abs(x)))
    if not steady or min(steps) < STEADY * float(np.max(np.ptp(x, axis=0))):
        return None
    longest = min(MAX_PERIOD, x.shape[0] // 3)
    return Phase(
        kind=OutcomeKind.OSCILLATING,
        text="oscillating, no period found",
        exponents=window.exponents(),
        message="The run moves to and fro; no minimum is stable at this step size, and no period "
        f"up to {longest} is seen.",
    )


def _resting(window: Window) -> Phase | None:
    """Recognise a state that does not move any more."""
    tail = window.states[-max(SHORT, window.states.shape[0] // 4) :]
    size = max(float(np.max(np.abs(tail))), 1e-300)
    moves = float(np.max(np.ptp(tail, axis=0)))
    if moves > NOISE * size:
        return None
    error = abs(float(window.error[-1]))
    if error <= CONVERGED * window.scale:
        return _converged(window, "", stands=moves == 0.0)
    at_rest = window.rest is not None and float(window.rest[-1]) <= CONVERGED
    if moves > 0.0 and not at_rest:
        return None  # it may be creeping away from a saddle
    if window.rest is not None and window.repels is not None and window.repels(1):
        return _passing(window)
    if not at_rest and window.rest is not None and window.rest_is_neutral:
        return _creeping(window)
    place = window.rest_name if at_rest else "a point that is no minimum"
    what = "gradient vanishes" if at_rest else "steps vanish"
    return Phase(
        kind=OutcomeKind.CONVERGED if at_rest else OutcomeKind.CONVERGING,
        text=f"at rest at {place}",
        standing=Standing.AT_SADDLE if at_rest else Standing.AT_NO_MINIMUM,
        exponents=window.exponents(),
        message=f"The run rests at {place}; the {what} there, the error does not.",
    )


def _passing(window: Window) -> Phase:
    """Describe a run that is near a saddle, where exact numbers would stay and rounded ones not."""
    return Phase(
        kind=OutcomeKind.MAX_STEPS,
        text=f"near {window.rest_name}",
        standing=Standing.NEARING_SADDLE,
        exponents=window.exponents(),
        message=f"The run is near {window.rest_name}, an equilibrium that is no minimum. Exact "
        "numbers would stay there; what rounding adds grows exponentially and drives it away.",
    )


def _creeping(window: Window) -> Phase:
    """Describe an approach as a power of k whose steps are too small for the numbers to change."""
    return Phase(
        kind=OutcomeKind.CONVERGING,
        text=f"converging to {window.rest_name}, sublinearly",
        standing=Standing.NEARING_SADDLE,
        sublinear=True,
        exponents=window.exponents(),
        message=f"The weights sink to {window.rest_name}, an equilibrium that is no minimum, "
        "sublinearly; a step is less than rounding by now.",
    )


def _converged(window: Window, manner: str, *, stands: bool) -> Phase | None:
    """Classify the minimum a run is at; None where the run cannot stay there and is leaving."""
    factor = window.multiplier
    repels = factor is not None and abs(factor) > 1.0 + NEUTRAL
    if repels or (factor is None and window.can_rest is False):
        if not stands:
            return None
        return Phase(
            kind=OutcomeKind.CONVERGED,
            text="on an unstable minimum",
            standing=Standing.AT_UNSTABLE_MINIMUM,
            exponents=window.exponents(),
            message="The run stands exactly on a minimum that is unstable at this step size; "
            "the smallest push would drive it away.",
        )
    message, stood = "The run has reached a minimum.", window.stays(NOISE)
    if stood:
        message = "The run began at a minimum and stays there."
    if factor is not None and abs(factor) >= 1.0 - NEUTRAL:
        manner = "neutral"
        message += " This step size is its largest stable one: errors neither grow nor shrink to "
        message += "first order."
    elif not manner and not stood and factor is not None and factor != 0.0:
        manner = "oscillating" if factor < 0.0 else "monotone"
    return Phase(
        kind=OutcomeKind.CONVERGED,
        text=f"converged ({manner})" if manner else "converged",
        standing=Standing.AT_MINIMUM,
        exponents=window.exponents(),
        rate=None if factor is None else abs(factor),
        message=message,
    )


def _small(window: Window) -> Phase | None:
    """Recognise an error that is negligible and does not grow, as it does at an unstable minimum.

    An orbit of chaos comes so near once in 10^10 steps, and is away again within few.
    """
    error = window.error
    last = float(np.max(np.abs(error[-SHORT:])))
    before = float(np.max(np.abs(error[-2 * SHORT : -SHORT]), initial=0.0))
    negligible = last <= ROUNDING * window.scale
    if not negligible and not (last <= CONVERGED * window.scale and last <= before):
        return None
    loud = np.abs(error) > ROUNDING * window.scale
    return _converged(window, _manner(error[loud]), stands=False)


def _linear(window: Window) -> Phase | None:
    """Decide a linear iteration by its factor, which is that of every step."""
    if not window.is_linear or window.multiplier is None:
        return None
    factor = window.multiplier
    size, manner = abs(factor), _manner(window.error)
    if size > 1.0 + ROUNDING:
        return Phase(
            kind=OutcomeKind.MAX_STEPS,
            text="unstable, growing",
            message=f"The largest factor of the iteration is {size:.12g}, above 1: the error "
            "grows and the run diverges in the end.",
            exponents=window.exponents(),
        )
    if size >= 1.0 - ROUNDING:
        return _periodic(window) or Phase(
            kind=OutcomeKind.MAX_STEPS,
            text="neutral",
            message="The largest factor of the iteration is 1 in magnitude: that part of the error "
            "neither grows nor shrinks.",
            exponents=window.exponents(),
        )
    return Phase(
        kind=OutcomeKind.CONVERGING,
        text=manner,
        standing=Standing.NEARING_MINIMUM,
        rate=size,
        exponents=window.exponents(),
        message=f"The error shrinks exponentially ({manner}), in the end by a factor {size:.9g} "
        "per step.",
    )


def _periodic(window: Window) -> Phase | None:
    """Recognise a cycle, or an approach to one that is almost over."""
    cycle = find_cycle(window.states, window.growth, is_whole=window.is_whole)
    if cycle is None:
        return None
    p = cycle.period
    if window.repels is not None and window.repels(p):
        return None
    exponents = window.exponents(p)
    neutral = window.is_linear
    held = not neutral and bool(exponents) and exponents[0].value > 1e-6
    if held and not cycle.is_exact:
        return None
    message = f"The run repeats itself every {p} steps and does not converge."
    if held:
        message += " The cycle is unstable; exact numbers hold the run on it."
    if neutral:
        message += " The cycle is neutral: at this step size errors neither grow nor shrink."
    return Phase(
        kind=OutcomeKind.OSCILLATING,
        text=f"period {p}",
        period=p,
        orbit=window.states[-p:].copy(),
        exponents=exponents,
        message=message,
    )


def _approaching(window: Window) -> Phase | None:
    """Recognise an error that shrinks to zero."""
    sinks = window.rest is not None and float(window.rest[-1]) > 0.0
    if window.can_rest is False or (sinks and not window.is_sure):
        return None
    decay = decay_of(window.error)
    if decay is None or not _nears(window, decay):
        return None
    manner = _manner(window.error)
    neutral = window.ahead is not None and abs(window.ahead - 1.0) <= ROUNDING
    exponential = not neutral and decay.is_exponential
    text = f"{manner}, sublinear" if neutral else manner
    speed = ""
    if neutral:
        speed = " slower than exponentially, as C/√k"
    elif exponential:
        speed = f" by a factor {decay.factor:.6g} per step"
    return Phase(
        kind=OutcomeKind.CONVERGING,
        text=text,
        standing=Standing.NEARING_MINIMUM,
        rate=decay.factor,
        sublinear=neutral,
        exponents=window.exponents(),
        message=f"The error shrinks{speed} ({manner}).",
    )


def _nears(window: Window, decay: Decay) -> bool:
    """Return whether a shrinking error is on its way to 0, and the minimum there can hold it."""
    near = decay.last / window.scale
    if window.is_sure or near > NEAR:
        return window.is_sure
    if window.ahead is not None:
        return window.ahead <= 1.0 + ROUNDING
    if window.multiplier is None or window.stability is None:
        falls = _manner(window.error) == "monotone" and near <= FAR_DOWN
        return decay.is_exponential or (
            falls and decay.fall >= 2.0 and 0.0 <= decay.bend <= SLOWING
        )
    return abs(window.multiplier) < 1.0 and window.stability * (1.0 + SHARPENS * near) <= 1.0


def _manner(error: Array) -> str:
    """Return "monotone" where the error keeps its sign and shrinks at every step."""
    if error.size < 2:
        return ""
    falling = np.diff(np.abs(error)) <= 0.0
    one_sign = bool(np.all(error > 0.0) or np.all(error < 0.0))
    return "monotone" if one_sign and bool(np.all(falling)) else "oscillating"


def _sinking(window: Window) -> Phase | None:
    """Recognise an approach to an equilibrium that is no minimum."""
    if window.rest is None:
        return None
    rest = window.rest
    decay = decay_of(rest)
    if decay is None or bool(np.any(np.diff(rest) > 0.0)):
        return None
    if window.repels is not None and window.repels(1):
        return _passing(window)
    slow = window.rest_is_neutral
    if slow is None and (decay.is_exponential or decay.is_power_law):
        slow = decay.is_power_law
    manner = {True: "sublinearly", False: "exponentially", None: ""}[slow]
    ending = f", {manner}" if manner else ""
    return Phase(
        kind=OutcomeKind.CONVERGING,
        text=f"converging to {window.rest_name}{ending}",
        standing=Standing.NEARING_SADDLE,
        rate=decay.factor,
        sublinear=bool(slow),
        exponents=window.exponents(),
        message=f"The weights sink to {window.rest_name}, an equilibrium that is no minimum"
        f"{ending}.",
    )


def _wandering(window: Window) -> Phase | None:
    """Recognise chaos: motion that neither settles nor repeats, and whose neighbours part.

    Without a Lyapunov exponent a slow approach to a cycle, or to a minimum round which the run
    turns, looks the same; such motion stays undecided.
    """
    found = window.exponents()
    if not found or window.growth is None or found[0].error is None:
        return None
    exponent = found[0]
    least = SIGMAS * (exponent.error or 0.0)
    halves = [float(np.sum(half)) for half in np.array_split(settled(window.growth), 2)]
    parts = exponent.value > least and min(halves) > 0.5 * PARTED
    if not parts or not repeats_nowhere(window.states):
        return None
    return Phase(
        kind=OutcomeKind.APERIODIC,
        text="aperiodic",
        exponents=found,
        message="The run neither converges nor repeats itself within "
        f"{MAX_PERIOD} steps, and neighbouring runs part exponentially.",
    )
