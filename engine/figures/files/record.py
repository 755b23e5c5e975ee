"""A figure drawn once, into a record from which all formats are written.

Going through a figure's artists, placing every text anew, takes several times as long as writing
down the lines and letters that come out. A record is measured in points, upwards, text alone from
the top; its images have as many pixels as they shall have in every format. Words are measured by
their outlines, as in SVG files.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any

from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase, RendererBase
from matplotlib.figure import Figure
from matplotlib.transforms import Transform

POINTS = 72
"""Points of an inch."""

_Base: Any = RendererBase  # it has no types


@dataclass(frozen=True, slots=True)
class Call:
    """A method of a renderer, as it was called; `inside` are those that pixels are made of."""

    name: str
    gc: GraphicsContextBase | None
    given: tuple[Any, ...]
    options: dict[str, Any]
    inside: tuple[Call, ...] = ()


PIXELS = "pixels"
"""Name of a call that stands for others, which formats without pixels keep as an image."""


class Recorder(_Base):  # type: ignore[misc]  # matplotlib has no types
    """A renderer that notes what is drawn.

    Parameters
    ----------
    width, height : float
        Of the page, in points.
    dpi : float, optional
        Pixels per inch of images.
    """

    def __init__(self, width: float, height: float, dpi: float = POINTS) -> None:
        super().__init__()
        self.width, self.height, self.image_dpi = width, height, dpi
        self.calls: list[Call] = []
        self._outside: list[Call] | None = None

    def _note(self, name: str, gc: Any, given: tuple[Any, ...], options: dict[str, Any]) -> None:
        kept = GraphicsContextBase()
        kept.copy_properties(gc)
        self.calls.append(Call(name, kept, tuple(_kept(value) for value in given), options))

    def draw_path(self, gc: Any, *given: Any, **options: Any) -> None:
        """Note a line or an area."""
        self._note("draw_path", gc, given, options)

    def draw_markers(self, gc: Any, *given: Any, **options: Any) -> None:
        """Note one mark at many places."""
        self._note("draw_markers", gc, given, options)

    def draw_path_collection(self, gc: Any, *given: Any, **options: Any) -> None:
        """Note many lines or areas."""
        self._note("draw_path_collection", gc, given, options)

    def draw_quad_mesh(self, gc: Any, *given: Any, **options: Any) -> None:
        """Note a mesh of coloured cells."""
        self._note("draw_quad_mesh", gc, given, options)

    def draw_gouraud_triangles(self, gc: Any, *given: Any, **options: Any) -> None:
        """Note triangles of blended colours."""
        self._note("draw_gouraud_triangles", gc, given, options)

    def draw_image(self, gc: Any, *given: Any, **options: Any) -> None:
        """Note an image."""
        self._note("draw_image", gc, given, options)

    def draw_text(self, gc: Any, *given: Any, mtext: Any = None, **options: Any) -> None:
        """Note a line of text."""
        self._note("draw_text", gc, given, {**options, "mtext": copy(mtext)})

    def open_group(self, *given: Any, **options: Any) -> None:
        """Note where the parts of an artist begin."""
        self.calls.append(Call("open_group", None, given, options))

    def close_group(self, *given: Any, **options: Any) -> None:
        """Note where they end."""
        self.calls.append(Call("close_group", None, given, options))

    def start_rasterizing(self) -> None:
        """Note that what follows is to be pixels in every format."""
        self._outside, self.calls = self.calls, []

    def stop_rasterizing(self) -> None:
        """Note that no more is to be pixels."""
        if self._outside is not None:
            inside, self.calls, self._outside = tuple(self.calls), self._outside, None
            self.calls.append(Call(PIXELS, None, (), {}, inside))

    def option_image_nocomposite(self) -> bool:
        """Return False: images that lie on one another become one."""
        return False

    def get_image_magnification(self) -> float:
        """Return the pixels of an image per point."""
        return self.image_dpi / POINTS

    def option_scale_image(self) -> bool:
        """Return True: an image that is not to be fitted to pixels is noted as it is."""
        return True

    def flipy(self) -> bool:
        """Return True: text is placed from the top."""
        return True

    def get_canvas_width_height(self) -> tuple[float, float]:
        """Return the size of the page in points."""
        return self.width, self.height

    def get_text_width_height_descent(
        self, s: str, prop: Any, ismath: Any
    ) -> tuple[float, float, float]:
        """Return the size of a line of text and how far it reaches below its baseline."""
        size: tuple[float, float, float] = self._text2path.get_text_width_height_descent(
            s, prop, ismath
        )
        return size


def _kept(value: Any) -> Any:
    """Return a value as it is now."""
    return value.frozen() if isinstance(value, Transform) else value


class Ruler(FigureCanvasBase):
    """A canvas that nothing is drawn on: it measures words as a record has them."""

    def get_renderer(self) -> Any:
        """Return what measures."""
        width, height = self.figure.get_size_inches()
        return Recorder(width * POINTS, height * POINTS)


def recorded(figure: Figure, dpi: float) -> Recorder:
    """Draw a figure that is laid out, and return what was drawn, images with so many pixels."""
    figure.dpi = POINTS
    width, height = figure.get_size_inches()
    recorder = Recorder(width * POINTS, height * POINTS, dpi)
    figure.draw(recorder)
    return recorder
