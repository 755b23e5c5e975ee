r"""The gradient flow :math:`dw/dt=-\nabla f(w)` beside a run, at the times :math:`\delta k`.

Dormand and Prince's pair of orders 5 and 4 with a step length that follows the error. Explicit, so
that its steps are bounded by 3.3 over the sharpness: a run whose steps are near their own limit
takes about one step of the pair for each of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

TOLERANCE = 1e-4
"""Error of one step relative to the norm of the weights."""
MOST = 200
"""Steps of the pair in one step of the run after which the flow is given up."""
SAFETY, GROWTH = 0.9, 5.0
_STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
_ERRORS = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


def follow(
    w: Tensor, time: float, length: float, gradient: Callable[[Tensor], Tensor]
) -> tuple[Tensor, float] | None:
    """Carry weights along the flow for some time.

    Parameters
    ----------
    w : Tensor, shape (n,)
    time : float
    length : float
        Of the first step; all of the time if it is 0.
    gradient : callable
        Returns a tensor that it may write to at its next call.

    Returns
    -------
    tuple or None
        The weights after it and the length of the next step; None where the flow takes too many.
    """
    left, length = time, length or time
    for _ in range(MOST):
        step = min(length, left)
        after, error = _pair(w, step, gradient)
        allowed = TOLERANCE * max(float(torch.linalg.vector_norm(w)), 1e-12)
        ratio = error / allowed
        if not math.isfinite(ratio):
            length = step / GROWTH
            continue
        factor = SAFETY * max(ratio, 1e-10) ** -0.2
        if ratio > 1.0:
            length = step * max(factor, 1.0 / GROWTH)
            continue
        w, left = after, left - step
        if step == length or factor < 1.0:  # one that the end cut short says nothing of longer ones
            length = step * min(factor, GROWTH)
        if left <= 1e-12 * time:
            return w, length
    return None


def _pair(w: Tensor, step: float, gradient: Callable[[Tensor], Tensor]) -> tuple[Tensor, float]:
    """Return the weights after one step, and the error of those of order 4."""
    slopes = [gradient(w).clone()]
    at = w
    for row in _STAGES:
        at = w.clone()
        for weight, slope in zip(row, slopes, strict=True):
            at.sub_(slope, alpha=step * weight)
        slopes.append(gradient(at).clone())
    error = torch.zeros_like(w)
    for weight, slope in zip(_ERRORS, slopes, strict=True):
        error.add_(slope, alpha=step * weight)
    return at, float(torch.linalg.vector_norm(error))
