"""Figures on paper: every view as PNG, SVG or PDF, from the same descriptions as the live plots.

matplotlib is loaded with this module, so it is imported where a figure is wanted and not before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from engine.core.change import Change
from engine.core.errors import InputError
from engine.core.versions import NAME, VERSION
from engine.core.views import BarView, ImageView, PlaneView, SurfaceView, TableView, TimeView, View
from engine.figures.data import FigureData
from engine.figures.files.pixels import pixels_of
from engine.figures.files.png import png
from engine.figures.files.record import POINTS, Recorder, Ruler, recorded
from engine.figures.files.vector import pdf, svg
from engine.figures.fonts import lean
from engine.figures.formats import DPI, FORMATS, Format
from engine.figures.panels import draw_bars, draw_image, draw_table, table_size
from engine.figures.parts import Entry, add_legend
from engine.figures.plane import draw_plane
from engine.figures.style import paper
from engine.figures.surface import draw_surface
from engine.figures.time import draw_time
from engine.figures.user_notes import draw_notes
from engine.figures.words import one_tick_an_axis
from engine.run.labels import worth_saying
from engine.storage import runfile
from engine.storage.files import atomic
from engine.text.numbers import short, whole

MOST_LINES = 6
"""Lines of settings at the foot of a page, and of pinned runs there."""
_DPI_RANGE = (30, 1200)


def draw(view: View, data: FigureData) -> Figure:
    """Draw one view as a figure of its own."""
    with paper():
        figure = Figure(figsize=_size(view, data), layout="constrained")
        draw_on(figure.subplots(), view, data)
        settle(figure)
    return figure


def rehearse() -> None:
    """Draw a figure that nobody sees, so that fonts and the reader of formulas are loaded."""
    with paper():
        figure = Figure(figsize=(2.0, 1.5), layout="constrained")
        axes = figure.subplots()
        axes.plot([0.0, 1.0], [0.0, 1.0], "o-", label="$x_0^2$")
        axes.set(xlabel="step", ylabel="$y$", title="$w$")
        axes.legend()
        settle(figure)
    rendered(figure, FORMATS, About("", ""), dpi=POINTS)


def settle(figure: Figure) -> None:
    """Find the layout once, so that all formats have the same one, and are written faster.

    Words are measured as SVG and PDF files have them, so they are not measured again for these.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        figure.dpi = POINTS
        figure.set_canvas(Ruler(figure))
        with one_tick_an_axis():
            engine.execute(figure)
    figure.set_layout_engine("none")


def draw_page(views: Sequence[View], data: FigureData) -> Figure:
    """Draw views side by side under the experiment's name, with the parameters at the foot."""
    columns = 1 if len(views) == 1 else 2 if len(views) <= 6 else 3
    rows = max(1, math.ceil(len(views) / columns))
    with paper():
        figure = Figure(figsize=(6.0 * columns, 3.7 * rows + 0.9), layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for axes, view in zip(grid, views, strict=False):
            draw_on(axes, view, data)
        for axes in grid[len(views) :]:
            axes.axis("off")
        heading = f"{data.title}, {_moment(data)}"
        figure.suptitle(heading, x=0.01, ha="left", fontsize=13, fontweight="bold")
        figure.supxlabel(_caption(data, columns), x=0.01, ha="left", fontsize=8)
        settle(figure)
    return figure


def _moment(data: FigureData) -> str:
    """Name the step that is shown, and where it lies in the run if not at its end."""
    after = data.trace.last > data.step
    return f"step {whole(data.step)}" + (f" of {whole(data.trace.last)}" if after else "")


def draw_on(axes: Axes, view: View, data: FigureData) -> None:
    """Draw a view onto given axes, with its title and legend."""
    add_legend(axes, draw_content(axes, view, data))


def draw_content(axes: Axes, view: View, data: FigureData) -> list[Entry]:
    """Draw a view onto given axes, with its title, and return what its legend is to have."""
    axes.set_title(view.title)
    if isinstance(view, TimeView):
        entries = draw_time(axes, view, data)
        draw_notes(axes, data.run.notes, view.id)
        return entries
    if isinstance(view, PlaneView):
        entries = draw_plane(axes, view, data)
        draw_notes(axes, data.run.notes, view.id)
        return entries
    if isinstance(view, SurfaceView):
        return draw_surface(axes, view, data)
    if isinstance(view, ImageView):
        return draw_image(axes, view, data)
    if isinstance(view, BarView):
        return draw_bars(axes, view, data)
    if isinstance(view, TableView):
        return draw_table(axes, view, data)
    return []


def _size(view: View, data: FigureData) -> tuple[float, float]:
    if isinstance(view, TableView):
        return table_size(view, data.observation)
    if isinstance(view, ImageView | SurfaceView):
        return 5.4, 4.6
    if isinstance(view, PlaneView) and view.equal:
        return 5.8, 4.2
    return 6.4, 3.6


def _caption(data: FigureData, columns: int) -> str:
    """Return the parameters in short lines, and a line for every pinned run."""
    parts = [f"{name} = {_short(value)}" for name, value in worth_saying(data.run.params).items()]
    parts.append(f"seed = {data.run.seed}")
    parts += [_change(change) for change in data.changes]
    lines, width = [""], 82 * columns
    for part in parts:
        if len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += f"{part}   "
    lines = lines[:MOST_LINES]
    lines += [f"pinned run: {pin.label}" for pin in data.pins[:MOST_LINES]]
    if len(data.pins) > MOST_LINES:
        lines.append(f"and {len(data.pins) - MOST_LINES} more pinned runs")
    return "\n".join(line.replace("$", r"\$") for line in lines)


def _change(change: Change) -> str:
    if change.nudge is not None:
        return f"at step {whole(change.step)}: nudge = {change.nudge.size_text}"
    return f"from step {whole(change.step)}: {_pairs(change.values)}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_short(value)}" for name, value in values.items())


def _short(value: Any) -> str:
    text = short(value, 6) if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def save(
    figure: Figure, path: Path, data: FigureData, *, dpi: int = DPI, svg_text: bool = False
) -> None:
    """Write a figure in the format that the name ends with, the run in its metadata.

    `svg_text` keeps the letters of an SVG figure as text (see `engine.figures.style.paper`).

    Raises
    ------
    InputError
        If the name does not end in .png, .svg or .pdf, or `dpi` is out of range.
    FileError
        If the file cannot be written.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    kind = next((kind for kind in FORMATS if kind == suffix), None)
    if kind is None:
        raise InputError("figure", Path(path).name, "give a name that ends in .png, .svg or .pdf")
    check_dpi(dpi)
    with atomic(path) as file:
        file.write(rendered(figure, (kind,), about(data), dpi=dpi, svg_text=svg_text)[0])


def check_dpi(dpi: int) -> None:
    """Refuse a resolution that makes no sense.

    Raises
    ------
    InputError
        If `dpi` is out of range.
    """
    low, high = _DPI_RANGE
    if not low <= dpi <= high:
        raise InputError("dpi", dpi, f"give a whole number from {low} to {high}")


def render(
    figure: Figure, kind: Format, data: FigureData, *, dpi: int = DPI, svg_text: bool = False
) -> bytes:
    """Return a figure's file as bytes.

    Raises
    ------
    InputError
        If `dpi` is out of range.
    """
    check_dpi(dpi)
    return rendered(figure, (kind,), about(data), dpi=dpi, svg_text=svg_text)[0]


def render_all(
    figure: Figure,
    formats: Sequence[Format],
    data: FigureData,
    *,
    dpi: int = DPI,
    svg_text: bool = False,
) -> list[bytes]:
    """Return a figure's files, one a format, in less time than one by one.

    Raises
    ------
    InputError
        If `dpi` is out of range.
    """
    check_dpi(dpi)
    return rendered(figure, formats, about(data), dpi=dpi, svg_text=svg_text)


@dataclass(frozen=True, slots=True)
class About:
    """What a figure's file says of itself: a title, and how it was made."""

    title: str
    text: str


def about(data: FigureData) -> About:
    """Return what the file of a run's figure says: the step and the run file."""
    return About(f"{data.title}, step {data.step}", runfile.dumps(data.run))


def rendered(
    figure: Figure,
    formats: Sequence[Format],
    about: About,
    *,
    dpi: int = DPI,
    svg_text: bool = False,
) -> list[bytes]:
    """Return the files of a figure of whatever, one a format, from one drawing."""
    with paper(svg_text), lean(), one_tick_an_axis():
        record = recorded(figure, dpi)
        return [_file(record, kind, about) for kind in formats]


def _file(record: Recorder, kind: Format, about: About) -> bytes:
    metadata = _metadata(kind, about)
    if kind == "svg":
        return svg(record, metadata)
    if kind == "pdf":
        return pdf(record, metadata)
    return png(pixels_of(record), record.image_dpi, metadata)


def _metadata(kind: Format, about: About) -> dict[str, Any]:
    """Name the title, the program and how it was made in the words of each format."""
    title, program, text = about.title, f"{NAME} {VERSION}", about.text
    if kind == "png":
        return {"Title": title, "Software": program, "Description": text}
    if kind == "svg":
        return {"Title": title, "Creator": program, "Description": text, "Date": None}
    return {"Title": title, "Creator": program, "Subject": text, "CreationDate": None}
