r"""Proofs for a manifold of minima: losses that are the square of one residual.

Let :math:`f=\tfrac C2r^2` with C > 0 and :math:`F(w)=w-s(w)\nabla f(w)` with a continuous step size
s > 0. The minima :math:`r=0` form a manifold on which no point attracts its neighbours, so no
function of one point's distance can fall. Two functions do it: one that falls, and one that bounds
where a run can go.

*The residual falls.* By the mean value theorem along the step,
:math:`r(F(w))=\rho(w)r(w)` with
:math:`\rho(w)=1-s\,C\,\nabla r(w)\cdot\int_0^1\nabla r(w-t\,s\,C\,r\nabla r)\,dt`.

*The run stays.* Let :math:`|\rho|\leq\bar\rho<1` and
:math:`|s\,C\,\partial_ir|\leq K_i` on a set Ω. A run from w moves its i-th weight by at most
:math:`K_i|r(w)|(1+\bar\rho+\bar\rho^2+\dots)=K_i|r(w)|/(1-\bar\rho)` in all, as long as it is in Ω.
So if the box of these half-widths around w lies in Ω, induction keeps the whole run within it:
:math:`|r|` falls at least by the factor ρ̄ at every step, the points form a Cauchy sequence, and
their limit has r = 0: it is a minimum, the loss there being 0. Only those parts of Ω count where
:math:`|r|` is at most what it is at the start, since it never is more later.

*The run stays, near the threshold.* Where ρ is near -1 the moves alternate and nearly cancel. Two
steps move the weights by :math:`-s\,C\,r\,(\nabla r+\rho\,s'/s\,\nabla r')` with s' and r' at F(w).
If its i-th entry is at most :math:`D_i|r|`, the points after even numbers of steps are at most
:math:`D_i|r(w)|/(1-\bar\rho^2)` away, those after odd numbers :math:`K_i|r(w)|` more.

*Stability.* Within Ω a start near a minimum c stays near c, since :math:`|r(w)|` is at most the
largest slope of r times the distance; that is Lyapunov's definition, with δ for every ε
(`proved_ball`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analysis.regions.interval import Bools, Interval, dot
from engine.analysis.regions.maps import Descent, Jets, joined
from engine.core.arrays import FloatArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SquareDescent:
    """Gradient descent on C r² / 2.

    Attributes
    ----------
    map : Descent
        Without momentum, but in `momentum`.
    residual : Jets
        r.
    factor : Interval, shape ()
        C, positive.
    """

    map: Descent
    residual: Jets
    factor: Interval

    def pace(self, box: Interval, image: Interval) -> Pace:
        """Bound residual, its factor and the moves over boxes with their images, shape (m, n)."""
        value, slope = self.residual.slopes(box)
        push = self.map.step(box) * self.factor
        factor = 1.0 - push * dot(slope, self.residual.slopes(box.hull(image))[1])
        next_push = self.map.step(image) * self.factor * factor
        move = push[:, None] * slope
        both = move + next_push[:, None] * self.residual.slopes(image)[1]
        return Pace(value, factor, move.size, both.size, slope)


@dataclass(frozen=True, slots=True, eq=False)
class Pace:
    """Bounds over m boxes.

    Attributes
    ----------
    residual, factor : Interval, shape (m,)
        Hold r and ρ.
    moves, pairs : ndarray, shape (m, n)
        Bounds of the moves of one step and of two, over |r|.
    slope : Interval, shape (m, n)
        Holds the gradient of r.
    """

    residual: Interval
    factor: Interval
    moves: FloatArray
    pairs: FloatArray
    slope: Interval

    @classmethod
    def joined(cls, parts: Sequence[Pace]) -> Pace:
        """Join the bounds over several lots of boxes."""
        return cls(
            joined([part.residual for part in parts], 0),
            joined([part.factor for part in parts], 0),
            np.concatenate([part.moves for part in parts]),
            np.concatenate([part.pairs for part in parts]),
            joined([part.slope for part in parts], 0),
        )

    def rates(self, within: Bools | Ints, most: float) -> FloatArray | None:
        """Bound how far a run goes over |r| at its start, shape (n,); None where it is not known.

        Parameters
        ----------
        within : ndarray of bool or int64
            The boxes of the set where all of it takes place.
        most : float
            Bound of |ρ| there, below 1.
        """
        moves = Interval.point(self.moves[within].max(axis=0))
        pairs = Interval.point(self.pairs[within].max(axis=0))
        singly = moves * (1.0 - Interval.point(most)).inverse()
        doubly = pairs * (1.0 - Interval.point(most).squared()).inverse() + moves
        rates = np.minimum(singly.hi, doubly.hi)
        return rates if np.isfinite(rates).all() else None


def proved_ball(square: SquareDescent, center: FloatArray, radius: float) -> float | None:
    """Return δ such that runs from within δ of a minimum are proved to stay within `radius`.

    They converge to minima there. Both are Euclidean distances from the minimum to which a run
    from `center` converges. It is at most :math:`d=G|r|` away from these floats, where G bounds how
    far a run goes over :math:`|r|` at its start; so δ + d and ε - d are proved of the floats.

    Parameters
    ----------
    square : SquareDescent
    center : ndarray, shape (n,)
        Next to a minimum.
    radius : float
        ε.

    Returns
    -------
    float or None
        None where nothing is proved: the minimum may repel, or ε is too large for it.
    """
    cells = pieces(Interval.around(center, radius))
    pace = square.pace(cells, square.map.image(cells))
    most = float(pace.factor.size.max())
    everywhere = np.ones(cells.shape[0], bool)
    rates = pace.rates(everywhere, most) if most < 1.0 else None
    if rates is None:
        return None
    steepest = Interval.point(np.sqrt(pace.slope.squared().sum().hi).max() * (1.0 + 1e-15))
    grows = Interval.point(np.sqrt(Interval.point(rates).squared().sum().hi) * (1.0 + 1e-15))
    here = Interval.point(square.residual.value(Interval.point(center[None])).size)[0]
    away = grows * here  # of the minimum from the floats
    room = Interval.point(radius) - away - away
    made = float((room * (1.0 + grows * steepest).inverse() - away).lo)
    return made if made > 0.0 else None


def pieces(box: Interval) -> Interval:
    """Cut a box, shape (n,), into some thousand, shape (m, n)."""
    n = box.shape[0]
    count = max(int(1500.0 ** (1.0 / n)), 2)
    edges = [np.linspace(box.lo[i], box.hi[i], count + 1) for i in range(n)]
    for i, each in enumerate(edges):
        each[0], each[-1] = box.lo[i], box.hi[i]
    low = np.meshgrid(*(each[:-1] for each in edges), indexing="ij")
    high = np.meshgrid(*(each[1:] for each in edges), indexing="ij")
    return Interval(
        np.stack([each.ravel() for each in low], axis=-1),
        np.stack([each.ravel() for each in high], axis=-1),
    )
