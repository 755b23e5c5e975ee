"""The maps of the experiments that have one: their bits, and their derivatives in closed form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import theory
from engine.core.params import update
from engine.experiments import EXPERIMENTS
from engine.experiments.double_scalar.params import DoubleScalarParams
from engine.experiments.least_squares.problem import LeastSquaresParams, factors
from engine.experiments.scalar_product.params import ScalarParams

LOADED = {entry.id: entry.load() for entry in EXPERIMENTS}
SCALAR, DOUBLE = LOADED["scalar-product"], LOADED["double-scalar"]
SQUARES = LOADED["least-squares"]
OPTIMISERS = ("gradient-descent", "heavy-ball", "nesterov")
each_optimiser = pytest.mark.parametrize("optimiser", OPTIMISERS)
weights_of = st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=6)

Complex = np.ndarray[Any, np.dtype[np.complex128]]


def others(w: Complex) -> Complex:
    return np.array([np.prod(np.delete(w, i)) for i in range(w.size)])


def scalar_step(z: Complex, params: ScalarParams) -> Complex:
    """Make the step of equation (2) as it is written, for complex weights."""
    rate = params.step_size * params.power
    if params.optimiser == "gradient-descent":
        return z - rate * (np.prod(z) - params.target) * others(z)
    w, v = np.split(z, 2)
    at = w + params.momentum * v if params.optimiser == "nesterov" else w
    v = params.momentum * v - rate * (np.prod(at) - params.target) * others(at)
    return np.concatenate([w + v, v])


def double_step(z: Complex, params: DoubleScalarParams) -> Complex:
    """Make the step of equations (9a, b) as it is written, for complex weights."""
    w, x = np.split(z, 2)
    pull = params.step_size * params.input_power * (np.prod(w) - np.prod(x) - params.target)
    return np.concatenate([w - pull * others(w), x + pull * others(x)])


def complex_jacobian(step: Callable[[Complex], Complex], z: np.ndarray[Any, Any]) -> Any:
    """Differentiate by complex steps, to rounding, shape (n, n)."""
    tiny = 1e-30
    columns = [step(z + 1j * tiny * unit).imag / tiny for unit in np.eye(z.size)]
    return np.column_stack(columns)


def check(system: Any, step: Callable[[Complex], Complex], z: np.ndarray[Any, Any]) -> None:
    expected = step(z.astype(np.complex128)).real
    np.testing.assert_allclose(system.step(z), expected, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(system.jacobian(z), complex_jacobian(step, z), atol=1e-11)


@each_optimiser
@given(weights=weights_of, seed=st.integers(0, 2**32 - 1))
def test_the_scalar_map_and_its_derivative_are_those_of_equation_2(
    optimiser: Any, weights: list[float], seed: int
) -> None:
    depth = len(weights)
    params = ScalarParams(
        depth=depth, optimiser=optimiser, momentum=0.7, step_size=0.3, input_power=1.3
    )
    z = np.array(weights)
    if params.has_momentum:
        z = np.append(z, np.random.default_rng(seed).standard_normal(depth))
    check(SCALAR.system(params), lambda at: scalar_step(at, params), z)


@given(weights=weights_of, seed=st.integers(0, 2**32 - 1))
def test_the_double_map_and_its_derivative_are_those_of_equations_9(
    weights: list[float], seed: int
) -> None:
    params = DoubleScalarParams(depth=len(weights), step_size=0.3, input_power=0.8)
    z = np.append(weights, np.random.default_rng(seed).standard_normal(len(weights)))
    check(DOUBLE.system(params), lambda at: double_step(at, params), z)


@each_optimiser
@given(
    weights=st.lists(st.floats(0.5, 1.6), min_size=1, max_size=6),
    share=st.floats(0.01, 1.5),
    momentum=st.floats(0.05, 0.95),
)
def test_the_jacobian_at_a_minimum_has_the_eigenvalues_of_proposition_1(
    optimiser: Any, weights: list[float], share: float, momentum: float
) -> None:
    """One along the gradient, and L - 1 of curvature 0 along the set of minima."""
    depth, sharpness = len(weights), theory.sharpness(weights, 1.3)
    step = share * theory.stability_limit(optimiser, momentum) / sharpness
    params = ScalarParams(
        depth=depth,
        target=float(np.prod(weights)),
        step_size=step,
        optimiser=optimiser,
        momentum=momentum,
        input_power=1.3,
    )
    z = np.array(weights)
    if params.has_momentum:
        z = np.append(z, np.zeros(depth))
    system = SCALAR.system(params)
    np.testing.assert_allclose(system.step(z), z, atol=1e-13)
    found = np.linalg.eigvals(system.jacobian(z))
    curvature = np.append(np.zeros(depth - 1), step * sharpness)
    expected = theory.iteration_eigenvalues(curvature, optimiser, momentum)
    # As coefficients of the characteristic polynomial: a double root is known to 1e-8 only.
    np.testing.assert_allclose(np.poly(found), np.poly(expected), atol=1e-9)
    if optimiser == "gradient-descent":
        values = np.append(np.ones(depth - 1), 1.0 - step * sharpness)
        np.testing.assert_allclose(np.sort(found.real), np.sort(values), atol=1e-11)


@each_optimiser
def test_the_jacobian_of_least_squares_has_the_factors_of_its_theory(optimiser: Any) -> None:
    params = LeastSquaresParams(width=3, optimiser=optimiser, momentum=0.6, starts=1)
    system = SQUARES.system(params, 5)
    problem = system.problem
    rest = np.zeros_like(problem.minimum) if optimiser != "gradient-descent" else []
    z = np.append(problem.minimum, rest)
    np.testing.assert_allclose(system.step(z), z, atol=1e-13)
    found = np.linalg.eigvals(system.jacobian(z))
    np.testing.assert_allclose(np.poly(found), np.poly(factors(params, problem)), atol=1e-11)


@each_optimiser
@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_up_to_three_weights_an_orbit_has_the_bits_of_the_run(
    optimiser: Any, depth: int, noise: float
) -> None:
    params = ScalarParams(depth=depth, optimiser=optimiser, noise=noise, step_size=0.05)
    follow(SCALAR, params)


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_an_orbit_of_the_pair_has_the_bits_of_the_run(depth: int, noise: float) -> None:
    follow(DOUBLE, DoubleScalarParams(depth=depth, noise=noise, step_size=0.02))


def follow(experiment: Any, params: Any) -> None:
    system, state = experiment.system(params, 4), experiment.init(params, 4)
    z = system.start(4)
    for _ in range(60):
        z = system.step(z)
    state, _ = experiment.advance(state, 60)
    assert state.step == 60
    np.testing.assert_array_equal(z, system.point(state))


@each_optimiser
@pytest.mark.parametrize("depth", [4, 5, 9, 70])
def test_equal_weights_stay_equal_to_the_last_bit(optimiser: Any, depth: int) -> None:
    """Also beyond the largest stable step size, where a difference would grow."""
    params = ScalarParams(depth=depth, optimiser=optimiser, momentum=0.3)
    params = update(params, step_size=1.1 * theory.delta_max(params.target, depth))
    system = SCALAR.system(params)
    for each_set, sign in zip(system.invariant_sets, (1.0, -1.0), strict=True):
        z = np.zeros(system.dimension)
        z[:depth] = 1.01
        z[depth - 1] *= sign
        z = each_set.project(z)
        for _ in range(100):
            weights = z[:depth]
            assert set(weights[:-1]) == {weights[0]} and weights[-1] == sign * weights[0]
            z = system.step(z)


@pytest.mark.parametrize("rule", ["sharpness", "hessian"])
def test_a_step_size_that_depends_on_the_state_is_no_smooth_map(rule: Any) -> None:
    assert SCALAR.system(ScalarParams(step_rule=rule)) is None


def test_what_may_be_varied_has_an_effect() -> None:
    def names(params: Any) -> list[str]:
        return [spec.name for spec in SCALAR.system(params).varied]

    assert names(ScalarParams()) == ["step_size", "target", "input_power"]
    inputs = ScalarParams(power_from="inputs", optimiser="nesterov")
    assert names(inputs) == ["step_size", "momentum", "target"]


@pytest.mark.parametrize("size", [1e200, -1e300, np.inf])
def test_beyond_the_range_of_floats_there_is_no_warning(size: float) -> None:
    for system in (SCALAR.system(ScalarParams()), DOUBLE.system(DoubleScalarParams())):
        z = np.full(system.dimension, size)
        assert not np.isfinite(system.step(z)).all()
        assert not np.isfinite(system.jacobian(z)).all()


@given(weights=st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=8))
def test_pair_cofactors_are_the_products_of_all_weights_but_two(weights: list[float]) -> None:
    found, depth = theory.pair_cofactors(weights), len(weights)
    for i in range(depth):
        for j in range(depth):
            rest = np.delete(weights, [i, j]) if i != j else [0.0]
            assert found[i, j] == pytest.approx(float(np.prod(rest)), rel=1e-12, abs=1e-300)


@given(weights=st.lists(st.sampled_from([0.3, -0.3, 0.7, -0.7, 1.1, 0.0]), min_size=1, max_size=9))
def test_tied_cofactors_keep_equal_magnitudes(weights: list[float]) -> None:
    tied, plain = theory.tied_cofactors(weights), theory.cofactors(weights)
    np.testing.assert_allclose(tied, plain, rtol=1e-14, atol=1e-300)
    by_size: dict[float, set[float]] = {}
    for weight, value in zip(weights, tied, strict=True):
        by_size.setdefault(abs(weight), set()).add(float(abs(value)))
    assert all(len(values) == 1 for values in by_size.values())
