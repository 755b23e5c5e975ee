"""Basins of two weights: what is reached from a start is what the run from there reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.outcome import OutcomeKind
from engine.core.params import build
from engine.experiments.scalar_product.basins import CELLS, basins, largest_stability
from engine.experiments.scalar_product.experiment import ScalarProduct
from engine.kernels.scalar.descent import Law, Method
from engine.kernels.scalar.maps import Motion, landings
from engine.run.session import Session

EXPERIMENT = ScalarProduct()
OPTIMISERS = {
    "gradient-descent": Method.GRADIENT_DESCENT,
    "heavy-ball": Method.HEAVY_BALL,
    "nesterov": Method.NESTEROV,
}


def law(step: float, target: float = 2.0, **other: object) -> Law:
    return Law(target=target, depth=2, step=step, **other)  # type: ignore[arg-type]


def middle(cell: Any, reach: float) -> Any:
    return ((cell + 0.5) / CELLS * 2 - 1) * reach


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("step", [0.1, 0.3, 0.38])
def test_a_cell_is_where_a_run_from_there_goes(optimiser: str, step: float) -> None:
    momentum = 0.0 if optimiser == "gradient-descent" else 0.4
    reach = 3.0
    found = basins(law(step, method=OPTIMISERS[optimiser], momentum=momentum), reach)
    rng = np.random.default_rng(5)
    outcomes = set()
    for row, column in rng.integers(0, CELLS, (40, 2)).tolist():
        start = (middle(column, reach), middle(row, reach))
        values = {
            "depth": 2,
            "target": 2.0,
            "step_size": step,
            "init": "list",
            "weights": start,
            "optimiser": optimiser,
            "momentum": momentum,
        }
        run = Session(EXPERIMENT, build(EXPERIMENT.parameters, values))
        run.advance(300)
        reached = found[row, column]
        if np.isnan(reached):
            run.advance(3000)
            assert run.outcome().kind is OutcomeKind.DIVERGED
        elif reached < 0.99 * largest_stability(OPTIMISERS[optimiser], momentum):
            run.advance(3000)
            assert step * np.sum(run.state.weights**2) / 2 == pytest.approx(reached, abs=1e-4)
        outcomes.add("diverged" if np.isnan(reached) else "settled" if reached < 1 else "restless")
    assert "settled" in outcomes


def test_the_step_size_selects_the_minima() -> None:
    """Proposition 1: none with S above 2/δ is reached, and the flattest has δS/2 = δ/δ_max."""
    for step in (0.1, 0.25, 0.4):
        found = basins(law(step), 4.0)
        settled = found[found < 1]
        assert settled.size > 1000
        assert settled.min() == pytest.approx(step / 0.5, rel=0.01)
    wide = np.isfinite(basins(law(0.1), 4.0)).mean()
    assert wide > np.isfinite(basins(law(0.3), 4.0)).mean() > np.isfinite(found).mean()


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("step", [3e-3, 1e-3])
def test_a_run_that_is_given_up_early_is_told_where_it_goes(optimiser: str, step: float) -> None:
    method, momentum = OPTIMISERS[optimiser], 0.0 if optimiser == "gradient-descent" else 0.9
    starts = np.linspace(-2.0, 2.0, 24)
    early, late = np.empty((2, 24, 24))
    for most, found in ((300, early), (30_000, late)):
        motion = Motion(2.0, 1.0, 2, int(method), momentum, 1e3)
        landings(starts, step, motion, most, 1e-6, found)
    ends = np.isfinite(late)
    assert ends.mean() > 0.95  # but those on a diagonal, which the saddle draws
    assert (early != late)[ends].mean() > 0.01
    np.testing.assert_allclose(early[ends], late[ends], rtol=0.05)


@pytest.mark.parametrize("step", [1e-3, 1e-6])
def test_short_steps_go_where_gradient_flow_does(step: float) -> None:
    """Along a hyperbola w1^2 - w2^2 = const., however far 300 of them lead."""
    found = basins(law(step), 2.0)
    at = middle(np.arange(CELLS), 2.0)
    flow = 0.5 * step * np.hypot(at[:, None] ** 2 - at**2, 4.0)
    settled = found < 1
    assert settled.mean() > 0.98
    np.testing.assert_allclose(found[settled], flow[settled], rtol=30 * step)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_no_minimum_that_repels_is_reached(optimiser: str) -> None:
    """Not even by what starts on it: (0.45, 0.45) is a start, and a minimum of this target."""
    method, momentum = OPTIMISERS[optimiser], 0.0 if optimiser == "gradient-descent" else 0.5
    most = largest_stability(method, momentum)
    assert most == pytest.approx(
        {"gradient-descent": 1.0, "heavy-ball": 1.5, "nesterov": 0.75}[optimiser]
    )
    for step in (0.99 * most / 0.2025, 1.01 * most / 0.2025):
        found = basins(law(step, 0.2025, method=method, momentum=momentum), 1.6)
        at = (CELLS + 45) // 2
        assert np.nanmax(found) <= most
        assert bool(found[at, at] < most) is (step * 0.2025 < most)


def test_above_the_largest_stable_step_size_nothing_settles() -> None:
    found = basins(law(0.55), 3.0)
    assert not (found < 1).any()
    assert (found == 1).any() and np.isnan(found).any()
    assert np.isnan(basins(law(5.0), 3.0)).all()


def test_exchanging_the_weights_or_their_signs_changes_nothing() -> None:
    found = basins(law(0.4), 3.0)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_allclose(found, found[::-1, ::-1], rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    step=st.floats(1e-6, 1e6),
    target=st.floats(1e-6, 1e6) | st.floats(-1e3, -1e-3),
    power=st.floats(1e-6, 1e6),
    method=st.sampled_from(Method),
    momentum=st.floats(0, 0.99),
    reach=st.floats(1e-3, 1e6),
)
def test_any_law_gives_a_drawable_picture(
    step: float, target: float, power: float, method: Method, momentum: float, reach: float
) -> None:
    beta = momentum if method else 0.0
    found = basins(law(step, target, input_power=power, method=method, momentum=beta), reach)
    assert found.shape == (CELLS, CELLS)
    assert not np.isinf(found).any()
    assert not (found < 0).any()


def test_the_same_law_is_computed_once_and_cannot_be_changed() -> None:
    first = basins(law(0.3), 2.0)
    assert basins(law(0.3), 2.0) is first
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1.0


def test_only_two_weights_have_a_plane() -> None:
    with pytest.raises(ValueError, match="two weights"):
        basins(Law(target=2.0, depth=3, step=0.1), 2.0)
    deep = build(EXPERIMENT.parameters, {"depth": 3})
    assert "basins" not in {view.id for view in EXPERIMENT.views(deep)}
    adaptive = build(EXPERIMENT.parameters, {"depth": 2, "step_rule": "sharpness"})
    assert "basins" not in {view.id for view in EXPERIMENT.views(adaptive)}


def test_a_run_shows_the_basins_of_its_own_law() -> None:
    values = {"depth": 2, "target": 2.0, "step_size": 0.4}
    run = Session(EXPERIMENT, build(EXPERIMENT.parameters, values))
    seen = EXPERIMENT.observe(run.state, run.recent())
    assert seen["basins"] is basins(law(0.4), float(seen["basins_extent"][1]))
    np.testing.assert_array_equal(seen["basins_extent"][:2], seen["basins_extent"][2:])
