"""Arrays for the pictures of what is proved, in the plane of two weights and along the run."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.analysis.regions.interval import Interval
from engine.analysis.regions.maps import Slopes
from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.families.contours import level_curves
from engine.families.proofs.claims import (
    level_parts,
    named,
    region_parts,
    share_parts,
    stability_in_words,
)
from engine.families.proofs.proofs import Proofs
from engine.families.proofs.task import step_of
from engine.families.proofs.views import PROVED, SEEN
from engine.text.numbers import short, short_below

_FINE = 141
_PIXELS = 320
_EDGE_STEPS = 40
_TAIL_OF_PATH = 400
_LEVELS = 12
_TAIL = 1500
_NAMES = {"loss": "loss f", "quadratic": "quadratic form", "typed": "as typed"}
FAR = 1e9


def observe(
    proofs: Proofs | None, path: FloatArray, function: str, epsilon: float
) -> dict[str, Any]:
    """Compute what the views of `engine.families.proofs.views` draw.

    Parameters
    ----------
    proofs : Proofs or None
        None while they are being made.
    path : ndarray, shape (m, d)
        The run's last points.
    function : str
        Which V.
    epsilon : float
    """
    made: dict[str, Any] = {}
    if path.shape[1] == 2:
        seen = path[-_TAIL_OF_PATH:]
        seen = np.where(np.abs(seen) <= FAR, seen, np.nan)
        made |= {"proof_path_x": seen[:, 0], "proof_path_y": seen[:, 1]}
    if proofs is None:
        return made | {"proof_rows": [["", "being proved", ""]]}
    made["proof_rows"] = rows(proofs)
    v = proofs.functions.get(function)
    if v is not None:
        made |= _along(v, path[-_TAIL:])
    if proofs.scattered is not None:
        made |= once(proofs, ("slices",), lambda: _slices(proofs))
    if proofs.region is None or len(proofs.region.grid.shape) != 2:
        return made
    made |= once(proofs, ("plane", function), lambda: _plane(proofs, v))
    made |= once(proofs, ("region",), lambda: _region(proofs))
    if path.shape[1] == 2:
        inside = (np.abs(seen) <= 1.2 * proofs.task.high).all(axis=1)
        made["proof_path_x"] = np.where(inside, made["proof_path_x"], np.nan)
    return made | once(proofs, ("balls", epsilon), lambda: _balls(proofs, epsilon))


def corners(reach: float) -> dict[str, Any]:
    """Return what opens the axes of the plane before anything is proved."""
    ends = reach * np.array([-1.0, np.nan, 1.0])  # broken, so that no line joins them
    return {"proof_corner_x": ends, "proof_corner_y": ends}


def rows(proofs: Proofs) -> list[list[str]]:
    """Write what is proved as rows of a table: of what, the result, and what it took."""
    found = proofs.attractor
    made = [["where the run ends", stability_in_words(found), named(found)]]
    if found.delta is not None:
        epsilon = short(proofs.task.epsilon, 6)
        begun = f"for starts within r = {short_below(found.delta, 6)}"
        made.append([f"runs stay within ε = {epsilon}", begun, "by the definition of stability"])
    if proofs.region is not None:
        made.append(["region of attraction", *region_parts(proofs)])
    if proofs.scattered is not None:
        made.append(["region of attraction", *share_parts(proofs)])
    for name, level in proofs.levels.items():
        star = ", the best" if name == proofs.best and len(proofs.levels) > 1 else ""
        result, effort = level_parts(proofs, level)
        made.append([f"V falls, V = {_NAMES[name]}", result + star, effort])
    for each in proofs.minima:
        if each.point is not None:
            place = ", ".join(short(float(x), 4) for x in each.point)
            made.append([f"({place})", stability_in_words(each), named(each)])
    return made


def _slices(proofs: Proofs) -> dict[str, Any]:
    found, names = proofs.scattered, proofs.task.names
    if found is None or not found.slices or not proofs.attractor.can_be_seen:
        return {}
    images = [
        np.where(each.proved, PROVED, np.where(each.seen, SEEN, np.nan))[::-1]
        for each in found.slices
    ]
    low, high = proofs.task.low, proofs.task.high
    return {
        "proof_slices": np.stack(images),
        "proof_slice_names": [
            f"${names[y]}$ over ${names[x]}$" for x, y in (each.axes for each in found.slices)
        ],
        "proof_slice_extent": np.array([low[0], high[0], low[0], high[0]]),
    }


def _region(proofs: Proofs) -> dict[str, Any]:
    region = proofs.region
    if region is None or not proofs.attractor.can_be_seen:
        return {}
    low, high = proofs.task.low, proofs.task.high
    parts = (np.arange(_PIXELS) + 0.5) / _PIXELS
    x, y = (a + parts * (b - a) for a, b in zip(low, high, strict=True))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    proved = proofs.holds(points).reshape(_PIXELS, _PIXELS)
    image = np.where(proved, PROVED, np.nan)
    if proofs.settles is not None:
        plane = proofs.task.coordinates
        side = round(len(proofs.settles) ** 0.5)
        at = (points @ plane.matrix.T - plane.low) / (plane.high - plane.low) * side
        known = ((at >= 0.0) & (at < side)).all(axis=1)
        place = np.clip(at, 0, side - 1).astype(np.int64)
        seen = known & proofs.settles.reshape(side, side)[place[:, 0], place[:, 1]]
        image = np.where(proved, PROVED, np.where(seen.reshape(image.shape), SEEN, np.nan))
    return {
        "proof_region": image,
        "proof_extent": np.array([low[0], high[0], low[1], high[1]]),
    }


def _plane(proofs: Proofs, v: Slopes | None) -> dict[str, Any]:
    """Compute level curves of V, where it falls, and the level that is proved."""
    if v is None:
        return {}
    low, high = proofs.task.low, proofs.task.high
    x, y = (np.linspace(a, b, _FINE) for a, b in zip(low, high, strict=True))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    values = _values(v, points)
    change = _values(v, np.clip(step_of(proofs.task.law)(points), -FAR, FAR)) - values
    heights, change = values.reshape(_FINE, _FINE), change.reshape(_FINE, _FINE)
    lowest = float(np.nanmin(heights))
    spread = np.log1p(
        (heights - lowest) / max(float(np.nanquantile(heights - lowest, 0.02)), 1e-300)
    )
    masked = np.ma.masked_invalid(spread)
    levels = np.linspace(float(masked.min()), float(masked.max()), _LEVELS + 2)[1:-1]
    level_x, level_y = level_curves(x, y, masked, levels)
    rise = np.ma.masked_invalid(np.tanh(change / max(float(np.nanstd(change)), 1e-300)))
    edge_x, edge_y = level_curves(x, y, rise, np.array([0.0]))
    made = {
        "proof_level_x": level_x,
        "proof_level_y": level_y,
        "proof_edge_x": edge_x,
        "proof_edge_y": edge_y,
    }
    name = next(key for key, each in proofs.functions.items() if each is v)
    level = proofs.levels.get(name)
    if level is not None and level.value is not None:
        c_x, c_y = level_curves(x, y, np.ma.masked_invalid(heights), np.array([level.value]))
        if proofs.attractor.kind == "manifold":  # it is said of starts in the region alone
            inside = proofs.holds_uncut(np.nan_to_num(np.stack([c_x, c_y], axis=-1)))
            c_x = np.where(inside, c_x, np.nan)
        made |= {"proof_best_x": c_x, "proof_best_y": c_y}
    return made


def _balls(proofs: Proofs, epsilon: float) -> dict[str, Any]:
    found = proofs.attractor
    if found.point is None or found.delta is None:
        return {}
    angle = np.linspace(0.0, 2.0 * np.pi, 181)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    outer, inner = found.point + epsilon * ring, found.point + found.delta * ring
    point = found.point + found.delta * np.array([0.6, 0.8])
    run = [point]
    step = step_of(proofs.task.law)
    for _ in range(_EDGE_STEPS):
        run.append(step(run[-1][None])[0])
    edge = np.array(run)
    return {
        "proof_edge_run_x": edge[:, 0],
        "proof_edge_run_y": edge[:, 1],
        "proof_epsilon_x": outer[:, 0],
        "proof_epsilon_y": outer[:, 1],
        "proof_delta_x": inner[:, 0],
        "proof_delta_y": inner[:, 1],
    }


def _values(v: Slopes, points: FloatArray) -> FloatArray:
    value = v.value(Interval.point(points))
    return np.where(np.isfinite(value.size), value.mid, np.nan)


def _along(v: Slopes, path: FloatArray) -> dict[str, Any]:
    """Compute V and its changes along the run's last points."""
    values = _values(v, np.clip(path[:, : v.dimension], -FAR, FAR))
    steps = np.arange(1.0 - len(values), 1.0)
    change = np.diff(values)
    rises = change > 1e-14 * np.maximum(np.abs(values[1:]), np.abs(values[:-1]))
    size = np.abs(change)
    return {
        "proof_step": steps,
        "proof_v": np.where(values > 0.0, values, np.nan),
        "proof_change_step": steps[1:],
        "proof_change": np.where(size > 0.0, size, np.nan),
        "proof_rise_step": steps[1:][rises],
        "proof_rise": size[rises],
    }
