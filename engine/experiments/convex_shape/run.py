"""Steps of the convex shapes: a layer more, and a few hundred random chords."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.chunk import Chunk
from engine.experiments.convex_shape import convexity
from engine.experiments.convex_shape.growth import Ridges, first_order, grow, to_network
from engine.experiments.convex_shape.network import ConvexNetwork
from engine.experiments.convex_shape.params import (
    Problem,
    ShapeParams,
    ShapeState,
    problem_of,
    tangents_of,
    typed_network,
)


def begin(params: ShapeParams, seed: int) -> ShapeState:
    """Make the state at step 0: the first-order estimate, or the typed network."""
    problem = problem_of(params)
    networks = _first_networks(params, problem)
    count, n = len(networks), params.dimensions
    return ShapeState(
        params=params,
        seed=seed,
        problem=problem,
        networks=networks,
        ridges=tuple(Ridges.none(n) for _ in networks),
        violation=np.zeros(count),
        chord=np.zeros((count, 3, n)),
        facts=facts_of(problem, networks),
    )


def _first_networks(params: ShapeParams, problem: Problem) -> tuple[ConvexNetwork, ...]:
    if is_typed(params):
        return (typed_network(params),)
    values = [float(target[0]) for target in problem.targets]
    return tuple(
        first_order(value, slope) for value, slope in zip(values, problem.slopes, strict=True)
    )


def is_typed(params: ShapeParams) -> bool:
    """Return whether the network is given by the parameters and does not grow."""
    typed = params.picture == "build-up" and params.placement == "typed"
    return typed or params.picture == "level-curves"


def grows(state: ShapeState) -> bool:
    """Return whether steps add layers: there is nothing to be done after the last."""
    return not (state.is_loaded or is_typed(state.params))


def advance(state: ShapeState, n: int, stride: int) -> tuple[ShapeState, Chunk]:
    """Make n steps, but none after the last layer of a network that grows was added."""
    first = state.step + 1
    if grows(state):
        n = min(n, max(0, state.params.depth - state.step))
    rows: dict[str, list[FloatArray]] = {key: [] for key in record(state)}
    for _ in range(n):
        state = _tried(_grown(dataclasses.replace(state, step=state.step + 1)))
        for key, value in record(state).items():
            rows[key].append(value)
    shapes = {key: np.shape(value) for key, value in record(state).items()}
    series = {key: np.array(part).reshape(n, *shapes[key]) for key, part in rows.items()}
    return state, Chunk.exact(first, series).bucketed(stride)


def _grown(state: ShapeState) -> ShapeState:
    """Add the layer of this step, where there is one to add."""
    params, problem = state.params, state.problem
    if not grows(state) or state.step > params.depth:
        return state
    ridges = state.ridges
    if params.picture == "build-up" and params.placement == "tangents":
        networks: tuple[ConvexNetwork, ...] = (tangents_of(params, problem).first(state.step),)
    else:
        points = problem.points
        pairs = list(zip(problem.targets, problem.slopes, strict=True))
        ridges = tuple(
            grow(old, points, target - target[0] - points @ slope, params.signed)
            for old, (target, slope) in zip(ridges, pairs, strict=True)
        )
        networks = tuple(
            to_network(new, float(target[0]), slope)
            for new, (target, slope) in zip(ridges, pairs, strict=True)
        )
    return _with_networks(state, networks, ridges)


def _with_networks(
    state: ShapeState, networks: tuple[ConvexNetwork, ...], ridges: tuple[Ridges, ...]
) -> ShapeState:
    """Put in other networks; chords of the old ones say nothing of them."""
    return dataclasses.replace(
        state,
        networks=networks,
        ridges=ridges,
        violation=np.zeros_like(state.violation),
        chord=np.zeros_like(state.chord),
        facts=facts_of(state.problem, networks),
    )


def _tried(state: ShapeState) -> ShapeState:
    """Try this step's random chords on every network."""
    generator = np.random.default_rng([state.seed, state.step])
    violation, chord = state.violation.copy(), state.chord.copy()
    for index, network in enumerate(state.networks):
        upper = state.params.upper
        worst = convexity.worst_chord(network, upper, generator, state.params.chords)
        if worst.amount > violation[index]:
            violation[index] = worst.amount
            chord[index, :2], chord[index, 2] = worst.ends, worst.middle
    return dataclasses.replace(state, violation=violation, chord=chord)


def retune(state: ShapeState, params: ShapeParams) -> ShapeState:
    """Go on with other live parameters: a typed network changes at once."""
    old = state.params
    state = dataclasses.replace(state, params=params)
    names = ("biases", "weights", "V", "W", "b", "c", "repeats")
    changed = any(getattr(params, name) != getattr(old, name) for name in names)
    if is_typed(params) and changed:
        return _with_networks(state, (typed_network(params),), state.ridges)
    return state


def load(state: ShapeState, networks: tuple[ConvexNetwork, ...]) -> ShapeState:
    """Put in networks from outside, which then grow no more."""
    return dataclasses.replace(_with_networks(state, networks, state.ridges), is_loaded=True)


def record(state: ShapeState) -> dict[str, FloatArray]:
    """Return the series of one state."""
    return {**state.facts, "violation": state.violation}


def facts_of(problem: Problem, networks: tuple[ConvexNetwork, ...]) -> Mapping[str, FloatArray]:
    """Measure what depends on the networks alone.

    ``error`` and ``largest_error`` have one component per network and, of a decomposition, one
    more for r - s against f; without a target they are NaN.
    """
    values = [network(problem.points) for network in networks]
    misses = [value - target for value, target in zip(values, problem.targets, strict=False)]
    if len(misses) == 2:
        misses.append(misses[0] - misses[1])
    smallest = [network.smallest() for network in networks]
    return {
        "error": np.array([np.sqrt(np.mean(miss**2)) for miss in misses] or [np.nan]),
        "largest_error": np.array([np.abs(miss).max() for miss in misses] or [np.nan]),
        "smallest": np.array([min(one[key] for one in smallest) for key in ("W", "V", "b", "c")]),
        "identity_distance": np.array([network.distance_from_identity() for network in networks]),
        "layers": np.array([_units(network) for network in networks], float),
    }


def _units(network: ConvexNetwork) -> int:
    """Count the rectified units."""
    return sum(len(layer.b) for layer in network.layers)
