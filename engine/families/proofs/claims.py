"""What is proved of a run's dynamics, as claims beside those of the theory."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from engine.analysis.regions.interval import Interval
from engine.analysis.regions.sublevel import Level
from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.outcome import OutcomeKind
from engine.families.proofs.proofs import NEAR, TINY_LEVEL, Proofs
from engine.families.proofs.task import Attractor
from engine.text.numbers import short, short_below, whole

SOURCE = "interval arithmetic with outward rounding"
MEANING = (
    "Of the map in exact arithmetic, with the parameters as the floats that they are; a run in "
    "floats follows it to rounding."
)
_NAMES = {
    "loss": "V = f",
    "quadratic": "V = (w − w*)ᵀP(w − w*)",
    "typed": "V typed",
}
_RESTLESS = (OutcomeKind.DIVERGED, OutcomeKind.OSCILLATING, OutcomeKind.APERIODIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A run as these claims see it.

    Attributes
    ----------
    start, now : ndarray, shape (d,)
        Points of the map.
    kind : OutcomeKind
    lamps : tuple of Lamp
        What a proof needs of the law of motion.
    is_steady : bool
        Whether the law was the same since the start.
    epsilon : float
    function : str
        Which V is looked at.
    """

    start: FloatArray
    now: FloatArray
    kind: OutcomeKind
    lamps: tuple[Lamp, ...]
    is_steady: bool
    epsilon: float
    function: str


def claims(proofs: Proofs | None, seen: Seen) -> tuple[Claim, ...]:
    """Return what is proved; `proofs` is None while it is being proved, or cannot be."""
    made = [_attractor(proofs, seen), _definition(proofs, seen)]
    if proofs is None or proofs.region is not None or proofs.scattered is not None:
        made.append(_region(proofs, seen))
    made.append(_level(proofs, seen))
    return tuple(made)


def _verdict(lamps: tuple[Lamp, ...], proofs: Proofs | None, holds: bool | None) -> Verdict:
    if any(lamp.on is False for lamp in lamps):
        return Verdict.NOT_APPLICABLE
    if proofs is None or holds is None:
        return Verdict.UNDECIDED
    return Verdict.HOLDS if holds else Verdict.VIOLATED


def _waiting(seen: Seen) -> str:
    on = all(lamp.on for lamp in seen.lamps)
    return "being proved" if on else "nothing is tried"


def named(attractor: Attractor) -> str:
    """Name an attractor in a few words."""
    if attractor.kind == "none":
        return "no equilibrium or cycle of at most 8 points is reached"
    if attractor.kind == "manifold":
        return "a minimum on a manifold of minima"
    if attractor.cycle is None:
        return f"{attractor.kind} seen, its existence not proved"
    period = attractor.cycle.period
    return (
        "an equilibrium that exists" if period == 1 else f"a cycle of period {period} that exists"
    )


def stability_in_words(attractor: Attractor) -> str:
    """Return what is proved of the stability of an attractor."""
    if attractor.is_stable is None:
        return "stability not proved"
    if attractor.is_stable:
        return "stable, proved"
    if attractor.cycle is None:  # of whatever equilibrium there is
        return f"every equilibrium within {short(NEAR)} of it is unstable, proved"
    return "unstable, proved"


def _attractor(proofs: Proofs | None, seen: Seen) -> Claim:
    found = None if proofs is None else proofs.attractor
    measured = _waiting(seen)
    if found is not None:
        text = "" if found.kind == "none" else f": {stability_in_words(found)}"
        measured = named(found) + text
    return Claim(
        id="proved-attractor",
        title="What a run from the start comes to is stable",
        source=SOURCE,
        statement="The equilibrium exists and attracts all that starts near it; so does the cycle. "
        "On a manifold of minima a start near the minimum converges to a minimum near it; with "
        "momentum, a start whose velocity is small, too.",
        assumptions=seen.lamps,
        predicted="stable",
        measured=measured,
        verdict=_verdict(seen.lamps, proofs, None if found is None else found.is_stable),
        note=MEANING,
    )


def _definition(proofs: Proofs | None, seen: Seen) -> Claim:
    found = None if proofs is None else proofs.attractor
    at_rest = None if found is None else found.kind in ("equilibrium", "manifold")
    lamps = (*seen.lamps, Lamp("The run comes to an equilibrium", at_rest))
    delta = None if found is None else found.delta
    measured = _waiting(seen) if found is None else "no radius r is proved for this ε"
    if delta is not None:
        measured = f"r = {short_below(delta, 6)} for ε = {short(seen.epsilon, 6)}, proved"
    return Claim(
        id="proved-definition",
        title="Stability by its definition: a radius r for this ε",
        source=f"Lyapunov's definition (Figure 1); {SOURCE}",
        statement="Every run that begins closer than r to the equilibrium stays closer than ε.",
        assumptions=lamps,
        predicted=f"a radius r for ε = {short(seen.epsilon, 6)}",
        measured=measured,
        verdict=_verdict(lamps, proofs, True if delta is not None else None),
        note="The radius r that is proved is not the largest. On a manifold of minima the "
        "equilibrium is the minimum to which a run from where this run has settled converges. With "
        "momentum, distances are those of weights and velocity together.",
    )


def _region(proofs: Proofs | None, seen: Seen) -> Claim:
    region = None if proofs is None else proofs.region
    is_inside = None
    measured = _waiting(seen)
    if proofs is not None and region is not None:
        is_inside = bool(proofs.holds(seen.start[None])[0])
        measured = region_in_words(proofs)
    elif proofs is not None and proofs.scattered is not None:
        is_same = proofs.task.start is not None and np.array_equal(proofs.task.start, seen.start)
        is_inside = proofs.scattered.is_start_proved if is_same else None  # else it was pushed
        measured = "; ".join(share_parts(proofs))
    lamps = (
        *seen.lamps,
        Lamp("The law was the same all along", seen.is_steady),
        Lamp("The run began in the proved region", is_inside),
    )
    holds = None
    if proofs is not None and is_inside:
        wrong = _RESTLESS if proofs.attractor.kind != "cycle" else (OutcomeKind.DIVERGED,)
        holds = seen.kind not in wrong
    return Claim(
        id="proved-region",
        title="Every run from the proved region comes to the attractor",
        source=SOURCE,
        statement="One step after another, the boxes of the region are mapped into it and at last "
        "to where all runs are known to converge: to the cycle, or to minima of the manifold. In "
        "three and more dimensions starts are followed one by one, by boxes as small as rounding.",
        assumptions=lamps,
        predicted="converges" if is_inside else "nothing of this start",
        measured=measured,
        verdict=_verdict(lamps, proofs, holds),
        note=MEANING,
    )


def region_in_words(proofs: Proofs) -> str:
    """Describe how large the proved region is, or which box was the first in doubt."""
    return "; ".join(part for part in region_parts(proofs) if part)


def region_parts(proofs: Proofs) -> tuple[str, str]:
    """Return what is said of the region: the result, and what it took."""
    region, point = proofs.region, proofs.attractor.point
    if region is None:
        return "no region", ""
    effort = _effort(region.boxes, region.seconds)
    if not region.proved.any():
        plane = proofs.task.coordinates
        doubtful = None if point is None else region.doubtful(plane.matrix @ point)
        names = f" of {' and '.join(plane.names)}" if plane.names else ""
        where = "" if doubtful is None else f": first doubtful box{names} {box_in_words(doubtful)}"
        return f"not proved{where}", effort
    what = "length" if len(region.grid.shape) == 1 else "area"
    text = f"proved: {what} {short_below(proofs.volume, 5)}"
    if proofs.share is not None:
        text += f", {_percent(proofs.share)} of the basin measured"
    return text, effort


def share_parts(proofs: Proofs) -> tuple[str, str]:
    """Return what is said of starts that are proved one by one: the result, and how."""
    found = proofs.scattered
    if found is None:
        return "no region", ""
    how = f"{whole(len(found.starts))} random starts of the domain, followed by enclosures"
    if not found.proved.any():
        carried = proofs.task.law.carried is not None and proofs.attractor.kind == "manifold"
        why = (
            "with momentum on a manifold of minima only the radius r is proved"
            if carried
            else ("no start's run comes to where convergence is proved")
        )
        return f"not proved: {why}", how
    text = f"proved one by one: {_percent(found.proved_share)} of the domain"
    return f"{text}; {_percent(found.seen_share)} seen to come there", how


def _percent(share: tuple[float, float]) -> str:
    value, error = (100.0 * part for part in share)
    digits = max(1 - math.floor(math.log10(error)), 0)
    return f"{value:.{digits}f} ± {error:.{digits}f} %"


def _effort(boxes: int, seconds: float) -> str:
    """Write how many boxes a proof took, and how long; `without_time` takes the time out."""
    return f"{whole(boxes)} box{'es' if boxes != 1 else ''}, {short(seconds, 2)} s"


_TIME = re.compile(r"(?<=\d box|boxes), ([^,;]+?) s(?![^\s;.,)])")


def without_time(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what a claim says without the seconds that its proofs took, and those seconds."""
    return _TIME.sub("", text), tuple(_TIME.findall(text))


def box_in_words(box: Interval) -> str:
    """Write a box, shape (n,), as a product of intervals."""
    parts = []
    for a, b in zip(box.lo.tolist(), box.hi.tolist(), strict=True):
        digits = next(
            (digits for digits in range(4, 17) if short(a, digits) != short(b, digits)), 16
        )
        parts.append(f"[{short(a, digits)}, {short(b, digits)}]" if a < b else f"{short(a, 5)}")
    return " × ".join(parts)


def level_in_words(proofs: Proofs, level: Level) -> str:
    """Describe which level is proved, and what bounds it."""
    return "; ".join(level_parts(proofs, level))


def level_parts(proofs: Proofs, level: Level) -> tuple[str, str]:
    """Return what is said of a level: the result, and what bounds it and what it took."""
    where = "" if level.doubtful is None else box_in_words(level.doubtful)
    names = proofs.task.coordinates.names
    if names and proofs.region is not None and level is proofs.region.loss_level:
        where = f"of {' and '.join(names)} {where}"
    bound = f"border of the domain at {where}" if level.is_border else f"first doubtful box {where}"
    effort = f"{bound}; {_effort(level.boxes, level.seconds)}"
    return (
        "not proved" if level.value is None else f"proved for V < {short_below(level.value, 6)}",
        effort,
    )


def _level(proofs: Proofs | None, seen: Seen) -> Claim:
    level = None if proofs is None else proofs.levels.get(seen.function)
    lamps = seen.lamps
    measured, holds = _waiting(seen), None
    if proofs is not None:
        is_known = level is not None
        lamps = (
            *lamps,
            Lamp("This V can be tried here", is_known, _why_not(seen, proofs, is_known)),
        )
        measured = "nothing is tried"
    if proofs is not None and level is not None:
        measured = level_in_words(proofs, level)
        holds = True if level.value is not None else None
        ends = np.stack([seen.start, seen.now])
        if level.value is not None and seen.is_steady and np.isfinite(ends).all():
            v = proofs.functions[seen.function].value(Interval.point(ends))
            is_within = _within(proofs, seen.start)
            if proofs.attractor.kind == "manifold":
                is_within = bool(proofs.holds_uncut(seen.start[None])[0])
            began_inside = bool(v.hi[0] < level.value) and is_within
            is_there = seen.function == "typed" and proofs.is_at_rest(seen.now)
            holds = not (began_inside and not is_there and bool(v.lo[1] > v.hi[0]))
    end = "at an equilibrium"
    if seen.function == "typed":
        end = f"within the ball (w − w*)ᵀP(w − w*) ≤ {short(TINY_LEVEL)}, where it stays"
    return Claim(
        id="proved-level",
        title="V falls along every run below a level",
        source=SOURCE,
        statement="From where V is less than the level, within the domain, every step lowers V "
        f"until the run is {end}, and no run leaves; on a manifold of minima this is "
        "said of starts in that part of the proved region for which no box had to be cut.",
        assumptions=lamps,
        predicted=_NAMES.get(seen.function, seen.function),
        measured=measured,
        verdict=_verdict(lamps, proofs, holds),
        note=MEANING,
    )


def _within(proofs: Proofs, point: FloatArray) -> bool:
    return bool(((point >= proofs.task.low) & (point <= proofs.task.high)).all())


def _why_not(seen: Seen, proofs: Proofs, is_known: bool) -> str:
    if is_known:
        return ""
    if seen.function == "loss":
        return "with momentum the loss alone is no function of the state that could fall"
    if proofs.attractor.kind == "manifold":
        return "on a manifold of minima V = f alone is tried: others need an isolated equilibrium"
    return "it needs an isolated equilibrium whose stability is proved"
