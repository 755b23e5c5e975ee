"""Dimensions of borders of basins and shares of areas, against what is known of them.

The basins with L2 regularisation give 1.259 ± 0.029 at 4096² (`tests/benchmarks/dimension.py`).
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.maps.borders import (
    Fit,
    border,
    box_dimension,
    shares,
    uncertainty,
)

DIVERGED = 9


def landing(
    w: FloatArray, delta: float, target: float, decay: float, steps: int
) -> NDArray[np.int64]:
    """Return the classes of starts, shape (m, 2): signs of where they end, or `DIVERGED`."""
    codes = np.zeros(len(w), np.int64)
    alive = np.arange(len(w))
    for _ in range(steps):
        product = w[:, ::-1]
        w = w - delta * ((w[:, :1] * w[:, 1:] - target) * product + decay * w)
        gone = ~(np.abs(w).max(axis=1) < 1e3)
        if gone.any():
            codes[alive[gone]] = DIVERGED
            alive, w = alive[~gone], w[~gone]
    codes[alive] = np.sign(w[:, 0]) * (w[:, 0] * w[:, 1] > 0.0)
    return codes


def square(count: int, reach: float = 4.0) -> FloatArray:
    """Return the middles of count x count cells of a square, shape (count², 2)."""
    values = reach * ((2.0 * np.arange(count) + 1.0) / count - 1.0)
    x, y = np.meshgrid(values, values)
    return np.stack([x.ravel(), y.ravel()], axis=1)


@cache
def regularised(count: int = 512) -> NDArray[np.int64]:
    """Return ½(w₁w₂ - 0.5)² + 0.1 |w|² at δ = 1: two minima, diverged."""
    return landing(square(count), 1.0, 0.5, 0.2, 150).reshape(count, count)


@cache
def plain(count: int = 768) -> NDArray[np.int64]:
    """Return what stays bounded of ½(w₁w₂ - 1)² at δ = 0.9."""
    codes = landing(square(count), 0.9, 1.0, 0.0, 100).reshape(count, count)
    return (codes == DIVERGED).astype(np.int64)


def test_the_border_with_regularisation_is_fractal() -> None:
    fit = box_dimension(regularised())
    assert fit.value == pytest.approx(1.25, abs=0.03)
    assert fit.error < 0.03 and fit.residual < 0.05
    assert fit.range[0] == 4 and len(fit.scales) == len(fit.counts) >= 4
    alpha = uncertainty(regularised())
    assert 2.0 - alpha.value == pytest.approx(1.25, abs=0.08)


def test_the_border_of_plain_descent_is_a_curve() -> None:
    fit = box_dimension(plain())
    assert fit.value == pytest.approx(1.0, abs=0.04)
    assert abs(fit.value - 1.0) <= 2.0 * fit.error


def test_the_share_of_what_stays_bounded_is_that_of_the_ellipse() -> None:
    expected = 2.0 * math.pi * math.sqrt(4.0 / 0.81 - 1.0) / 64.0
    bounded, diverged = shares(plain())
    assert (bounded.code, diverged.code) == (0, 1)
    assert bounded.value == pytest.approx(expected, abs=4.0 * bounded.error)
    assert bounded.error < 2e-4
    assert bounded.value + diverged.value == pytest.approx(1.0)

    starts = np.random.default_rng(0).uniform(-4.0, 4.0, (20_000, 2))
    sampled = float(np.mean(landing(starts, 0.9, 1.0, 0.0, 100) != DIVERGED))
    error = math.sqrt(expected * (1.0 - expected) / len(starts))
    assert sampled == pytest.approx(expected, abs=4.0 * error)


def test_four_weights_have_a_fractal_border_of_divergence() -> None:
    """In the plane w₁ = w₂ = x, w₃ = w₄ = y of ½(w₁w₂w₃w₄ - 1)² at δ = 0.5 = δ_max."""
    count = 512
    w, alive = square(count, 2.5), np.arange(count * count)
    gone = np.zeros(len(w), bool)
    for _ in range(100):
        product = w[:, :1] * w[:, 1:]
        w = w - 0.5 * (product**2 - 1.0) * product * w[:, ::-1]
        far = ~(np.abs(w).max(axis=1) < 1e3)
        gone[alive[far]] = True
        alive, w = alive[~far], w[~far]
    fit = box_dimension(gone.reshape(count, count))
    assert fit.value == pytest.approx(1.39, abs=0.05)
    assert fit.value - 3.0 * fit.error > 1.2


def test_the_uncertainty_exponent_of_random_starts() -> None:
    def classify(x: FloatArray, y: FloatArray) -> NDArray[np.int64]:
        return landing(np.stack([x, y], axis=1), 1.0, 0.5, 0.2, 120)

    rng, distances = np.random.default_rng(0), 8.0 * 2.0 ** -np.arange(12.0, 4.0, -1.0)
    parts = []
    for distance in distances.tolist():
        x, y = rng.uniform(-4.0, 4.0, (2, 8000))
        here = classify(x, y)
        apart = (classify(x + distance, y) != here) | (classify(x - distance, y) != here)
        parts.append(apart.mean())
    fit = Fit.of(distances, np.array(parts))
    assert 2.0 - fit.value == pytest.approx(1.25, abs=0.1)


@settings(max_examples=12)
@given(st.integers(0, 3), st.integers(4, 9))
def test_a_line_has_dimension_1_however_it_runs(turn: int, slope: int) -> None:
    x, y = square(512).T
    image = np.rot90((x > slope / 10.0 * y + 0.1).reshape(512, 512), turn)
    fit = box_dimension(image)
    assert fit.value == pytest.approx(1.0, abs=0.1)


def kept(level: int) -> NDArray[np.int64]:
    """Return which of 3^level cells of a line are kept by the middle-thirds Cantor set."""
    held = np.ones(1, np.int64)
    for _ in range(level):
        held = np.concatenate([held, np.zeros_like(held), held])
    return held


def snowflake(side: int, level: int) -> NDArray[np.int64]:
    """Return which cells lie within the snowflake of Koch, by the edges that each row crosses."""
    corners = 0.45 * side * np.exp(-2j * math.pi / 3.0 * np.arange(4)) + 0.5 * side * (1.0 + 1.0j)
    for _ in range(level):
        begin, third = corners[:-1], np.diff(corners) / 3.0
        tip = begin + third * (1.0 + np.exp(1j * math.pi / 3.0))
        some = np.stack([begin, begin + third, tip, begin + 2.0 * third], axis=1)
        corners = np.append(some.ravel(), corners[0])
    crossed = np.zeros((side, side), np.int64)
    for one, other in pairwise(corners.tolist()):
        low, high = sorted((one, other), key=lambda z: z.imag)
        for row in range(math.ceil(low.imag - 0.5), math.ceil(high.imag - 0.5)):
            share = (row + 0.5 - low.imag) / (high.imag - low.imag)
            crossed[row, math.ceil(low.real + share * (high.real - low.real) - 0.5)] += 1
    return np.cumsum(crossed, axis=1) % 2


def test_known_dimensions_are_met_within_their_errors() -> None:
    """Of lines over a Cantor set, 1 + ln 2/ln 3, and of the snowflake of Koch, ln 4/ln 3."""
    lines = box_dimension(np.tile(kept(6), (729, 1)))
    assert abs(lines.value - (1.0 + math.log(2.0) / math.log(3.0))) <= 2.5 * lines.error < 0.1
    image = snowflake(729, 6)
    assert np.mean(image) == pytest.approx(0.45**2 * 1.2 * math.sqrt(3.0), rel=0.01)
    curve = box_dimension(image)
    assert abs(curve.value - math.log(4.0) / math.log(3.0)) <= 2.0 * curve.error < 0.1


def test_noise_fills_the_plane() -> None:
    noise = np.random.default_rng(0).integers(0, 2, (256, 256))
    assert box_dimension(noise).value == pytest.approx(2.0, abs=0.05)
    assert uncertainty(noise).value == pytest.approx(0.0, abs=0.05)


def test_chosen_classes_count_as_one() -> None:
    image = np.repeat([[0, 0, 1, 1, 2, 2]], 6, axis=0)
    assert np.count_nonzero(border(image).any(axis=0)) == 2
    assert np.count_nonzero(border(image, [0, 1]).any(axis=0)) == 1


@pytest.mark.parametrize(
    "image",
    [np.zeros((256, 256), int), np.zeros((8, 8), int), np.zeros(64, int), np.zeros((64, 64))],
)
def test_images_without_a_border_or_classes_are_refused(image: Any) -> None:
    for measure in (box_dimension, uncertainty):
        with pytest.raises(InputError):
            measure(image)
