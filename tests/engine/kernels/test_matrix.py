"""The matrix kernels against NumPy, automatic differentiation and known solutions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels.jit import kernel
from engine.kernels.matrix.calculus import Linearisation
from engine.kernels.matrix.descent import descend, flow
from engine.kernels.matrix.gemm import (
    multiply,
    multiply_add,
    multiply_transposed,
    multiply_transposed_add,
)
from engine.kernels.matrix.padding import padded, padded_side


@kernel
def four_products(a, b, out, m):
    size = m * m
    multiply(a, 1, b, 2, out, 0, m)
    multiply_add(a, 1, b, 2, out, size, m)
    multiply_transposed(a, 1, b, 2, out, 2 * size, m)
    multiply_transposed_add(a, 1, b, 2, out, 3 * size, m)


@pytest.mark.parametrize("m", [4, 8, 12, 16, 20, 24, 28, 40, 64])
def test_products_equal_numpys(m):
    generator = np.random.default_rng(m)
    a, b = generator.standard_normal((2, m * m + 2))
    out = generator.standard_normal((4, m, m))
    before = out.copy()
    four_products(a, b, out.reshape(-1), m)
    expected = a[1 : 1 + m * m].reshape(m, m) @ b[2:].reshape(m, m)
    scale = 1e-14 * m
    np.testing.assert_allclose(out[0], expected, atol=scale)
    np.testing.assert_allclose(out[1], before[1] + expected, atol=scale)
    np.testing.assert_allclose(out[2], expected.T, atol=scale)
    np.testing.assert_allclose(out[3], before[3] + expected.T, atol=scale)


def test_padding_is_the_next_multiple_of_four():
    assert [padded_side(n) for n in (1, 4, 5, 20, 61)] == [4, 4, 8, 20, 64]


def torch_loss(weights, target, moment):
    """Loss of a single or double network, written plainly."""
    estimate = -target
    for sign, branch in zip((1, -1), weights, strict=False):
        product = torch.eye(len(target), dtype=torch.float64)
        for matrix in branch:
            product = matrix @ product
        estimate = estimate + sign * product
    return 0.5 * torch.trace(estimate @ moment @ estimate.T)


@st.composite
def networks(draw):
    n, depth = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    branches, seed = draw(st.integers(1, 2)), draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    weights = np.eye(n) + draw(st.floats(0.0, 0.7)) * generator.standard_normal(
        (branches, depth, n, n)
    )
    root = generator.standard_normal((n, n + 1))
    moment = np.eye(n) if draw(st.booleans()) else root @ root.T / n
    return weights, generator.standard_normal((n, n)), moment, generator


@given(networks())
def test_gradient_and_hessian_product_equal_autograd(network):
    weights, target, moment, generator = network
    n = target.shape[0]
    v = generator.standard_normal(weights.shape)
    here = Linearisation(padded(weights), padded(target), padded(moment))

    def loss(w):
        return torch_loss(w, torch.from_numpy(target), torch.from_numpy(moment))

    point = torch.from_numpy(weights).requires_grad_()
    (gradient,) = torch.autograd.grad(loss(point), point, create_graph=True)
    (product,) = torch.autograd.grad(gradient, point, torch.from_numpy(v), allow_unused=True)
    scale = 1e-10 * max(1.0, float(gradient.detach().abs().max()))
    np.testing.assert_allclose(
        here.gradient[..., :n, :n], gradient.detach().numpy(), rtol=0, atol=scale
    )
    expected = np.zeros_like(weights) if product is None else product.numpy()
    ours = here.hessian_product(padded(v))
    np.testing.assert_allclose(
        ours[..., :n, :n], expected, rtol=0, atol=1e-10 * max(1.0, np.abs(expected).max())
    )
    assert not ours[..., n:, :].any()
    assert not ours[..., n:].any()


def problem(seed=0, n=6, depth=4, branches=1):
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((n, n)))[0]
    target = (basis * generator.uniform(0.3, 2.0, n)) @ basis.T
    weights = np.eye(n) + 0.05 * generator.standard_normal((branches, depth, n, n))
    return padded(weights), padded(target), padded(np.eye(n))


KINDS = {
    "plain": {},
    "heavy ball": {"momentum": 0.7},
    "nesterov": {"momentum": 0.7, "nesterov": True},
    "adaptive": {"alpha": 1.0},
    "adaptive nesterov": {"alpha": 0.3, "momentum": 0.5, "nesterov": True},
    "batches": {"batches": True},
}


@pytest.mark.parametrize("branches", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_has_the_same_bits_however_it_is_split(kind, branches):
    weights, target, moment = problem(branches=branches)
    options = dict(KINDS[kind])
    steps = 40
    if options.pop("batches", False):
        x = np.random.default_rng(1).standard_normal((steps, 8, 6))
        options["batches"] = padded(np.swapaxes(x, 1, 2) @ x / 8)
    unit = padded(np.ones((branches, 4, 6, 6))) / np.sqrt(weights.size)
    options["direction"] = unit

    def run(cuts):
        state = weights, weights, unit
        records = []
        for begin, end in zip((0, *cuts), (*cuts, steps), strict=True):
            given = dict(options)
            if "batches" in given:
                given["batches"] = given["batches"][begin:end]
            given["direction"] = state[2]
            made = descend(*state[:2], target, moment, end - begin, 0.02, **given)
            state = made.weights, made.previous, made.direction
            records.append(made.record)
        return np.concatenate(records), *state

    whole, pieces = run(()), run((1, 2, 17))
    for one, other in zip(whole, pieces, strict=True):
        np.testing.assert_array_equal(one, other)
    assert whole[0][-1, 0] < whole[0][0, 0]


def test_a_step_is_equation_5():
    weights, target, moment = problem()
    gradient = Linearisation(weights, target, moment).gradient
    one = descend(weights, weights, target, moment, 1, 0.02)
    np.testing.assert_allclose(one.weights, weights - 0.02 * gradient, atol=1e-15)
    np.testing.assert_array_equal(one.previous, weights)
    after = Linearisation(one.weights, target, moment)
    np.testing.assert_array_equal(one.record[0, :4], [after.error, 0.5 * after.error**2, 0.02, 0.0])
    along = np.vdot(after.residual, target) / np.linalg.norm(target)
    assert one.record[0, 4] == pytest.approx(along, rel=1e-12)


def test_momentum_follows_its_definition():
    weights, target, moment = problem()

    def gradient(w):
        return Linearisation(w, target, moment).gradient

    old, now = weights, weights
    ahead_old, ahead_now = weights, weights
    for _ in range(5):
        old, now = now, now - 0.02 * gradient(now) + 0.6 * (now - old)
        y = ahead_now + 0.6 * (ahead_now - ahead_old)
        ahead_old, ahead_now = ahead_now, y - 0.02 * gradient(y)
    heavy = descend(weights, weights, target, moment, 5, 0.02, momentum=0.6)
    nesterov = descend(weights, weights, target, moment, 5, 0.02, momentum=0.6, nesterov=True)
    np.testing.assert_allclose(heavy.weights, now, atol=1e-14)
    np.testing.assert_allclose(nesterov.weights, ahead_now, atol=1e-14)


def test_loss_is_weighted_by_the_second_moment():
    weights, target, _ = problem()
    root = np.random.default_rng(3).standard_normal((6, 9))
    moment = padded(root @ root.T / 9)
    made = descend(weights, weights, target, moment, 1, 0.01)
    residual = Linearisation(made.weights, target, moment).residual
    assert made.record[0, 1] == pytest.approx(0.5 * np.trace(residual @ moment @ residual.T))


def test_theorem_2_holds_for_symmetric_targets_to_rounding():
    generator = np.random.default_rng(5)
    n, depth = 10, 5
    basis = np.linalg.qr(generator.standard_normal((n, n)))[0]
    values = generator.uniform(0.2, 3.0, n)
    target = padded((basis * values) @ basis.T)
    start = padded(np.tile(np.eye(n), (1, depth, 1, 1)))
    step = min(1.0, values.max() ** (-2 * (depth - 1) / depth)) / depth
    made = descend(start, start, target, padded(np.eye(n)), 3000, step)
    root = (basis * values ** (1 / depth)) @ basis.T
    np.testing.assert_allclose(
        made.weights[0, :, :n, :n], np.broadcast_to(root, (depth, n, n)), atol=1e-12
    )


@pytest.mark.parametrize(
    ("c", "fate", "iterations"), [(1.0, "converges", 80), (2.0, "never", 0), (4.0, "diverges", 8)]
)
def test_counterexample_to_theorem_2(c, fate, iterations):
    target = padded(np.array([[1.0, c], [0.0, 1.1]]))
    start = padded(np.tile(np.eye(2), (1, 3, 1, 1)))
    step = 1.1 ** (-4 / 3) / 3
    made = descend(start, start, target, padded(np.eye(2)), 20_000, step)
    if fate == "diverges":
        assert made.diverged
        assert made.done + 1 == iterations
        assert np.isfinite(made.weights).all()
        assert np.isfinite(made.record).all()
    elif fate == "never":
        assert made.done == 20_000
        assert made.record[-1000:, 1].max() > 1.0
    else:
        assert np.argmax(made.record[:, 1] < 1e-16) == pytest.approx(iterations, abs=25)
        assert made.record[-1, 0] < 1e-12


def test_single_network_diverges_without_warnings_from_a_wild_start():
    weights, target, moment = problem()
    made = descend(1e6 * weights, 1e6 * weights, target, moment, 10, 1.0)
    assert made.diverged
    assert made.done == 0
    np.testing.assert_array_equal(made.weights, 1e6 * weights)


def test_unitary_start_is_the_identity_start_of_another_target():
    generator = np.random.default_rng(7)
    n, depth = 5, 4
    _, target, moment = problem(n=n)
    factors = np.linalg.qr(generator.standard_normal((depth, n, n)))[0]
    product = np.linalg.multi_dot(factors[::-1])
    start = padded(factors[None])
    identity = padded(np.tile(np.eye(n), (1, depth, 1, 1)))
    turned = padded(product.T @ target[:n, :n])
    one = descend(start, start, target, moment, 200, 0.05)
    other = descend(identity, identity, turned, moment, 200, 0.05)
    np.testing.assert_allclose(one.record[:, 1], other.record[:, 1], atol=1e-12)


def test_adaptive_step_estimates_the_top_eigenvalue():
    weights, target, moment = problem()
    unit = padded(np.ones((1, 4, 6, 6))) / 12
    made = descend(
        weights, weights, target, moment, 300, 1e3, alpha=1.0, direction=unit, iterations=5
    )
    here = Linearisation(made.weights, target, moment)
    rayleigh = np.vdot(made.direction, here.hessian_product(made.direction))
    assert made.record[-1, 3] == pytest.approx(rayleigh, rel=1e-6)
    assert made.record[-1, 2] == pytest.approx(1.0 / made.record[-1, 3])
    assert made.record[-1, 0] < 1e-6


def test_flow_is_the_limit_of_small_steps():
    weights, target, moment = problem()
    _, errors = flow(weights, target, moment, np.full(10, 0.02), substeps=2)
    gaps = []
    for parts in (50, 100):
        small = descend(weights, weights, target, moment, 10 * parts, 0.02 / parts)
        gaps.append(abs(small.record[-1, 0] - errors[-1]))
    assert gaps[1] == pytest.approx(gaps[0] / 2, rel=0.05)  # gradient descent is of first order


def test_flow_is_of_fourth_order():
    weights, target, moment = problem()
    _, fine = flow(weights, target, moment, np.array([0.4]), substeps=64)
    gaps = [
        abs(flow(weights, target, moment, np.array([0.4]), substeps=parts)[1][-1] - fine[-1])
        for parts in (4, 8)
    ]
    assert gaps[1] < gaps[0] / 10


def test_flow_takes_uneven_times():
    weights, target, moment = problem()
    _, even = flow(weights, target, moment, np.full(4, 0.05), substeps=4)
    halfway, uneven = flow(weights, target, moment, np.array([0.05, 0.1]), substeps=8)
    np.testing.assert_allclose(uneven, even[[0, 2]], rtol=1e-5)
    assert Linearisation(halfway, target, moment).error == uneven[-1]
