"""Images of boxes under descent, by the mean value theorem, in one pass over all boxes."""

from __future__ import annotations

import numpy as np

from engine.analysis.regions.interval import Interval
from engine.core.arrays import FloatArray
from engine.kernels.intervals.arithmetic import plus, times
from engine.kernels.jit import kernel


@kernel
def descend(
    jets_lo: FloatArray,
    jets_hi: FloatArray,
    center_lo: FloatArray,
    center_hi: FloatArray,
    steps: FloatArray,
    changes_lo: FloatArray,
    changes_hi: FloatArray,
    box_lo: FloatArray,
    box_hi: FloatArray,
    center: FloatArray,
    out_lo: FloatArray,
    out_hi: FloatArray,
) -> None:
    """Write enclosures of w - s(w) g(w) over boxes: what two ways of computing have in common.

    Parameters
    ----------
    jets_lo, jets_hi : ndarray, shape (m, 1 + n + n(n+1)/2)
        Loss over the boxes, as `jets.enclose` writes it to the second order.
    center_lo, center_hi : ndarray, shape (m, 1 + n)
        Loss at a point of each box, to the first order.
    steps : ndarray, shape (m, 4)
        Ends of the step size over each box and at its point.
    changes_lo, changes_hi : ndarray, shape (m, n) or (m, 0)
        Gradients of the step size over the boxes; none where it is fixed.
    box_lo, box_hi, center : ndarray, shape (m, n)
    out_lo, out_hi : ndarray, shape (m, n)
    """
    n, varies = box_lo.shape[1], changes_lo.shape[1] > 0
    for k in range(box_lo.shape[0]):
        s = steps[k, 0], steps[k, 1]
        for i in range(n):
            g = jets_lo[k, 1 + i], jets_hi[k, 1 + i]
            move = times(s[0], s[1], g[0], g[1])
            plain = plus(box_lo[k, i], box_hi[k, i], -move[1], -move[0])
            move = times(steps[k, 2], steps[k, 3], center_lo[k, 1 + i], center_hi[k, 1 + i])
            mean = plus(center[k, i], center[k, i], -move[1], -move[0])
            for j in range(n):
                a, b = min(i, j), max(i, j)
                at = 1 + n + a * n - a * (a - 1) // 2 + b - a
                bend = times(s[0], s[1], jets_lo[k, at], jets_hi[k, at])
                slope = -bend[1], -bend[0]
                if i == j:
                    slope = plus(1.0, 1.0, slope[0], slope[1])
                if varies:
                    bend = times(g[0], g[1], changes_lo[k, j], changes_hi[k, j])
                    slope = plus(slope[0], slope[1], -bend[1], -bend[0])
                away = plus(box_lo[k, j], box_hi[k, j], -center[k, j], -center[k, j])
                part = times(slope[0], slope[1], away[0], away[1])
                mean = plus(mean[0], mean[1], part[0], part[1])
            out_lo[k, i], out_hi[k, i] = max(plain[0], mean[0]), min(plain[1], mean[1])


def image_of(
    jets: Interval,
    center_jets: Interval,
    step: tuple[Interval, Interval],
    change: Interval | None,
    box: Interval,
) -> Interval:
    """Enclose images of boxes, shape (m, n).

    Parameters
    ----------
    jets, center_jets : Interval, shapes (m, 1 + n + n(n+1)/2) and (m, 1 + n)
        Of the loss, over the boxes and at their middles.
    step : tuple of Interval, each of shape (m,)
        Step sizes over the boxes and at their middles.
    change : Interval or None, shape (m, n)
        Gradients of the step size; None where it is fixed.
    box : Interval, shape (m, n)
    """
    shape = box.shape
    steps = np.stack([step[0].lo, step[0].hi, step[1].lo, step[1].hi], axis=-1)
    none = np.zeros((shape[0], 0))
    changes = (none, none) if change is None else (change.lo, change.hi)
    out = np.empty(shape), np.empty(shape)
    of_loss = (jets.lo, jets.hi, center_jets.lo, center_jets.hi)
    arrays = (*of_loss, steps, *changes, box.lo, box.hi, box.mid, *out)
    descend(*(np.ascontiguousarray(each, np.float64) for each in arrays))
    return Interval(*out)
