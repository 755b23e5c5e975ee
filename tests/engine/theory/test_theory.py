"""The bounds against reference values, exact arithmetic, and their limits."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import theory
from engine.core.errors import InputError
from engine.experiments.scalar_product import period_doubling as cascade

DEPTHS = (1, 2, 3, 5, 10, 20, 100, 1000)


@pytest.mark.parametrize(("depth", "delta_c"), [(2, 0.25), (3, 0.1322834210), (5, 0.0659753955)])
def test_thresholds_of_the_reference_table(depth: int, delta_c: float) -> None:
    assert theory.delta_c(2.0, depth) == pytest.approx(delta_c, abs=5e-11)
    assert theory.delta_max(2.0, depth) == pytest.approx(2 * delta_c, abs=1e-10)
    assert theory.delta_c(2.0, depth, 3.7) == pytest.approx(delta_c / 3.7, abs=5e-11)


@pytest.mark.parametrize(
    ("depth", "bounds"),
    [
        (2, (0.5, 0.23529412, 0.062256809, 0.0099990001)),
        (3, (0.26456684, 0.048103062, 3.0988796e-3, 7.9369894e-5)),
        (5, (0.13195079, 2.567136e-3, 1.0067008e-5, 6.5975396e-9)),
    ],
)
def test_bound_1_at_disproportionate_minima(depth: int, bounds: tuple[float, ...]) -> None:
    root = 2.0 ** (1 / depth)
    for kappa, bound in zip((1, 2, 4, 10), bounds, strict=True):
        weights = np.array([kappa * root] * (depth - 1) + [kappa ** (1 - depth) * root])
        assert theory.equilibrium_bound(weights) == pytest.approx(bound, rel=5e-8)


@given(st.lists(st.floats(0.2, 3.0), min_size=1, max_size=9), st.floats(0.1, 5.0))
def test_no_minimum_is_flatter_than_the_balanced(weights: list[float], power: float) -> None:
    target = float(np.prod(weights))
    flattest = theory.balanced_sharpness(target, len(weights), power)
    assert theory.sharpness(weights, power) >= flattest * (1 - 1e-12)
    assert theory.equilibrium_bound(weights, power) <= theory.delta_max(
        target, len(weights), power
    ) * (1 + 1e-12)


@given(st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=8))
def test_sharpness_is_the_squared_gradient_of_the_product(weights: list[float]) -> None:
    others = [math.prod(weights[:i] + weights[i + 1 :]) for i in range(len(weights))]
    np.testing.assert_allclose(theory.cofactors(weights), others, rtol=1e-12, atol=1e-300)
    assert theory.sharpness(weights) == pytest.approx(math.fsum(g * g for g in others), rel=1e-12)


def test_sharpness_at_zeros_and_beyond_the_range_of_floats() -> None:
    assert theory.sharpness([0.0, 2.0, 3.0]) == 36.0
    assert theory.sharpness([0.0, 0.0, 3.0]) == 0.0
    assert theory.equilibrium_bound([0.0, 0.0, 3.0]) == math.inf
    steep = np.array([2.0] * 999 + [2.0**-998])
    assert theory.log_sharpness(steep) == pytest.approx(2 * 999 * math.log(2), rel=1e-12)
    assert theory.sharpness(steep) == math.inf
    assert theory.equilibrium_bound(steep) == 0.0


def exact_root_minus_one(target: float, depth: int) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        return (Decimal(target).ln() / depth).exp() - 1


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "target", [1 - 1e-9, 1 - 1e-12, 1 - 2.0**-52, 1 + 2.0**-52, 1 + 1e-9, 0.3, 7.0, 1e10, 1e-6]
)
def test_the_root_minus_one_keeps_its_digits(target: float, depth: int) -> None:
    exact = exact_root_minus_one(target, depth)
    assert theory.root_minus_one(target, depth) == pytest.approx(float(exact), rel=4e-16)
    if target != 1:
        size = Decimal(target)
        expected = float(exact / (size - 1)) if target < 1 else None
        if expected is not None:
            assert theory.delta_c(target, depth) == pytest.approx(expected, rel=1e-15)
        else:
            growth = float((size - 1) / exact)
            assert theory.contraction(0.5, target, depth) == pytest.approx(0.5 * growth, rel=1e-15)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_rate_is_continuous_at_target_1(depth: int) -> None:
    step = 0.3 / depth
    middle = theory.rate(step, 1.0, depth)
    assert middle == 1.0 - step * depth
    for target in (1 - 1e-13, 1 + 1e-13):
        assert theory.rate(step, target, depth) == pytest.approx(middle, abs=1e-12)
        assert theory.delta_c(target, depth) == pytest.approx(1 / depth, rel=1e-12)


def test_huge_and_tiny_targets_stay_in_range() -> None:
    with localcontext() as context:
        context.prec = 50
        exact = Decimal(2) / 1000 * (Decimal(-1998) / 1000 * Decimal("1e155").ln()).exp()
    assert theory.delta_max(1e155, 1000) == pytest.approx(float(exact), rel=1e-9)
    assert theory.delta_max(1e160, 1000) == pytest.approx(0.0, abs=1e-318)
    assert theory.delta_max(1e-300, 1000) == math.inf
    assert theory.delta_max(1e-300, 1000, 1e300) == pytest.approx(
        2e-3 * 10 ** (599.4 - 300), rel=1e-9
    )
    assert theory.balanced_sharpness(1e-300, 1000) == 0.0
    assert theory.delta_c(1e-300, 1000) == pytest.approx(-math.expm1(math.log(1e-300) / 1000))


def test_the_envelope_begins_at_the_distance_and_ends_at_the_step_limit() -> None:
    curve = theory.envelope([0, 1, 2], 0.1, 2.0, 3)
    rho = theory.rate(0.1, 2.0, 3)
    np.testing.assert_allclose(curve, (2 ** (1 / 3) - 1) * rho ** np.arange(3), rtol=1e-14)
    at_once = theory.envelope([0, 1], 0.25, 1.0, 4)
    np.testing.assert_array_equal(at_once, [0.0, 0.0])
    with pytest.raises(InputError, match="step_size"):
        theory.envelope([0], 0.1323, 2.0, 3)


def test_negative_targets_use_their_magnitude() -> None:
    assert theory.delta_c(-2.0, 5) == theory.delta_c(2.0, 5)
    assert theory.delta_max(-2.0, 4) == theory.delta_max(2.0, 4)
    assert theory.zero_threshold(-1.0) == 0.5
    assert theory.zero_limit(-1.0, 4) == 1.0
    assert theory.zero_limit(-1.0, 5, 2.0) == 0.25
    for call in (
        lambda: theory.zero_threshold(1.0),
        lambda: theory.zero_limit(-1.0, 1),
        lambda: theory.zero_radius(0.1, 1.0, 1),
    ):
        with pytest.raises(InputError):
            call()


@pytest.mark.parametrize(
    ("depth", "size", "rel"), [(3, 4.0e-6, 1e-3), (5, 0.011006, 1e-3), (20, 0.42695, 1e-4)]
)
def test_the_sublinear_decay(depth: int, size: float, rel: float) -> None:
    assert float(theory.zero_decay(10**6, 0.25, -1.0, depth)) == pytest.approx(size, rel=rel)


def test_impossible_arguments_are_named() -> None:
    for field, call in (
        ("target", lambda: theory.delta_max(0.0, 3)),
        ("target", lambda: theory.delta_c(math.nan, 3)),
        ("depth", lambda: theory.delta_c(2.0, 0)),
        ("input_power", lambda: theory.balanced_sharpness(2.0, 3, 0.0)),
    ):
        with pytest.raises(InputError, match=field):
            call()


def test_the_theorems_of_matrices() -> None:
    assert theory.theorem2_step(1.1, 3) == pytest.approx(0.2936, abs=5e-5)
    assert theory.theorem2_step(0.5, 4) == 0.25
    assert theory.theorem1_bound(1.5, 20) == theory.delta_max(1.5, 20)
    assert theory.norm_bound(1.5, 20) == pytest.approx(2 / theory.norm_sharpness(1.5, 20))
    assert theory.norm_sharpness(2.0, 3, 5.0) == pytest.approx(3 * (2.0**4 * 5.0) ** (1 / 3))
    assert theory.double_norm_bound(1.0, 20) * 20 == pytest.approx(3.732, abs=5e-4)
    assert theory.least_squares_bound(4.0) == 0.5


@pytest.mark.parametrize(
    ("depth", "target", "z", "w", "bound"),
    [
        (2, -1, 1.272020, 0.786151, 0.447214),
        (2, -2, 1.553774, 0.643594, 0.353553),
        (3, -1, 1.181878, 0.866634, 0.265051),
        (5, -1, 1.108650, 0.924358, 0.142085),
        (20, -1, 1.026869, 0.982285, 0.030808),
        (20, -2, 1.048990, 0.975003, 0.015294),
    ],
)
def test_the_flow_limit_of_the_double_network(
    depth: int, target: float, z: float, w: float, bound: float
) -> None:
    point = theory.double_flow_limit(target, depth)
    assert (point.z, point.w) == pytest.approx((z, w), abs=6e-7)
    assert theory.double_bound(target, depth) == pytest.approx(bound, abs=6e-7)
    mirrored = theory.double_flow_limit(-target, depth)
    assert (mirrored.w, mirrored.z) == (point.z, point.w)


@given(st.integers(1, 40), st.floats(-50, 50).filter(lambda t: abs(t) > 1e-6))
def test_the_flow_limit_is_a_minimum_on_the_invariant(depth: int, target: float) -> None:
    w, z = theory.double_flow_limit(target, depth)
    assert w**depth - z**depth == pytest.approx(target, rel=1e-9)
    constant = 1.0 if depth == 2 else 2.0
    assert theory.double_invariant(w, z, depth) == pytest.approx(constant, rel=1e-9)


@pytest.mark.parametrize("target", [2.0, -2.0, 0.3])
def test_the_pair_of_one_layer_is_linear(target: float) -> None:
    """With w - z as the product the Hessian is constant, of eigenvalues 2σ and 0."""
    assert theory.double_bound(target, 1, 3.7) == pytest.approx(1.0 / 3.7)


def test_the_double_networks_minimum_can_be_sharper() -> None:
    assert theory.double_bound(1.5, 20) == pytest.approx(0.0214, abs=5e-5)
    assert theory.delta_max(1.5, 20) == pytest.approx(0.0463, abs=5e-5)


THRESHOLDS = {
    2: (0.5, 0.6180339887, 0.6440158772, 0.6496139698, 0.6508144570),
    3: (0.2645668420, 0.3292818474, 0.3440470800, 0.3472391232, 0.3479243751),
    5: (0.1319507911, 0.1647243467, 0.1723162500, 0.1739593916, 0.1743122964),
}
CRISIS = {2: 0.79903811, 3: 0.48428911, 5: 0.27871276}


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_bisection_finds_the_thresholds(depth: int) -> None:
    unit = theory.delta_max(2.0, depth)
    found = unit * np.array(cascade.doublings(depth))
    np.testing.assert_allclose(found, THRESHOLDS[depth], atol=6e-9)
    assert unit * cascade.crisis(depth) == pytest.approx(CRISIS[depth], abs=6e-9)


def test_two_weights_are_a_cubic_map() -> None:
    for target, power in ((2.0, 1.0), (0.3, 3.7)):
        exact = theory.cubic_thresholds(target, power)
        unit = theory.delta_max(target, 2, power)
        assert unit == pytest.approx(exact.period_two)
        assert unit * cascade.doublings(2)[1] == pytest.approx(exact.period_four, rel=1e-12)
        assert unit * cascade.crisis(2) == pytest.approx(exact.sign_change, rel=1e-12)
    assert theory.cubic_thresholds(2.0).divergence == 1.0


def test_thresholds_of_deep_networks_converge() -> None:
    """In units of delta_max depths nearly coincide (they tend to the map y - 2x(e^y - 1)e^y)."""
    shallow, deep, deeper = (np.array(cascade.doublings(depth)) for depth in (20, 100, 1000))
    assert np.max(np.abs(deep / shallow - 1)) < 2e-3
    assert np.max(np.abs(deeper / deep - 1)) < 2e-4


@given(st.floats(0.3, 1.7), st.floats(0.01, 0.6), st.integers(1, 9), st.floats(0.5, 2.0))
def test_the_slope_is_the_maps_derivative(w: float, step: float, depth: int, power: float) -> None:
    h = 1e-6
    ends = theory.symmetric_map(np.array([w - h, w + h]), step, 2.0, depth, power)
    slope = float(theory.symmetric_slope(w, step, 2.0, depth, power))
    assert (ends[1] - ends[0]) / (2 * h) == pytest.approx(slope, rel=1e-6, abs=1e-6)
