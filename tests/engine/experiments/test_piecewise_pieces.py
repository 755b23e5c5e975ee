"""Pieces, least-squares lines and Hessian of the residual pair against plain evaluations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.families import piecewise
from engine.kernels.residual import descent as residual


@st.composite
def pairs(draw):
    depth = draw(st.integers(1, 8))
    low = draw(st.sampled_from([0.0, -0.9, -3.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = (2 * depth, 2 * depth, 2, 1)
    ranges = ((low, 1.0), (-0.2, 1.4), (0.1, 2.0), (-1.0, 1.0))
    theta = [rng.uniform(*span, size) for span, size in zip(ranges, sizes, strict=True)]
    return np.concatenate(theta), rng


@given(pairs())
def test_pieces_pass_through_the_function(case):
    theta, rng = case
    whole, convex, concave = piecewise.pair_pieces(theta, 0.0, 1.0)
    x = np.sort(np.concatenate([rng.uniform(0, 1, 50), whole.edges]))
    estimate, r, s = piecewise.evaluate(theta, x)
    for pieces, values in ((whole, estimate), (convex, r), (concave, -s)):
        assert (pieces.edges[0], pieces.edges[-1]) == (0.0, 1.0)
        assert len(pieces.slopes) == len(pieces.edges) - 1
        scale = 1e-12 * max(1.0, np.abs(values).max())
        np.testing.assert_allclose(
            np.interp(x, pieces.edges, pieces.values), values, atol=scale, rtol=0
        )
        wide = np.diff(pieces.edges) > 1e-6
        rises = np.diff(pieces.values)[wide] / np.diff(pieces.edges)[wide]
        np.testing.assert_allclose(pieces.slopes[wide], rises, atol=1e6 * scale, rtol=1e-6)


@given(pairs())
def test_nonnegative_weights_make_a_convex_and_a_concave_part(case):
    theta, _ = case
    assume(theta[: (len(theta) - 3) // 2].min() >= 0)
    _, convex, concave = piecewise.pair_pieces(theta, 0.0, 1.0)
    assert (np.diff(convex.slopes) >= 0).all()
    assert (np.diff(concave.slopes) <= 0).all()


@given(pairs())
def test_kinks_and_lipschitz_constant_agree_with_the_kernel(case):
    theta, rng = case
    depth = (len(theta) - 3) // 4
    assume(theta[: 2 * depth].min() > -1)
    x = np.concatenate([[0.0, 1.0], rng.uniform(0, 1, 20)])
    data = residual.prepare(x, np.sin(x))
    w, b, c, d = residual.unpack(theta[None])
    found = residual.measure(residual.start_pairs(w, b, c, d), data, residual.Rule(0.1))
    whole, _, _ = piecewise.pair_pieces(theta, 0.0, 1.0)
    lipschitz = found.scalars[0, 0, residual.COLUMNS.index("lipschitz")]
    assert lipschitz == pytest.approx(whole.lipschitz, rel=1e-12)
    kinks = np.sort(found.kinks[0, 0].ravel())
    inside = kinks[(kinks > 1e-12) & (kinks < 1 - 1e-12)]
    assume(np.diff(inside, prepend=0).min(initial=1) > 1e-9)
    np.testing.assert_allclose(whole.edges[1:-1], inside, atol=1e-12)


def torch_loss(theta, x, y):
    depth = (theta.shape[0] - 3) // 4
    parts = []
    for net in range(2):
        h = x
        for layer in range(depth):
            h = h + theta[net * depth + layer] * torch.relu(h - theta[(2 + net) * depth + layer])
        parts.append(theta[4 * depth + net] * h)
    return 0.5 * ((parts[0] - parts[1] + theta[-1] - y) ** 2).mean()


@pytest.mark.parametrize("seed", range(8))
def test_hessian_equals_autograd(seed):
    rng = np.random.default_rng(seed)
    depth, count = int(rng.integers(1, 6)), int(rng.integers(2, 30))
    low = [0.0, -2.0][seed % 2]
    theta = np.concatenate(
        [
            rng.uniform(low, 1, 2 * depth),
            rng.uniform(0, 1, 2 * depth),
            rng.uniform(0.5, 2, 2),
            rng.standard_normal(1),
        ]
    )
    x, y = rng.uniform(0, 1, count), rng.standard_normal(count)
    expected = torch.autograd.functional.hessian(
        lambda parameters: torch_loss(parameters, torch.tensor(x), torch.tensor(y)),
        torch.tensor(theta),
    ).numpy()
    found = piecewise.hessian(theta, x, y)
    np.testing.assert_allclose(found, expected, atol=1e-11)
    top = piecewise.top_eigenvalues(theta, x, y, 3)
    np.testing.assert_allclose(top, np.linalg.eigvalsh(expected)[::-1][:3], atol=1e-11)


def test_lines_are_least_squares_lines():
    x = np.linspace(0, 1, 41)
    y = np.where(x < 0.5, 2 * x, 1 - 3 * (x - 0.5)) + 0.1 * np.sin(30 * x)
    pieces = piecewise.interpolant(np.array([0.0, 0.45, 0.47, 1.0]), np.array([0.0, 1.0, 0.9, 0.0]))
    fits = piecewise.fit_lines(pieces, x, y)
    assert fits.count.tolist() == [19, 22]  # the middle piece has no three points
    for row, part in enumerate((x <= 0.45, x > 0.47)):
        slope, offset = np.polyfit(x[part], y[part], 1)
        assert fits.slope[row] == pytest.approx(slope)
        assert fits.offset[row] == pytest.approx(offset)
        line = slope * x[part] + offset
        estimate = np.interp(x[part], pieces.edges, pieces.values)
        assert fits.distance[row] == pytest.approx(np.sqrt(np.mean((estimate - line) ** 2)))
        assert fits.misfit[row] == pytest.approx(np.sqrt(np.mean((y[part] - line) ** 2)))
    both = np.sqrt((19 * fits.distance[0] ** 2 + 22 * fits.distance[1] ** 2) / 41)
    assert fits.overall_distance() == pytest.approx(both)
    assert piecewise.fit_lines(pieces, x[:2], y[:2]).overall_distance() is None
