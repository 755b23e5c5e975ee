"""Decomposition, chords, and the network (7a)-(7c): cells, level curves and growth."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.experiments.convex_shape import convexity
from engine.experiments.convex_shape import growth as convex_growth
from engine.experiments.convex_shape import network as convex_network
from engine.experiments.convex_shape.network import ConvexNetwork, Layer
from engine.families.functions.expression import parse

UNIT = np.ones(2)

LEAST = {
    "sin(2*pi*x)": (-4 * np.pi**2, [0.25]),
    "x**4 - x**2": (-2, [0]),
    "exp(x)": (1, [0]),
    "sin(3*x)*cos(2*y)": (-9, [np.pi / 6, 0]),
    "x*x + y*y - x*y": (1, None),
    "x**3 - 3*x*y**2": (-12, [1, 1]),
    "abs(x - 0.3) - x**2": (-2, None),
    "abs(x - y)": (0, None),
    "max(x, 0.5)*exp(x)": (0.5, [0]),
    "-abs(x - 0.3)": (-math.inf, [0.3]),
    "min(x, 0.77777)": (-math.inf, [0.77777]),
    "-abs(x - 2*y + 0.3)": (-math.inf, None),
    "x - pos(y - 0.41)": (-math.inf, None),
}


@pytest.mark.parametrize("text", LEAST)
def test_least_curvature(text):
    value, point = LEAST[text]
    function = parse(text)
    if text == "x**3 - 3*x*y**2":  # eigenvalues +-6 |(x, y)|
        value = -6 * math.sqrt(2)
    found = convexity.least_curvature(function, np.ones(function.dimensions))
    assert found.value == pytest.approx(value, rel=1e-9)
    if point is not None:
        np.testing.assert_allclose(found.point, point, atol=1e-3)
    assert convexity.smallest_alpha(found) == max(0, -found.value)


def test_a_square_root_at_zero_has_no_alpha():
    found = convexity.least_curvature(parse("sqrt(x)"), np.ones(1))
    assert convexity.smallest_alpha(found) == math.inf


def at_offset(function, offset, points):
    return function(offset + points)


@pytest.mark.parametrize("text", [text for text, (value, _) in LEAST.items() if value > -math.inf])
def test_the_smallest_alpha_makes_r_convex_and_a_smaller_one_does_not(text):
    function = parse(text)
    upper = np.ones(function.dimensions)
    curvature = convexity.least_curvature(function, upper)
    alpha = convexity.smallest_alpha(curvature)
    beta = convexity.smallest_beta(curvature) + 0.1
    for share, convex in ((1.0, True), (0.97, False)):
        if alpha == 0 and not convex:
            continue
        parts = convexity.Decomposition(function, share * alpha, beta)
        generator = np.random.default_rng(1)
        # Short chords around the least curvature tell more than long ones anywhere.
        low = np.maximum(curvature.point - 0.05, 0)
        width = np.minimum(curvature.point + 0.05, upper) - low
        shifted = partial(at_offset, parts.r, low)
        chord = convexity.worst_chord(shifted, width, generator, 20_000)
        assert (chord.amount < 1e-9) == convex
        points = generator.uniform(size=(50, function.dimensions))
        np.testing.assert_allclose(parts.r(points) - parts.s(points), parts.f(points), atol=1e-9)
    gradient = curvature.gradient + convexity.smallest_beta(curvature)
    assert (gradient >= 0).all()


def test_what_is_not_finite_on_the_domain_is_refused():
    convexity.check_function(parse("log(1 + x)"), np.ones(1))
    with pytest.raises(InputError, match=r"unlike at \(0\)"):
        convexity.check_function(parse("log(x)"), np.ones(1))
    with pytest.raises(InputError, match="function"):
        convexity.check_function(parse("1/(x - y)"), UNIT)


def test_chords_find_concavity_and_only_that():
    generator = np.random.default_rng(0)
    bump = convexity.worst_chord(lambda p: -(p[:, 0] ** 2), np.ones(1), generator, 4000)
    assert 0.2 < bump.amount <= 0.25
    a, b = bump.ends[:, 0]
    assert min(a, b) <= bump.middle[0] <= max(a, b)
    flat = convexity.worst_chord(lambda p: 1e6 + 3 * p.sum(axis=1), UNIT, generator, 4000)
    assert flat.amount == 0


@st.composite
def networks(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low = draw(st.sampled_from([0.0, -1.0]))
    layers = tuple(
        Layer(rng.uniform(low, 1, (2, m)), rng.uniform(low, 1, (2, m)), rng.uniform(low, 1, m))
        for m in draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    )
    return ConvexNetwork(layers, rng.uniform(0.1, 1, 2), 0.3), rng


def plain_value(network, x):
    h = np.array(x, float)
    for layer in network.layers:
        h = h + layer.W @ np.maximum(layer.V.T @ h - layer.b, 0)
    return float(network.c @ h) + network.d


@given(networks())
def test_cells_cover_the_domain_and_hold_the_function(case):
    network, rng = case
    upper = np.array([1.0, 1.5])
    cells, kinks = convex_network.cells(network, upper)
    area = 0.0
    for cell in cells:
        shares = rng.dirichlet(np.ones(len(cell.corners)), 3)
        for point in shares @ cell.corners:
            affine = float(cell.gradient @ point) + cell.offset
            assert affine == pytest.approx(plain_value(network, point), abs=1e-10)
        x, y = cell.corners.T
        area += 0.5 * (x @ np.roll(y, -1) - y @ np.roll(x, -1))
    assert area == pytest.approx(1.5)
    for kink in kinks:
        middle = kink.ends.mean(axis=0)
        below = network.first(kink.layer).hidden(middle)
        layer = network.layers[kink.layer]
        assert layer.V[:, kink.unit] @ below == pytest.approx(layer.b[kink.unit], abs=1e-10)
    points = rng.uniform(0, 1, (20, 2))
    values = [plain_value(network, point) for point in points]
    np.testing.assert_allclose(network(points), values, atol=1e-12)


@given(networks())
def test_nonnegative_parameters_make_it_convex(case):
    network, rng = case
    chord = convexity.worst_chord(network, UNIT, rng, 2000)
    if min(network.smallest().values()) >= 0:
        assert chord.amount == 0


def test_a_negative_weight_is_found_out():
    layer = Layer(-np.eye(2), np.eye(2), np.array([0.4, 0.5]))
    network = ConvexNetwork((layer,), np.ones(2))
    assert network.smallest()["W"] == -1
    chord = convexity.worst_chord(network, UNIT, np.random.default_rng(0), 2000)
    assert chord.amount > 0.1


def test_figure_2_level_curves():
    b = np.array([0.3, 0.6])
    network = ConvexNetwork((Layer(np.eye(2), np.eye(2), b),), np.ones(2))
    cells, kinks = convex_network.cells(network, UNIT)
    assert len(cells) == 4
    assert {(kink.layer, kink.unit) for kink in kinks} == {(0, 0), (0, 1)}
    level = 1.2
    x, y = convex_network.level_curves(cells, np.array([0.5, level]))
    rows = ~np.isnan(y[:, 1])
    assert set(zip(x[rows].round(12), y[rows, 1].round(12), strict=True)) >= {
        (0.3, 0.75),  # at x1 = b1, x2 = (t - b1 + b2) / 2 because t - b1 > b2
        (0.45, 0.6),  # at x2 = b2, x1 = (t + b1 - b2) / 2
    }
    segments = y[rows, 1].reshape(-1, 2), x[rows].reshape(-1, 2)
    slopes = np.diff(segments[0])[:, 0] / np.diff(segments[1])[:, 0]
    np.testing.assert_allclose(sorted(slopes), [-2, -1, -0.5], atol=1e-9)
    points = np.stack([x[rows], y[rows, 1]], axis=1)
    np.testing.assert_allclose(network(points), level, atol=1e-12)
    line_x, line_y = convex_network.kink_lines(kinks)
    assert np.isnan(line_x[2])
    assert {0.3} <= set(line_x[~np.isnan(line_x)]) or {0.6} <= set(line_y[~np.isnan(line_y)])


def test_normals_are_the_columns_of_V():
    layer = Layer(np.eye(2), np.array([[3.0, 0.0], [4.0, 0.0]]), np.array([2.0, 1.0]))
    first, second = convex_network.normals(layer)
    assert first.distance == pytest.approx(0.4)  # b / ||v||, not b
    np.testing.assert_allclose(first.direction, [0.6, 0.8])
    np.testing.assert_allclose(layer.V[:, 0] @ first.foot, 2.0)
    assert second is None


def smooth_1d(count=401):
    x = np.linspace(0, 1, count)
    jet = parse("x**2 + 0.5*x + 0.1*exp(2*x)").jet(x)
    return x, jet.value, jet.gradient[0], jet.hessian[0, 0]


def test_growth_in_one_dimension_lowers_the_error_with_every_layer():
    x, value, slope, _ = smooth_1d()
    ridges, errors = convex_growth.Ridges.none(1), []
    for depth in range(9):
        network = convex_growth.to_network(ridges, value[0], slope[:1])
        assert len(network.layers) == depth
        assert min(network.smallest().values()) >= 0
        assert (np.diff(network(x[:, None]), 2) > -1e-12).all()
        ridged = value[0] + slope[0] * x + ridges.each(x[:, None]) @ ridges.amounts
        np.testing.assert_allclose(network(x[:, None]), ridged, atol=1e-12)
        errors.append(np.sqrt(np.mean((value - network(x[:, None])) ** 2)))
        ridges = convex_growth.grow(ridges, x[:, None], value - value[0] - slope[0] * x)
    assert (np.diff(errors) < 0).all()
    assert errors[8] < errors[0] / 100


def test_growth_finds_the_kinks_of_a_piecewise_affine_function():
    x = np.linspace(0, 1, 401)
    value = x + 0.5 * np.maximum(x - 0.25, 0) + 2 * np.maximum(x - 0.75, 0)
    ridges = convex_growth.Ridges.none(1)
    for _ in range(2):
        ridges = convex_growth.grow(ridges, x[:, None], value - x)
    network = convex_growth.to_network(ridges, 0.0, np.ones(1))
    np.testing.assert_allclose(network(x[:, None]), value, atol=1e-10)
    weights = [float(layer.W[0, 0]) for layer in network.layers]
    np.testing.assert_allclose(weights, [0.5, 2 / 1.5])


def test_tangent_networks_are_the_largest_of_tangents():
    x, value, slope, bend = smooth_1d()
    errors = []
    for depth in (1, 2, 4, 8):
        network = convex_growth.tangent_network(x, value, slope, bend, depth)
        assert min(network.smallest().values()) >= 0
        estimate = network(x[:, None])
        assert (estimate <= value + 1e-4).all()  # tangents of a convex function lie below it
        errors.append(np.abs(value - estimate).max())
        first = network.first(0)(x[:, None])
        np.testing.assert_allclose(first, value[0] + slope[0] * x, atol=1e-12)
    assert errors[3] < errors[2] < errors[1] < errors[0]
    assert errors[3] < errors[2] / 3  # of second order in 1 / L


@pytest.mark.parametrize("seed", range(20))
def test_nonnegative_least_squares_meets_its_conditions(seed):
    generator = np.random.default_rng(seed)
    columns = generator.standard_normal((30, int(generator.integers(1, 9))))
    columns /= np.linalg.norm(columns, axis=0)
    if seed % 2:
        columns = np.abs(columns)
    target = generator.standard_normal(30)
    x = convex_growth.nonnegative_solution(columns.T @ columns, columns.T @ target)
    expected, _ = scipy.optimize.nnls(columns, target)
    np.testing.assert_allclose(x, expected, atol=1e-9)


@pytest.mark.parametrize("signed", [False, True])
def test_growth_in_two_dimensions(signed):
    points = convexity.grid(UNIT, 17)
    function = parse("x*x + y*y + x + y")
    value = function(*points.T)
    ridges = convex_growth.Ridges.none(2)
    for _ in range(5):
        ridges = convex_growth.grow(ridges, points, value - points.sum(axis=1), signed)
    network = convex_growth.to_network(ridges, 0.0, np.ones(2))
    assert min(value for key, value in network.smallest().items() if key != "V") >= 0
    assert signed or network.smallest()["V"] >= 0
    error = np.sqrt(np.mean((network(points) - value) ** 2))
    assert error < 0.05


def test_nonnegative_networks_have_nonnegative_mixed_differences():
    """Sums, positive parts and increasing images keep increasing differences: (7) has them all."""
    generator = np.random.default_rng(3)
    for _ in range(20):
        layers = tuple(
            Layer(*generator.uniform(0, 1, (2, 2, 3)), generator.uniform(0, 2, 3)) for _ in range(3)
        )
        network = ConvexNetwork(layers, generator.uniform(0.1, 1, 2))
        corner, step = generator.uniform(0, 1, (2, 500, 2))
        across, up = step * [1, 0], step * [0, 1]
        mixed = network(corner + step) - network(corner + across)
        mixed -= network(corner + up) - network(corner)
        assert mixed.min() > -1e-9
    points = convexity.grid(UNIT, 17)
    value = parse("x*x + y*y - x*y + x + y")(*points.T)  # strictly convex, mixed derivative -1
    ridges = convex_growth.Ridges.none(2)
    for _ in range(6):
        ridges = convex_growth.grow(ridges, points, value - points.sum(axis=1))
    network = convex_growth.to_network(ridges, 0.0, np.ones(2))
    assert np.sqrt(np.mean((network(points) - value) ** 2)) > 0.05
