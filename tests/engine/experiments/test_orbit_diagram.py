"""The orbit diagram of equal weights: thresholds, orbits and exponents of the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import theory
from engine.core.params import build
from engine.core.views import Handle, PlaneView
from engine.experiments.scalar_product.experiment import ScalarProduct
from engine.experiments.scalar_product.exponents import ACROSS, EQUAL
from engine.experiments.scalar_product.orbit_diagram import (
    COLUMNS,
    KEPT,
    ROWS,
    OrbitDiagram,
    orbit_diagram,
)
from engine.kernels.scalar.descent import Law, Method
from engine.kernels.scalar.maps import Motion, settled_orbits
from engine.run.session import Session

EXPERIMENT = ScalarProduct()

# Depth: ends of period 1, 2, 4 and 8, and of all that stays bounded (reference, target 2).
THRESHOLDS = {
    2: (0.5, 0.6180339887, 0.6440158772, 0.6496139698, 1.0),
    3: (0.264566842, 0.3292818474, 0.34404708, 0.3472391232, 0.56892),
    5: (0.1319507911, 0.1647243467, 0.17231625, 0.1739593916, 0.33365),
}
ORBITS = {
    (2, 0.55): (1.15194996, 1.57835139),
    (2, 0.6375): (0.88014346, 1.11034681, 1.56767547, 1.65335675),
    (3, 0.29102353): (1.13482635, 1.33666362),
    (5, 0.14514587): (1.08957184, 1.18457023),
}


def law(depth: int = 2, target: float = 2.0, **other: object) -> Law:
    return Law(target=target, depth=depth, step=0.1, **other)  # type: ignore[arg-type]


def diagram(depth: int, target: float = 2.0, start: float = 1.0) -> OrbitDiagram:
    made = orbit_diagram(law(depth, target), start)
    assert made is not None
    return made


def orbit(
    step: float, n: int = 64, transient: int = 20_000, start: float = 1.0, **terms: object
) -> tuple[np.ndarray, float]:
    given = law(**terms)  # type: ignore[arg-type]
    points, exponents = np.empty((1, n)), np.empty(1)
    motion = Motion(
        given.target, given.input_power, given.depth, int(given.method), given.momentum, 1e9
    )
    settled_orbits(np.array([step]), start, motion, transient, points, exponents)
    return points[0], float(exponents[0])


def branches(shown: OrbitDiagram, step: float) -> int:
    """Count the separate stretches of cells that are visited at a step size."""
    column = int(step / shown.end * COLUMNS)
    seen = np.isfinite(shown.density[:, column])
    return int(seen[0]) + int((np.diff(seen.astype(int)) == 1).sum())


@pytest.mark.parametrize("depth", THRESHOLDS)
def test_branches_fork_at_the_thresholds_of_the_reference(depth: int) -> None:
    shown = diagram(depth)
    one, two, four, _, _ = THRESHOLDS[depth]
    assert branches(shown, 0.5 * one) == 1
    assert branches(shown, 0.5 * (one + two)) == 2
    assert branches(shown, 0.6 * two + 0.4 * four) == 4
    assert shown.extent[1] == shown.end


@pytest.mark.parametrize("depth", THRESHOLDS)
def test_it_ends_where_orbits_diverge(depth: int) -> None:
    end = THRESHOLDS[depth][-1]
    assert end < diagram(depth).end < 1.1 * end


@pytest.mark.parametrize("depth", THRESHOLDS)
def test_exponents_change_sign_where_chaos_begins(depth: int) -> None:
    shown = diagram(depth)
    eight = THRESHOLDS[depth][3]
    regular = shown.steps < 0.99 * eight
    assert (shown.exponents[regular] < 1e-3).all()
    assert np.nanmax(shown.exponents) > 0.3
    at_fork = np.interp(THRESHOLDS[depth][0], shown.steps, shown.exponents)
    assert abs(at_fork) < 0.05


@pytest.mark.parametrize(("depth", "step"), ORBITS)
def test_orbits_are_those_of_the_reference(depth: int, step: float) -> None:
    points, _ = orbit(step, depth=depth)
    expected = np.array(ORBITS[depth, step])
    np.testing.assert_allclose(
        np.sort(points)[:: len(points) // len(expected)], expected, atol=1e-8
    )


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize(("depth", "target"), [(1, 2.0), (2, 2.0), (2, -1.0), (3, 2.0), (5, -1.5)])
def test_laps_that_are_left_out_change_no_bit(method: Method, depth: int, target: float) -> None:
    terms = {"depth": depth, "target": target, "method": method, "momentum": 0.5 if method else 0.0}
    unit = theory.delta_max(target, depth)
    for step in unit * np.array([0.05, 0.5, 0.9, 1.1, 1.23, 1.27, 1.3, 1.45, 1.457, 1.7]):
        whole, _ = orbit(step, n=1250, transient=0, **terms)
        shown, _ = orbit(step, n=50, transient=1200, **terms)
        np.testing.assert_array_equal(shown, whole[1200:])


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
@pytest.mark.parametrize(("depth", "target", "step"), [(1, 3.0, 0.4), (3, 2.0, 0.1), (6, 0.5, 0.2)])
def test_the_map_is_the_run_of_equal_weights(
    optimiser: str, depth: int, target: float, step: float
) -> None:
    settings = {
        "depth": depth,
        "target": target,
        "step_size": step,
        "optimiser": optimiser,
        "momentum": 0.5,
        "input_power": 1.3,
    }
    run = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    run.advance(40)
    methods = {"heavy-ball": Method.HEAVY_BALL, "nesterov": Method.NESTEROV}
    method = methods.get(optimiser, Method.GRADIENT_DESCENT)
    points, _ = orbit(
        step,
        n=1,
        transient=40,
        depth=depth,
        target=target,
        input_power=1.3,
        method=method,
        momentum=0.5 if method else 0.0,
    )
    np.testing.assert_allclose(points[0], run.state.weights, rtol=1e-10)


@pytest.mark.parametrize("step", [0.2, 0.45, 0.55, 0.6, 0.7, 0.9])
def test_the_exponent_is_that_of_the_phase_badge(step: float) -> None:
    settings = {"depth": 2, "target": 2.0, "step_size": step}
    run = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    run.advance(20_000, coarse=True)
    _, exponent = orbit(step, n=20_000)
    found = {item.of: item.value for item in run.outcome().exponents}
    measured = found.get(EQUAL, found.get(ACROSS))
    if measured is None:  # it has converged in one step: the rate is the slope's
        measured = math.log(abs(1 - step / 0.25))
    tolerance = 0.1 if measured > 0 else 0.003  # the badge sees some hundred steps of chaos
    assert exponent == pytest.approx(measured, abs=tolerance)


@settings(max_examples=60, deadline=None)
@given(
    depth=st.integers(1, 60),
    target=st.floats(1e-8, 1e8) | st.floats(-1e4, -1e-4),
    power=st.floats(1e-6, 1e6),
    momentum=st.floats(0, 0.99),
    method=st.sampled_from(Method),
    start=st.floats(-1e6, 1e6),
)
def test_any_law_gives_a_drawable_diagram(
    depth: int, target: float, power: float, momentum: float, method: Method, start: float
) -> None:
    given_law = law(depth, target, input_power=power, method=method, momentum=momentum)
    shown = orbit_diagram(given_law, start)
    assert shown is not None
    assert shown.density.shape == (ROWS, COLUMNS)
    assert np.isfinite(shown.extent).all()
    assert shown.low < shown.high
    assert 0 < shown.end
    visited = shown.density[np.isfinite(shown.density)]
    assert ((visited >= 0) & (visited <= 1)).all()
    assert not np.isinf(shown.exponents).any()
    if method is not Method.GRADIENT_DESCENT:
        assert np.isnan(shown.exponents).all()


def test_a_start_on_the_equilibrium_forks_nevertheless() -> None:
    """Exactly there it would stay at any step size, stable or not."""
    shown = diagram(3, target=1.0)
    limit = theory.delta_max(1.0, 3)
    assert shown.end < 4 * limit
    assert branches(shown, 0.9 * limit) == 1
    assert branches(shown, 1.15 * limit) == 2
    assert orbit_diagram(law(1000), 1e6) is not None  # whose power is no float


@pytest.mark.parametrize(("depth", "target"), [(2, 2.0), (3, 2.0), (5, -0.7)])
def test_a_start_on_a_rounded_minimum_forks_as_well(depth: int, target: float) -> None:
    """Its power misses the target by rounding, and its step is lost in rounding as well."""
    root = math.copysign(abs(target) ** (1 / depth), target)
    for start in (root, math.nextafter(root, 2.0), math.nextafter(root, 0.0)):
        shown = diagram(depth, target=target, start=start)
        assert branches(shown, 1.15 * theory.delta_max(target, depth)) == 2


def test_a_scale_beyond_floats_has_no_diagram() -> None:
    assert orbit_diagram(law(1000, 1e-60, input_power=1e-12), 1.0) is not None
    tiny = law(2, 1e-60, input_power=1e-300)
    assert theory.delta_max(1e-60, 2, 1e-300) == math.inf
    assert orbit_diagram(tiny, 1.0) is None


def test_the_same_law_is_computed_once_and_cannot_be_changed() -> None:
    first = orbit_diagram(law(3), 1.0)
    again = orbit_diagram(Law(target=2.0, depth=3, step=0.7), 1.0)
    assert first is again and first is not None
    with pytest.raises(ValueError, match="read-only"):
        first.density[0, 0] = 1.0


def observed(n: int, **settings: object) -> dict[str, np.ndarray]:
    run = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    run.advance(n)
    return dict(EXPERIMENT.observe(run.state, run.recent()))


def test_the_run_lies_on_the_diagram_where_it_has_settled() -> None:
    seen = observed(5000, depth=2, target=2.0, step_size=0.55)
    density, extent = seen["orbit_density"], seen["orbit_extent"]
    counts = seen["orbit_count"]
    assert counts.sum(axis=0).max() == KEPT
    assert (counts.sum(axis=0) <= KEPT).all()
    assert np.isfinite(density[counts > 0]).all()
    column = int(0.55 / extent[1] * COLUMNS)
    rows = ((seen["orbit_y"] - extent[2]) / (extent[3] - extent[2]) * ROWS).astype(int)
    visited = np.flatnonzero(np.isfinite(density[:, column]))
    assert set(rows.tolist()) <= {row + side for row in visited.tolist() for side in (-1, 0, 1)}
    assert (seen["orbit_x"] == 0.55).all()
    assert float(seen["orbit_step"]) == 0.55


@pytest.mark.parametrize(
    ("target", "weights"),
    [
        (2.0, (2.0, -1.0)),
        (2.0, (-1.5, -0.9)),
        (-1.0, (1.0, 1.1)),
        (-1.0, (0.8, -1.0)),
        (2.0, (1.0, 1.2, -0.9)),
        (-2.0, (1.0, 1.2, 0.9)),
        (-2.0, (1.0, -1.2, 0.9)),
        (2.0, (1.0, 1.2, -0.9, 0.7)),
        (-2.0, (1.0, 1.2, 0.9, 0.7)),
    ],
)
def test_unequal_weights_lie_on_the_branch_of_their_minimum(
    target: float, weights: tuple[float, ...]
) -> None:
    """Whatever the signs that they begin with."""
    seen = observed(
        6000, depth=len(weights), target=target, init="list", weights=weights, step_size=0.05
    )
    root = abs(target) ** (1 / len(weights))
    assert seen["orbit_y"] == pytest.approx(np.full(60, math.copysign(root, target)), abs=1e-9)
    (density, (_, end, low, high)) = seen["orbit_density"], seen["orbit_extent"]
    visited = np.flatnonzero(np.isfinite(density[:, int(0.05 / end * COLUMNS)]))
    assert len(visited) == 2 and visited[1] - visited[0] == 1  # a branch is two rows thick
    branch = low + (visited[0] + 0.5) / ROWS * (high - low)
    assert branch == pytest.approx(seen["orbit_y"][-1], abs=(high - low) / ROWS)


def test_odd_negatives_and_unequal_weights_enter_by_their_map() -> None:
    negative = observed(3000, depth=3, target=-2.0, init="odd-negatives", step_size=0.29102353)
    assert np.sort(negative["orbit_y"])[[0, -1]] == pytest.approx(ORBITS[3, 0.29102353], abs=1e-6)
    unequal = observed(2000, depth=3, target=2.0, init="list", weights=(2.0, 1.0, 0.7))
    assert unequal["orbit_y"][-1] == pytest.approx(2.0 ** (1 / 3))


def test_what_is_beyond_the_diagram_is_held_at_its_end() -> None:
    seen = observed(2, depth=2, target=2.0, step_size=50.0)
    assert float(seen["orbit_step"]) == seen["orbit_extent"][1]
    assert seen["orbit_x"].size == 0
    assert float(seen["orbit_foot"]) == seen["orbit_extent"][2]


def test_the_step_size_is_dragged_along_it() -> None:
    params = build(EXPERIMENT.parameters, {"depth": 2, "target": 2.0})
    (view,) = (view for view in EXPERIMENT.views(params) if view.id == "orbit-diagram")
    assert isinstance(view, PlaneView)
    (handle,) = (item for item in view.items if isinstance(item, Handle))
    assert (handle.id, handle.axis) == ("step_size", "x")
    assert EXPERIMENT.drag(params, handle.id, 0.62, 7.0).step_size == 0.62
    assert EXPERIMENT.drag(params, handle.id, -0.3, 0.0).step_size == pytest.approx(0.0005)


def test_a_step_size_that_depends_on_the_state_has_no_diagram() -> None:
    params = build(EXPERIMENT.parameters, {"step_rule": "sharpness"})
    assert not {"orbit-diagram", "exponents"} & {view.id for view in EXPERIMENT.views(params)}
    momentum = build(EXPERIMENT.parameters, {"optimiser": "nesterov"})
    shown = {view.id for view in EXPERIMENT.views(momentum)}
    assert "orbit-diagram" in shown and "exponents" not in shown
