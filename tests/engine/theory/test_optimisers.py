"""Descriptions of optimisers against the derivatives of their steps."""

from __future__ import annotations

import dataclasses
import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.core.arrays import FloatArray
from engine.theory import optimisers
from engine.theory.optimisers import OPTIMISERS, OptimiserId, Schedule, Setting, StepMap

SMOOTH = [name for name, each in OPTIMISERS.items() if each.is_smooth]
HYPERPARAMETERS = {
    "momentum": st.floats(0.0, 0.98),
    "square_decay": st.floats(0.1, 0.999),
    "epsilon": st.floats(1e-3, 1.0),
    "weight_decay": st.floats(0.0, 0.5),
    "step_size": st.floats(1e-3, 1.0),
    "radius": st.floats(0.01, 0.3),
}
SETTINGS = st.fixed_dictionaries(HYPERPARAMETERS)


def quadratic(hessian: FloatArray, setting: Setting, age: int | None = None) -> StepMap:
    return StepMap(
        setting=setting,
        value=lambda w: 0.5 * float(w @ hessian @ w),
        gradient=lambda w: hessian @ w,
        hessian=lambda w: hessian,
        age=age,
    )


def random_hessian(seed: int, size: int = 3) -> FloatArray:
    rng = np.random.default_rng(seed)
    turned, _ = np.linalg.qr(rng.standard_normal((size, size)))
    return np.asarray(turned @ np.diag(rng.uniform(0.2, 3.0, size)) @ turned.T)


def bent(setting: Setting, age: int | None = None) -> StepMap:
    """Return a step on the product of weights minus 2, squared, over 2."""
    return StepMap(
        setting=setting,
        value=lambda w: 0.5 * (float(np.prod(w)) - 2.0) ** 2,
        gradient=lambda w: (np.prod(w) - 2.0) * np.prod(w) / w,
        hessian=lambda w: (
            np.outer(np.prod(w) / w, np.prod(w) / w)
            + (np.prod(w) - 2.0) * np.prod(w) * (1.0 - np.eye(len(w))) / np.outer(w, w)
        ),
        age=age,
    )


def test_every_optimiser_is_described_and_kept_in_order() -> None:
    assert tuple(OPTIMISERS) == get_args(OptimiserId)
    for name, each in OPTIMISERS.items():
        assert each.id == name
        assert each.source.derivation and each.sentence and each.step
        assert (each.limit_of is None) == (each.multipliers_of is None)
        assert each.is_smooth == (each.limit_of is not None) == bool(each.limit_formula)
        fields = {field.name for field in dataclasses.fields(Setting)}
        assert {number.name for number in each.hyperparameters} <= fields


@pytest.mark.parametrize("name", SMOOTH)
@given(chosen=SETTINGS, seed=st.integers(0, 10**6))
@settings(max_examples=30)
def test_multipliers_are_the_eigenvalues_of_a_step_at_a_minimum(
    name: OptimiserId, chosen: dict[str, float], seed: int
) -> None:
    hessian = random_hessian(seed)
    scales = tuple(np.random.default_rng(seed).uniform(0.5, 2.0, 3))
    setting = Setting(optimiser=name, scales=scales, **chosen)
    if name == "adamw":  # the decay of the coordinates has no common multiplier otherwise
        setting = dataclasses.replace(setting, scales=())
    described = OPTIMISERS[name]
    point = np.zeros(3 * (1 + len(described.carried)))
    jacobian = quadratic(hessian, setting).jacobian(point)
    diagonal = optimisers.preconditioner(setting, 3)
    curvature = optimisers.curvature(hessian, setting, diagonal)
    pull = setting.step_size * np.linalg.eigvalsh(curvature)
    expected = np.sort_complex(described.multipliers(pull, setting))
    found = np.sort_complex(np.linalg.eigvals(jacobian).astype(np.complex128))
    scale = max(1.0, float(np.abs(expected).max()))
    # a double root is found to the root of the precision only
    for value in expected:
        assert np.abs(found - value).min() < 1e-6 * scale
    assert np.poly(found) == pytest.approx(np.poly(expected), abs=1e-9 * scale ** len(found))


@pytest.mark.parametrize("name", SMOOTH)
@given(chosen=SETTINGS)
def test_the_limit_is_where_a_multiplier_reaches_minus_one(
    name: OptimiserId, chosen: dict[str, float]
) -> None:
    setting, described = Setting(optimiser=name, **chosen), OPTIMISERS[name]
    limit = described.limit(setting)
    assert limit is not None
    shares = np.array([0.01, 0.5, 0.99, 1.0, 1.01])
    for share in shares:
        size = np.abs(described.multipliers([share * limit], setting)).max()
        if share == 1.0:
            assert np.abs(described.multipliers([limit], setting) + 1.0).min() < 1e-9
        else:
            assert (size < 1.0) == (share < 1.0)
    assert optimisers.dominant(described.multipliers([1.01 * limit], setting)) < -1.0


@pytest.mark.parametrize("name", OPTIMISERS)
@given(chosen=SETTINGS, seed=st.integers(0, 10**6), age=st.sampled_from([None, 0, 3]))
@settings(max_examples=25)
def test_the_derivative_of_a_step_is_that_of_differences(
    name: OptimiserId, chosen: dict[str, float], seed: int, age: int | None
) -> None:
    rng = np.random.default_rng(seed)
    setting = Setting(optimiser=name, scales=(1.0, 0.7), **chosen)
    taken = bent(setting, age)
    point = rng.uniform(0.6, 1.3, 2 * (1 + len(OPTIMISERS[name].carried)))
    assume(float(np.linalg.norm(taken.gradient(point[:2]))) > 0.1)
    step = 1e-6
    differences = np.column_stack(
        [
            (taken.step(point + step * unit) - taken.step(point - step * unit)) / (2 * step)
            for unit in np.eye(len(point))
        ]
    )
    found = taken.jacobian(point)
    scale = max(1.0, float(np.abs(found).max()))
    assert found == pytest.approx(differences, abs=1e-6 * scale)


@pytest.mark.parametrize("name", ["gradient-descent", "heavy-ball", "nesterov"])
@given(step_size=st.floats(1.1, 1.9), momentum=st.floats(0.0, 0.9))
def test_its_2_cycles_are_those_of_descent_at_the_equivalent_step(
    name: OptimiserId, step_size: float, momentum: float
) -> None:
    """On (w² - 1)²/4 descent has the 2-cycle ±√(1 + 2/δ); Nesterov's is that of w + βv."""
    setting = Setting(optimiser=name, step_size=step_size, momentum=momentum)
    taken = StepMap(
        setting=setting,
        value=lambda w: 0.25 * float(np.sum((w * w - 1.0) ** 2)),
        gradient=lambda w: w**3 - w,
        hessian=lambda w: np.diag(3.0 * w * w - 1.0),
    )
    same = OPTIMISERS[name].equivalent_step(setting)
    assert same is not None
    looked_at = math.sqrt(1.0 + 2.0 / same)
    size = looked_at / (1.0 + 2.0 * momentum) if name == "nesterov" else looked_at
    point = np.array([size]) if name == "gradient-descent" else np.array([size, 2.0 * size])
    assert taken.step(point) == pytest.approx(-point, rel=1e-12)


@given(step=st.floats(1e-3, 1.9), radius=st.floats(1e-3, 1.0), curvature=st.floats(0.1, 1.0))
def test_sam_crosses_a_minimum_for_ever_at_its_edge(
    step: float, radius: float, curvature: float
) -> None:
    setting = Setting(optimiser="sam", step_size=step, radius=radius)
    size = optimisers.sam_amplitude(setting, curvature)
    taken = quadratic(np.array([[curvature]]), setting)
    assert taken.step(np.array([size])) == pytest.approx([-size], rel=1e-9)
    described = OPTIMISERS["sam"]
    edge = described.sharpness_limit(setting, gradient_norm=curvature * size)
    assert edge == pytest.approx(curvature, rel=1e-9)
    naive = curvature * size / (2.0 * radius)
    naive *= math.sqrt(1.0 + 8.0 * radius / (step * curvature * size)) - 1.0
    assert edge == pytest.approx(naive, rel=1e-6)
    assert optimisers.sam_amplitude(setting, 2.1 / step) == math.inf


@given(step=st.floats(1e-3, 10.0), curvature=st.floats(0.1, 10.0))
def test_normalised_descent_crosses_a_minimum_for_ever(step: float, curvature: float) -> None:
    setting = Setting(optimiser="normalised-gd", step_size=step)
    size = optimisers.normalised_amplitude(setting)
    taken = quadratic(np.array([[curvature]]), setting)
    assert taken.step(np.array([size])) == pytest.approx([-size], rel=1e-12)
    edge = OPTIMISERS["normalised-gd"].sharpness_limit(setting, gradient_norm=curvature * size)
    assert edge == pytest.approx(curvature, rel=1e-12)


@pytest.mark.parametrize("name", ["normalised-gd", "sam"])
@given(chosen=SETTINGS)
def test_no_minimum_is_ever_called_stable_without_a_derivative(
    name: OptimiserId, chosen: dict[str, float]
) -> None:
    setting, described = Setting(optimiser=name, **chosen), OPTIMISERS[name]
    assert described.limit(setting) is None
    assert described.resting_limit(setting) is None
    assert described.sharpness_limit(setting, gradient_norm=0.0) == 0.0
    assert described.equivalent_step(setting) is None
    assert not described.can_rest
    assert next(lamp.on for lamp in described.lamps(setting)) is False
    with pytest.raises(ValueError, match="no derivative"):
        described.multipliers([1.0], setting)


@given(start=st.lists(st.floats(-5.0, 5.0), min_size=3, max_size=3), seed=st.integers(0, 10**6))
def test_polyaks_step_never_leads_away_from_the_minimum_of_a_convex_loss(
    start: list[float], seed: int
) -> None:
    taken = quadratic(random_hessian(seed), Setting(optimiser="polyak"))
    w = np.array(start)
    for _ in range(20):
        before, w = w, taken.step(w)
        assert np.linalg.norm(w) <= np.linalg.norm(before) * (1.0 + 1e-12)
    assert quadratic(np.array([[3.0]]), Setting(optimiser="polyak")).step(np.array([2.0])) == [1.0]


def test_polyaks_step_stops_above_the_lowest_loss_and_is_capped() -> None:
    assert optimisers.polyak_step(Setting(lowest_loss=1.0), 0.5, 1.0) == 0.0
    assert optimisers.polyak_step(Setting(lowest_loss=-1.0, step_cap=3.0), 0.0, 1e-3) == 3.0
    assert optimisers.polyak_step(Setting(), 0.0, 0.0) == 0.0


def test_adams_limit_is_38_and_epsilon_is_left_at_a_minimum() -> None:
    setting = Setting(optimiser="adam", step_size=1e-3)
    described = OPTIMISERS["adam"]
    assert described.limit(setting) == pytest.approx(38.0)
    assert described.sharpness_limit(setting) == pytest.approx(38e3)
    assert described.resting_limit(setting) == pytest.approx(38e3 * 1e-8)
    decayed = dataclasses.replace(setting, optimiser="adamw", weight_decay=100.0)
    assert OPTIMISERS["adamw"].limit(decayed) == pytest.approx(38.0 * 0.95)
    assert OPTIMISERS["adamw"].resting_limit(decayed) is None


def test_weight_decay_adds_to_the_curvature() -> None:
    setting = Setting(step_size=0.5, weight_decay=0.3)
    assert OPTIMISERS["gradient-descent"].resting_limit(setting) == pytest.approx(3.7)
    hessian = np.diag([1.0, 2.0])
    plain = optimisers.curvature(hessian, setting, optimisers.preconditioner(setting, 2))
    assert plain == pytest.approx(np.diag([1.3, 2.3]))
    assert optimisers.sharpness(hessian, setting) == pytest.approx(2.3)


def test_the_sharpness_of_an_adaptive_optimiser_is_that_of_the_divided_hessian() -> None:
    hessian = np.array([[2.0, 1.0], [1.0, 3.0]])
    setting = Setting(optimiser="adam", epsilon=0.1, weight_decay=0.5)
    squares = np.array([4.0, 0.25])
    for age, known in ((None, 1.0), (1, 0.001), (3, 1.0 - 0.999**3)):
        divided = (hessian + 0.5 * np.eye(2)) / (np.sqrt(squares / known) + 0.1)[:, None]
        expected = np.linalg.eigvals(divided).max()
        assert optimisers.sharpness(hessian, setting, squares, age) == pytest.approx(expected)
    assert math.isnan(optimisers.sharpness(np.full((2, 2), math.inf), setting))


def test_coordinates_steps_multiply_the_curvature() -> None:
    """The spectral radius of I - D H is less than 1 up to the limit on that of D^½ H D^½."""
    hessian, scales = random_hessian(5), (0.2, 1.0, 1.9)
    setting = Setting(scales=scales)
    diagonal = optimisers.preconditioner(setting, 3)
    top = np.linalg.eigvalsh(optimisers.curvature(hessian, setting, diagonal))[-1]
    for share, is_stable in ((0.999, True), (1.001, False)):
        delta = share * 2.0 / top * np.array(scales)
        radius = np.abs(np.linalg.eigvals(np.eye(3) - delta[:, None] * hessian)).max()
        assert (radius < 1.0) == is_stable


SCHEDULED = st.builds(
    Schedule,
    kind=st.sampled_from(optimisers.SCHEDULES),
    warmup=st.integers(0, 50),
    length=st.integers(1, 100),
    end=st.floats(0.0, 2.0),
)


@given(schedule=SCHEDULED, k=st.floats(0.0, 200.0))
def test_a_schedule_is_continuous_and_ends(schedule: Schedule, k: float) -> None:
    near = schedule.factor(k + 1e-9)
    assert near == pytest.approx(schedule.factor(k), abs=1e-8)
    assert schedule.factor(schedule.warmup) == 1.0
    last = 1.0 if schedule.kind == "constant" else schedule.end
    assert schedule.factor(schedule.warmup + schedule.length) == pytest.approx(last, abs=1e-15)
    assert schedule.factor(10**9) == pytest.approx(last, abs=1e-15)
    assert 0.0 <= schedule.factor(k) <= max(1.0, schedule.end) + 1e-12


def test_a_schedule_gives_the_setting_of_a_step() -> None:
    schedule = Schedule(kind="linear", length=10, end=0.5)
    setting = Setting(step_size=0.4, schedule=schedule)
    assert setting.at(5).step_size == pytest.approx(0.3)
    assert setting.at(5).schedule.is_constant
    assert Setting().at(7) == Setting()
    lamps = OPTIMISERS["gradient-descent"].lamps(setting)
    assert [lamp.on for lamp in lamps] == [True, False]


@given(
    name=st.sampled_from(["gradient-descent", "heavy-ball", "nesterov"]),
    momentum=st.floats(0.0, 0.99),
    pull=st.floats(0.0, 8.0),
)
def test_the_short_forms_read_the_descriptions(
    name: optimisers.Optimiser, momentum: float, pull: float
) -> None:
    setting = Setting(optimiser=name, momentum=momentum)
    described = OPTIMISERS[name]
    assert optimisers.stability_limit(name, momentum) == described.limit(setting)
    found = optimisers.iteration_eigenvalues([pull], name, momentum)
    assert np.array_equal(found, described.multipliers([pull], setting))
    jacobian = optimisers.iteration_jacobian(np.array([[pull]]), 1.0, name, momentum)
    whole = quadratic(np.array([[pull]]), dataclasses.replace(setting, step_size=1.0))
    assert jacobian == pytest.approx(whole.jacobian(np.ones(len(jacobian))), abs=1e-12)
