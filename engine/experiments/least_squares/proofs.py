"""A proof for least squares: the map is affine, so one matrix decides about all starts."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from engine.analysis.regions.definite import contracts, expands, growth_matrix, lyapunov_matrix
from engine.analysis.regions.interval import Interval
from engine.analysis.regions.maps import joined
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.outcome import OutcomeKind
from engine.experiments.least_squares.problem import LeastSquaresParams, Quadratic
from engine.families.proofs.claims import MEANING, SOURCE
from engine.families.proofs.proofs import MOST_DIMENSIONS


def claims(params: LeastSquaresParams, problem: Quadratic, kind: OutcomeKind) -> tuple[Claim, ...]:
    """Return what is proved of the problem; nothing where it is not asked for."""
    if not params.prove:
        return ()
    is_regular = not problem.null.any()
    lamps = (
        Lamp(
            f"At most {MOST_DIMENSIONS} weights",
            problem.size <= MOST_DIMENSIONS,
            f"n = {problem.size}",
        ),
        Lamp("One minimum only", is_regular, "" if is_regular else "the Gram matrix is singular"),
    )
    verdict, measured = Verdict.NOT_APPLICABLE, "nothing is tried"
    if all(lamp.on for lamp in lamps):
        settings = (params.optimiser, params.step_size, params.beta)
        found = _judged(problem.gram.tobytes(), problem.size, *settings)
        measured = {
            True: "every start converges to the minimum, proved",
            False: "the minimum is unstable, proved",
            None: "not proved: an eigenvalue may be on the unit circle",
        }[found]
        verdict = {True: Verdict.HOLDS, False: Verdict.VIOLATED, None: Verdict.UNDECIDED}[found]
        if found and kind is OutcomeKind.DIVERGED:
            verdict = Verdict.VIOLATED
    return (
        Claim(
            id="proved-attractor",
            title="The minimum attracts every start",
            source=SOURCE,
            statement="There is a quadratic form V = (w − w*)ᵀP(w − w*) that every step lowers by "
            "a constant factor: P and P − AᵀPA are positive definite for the matrix A of a step.",
            assumptions=lamps,
            predicted="all of space is the basin",
            measured=measured,
            verdict=verdict,
            note=MEANING,
        ),
    )


@lru_cache(maxsize=64)
def _judged(
    gram: bytes, size: int, optimiser: str, step_size: float, momentum: float
) -> bool | None:
    """Return whether every start is proved to converge (True) or the minimum to repel (False)."""
    matrix = _matrix(np.frombuffer(gram).reshape(size, size), optimiser, step_size, momentum)
    weight, growth = lyapunov_matrix(matrix.mid), growth_matrix(matrix.mid)
    if weight is not None and bool(contracts(matrix, weight)):
        return True
    return False if growth is not None and expands(matrix, growth) else None


def _matrix(gram: np.ndarray, optimiser: str, step_size: float, momentum: float) -> Interval:
    """Enclose the matrix of a step, shape (n, n), with momentum of (w, v), shape (2n, 2n)."""
    one = np.eye(len(gram))
    pull = step_size * Interval.point(gram)
    if optimiser == "gradient-descent":
        return one - pull
    kept = momentum * (one - pull if optimiser == "nesterov" else Interval.point(one))
    upper = joined((one - pull, kept), axis=-1)
    return joined((upper, joined((-pull, kept), axis=-1)), axis=-2)
