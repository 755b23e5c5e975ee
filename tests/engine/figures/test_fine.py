"""Images of which thin lines survive a coarse page."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from engine.core.blocks import largest_in_blocks
from engine.figures.fine import draw_fine
from engine.figures.parts import wrapped


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 60))
def test_every_row_survives_a_reduction(rows: int, most: int, line: int) -> None:
    image = np.zeros((rows, 3))
    image[line % rows] = 1.0
    small = largest_in_blocks(image, most, 2)
    assert small.shape == (min(rows, most), 2)
    assert (small.max(axis=0) == 1.0).all() and (small[:, 0] == 1.0).sum() == 1


def test_a_line_of_one_row_is_drawn_wherever_it_is() -> None:
    for line in range(200, 210):
        page = Figure(figsize=(2.0, 1.0), dpi=100)
        canvas = FigureCanvasAgg(page)
        axes = page.add_axes((0.0, 0.0, 1.0, 1.0), frameon=False)
        axes.set_axis_off()
        rgba = np.zeros((999, 1200, 4), np.uint8)
        rgba[line, :, 3] = 255
        draw_fine(axes, rgba, (0.0, 1.0, 0.0, 1.0), interpolation="none")
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., 0]
        assert (pixels.min(axis=0) == 0).all()


def test_labels_break_between_words_and_keep_formulas_whole() -> None:
    label = "$a + b + c + d$, with a condition that is long: no run leaves\nsource"
    lines = wrapped(label, 20).split("\n")
    assert " ".join(lines) == label.replace("\n", " ")
    assert lines[0] == "$a + b + c + d$, with" or lines[0] == "$a + b + c + d$,"
    assert lines[-1] == "source" and max(map(len, lines)) < 25
