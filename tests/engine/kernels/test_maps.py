"""Many runs at once: bits that do not depend on the pack, and verdicts that are right."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiments import EXPERIMENTS
from engine.kernels.maps.outcomes import (
    AT_MANIFOLD,
    AT_MINIMUM,
    AT_SADDLE,
    CYCLE,
    DIVERGED,
    UNDECIDED,
    UNDEFINED,
)
from engine.kernels.maps.runs import Cells, Runs
from engine.theory.optimisers.law import DescentLaw

LOADED = {entry.id: entry.load() for entry in EXPERIMENTS}
SMOOTH = ("gradient-descent", "heavy-ball", "nesterov")
LOSSES = (
    "(x*y - 2)^2/2",
    "(1 - x)^2 + 100*(y - x^2)^2",
    "logcosh(x*y) + max(x, y)^2*exp(-x^2)/3",
    "x^2/2 + sin(3*y)*cos(x) + abs(y - 0.1)",
    "sqrt(1 + x^2) + x^(1.5)*0 + softplus(y) - y/3 + tanh(x*y)",
    "x - log(x + 0.1) + y^2 + x*y",
    "relu(x - y)^2 + min(x, 2*y)*x + y^4",
)


def law_of(function: str = "(x*y - 2)^2/2", **values: Any) -> DescentLaw:
    """Return the law of an own loss."""
    experiment = LOADED["own-loss"]
    params = experiment.parameters(function=function, **{"constants": "", **values})
    law = experiment.law(params)
    assert isinstance(law, DescentLaw)
    return law


def around(law: DescentLaw, count: int, reach: float = 2.0) -> Cells:
    """Return runs from random starts."""
    cells = Cells.of(law, count)
    cells.starts[:] = np.random.default_rng(1).uniform(-reach, reach, cells.starts.shape)
    return cells


def ends_of(law: DescentLaw, start: list[float], most: int = 2000) -> tuple[int, Any]:
    """Follow a run from one start."""
    cells = Cells.of(law, 1)
    cells.starts[0] = start
    found = Runs(law).follow(cells, most)
    return int(found.codes[0]), found


@pytest.mark.parametrize("optimiser", SMOOTH)
@pytest.mark.parametrize("function", LOSSES)
def test_a_run_has_the_same_bits_in_packs_of_any_width_and_by_the_interpreter(
    function: str, optimiser: str
) -> None:
    law = law_of(function, optimiser=optimiser, step_size=0.02, momentum=0.5)
    cells = around(law, 23)
    general = Runs(law, compile_packs=False)
    expected = general.follow(cells, 200), general.grow(cells, general.follow(cells, 200).ends, 16)
    for width in (4, 8, 16):
        runs = Runs(law, width=width)
        assert runs.is_packed is not ("log(" in function and optimiser == "nesterov")
        found = runs.follow(cells, 200)
        for ours, theirs in zip(found, expected[0], strict=True):
            np.testing.assert_array_equal(ours, theirs)
        grown = runs.grow(cells, found.ends, 16)
        np.testing.assert_array_equal(grown.exponents, expected[1].exponents)
        np.testing.assert_array_equal(grown.left, expected[1].left)


def test_what_is_found_of_a_run_does_not_depend_on_those_beside_it() -> None:
    law = law_of("(x^2 + y - 11)^2 + (x + y^2 - 7)^2", step_size=0.02)
    cells, runs = around(law, 40, 5.0), Runs(law)
    together = runs.follow(cells, 500)
    for rows in (slice(0, 1), slice(7, 30), np.arange(39, -1, -3)):
        alone = runs.follow(cells[rows], 500)
        for ours, theirs in zip(alone, together, strict=True):
            np.testing.assert_array_equal(ours, theirs[rows])


@given(
    weights=st.lists(st.floats(-1.2, 1.2), min_size=1, max_size=5),
    optimiser=st.sampled_from(SMOOTH),
    identifier=st.sampled_from(("scalar-product", "least-squares", "own-loss", "double-scalar")),
)
@settings(max_examples=24, deadline=None)
def test_a_step_of_a_law_is_that_of_the_system(
    weights: list[float], optimiser: str, identifier: str
) -> None:
    experiment, size = LOADED[identifier], len(weights)
    given_optimiser = {"optimiser": optimiser, "momentum": 0.6}
    values: dict[str, Any] = {
        "scalar-product": {"depth": size, "init": "list", "weights": tuple(weights)},
        "least-squares": {"width": size, "start": tuple(weights)},
        "own-loss": {
            "function": f"(prod(w[i], i = 1..{size}) - 2)^2/2 + sum(w[i]^4, i = 1..{size})",
            "constants": "",
            "start": tuple(weights),
        },
        "double-scalar": {"depth": size, "noise": 0.1},
    }[identifier]
    if identifier != "double-scalar":
        values |= given_optimiser
    params = experiment.parameters(step_size=0.02, **values)
    law, system = experiment.law(params), experiment.system(params)
    assert isinstance(law, DescentLaw)
    z = system.start(0)
    for _ in range(2):
        z = system.step(z)
    orbits = Runs(law).orbits(Cells.of(law, 1), 0, 48)
    if identifier == "scalar-product":  # a class of equal weights is one variable
        places = [law.places[f"w{i + 1}"].variables[0] for i in range(size)]
        signs = np.sign(weights) * np.sign(law.start[places])
        made = orbits.points[0, 1][places] * np.where(signs == 0.0, 1.0, signs)
    else:
        made = orbits.points[0, 1]
    scale = max(1.0, float(np.max(np.abs(z))))
    np.testing.assert_allclose(made, z[: len(made)], rtol=1e-12, atol=1e-12 * scale)


def test_isolated_minima_manifolds_and_saddles_are_told_apart() -> None:
    code, found = ends_of(law_of("(x - 1)^2 + 2*y^2", step_size=0.3), [3.0, 1.0])
    assert code == AT_MINIMUM and found.sharpness[0] == pytest.approx(4.0)
    np.testing.assert_allclose(found.ends[0], [1.0, 0.0], atol=1e-12)
    code, found = ends_of(law_of(step_size=0.1), [1.0, 2.5])
    assert code == AT_MANIFOLD
    x, y = found.ends[0]
    assert x * y == pytest.approx(2.0) and found.sharpness[0] == pytest.approx(x * x + y * y)
    assert ends_of(law_of(step_size=0.1), [1.0, -1.0])[0] == AT_SADDLE
    assert ends_of(law_of("x^2/2 + 2*y^2", step_size=0.6), [1.0, 0.0])[0] == AT_SADDLE


def test_what_creeps_or_is_open_stays_undecided() -> None:
    assert ends_of(law_of("x^4 + y^2", step_size=0.1), [1.0, 1.0])[0] == UNDECIDED
    assert ends_of(law_of("exp(-x) + y^2", step_size=0.1), [1.0, 1.0])[0] == UNDECIDED
    assert ends_of(law_of("x^2 + y^2", step_size=1.0), [1.0, 1.0])[0] == CYCLE + 2  # to the bit


def test_a_cycle_must_contract_or_repeat_to_the_last_bit() -> None:
    # w - δ(w³ - λw) at δ = 0.55, λ = 2: a stable cycle of period 2
    double_well = law_of("x^4/4 - x^2 + y^2", step_size=0.55)
    assert ends_of(double_well, [0.7, 0.1])[0] == CYCLE + 2
    onset = dataclasses.replace(
        double_well, setting=dataclasses.replace(double_well.setting, step_size=0.5)
    )
    assert ends_of(onset, [0.7, 0.1])[0] == UNDECIDED  # there errors shrink as a power of k


def test_divergence_is_told_from_leaving_where_the_loss_is_defined() -> None:
    code, found = ends_of(law_of("x^4 + y^4", step_size=1.0), [1.0, 2.0])
    assert code == DIVERGED and found.steps[0] < 10
    code, found = ends_of(law_of("x - log(x) + y^2/20", step_size=5.0), [2.0, 0.0])
    assert code == UNDEFINED and found.steps[0] == 1  # there the gradient is still a number
    assert ends_of(law_of("sqrt(x) + y^2", step_size=0.5), [0.01, 0.0])[0] == UNDEFINED


def test_a_step_size_that_falls_is_judged_by_what_it_is_at_last() -> None:
    falling = {"schedule": "linear", "schedule_length": 200, "schedule_end": 0.1}
    law = law_of("x^2/2 + y^2", step_size=1.3, **falling)
    assert ends_of(law, [1.0, 1.0])[0] == AT_MINIMUM  # 2.6 would be too much for y, 0.26 is not


def test_steps_are_counted_until_the_run_is_near_for_good() -> None:
    law = law_of("x^2/2 + y^2/2", step_size=0.5)
    _, found = ends_of(law, [1.0, 0.25])
    assert found.steps[0] == math.ceil(math.log(1e-6) / math.log(0.5))


@pytest.mark.parametrize("step_size, expected", [(1.0, math.log(3.0)), (0.6, None)])
def test_the_exponent_of_chebyshevs_cubic_is_the_log_of_3(
    step_size: float, expected: float | None
) -> None:
    experiment = LOADED["scalar-product"]
    params = experiment.parameters(depth=2, target=2.0, step_size=step_size)
    law = experiment.law(params)
    assert isinstance(law, DescentLaw)
    cells = Cells.of(law, 1)
    cells.starts[:] = 0.7
    runs = Runs(law)
    states = runs.orbits(cells, 1000, 48).ends
    grown = runs.grow(cells, states, 1024)
    if expected is None:
        assert grown.exponents[0] < 0.0 and not grown.is_aperiodic[0]
        return
    assert grown.is_aperiodic[0]
    assert 0.0 < grown.errors[0] < 0.005
    assert abs(grown.exponents[0] - expected) < 4.0 * grown.errors[0]


@pytest.mark.parametrize("optimiser", ["adam", "sam", "polyak", "normalised-gd", "rmsprop"])
def test_optimisers_without_a_jacobian_make_the_steps_of_a_single_run(optimiser: str) -> None:
    experiment = LOADED["own-loss"]
    params = experiment.parameters(
        function="(x - 1)^2 + 3*y^2 + x*y", constants="", optimiser=optimiser, step_size=0.05
    )
    law = experiment.law(params)
    assert isinstance(law, DescentLaw) and not law.is_smooth
    _, chunk = experiment.advance(experiment.init(params, 0), 48)
    orbits = Runs(law).orbits(Cells.of(law, 1), 0, 48)
    np.testing.assert_array_equal(orbits.points[0], chunk.low["weights"])
