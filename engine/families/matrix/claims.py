"""Claims of Theorems 1 and 2 and of Proposition 3 for matrices, with their lamps."""

from __future__ import annotations

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.outcome import OutcomeKind
from engine.families.matrix.evidence import Evidence, lamps

EQUAL = 1e-5
"""Difference between entries of the matrices up to which they count as equal."""
MARGIN = 1e-9
"""Relative distance within which a step size counts as equal to a bound."""


def _judge(assumptions: tuple[Lamp, ...], verdict: Verdict) -> Verdict:
    return verdict if all(lamp.on for lamp in assumptions) else Verdict.NOT_APPLICABLE


def theorem_1(evidence: Evidence) -> Claim:
    """Confront Theorem 1 as printed: above the bound with the radius, no convergence."""
    target, depth = evidence.problem.target, evidence.problem.depth
    limit = theory.theorem1_bound(target.radius, depth)
    step = evidence.step_size
    lamp = lamps(evidence, positive=False)
    above = Lamp(
        "Step size is above the bound",
        step > limit * (1 + MARGIN),
        f"δ = {step:.6g}, bound {limit:.6g}",
    )
    assumptions = (
        *(lamp[key] for key in ("moment", "real", "diagonalisable", "orthogonal", "start")),
        lamp["descent"],
        above,
    )
    verdict = _verdict(evidence, expected=False)
    return Claim(
        id="theorem-1",
        title="Theorem 1: too large a step converges nowhere",
        source="Theorem 1",
        statement="If δ > 2/(L λ(R)^(2(L−1)/L)), no equilibrium with W_L…W_1 = R is stable and "
        "gradient descent cannot converge.",
        assumptions=assumptions,
        predicted="no convergence" if above.on else "nothing, below the bound",
        measured=evidence.fate,
        verdict=_judge(assumptions, verdict),
        note=_norm_note(evidence),
    )


def _norm_note(evidence: Evidence) -> str:
    problem = evidence.problem
    limit = 0.5 * evidence.params.curvature_limit * problem.norm_bound
    held = ""
    if evidence.top is not None and evidence.has_converged:
        held = (
            f" Here the minimum reached has λ_max(H) = {evidence.top:.6g}, at least "
            f"{problem.sharpness_bound:.6g}."
        )
    return (
        "With the spectral norm in place of the radius the conclusion holds for every R: no "
        f"global minimum is stable above δ = {limit:.6g}.{held}"
    )


def norm_theorem(evidence: Evidence) -> Claim:
    """Confront the corrected Theorem 1: above the bound with the norm, no convergence."""
    limit, step = evidence.problem.norm_bound, evidence.step_size
    params = evidence.params
    assumptions = (
        Lamp(
            "Gradient descent, fixed step, all points",
            params.is_plain and params.batch in ("full", "orthonormal"),
            f"{params.optimiser}, {params.step_rule} step, {params.batch} batch",
        ),
        Lamp(
            "Step size is above the bound",
            step > limit * (1 + MARGIN),
            f"δ = {step:.6g}, bound {limit:.6g}",
        ),
    )
    return Claim(
        id="theorem-1-norm",
        title="Theorem 1 with the spectral norm",
        source="Theorem 1, corrected",
        statement="For any R with ‖R‖₂ in place of λ(R): every global minimum has "
        "λ_max(H) ≥ L‖R‖₂^(2(L−1)/L), so none is stable if δ > 2/(L‖R‖₂^(2(L−1)/L)).",
        assumptions=assumptions,
        predicted="no convergence" if assumptions[1].on else "nothing, below the bound",
        measured=evidence.fate,
        verdict=_judge(assumptions, _verdict(evidence, expected=False)),
    )


def theorem_2(evidence: Evidence) -> Claim:
    """Confront Theorem 2 as printed: below its step, from the identity, convergence to R^(1/L)."""
    target, depth = evidence.problem.target, evidence.problem.depth
    limit = theory.theorem2_step(target.radius, depth)
    step = evidence.step_size
    lamp = lamps(evidence, positive=True)
    below = Lamp(
        "Step size is within the theorem's",
        step <= limit * (1 + MARGIN),
        f"δ = {step:.6g}, limit {limit:.6g}",
    )
    assumptions = (
        *(lamp[key] for key in ("moment", "real", "diagonalisable", "orthogonal", "identity")),
        lamp["descent"],
        below,
    )
    verdict = _verdict(evidence, expected=True)
    gap = evidence.root_distance
    if verdict is Verdict.HOLDS and not gap <= 1e-6 * max(1.0, target.norm):
        verdict = Verdict.VIOLATED
    verdict = _judge(assumptions, verdict)
    away = "" if np.isnan(gap) else f"; ‖W_i − R^(1/L)‖ ≤ {gap:.3g}"
    return Claim(
        id="theorem-2",
        title="Theorem 2: from the identity every W_i converges to R^(1/L)",
        source="Theorem 2",
        statement="If R is diagonalisable with real positive eigenvalues, Σ = I, W_i[0] = I and "
        "δ ≤ min{1, λ(R)^(−2(L−1)/L)}/L, each W_i converges to R^(1/L) exponentially fast.",
        assumptions=assumptions,
        predicted="each W_i → R^(1/L)",
        measured=evidence.fate + away,
        verdict=verdict,
        note=_counterexample(evidence, assumptions, lamp["orthogonal"], gap),
    )


def _counterexample(
    evidence: Evidence, assumptions: tuple[Lamp, ...], forgotten: Lamp, gap: float
) -> str:
    """Describe the failure where only the assumption that the paper forgot is off."""
    if [lamp for lamp in assumptions if not lamp.on] != [forgotten]:
        return ""
    if evidence.has_failed:
        return (
            "A counterexample to the theorem as printed, which asks only that R be "
            "diagonalisable: the transposes in (5) decouple for orthogonal eigenvectors alone. "
            f"What decides is the norm: δ‖·‖-limit {evidence.problem.norm_bound:.6g}."
        )
    if evidence.has_converged and gap > 1e-6 * max(1.0, evidence.problem.target.norm):
        return (
            "It converges, but not to R^(1/L): without orthogonal eigenvectors the limit is a "
            "nearly balanced factorisation of R."
        )
    return ""


def _verdict(evidence: Evidence, *, expected: bool) -> Verdict:
    """Compare convergence with what was expected; a run on its way decides nothing."""
    if evidence.has_converged:
        if not expected and evidence.stands_on_unstable:
            return Verdict.UNDECIDED  # an exact hit of an unstable minimum, which is allowed
        return Verdict.HOLDS if expected else Verdict.VIOLATED
    if evidence.has_failed:
        return Verdict.VIOLATED if expected else Verdict.HOLDS
    return Verdict.UNDECIDED


def proposition_3(evidence: Evidence) -> Claim:
    """Confront Proposition 3 for matrices: parts of negative eigenvalue sink to zero."""
    problem, target = evidence.problem, evidence.problem.target
    values = target.eigenvalues.real
    negative = values < 0
    step = evidence.step_size
    low = float(values.min())
    threshold = theory.zero_threshold(low) if target.is_real and low < 0 else None
    lamp = lamps(evidence, positive=False)
    assumptions = (
        *(lamp[key] for key in ("moment", "real", "orthogonal", "identity", "descent")),
        Lamp(
            "R has a negative eigenvalue, L ≥ 2",
            bool(negative.any()) and problem.depth >= 2,
            f"least eigenvalue {low:.3g}, L = {problem.depth}",
        ),
        Lamp(
            "δ ≤ 1/(1 − λ) for the least λ",
            None if threshold is None else step <= threshold * (1 + MARGIN),
            "" if threshold is None else f"δ = {step:.6g}, threshold {threshold:.6g}",
        ),
        Lamp(
            "All matrices are equal, as in exact arithmetic",
            evidence.apart <= EQUAL * max(1.0, target.norm),
            f"entries differ by up to {evidence.apart:.2g}",
        ),
    )
    applies = all(lamp.on for lamp in assumptions)
    parts, verdict = np.empty(0), Verdict.UNDECIDED
    if applies:
        frame = target.eigenvectors.real[:, negative]
        parts = np.einsum("ij,ik,kj->j", frame, evidence.product, frame)
        verdict = _sinks(parts, evidence)
    shown = ", ".join(f"{part:.3g}" for part in np.sort(parts)[:4])
    return Claim(
        id="proposition-3",
        title="Proposition 3 for matrices: negative eigenvalues are not learned",
        source="Proposition 3, Section 3.2",
        statement="From W_i[0] = I the product's parts along eigenvectors of R with negative "
        "eigenvalues converge to 0 unless δ > 1/(1 − λ).",
        assumptions=assumptions,
        predicted="these parts → 0 from above, and the loss to half the sum of their λ²",
        measured=f"parts now {shown}" if applies else evidence.fate,
        verdict=verdict if applies else Verdict.NOT_APPLICABLE,
        note=_sinking_note(assumptions, problem.depth),
    )


def _sinking_note(assumptions: tuple[Lamp, ...], depth: int) -> str:
    *others, equal = assumptions
    if not all(lamp.on for lamp in others):
        return ""
    if not equal.on:
        return (
            "The saddle is unstable: differences between the matrices, of rounding at first, grew, "
            "and the run left it."
        )
    sublinear = "For L ≥ 3 they sink more slowly than exponentially: small, never zero."
    return sublinear if depth >= 3 else ""


def balancing(evidence: Evidence, start: float, now: float) -> Claim:
    """Confront the balancing of the oscillating mode beyond the edge of stability.

    Parameters
    ----------
    start, now : float
        Largest minus smallest first singular value over the L matrices, at step 0 and now.
    """
    limit, step = evidence.problem.norm_bound, evidence.step_size
    assumptions = (
        Lamp("Gradient descent, fixed step", evidence.params.is_plain, evidence.params.optimiser),
        Lamp(
            "Step size is above the bound",
            step > limit * (1 + MARGIN),
            f"δ = {step:.6g}, bound {limit:.6g}",
        ),
        Lamp("The start is not balanced", start > 1e-6, f"imbalance {start:.3g}"),
        Lamp(
            "The run stays bounded",
            evidence.outcome.kind is not OutcomeKind.DIVERGED,
            evidence.fate,
        ),
    )
    verdict = Verdict.HOLDS if now <= 1e-3 * start else Verdict.UNDECIDED
    return Claim(
        id="balancing",
        title="Beyond the edge the oscillating mode becomes balanced",
        source="Ghosh et al., arXiv 2502.20531",
        statement="In a deep linear network beyond the edge of stability the singular values that "
        "oscillate become equal in all layers.",
        assumptions=assumptions,
        predicted="imbalance of the first singular value → 0",
        measured=f"{start:.3g} at the start, {now:.3g} now",
        verdict=_judge(assumptions, verdict),
        note="Modes that do not oscillate keep theirs; where two oscillate at once, chaotically, "
        "it may take long.",
    )


def _sinks(parts: FloatArray, evidence: Evidence) -> Verdict:
    if evidence.outcome.kind is OutcomeKind.DIVERGED or parts.min() < -1e-9:
        return Verdict.VIOLATED
    return Verdict.HOLDS if parts.max() < 0.05 else Verdict.UNDECIDED
