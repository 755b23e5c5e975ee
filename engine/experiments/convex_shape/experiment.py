r"""Convex functions out of residual layers, and others as a difference of two: Section 3.1.

Equations (6) to (8), Figure 2, Theorem 3. Symbols: L `depth`, :math:`b_i, w_i` `biases` and
`weights` (one input), V, W, b, c (two inputs), :math:`\alpha` `alpha`, :math:`\beta` through
`beta_margin`, :math:`M_1, M_2` `width` and `height`.

A step adds a layer (for two inputs a kink line) and tries random chords: the measured violation of
convexity. With L layers the run ends. Typed networks are complete from the start; their runs go on
trying chords.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.core.chunk import Chunk
from engine.core.claims import Bound, Claim
from engine.core.ensemble import Observation
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, Recent
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.views import View
from engine.experiments.convex_shape import drag as shape_drag
from engine.experiments.convex_shape import run as shape_run
from engine.experiments.convex_shape.claims import all_claims, bounds
from engine.experiments.convex_shape.listing import LISTING
from engine.experiments.convex_shape.network import ConvexNetwork, Layer
from engine.experiments.convex_shape.params import ShapeParams, ShapeState
from engine.experiments.convex_shape.views import all_views


@final
class ConvexShape(AbstractExperiment[ShapeParams, ShapeState]):
    """Convex shapes."""

    listing = LISTING
    parameters = ShapeParams
    default_steps = 24
    why_no_nudge = "a step adds a layer here, and there is no state that moves"

    def init(self, params: ShapeParams, seed: int) -> ShapeState:
        """Make the first-order estimate, or the typed network."""
        return shape_run.begin(params, seed)

    def advance(self, state: ShapeState, n: int, stride: int = 1) -> tuple[ShapeState, Chunk]:
        """Add layers and try chords; the run ends with the last layer."""
        return shape_run.advance(state, n, stride)

    def record(self, state: ShapeState) -> Mapping[str, FloatArray]:
        """Return errors, violation, smallest parameters and distance from the identity."""
        return shape_run.record(state)

    def observe(self, state: ShapeState, recent: Recent) -> Observation:
        """Compute the arrays of the plots."""
        return once(state, "observation", lambda: _observed(state))

    def outcome(self, state: ShapeState, recent: Recent) -> Outcome:
        """Describe how far the building is, and whether it is convex."""
        params, worst = state.params, float(state.violation.max())
        is_built = not shape_run.grows(state) or state.step >= params.depth
        shape = "no violation of convexity found"
        if worst > 0:
            shape = f"not convex: a chord lies {worst:.3g} below"
        error = float(state.facts["error"][-1])
        miss = "" if np.isnan(error) else f"root mean square error {error:.3g}, "
        phase = "complete" if is_built else f"{state.step} of {params.depth} layers"
        sentence = f"{miss}{shape}."
        return Outcome(
            kind=OutcomeKind.MAX_STEPS if is_built else OutcomeKind.CONVERGING,
            step=state.step,
            message=sentence[0].upper() + sentence[1:],
            phase=phase,
        )

    def theory(self, params: ShapeParams, state: ShapeState | None) -> tuple[Bound, ...]:
        """Return slopes, distances, and the smallest alpha and beta."""
        return bounds(params, state)

    def claims(self, params: ShapeParams, state: ShapeState, recent: Recent) -> tuple[Claim, ...]:
        """Confront the statements of Section 3.1 with the networks."""
        return once(state, ("claims", params), lambda: all_claims(params, state))

    def views(self, params: ShapeParams) -> tuple[View, ...]:
        """Describe the plots of the chosen picture."""
        return all_views(params)

    def final(self, state: ShapeState, recent: Recent) -> Mapping[str, Any]:
        """Sum up the networks."""
        problem, facts = state.problem, state.facts
        found: dict[str, Any] = {
            "error": [_finite(value) for value in facts["error"]],
            "largest_error": [_finite(value) for value in facts["largest_error"]],
            "violation": state.violation.tolist(),
            "smallest": dict(zip(("W", "V", "b", "c"), facts["smallest"].tolist(), strict=True)),
            "identity_distance": facts["identity_distance"].tolist(),
            "weights": {key: value.tolist() for key, value in self.arrays(state).items()},
        }
        if problem.parts is not None:
            found["alpha"] = problem.parts.alpha
            found["smallest_alpha"] = _finite(problem.smallest_alpha)
            found["beta"] = problem.parts.beta.tolist()
            found["smallest_beta"] = problem.smallest_beta.tolist()
        return found

    def arrays(self, state: ShapeState) -> Mapping[str, NDArray[Any]]:
        """Return W and V (L, n, m), b (L, m), c (n,) and d of each network."""
        return {
            f"{name}.{key}": value
            for name, network in zip(_names(state), state.networks, strict=True)
            for key, value in _stacked(network, state.params.dimensions).items()
        }

    def with_arrays(self, state: ShapeState, arrays: Mapping[str, NDArray[Any]]) -> ShapeState:
        """Show given networks; they grow no more."""
        networks = tuple(_unstacked(arrays, name, state.params) for name in _names(state))
        return shape_run.load(state, networks)

    def retune(self, state: ShapeState, params: ShapeParams) -> ShapeState:
        """Go on with other live parameters; a typed network follows at once."""
        return shape_run.retune(state, params)

    def drag(self, params: ShapeParams, handle: str, x: float, y: float) -> ShapeParams:
        """Move a kink or a weight of the build-up, or b, V or W of the level curves."""
        return shape_drag.drag(params, handle, x, y)

    def warm_up(self) -> None:
        """Compile what growing by least squares needs."""
        self.advance(self.init(ShapeParams(placement="greedy", depth=1), 0), 1)


def _observed(state: ShapeState) -> dict[str, Any]:
    from engine.experiments.convex_shape import observe as line
    from engine.experiments.convex_shape import plane

    if state.params.picture == "build-up":
        return line.observe_build_up(state)
    if state.params.picture == "level-curves":
        return plane.observe_levels(state)
    if state.params.dimensions == 1:
        return line.observe_parts(state)
    return plane.observe_parts(state)


def _names(state: ShapeState) -> tuple[str, ...]:
    return ("r", "s") if len(state.networks) == 2 else ("f",)


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _stacked(network: ConvexNetwork, n: int) -> dict[str, FloatArray]:
    layers = network.layers
    width = len(layers[0].b) if layers else 1
    return {
        "W": np.array([layer.W for layer in layers]).reshape(-1, n, width),
        "V": np.array([layer.V for layer in layers]).reshape(-1, n, width),
        "b": np.array([layer.b for layer in layers]).reshape(-1, width),
        "c": network.c,
        "d": np.array(network.d),
    }


def _unstacked(arrays: Mapping[str, NDArray[Any]], name: str, params: ShapeParams) -> ConvexNetwork:
    """Check the arrays of one network and put it together."""
    n = params.dimensions
    found: dict[str, FloatArray] = {}
    for key in ("W", "V", "b", "c", "d"):
        full = f"{name}.{key}"
        if full not in arrays:
            raise InputError("model", full, f"give an array {full}")
        value = np.asarray(arrays[full], np.float64)
        if not (np.abs(value) <= 1e9).all():
            raise InputError("model", full, "give finite numbers up to 1e9 in size")
        found[key] = value
    depth, width = found["b"].shape if found["b"].ndim == 2 else (-1, -1)
    shapes = {"W": (depth, n, width), "V": (depth, n, width), "c": (n,), "d": ()}
    for key, shape in shapes.items():
        if found[key].shape != shape or depth > 64 or width > 64:
            rule = f"give arrays W, V (L, {n}, m), b (L, m), c ({n},) and d, L and m up to 64"
            raise InputError("model", f"{name}.{key}", rule)
    if n == 1 and (width != 1 or (found["V"] != 1.0).any() or (found["W"] <= -1.0).any()):
        raise InputError("model", f"{name}.V", "for one input give V = 1 and W above -1")
    layers = (Layer(*parts) for parts in zip(found["W"], found["V"], found["b"], strict=True))
    return ConvexNetwork(tuple(layers), found["c"], float(found["d"]))
