"""What kernels and their helpers promise to each other and to Python."""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.core.caching import NullCache
from numba.core.errors import NumbaError

from engine.core.compiled import Compiling, NotCompiled, compile_kernels
from engine.kernels import cache, jit
from engine.kernels.jit import helper, inner, kernel, plain_kernel


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
    compiled = kernel(three_powers.py_func)
    compiled._cache = NullCache()  # code from the cache of an earlier run would need no helper
    assert compiled(2.0, 5) == (4.0, 0.125, 0.03125)
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


@helper
def root_of_sum(values, n):
    total = 0.0
    for i in range(n):
        total += values[i] * values[i]
    return math.sqrt(total)


def scale(values, out):
    """Divide by the norm, which may be 0."""
    length = root_of_sum(values, values.size)
    for i in range(values.size):
        out[i] = values[i] / length


NUMBERS = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=6).map(np.array)


@pytest.fixture(scope="module")
def both_ways():
    """The same kernel interpreted and compiled."""
    plain, compiled = plain_kernel(scale), kernel(scale)

    def results(values):
        one, other = np.empty(values.size), np.empty(values.size)
        plain._left = jit.INTERPRETED_SECONDS
        plain._interpret(values, one)
        compiled(values, other)
        return one, other

    return results


@given(values=NUMBERS)
def test_an_interpreted_kernel_has_the_bits_of_the_compiled_one(both_ways, values):
    one, other = both_ways(values)
    assert one.tobytes() == other.tobytes()


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """A plain kernel and one that is not, with an empty cache."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    for cached in (cache.user_folder, cache._stamps):
        cached.cache_clear()
    yield plain_kernel(scale), kernel(scale)
    for cached in (cache.user_folder, cache._stamps):
        cached.cache_clear()


def test_a_plain_kernel_is_interpreted_for_a_moment_and_then_compiled(fresh):
    plain, _ = fresh
    out = np.empty(2)
    plain(np.array([3.0, 4.0]), out)
    assert (list(out), len(plain.overloads)) == ([0.6, 0.8], 0)
    plain._left = 0.0
    plain(np.array([3.0, 4.0]), out)
    assert (list(out), len(plain.overloads)) == ([0.6, 0.8], 1)


def test_nothing_is_compiled_where_that_is_left_to_another_process(fresh):
    plain, compiled = fresh
    values, out = np.array([3.0, 4.0]), np.empty(2)
    with compile_kernels(Compiling.NEVER):
        plain(values, out)
        with pytest.raises(NotCompiled, match="scale"):
            compiled(values, out)
    with compile_kernels(Compiling.ALWAYS):
        plain(values, out)
    assert len(plain.overloads) == 1
    with compile_kernels(Compiling.NEVER):
        compiled(values, out)  # from the file that the other one left
    assert len(compiled.overloads) == 1


def test_what_python_refuses_to_divide_is_compiled(fresh):
    plain, _ = fresh
    out = np.empty(1)
    plain(np.array([0.0]), out)  # 0 / 0, of which one is a float of Python
    assert np.isnan(out).all()


def test_a_kernel_that_calls_a_kernel_contains_it(fresh):
    inside = kernel(scale)

    @kernel
    def outside(values, out):
        inside(values, out)

    out = np.empty(2)
    outside(np.array([3.0, 4.0]), out)
    assert list(out) == [0.6, 0.8]
    assert not inside.overloads
