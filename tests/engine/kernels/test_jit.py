"""What kernels and their helpers promise to each other and to Python."""

from __future__ import annotations

import pytest

from engine.kernels.jit import helper, kernel


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
