r"""Gradient descent on the scalar product network: the kernels as ordinary functions.

The iteration is the paper's equation (2),
:math:`w_i \leftarrow w_i - \delta\sigma(\prod_j w_j-\lambda)\prod_{j\ne i}w_j`.

Ties. Prefix times suffix rounds differently for each i even where all weights are equal, but the
paper's symmetric starts (Proposition 3 above all) need bit-equal gradients. Weights of equal
magnitude at the start therefore form a class for the whole run: each takes the gradient of the
first of its class, with its own sign, which is what exact arithmetic gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from engine.kernels.scalar import passes as scalar_passes
from engine.kernels.scalar import record as scalar_record
from engine.kernels.scalar import spectrum as scalar_spectrum
from engine.kernels.scalar import tangent as scalar_tangent

Array = npt.NDArray[np.float64]

LIMIT = 1e12
"""A run whose product or weights exceed this, times the scale of its minima, has diverged."""
WEIGHTS_SHOWN = 64
"""Up to this depth all weights and eigenvalues are recorded, beyond it quantiles and extremes."""
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
"""The quantiles of the weights that are recorded."""


EARLY = scalar_record.EARLY
"""Up to this step the eigenvalues are measured at every one."""


class Method(IntEnum):
    """The optimiser: w - step * gradient, v = momentum * v - step * gradient, or Nesterov's."""

    GRADIENT_DESCENT = scalar_passes.GRADIENT_DESCENT
    HEAVY_BALL = scalar_passes.HEAVY_BALL
    NESTEROV = scalar_passes.NESTEROV


class StepRule(IntEnum):
    """The step: fixed, or a number over the sharpness S, or over the Hessian's spectral norm."""

    FIXED = scalar_record.FIXED_STEP
    SHARPNESS = scalar_record.SHARPNESS_STEP
    HESSIAN = scalar_record.HESSIAN_STEP


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """The law of motion of a run.

    `step` is the step size, or the numerator of a state-dependent one, which never exceeds `cap`.
    """

    target: float
    depth: int
    step: float
    input_power: float = 1.0
    method: Method = Method.GRADIENT_DESCENT
    rule: StepRule = StepRule.FIXED
    momentum: float = 0.0
    cap: float = 1.0

    @property
    def root(self) -> float:
        """Magnitude of the weights at the balanced minima."""
        return float(abs(self.target) ** (1.0 / self.depth))

    @property
    def limits(self) -> tuple[float, float]:
        """Magnitudes of product and weights beyond which a run has diverged."""
        return LIMIT * max(1.0, abs(self.target)), LIMIT * max(1.0, self.root)

    @property
    def motion(self) -> scalar_record.Motion:
        """The law as the kernels take it."""
        return scalar_record.Motion(
            int(self.method),
            int(self.rule),
            float(self.step),
            float(self.momentum),
            float(self.target),
            float(self.input_power),
            float(self.cap),
            self.root,
        )


@dataclass(frozen=True, slots=True)
class Ties:
    """Classes of weights that are equal in magnitude for the whole run.

    `leader` holds for every weight the index of the first of its class and `sign` its sign relative
    to that one; both are padded to whole rows of four. `any` says whether there is a class of two.
    """

    leader: npt.NDArray[np.int64]
    sign: Array
    any: bool

    @classmethod
    def of(cls, weights: Array) -> Ties:
        """Group weights of exactly equal magnitude."""
        rows = (weights.size + 3) // 4
        leader = np.arange(4 * rows, dtype=np.int64)
        sign = np.ones(4 * rows)
        _, first, inverse = np.unique(np.abs(weights), return_index=True, return_inverse=True)
        leader[: weights.size] = first[inverse]
        same = np.signbit(weights) == np.signbit(weights[leader[: weights.size]])
        sign[: weights.size] = np.where(same, 1.0, -1.0)
        return cls(leader, sign, bool(first.size < weights.size))

    @classmethod
    def none(cls, size: int) -> Ties:
        """Leave every weight to itself."""
        rows = (size + 3) // 4
        return cls(np.arange(4 * rows, dtype=np.int64), np.ones(4 * rows), False)

    @property
    def arrays(self) -> scalar_passes.Tied:
        """The classes as the kernels take them."""
        return scalar_passes.Tied(self.leader, self.sign, self.any)


@dataclass(frozen=True, slots=True)
class Recording:
    """What `advance` recorded: per series the smallest and largest value of every bucket.

    Series: ``weights`` (L, or the quantiles 0, 5, 25, 50, 75, 95, 100 % beyond 64), ``product``,
    ``error``, ``loss``, ``gap`` (balancing gap max |w| - min |w|), ``sharpness``, ``stability``
    (step size times sharpness / 2), ``step_size``, ``distance`` (of the magnitudes from the
    balanced |target|^(1/L), the largest), ``hessian`` and ``jacobian`` (all L eigenvalues of the
    Hessian, ascending, and those of the iteration that belong to them; least and greatest beyond
    64). With momentum the latter are the larger moduli of two each. ``edge`` is
    step size times the greatest eigenvalue of the Hessian / 2.
    """

    weights: Array
    velocity: Array
    made: int
    diverged: bool
    capped: int
    low: dict[str, Array]
    high: dict[str, Array]


def spectrum_width(depth: int) -> int:
    """Return how many eigenvalues are recorded at a depth."""
    return depth if depth <= WEIGHTS_SHOWN else 2


def weights_width(depth: int) -> int:
    """Return how many columns the recorded weights have at a depth."""
    return depth if depth <= WEIGHTS_SHOWN else scalar_record.QUANTILES


def advance(
    weights: Array,
    velocity: Array,
    ties: Ties,
    law: Law,
    *,
    first: int,
    n: int,
    stride: int = 1,
    every: int = 1,
) -> Recording:
    """Make up to `n` steps and record buckets of `stride` consecutive ones.

    Parameters
    ----------
    weights, velocity : ndarray, shape (L,)
        The state, left untouched. Velocity matters with momentum only.
    ties : Ties
    law : Law
    first : int
        Number of steps made before: the bits of a run depend on it, not on how it is split.
    n, stride : int
    every : int
        Past the first `EARLY` steps the eigenvalues are measured where k mod every < 2 only.

    Returns
    -------
    Recording
        With `made` < `n` where the next step diverges, and the last good state.
    """
    buckets = -(-n // stride)
    sizes = (
        scalar_record.SCALARS,
        weights_width(weights.size),
        2 * spectrum_width(weights.size) + 1,
    )
    low = scalar_record.Ranges(*(np.empty((buckets, size)) for size in sizes))
    high = low
    if stride > 1:
        high = scalar_record.Ranges(*(np.empty((buckets, size)) for size in sizes))
    w, v = weights.copy(), velocity.copy()
    span = scalar_record.Span(first, n, stride, every)
    made, diverged, capped = scalar_record.record(
        w, v, ties.arrays, law.motion, law.limits, span, low, high
    )
    used = -(-made // stride)
    low_series = _named(tuple(a[:used] for a in low), law.target)
    high_series = low_series
    if stride > 1:
        high_series = _named(tuple(a[:used] for a in high), law.target)
    return Recording(w, v, made, diverged, capped, low_series, high_series)


def _named(parts: tuple[Array, ...], target: float) -> dict[str, Array]:
    """Return the recorded columns their names; the error is as monotone as the product."""
    scalars, weights, eigenvalues = parts
    names = ("product", "loss", "gap", "sharpness", "stability", "step_size", "distance")
    series = {name: scalars[:, column] for column, name in enumerate(names)}
    width = (eigenvalues.shape[1] - 1) // 2
    return {
        "weights": weights,
        "error": series["product"] - target,
        **series,
        "hessian": eigenvalues[:, :width],
        "jacobian": eigenvalues[:, width : 2 * width],
        "edge": eigenvalues[:, 2 * width],
    }


def errors(weights: Array, ties: Ties, law: Law, *, first: int, out: Array) -> tuple[Array, int]:
    """Make plain gradient steps and record the signed error after each, nothing else.

    The fastest way through a run; same bits as `advance`.

    Parameters
    ----------
    weights : ndarray, shape (L,)
    ties : Ties
    law : Law
        A fixed step without momentum.
    first : int
    out : ndarray, shape (n,)
        Receives the errors.

    Returns
    -------
    weights, made : ndarray, int
        The last good weights and the number of steps made.
    """
    if law.method != Method.GRADIENT_DESCENT or law.rule != StepRule.FIXED:
        raise ValueError("errors are recorded alone for plain gradient descent only")
    w = weights.copy()
    made = scalar_passes.descend(
        w,
        ties.arrays,
        first,
        (float(law.step) * float(law.input_power), float(law.target)),
        law.limits,
        out,
    )
    return w, made


def hessian_eigenvalues(weights: Array, target: float, input_power: float) -> Array:
    """Return all eigenvalues of the Hessian at some weights, ascending, shape (L,)."""
    out: Array = np.empty((1, weights.size))
    scalar_spectrum.spectra(weights[None], float(target), float(input_power), out)
    values: Array = out[0]
    return values


def growth_logs(
    weights: Array, steps: Array, ties: Ties, law: Law, *, generic: bool = False
) -> Array:
    """Return the log growth per step of a small displacement along recorded weights.

    Its mean is a Lyapunov exponent; over a whole number of turns of a periodic orbit, the log of
    the orbit's multiplier over its length. A displacement that begins along the gradient stays in
    the diagonal where the weights are equal, to the last bit, and shows no growth across it.

    Parameters
    ----------
    weights : ndarray, shape (m, L)
        Consecutive weights.
    steps : ndarray, shape (m,)
        Step sizes that lead on from them.
    ties : Ties
        Weights that the displacement keeps equal in magnitude.
    law : Law
    generic : bool
        Begin in a direction that has a part along every eigenvector, which turns into that of the
        largest growth, instead of along the gradient.

    Returns
    -------
    ndarray, shape (m - 1,)
    """
    logs = np.zeros(max(len(weights) - 1, 0))
    begin = np.cos(1.0 + 1.618 * np.arange(weights.shape[1])) if generic else None
    if logs.size:
        scalar_tangent.growth(
            np.ascontiguousarray(weights),
            np.ascontiguousarray(steps),
            ties.arrays,
            law.motion,
            np.zeros(weights.shape[1]) if begin is None else begin,
            logs,
        )
    return logs


def growth_in_line(curvature: Array, law: Law) -> Array:
    """Return the log growth per step of a displacement along a fixed eigenvector of the Hessian.

    Parameters
    ----------
    curvature : ndarray, shape (m,)
        Step size times the eigenvalue, where the step from each row takes its gradient.
    law : Law
        Optimiser and momentum.
    """
    logs: Array = np.empty(len(curvature))
    scalar_tangent.growth_in_line(
        np.ascontiguousarray(curvature), int(law.method), float(law.momentum), logs
    )
    return logs


def hessian_extremes(weights: Array, target: float, input_power: float) -> tuple[float, float]:
    """Return the least and the greatest eigenvalue of the Hessian at some weights."""
    out = np.empty((1, 2))
    scalar_spectrum.spectra(weights[None], float(target), float(input_power), out)
    return float(out[0, 0]), float(out[0, 1])
