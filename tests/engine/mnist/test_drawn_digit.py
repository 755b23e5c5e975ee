"""A drawing brought to the form of MNIST's images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from engine.experiments.mnist.drawn_digit import BOX, SIDE, as_digit


def test_empty_canvas_is_an_empty_image() -> None:
    assert not as_digit(np.zeros((280, 280))).any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 180), st.integers(0, 180), st.integers(5, 99), st.integers(5, 99))
def test_a_drawing_is_centred_and_scaled_wherever_it_stands(
    top: int, left: int, height: int, width: int
) -> None:
    canvas = np.zeros((280, 280))
    canvas[top : top + height, left : left + width] = 1.0
    image = as_digit(canvas)
    assert image.shape == (SIDE, SIDE)
    assert image.dtype == np.float32
    assert 0 <= image.min() and image.max() == pytest.approx(1.0)
    np.testing.assert_allclose(ndimage.center_of_mass(image), 13.5, atol=0.6)
    rows, columns = np.nonzero(image > 0.3)
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    assert abs(longest - BOX) <= 2


def test_the_same_shape_gives_the_same_image_at_another_place() -> None:
    canvas = np.zeros((280, 280))
    canvas[40:140, 50:70] = 1.0
    moved = np.roll(canvas, (60, 80), axis=(0, 1))
    np.testing.assert_array_equal(as_digit(canvas), as_digit(moved))
