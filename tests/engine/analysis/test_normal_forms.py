"""The flip coefficient against runs of gradient descent, made here step by step."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.normal_forms import Flip, flip, scalar_coefficient
from engine.core.arrays import FloatArray
from tests.engine.analysis.polynomials import Polynomial, constant, product_loss, variable

BEYOND = 1.0001


def _measured_amplitude(loss: Polynomial, minimum: FloatArray, found: Flip, step: float) -> float:
    """Return half the distance of the points of the 2-cycle, found by Newton's method."""
    amplitude = found.amplitude(step)
    assert amplitude is not None
    identity, z = np.eye(len(minimum)), minimum + amplitude * found.direction
    for _ in range(20):
        new = z - step * loss.gradient(z)
        error = new - step * loss.gradient(new) - z
        slope = (identity - step * loss.hessian(new)) @ (identity - step * loss.hessian(z))
        z = z - np.linalg.lstsq(slope - identity, error, rcond=1e-9)[0]
    assert np.linalg.norm(error) < 1e-13
    return 0.5 * float(np.linalg.norm(step * loss.gradient(z)))


def _quartic(seed: int) -> Polynomial:
    """Return a random quartic of three variables with a minimum at 0 and a soft flip."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    x = [
        sum(
            (constant(float(turn[i, j]), 3) * variable(j, 3) for j in range(3)),
            start=constant(0.0, 3),
        )
        for i in range(3)
    ]
    loss = constant(0.0, 3)
    for each, size in zip(x, (0.5, 1.0, 2.0), strict=True):
        loss = loss + constant(0.5 * size, 3) * each * each
    for a, b, c in combinations_with_replacement(x, 3):
        loss = loss + constant(0.2 * float(rng.normal()), 3) * a * b * c
    return loss + constant(-0.3, 3) * x[2] * x[2] * x[2] * x[2]


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 10])
def test_coefficient_of_the_scalar_network_is_its_closed_form(depth: int) -> None:
    target = 2.0
    found = flip(product_loss(depth, target), np.full(depth, target ** (1 / depth)))
    assert found is not None
    assert found.coefficient == pytest.approx(scalar_coefficient(target, depth), rel=1e-12)
    assert found.is_soft and found.is_simple and found.is_stationary
    assert found.kernel == depth - 1


@pytest.mark.parametrize("depth", [2, 3, 4, 5, 10])
def test_amplitude_of_the_scalar_network_is_that_of_its_run(depth: int) -> None:
    loss, minimum = product_loss(depth, 2.0), np.full(depth, 2.0 ** (1 / depth))
    found = flip(loss, minimum)
    assert found is not None
    step = BEYOND * found.step_size
    ratio = _measured_amplitude(loss, minimum, found, step) / found.amplitude(step)
    assert ratio == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_amplitude_of_random_quartics_is_that_of_their_runs(seed: int) -> None:
    loss, minimum = _quartic(seed), np.zeros(3)
    found = flip(loss, minimum)
    assert found is not None and found.is_soft and found.kernel == 0
    step = BEYOND * found.step_size
    ratio = _measured_amplitude(loss, minimum, found, step) / found.amplitude(step)
    assert ratio == pytest.approx(1.0, abs=1e-3)


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0.1, 10), st.floats(-3, 3), st.floats(-3, 3).filter(lambda number: abs(number) > 0.01)
)
def test_sign_in_one_dimension_is_that_of_the_condition(a: float, b: float, c: float) -> None:
    loss = Polynomial({(2,): a / 2, (3,): b / 6, (4,): c / 24}, 1)
    condition = 3 * b * b - a * c
    found = flip(loss, np.zeros(1))
    assert found is not None
    if abs(condition) > 1e-6:
        assert found.is_soft == (condition > 0)


def test_a_hard_flip_has_its_cycle_before_the_critical_step() -> None:
    loss = Polynomial({(2,): 0.5, (4,): 0.25}, 1)
    found = flip(loss, np.zeros(1))
    assert found is not None and found.is_soft is False
    assert found.amplitude(BEYOND * found.step_size) is None
    step = 0.99 * found.step_size
    a = np.array([found.amplitude(step)])
    inside, outside = 0.9 * a, 1.1 * a
    for _ in range(20):
        inside, outside = (
            inside - step * loss.gradient(inside),
            outside - step * loss.gradient(outside),
        )
    assert abs(inside[0]) < 0.9 * a[0] and abs(outside[0]) > 1.1 * a[0]


def test_there_is_no_cycle_where_the_run_drifts_to_flatter_minima() -> None:
    loss = product_loss(2, 2.0)
    found = flip(loss, np.array([1.0, 2.0]))
    assert found is not None and found.is_soft and not found.is_stationary
    assert found.amplitude(BEYOND * found.step_size) is None
    z = np.array([1.0, 2.0]) + 1e-3 * found.direction
    for _ in range(20_000):
        z = z - BEYOND * found.step_size * loss.gradient(z)
    assert abs(z[0] - z[1]) < 0.999  # it has left the minimum for flatter ones


def test_a_double_eigenvalue_leaves_the_coefficient_open() -> None:
    loss = Polynomial({(2, 0): 0.5, (0, 2): 0.5, (3, 0): 1.0}, 2)
    found = flip(loss, np.zeros(2))
    assert found is not None and not found.is_simple
    assert found.coefficient is None and found.is_soft is None


def test_no_step_is_critical_without_positive_curvature() -> None:
    assert flip(Polynomial({(2,): -0.5}, 1), np.zeros(1)) is None
