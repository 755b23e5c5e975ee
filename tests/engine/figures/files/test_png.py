"""PNG files hold the pixels and the texts that were written."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from engine.figures.files.png import png

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(4))


@given(arrays.arrays(np.uint8, SHAPES), st.booleans(), st.text(st.characters(codec="utf-8")))
@settings(max_examples=20)
def test_what_is_written_is_read(pixels: np.ndarray, is_opaque: bool, text: str) -> None:
    if is_opaque:
        pixels[..., 3] = 255
    text = text.replace("\0", "")
    content = png(pixels, 200.0, {"Title": "a figure", "Description": text})
    with Image.open(io.BytesIO(content)) as image:
        np.testing.assert_array_equal(np.asarray(image.convert("RGBA")), pixels)
        assert image.info["Title"] == "a figure" and image.info["Description"] == text
        np.testing.assert_allclose(image.info["dpi"], 200.0, atol=0.02)
