"""Normal forms against maps whose coefficients are known by hand."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from engine.analysis.critical import flip_form, fold_form, neimark_sacker_form
from engine.analysis.family import Family
from engine.analysis.multistart import cycles
from engine.core.arrays import FloatArray
from engine.core.system import System


@dataclass(frozen=True, eq=False, kw_only=True)
class Plain(System[FloatArray]):
    """A map of R^n given by two functions."""

    of: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]

    def step(self, z: FloatArray) -> FloatArray:
        return self.of(z)

    def jacobian(self, z: FloatArray) -> FloatArray:
        return self.slope(z)

    def point(self, state: FloatArray) -> FloatArray:
        return state

    def start(self, seed: int) -> FloatArray:
        return np.zeros(self.dimension)


def logistic(a: float) -> Plain:
    return Plain(
        coordinates=("x",),
        varied=(),
        of=lambda z: a * z * (1.0 - z),
        slope=lambda z: np.array([a * (1.0 - 2.0 * z)]),
    )


def test_the_flip_of_the_logistic_map() -> None:
    """At a = 3: B = -6, C = 0, so that c = 3 · 36/2/6 = 9."""
    family = Family.of(logistic, 2.0, 4.0)
    form = flip_form(family, np.array([2.0 / 3.0]), 3.0, 1)
    assert form is not None and form.sign == 1
    assert form.value == pytest.approx(9.0, abs=form.error) and form.error < 1e-6


def test_the_second_flip_of_the_logistic_map_is_soft() -> None:
    a = 1.0 + math.sqrt(6.0)
    family = Family.of(logistic, 2.0, 4.0)
    (cycle,) = cycles(family, a, 2, [np.array([0.85])])
    form = flip_form(family, cycle.x, a, 2)
    assert form is not None and form.sign == 1


def test_a_fold_of_a_parabola() -> None:
    """x² + a folds at a = 1/4, x = 1/2, with b = B/2 = 1."""

    def at(a: float) -> Plain:
        return Plain(
            coordinates=("x",),
            varied=(),
            of=lambda z: z * z + a,
            slope=lambda z: np.array([2.0 * z]),
        )

    form = fold_form(Family.of(at, 0.0, 1.0), np.array([0.5]), 0.25, 1)
    assert form is not None
    assert form.value == pytest.approx(1.0, abs=1e-8)


@pytest.mark.parametrize("d", [-0.3 + 0.5j, 0.2 - 0.1j])
@pytest.mark.parametrize("bent", [0.0, 0.4])
def test_a_neimark_sacker_point_in_normal_form(d: complex, bent: float) -> None:
    """z ↦ e^iθ z (1 + d|z|²), also seen through coordinates that are bent: Re d times 2.

    The unit eigenvector is (1, -i)/√2, by which z is √2 ζ.
    """
    turn = cmath.exp(1.0j)

    def inner(z: FloatArray) -> FloatArray:
        w = complex(z[0], z[1])
        w = turn * w * (1.0 + d * abs(w) ** 2)
        return np.array([w.real, w.imag])

    def there(z: FloatArray) -> FloatArray:
        return np.array([z[0], z[1] - bent * z[0] ** 2])

    def back(z: FloatArray) -> FloatArray:
        return np.array([z[0], z[1] + bent * z[0] ** 2])

    def of(z: FloatArray) -> FloatArray:
        return back(inner(there(z)))

    def slope(z: FloatArray) -> FloatArray:
        """Return the derivative by complex steps of the parts, exact to rounding."""
        y = there(z)
        w, wc = complex(*y), complex(y[0], -y[1])
        first = turn * (1.0 + 2.0 * d * w * wc)  # by w
        second = turn * d * w * w  # by its conjugate
        one, other = first + second, 1.0j * (first - second)
        middle = np.array([[one.real, other.real], [one.imag, other.imag]])
        image = inner(y)
        before = np.array([[1.0, 0.0], [-2.0 * bent * z[0], 1.0]])
        after = np.array([[1.0, 0.0], [2.0 * bent * image[0], 1.0]])
        return np.asarray(after @ middle @ before)

    system = Plain(coordinates=("x", "y"), varied=(), of=of, slope=slope)
    form = neimark_sacker_form(Family.of(lambda a: system, 0.0, 1.0), np.zeros(2), 0.5, 1)
    assert form is not None
    assert form.value == pytest.approx(2.0 * d.real, abs=1e-6)
    assert form.sign == math.copysign(1, d.real)


def test_a_resonant_point_has_no_coefficient() -> None:
    turn = cmath.exp(2.0j * math.pi / 3.0)
    matrix = np.array([[turn.real, -turn.imag], [turn.imag, turn.real]])
    system = Plain(
        coordinates=("x", "y"), varied=(), of=lambda z: matrix @ z, slope=lambda z: matrix
    )
    family = Family.of(lambda a: system, 0.0, 1.0)
    assert neimark_sacker_form(family, np.zeros(2), 0.5, 1) is None


def test_the_sign_of_a_linear_flip_is_not_known() -> None:
    system = Plain(
        coordinates=("x",), varied=(), of=lambda z: -z, slope=lambda z: np.array([[-1.0]])
    )
    form = flip_form(Family.of(lambda a: system, 0.0, 1.0), np.zeros(1), 0.5, 1)
    assert form is not None and form.sign == 0
