r"""The central flow of gradient descent beside a run (Cohen et al. 2025, arXiv:2410.24206).

.. math:: \frac{dw}{dt}=-\delta\left[\nabla f(w)+\tfrac12\nabla\langle H(w),\Sigma\rangle\right],

a step a unit of time, with the least :math:`\Sigma\succeq0` within the eigenvectors of eigenvalue
:math:`2/\delta` that keeps every eigenvalue of the Hessian from rising beyond it: that of the
swings of descent at the edge of stability. The flow is meant to be the path of the run's mean over
its swings, and :math:`f+\mathrm{tr}\,\Sigma/\delta` the mean of its loss. Below the edge it is the
gradient flow. This is as the companion page of the paper has it (centralflows.github.io, part I);
that descent follows it is derived there informally and shown by experiments, not proved.

With the eigenvectors U of the eigenvalues :math:`\lambda_i` near :math:`2/\delta` and
:math:`T_{ij}=\nabla^3f(u_i,u_j,\cdot)`, a step of length h keeps :math:`U^\top HU` below the limit
to first order: the matrix X of :math:`\Sigma=UXU^\top` solves

.. math:: 0\preceq X\perp\mathrm{diag}(2/\delta-\lambda)+h\delta\,\langle T_{ij},\nabla f\rangle
          +\tfrac12h\delta\textstyle\sum_{kl}\langle T_{ij},T_{kl}\rangle X_{kl}\succeq0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch import Tensor

from engine.analysis.spectrum import extremes
from engine.core.arrays import FloatArray
from engine.experiments.network.look import Numbers
from engine.experiments.network.nets.higher import Doubles
from engine.theory.optimisers import Setting

PARTS = 2
"""Parts of a step of the run in which the flow is integrated."""
NEAR = 0.95
"""Part of the limit from which on an eigenvalue is watched."""
FAR, SELDOM = 0.8, 4
"""Part of the limit below which the Hessian is looked at every so many steps."""
MOST_AT_EDGE = 4
"""Eigenvalues at the limit up to which the flow is followed."""
MOST_WEIGHTS = 20_000
"""Weights of a network up to which the flow is integrated."""
TOLERANCE = 1e-3
"""Residual of the eigenvectors, relative to the largest eigenvalue; that is off by its square."""
MOST_PRODUCTS = 200
ROUNDS = 2000
"""Most rounds of the iteration for X."""


@dataclass(frozen=True, slots=True, eq=False)
class Central:
    """The central flow at a step of the run.

    Attributes
    ----------
    weights : ndarray, shape (n,)
    begun : int
        The step of the run from whose weights it began.
    vectors : ndarray, shape (n, m)
        Eigenvectors of the largest eigenvalues at the last look; (n, 0) before the first.
    values : ndarray, shape (m,)
        Those eigenvalues.
    begun_ratio : float
        The sharpness over its limit where it began; NaN before the first look.
    loss : float
        At the weights.
    variance : float
        Trace of Σ over the last step: the mean square of the swings.
    at_edge : int
        Rank of Σ: the eigenvalues that are held at the limit.
    onset : int or None
        First step at which Σ was not 0.
    steps : int
        Steps since the onset, that included.
    loss_total, run_total : float
        Sums over these of the mean loss as the flow has it, and of the run's loss.
    looks : int
        Looks at the run's sharpness since the onset.
    ratio_total, run_ratio_total : float
        Sums over these of the sharpness over its limit, of the flow and of the run.
    """

    weights: FloatArray
    begun: int
    vectors: FloatArray
    values: FloatArray = field(default_factory=lambda: np.zeros(0))
    begun_ratio: float = math.nan
    loss: float = math.nan
    variance: float = 0.0
    at_edge: int = 0
    onset: int | None = None
    steps: int = 0
    loss_total: float = 0.0
    run_total: float = 0.0
    looks: int = 0
    ratio_total: float = 0.0
    run_ratio_total: float = 0.0

    @classmethod
    def at(cls, weights: Numbers, step: int) -> Central:
        """Begin the flow from the weights of a run."""
        return cls(weights.astype(np.float64), step, np.zeros((len(weights), 0)))

    def mean_loss(self, setting: Setting) -> float:
        """Return the mean loss of descent as the flow has it, without a penalty of the weights."""
        return self.loss + self.variance * (1.0 / setting.step_size - 0.5 * setting.weight_decay)

    def counted(self, loss: float, setting: Setting) -> Central:
        """Return it with a step of the run counted, if the edge has begun."""
        if self.onset is None or not math.isfinite(loss):
            return self
        return replace(
            self,
            steps=self.steps + 1,
            loss_total=self.loss_total + self.mean_loss(setting),
            run_total=self.run_total + loss,
        )

    def looked(self, ratio: float, limit: float) -> Central:
        """Return it with a look at the run's sharpness counted, if the edge has begun."""
        if self.onset is None or not self.values.size or not math.isfinite(ratio):
            return self
        return replace(
            self,
            looks=self.looks + 1,
            ratio_total=self.ratio_total + float(self.values[0]) / limit,
            run_ratio_total=self.run_ratio_total + ratio,
        )


def carry(flow: Central, doubles: Doubles, step_size: float, step: int) -> Central | None:
    """Carry the flow on beside one step of the run.

    Returns
    -------
    Central or None
        None where the numbers are not finite any more, or more than `MOST_AT_EDGE` eigenvalues
        are at the limit.
    """
    w = torch.as_tensor(flow.weights, device=doubles.x.device)
    vectors, variances, rank = flow.vectors, [], flow.at_edge
    limit, begun_ratio = 2.0 / step_size, flow.begun_ratio
    values = flow.values
    looks = PARTS if values.size and values[0] > NEAR * limit else 1
    if values.size and values[0] < FAR * limit and step % SELDOM:
        looks = 0
    for part in range(PARTS):
        loss, slope = doubles.value_and_gradient(w)
        if part < looks:
            seen = _look(doubles, w, vectors, limit)
            if seen is None:
                return None
            values, vectors = seen
            if math.isnan(begun_ratio):
                begun_ratio = float(values[0]) / limit
        near = int((values > NEAR * limit).sum()) if part < looks else 0
        if near > MOST_AT_EDGE:
            return None
        if near:
            push, trace, rank = _held(
                doubles, w, slope, values[:near], vectors[:, :near], step_size
            )
            w = w - (step_size / PARTS) * (slope + push)
            variances.append(trace)
        else:
            w = _free(doubles, w, slope, step_size / PARTS)
            variances.append(0.0)
            rank = 0
    loss = doubles.value_and_gradient(w)[0]
    if not math.isfinite(loss):
        return None
    variance = float(np.mean(variances))
    onset = flow.onset if flow.onset is not None or not variance else step
    return replace(
        flow,
        weights=w.cpu().numpy().copy(),
        vectors=vectors,
        values=values,
        begun_ratio=begun_ratio,
        loss=loss,
        variance=variance,
        at_edge=rank,
        onset=onset,
    )


def _look(
    doubles: Doubles, w: Tensor, vectors: FloatArray, limit: float
) -> tuple[FloatArray, FloatArray] | None:
    """Find the largest eigenvalues, one more than are near the limit, with their vectors."""
    count = max(vectors.shape[1], 1)
    product, n = doubles.hessian(w), len(w)
    try:
        while True:
            found = extremes(
                product,
                n,
                min(count, n),
                tolerance=TOLERANCE,
                max_products=min(MOST_PRODUCTS, n),
                start=vectors if vectors.shape[1] else None,
            )
            near = int((found.top > NEAR * limit).sum())
            if near < len(found.top) or count >= min(n, MOST_AT_EDGE + 1):
                kept = min(near + 1, len(found.top))
                return found.top[:kept], found.vectors[:, :kept]
            vectors, count = found.vectors, count + 1
    except FloatingPointError:
        return None


def _free(doubles: Doubles, w: Tensor, slope: Tensor, time: float) -> Tensor:
    """Return the weights after some time of the gradient flow, by the classic Runge-Kutta step."""
    second = doubles.gradient(w - 0.5 * time * slope)
    third = doubles.gradient(w - 0.5 * time * second)
    fourth = doubles.gradient(w - time * third)
    return w - (time / 6.0) * (slope + 2.0 * second + 2.0 * third + fourth)


def _held(
    doubles: Doubles,
    w: Tensor,
    slope: Tensor,
    values: FloatArray,
    vectors: FloatArray,
    step_size: float,
) -> tuple[Tensor, float, int]:
    """Return ½ ∇⟨H, Σ⟩, the trace of Σ and its rank, for eigenvalues near the limit."""
    k, time = len(values), step_size / PARTS
    units = torch.as_tensor(vectors.T.copy(), device=w.device)
    pairs = list(combinations_with_replacement(range(k), 2))
    along = {(i, i): doubles.third(w, slope, units[i]) for i in range(k)}
    for i, j in pairs:
        if i != j:
            both = doubles.third(w, slope, units[i] + units[j])
            along[i, j] = 0.5 * (both - along[i, i] - along[j, j])
    rows = torch.stack([along[min(i, j), max(i, j)] for i in range(k) for j in range(k)])
    gram = (0.5 * time * rows @ rows.T).cpu().numpy()
    drift = (time * rows @ slope).cpu().numpy().reshape(k, k)
    x = complementary(np.diag(2.0 / step_size - values) + drift, gram)
    push = 0.5 * torch.as_tensor(x.ravel(), device=w.device) @ rows
    return push, float(np.trace(x)), int(np.linalg.matrix_rank(x)) if x.any() else 0


def complementary(alpha: FloatArray, gram: FloatArray) -> FloatArray:
    """Solve 0 ⪯ X ⊥ α + B[X] ⪰ 0, with B positive semidefinite.

    X is where ½⟨X, B[X]⟩ + ⟨α, X⟩ is least over the cone, found by accelerated projected steps.

    Parameters
    ----------
    alpha : ndarray, shape (k, k)
        Symmetric.
    gram : ndarray, shape (k², k²)
        B on matrices written row by row.
    """
    k = len(alpha)
    if k == 1:
        slope = float(gram[0, 0])
        return np.full((1, 1), max(0.0, -float(alpha[0, 0]) / slope if slope > 0.0 else 0.0))
    largest = float(np.linalg.eigvalsh(gram)[-1])
    x = np.zeros((k, k))
    if not largest > 0.0 or np.linalg.eigvalsh(alpha)[0] >= 0.0:
        return x
    ahead, weight = x, 1.0
    for _ in range(ROUNDS):
        force = alpha + (gram @ ahead.ravel()).reshape(k, k)
        new = _positive(ahead - force / largest)
        change = float(np.abs(new - x).max())
        if float(np.sum((ahead - new) * (new - x))) > 0.0:  # it overshoots: begin anew
            weight = 1.0
        after = 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * weight**2))
        ahead = new + ((weight - 1.0) / after) * (new - x)
        x, weight = new, after
        if change <= 1e-10 * max(float(np.abs(x).max()), 1e-300):
            break
    return x


def _positive(matrix: FloatArray) -> FloatArray:
    """Return the nearest positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)
