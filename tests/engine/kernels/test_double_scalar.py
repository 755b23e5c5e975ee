"""The double scalar kernel against equations (9a, b), the flow's invariant and known limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import theory
from engine.kernels.double_scalar import COLUMNS, descend, flow, watch

ONES = np.ones((3, 1))


def column(record, name):
    return record[:, COLUMNS.index(name)]


@given(
    st.integers(1, 12),
    st.floats(-2, 2).filter(lambda x: abs(x) > 1e-3),
    st.floats(0.5, 2),
    st.floats(1e-3, 0.02),
)
def test_tied_steps_are_equations_9(depth, target, power, step):
    w = z = u = 1.0
    made = descend(ONES, depth, target, power, 5, step)
    for _ in range(5):
        e, s = w**depth - z**depth - target, u**depth - target
        w, z = w - step * power * w ** (depth - 1) * e, z + step * power * z ** (depth - 1) * e
        u -= step * power * u ** (depth - 1) * s
    np.testing.assert_allclose(made.record[-1, :3], [w, z, u], rtol=1e-12)
    e, s = w**depth - z**depth - target, u**depth - target
    np.testing.assert_allclose(made.record[-1, 4:6], [e, s], atol=1e-12)
    np.testing.assert_allclose(
        made.record[-1, 6:],
        [theory.double_sharpness(w, z, depth, power), theory.sharpness(np.full(depth, u), power)],
        rtol=1e-10,
    )


def test_untied_weights_follow_the_gradient_of_the_loss():
    generator = np.random.default_rng(0)
    weights = 1 + 0.3 * generator.standard_normal((3, 4))
    weights[0, 2] = 0.0  # a zero weight is legal

    def loss(v):
        w, z, u = np.prod(v, axis=1)
        return 0.5 * 1.7 * ((w - z - 0.6) ** 2 + (u - 0.6) ** 2)

    made = descend(weights, 4, 0.6, 1.7, 1, 0.01)
    gradient = (weights - made.weights) / 0.01
    for index in np.ndindex(3, 4):
        shift = np.zeros((3, 4))
        shift[index] = 1e-6
        slope = (loss(weights + shift) - loss(weights - shift)) / 2e-6
        assert gradient[index] == pytest.approx(slope, abs=1e-7)
    spread = np.max(np.ptp(made.weights, axis=1))
    assert column(made.record, "spread")[0] == pytest.approx(spread)


def test_equal_weights_stay_equal_where_tied_and_the_split_does_not_matter():
    whole = descend(ONES, 7, -1.3, 1.0, 50, 0.05)
    first = descend(ONES, 7, -1.3, 1.0, 20, 0.05)
    second = descend(first.weights, 7, -1.3, 1.0, 30, 0.05)
    np.testing.assert_array_equal(np.vstack([first.record, second.record]), whole.record)
    assert not column(whole.record, "spread").any()


@pytest.mark.parametrize(
    ("depth", "target", "z", "w", "iterations"),
    [
        (2, -1, 1.265753, 0.775971, 42),
        (3, -1, 1.177678, 0.858779, 42),
        (20, -1, 1.026341, 0.981049, 43),
        (20, -2, 1.048515, 0.973066, 47),
    ],
)
def test_limits_of_gradient_descent_at_half_the_inverse_sharpness(depth, target, z, w, iterations):
    step = 0.25 * theory.double_bound(target, depth)
    made = descend(ONES, depth, target, 1.0, 400, step)
    assert column(made.record, "z")[-1] == pytest.approx(z, abs=2e-6)
    assert column(made.record, "w")[-1] == pytest.approx(w, abs=2e-6)
    reached = int(np.argmax(np.abs(column(made.record, "error_double")) < 1e-12)) + 1
    assert reached == pytest.approx(iterations, abs=2)


@pytest.mark.parametrize("depth", [2, 3, 20])
def test_flow_keeps_its_invariant_and_ends_at_its_limit(depth):
    _, record = flow(ONES, depth, -1.0, 1.0, 600, 0.5 / depth, substeps=16)
    w, z = record[-1, 0], record[-1, 1]
    expected = theory.double_flow_limit(-1.0, depth)
    np.testing.assert_allclose([w, z], expected, rtol=1e-7)
    start = theory.double_invariant(1.0, 1.0, depth)
    assert theory.double_invariant(w, z, depth) == pytest.approx(start, rel=1e-7)


def test_the_origin_is_left_slowly():
    start = np.full((3, 1), 0.01)
    made = descend(start, 3, -1.0, 1.0, 2000, 0.1)
    left = int(np.argmax(np.abs(made.record[:, :2]).max(axis=1) > 0.5)) + 1
    assert left == pytest.approx(985, abs=2)


def test_divergence_is_an_outcome():
    made = descend(ONES, 5, 3.0, 1.0, 100, 1.0)
    assert made.diverged
    assert made.done < 10
    assert np.isfinite(made.weights).all()
    assert np.isfinite(made.record).all()


def test_a_network_watched_alone_has_the_bits_of_the_run_in_lockstep():
    start = 1 + 0.2 * np.random.default_rng(3).standard_normal((3, 5))
    both = descend(start, 5, -1.2, 1.1, 60, 0.05)
    for rows, name in ((slice(0, 2), "double"), (slice(2, 3), "single")):
        first = watch(start[rows], 5, -1.2, 1.1, 25, 0.05)
        rest = watch(first.weights, 5, -1.2, 1.1, 35, 0.05)
        np.testing.assert_array_equal(rest.weights, both.weights[rows])
        errors = np.concatenate([first.errors, rest.errors])
        np.testing.assert_array_equal(errors, column(both.record, f"error_{name}"))
        assert rest.sharpness == column(both.record, f"sharpness_{name}")[-1]


def test_a_watched_network_stops_where_it_diverges():
    made = watch(np.ones((1, 1)), 3, -2.0, 1.0, 500, 5.0)
    assert made.diverged and 0 < len(made.errors) < 500
    assert np.isfinite(made.errors).all() and np.isfinite(made.weights).all()
    assert np.abs(made.errors).max() <= 1e12
    lost = watch(np.full((1, 1), 100.0), 100, 1.0, 1.0, 10, 0.1)
    assert lost.diverged and len(lost.errors) == 0
