r"""Curves of flips and folds of cycles over two parameters.

At a flip of period p a lap has the multiplier -1, at a fold 1: with J its derivative,
:math:`M=J\pm1` is singular there. With borders v and w that are near its null vectors,

.. math:: \begin{pmatrix}M&w\\v^\top&0\end{pmatrix}\begin{pmatrix}q\\g\end{pmatrix}
          =\begin{pmatrix}0\\1\end{pmatrix}

is regular and g vanishes just where M is singular (Govaerts, Numerical Methods for Bifurcations of
Dynamical Equilibria, 2000). The curve :math:`F^p(x)-x=0,\ g=0` is followed in arc length.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.analysis.branch import Event, largest_other
from engine.analysis.carrier import Carried, Carrier
from engine.analysis.continuation import BEND, SHORTEST
from engine.analysis.critical import flip_form
from engine.analysis.family import Family, Frame
from engine.analysis.multistart import NEWTON, TOLERANCE, always
from engine.core.arrays import FloatArray

SLOPE = 1e-6
"""Width of the differences that give the derivative of g, relative to the size of the point."""
RESIDUAL = 1e-10
"""Largest g at a corrected point; it is a multiplier's distance from -1 or 1 to first order."""
OFF = 0.3
"""Farthest that the curve leads away from the tangent in a step, relative to its length."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """The maps of a system over two of its parameters.

    Attributes
    ----------
    carrier : Carrier
        Of two parameters.
    lows, highs : ndarray, shape (2,)
        The rectangle in which curves are followed.
    frame : Frame
    """

    carrier: Carrier
    lows: FloatArray
    highs: FloatArray
    frame: Frame

    def along(self, place: int, other: float) -> Family:
        """Return the family over one parameter with the other fixed.

        Parameters
        ----------
        place : int
            0 or 1: the parameter that varies.
        other : float
        """
        carrier = Restricted(self.carrier, place, other)
        return Family(carrier, float(self.lows[place]), float(self.highs[place]), self.frame)


class Restricted(Carrier):
    """The maps over one of two parameters.

    Parameters
    ----------
    carrier : Carrier
        Of two parameters.
    place : int
        0 or 1: the one that varies.
    other : float
        Value of the other.
    """

    def __init__(self, carrier: Carrier, place: int, other: float) -> None:
        self._carrier, self._place, self._other = carrier, place, other
        self.dimension, self.is_exact = carrier.dimension, carrier.is_exact

    def _both(self, values: FloatArray) -> FloatArray:
        pair = [float(values[0]), self._other]
        return np.array(pair if self._place == 0 else pair[::-1])

    def orbit(self, z: FloatArray, values: FloatArray, steps: int) -> FloatArray:
        """Return the points that steps lead to."""
        return self._carrier.orbit(z, self._both(values), steps)

    def carried(
        self, z: FloatArray, values: FloatArray, steps: int, *, drift: bool = True
    ) -> Carried:
        """Return where steps lead from a point, with derivatives."""
        made = self._carrier.carried(z, self._both(values), steps, drift=drift)
        return Carried(made.image, made.slope, made.drift[:, [self._place]])

    def bends(
        self, z: FloatArray, values: FloatArray, u: FloatArray, width: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return derivatives of the Jacobian along a direction."""
        return self._carrier.bends(z, self._both(values), u, width)


@dataclass(frozen=True, slots=True, eq=False)
class BifurcationCurve:
    """Where cycles of a period flip or fold.

    Attributes
    ----------
    event : Event
        FLIP or FOLD.
    period : int
    parameters : ndarray, shape (m, 2)
    points : ndarray, shape (m, k)
        One point of each cycle.
    coefficients : ndarray, shape (m,)
        Of the flip's normal form; NaN where it is not defined, and of folds.
    others : ndarray, shape (m,)
        Largest multiplier of a lap in magnitude, within the set, but for the one that is -1 or 1.
        Where it is below 1, a flip is soft for a positive coefficient and hard for a negative one.
    """

    event: Event
    period: int
    parameters: FloatArray
    points: FloatArray
    coefficients: FloatArray
    others: FloatArray


@dataclass(slots=True, eq=False)
class _Walk:
    """The state of a continuation: points u are coordinates, then parameters in `units`."""

    sheet: Sheet
    period: int
    shift: float
    units: FloatArray
    v: FloatArray = field(default_factory=lambda: np.zeros(0))
    w: FloatArray = field(default_factory=lambda: np.zeros(0))

    def matrix(self, u: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return M, the image of a lap less the point, and its derivative by the parameters."""
        frame, k = self.sheet.frame, len(u) - 2
        made = self.sheet.carrier.carried(frame.placed(u[:k]), u[k:] * self.units, self.period)
        slope = frame.basis.T @ made.slope @ frame.basis
        gap = frame.seen(made.image) - u[:k]
        return slope + self.shift * np.eye(k), gap, frame.basis.T @ made.drift * self.units

    def border(self, u: FloatArray) -> None:
        """Take the null vectors at a point for borders."""
        left, _, right = np.linalg.svd(self.matrix(u)[0])
        self.v, self.w = right[-1], left[:, -1]

    def bordered(self, matrix: FloatArray) -> float:
        """Return g."""
        k = len(matrix)
        whole = np.zeros((k + 1, k + 1))
        whole[:k, :k], whole[:k, k], whole[k, :k] = matrix, self.w, self.v
        return float(np.linalg.solve(whole, np.eye(k + 1)[k])[k])

    def residual(self, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the equations' left sides, shape (k + 1,), and their derivative."""
        matrix, gap, drift = self.matrix(u)
        k = len(gap)
        rows = np.empty((k + 1, k + 2))
        rows[:k, :k] = matrix - (self.shift + 1.0) * np.eye(k)
        rows[:k, k:] = drift
        width = SLOPE * max(float(np.linalg.norm(u)), 1e-3)
        for place in range(k + 2):
            ends = []
            for side in (width, -width):
                moved = u.copy()
                moved[place] += side
                ends.append(self.bordered(self.matrix(moved)[0]))
            rows[k, place] = (ends[0] - ends[1]) / (2.0 * width)
        return np.append(gap, self.bordered(matrix)), rows

    def corrected(self, start: FloatArray, direction: FloatArray) -> FloatArray | None:
        """Return the point of the curve in the plane through `start` across a direction."""
        u = start.copy()
        with np.errstate(all="ignore"):
            for _ in range(NEWTON):
                try:
                    gap, rows = self.residual(u)
                    if not (np.isfinite(gap).all() and np.isfinite(rows).all()):
                        return None
                    size = max(float(np.linalg.norm(u)), 1.0)
                    small = float(np.linalg.norm(gap[:-1])) <= TOLERANCE * size
                    if small and abs(float(gap[-1])) <= RESIDUAL:
                        return u
                    whole = np.vstack([rows, direction])
                    u = u - np.linalg.solve(whole, np.append(gap, direction @ (u - start)))
                except np.linalg.LinAlgError:
                    return None
        return None

    def tangent(self, u: FloatArray, along: FloatArray | None) -> FloatArray:
        """Return the unit direction of the curve that goes on along another."""
        direction = np.linalg.svd(self.residual(u)[1])[2][-1]
        if along is not None and float(direction @ along) < 0.0:
            return np.asarray(-direction)
        return np.asarray(direction)


def follow_curve(
    sheet: Sheet,
    event: Event,
    x: FloatArray,
    parameters: FloatArray,
    period: int,
    *,
    step: float = 0.02,
    most: int = 400,
    go_on: Callable[[], bool] = always,
) -> BifurcationCurve | None:
    """Follow a curve of flips or folds in both directions to the edges of the rectangle.

    Parameters
    ----------
    sheet : Sheet
    event : Event
        FLIP or FOLD.
    x : ndarray, shape (k,)
        A point of the cycle at which it happens.
    parameters : ndarray, shape (2,)
    period : int
    step : float
        Longest step, where the sides of the rectangle and the size of the point are 1.
    most : int
        Points at most in each direction.
    go_on : callable
        Asked before each point; where it says no, the curve ends.

    Returns
    -------
    BifurcationCurve or None
        None where the point given is not on such a curve.
    """
    size = max(float(np.linalg.norm(x)), 1e-3)
    units = (sheet.highs - sheet.lows) / size
    walk = _Walk(sheet, period, 1.0 if event is Event.FLIP else -1.0, units)
    u = np.concatenate([x, parameters / units])
    try:
        walk.border(u)
        first = walk.tangent(u, None)
        begin = walk.corrected(u, first)
        if begin is None:
            return None
        first = walk.tangent(begin, first)
        forth = _follow(walk, begin, first, step * size, most, go_on)
        back = _follow(walk, begin, -first, step * size, most, go_on)
    except np.linalg.LinAlgError:
        return None
    points = np.array([*back[:0:-1], *forth])
    k = len(x)
    values = points[:, k:] * units
    forms = [_coefficient(sheet, event, at[:k], at[k:] * units, period) for at in points]
    rest = [_largest_other(walk, event, at) for at in points]
    return BifurcationCurve(event, period, values, points[:, :k], np.array(forms), np.array(rest))


def _largest_other(walk: _Walk, event: Event, u: FloatArray) -> float:
    matrix = walk.matrix(u)[0]
    multipliers = np.linalg.eigvals(matrix - walk.shift * np.eye(len(matrix)))
    return largest_other(multipliers.astype(np.complex128), event)


def _coefficient(
    sheet: Sheet, event: Event, x: FloatArray, values: FloatArray, period: int
) -> float:
    if event is not Event.FLIP:
        return np.nan
    form = flip_form(sheet.along(0, float(values[1])), x, float(values[0]), period)
    return np.nan if form is None or form.sign == 0 else form.value


def _follow(
    walk: _Walk,
    begin: FloatArray,
    direction: FloatArray,
    longest: float,
    most: int,
    go_on: Callable[[], bool],
) -> list[FloatArray]:
    """Follow the curve from a point along a direction; the last point may lie outside."""
    sheet, length = walk.sheet, longest
    points, along = [begin], direction
    walk.border(begin)
    while len(points) < most and go_on():
        ahead = points[-1] + length * along
        there = walk.corrected(ahead, along)
        after = None if there is None else walk.tangent(there, along)
        if (
            there is None
            or after is None
            or float(np.linalg.norm(there - ahead)) > OFF * length
            or float(after @ along) < BEND
        ):
            length *= 0.5
            if length < SHORTEST * longest:
                break
            continue
        points.append(there)
        walk.border(there)
        values = there[-2:] * walk.units
        if not ((sheet.lows <= values) & (values <= sheet.highs)).all():
            break
        along, length = after, min(1.3 * length, longest)
    return points


def is_on(curve: BifurcationCurve, values: FloatArray, lows: FloatArray, highs: FloatArray) -> bool:
    """Return whether a pair of parameters lies on a curve, to a thousandth of the rectangle."""
    scaled = (curve.parameters - lows) / (highs - lows)
    point = (values - lows) / (highs - lows)
    for before, after in pairwise(scaled):
        chord = after - before
        length = float(chord @ chord)
        part = min(max(float((point - before) @ chord) / length, 0.0), 1.0) if length else 0.0
        if float(np.linalg.norm(point - before - part * chord)) < 1e-3:
            return True
    return False
