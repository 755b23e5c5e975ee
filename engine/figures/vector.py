"""SVG and PDF from one drawing: what is drawn into the SVG file is noted and drawn again as PDF.

Going through a figure's artists, placing every text anew, takes several times as long as writing
down the lines and letters that come out. Both formats measure in points and place text by the same
outlines, so the two files show the same.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from typing import Any

from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase
from matplotlib.backends import backend_mixed, backend_pdf, backend_svg
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

_mixed: Any = backend_mixed  # they have no types
_pdf: Any = backend_pdf
_svg: Any = backend_svg

POINTS = 72
"""Points of an inch: the resolution of both formats."""
_DRAWING = frozenset(
    f"draw_{what}"
    for what in (
        "path",
        "markers",
        "path_collection",
        "quad_mesh",
        "gouraud_triangles",
        "image",
        "text",
        "tex",
    )
)
"""Methods of a renderer that leave something on the page."""
_TEXT = ("draw_text", "draw_tex")
"""Those whose caller turns y upside down for a renderer that measures it downwards."""


class Recorder:
    """A renderer that notes what is drawn and passes it on to another, which answers all else."""

    def __init__(self, renderer: Any) -> None:
        self._renderer = renderer
        self._noted: list[tuple[str, GraphicsContextBase, list[Any], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._renderer, name)
        if name not in _DRAWING:
            return method

        def draw(gc: GraphicsContextBase, *given: Any, **options: Any) -> Any:
            kept = GraphicsContextBase()
            kept.copy_properties(gc)
            self._noted.append((name, kept, [_kept(value) for value in given], options))
            return method(gc, *given, **options)

        return draw

    def draw_again(self, renderer: Any, height: float) -> None:
        """Draw all that was noted with a renderer that measures y upwards on a page so high."""
        for name, kept, given, options in self._noted:
            gc = renderer.new_gc()
            gc.copy_properties(kept)
            if name in _TEXT:
                given = [given[0], height - given[1], *given[2:]]
            getattr(renderer, name)(gc, *given, **options)
            gc.restore()


def _kept(value: Any) -> Any:
    """Return a value as it is now."""
    return value.frozen() if isinstance(value, Transform) else value


class Ruler(FigureCanvasBase):
    """A canvas that nothing is drawn on: it measures words as SVG files have them."""

    def get_renderer(self) -> Any:
        """Return what measures."""
        width, height = self.figure.get_size_inches()
        return _svg.RendererSVG(width * POINTS, height * POINTS, io.StringIO(), image_dpi=POINTS)


def svg_and_pdf(
    figure: Figure, about_svg: Mapping[str, Any], about_pdf: Mapping[str, Any]
) -> tuple[bytes, bytes]:
    """Return the files of a figure that is laid out, with metadata in the words of each format."""
    figure.dpi = POINTS
    width, height = figure.get_size_inches()
    svg, pdf = io.BytesIO(), io.BytesIO()
    page = (width * POINTS, height * POINTS)
    recorder = Recorder(
        _svg.RendererSVG(
            *page, codecs.getwriter("utf-8")(svg), image_dpi=POINTS, metadata=about_svg
        )
    )
    renderer = _mixed.MixedModeRenderer(figure, width, height, POINTS, recorder)
    figure.draw(renderer)
    renderer.finalize()
    file = _pdf.PdfFile(pdf, metadata=about_pdf)
    try:
        file.newPage(width, height)
        renderer = _pdf.RendererPdf(file, POINTS, height, width)
        recorder.draw_again(renderer, page[1])
        renderer.finalize()
        file.finalize()
        return svg.getvalue(), pdf.getvalue()
    finally:
        file.close()
