"""Thresholds of the scalar product network with momentum, and those of deep networks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import theory
from engine.core.claims import Verdict
from engine.core.outcome import OutcomeKind, Standing
from engine.core.params import build
from engine.core.registry import get
from engine.experiments.scalar_product import period_doubling
from engine.run.session import Session

EXPERIMENT = get("scalar-product")


def session(steps: int, **settings: Any) -> Session:
    made = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    made.advance(steps)
    return made


@pytest.mark.parametrize(
    ("depth", "sign", "four"),
    [
        (2, 1.59808, 1.23607),
        (3, 1.83050, 1.24461),
        (4, 1.98929, 1.24717),
        (6, 2.21348, 1.24908),
        (7, 2.29995, 1.24953),
        (9, 2.44317, None),
        (10, 2.50416, None),
        (11, 2.55987, None),
        (50, 3.52121, 1.25140),
        (1000, 5.80681, None),
    ],
)
def test_thresholds_of_the_symmetric_map(depth: int, sign: float, four: float | None) -> None:
    assert period_doubling.crisis(depth) == pytest.approx(sign, abs=6e-6)
    if four is not None:
        assert period_doubling.doublings(depth, 2)[1] == pytest.approx(four, abs=6e-6)


def test_the_heavy_ball_doubles_its_period_where_it_is_predicted() -> None:
    predicted = 0.5 * period_doubling.heavy_ball_doubling(2, 0.3)
    assert predicted == pytest.approx(0.7508925726, abs=1e-9)
    assert period_doubling.heavy_ball_doubling(3, 0.0) == pytest.approx(
        period_doubling.doublings(3, 2)[1], rel=1e-9
    )
    for times, period in ((0.99, 2), (1.01, 4)):
        run = session(
            5000,
            depth=2,
            target=2.0,
            optimiser="heavy-ball",
            momentum=0.3,
            step_size=times * predicted,
        )
        assert run.outcome().period == period


@pytest.mark.parametrize(
    ("optimiser", "share"),
    [("gradient-descent", 1.0), ("heavy-ball", 1.9), ("nesterov", 1.9 / 2.8)],
)
def test_bounds_and_meter_are_those_of_the_optimiser(optimiser: str, share: float) -> None:
    """At 0.99 of the limit the balanced minimum draws a run in, and at 1.01 of it not."""
    limit = share * theory.delta_max(2.0, 2)
    for times in (0.99, 1.01):
        run = session(
            4000,
            depth=2,
            target=2.0,
            init="minimum",
            weights=(2.0**0.5,),
            stretch=1e-6,
            step_size=times * limit,
            optimiser=optimiser,
            momentum=0.9,
        )
        bounds = {bound.id: bound for bound in EXPERIMENT.theory(run.params, run.state)}
        assert bounds["delta_max"].value == pytest.approx(limit, rel=1e-12)
        assert bounds["stability"].value == pytest.approx(times, rel=1e-12)
        first = float(EXPERIMENT.record(run.state_at(0))["stability"])
        assert first == pytest.approx(times, rel=1e-5)
        outcome = run.outcome()
        if times < 1.0:
            assert outcome.standing is Standing.AT_MINIMUM
            assert float(run.recent()["stability"][-1]) == pytest.approx(times, rel=1e-6)
        else:
            assert not outcome.standing.is_by_minimum


def test_the_heavy_ball_stays_at_a_minimum_that_descent_cannot_bear() -> None:
    run = session(
        4000,
        depth=2,
        target=2.0,
        init="minimum",
        weights=(2.0**0.5,),
        stretch=1e-6,
        step_size=0.94,
        optimiser="heavy-ball",
    )
    assert run.outcome().kind is OutcomeKind.CONVERGED
    bounds = {bound.id: bound for bound in EXPERIMENT.theory(run.params, run.state)}
    assert bounds["delta_max"].value == pytest.approx(0.95)
    assert not {"delta_c", "rate", "delta_sign", "delta_zero"} & set(bounds)
    claims = EXPERIMENT.claims(run.params, run.state, run.recent())
    judged = {claim.id: claim.verdict for claim in claims}
    spectrum = judged.pop("proposition-1-spectrum")
    assert spectrum is Verdict.HOLDS and set(judged.values()) == {Verdict.NOT_APPLICABLE}


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
def test_the_limit_is_where_an_eigenvalue_reaches_the_unit_circle(optimiser: Any) -> None:
    for momentum in (0.0, 0.3, 0.9):
        limit = theory.stability_limit(optimiser, momentum)
        for times in (0.999, 1.001):
            largest = abs(theory.dominant_factor(times * limit, optimiser, momentum))
            assert (largest < 1.0) is (times < 1.0)
        at = theory.iteration_eigenvalues([limit], optimiser, momentum)
        assert np.min(np.abs(at + 1.0)) < 1e-12


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
def test_minima_are_marked_by_the_limit_of_the_optimiser(optimiser: theory.Optimiser) -> None:
    """Of two weights those at which a run can stay: step size times S is at most the limit."""
    step = 0.95 * theory.stability_limit(optimiser, 0.6) / theory.balanced_sharpness(2.0, 2)
    made = session(1, depth=2, optimiser=optimiser, momentum=0.6, step_size=step)
    seen = EXPERIMENT.observe(made.state, made.recent())
    sharpness = seen["minima_x"] ** 2 + seen["minima_y"] ** 2
    known = np.isfinite(sharpness)
    largest = theory.stability_limit(optimiser, 0.6) / sharpness[known]
    assert seen["minima_limit"][known] == pytest.approx(largest, rel=1e-12)
    assert np.array_equal(np.isfinite(seen["stable_x"][known]), largest >= step)
    assert (largest >= step).any() and (largest < step).any()


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
def test_the_line_of_critical_curvature_is_that_of_the_optimiser(
    optimiser: theory.Optimiser,
) -> None:
    experiment = get("least-squares")
    settings = {"optimiser": optimiser, "momentum": 0.6, "step_size": 0.1}
    made = Session(experiment, build(experiment.parameters, settings))
    made.advance(1)
    seen = experiment.observe(made.state, made.recent())
    assert seen["critical"] == theory.sharpness_limit(optimiser, 0.6, 0.1)


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
def test_the_fit_is_measured_by_the_limit_of_its_optimiser(optimiser: Any) -> None:
    fit = get("piecewise-fit")
    values = {"optimiser": optimiser, "schedule": "constant", "momentum": 0.9, "step_size": 0.01}
    run = Session(fit, build(fit.parameters, values))
    run.advance(3)
    bounds = {bound.id: bound for bound in fit.theory(run.params, run.state)}
    beta = 0.0 if optimiser == "gradient-descent" else 0.9
    for which in (1, 2):
        limit, step = bounds[f"sharpness-{which}"], bounds[f"step-{which}"]
        assert limit.value == pytest.approx(theory.stability_limit(optimiser, beta) / 0.01)
        assert limit.measured and step.value == pytest.approx(limit.value * 0.01 / limit.measured)
