"""The least-squares kernel against the closed form and its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.registry import get
from engine.experiments.least_squares import views
from engine.kernels.least_squares import descend


def problem(n=3, points=7, starts=2, seed=0):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal((n, points))
    y = generator.standard_normal(points)
    start = generator.standard_normal((starts, n))
    gram, load = x @ x.T, x @ y
    inverse = np.linalg.pinv(gram)
    minimum = inverse @ load
    minima = minimum + (start - minimum) @ (np.eye(n) - inverse @ gram)
    return x, y, start, gram, load, minima


@given(st.integers(1, 6), st.integers(1, 9), st.integers(0, 99))
def test_runs_follow_the_closed_form(n, points, seed):
    x, y, start, gram, load, minima = problem(n, points, 3, seed)
    step = 1.7 / np.linalg.norm(gram, 2)
    made = descend(start, start, gram, load, minima, 30, step, tracked=2)
    factor = np.linalg.matrix_power(np.eye(n) - step * gram, 30)
    expected = minima + (start - minima) @ factor
    np.testing.assert_allclose(made.points, expected, atol=1e-10)
    np.testing.assert_array_equal(made.tracked[-1], made.points[:2])
    np.testing.assert_allclose(
        made.distances[-1], np.linalg.norm(made.points - minima, axis=1), atol=1e-14
    )
    least = 0.5 * np.sum((x.T @ minima[0] - y) ** 2)
    losses = 0.5 * np.sum((made.points @ x - y) ** 2, axis=1)
    np.testing.assert_allclose(made.excess[-1], losses - least, atol=1e-9)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_and_splitting(nesterov):
    _, _, start, gram, load, minima = problem()
    step = 0.3 / np.linalg.norm(gram, 2)

    def gradient(w):
        return w @ gram - load

    old, now = start, start
    for _ in range(20):
        ahead = now + 0.8 * (now - old)
        old, now = now, ahead - step * gradient(ahead if nesterov else now)
    kind = {"momentum": 0.8, "nesterov": nesterov, "tracked": 2}
    whole = descend(start, start, gram, load, minima, 20, step, **kind)
    np.testing.assert_allclose(whole.points, now, atol=1e-12)
    first = descend(start, start, gram, load, minima, 7, step, **kind)
    second = descend(first.points, first.previous, gram, load, minima, 13, step, **kind)
    np.testing.assert_array_equal(second.points, whole.points)
    np.testing.assert_array_equal(np.r_[first.excess, second.excess], whole.excess)


def test_critical_step_size_parts_convergence_from_divergence():
    _, _, start, gram, load, minima = problem()
    critical = 2.0 / np.linalg.norm(gram, 2)
    below = descend(start, start, gram, load, minima, 20_000, 0.99 * critical)
    above = descend(start, start, gram, load, minima, 20_000, 1.01 * critical)
    assert below.distances[-1].max() < 1e-10
    assert above.diverged
    assert np.isfinite(above.distances).all()
    assert np.isfinite(above.points).all()
    assert above.distances[-1].max() <= 1e12


def test_the_null_space_keeps_its_component():
    _, _, start, gram, load, minima = problem(n=5, points=2)
    step = 1.0 / np.linalg.norm(gram, 2)
    made = descend(start, start, gram, load, minima, 5000, step)
    np.testing.assert_allclose(made.points, minima, atol=1e-10)
    assert np.linalg.norm(minima[0] - minima[1]) > 0.1


def test_level_curves_go_on_beyond_every_corner_of_the_picture() -> None:
    """They are cut only far outside the largest ball, so that none ends between the axes."""
    size = 2.0
    problem = get("least-squares").init(get("least-squares").parameters(), 0).problem
    curves = views._level_curves(problem, size)
    reach = np.abs(curves).max(axis=1)
    assert 3 * size < np.nanmax(reach) <= views.BEYOND * size
    rings = reach.reshape(views.LEVELS, views.SIDES + 2)[:, :-1]
    cut = rings[np.isnan(rings).any(axis=1)]
    missing = np.isnan(cut)
    ends = cut[:, 1:-1][~missing[:, 1:-1] & (missing[:, :-2] | missing[:, 2:])]
    assert len(ends) > 0 and ends.min() > 2 * size
