r"""Growth of small displacements along a run of the scalar product network.

Where all weights are equal in magnitude the Hessian has two eigenspaces, whatever the error e:
along the diagonal, in which the run stays, and across it,

.. math:: h_\parallel=\sigma\,(L q^2w^2+(L-1)\,e q),\qquad h_\perp=-\sigma e q,\qquad
          q=\prod_j w_j/w^2,

so each has a Lyapunov exponent of its own and no displacement has to find the larger one. Of other
weights a generic displacement turns into the direction of largest growth by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.analysis.exponents import remaining
from engine.core.arrays import FloatArray
from engine.core.experiment import Recent
from engine.core.outcome import Exponent
from engine.experiments.scalar_product.params import ScalarParams, ScalarState, law_of

DEEP_WINDOW = 1024
"""Steps over which exponents of a network too deep to be shown whole are measured."""
EQUAL = "with the weights kept equal"
APART = "with the weights drawn apart"
TIED = "with equal weights kept equal"
ALL = "in all directions"
ACROSS = "across the minima"


@dataclass(frozen=True, slots=True)
class Growth:
    """Log growth per step of the displacements that `of` names."""

    logs: FloatArray
    of: str


def growths(state: ScalarState, recent: Recent) -> tuple[Growth, ...]:
    """Measure the growth in the space that the run moves in, and then that out of it.

    Returns
    -------
    tuple of Growth
        Empty where it is not known: of many unequal weights only quantiles are recorded, and a
        step over the Hessian's norm has a slope of its own.
    """
    params = state.params
    if len(recent["product"]) < 4 or params.step_rule == "hessian":
        return ()
    if state.is_symmetric and params.step_rule == "fixed":
        return _symmetric(state, recent)
    rows = recent["weights"]
    if rows.shape[1] != state.weights.size:
        return ()
    from engine.kernels.scalar.descent import Ties, growth_logs

    law, steps = law_of(params), recent["step_size"]
    known = slice(0 if params.optimiser == "gradient-descent" else 1, None)
    whole = growth_logs(rows, steps, Ties.none(params.depth), law, generic=True)[known]
    if not state.ties.any:
        return (Growth(whole, ALL),)
    tied = growth_logs(rows, steps, state.ties, law, generic=True)[known]
    return (Growth(tied, TIED), Growth(whole, ALL))


def equal_weight(state: ScalarState, recent: Recent) -> FloatArray:
    """Return the weight that all are equal to but for sign, signed as the first, shape (m,)."""
    rows, depth = recent["weights"], state.weights.size
    if rows.shape[1] == depth:
        return np.asarray(rows[:, 0])
    column = rows[-DEEP_WINDOW:]
    mixed = bool(np.any(state.sign[:depth] < 0.0))
    return np.asarray(column[:, -1] if mixed and state.start[0] >= 0.0 else column[:, 0])


def _curvatures(state: ScalarState, recent: Recent) -> list[FloatArray]:
    """Return step size times Hessian eigenvalue along the diagonal, and across it, per step."""
    params, depth = state.params, state.params.depth
    w = equal_weight(state, recent)
    step = params.step_size * params.power
    if params.optimiser == "nesterov":
        w = w[1:] + params.momentum * np.diff(w)
    sign = float(np.prod(state.sign[:depth]))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if depth == 1:
            return [np.full_like(w, step)[:-1]]
        rest = sign * w ** (depth - 2)
        error = rest * w * w - params.target
        along = step * (depth * (rest * w) ** 2 + (depth - 1) * error * rest)
        across = -step * error * rest
    return [np.nan_to_num(along)[:-1], np.nan_to_num(across)[:-1]]


def _symmetric(state: ScalarState, recent: Recent) -> tuple[Growth, ...]:
    from engine.kernels.scalar.descent import growth_in_line

    law = law_of(state.params)
    made = [growth_in_line(rows, law) for rows in _curvatures(state, recent)]
    return tuple(Growth(logs, of) for logs, of in zip(made, (EQUAL, APART), strict=False))


def lap_exponents(state: ScalarState, recent: Recent, period: int) -> tuple[Exponent, ...]:
    """Compute the exponents of a cycle of equal weights from the eigenvalues over one lap.

    With momentum a lap multiplies a displacement and its velocity by a 2 x 2 matrix, whose spectral
    radius counts: if complex, a growth of norms swings about it.

    Returns
    -------
    tuple of Exponent
        Empty where the weights differ, or the step depends on the state.
    """
    params = state.params
    if not state.is_symmetric or params.step_rule != "fixed":
        return ()
    found = []
    for curvature, of in zip(_curvatures(state, recent), (EQUAL, APART), strict=False):
        if curvature.size < period:
            return ()
        # Two laps: of a negative multiplier the run is off the cycle to both sides in turn.
        stretch = period * (2 if curvature.size >= 4 * period else 1)
        last = _growth_over(params, curvature[-stretch:])
        error = None
        back = curvature.size // (2 * stretch) * stretch
        if back >= stretch:
            before = _growth_over(params, curvature[-back - stretch :][:stretch])
            error = remaining(last, before, back)
        found.append(Exponent(value=last, error=error, of=of))
    return tuple(found)


def _growth_over(params: ScalarParams, curvature: FloatArray) -> float:
    """Return the log growth per step over some steps, of whole laps, as their eigenvalues have it.

    Parameters
    ----------
    curvature : ndarray, shape (n,)
        Step size times Hessian eigenvalue at each of them.
    """
    beta = params.momentum if params.has_momentum else 0.0
    ahead = beta if params.optimiser == "nesterov" else 0.0
    lap = np.eye(2)
    for x in curvature:  # of displacement and velocity
        lap = np.array([[1.0 - x, beta - ahead * x], [-x, beta - ahead * x]]) @ lap
    radius = float(np.max(np.abs(np.linalg.eigvals(lap))))
    return math.log(max(radius, 1e-300)) / curvature.size
