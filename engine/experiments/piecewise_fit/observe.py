"""What the plots of the piecewise fit show at one state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.experiments.piecewise_fit.params import FitState
from engine.experiments.piecewise_fit.run import measured
from engine.families import piecewise
from engine.families.piecewise import LineFits, Pieces

ROWS = (4.0, 3.0, 2.0, 1.0)
"""Heights of the kinks' axes: convex and concave part of the first, then of the second."""
VIEW = (-0.1, 1.25)
"""Kinks beyond these are not drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """One estimator at one state, cut into its affine pieces.

    `kinks` and `first_kinks` (2L) are where each layer switches, now and at the start; NaN where
    it does so nowhere or more than once.
    """

    whole: Pieces
    convex: Pieces
    concave: Pieces
    lines: LineFits
    kinks: FloatArray
    first_kinks: FloatArray


def estimate(state: FitState, which: int) -> Estimate:
    """Cut an estimator (0 or 1) into pieces."""
    return once(state, ("estimate", which), lambda: _cut(state, which))


def _cut(state: FitState, which: int) -> Estimate:
    theta, found = state.theta[which], state.samples
    with np.errstate(all="ignore"):
        pieces = piecewise.pair_pieces(theta, float(found.x[0]), float(found.x[-1]))
        lines = piecewise.fit_lines(pieces[0], found.x, found.y)
    return Estimate(*pieces, lines, kinks_of(theta), kinks_of(state.start[which]))


def kinks_of(theta: FloatArray) -> FloatArray:
    """Find where each layer of both networks switches, shape (2L,); NaN for weights <= -1.

    An increasing network is inverted layer by layer: b_l = h_{l-1}(x).
    """
    depth = (theta.size - 3) // 4
    places = np.full(2 * depth, np.nan)
    for net in range(2):
        w = theta[net * depth : (net + 1) * depth]
        b = theta[(2 + net) * depth : (3 + net) * depth]
        if w.min() <= -1:
            continue
        for layer in range(depth):
            h = b[layer]
            for below in range(layer - 1, -1, -1):
                if h > b[below]:
                    h = (h + w[below] * b[below]) / (1.0 + w[below])
            places[net * depth + layer] = h
    return places


def observe(state: FitState) -> dict[str, Any]:
    """Compute the arrays of all plots."""
    found = state.samples
    seen: dict[str, Any] = {
        "data_x": found.x,
        "data_y": found.y,
        "function_x": found.line_x,
        "function_y": found.line_y,
        "function_lipschitz": np.nan if found.lipschitz is None else found.lipschitz,
    }
    if state.params.function == "drawn":
        drawn = np.array(state.params.drawn, float).reshape(-1, 2)
        seen["point_x"], seen["point_y"] = drawn[:, 0], drawn[:, 1]
    truth = piecewise.interpolant(found.line_x, found.line_y)
    seen["function_slope_x"], seen["function_slope_y"] = _steps(truth)
    for which in range(2):
        _observe_one(seen, str(which + 1), estimate(state, which), state, which)
    seen["summary"] = _summary(state)
    return seen


def _observe_one(
    seen: dict[str, Any], name: str, found: Estimate, state: FitState, which: int
) -> None:
    depth = state.params.depth
    for part, pieces in (
        ("fit", found.whole),
        ("convex", found.convex),
        ("concave", found.concave),
    ):
        seen[f"{part}_{name}_x"], seen[f"{part}_{name}_y"] = pieces.edges, pieces.values
    seen[f"slope_{name}_x"], seen[f"slope_{name}_y"] = _steps(found.whole)
    inner = found.whole.edges[1:-1]
    seen[f"corner_{name}_x"], seen[f"corner_{name}_y"] = inner, found.whole.values[1:-1]
    seen[f"line_{name}_x"], seen[f"line_{name}_y"] = _segments(found.lines)
    rows = np.repeat(ROWS[2 * which : 2 * which + 2], depth)
    now, first = (_shown(kinks) for kinks in (found.kinks, found.first_kinks))
    seen[f"start_{name}_x"], seen[f"start_{name}_y"] = first, rows
    seen[f"kink_{name}_x"], seen[f"kink_{name}_y"] = now, rows - 0.4
    gap = np.full(2 * depth, np.nan)
    seen[f"way_{name}_x"] = np.stack([first, now, gap], axis=1).ravel()
    seen[f"way_{name}_y"] = np.stack([rows, rows - 0.4, gap], axis=1).ravel()
    error = piecewise.evaluate(state.theta[which], state.samples.x)[0] - state.samples.y
    seen[f"error_{name}_y"] = error


def _shown(kinks: FloatArray) -> FloatArray:
    inside = (kinks >= VIEW[0]) & (kinks <= VIEW[1])
    return np.where(inside, kinks, np.nan)


def _steps(pieces: Pieces) -> tuple[FloatArray, FloatArray]:
    """Draw the slopes as a staircase."""
    return np.repeat(pieces.edges, 2)[1:-1], np.repeat(pieces.slopes, 2)


def _segments(lines: LineFits) -> tuple[FloatArray, FloatArray]:
    gap = np.full(lines.left.size, np.nan)
    x = np.stack([lines.left, lines.right, gap], axis=1)
    y = lines.slope[:, None] * x + lines.offset[:, None]
    return x.ravel(), y.ravel()


def _summary(state: FitState) -> list[list[Any]]:
    """Return rows quantity, first estimator, second, function."""
    now = measured(state)
    first, second = estimate(state, 0), estimate(state, 1)
    rows: list[list[Any]] = [
        ["mean squared error", *_pair(now["mse"]), ""],
        ["Lipschitz constant", *_pair(now["lipschitz"]), _number(state.samples.lipschitz)],
        ["affine pieces", len(first.whole.slopes), len(second.whole.slopes), ""],
        ["bias movement, relative", *_pair(now["bias_movement"]), ""],
        ["weight movement, relative", *_pair(now["weight_movement"]), ""],
        ["gradient norm of W", *_pair(now["gradient_w"]), ""],
        ["gradient norm of b", *_pair(now["gradient_b"]), ""],
        ["gradient norm of c", *_pair(now["gradient_c"]), ""],
        ["residual of (12a)", *_pair(now["residual_12a"]), ""],
        ["residual of (12b)", *_pair(now["residual_12b"]), ""],
        ["residual of the b-gradient", *_pair(now["residual_b"]), ""],
        ["distance from least-squares lines", *(_distance(e) for e in (first, second)), ""],
        ["smallest of w, b, c", *_pair(now["smallest"]), ""],
    ]
    if state.samples.note:
        rows.append([state.samples.note, "", "", ""])
    return rows


def _pair(values: FloatArray) -> list[str]:
    return [_number(value) for value in values]


def _number(value: float | None) -> str:
    return "unbounded" if value is None else f"{value:.4g}"


def _distance(found: Estimate) -> str:
    distance = found.lines.overall_distance()
    return "" if distance is None else _number(distance)
