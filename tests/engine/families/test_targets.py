"""Targets, moments and starts of the matrix networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.families import targets


def test_figure_3_matrices_follow_the_recipe():
    for seed in (0, 7):
        r = np.random.default_rng(seed)
        m = r.standard_normal((20, 20))
        lam = r.uniform(-1.5, 1.5, 20)
        made = targets.random_target(20, -1.5, 1.5, "normal", np.random.default_rng(seed))
        np.testing.assert_allclose(made, m @ np.diag(lam) @ np.linalg.inv(m), rtol=1e-12)


def test_figure_3_norms_spread_over_decades():
    norms = [
        targets.analyse(
            targets.random_target(20, -1.5, 1.5, "normal", np.random.default_rng(seed))
        ).norm
        for seed in range(50)
    ]
    expected = [13.3, 34.3, 799.0, 5.4e4]
    np.testing.assert_allclose(np.quantile(norms, [0.05, 0.5, 0.95, 1.0]), expected, rtol=0.05)


@pytest.mark.parametrize("eigenvectors", ["orthogonal", "normal"])
def test_chosen_eigenvalues_are_met_and_described(eigenvectors):
    values = [0.5, -1.5, 2.0, 1.0]
    matrix = targets.random_target(
        4, 0, 1, eigenvectors, np.random.default_rng(1), eigenvalues=values
    )
    found = targets.analyse(matrix)
    np.testing.assert_allclose(np.sort(found.eigenvalues.real), sorted(values), atol=1e-12)
    assert found.radius == pytest.approx(2.0)
    assert found.norm == pytest.approx(np.linalg.norm(matrix, 2))
    assert found.is_real
    assert not found.is_positive
    assert found.is_orthogonal == (eigenvectors == "orthogonal")
    rebuilt = (found.eigenvectors * found.eigenvalues) @ np.linalg.inv(found.eigenvectors)
    np.testing.assert_allclose(rebuilt, matrix, atol=1e-12)


@pytest.mark.parametrize("eigenvectors", ["orthogonal", "normal"])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_roots_give_the_target_back(eigenvectors, depth):
    generator = np.random.default_rng(3)
    found = targets.analyse(targets.random_target(6, 0.2, 3.0, eigenvectors, generator))
    root = found.root(depth)
    np.testing.assert_allclose(np.linalg.matrix_power(root, depth), found.matrix, atol=1e-9)


def test_roots_of_negative_and_complex_eigenvalues():
    assert targets.analyse(np.diag([1.0, -2.0])).root(4) is None
    np.testing.assert_allclose(
        targets.analyse(np.diag([1.0, -8.0])).root(3), np.diag([1.0, -2.0]), atol=1e-12
    )
    turn = targets.analyse(np.array([[0.0, -1.0], [1.0, 0.0]]))
    assert not turn.is_real
    assert turn.is_orthogonal
    half = np.sqrt(0.5)
    np.testing.assert_allclose(turn.root(2), [[half, -half], [half, half]], atol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "rule"),
    [
        (np.ones((2, 3)), "give a square matrix"),
        (np.zeros((0, 0)), "give a square matrix"),
        (np.eye(65), "at most 64 x 64"),
        (np.array([[1.0, np.nan], [0.0, 1.0]]), "finite"),
        (np.zeros((3, 3)), "other than 0"),
    ],
)
def test_unusable_targets_get_one_sentence(matrix, rule):
    with pytest.raises(InputError, match=rf"^target: .* is not allowed; .*{rule}.*\.$"):
        targets.analyse(matrix)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.array([[1.0, 2.0], [2.0, 4.0]]), True),
        (np.array([[1.0, 1.0], [0.0, 1.000000001]]), True),
        (np.array([[1.0, 0.0], [5.0, 1.000000001]]), True),
        (np.array([[1.0, 1.0], [0.0, 1.0]]), False),
        (np.array([[0.0, 1.0], [0.0, 0.0]]), False),
        (np.diag([1.0] * 4) + np.diag([1.0] * 3, 1), False),
        (np.array([[3.0, 1.0], [-1.0, 1.0]]), None),  # defective, which rounding hides
        (np.array([[0.0, -1.0], [1.0, 0.0]]), True),
        (3.0 * np.eye(4), True),
        (np.array([[1.0, 0.0005], [-0.0005, 1.001]]) * 1000.0, None),  # defective, coupling small
    ],
)
def test_what_is_diagonalisable_is_said_only_where_it_is_known(matrix, expected):
    assert targets.analyse(matrix).is_diagonalisable is expected


@given(st.integers(2, 5), st.integers(0, 10**6), st.integers(0, 3))
def test_no_matrix_is_called_what_it_is_not(size, seed, repeats):
    """Integer Jordan blocks in an integer basis of determinant 1 are known exactly."""
    generator = np.random.default_rng(seed)
    blocks = np.diag(generator.integers(-3, 4, size).astype(float))
    for row in generator.integers(0, size - 1, repeats):
        blocks[row + 1, row + 1] = blocks[row, row]
        blocks[row, row + 1] = 1.0
    lower = np.eye(size) + np.tril(generator.integers(-2, 3, (size, size)), -1)
    for matrix, is_triangular in ((blocks, True), (lower @ blocks @ inverse(lower), False)):
        if not matrix.any():
            continue
        minimal = np.eye(size)
        for value in np.unique(np.diag(blocks)):
            minimal = minimal @ (blocks - value * np.eye(size))
        truth = not minimal.any()
        found = targets.analyse(matrix)
        assert found.is_diagonalisable in (truth, None)
        assert not is_triangular or found.is_diagonalisable is truth


def inverse(lower):
    """Invert a unit lower triangular integer matrix exactly."""
    return np.round(np.linalg.inv(lower))


def test_typed_rows_are_checked():
    np.testing.assert_array_equal(targets.from_rows([[1, 2], [3, 4]], "m"), [[1, 2], [3, 4]])
    for rows in ([], [[]], [[1, 2], [3]]):
        with pytest.raises(InputError, match=r"^m: "):
            targets.from_rows(rows, "m")
    generator = np.random.default_rng(0)
    for values in ([1.0], [1.0, 0.0, 2.0]):
        with pytest.raises(InputError, match=r"^eigenvalues: "):
            targets.random_target(2, 0, 1, "normal", generator, eigenvalues=values)


def test_lapacks_factor_has_the_determinant_of_its_size_and_haars_has_not():
    plain = [
        np.linalg.det(np.linalg.qr(np.random.default_rng(seed).standard_normal((8, 8)))[0])
        for seed in range(20)
    ]
    np.testing.assert_allclose(plain, -1.0)  # the trap: no random sign at all
    fair = [np.linalg.det(targets.haar(8, np.random.default_rng(seed))) for seed in range(20)]
    assert {round(value) for value in fair} == {-1, 1}


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("depth", [1, 4, 5])
def test_orthogonal_starts_have_the_chosen_determinant(sign, depth):
    for seed in range(6):
        start = targets.orthogonal_start(7, depth, np.random.default_rng(seed), sign)
        np.testing.assert_allclose(
            np.swapaxes(start, 1, 2) @ start, np.tile(np.eye(7), (depth, 1, 1)), atol=1e-13
        )
        product = np.linalg.multi_dot([*start, np.eye(7)])
        assert np.linalg.det(product) == pytest.approx(sign)


def test_commuting_and_balanced_starts_are_that():
    generator = np.random.default_rng(2)
    target = targets.random_target(5, -1, 1, "normal", generator)
    for w in targets.commuting_start(target, 4, 0.5, generator):
        np.testing.assert_allclose(w @ target, target @ w, atol=1e-13 * np.linalg.norm(target))
    w = targets.balanced_start(5, 4, 0.4, generator)
    for i in range(3):
        np.testing.assert_allclose(w[i + 1].T @ w[i + 1], w[i] @ w[i].T, atol=1e-13)


@pytest.mark.parametrize("imbalance", [1.0, 3.0])
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_minimum_starts_multiply_to_the_target(depth, imbalance):
    target = targets.random_target(4, -1, 1, "normal", np.random.default_rng(4))
    w = targets.minimum_start(target, depth, imbalance)
    product = np.eye(4)
    for matrix in w:
        product = matrix @ product
    np.testing.assert_allclose(product, target, atol=1e-12 * np.linalg.norm(target))
    if imbalance == 1.0:
        for i in range(depth - 1):
            np.testing.assert_allclose(w[i + 1].T @ w[i + 1], w[i] @ w[i].T, atol=1e-12)


def test_moments():
    points = np.random.default_rng(0).standard_normal((30, 3))
    moment = targets.moment_from_points(points)
    np.testing.assert_allclose(
        moment, np.cov(points.T, bias=True) + np.outer(*[points.mean(0)] * 2)
    )
    root = targets.square_root(moment)
    np.testing.assert_allclose(root @ root, moment, atol=1e-14)
    made = targets.moment_with_spectrum(
        np.array([1.0, 2.0, 3.0]), targets.haar(3, np.random.default_rng(1))
    )
    np.testing.assert_allclose(np.linalg.eigvalsh(made), [1, 2, 3])
    targets.check_moment(made, 3, "points_file")
    for bad in (made[:2, :2], np.zeros((3, 3)), made * np.inf):
        with pytest.raises(InputError, match=r"^points_file: "), np.errstate(invalid="ignore"):
            targets.check_moment(bad, 3, "points_file")
