"""Block Lanczos against dense eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.kernels.matrix_calculus import Linearisation
from engine.kernels.padding import padded
from engine.spectrum import dense, extremes


def hessian(n, depth, branches, noise, seed):
    generator = np.random.default_rng(seed)
    target = generator.standard_normal((n, n))
    weights = np.eye(n) + noise * generator.standard_normal((branches, depth, n, n))
    here = Linearisation(padded(weights), padded(target), padded(np.eye(n)))

    def product(v):
        return here.hessian_product(padded(v.reshape(weights.shape)))[..., :n, :n].ravel()

    return product, weights.size


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
