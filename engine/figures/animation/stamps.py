"""Words that are drawn again and again: set once, and put down as pixels from then on."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.text import Text
from numpy.typing import NDArray

MOST = 256
"""Pictures of words that are kept; from the next one on they are collected anew."""

_Stamp = tuple[int, int, NDArray[np.uint8]]
"""Left and lower end in pixels, and the pixels from the bottom up, shape (height, width, 4)."""


class Stamps:
    """Draws words, those it has drawn before from what it kept of them.

    All are drawn from pixels, also the first time: so a picture does not depend on those before.

    Parameters
    ----------
    canvas : FigureCanvasAgg
    """

    def __init__(self, canvas: Any) -> None:
        self._canvas = canvas
        self._kept: dict[Any, _Stamp] = {}

    def draw(self, text: Text) -> None:
        """Draw words where they stand."""
        renderer = self._canvas.get_renderer()
        stamp = self._kept.get(_look(text))
        if stamp is None:
            if len(self._kept) >= MOST:
                self._kept.clear()
            stamp = self._kept[_look(text)] = _made(text, renderer)
        x, y, pixels = stamp
        if text.get_visible() and pixels.size:
            renderer.draw_image(renderer.new_gc(), x, y, pixels)


def _look(text: Text) -> Any:
    """Return all that the pixels of words depend on."""
    place = text.get_transform().transform(text.get_unitless_position())
    return (
        text.get_text(),
        tuple(np.asarray(place).round(6)),
        text.get_horizontalalignment(),
        text.get_verticalalignment(),
        text.get_rotation(),
        text.get_color(),
        text.get_alpha(),
        hash(text.get_fontproperties()),
    )


def _made(text: Text, renderer: Any) -> _Stamp:
    """Draw words on nothing, and return what there is of them."""
    renderer.start_filter()
    found: list[NDArray[np.uint8]] = []
    try:
        text.draw(renderer)
        found.append(np.array(renderer.buffer_rgba()))
    finally:
        renderer.stop_filter(_nothing)
    whole = found[0]
    rows = np.flatnonzero(whole[..., 3].any(axis=1))
    columns = np.flatnonzero(whole[..., 3].any(axis=0))
    if not rows.size:
        return 0, 0, np.empty((0, 0, 4), np.uint8)
    left, top, bottom = int(columns[0]), int(rows[0]), int(rows[-1]) + 1
    pixels = whole[top:bottom, left : int(columns[-1]) + 1][::-1]
    return left, whole.shape[0] - bottom, np.ascontiguousarray(pixels)


def _nothing(pixels: NDArray[Any], _dpi: float) -> tuple[NDArray[Any], int, int]:
    """Leave out what was drawn."""
    return np.zeros_like(pixels), 0, 0
