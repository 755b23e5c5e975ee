r"""Borders of basins, measured: box dimension, uncertainty exponent, shares of an area.

A border is fractal where its dimension d exceeds that of a curve, 1. Two estimates of it, each with
its fit and its error:

- the box dimension: so many boxes of side s hold more than one class, :math:`N\propto s^{-d}`,
  as a mean over all places that a grid of such boxes can have;
- the uncertainty exponent (McDonald, Grebogi, Ott & Yorke 1985): of so large a part f of all starts
  another start at a distance ε has another class, :math:`f\propto\varepsilon^{\alpha}`, with
  :math:`d=2-\alpha` in the plane.

Both hold over the range of scales that they state, and no further.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.errors import InputError

Classes = NDArray[Any]
"""Classes of cells, whole numbers, shape (rows, columns)."""

FINEST = 4
"""Side of the smallest boxes, in cells: thin parts of a border lie between cells and are missed."""
COARSEST = 16
"""Boxes along the shorter side of the image at least: larger ones nearly all hold the border."""
LEAST_SCALES = 4
"""Scales that a line is fitted to at least."""
FEWEST = 32
"""Boxes, or uncertain starts, of a scale that counts at least."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fit:
    """A power law fitted to counts over scales.

    Attributes
    ----------
    value : float
        The exponent.
    error : float
        The larger of the standard error of the fit and half the difference of the exponents over
        the finer and over the coarser half of the scales; in an image also at least what a further
        term changes that is of the order of a cell.
    residual : float
        Root mean square distance of the log counts from the line.
    scales, counts : ndarray, shape (m,)
        What was fitted, from fine to coarse: sides of boxes or distances, and numbers or shares.
    """

    value: float
    error: float
    residual: float
    scales: FloatArray
    counts: FloatArray

    @property
    def range(self) -> tuple[float, float]:
        """The finest and the coarsest scale."""
        return float(self.scales[0]), float(self.scales[-1])

    @classmethod
    def of(cls, scales: FloatArray, counts: FloatArray) -> Fit:
        """Fit the slope of log counts over log scales, by least squares.

        Raises
        ------
        InputError
            If there are too few scales with counts.
        """
        if len(scales) < LEAST_SCALES:
            rule = f"the border is too short or the image too small: {LEAST_SCALES} are needed"
            raise InputError("scales", len(scales), rule)
        x, y = np.log(scales), np.log(counts)
        value, level = np.polyfit(x, y, 1)
        left = y - level - value * x
        spread = float(np.sum((x - x.mean()) ** 2))
        standard = math.sqrt(float(np.sum(left**2)) / (len(x) - 2) / spread)
        half = (len(x) + 1) // 2
        finer, coarser = (
            float(np.polyfit(x[part], y[part], 1)[0])
            for part in (slice(None, half), slice(-half, None))
        )
        return cls(
            value=float(value),
            error=max(standard, 0.5 * abs(finer - coarser)),
            residual=float(np.sqrt(np.mean(left**2))),
            scales=np.asarray(scales, np.float64),
            counts=np.asarray(counts, np.float64),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The part of an area that a class fills.

    Attributes
    ----------
    code : int
    value : float
        From 0 to 1.
    error : float
        Standard error.
    """

    code: int
    value: float
    error: float


def border(classes: Classes, between: Sequence[int] | None = None) -> NDArray[np.bool_]:
    """Return which corners of four cells do not all belong to one class.

    Parameters
    ----------
    classes : ndarray of int, shape (rows, columns)
    between : sequence of int, optional
        Classes that count as one, against all others; by default every class counts.

    Returns
    -------
    ndarray of bool, shape (rows - 1, columns - 1)
    """
    some = np.isin(classes, list(between)) if between is not None else np.asarray(classes)
    first = some[:-1, :-1]
    others = (some[1:, :-1], some[:-1, 1:], some[1:, 1:])
    return np.asarray(np.logical_or.reduce([first != other for other in others]))


def box_dimension(classes: Classes, between: Sequence[int] | None = None) -> Fit:
    """Compute the box dimension of the border between classes.

    Parameters
    ----------
    classes : ndarray of int, shape (rows, columns)
        Cells that are not decided are a class like any other: leave images with many out.
    between : sequence of int, optional
        Classes that count as one, against all others.

    Returns
    -------
    Fit
        Its scales are the sides of the boxes in cells, powers of 2 and three times these; its
        counts are means over all places of the grid. What leaves the image at one side goes on at
        the other, so that all places count alike.

    Raises
    ------
    InputError
        If the image is too small, or there is no border in it.
    """
    held = border(_checked(classes), between)
    scales, counts, size = [], [], 1
    for side in _sides(min(classes.shape) // COARSEST):
        held, size = _grown(held, side - size), side
        count = np.count_nonzero(held) / side**2
        if side >= FINEST and count >= FEWEST:
            scales.append(side)
            counts.append(count)
    fit = Fit.of(np.array(scales, np.float64), np.array(counts, np.float64))
    return replace(_with_bend(fit), value=-fit.value)


def _with_bend(fit: Fit) -> Fit:
    """Return a fit whose error is at least what a further term of the order of one cell changes.

    Cells miss what is thinner than they are, and so the more the smaller the scale.
    """
    x = np.log(fit.scales)
    terms = np.stack([x, 1.0 / fit.scales, np.ones_like(x)], axis=1)
    bent = float(np.linalg.lstsq(terms, np.log(fit.counts), rcond=None)[0][0])
    return replace(fit, error=max(fit.error, abs(bent - fit.value)))


def _sides(largest: int) -> list[int]:
    """Return the sides of boxes, each at most twice that before, in ascending order."""
    powers = [1 << k for k in range(1, max(largest, 1).bit_length())]
    return sorted(side for power in powers for side in (power, power // 2 * 3) if side <= largest)


def _grown(held: NDArray[np.bool_], more: int) -> NDArray[np.bool_]:
    """Return which boxes hold the border, by their first corner, that are larger by so much."""
    for axis in (0, 1):
        held = held | np.roll(held, -more, axis)
    return held


def uncertainty(classes: Classes) -> Fit:
    """Compute the uncertainty exponent of the borders in an image.

    A cell is uncertain at a distance of s cells if one of the cells so far away along an axis has
    another class.

    Returns
    -------
    Fit
        The dimension of the border is 2 less its value; its scales are distances in cells.

    Raises
    ------
    InputError
        If the image is too small, or there is no border in it.
    """
    classes = _checked(classes)
    scales, shares, s = [], [], 1
    while min(classes.shape) // (2 * s) >= COARSEST:
        core = classes[s:-s, s:-s]
        shifted = [
            classes[s + i : classes.shape[0] - s + i, s + j : classes.shape[1] - s + j]
            for i, j in ((s, 0), (-s, 0), (0, s), (0, -s))
        ]
        count = int(np.count_nonzero(np.logical_or.reduce([core != each for each in shifted])))
        if count >= FEWEST:
            scales.append(s)
            shares.append(count / core.size)
        s *= 2
    return _with_bend(Fit.of(np.array(scales, np.float64), np.array(shares, np.float64)))


def shares(classes: Classes) -> tuple[Share, ...]:
    """Compute the part of an image's area that each class fills, by ascending code.

    The middles of cells stand for the cells. Of one that the border passes so large a part lies on
    either side as chance will have it, and these parts are independent: the standard error of each
    is 1/√12 of a cell.
    """
    codes, counts = np.unique(_checked(classes), return_counts=True)
    made = []
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        passed = int(np.count_nonzero(border(classes, [code])))
        error = math.sqrt(passed / 12.0) / classes.size
        made.append(Share(code=int(code), value=count / classes.size, error=error))
    return tuple(made)


def _checked(classes: Classes) -> Classes:
    """Return an image of classes; raise an `InputError` for anything else."""
    made = np.asarray(classes)
    if made.ndim != 2 or made.dtype.kind not in "uib":
        raise InputError("classes", f"shape {made.shape}, {made.dtype}", "give an image of classes")
    return made
