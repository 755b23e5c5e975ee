"""A page whose plots are drawn again and again: all that stays the same is drawn once.

Titles, axes, ticks and legends are kept as pixels; a picture puts them back and draws the data over
them, which takes a tenth of the time of a whole figure. A picture depends on its data alone, not on
those drawn before it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.spines import Spine
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator
from numpy.typing import NDArray
from PIL import Image

from engine.core.views import BarView, Heat, ImageView, PlaneView, Points, TimeView, View
from engine.figures.animation.stamps import Stamps
from engine.figures.data import FigureData, level_ends
from engine.figures.paper import draw_content
from engine.figures.parts import Entry, add_legend
from engine.figures.steady import Ends, Range, Steady
from engine.figures.style import paper
from engine.storage.view_data import view_keys

Pixels = NDArray[np.uint8]
"""A picture, shape (height, width, 3), red, green and blue."""

PLOT = (4.0, 2.6)
"""Inches of a plot with its legend at which its type has the usual size."""
LEAST_HEIGHT = 4.2
"""Inches of a page at least, so that the type of a single plot is not too large."""
HEAD = 0.5
"""Inches of the line above the plots."""
RIGHT, GAP = 0.988, 0.05
"""Where that line ends, as a share of the width, and inches between a name and its value."""


class Stage:
    """Draws the pictures of one animation.

    Parameters
    ----------
    views : sequence of View
    size : (int, int)
        Width and height in pixels.
    """

    def __init__(self, views: Sequence[View], size: tuple[int, int]) -> None:
        columns, rows, dpi = _arranged(len(views), size)
        with paper():
            inches = ((size[0] + 0.01) / dpi, (size[1] + 0.01) / dpi)  # never a pixel too few
            self._figure = Figure(figsize=inches, dpi=dpi, layout="constrained")
            self._canvas: Any = FigureCanvasAgg(self._figure)
            grid = self._figure.subplots(rows, columns, squeeze=False).ravel()
            for axes in grid[len(views) :]:
                axes.axis("off")
            self._heading = self._figure.suptitle(
                "", x=0.012, ha="left", fontsize=13, fontweight="bold"
            )
            self._name, self._place = (
                self._figure.text(RIGHT, 0.0, "", ha=side, va="top", fontsize=13)
                for side in ("right", "left")
            )
        self._name.set_in_layout(False)
        self._place.set_in_layout(False)
        self._plots = [_Plot(axes, view) for axes, view in zip(grid, views, strict=False)]
        self._kept: tuple[Any, ...] = ()
        self._background: Any = None
        self._still: list[_Part] | None = None
        self._under: Any = None  # the background, and over it the data that stay as they are
        self._steady = Steady()
        self._stamps = Stamps(self._canvas)

    def extents(self, data: FigureData, *, with_lines: bool = True) -> Steady:
        """Return the ends and legends that a picture would have by itself.

        Without lines, the plots along the step are left out.
        """
        ends: dict[str, Ends] = {}
        levels: dict[str, Range] = {}
        labels: dict[str, tuple[str, ...]] = {}
        with paper():
            for plot in self._plots:
                if isinstance(plot.view, TimeView) and not with_lines:
                    continue
                labels[plot.view.id] = plot.measure(data)
                if isinstance(plot.view, TimeView | PlaneView | BarView):
                    ends[plot.view.id] = Ends.of(plot.axes)
                levels |= _levels(plot.view, data)
        return Steady(ends, levels, labels)

    def begin(self, title: str, data: FigureData, steady: Steady, places: Sequence[str]) -> None:
        """Lay the page out, with the data of the first picture and what is steady in all.

        Room is left for the longest of the `places` of all pictures.
        """
        with paper():
            self._heading.set_text(title)
            for plot in self._plots:
                plot.forget()
                plot.draw(replace(data, steady=steady))
                plot.reserve(steady.labels.get(plot.view.id, ()))
            engine = self._figure.get_layout_engine()
            if engine is not None:
                engine.execute(self._figure)
            self._figure.set_layout_engine("none")
            self._canvas.draw()  # plots of equal units get their final ends
            self._reserve_place(places)
        ends = {
            plot.view.id: Ends.of(plot.axes) for plot in self._plots if plot.view.id in steady.ends
        }
        self._steady = replace(steady, ends=ends)
        self._kept = ()

    def picture(self, data: FigureData, place: str) -> Pixels:
        """Draw a picture, `place` in its upper right corner."""
        data = replace(data, steady=self._steady)
        with paper():
            changed = {part for plot in self._plots for part in plot.draw(data)}
            kept = (len(self._figure.axes), *(plot.furniture() for plot in self._plots))
            if kept != self._kept:
                self._draw_background()
                self._kept, self._still = kept, None
            parts = [part for plot in self._plots for part in plot.parts]
            still = [part for part in parts if part not in changed]
            if still != self._still:
                self._canvas.restore_region(self._background)
                self._draw(still)
                self._under = self._canvas.copy_from_bbox(self._figure.bbox)
                self._still = still
            self._canvas.restore_region(self._under)
            self._draw([part for part in parts if part in changed])
            self._place.set_text(_parted(place)[1])
            self._place.draw(self._canvas.get_renderer())
            buffer = self._canvas.buffer_rgba()
            size = buffer.shape[1::-1]
            seen = Image.frombuffer("RGBA", size, buffer, "raw", "RGBA", 0, 1)
            pixels: Pixels = np.array(seen.convert("RGB"))
        return pixels

    def _reserve_place(self, places: Sequence[str]) -> None:
        """Put the name of what is gone through before the room for its longest value."""
        name, longest = _parted(max(places, key=len))
        self._place.set_text(longest)
        width = self._place.get_window_extent().width / self._figure.bbox.width
        top = self._heading.get_position()[1]
        self._place.set_position((RIGHT - width, top))
        gap = GAP * self._figure.dpi / self._figure.bbox.width
        self._name.set_position((RIGHT - width - gap, top))
        self._name.set_text(f"{name} =" if name else "")

    def _draw(self, parts: Sequence[_Part]) -> None:
        renderer = self._canvas.get_renderer()
        for part in parts:
            for artist in part.artists():
                if isinstance(artist, Text):
                    self._stamps.draw(artist)
                else:
                    artist.draw(renderer)

    def _draw_background(self) -> None:
        """Keep the pixels of the page without its data."""
        moving = [a for plot in self._plots for part in plot.parts for a in part.artists()]
        hidden = [artist for artist in (*moving, self._place) if artist.get_visible()]
        for artist in hidden:
            artist.set_visible(False)
        self._canvas.draw()
        self._background = self._canvas.copy_from_bbox(self._figure.bbox)
        for artist in hidden:
            artist.set_visible(True)


def _parted(place: str) -> tuple[str, str]:
    """Part a name, which may be a formula and slow to set, from its value."""
    name, _, value = place.rpartition(" = ")
    return name, value


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What is drawn together: the images of a plot, or all that lies over them."""

    axes: Axes
    fixed: frozenset[Artist]
    of_images: bool

    def artists(self) -> list[Artist]:
        """Return what is drawn over the background, from the back to the front."""
        legend = self.axes.get_legend()
        found = [
            artist
            for artist in self.axes.get_children()
            if isinstance(artist, AxesImage) is self.of_images
            and (artist not in self.fixed or (isinstance(artist, Spine) and self.axes.axison))
            and artist is not legend
        ]
        return sorted(found, key=lambda artist: artist.get_zorder())


class _Plot:
    """The plot of one view, drawn anew for every picture in which it is another."""

    def __init__(self, axes: Axes, view: View) -> None:
        self.axes = axes
        self.view = view
        self._fixed = frozenset(axes.get_children())
        self.parts = (_Part(axes, self._fixed, True), _Part(axes, self._fixed, False))
        self._legend: tuple[Any, ...] | None = ()
        self._inputs: dict[str, Any] | None = None
        self._labels: tuple[str, ...] = ()

    def measure(self, data: FigureData) -> tuple[str, ...]:
        """Draw data within ends that suit them alone, and return the words of the legend."""
        if self._is_another(data):
            self._clear()
            self.axes.relim()
            self.axes.set_autoscale_on(True)
            entries = draw_content(self.axes, self.view, data)
            self._labels = tuple(entry.label for entry in entries)
        return self._labels

    def draw(self, data: FigureData) -> Sequence[_Part]:
        """Draw data, and the legend if it is another than before; return the parts that changed."""
        if not self._is_another(data):
            return ()
        images = list(self.axes.images)
        self._clear()
        entries = draw_content(self.axes, self.view, data)
        legend = tuple((entry.label, _look(entry.handle)) for entry in entries)
        if legend != self._legend:
            self._legend = legend
            self._set_legend(entries)
        return self.parts[1:] if _are_same(images, self.axes.images) else self.parts

    def _is_another(self, data: FigureData) -> bool:
        """Return whether a picture differs from the last one, and remember it."""
        before, self._inputs = self._inputs, _inputs(self.view, data)
        return before is None or self._inputs is None or not _are_equal(before, self._inputs)

    def forget(self) -> None:
        """Draw the next picture whatever was drawn before."""
        self._inputs = None

    def reserve(self, labels: Sequence[str]) -> None:
        """Put a legend of these words in the place of that of the data."""
        self._set_legend([Entry(Line2D([], []), label) for label in labels])
        self._legend = None
        self.forget()

    def _set_legend(self, entries: list[Entry]) -> None:
        legend = self.axes.get_legend()
        if legend is not None:
            legend.remove()
        add_legend(self.axes, entries)

    def _clear(self) -> None:
        self.axes.set_axis_on()
        legend = self.axes.get_legend()
        for artist in self.axes.get_children():
            if artist not in self._fixed and artist is not legend:
                artist.remove()

    def furniture(self) -> tuple[Any, ...]:
        """Return all that the background of the plot depends on."""
        axes = self.axes
        return (
            axes.get_title(loc="left"),
            axes.get_xlabel(),
            axes.get_ylabel(),
            axes.get_xlim(),
            axes.get_ylim(),
            axes.get_xscale(),
            axes.get_yscale(),
            axes.axison,
            self._legend,
            *(_named_ticks(axis) for axis in (axes.xaxis, axes.yaxis)),
        )


def _inputs(view: View, data: FigureData) -> dict[str, Any] | None:
    """Return all that a view is drawn from; None of a plot along the step, which goes on."""
    if isinstance(view, TimeView):
        return None
    bounds = {f"bound {bound.id}": bound.value for bound in data.theory}
    return bounds | {key: data.observation.get(key) for key in view_keys(view)}


def _are_equal(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Return whether numbers, texts and arrays are the same by name."""
    return before.keys() == after.keys() and all(
        value is after[key] or _is_equal(value, after[key]) for key, value in before.items()
    )


def _is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        one, other = np.asarray(one), np.asarray(other)
        return np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_is_equal, one, other))
    return bool(one == other)


def _are_same(before: Sequence[AxesImage], after: Sequence[AxesImage]) -> bool:
    """Return whether images show the same."""
    return len(before) == len(after) and all(
        one.get_extent() == other.get_extent()
        and one.get_clim() == other.get_clim()
        and _is_equal(np.asarray(one.get_array()), np.asarray(other.get_array()))
        for one, other in zip(before, after, strict=True)
    )


def _arranged(count: int, size: tuple[int, int]) -> tuple[int, int, float]:
    """Return columns, rows and pixels per inch with which type is largest."""
    best = (1, count, 0.0)
    for columns in range(1, count + 1):
        rows = math.ceil(count / columns)
        height = max(PLOT[1] * rows + HEAD, LEAST_HEIGHT)
        dpi = min(size[0] / (PLOT[0] * columns), size[1] / height)
        if dpi > best[2]:
            best = (columns, rows, dpi)
    return best


def _named_ticks(axis: Any) -> tuple[Any, ...]:
    """Return ticks that have names of their own; all others follow from the ends of the axis."""
    if not isinstance(axis.get_major_locator(), FixedLocator):
        return ()
    names = getattr(axis.get_major_formatter(), "seq", ())
    return (*np.asarray(axis.get_majorticklocs()).tolist(), *names)


def _look(handle: Any) -> Any:
    """Return how what stands for something in a legend looks."""
    if isinstance(handle, Line2D):
        line: Any = handle
        return line.get_color(), line.get_linestyle(), line.get_linewidth(), line.get_marker()
    if isinstance(handle, tuple):  # a bundle of lines, or bars
        return tuple(map(_look, handle))
    return str(handle.get_facecolor()), str(handle.get_edgecolor())


def _levels(view: View, data: FigureData) -> dict[str, Range]:
    """Return the values of the first and the last colour of what a view draws in colours."""
    keys: list[tuple[str, Any]] = []
    if isinstance(view, ImageView):
        keys.append((view.key, view.colormap))
    elif isinstance(view, PlaneView):
        keys += [(item.key, item.colormap) for item in view.items if isinstance(item, Heat)]
        keys += [(item.values, "sequential") for item in view.items if isinstance(item, Points)]
    found = {}
    for key, colormap in keys:
        values = data.observation.get(key) if key else None
        ends = None if values is None else level_ends(np.asarray(values, np.float64), colormap)
        if ends is not None:
            found[key] = ends
    return found
