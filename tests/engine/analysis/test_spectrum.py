"""Block Lanczos against dense eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.spectrum import dense, extremes
from engine.core.params import build
from engine.core.registry import get
from engine.families.matrix.measure import sharpest
from engine.kernels.matrix.calculus import Linearisation
from engine.kernels.matrix.padding import padded
from engine.run.session import Session

SMALL = {"width": 5, "depth": 3}


def hessian(n, depth, branches, noise, seed):
    generator = np.random.default_rng(seed)
    target = generator.standard_normal((n, n))
    weights = np.eye(n) + noise * generator.standard_normal((branches, depth, n, n))
    here = Linearisation(padded(weights), padded(target), padded(np.eye(n)))
    return unpadded(here, weights.shape), weights.size


def unpadded(here, shape):
    """Return the product with the Hessian for vectors of the weights without their padding."""
    n = shape[-1]
    return lambda v: here.hessian_product(padded(v.reshape(shape)))[..., :n, :n].ravel()


@pytest.mark.parametrize("noise", [0.0, 0.2])
@pytest.mark.parametrize(
    ("n", "depth", "branches"), [(1, 7, 1), (2, 100, 1), (4, 12, 2), (7, 9, 1), (5, 40, 1)]
)
def test_both_ends_equal_the_dense_ones(n, depth, branches, noise):
    product, size = hessian(n, depth, branches, noise / depth**0.5, seed=n)
    expected = np.linalg.eigvalsh(dense(product, size))
    found = extremes(product, size, top=4, bottom=3)
    assert found.converged
    scale = 1e-6 * np.abs(expected).max()
    np.testing.assert_allclose(found.top, expected[::-1][:4], atol=scale, rtol=0)
    np.testing.assert_allclose(found.bottom, expected[:3], atol=scale, rtol=0)
    assert found.products <= size


@st.composite
def converged_networks(draw):
    """Return networks of roots of R, n L <= 200, moved off the minimum by 1e-14 to 1e-8, or not."""
    n, branches = draw(st.integers(1, 8)), draw(st.integers(1, 2))
    depth = draw(st.integers(1, min(200 // n, 300 // (n * n * branches))))
    generator = np.random.default_rng(draw(st.integers(0, 999)))
    off = draw(st.sampled_from([0.0, 1e-14, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8]))
    basis = np.linalg.qr(generator.standard_normal((n, n)))[0]
    values = generator.uniform(0.5, 2.0, n)
    # Runs from W = I come in along the eigenspaces of R, others do not.
    inside = values * (1 + off * generator.standard_normal(n))
    root = (basis * inside ** (1 / depth)) @ basis.T
    weights = np.broadcast_to(root, (branches, depth, n, n)).copy()
    if draw(st.booleans()):
        weights += off / depth * generator.standard_normal(weights.shape)
    if branches == 2:
        weights[1] *= 0.5 ** (1 / depth)
        values = values * 0.5
    return weights, (basis * values) @ basis.T


@given(converged_networks(), st.integers(1, 5), st.integers(0, 3))
def test_a_converged_network_shows_the_dense_eigenvalues(network, top, seed):
    """The Hessian is of low rank there, up to a trace of what is left of the error."""
    weights, target = network
    n, size = len(target), weights.size
    here = Linearisation(padded(weights), padded(target), padded(np.eye(n)))
    product = unpadded(here, weights.shape)
    expected = np.linalg.eigvalsh(dense(product, size))[::-1]
    found = extremes(product, size, top=top, seed=seed, tolerance=1e-6, max_products=300)
    assert found.converged
    np.testing.assert_allclose(found.top, expected[:top], rtol=0, atol=1e-6 * expected[0])


@pytest.mark.parametrize(
    ("experiment_id", "networks"),
    [("matrix-product", ["network"]), ("double-matrix", ["single", "double"])],
)
def test_a_run_shows_the_dense_eigenvalues_while_it_converges(experiment_id, networks):
    """At the default size of the single network, down to an error of nothing but rounding."""
    experiment = get(experiment_id)
    session = Session(experiment, build(experiment.parameters, SMALL), seed=0)
    while session.step < 120:
        session.advance(5)
        problem = session.state.problem
        for name in networks:
            weights = getattr(session.state, name).matrices(problem.size)
            here = Linearisation(padded(weights), problem.padded_target, problem.padded_moment)
            product = unpadded(here, weights.shape)
            expected = np.linalg.eigvalsh(dense(product, weights.size))[::-1]
            measured = sharpest(problem, weights, 2, seed=0)
            np.testing.assert_allclose(measured.top, expected[:2], rtol=1e-6)


@given(
    st.integers(2, 60),
    st.integers(1, 6),
    st.lists(st.floats(-13, -6), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_traces_of_rounding_make_no_eigenvalues(size, top, powers, seed):
    """An operator of low rank, with eigenvalues just above rounding among the rest."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((size, size)))[0]
    values = np.zeros(size)
    values[: size // 3 + 1] = generator.uniform(0.1, 13.0, size // 3 + 1)
    values[-len(powers[:size]) :] = 10.0 ** np.asarray(powers[:size])
    matrix = (basis * values) @ basis.T
    found = extremes(lambda v: matrix @ v, size, top=top, seed=seed, tolerance=1e-6)
    expected = np.linalg.eigvalsh(0.5 * (matrix + matrix.T))[::-1]
    np.testing.assert_allclose(
        found.top, expected[:top], rtol=0, atol=1e-6 * max(expected[0], 1e-9)
    )


def test_multiple_eigenvalues_are_all_seen():
    values = np.r_[np.full(3, 5.0), 4.0, np.linspace(-1, 1, 60), np.full(2, -2.0)]
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((66, 66)))[0]
    matrix = (basis * values) @ basis.T
    found = extremes(lambda v: matrix @ v, 66, top=4, bottom=3)
    np.testing.assert_allclose(found.top, [5, 5, 5, 4], atol=1e-9)
    np.testing.assert_allclose(found.bottom, [-2, -2, -1], atol=1e-9)
    residual = matrix @ found.vectors - found.vectors * found.top
    assert np.linalg.norm(residual, axis=0).max() <= found.residual + 1e-10


@given(st.integers(1, 12), st.integers(1, 15), st.integers(0, 99))
def test_small_and_deficient_operators_end(size, top, seed):
    generator = np.random.default_rng(seed)
    half = generator.standard_normal((size, generator.integers(1, size + 1)))
    matrix = half @ half.T
    found = extremes(lambda v: matrix @ v, size, top=top, seed=seed)
    expected = np.linalg.eigvalsh(matrix)[::-1]
    assert found.converged
    np.testing.assert_allclose(found.top, expected[:top], atol=1e-8 * expected[0])


def test_zero_operator_and_start_vectors():
    found = extremes(lambda v: 0.0 * v, 20, top=2)
    assert found.converged
    np.testing.assert_array_equal(found.top, [0.0, 0.0])
    matrix = np.diag(np.arange(20.0))
    start = np.eye(20)[:, [19, 18]]
    warm = extremes(lambda v: matrix @ v, 20, top=2, start=start)
    assert warm.products == 2
    np.testing.assert_allclose(warm.top, [19, 18])


def test_the_budget_of_products_is_kept_and_said():
    matrix = np.diag(np.linspace(0, 1, 300) ** 3)
    found = extremes(lambda v: matrix @ v, 300, top=3, tolerance=1e-14, max_products=12)
    assert found.products == 12
    assert not found.converged
    assert np.abs(found.top[0] - 1.0) <= found.residual
