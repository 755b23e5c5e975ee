"""The plane in which a typed loss is drawn: level curves, the path, and equilibria."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.analysis.equilibria import Nature
from engine.core.arrays import FloatArray
from engine.core.experiment import Recent
from engine.experiments.own_loss.analysis import LossAnalysis, analysis_of, known_of
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.problem import loss_of, problem_key, starting_point
from engine.families import contours

FINE = 161
"""Points per axis at which the loss is computed for level curves."""
SURFACE = 101
"""Points per axis at which the loss is computed for its surface."""
LEVELS = 14
SPECK = 2.0
"""Area in cells of the grid below which a closed level curve is an accident of the grid."""
DOUBLINGS = 4
"""How often a picture is doubled at most to hold what a run does outside."""
TAIL = 400
"""Steps of the path that are drawn."""
FAR = 1e9
"""Drawn values stay within this, so that a diverging run does not break an axis."""
LEAST_PULL = 0.01
"""Half-widths of the picture to which the start can be dragged towards a minimum."""
CORNERS = np.array([-1.0, np.nan, 1.0])  # broken, so that no line joins them
LOW = 0.97
"""Half-widths below the middle of a line that says that a plane stands in for another."""
BEYOND = 1.6
"""Half-widths to which level curves reach, outside the picture in a plot of any shape."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A plane through a point.

    Attributes
    ----------
    origin : ndarray, shape (n,)
    axes : ndarray, shape (2, n)
        Orthonormal rows.
    center : ndarray, shape (2,)
        Middle of the picture in the plane's coordinates.
    reach : float
        Half its width.
    is_stand_in : bool
        Whether it is shown instead of a plane through a minimum, because none is known.
    """

    origin: FloatArray
    axes: FloatArray
    center: FloatArray
    reach: float
    is_stand_in: bool = False

    def seen(self, points: FloatArray) -> FloatArray:
        """Project points, shape (..., n), into the plane, shape (..., 2)."""
        return np.asarray((points - self.origin) @ self.axes.T)

    def placed(self, x: float, y: float) -> FloatArray:
        """Return the point of the plane with given coordinates, shape (n,)."""
        return np.asarray(self.origin + x * self.axes[0] + y * self.axes[1])


def frame_of(params: OwnLossParams, size: int, seed: int) -> Frame | None:
    """Return the plane that parameters ask for; None in one dimension.

    While no minimum is known, that of two variables through the start stands in for a plane through
    a minimum.
    """
    if size < 2:
        return None
    start = starting_point(params, size, seed)
    is_asked_for = params.plane == "coordinates"
    made = None if is_asked_for else _from_minimum(params, start, known_of(params, seed))
    if made is not None:
        return made
    axes = np.eye(size)[list(params.axis_indices(size))]
    origin = start - axes.T @ (axes @ start)
    reach = max(params.reach, 1.15 * float(np.max(np.abs(axes @ start))))
    return Frame(origin, axes, np.zeros(2), reach, is_stand_in=not is_asked_for)


def _from_minimum(
    params: OwnLossParams, start: FloatArray, found: LossAnalysis | None
) -> Frame | None:
    """Return the plane at the minimum nearest to the start."""
    listed = None if found is None else found.nearest_minimum(start)
    if listed is None:
        return None
    origin = listed.at.point
    sharp = np.linalg.eigh(loss_of(params).hessian(origin))[1][:, ::-1].T
    candidates = [sharp[0], sharp[1]]
    if params.plane == "start-to-minimum":
        candidates = [start - origin, sharp[0], sharp[1]]
    axes: list[FloatArray] = []
    for each in candidates:
        rest = each - sum((axis * (axis @ each) for axis in axes), start=np.zeros(len(each)))
        size = float(np.linalg.norm(rest))
        if size > 1e-9 * max(float(np.linalg.norm(each)), 1e-300) and len(axes) < 2:
            axes.append(rest / size)
    made = np.array(axes)
    reach = max(params.reach, 1.15 * float(np.max(np.abs(made @ (start - origin)))))
    return Frame(origin, made, np.zeros(2), reach)


_curves: dict[Hashable, tuple[FloatArray, FloatArray]] = {}
_surfaces: dict[Hashable, FloatArray] = {}
MOST_KEPT = 16
"""Planes whose level curves and surfaces are kept."""


def level_curves(params: OwnLossParams, frame: Frame) -> tuple[FloatArray, FloatArray]:
    """Return level curves of the loss in a plane, as one NaN-broken polyline, kept once made."""
    key = _key(params, frame)
    if key not in _curves:
        while len(_curves) >= MOST_KEPT:
            _curves.pop(next(iter(_curves)))
        _curves[key] = _contours(params, frame)
    return _curves[key]


def _key(params: OwnLossParams, frame: Frame) -> Hashable:
    return problem_key(params), frame.origin.tobytes(), frame.axes.tobytes(), frame.reach


def surface(params: OwnLossParams, frame: Frame) -> FloatArray:
    """Return the loss on a grid over the picture, row 0 at the least y, kept once made."""
    key = _key(params, frame)
    if key not in _surfaces:
        while len(_surfaces) >= MOST_KEPT:
            _surfaces.pop(next(iter(_surfaces)))
        image = _image(params, frame, np.linspace(-frame.reach, frame.reach, SURFACE))
        _surfaces[key] = np.where(np.isfinite(image), image, np.nan)
    return _surfaces[key]


def _image(params: OwnLossParams, frame: Frame, side: FloatArray) -> FloatArray:
    """Return the loss on a square grid around the middle of the picture."""
    x, y = np.meshgrid(frame.center[0] + side, frame.center[1] + side)
    points = frame.origin + x[..., None] * frame.axes[0] + y[..., None] * frame.axes[1]
    return loss_of(params).values(points)


def _contours(params: OwnLossParams, frame: Frame) -> tuple[FloatArray, FloatArray]:
    side = np.linspace(-BEYOND * frame.reach, BEYOND * frame.reach, FINE)
    image = _image(params, frame, side)
    known = image[np.isfinite(image)]
    gap = np.array([np.nan])
    if known.size < 2 or float(np.ptp(known)) <= 0.0:
        return gap, gap
    lowest = float(known.min())
    heights = np.log1p((np.where(np.isfinite(image), image, np.nan) - lowest) / _unit(known))
    inner = heights[np.isfinite(heights)]
    levels = np.linspace(float(inner.min()), float(inner.max()), LEVELS + 2)[1:-1]
    x, y = frame.center[0] + side, frame.center[1] + side
    return contours.level_curves(x, y, np.ma.masked_invalid(heights), levels, SPECK)


def _unit(values: FloatArray) -> float:
    """Return the height above the lowest from which levels are logarithmic."""
    low, part = np.quantile(values, [0.0, 0.02])
    unit = float(part - low)
    return unit if unit > 0.0 else float(np.ptp(values))


def observe_plane(state: OwnLossState, recent: Recent) -> dict[str, Any]:
    """Compute what the plane draws."""
    params, size = state.params, len(state.weights)
    frame = frame_of(params, size, state.seed)
    if frame is None:
        return {}
    path = np.clip(frame.seen(recent["weights"][-TAIL:]), -FAR, FAR)
    frame = _holding(frame, path)
    begin = np.clip(frame.seen(state.start), -FAR, FAR)
    return ground(params, frame, analysis_of(params, state.seed)) | {
        "path_x": path[:, 0],
        "path_y": path[:, 1],
        "now_x": path[-1:, 0],
        "now_y": path[-1:, 1],
        "start_x": float(begin[0]),
        "start_y": float(begin[1]),
        "surface": surface(params, frame),
        "surface_extent": np.repeat(frame.center, 2) + frame.reach * np.array([-1, 1, -1, 1]),
    }


def _holding(frame: Frame, path: FloatArray) -> Frame:
    """Return a frame that holds a path (steps, 2): doubled as often as needed, or as it is.

    It is left as it is where that would be more than `DOUBLINGS` times, as in a run that diverges.
    """
    farthest = float(np.max(np.abs(path - frame.center), initial=0.0))
    for doublings in range(DOUBLINGS + 1):
        if farthest <= 2.0**doublings * frame.reach:
            return replace(frame, reach=2.0**doublings * frame.reach)
    return frame


def ground(params: OwnLossParams, frame: Frame, found: LossAnalysis | None) -> dict[str, Any]:
    """Compute what lies under every picture in a plane: level curves, corners and equilibria."""
    level_x, level_y = level_curves(params, frame)
    made = {
        "level_x": level_x,
        "level_y": level_y,
        "corner_x": frame.center[0] + frame.reach * CORNERS,
        "corner_y": frame.center[1] + frame.reach * CORNERS,
    }
    if frame.is_stand_in:
        made["stand_in"] = float(frame.center[1] - LOW * frame.reach)
    if found is not None:
        made |= marks(found, lambda points, losses: tuple(frame.seen(points).T))
    return made


def marks(
    found: LossAnalysis, place: Callable[[FloatArray, FloatArray], Sequence[FloatArray]]
) -> dict[str, Any]:
    """Mark the equilibria that were found, by their nature.

    Parameters
    ----------
    found : LossAnalysis
    place : callable
        Maps points (m, n) and their losses (m,) to two coordinates (m,) each.
    """
    made: dict[str, Any] = {}
    for name, natures in _SHOWN.items():
        those = [each.at for each in found.equilibria if each.at.nature in natures]
        if not those:
            continue
        points, losses = np.array([e.point for e in those]), np.array([e.loss for e in those])
        made[f"{name}_x"], made[f"{name}_y"] = place(points, losses)
    return made


_SHOWN = {
    "minima": (Nature.MINIMUM,),
    "saddles": (Nature.SADDLE, Nature.DEGENERATE),
    "maxima": (Nature.MAXIMUM,),
}
