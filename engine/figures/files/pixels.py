"""The pixels of a recorded figure, at any resolution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from matplotlib import _image
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.transforms import Affine2D, Bbox, TransformedPath
from numpy.typing import NDArray

from engine.figures.files.record import PIXELS, Call, Recorder
from engine.figures.files.typesetting import SIZE, typeset

_resample: Any = _image  # it has no types
_Agg: Any = RendererAgg

Pixels = NDArray[np.uint8]
"""Pixels, shape (height, width, 4), from the top, red, green, blue and opacity."""


def pixels_of(record: Recorder) -> Pixels:
    """Return the pixels of a record at the resolution of its images."""
    return _drawn(record, record.calls)


def image_of(record: Recorder, calls: Iterable[Call]) -> tuple[Pixels, float, float] | None:
    """Return the image of some calls, rows from the bottom, and its left and lower ends in points.

    None where nothing is drawn.
    """
    pixels, scale = _drawn(record, calls), record.get_image_magnification()
    rows, columns = (np.flatnonzero(pixels[..., 3].any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    image = pixels[top:bottom, left:right][::-1]
    return image, left / scale, (len(pixels) - bottom) / scale


def _drawn(record: Recorder, calls: Iterable[Call]) -> Pixels:
    scale = record.get_image_magnification()
    # A pixel that is there but for a rounding error counts, as in `FigureCanvasBase`.
    size = (int(side * scale + 1e-9) for side in (record.width, record.height))
    renderer = _Agg(*size, record.image_dpi)
    _Painter(renderer, scale).draw(calls)
    return np.asarray(renderer.buffer_rgba(), np.uint8)


class _Painter:
    """Draws calls of a record into pixels, each point so many pixels wide."""

    def __init__(self, renderer: Any, scale: float) -> None:
        self._renderer = renderer
        self._scale = scale
        self._larger = Affine2D().scale(scale).frozen()

    def draw(self, calls: Iterable[Call]) -> None:
        for call in calls:
            if call.name == PIXELS:
                self.draw(call.inside)
            elif call.gc is not None:
                method = getattr(self, f"_{call.name}", None)
                if method is None:
                    method = getattr(self._renderer, call.name)
                method(self._scaled(call.gc), *call.given, **call.options)

    def _scaled(self, kept: Any) -> Any:
        """Return a graphics context whose clipping fits the pixels."""
        gc: Any = GraphicsContextBase()
        gc.copy_properties(kept)
        box, (inner, transform) = kept.get_clip_rectangle(), kept.get_clip_path()
        if box is not None:
            gc.set_clip_rectangle(Bbox(np.asarray(box.get_points()) * self._scale))
        if inner is not None:
            gc.set_clip_path(TransformedPath(inner, transform + self._larger))
        else:
            gc.set_clip_path(None)
        return gc

    def _draw_path(self, gc: Any, path: Any, transform: Any, face: Any = None) -> None:
        self._renderer.draw_path(gc, path, transform + self._larger, face)

    def _draw_markers(
        self, gc: Any, marker: Any, to_size: Any, path: Any, transform: Any, face: Any = None
    ) -> None:
        to_size, transform = to_size + self._larger, transform + self._larger
        self._renderer.draw_markers(gc, marker, to_size, path, transform, face)

    def _draw_path_collection(
        self,
        gc: Any,
        master: Any,
        paths: Any,
        transforms: Any,
        offsets: Any,
        to: Any,
        *rest: Any,
        **options: Any,
    ) -> None:
        master, to = master + self._larger, to + self._larger
        self._renderer.draw_path_collection(
            gc, master, paths, transforms, offsets, to, *rest, **options
        )

    def _draw_quad_mesh(
        self,
        gc: Any,
        master: Any,
        width: int,
        height: int,
        corners: Any,
        offsets: Any,
        to: Any,
        *rest: Any,
    ) -> None:
        master, to = master + self._larger, to + self._larger
        self._renderer.draw_quad_mesh(gc, master, width, height, corners, offsets, to, *rest)

    def _draw_gouraud_triangles(self, gc: Any, triangles: Any, colors: Any, transform: Any) -> None:
        self._renderer.draw_gouraud_triangles(gc, triangles, colors, transform + self._larger)

    def _draw_text(
        self,
        gc: Any,
        x: float,
        y: float,
        text: str,
        prop: Any,
        angle: float,
        ismath: bool = False,
        mtext: Any = None,
    ) -> None:
        """Draw the outlines of a line of text, the bars of formulas at least a pixel wide."""
        line, renderer = typeset(text, prop, ismath, mtext), self._renderer
        size = prop.get_size_in_points() / SIZE * self._scale
        x, y = x * self._scale, y * self._scale
        if line.boxes:
            boxes = [[size * length for length in box] for box in line.boxes]
            renderer._draw_text_glyphs_and_boxes(gc, x, y, angle, (), boxes)
        color = gc.get_rgb()
        gc.set_linewidth(0)
        gc.set_snap(False)
        turned = Affine2D().scale(size).rotate_deg(angle).translate(x, renderer.height - y)
        renderer.draw_path(gc, line.path, turned, color)

    def _draw_image(self, gc: Any, x: float, y: float, image: Any, transform: Any = None) -> None:
        """Draw an image; with the transform of its unit square, each cell as wide as it is."""
        if transform is None:
            self._renderer.draw_image(gc, x * self._scale, y * self._scale, image)
            return
        rows, columns = image.shape[:2]
        place = Affine2D().scale(1 / columns, 1 / rows) + transform
        place += Affine2D().translate(x, y) + self._larger
        ends = np.asarray(place.transform([[0.0, 0.0], [columns, rows]]))
        page = Bbox.from_bounds(0, 0, self._renderer.width, self._renderer.height)
        seen = Bbox.intersection(Bbox([ends.min(axis=0), ends.max(axis=0)]), page)
        if seen is not None and gc.get_clip_rectangle() is not None:
            seen = Bbox.intersection(seen, gc.get_clip_rectangle())
        if seen is None:
            return
        left, low = np.floor(np.asarray(seen.min) + 0.5)
        right, high = np.floor(np.asarray(seen.max) + 0.5)
        if right > left and high > low:
            out = np.zeros((int(high - low), int(right - left), 4), np.uint8)
            # Where a pixel is halfway between two cells, the one at its left and below is taken.
            flipped = Affine2D().translate(-columns, -rows).scale(-1, -1) + place
            _resample.resample(
                np.ascontiguousarray(image[::-1, ::-1]),
                out,
                flipped + Affine2D().translate(-left, -low),
                _resample.NEAREST,
                False,
                1.0 if gc.get_alpha() is None else gc.get_alpha(),
            )
            self._renderer.draw_image(gc, left, low, out)
