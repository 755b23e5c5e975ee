"""The ellipse of bounded starts of two weights, against steps made here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.theory import bounded_ellipse, bounded_level


def _step(w: np.ndarray, delta: float, target: float, power: float) -> np.ndarray:
    error = power * (w[..., 0] * w[..., 1] - target)
    return w - delta * error[..., None] * w[..., ::-1]


@given(
    st.floats(0.01, 3.0),
    st.floats(-1.99, 1.99).filter(lambda gain: abs(gain) > 0.01),
    st.floats(0.1, 4.0),
    st.integers(0, 2**32 - 1),
)
def test_no_step_crosses_the_ellipse(delta: float, gain: float, power: float, seed: int) -> None:
    target = gain / (delta * power)
    reach = 2.5 / math.sqrt(delta * power)
    w = np.random.default_rng(seed).uniform(-reach, reach, (400, 2))
    before = bounded_level(w, delta, target, power)
    after = bounded_level(_step(w, delta, target, power), delta, target, power)
    clear = np.abs(before - 1.0) > 1e-9
    assert ((before < 1.0) == (after < 1.0))[clear].all()


@given(st.floats(0.05, 2.0), st.floats(-0.99, 0.99).filter(lambda part: abs(part) > 0.01))
def test_the_ellipse_is_mapped_to_itself_three_times_round(delta: float, part: float) -> None:
    target = 2.0 * part / delta
    border = bounded_ellipse(delta, target, points=73)
    assert bounded_level(border, delta, target) == pytest.approx(1.0, abs=1e-12)
    image = _step(border, delta, target, 1.0)
    assert bounded_level(image, delta, target) == pytest.approx(1.0, abs=1e-9)
    turned = border[(36 - 3 * np.arange(73)) % 72]  # the angle a goes to π - 3 a
    assert image == pytest.approx(turned, abs=1e-9 * float(np.abs(border).max()))


def test_its_share_of_a_square_is_that_of_the_starts_that_stay() -> None:
    """2π √(4/δ² - λ²)/64 of [-4, 4]² at δ = 0.9, λ = 1; agreement outside a band of 1e-3."""
    delta, target, n = 0.9, 1.0, 400
    side = (2.0 * np.arange(n) + 1.0 - n) * 4.0 / n
    w = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    level = bounded_level(w, delta, target)
    share = 2.0 * math.pi * math.sqrt(4.0 / delta**2 - target**2) / 64.0
    assert float((level < 1.0).mean()) == pytest.approx(share, abs=2e-3)
    here = np.arange(n * n)
    for _ in range(1000):
        w = _step(w, delta, target, 1.0)
        bounded = np.abs(w).max(axis=-1) < 1e3
        w, here = w[bounded], here[bounded]
    stays = np.zeros(n * n, bool)
    stays[here] = True
    clear = np.abs(level - 1.0) > 1e-3
    assert float((stays == (level < 1.0))[clear].mean()) >= 0.9999


@pytest.mark.parametrize("gain", [0.0, 2.0, -2.5])
def test_it_is_refused_where_there_is_no_ellipse(gain: float) -> None:
    with pytest.raises(InputError):
        bounded_level(np.ones(2), 1.0, gain)
