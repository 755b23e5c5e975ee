"""Arrays of intervals hold what exact fractions give, and definiteness is never claimed wrongly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.regions.definite import (
    contracts,
    expands,
    growth_matrix,
    half_widths,
    is_positive_definite,
    lyapunov_matrix,
)
from engine.analysis.regions.interval import Interval, dot, product

FINITE = st.floats(-1e100, 1e100)
OPERATIONS: dict[str, Callable[[Interval, Interval], Interval]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "square": lambda a, b: a.squared(),
    "inverse": lambda a, b: a.inverse(),
}
EXACT: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "square": lambda a, b: a * a,
    "inverse": lambda a, b: 1 / a,
}


def between(a: float, b: float) -> Interval:
    return Interval(np.array([min(a, b)]), np.array([max(a, b)]))


@pytest.mark.parametrize("name", OPERATIONS)
@given(ends=st.tuples(FINITE, FINITE, FINITE, FINITE))
@settings(max_examples=200, deadline=None)
def test_an_operation_holds_the_exact_results_of_its_ends(
    name: str, ends: tuple[float, float, float, float]
) -> None:
    a, b = between(*ends[:2]), between(*ends[2:])
    made = OPERATIONS[name](a, b)
    if name == "inverse" and a.lo[0] <= 0.0 <= a.hi[0]:
        assert made.lo[0] == -np.inf
        assert made.hi[0] == np.inf
        return
    for x in ends[:2]:
        for y in ends[2:]:
            exact = EXACT[name](Fraction(x), Fraction(y))
            assert made.lo[0] == -np.inf or Fraction(float(made.lo[0])) <= exact
            assert made.hi[0] == np.inf or exact <= Fraction(float(made.hi[0]))


def test_what_is_no_number_becomes_the_whole_line() -> None:
    wide = Interval(np.array([-np.inf]), np.array([np.inf]))
    for made in (wide + wide, wide - wide, wide * 0.0, wide * wide, wide.squared()):
        assert made.lo[0] <= 0.0
        assert made.hi[0] == np.inf or made.hi[0] == 0.0
        assert not np.isnan(made.lo).any()
    assert np.isneginf((wide * 0.0).lo[0])


def test_products_hold_exact_ones() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    made = product(a, b)
    for i in range(3):
        for j in range(2):
            exact = sum(Fraction(a[i, k]) * Fraction(b[k, j]) for k in range(4))
            assert Fraction(made.lo[i, j]) <= exact <= Fraction(made.hi[i, j])
    assert dot(a[0], b[:, 0]).lo <= a[0] @ b[:, 0] <= dot(a[0], b[:, 0]).hi


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), shift=st.floats(-2.0, 2.0))
@settings(max_examples=100, deadline=None)
def test_definite_matrices_are_told_from_others(seed: int, n: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n))
    matrix = a @ a.T - shift * np.eye(n)
    matrix = 0.5 * (matrix + matrix.T)
    least = float(np.linalg.eigvalsh(matrix)[0])
    proved = bool(is_positive_definite(matrix))
    if least < -1e-9:
        assert not proved
    if least > 1e-6:
        assert proved
    wide = Interval.around(matrix, 0.5)
    if bool(is_positive_definite(wide)):
        assert least > 0.0


@given(seed=st.integers(0, 10_000), n=st.integers(1, 5), size=st.floats(0.2, 3.0))
@settings(max_examples=100, deadline=None)
def test_contraction_and_expansion_are_proved_of_the_right_matrices(
    seed: int, n: int, size: float
) -> None:
    matrix = np.random.default_rng(seed).normal(size=(n, n)) * size / np.sqrt(n)
    radius = float(np.abs(np.linalg.eigvals(matrix)).max())
    weight, growth = lyapunov_matrix(matrix), growth_matrix(matrix)
    is_stable = weight is not None and bool(contracts(Interval.point(matrix), weight))
    repels = growth is not None and expands(Interval.point(matrix), growth)
    assert not (is_stable and radius >= 1.0)
    assert not (repels and radius <= 1.0)
    assert is_stable == (radius < 1.0) or abs(radius - 1.0) < 1e-3


def test_a_form_that_is_not_definite_proves_no_contraction() -> None:
    """Stein's equation has a solution for an unstable matrix, too, but no definite one."""
    matrix = np.array([[2.0]])
    weight = lyapunov_matrix(matrix)
    assert weight is not None
    assert not contracts(Interval.point(matrix), weight)


def test_half_widths_of_an_ellipse() -> None:
    weight = np.array([[2.0, 1.0], [1.0, 3.0]])
    widths = half_widths(weight)
    assert widths is not None
    assert widths == pytest.approx(np.sqrt(np.diag(np.linalg.inv(weight))), rel=1e-5)
    assert half_widths(np.diag([1.0, -1.0])) is None
