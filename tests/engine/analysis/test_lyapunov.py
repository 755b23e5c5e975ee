"""The Lyapunov spectrum against closed forms and the reference's exponents of chaos."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.analysis.lyapunov import lyapunov_spectrum, transverse_exponents
from engine.experiments.scalar_product.params import ScalarParams
from engine.experiments.scalar_product.system import system_of
from tests.ninth.experiment import DampedRotation, RotationParams

CHAOS = [(0.66, 0.1849), (0.7, 0.3427), (0.75, 0.4910), (1.0, math.log(3.0))]


def chaotic(step_size: float) -> Any:
    return system_of(ScalarParams(depth=2, target=2.0, step_size=step_size))


def test_a_damped_rotation_shrinks_all_directions_alike() -> None:
    system = DampedRotation().system(RotationParams(damping=0.9, angle=0.4))
    found = lyapunov_spectrum(system, np.array([1.0, 0.0]), 64)
    assert found is not None
    assert [exponent.value for exponent in found] == pytest.approx([math.log(0.9)] * 2)
    assert all(exponent.error == pytest.approx(0.0, abs=1e-12) for exponent in found)


def test_at_a_minimum_the_exponents_are_the_logarithms_of_proposition_1() -> None:
    weights = np.array([2.0, 1.0, 0.5])
    system = system_of(ScalarParams(depth=3, target=1.0, step_size=0.3))
    assert system is not None
    found = lyapunov_spectrum(system, weights, 64, transient=64)
    assert found is not None
    factor = abs(1.0 - 0.3 * (0.25 + 1.0 + 4.0))
    expected = sorted([0.0, 0.0, math.log(factor)], reverse=True)
    assert [exponent.value for exponent in found] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("step_size", "expected"), CHAOS)
def test_exponents_of_chaos_are_those_of_the_reference(step_size: float, expected: float) -> None:
    """On equal weights L = 2, target 2; at step size 1 conjugate to a Chebyshev polynomial."""
    system = chaotic(step_size)
    equal = system.invariant_sets[0]
    (found,) = lyapunov_spectrum(system, np.full(2, 0.7), 2048, transient=200, within=equal)
    assert found.error is not None and found.error < 0.015
    assert abs(found.value - expected) < 4.0 * found.error
    assert found.of == "with all weights equal"


def test_the_exponents_add_up_to_the_growth_of_volume() -> None:
    """Also their order and that the whole space holds the exponent within the set."""
    system, z = chaotic(0.75), np.full(2, 0.7)
    equal = system.invariant_sets[0]
    found = lyapunov_spectrum(system, z, 256)
    (within,) = lyapunov_spectrum(system, z, 256, within=equal)
    values = [exponent.value for exponent in found]
    assert values == sorted(values, reverse=True)
    volumes = []
    for _ in range(256):
        volumes.append(math.log(abs(np.linalg.det(system.jacobian(z)))))
        z = system.step(z)
    assert sum(values) == pytest.approx(float(np.mean(volumes)), abs=1e-10)
    assert within.value == pytest.approx(values[0], abs=0.01)


def test_an_orbit_that_diverges_has_no_spectrum() -> None:
    assert lyapunov_spectrum(chaotic(1.2), np.full(2, 3.0), 256) is None


def test_the_transverse_exponent_of_a_cycle_is_that_of_its_multiplier() -> None:
    """On the 2-cycle a lap multiplies w₁ - w₂ by (1 + a₁)(1 + a₂), a = δ e."""
    step_size = 0.55
    system = chaotic(step_size)
    found = transverse_exponents(system, np.ones(2), 400, system.invariant_sets[0], transient=400)
    assert found is not None
    (exponent,) = found
    lap = [1.0 + step_size * (w * w - 2.0) for w in (1.15194996, 1.57835139)]
    assert exponent.value == pytest.approx(0.5 * math.log(abs(lap[0] * lap[1])), abs=1e-6)
    assert exponent.of == "out of the points with all weights equal"


def test_transverse_and_tangent_exponents_make_up_the_spectrum() -> None:
    system = chaotic(0.75)
    line, begin = system.invariant_sets[0], np.array([1.1, 1.1])
    whole = lyapunov_spectrum(system, begin, 2000, transient=200)
    along = lyapunov_spectrum(system, begin, 2000, transient=200, within=line)
    across = transverse_exponents(system, begin, 2000, line, transient=200)
    assert whole is not None and along is not None and across is not None
    parts = sorted([along[0].value, across[0].value], reverse=True)
    errors = [each.error for each in (*whole, *along, *across)]
    assert all(error is not None and error > 0.0 for error in errors)
    margin = 3.0 * sum(error for error in errors if error is not None)  # the orbits part
    assert [each.value for each in whole] == pytest.approx(parts, abs=margin)
    assert margin < 0.3


def test_a_diverging_orbit_has_no_transverse_exponent() -> None:
    system = chaotic(1.2)
    assert transverse_exponents(system, np.full(2, 3.0), 100, system.invariant_sets[0]) is None
