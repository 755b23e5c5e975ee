"""What the claims of the matrix networks are confronted with, and the lamps they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.claims import Lamp
from engine.core.outcome import Outcome, OutcomeKind
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem, step_of
from engine.families.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a claim is confronted with.

    Attributes
    ----------
    start_commutator : float
        Largest relative commutator of a matrix with R or with the other matrices at step 0, or
        after the last push.
    product : ndarray, shape (n, n)
        W_L ... W_1 now.
    root_distance : float
        Largest distance of a matrix from R^(1/L); NaN where there is no root.
    top : float or None
        Largest eigenvalue of the Hessian now.
    apart : float
        Largest difference between entries of two matrices of the network now: from the identity all
        stay equal in exact arithmetic.
    """

    params: NetworkParams
    problem: Problem
    outcome: Outcome
    error: float
    start_commutator: float
    product: FloatArray
    root_distance: float
    top: float | None
    apart: float

    @property
    def step_size(self) -> float:
        """Step size in force."""
        return step_of(self.params, self.problem)

    @property
    def fate(self) -> str:
        """What happened, in words."""
        outcome = self.outcome
        word = {
            OutcomeKind.CONVERGED: "converged",
            OutcomeKind.CONVERGING: "still converging",
            OutcomeKind.OSCILLATING: "oscillates",
            OutcomeKind.APERIODIC: "wanders",
            OutcomeKind.DIVERGED: f"diverged at step {outcome.step}",
        }.get(outcome.kind, "undecided so far")
        return f"{word}; error {self.error:.3g} of {self.problem.scale:.3g}"

    @property
    def has_converged(self) -> bool:
        """Whether the run is at a global minimum."""
        return (
            self.outcome.kind is OutcomeKind.CONVERGED and self.error <= 1e-6 * self.problem.scale
        )

    @property
    def stands_on_unstable(self) -> bool:
        """Whether the run is at a point that this step size cannot hold."""
        return self.top is not None and self.top * self.step_size > 2.0 * (1 + 1e-6)

    @property
    def has_failed(self) -> bool:
        """Whether the run diverged or moves without converging."""
        return self.outcome.kind in (
            OutcomeKind.DIVERGED,
            OutcomeKind.OSCILLATING,
            OutcomeKind.APERIODIC,
        )


def _identity(evidence: Evidence) -> Lamp:
    chosen = evidence.params.init == "identity"
    pushed = chosen and evidence.start_commutator > 1e-9  # the identity commutes with all
    detail = "pushed since" if pushed else evidence.params.init
    return Lamp("Start is the identity", chosen and not pushed, detail)


def norm_over_radius(target: Target) -> str:
    """Write the ratio of R's spectral norm and radius; it is 1 for a normal R."""
    ratio = f"{target.norm / target.radius:.4g}" if target.radius > 0 else "∞"
    return f"‖R‖₂/ρ(R) = {ratio}"


def lamps(evidence: Evidence, *, positive: bool) -> dict[str, Lamp]:
    """Measure the assumptions of Theorems 1 and 2 by name."""
    problem, params, target = evidence.problem, evidence.params, evidence.problem.target
    signs: bool | None = target.is_positive if positive else target.is_real
    if not signs and target.is_diagonalisable is None:
        signs = None  # rounding splits a repeated eigenvalue of a defective R, even off the axis
    low, high = target.eigenvalues.real.min(), target.eigenvalues.real.max()
    least = (
        f"{low:.3g} to {high:.3g}"
        if target.is_real
        else f"imaginary parts up to {np.abs(target.eigenvalues.imag).max():.3g}"
    )
    off = float(np.linalg.norm(problem.moment - np.eye(problem.size), 2))
    plain = params.is_plain
    steady = params.batch in ("full", "orthonormal")
    descent = f"{params.optimiser}, {params.step_rule} step, {params.batch} batch"
    return {
        "moment": Lamp("Σ = I", problem.has_identity_moment, f"‖Σ − I‖ = {off:.2g}"),
        "real": Lamp(
            "R has real positive eigenvalues" if positive else "R has real eigenvalues",
            signs,
            least,
        ),
        "orthogonal": Lamp(
            "Eigenvectors of R are orthogonal (needed by the proof)",
            target.is_orthogonal,
            f"‖MᵀM − I‖ = {target.orthogonality:.2g}, {norm_over_radius(target)}",
        ),
        "diagonalisable": Lamp(
            "R is diagonalisable",
            target.is_diagonalisable,
            f"condition number of its eigenvectors {target.condition:.3g}",
        ),
        "start": Lamp(
            "All W_i commute with R and with one another",
            evidence.start_commutator <= 1e-9,
            f"relative commutator {evidence.start_commutator:.2g}",
        ),
        "identity": _identity(evidence),
        "descent": Lamp("Gradient descent, fixed step, Σ at every step", plain and steady, descent),
    }
