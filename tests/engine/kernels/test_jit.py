"""What kernels and their helpers promise to each other and to Python."""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np
import pytest
from numba.core.errors import NumbaError

from engine.kernels.jit import helper, inner, kernel


@helper
def power(x, exponent, inverted):
    made = 1.0
    for _ in range(exponent):
        made *= x
    return 1.0 / made if inverted else made


@kernel
def three_powers(x, exponent):
    return power(x, 2, False), power(x, 3, True), power(x, exponent, exponent > 4)


def test_constants_are_arguments_like_any_other():
    assert three_powers(2.0, 5) == (4.0, 0.125, 0.03125)
    assert len(power.overloads) == 1


def test_a_helper_cannot_be_called_from_python():
    three_powers(2.0, 5)
    with pytest.raises(TypeError, match="power"):
        power(2.0, 5, True)


def test_division_by_zero_gives_infinity():
    assert three_powers(0.0, 5)[2] == float("inf")


class Pair(NamedTuple):
    first: np.ndarray
    second: np.ndarray


@inner
def overlap(pair):
    first, rest = pair.first, pair.second[1:]
    total = 0.0
    for i in range(rest.size):
        total += first[i] * rest[i]
    return total


@kernel
def sum_of_overlaps(first, second, rounds):
    pair = Pair(first.copy(), second)
    total = 0.0
    for _ in range(rounds):
        total += overlap(pair)
    return total


@inner
def made_inside(n):
    return np.zeros(n).size


@kernel
def makes_an_array(n):
    return made_inside(n)


def test_an_inner_function_takes_records_and_leaves_counts_of_references_alone():
    second = np.array([5.0, 1.0, 2.0])
    held = sys.getrefcount(second)
    assert sum_of_overlaps(np.array([1.0, 10.0, 0.0]), second, 100) == 2100.0
    assert sys.getrefcount(second) == held
    np.testing.assert_array_equal(second, [5.0, 1.0, 2.0])


def test_an_inner_function_that_makes_an_array_does_not_compile():
    with pytest.raises(NumbaError):
        makes_an_array(3)
