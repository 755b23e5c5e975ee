"""Whether a decoupled matrix network stays decoupled: exponents across its eigenspaces."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations

import numpy as np

from engine.analysis.exponents import exponent_of
from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.outcome import Exponent, OutcomeKind
from engine.families.matrix.evidence import Evidence, lamps

TRANSIENT, STEPS = 1024, 4096
"""Steps of the scalar orbits that are left out, and those that are averaged over."""
LONG = 32768
"""Both of them where these leave open whether an exponent is 0."""
SIGMAS = 3.0
"""Standard errors by which an exponent must be off 0, or off what a neutral one can show."""
OPEN = 2e-3
"""Size up to which an exponent is measured over `LONG` steps."""
LINEAR = math.log(2.0) / LONG
"""Exponent that linear growth shows over those: displacements along the minima grow so at most."""
EXACT = 1e-9
"""Size up to which an exponent is 0 to rounding."""
SAME = 1e-9
"""Relative difference below which two eigenvalues are one, which no displacement mixes."""
MOST = 12
"""Distinct eigenvalues, the largest in magnitude, of which all pairs are looked at."""
_BOUND = 1e-9
"""Relative distance within which a step size counts as equal to a bound."""

_Growth = Callable[[int, FloatArray], bool]
"""Writes log growths after a transient; returns whether the orbits stay bounded."""


@dataclass(frozen=True, slots=True)
class Transverse:
    """What displacements from a decoupled motion do.

    Attributes
    ----------
    exponent : Exponent or None
        The largest of all; None where a scalar orbit diverges.
    """

    exponent: Exponent | None

    @property
    def is_stable(self) -> bool | None:
        """Whether no displacement grows exponentially; None where that is not known.

        Neutral displacements, which a symmetry leads along, keep their size or grow linearly.
        """
        if self.exponent is None:
            return None
        value, margin = self.exponent.value, SIGMAS * (self.exponent.error or 0.0)
        if value > LINEAR + margin:
            return False
        is_neutral = abs(value) <= LINEAR and margin <= LINEAR
        return True if value < -margin or is_neutral else None


@lru_cache(maxsize=64)
def transverse(step: float, depth: int, eigenvalues: tuple[float, ...]) -> Transverse:
    """Compute the largest transverse exponent of the motion from the identity.

    Displacements mix two eigenspaces, or draw the equal weights of one apart.

    Parameters
    ----------
    step : float
    depth : int
    eigenvalues : tuple of float
        Distinct ones of a normal R.
    """
    from engine.kernels.matrix.transverse import mixing_growth
    from engine.kernels.scalar.parting import parting_growth

    growths: list[tuple[str, _Growth]] = []
    for value in eigenvalues if depth > 1 else ():
        of = f"drawing the weights of λ = {_short(value)} apart"
        growths.append((of, partial(parting_growth, step, depth, value, 1.0)))
    for first, second in combinations(eigenvalues, 2):
        of = f"mixing λ = {_short(first)} and {_short(second)}"
        growths.append((of, partial(mixing_growth, step, depth, first, second, 1.0)))
    found: list[Exponent] = []
    for of, growth in growths:
        exponent = _exponent(growth, of)
        if exponent is None:
            return Transverse(None)
        found.append(exponent)
    return Transverse(max(found, key=lambda each: each.value, default=None))


def _exponent(growth: _Growth, of: str) -> Exponent | None:
    """Measure an exponent, over more steps where it may be 0; None where an orbit diverges."""
    exponent = _measured(growth, of, TRANSIENT, STEPS)
    if exponent is None:
        return None
    margin = SIGMAS * (exponent.error or 0.0)
    is_zero = abs(exponent.value) <= EXACT and margin <= EXACT
    if is_zero or not -margin <= exponent.value <= OPEN + margin:
        return exponent
    return _measured(growth, of, LONG, LONG)


def _measured(growth: _Growth, of: str, transient: int, steps: int) -> Exponent | None:
    logs = np.empty(steps)
    return exponent_of(logs, of) if growth(transient, logs) else None


def _short(value: float) -> str:
    return f"{value:.6g}" if abs(value) > SAME else "0"


def distinct(values: FloatArray) -> tuple[float, ...]:
    """Return the distinct eigenvalues, the largest in magnitude first, `MOST` at most."""
    kept: list[float] = []
    for value in sorted(values.tolist(), key=lambda each: (-abs(each), each)):
        scale = max(abs(value), abs(kept[0]) if kept else 0.0)
        if all(abs(value - other) > SAME * scale for other in kept):
            kept.append(float(value))
    return tuple(kept[:MOST])


def decoupling(evidence: Evidence) -> Claim:
    """Confront the scalar maps of the eigenvalues with the run, beyond the edge of stability."""
    problem, step = evidence.problem, evidence.step_size
    limit = problem.norm_bound
    lamp = lamps(evidence, positive=False)
    above = Lamp(
        "Step size is above the bound",
        step > limit * (1 + _BOUND),
        f"δ = {step:.6g}, bound {limit:.6g}",
    )
    keys = ("moment", "real", "orthogonal", "identity", "descent")
    assumptions = [*(lamp[key] for key in keys), above]
    found = None
    if all(each.on for each in assumptions):
        values = distinct(problem.target.eigenvalues.real)
        found = transverse(step, problem.depth, values)
        is_bounded = found.exponent is not None
        assumptions.append(Lamp("The scalar maps stay bounded", is_bounded))
        assumptions.append(
            Lamp(
                "Transversally stable",
                found.is_stable,
                "" if found.exponent is None else f"largest exponent {found.exponent}",
            )
        )
    applies = all(each.on is not False for each in assumptions)
    diverged = evidence.outcome.kind is OutcomeKind.DIVERGED
    verdict = Verdict.VIOLATED if diverged else Verdict.HOLDS
    if any(each.on is None for each in assumptions):
        verdict = Verdict.UNDECIDED
    return Claim(
        id="decoupling",
        title="Beyond the edge each eigenvalue follows its scalar map",
        source="proof of Theorem 1, beyond its bound",
        statement="From W_i[0] = I with Σ = I and a normal R the parts of the matrices in each "
        "eigenspace follow w ← w − δw^(L−1)(w^L − λ), and the run stays bounded as these maps do, "
        "if no displacement out of this motion grows.",
        assumptions=tuple(assumptions),
        predicted="bounded" if applies else "nothing",
        measured=evidence.fate,
        verdict=verdict if applies else Verdict.NOT_APPLICABLE,
        note=_note(found, diverged=diverged),
    )


def _note(found: Transverse | None, *, diverged: bool) -> str:
    if found is None or found.exponent is None or found.is_stable is not False:
        return "The scalar maps alone do not say what displacements that mix eigenspaces do."
    end = " Here it diverged, though they stay bounded." if diverged else ""
    return (
        "In exact arithmetic the eigenspaces stay apart. But displacements "
        f"{found.exponent.of} grow, from rounding at first, {math.exp(found.exponent.value):.4g} "
        f"times a step: the run leaves the scalar maps.{end}"
    )
