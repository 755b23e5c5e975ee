"""A map on paper: PNG, SVG or PDF, with its classes, the theory's curves and its settings.

matplotlib is loaded with this module, so it is imported where a figure is wanted and not before.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.core.params import describe
from engine.core.registry import get
from engine.core.versions import NAME, VERSION
from engine.figures.fine import draw_fine
from engine.figures.fonts import lean
from engine.figures.formats import DPI, FORMATS
from engine.figures.paper import check_dpi
from engine.figures.parts import MOST_ENTRIES, Entry, add_legend, set_log
from engine.figures.style import LINESTYLES, color, paper
from engine.maps.axis import Axis
from engine.maps.colors import PAPER
from engine.maps.kind import CellField, Overlay, Prepared
from engine.maps.picture import (
    CLASSES,
    NOT_YET,
    POINTS,
    Bar,
    Picture,
    Swatch,
    picture_of_classes,
    picture_of_field,
    picture_of_points,
)
from engine.maps.shown import shown_layer
from engine.run.labels import worth_saying
from engine.storage.files import atomic
from engine.text.numbers import short, whole

SIZE = (7.6, 4.6)
"""Inches of a page at least, without colour bars."""
PLOT = 5.0
"""Inches of a page beside the legend and the colour bars."""
EXPONENT = 1.3
"""Inches that the Lyapunov exponent adds below an orbit diagram."""
BAR = 0.75
"""Inches that a colour bar adds to its width."""
MOST_BARS = 3
"""Colour bars beside a map; more classes have none."""
DENSITY_ROWS = 1200
"""Rows of the picture of an orbit diagram, before it is reduced to the pixels of the page."""
PIXELS = 640, 900
"""Rows and columns up to which a picture of classes is refined, so that hatching is fine."""
FIT_MARGIN = 0.05
"""Share of the span of the points that is free above and below where the axis is fitted."""
_VARIABLE = re.compile(r"([A-Za-z])_?(\d*)")
"""The name of a variable: a letter, perhaps with a number."""
_CYCLE = "cycle"
"""What the names of cycles begin with."""
EXPONENTS = "exponent"
"""Field of an orbit diagram that is drawn below it."""
_TITLES = {
    "orbit": "Orbit diagram",
    "basin": "Basins of attraction",
    "stability": "Stability region",
    "trainability": "Trainability",
}


def figure(
    prepared: Prepared,
    arrays: Mapping[str, NDArray[Any]],
    layer: str = "",
    overlays: tuple[Overlay, ...] | None = None,
    *,
    known: NDArray[np.bool_] | None = None,
    fit: bool = False,
) -> Figure:
    """Draw one layer of a map.

    Parameters
    ----------
    prepared : Prepared
    arrays : mapping
        Fields by name, shape (rows, columns) or (rows, columns, width), row 0 with the least y;
        those of an orbit diagram may lack the rows.
    layer : str
        Name of a field (`engine.maps.picture.layers_of`); the usual one if empty.
    overlays : tuple of Overlay, optional
        Curves over it; those of `prepared` by default.
    known : ndarray of bool, shape (rows, columns), optional
        Cells that are computed; by default all that hold a value.
    fit : bool
        Whether the axis of the observable of an orbit diagram ends where the points do.
    """
    spec, layer = prepared.spec, shown_layer(prepared, layer)
    is_orbit = spec.kind == "orbit"
    arrays = {name: _with_rows(values, is_orbit) for name, values in arrays.items()}
    if known is None:
        first = arrays[prepared.fields[0].name]
        flat = first if first.ndim == 2 else first[..., 0]
        known = flat != NOT_YET if first.dtype.kind == "u" else ~np.isnan(flat)
    field = next((each for each in prepared.fields if each.name == layer), None)
    has_points = is_orbit and (layer == POINTS or field is None)
    y = _fitted(spec.y, arrays[POINTS]) if fit and has_points else spec.y
    with paper():
        page = Figure(figsize=SIZE, layout="constrained")
        axes, below = _plots(page, has_points and EXPONENTS in arrays)
        axes.set_title(f"{get(spec.experiment).title}: {_TITLES[spec.kind]}")
        _label(axes, prepared, "" if field is None or layer == POINTS else field.label, y)
        curves = prepared.overlays() if overlays is None else overlays
        curves += prepared.found(arrays) if np.all(known) else ()
        entries = _draw_overlays(axes, curves)
        if below is not None:
            _draw_exponents(below, axes, prepared, arrays, known)
            _draw_overlays(below, tuple(each for each in curves if _is_upright(each)))
        if is_orbit and layer != POINTS and field is not None:
            entries += _draw_curve(axes, prepared, field, arrays, known)
        else:
            picture = _picture(prepared, field, arrays, known, y)
            entries += _draw_picture(axes, picture, is_orbit, MOST_ENTRIES - len(entries))
        add_legend(axes, entries)
        page.supxlabel(_caption(prepared), x=0.01, ha="left", fontsize=7.5)
        _resize(page, axes, below)
        engine = page.get_layout_engine()
        if engine is not None:
            engine.execute(page)
        page.set_layout_engine("none")
    return page


def save(page: Figure, path: Path, prepared: Prepared, *, dpi: int = DPI) -> None:
    """Write a figure in the format that the name ends with, what it was made of in its metadata.

    Raises
    ------
    InputError
        If the name does not end in .png, .svg or .pdf, or `dpi` is out of range.
    FileError
        If the file cannot be written.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise InputError("figure", Path(path).name, "give a name that ends in .png, .svg or .pdf")
    check_dpi(dpi)
    canvases: Mapping[str, Any] = {
        "png": FigureCanvasAgg,
        "svg": FigureCanvasSVG,
        "pdf": FigureCanvasPdf,
    }
    with atomic(path) as file, paper(), lean():
        page.dpi = dpi if suffix == "png" else 72
        write = getattr(canvases[suffix](page), f"print_{suffix}")
        write(file, metadata=_metadata(suffix, prepared))


def _with_rows(values: NDArray[Any], is_orbit: bool) -> NDArray[Any]:
    """Return a field with one row, where an orbit diagram has none."""
    return values[None] if is_orbit and values.shape[0] != 1 else values


def _picture(
    prepared: Prepared,
    field: CellField | None,
    arrays: Mapping[str, NDArray[Any]],
    known: NDArray[np.bool_],
    y: Axis,
) -> Picture:
    if field is not None and field.name == POINTS:
        return picture_of_points(arrays[POINTS][0], y.low, y.high, DENSITY_ROWS, PAPER)
    if field is None or field.name == CLASSES:
        rows, columns = (max(1, most // n) for most, n in zip(PIXELS, known.shape, strict=True))
        return picture_of_classes(
            prepared.classes, prepared.fields, arrays, known, PAPER, grain=(rows, columns)
        )
    return picture_of_field(field, arrays[field.name], known, PAPER)


def _draw_picture(axes: Axes, picture: Picture, is_fine: bool, most: int) -> list[Entry]:
    """Draw a picture from end to end of the axes, and return its legend of at most `most` entries.

    The cells are equally wide on the page, be the axes logarithmic or not. A fine picture keeps
    its thin lines where there are fewer pixels than cells.
    """
    axes.grid(False)
    ends, style = (0.0, 1.0, 0.0, 1.0), {"transform": axes.transAxes, "zorder": 0}
    if is_fine:
        draw_fine(axes, picture.rgba, ends, interpolation="none", **style)
    else:
        image: Any = axes.imshow  # whose types know no unpacked arguments
        image(picture.rgba, origin="lower", extent=ends, aspect="auto", **style)
    if picture.bar is not None:
        _draw_bar(axes, picture.bar)
    shaded = [swatch for swatch in picture.swatches if swatch.bar is not None][:MOST_BARS]
    for swatch in shaded:
        if swatch.bar is not None:
            _draw_bar(axes, swatch.bar, swatch.name)
    return _entries(picture.swatches, most)


def _entries(swatches: tuple[Swatch, ...], most: int) -> list[Entry]:
    """Return entries of classes, the rarest cycles as one where there are more than `most`."""
    excess = len(swatches) - most
    cycles = [swatch for swatch in swatches if swatch.name.startswith(_CYCLE)]
    merged = cycles[-(excess + 1) :] if excess > 0 else []
    entries = [
        Entry(_patch(swatch), f"{swatch.name}, {_percent(swatch.share)}")
        for swatch in swatches
        if swatch not in merged
    ]
    if merged:
        share = math.fsum(swatch.share for swatch in merged)
        handle = tuple(_patch(swatch) for swatch in merged[:3])
        entries.append(Entry(handle, f"other cycles, {_percent(share)}"))
    return entries


def _patch(swatch: Swatch) -> Patch:
    return Patch(
        facecolor=swatch.color,
        edgecolor=color("muted"),
        linewidth=0.4,
        hatch="\\\\\\\\" if swatch.hatched else "",
    )


def _draw_bar(axes: Axes, bar: Bar, name: str = "") -> None:
    """Draw a colour bar: of a field, or of the shades of a class."""
    stops = LinearSegmentedColormap.from_list("bar", bar.stops, 256)
    norm = (LogNorm if bar.log else Normalize)(bar.low, bar.high)
    from matplotlib.cm import ScalarMappable

    label = f"{name}: {bar.label}" if name else bar.label
    drawn = axes.figure.colorbar(
        ScalarMappable(norm, stops), ax=axes, label=label, pad=0.02, aspect=30
    )
    drawn.outline.set_visible(False)


def _draw_curve(
    axes: Axes,
    prepared: Prepared,
    field: CellField,
    arrays: Mapping[str, NDArray[Any]],
    known: NDArray[np.bool_],
) -> list[Entry]:
    """Draw a field of an orbit diagram that has one number a column."""
    values = np.asarray(arrays[field.name][0], np.float64)
    stride = -(-prepared.spec.x.count // len(values))
    x = prepared.spec.x.values[::stride]
    axes.plot(x, np.where(known[0], values, np.nan), color=color("1"), linewidth=0.8)
    return []


def _draw_overlays(axes: Axes, overlays: tuple[Overlay, ...]) -> list[Entry]:
    entries = []
    for each in overlays:
        shade = color(each.color)
        if _is_upright(each):
            at = float(each.x[0])
            axes.axvline(at, color="white", alpha=0.75, linewidth=2.6)
            style = LINESTYLES.get(each.dash, "-")
            line = axes.axvline(at, color=shade, linestyle=style, linewidth=1.2)
            entries += _named(line, each)
            continue
        if each.dash == "points":
            line = Line2D(
                each.x,
                each.y,
                color=shade,
                marker="o",
                markersize=4.5,
                linestyle="none",
                markeredgecolor="white",
                markeredgewidth=0.7,
            )
        else:
            style = LINESTYLES.get(each.dash, "-")
            axes.add_line(Line2D(each.x, each.y, color="white", alpha=0.75, linewidth=2.6))
            line = Line2D(each.x, each.y, color=shade, linestyle=style, linewidth=1.2)
        axes.add_line(line)
        entries += _named(line, each)
    return entries


def _named(line: Line2D, overlay: Overlay) -> list[Entry]:
    """Return the entry of a curve of the theory, its source on a line of its own."""
    if not overlay.label:
        return []
    source = f"\n({overlay.source})" if overlay.source else ""
    return [Entry(line, f"{overlay.label}{source}")]


def _is_upright(overlay: Overlay) -> bool:
    """Return whether a curve is a line from the bottom to the top of an orbit diagram."""
    return overlay.dash != "points" and len(overlay.x) == 2 and overlay.x[0] == overlay.x[1]


def _plots(page: Figure, has_exponents: bool) -> tuple[Axes, Axes | None]:
    """Make the plot of a map, and one below it for the exponents of an orbit diagram."""
    if not has_exponents:
        return page.subplots(), None
    heights = [SIZE[1] - 1.6, EXPONENT]
    axes, below = page.subplots(2, 1, sharex=True, height_ratios=heights)
    return axes, below


def _fitted(axis: Axis, points: NDArray[Any]) -> Axis:
    """Return an axis that ends a little beyond the points; the same where there are none."""
    finite = points[np.isfinite(points)]
    if not finite.size or axis.log:
        return axis
    low, high = float(finite.min()), float(finite.max())
    margin = FIT_MARGIN * (high - low)
    if not (margin > 0.0 and math.isfinite(margin)):
        return axis
    return replace(axis, low=low - margin, high=high + margin)


def _draw_exponents(
    below: Axes,
    above: Axes,
    prepared: Prepared,
    arrays: Mapping[str, NDArray[Any]],
    known: NDArray[np.bool_],
) -> None:
    """Draw the Lyapunov exponent below an orbit diagram, on the same axis of x."""
    field = next(each for each in prepared.fields if each.name == EXPONENTS)
    _draw_curve(below, prepared, field, arrays, known)
    below.axhline(0.0, color=color("muted"), linewidth=0.8, zorder=1)
    values = arrays[EXPONENTS][0]
    finite = values[known[0] & np.isfinite(values)]
    if finite.size:
        low, high = min(0.0, float(np.percentile(finite, 1))), max(0.0, float(finite.max()))
        margin = 0.08 * (high - low) or 1.0
        below.set_ylim(low - margin, high + margin)
    below.set_ylabel(field.label.replace(" ", "\n", 1))
    below.set_xlabel(above.get_xlabel())
    above.set_xlabel("")


def _resize(page: Figure, axes: Axes, below: Axes | None) -> None:
    """Make a page so large that its legend and colour bars have room beside the plot."""
    panels = 1 if below is None else 2
    width, height = SIZE[0], SIZE[1] if below is None else SIZE[1] + EXPONENT
    legend = axes.get_legend()
    if legend is not None:
        canvas: Any = FigureCanvasAgg(page)  # whose renderer has no types
        box = legend.get_window_extent(canvas.get_renderer())
        width = max(width, PLOT + box.width / page.dpi)
        height = max(height, 1.4 + box.height / page.dpi)
    page.set_size_inches(width + BAR * (len(page.axes) - panels), height)


def _label(axes: Axes, prepared: Prepared, field: str, y: Axis) -> None:
    """Name the axes and set their ends."""
    spec = prepared.spec
    names = _names(prepared)
    axes.set_xlabel(names[0])
    if spec.x.log:
        set_log(axes, "x")
    axes.set_xlim(spec.x.low, spec.x.high)
    if spec.kind == "orbit" and field:
        axes.set_ylabel(field)
        return
    axes.set_ylabel(names[1])
    if spec.y.log:
        set_log(axes, "y")
    axes.set_ylim(y.low, y.high)


def _names(prepared: Prepared) -> tuple[str, str]:
    """Return what the axes are called: labels of parameters, else symbols of coordinates."""
    spec = prepared.spec
    specs = {each.name: each for each in describe(type(spec.params))}

    def name(axis: Axis) -> str:
        known = specs.get(axis.name)
        if known is not None:
            return f"{known.label} ${known.symbol}$" if known.symbol else known.label
        letter = _VARIABLE.fullmatch(axis.name)
        if letter is None:
            return axis.name
        return f"${letter[1]}_{{{letter[2]}}}$" if letter[2] else f"${letter[1]}$"

    return name(spec.x), name(spec.y)


def _caption(prepared: Prepared) -> str:
    """Return what the map was made of, in a few short lines."""
    spec = prepared.spec
    specs = {each.name: each for each in describe(type(spec.params))}
    free = {spec.x.name, spec.y.name}
    parts = [
        f"{name} = {_short(value)}"
        for name, value in worth_saying(spec.params).items()
        if name not in free and not specs[name].for_ensemble
    ]
    cells = whole(spec.x.count)
    if spec.kind != "orbit":
        cells = f"{cells} × {whole(spec.y.count)}"
    parts += [f"{name} = {number:g}" for name, number in spec.options.items()]
    parts += [f"seed = {spec.seed}", f"{whole(spec.steps)} steps", f"{cells} cells"]
    lines = [""]
    for part in parts:
        if len(lines[-1]) + len(part) > 110:
            lines.append("")
        lines[-1] += f"{part}   "
    return "\n".join(line.replace("$", r"\$") for line in lines[:4])


def _short(value: Any) -> str:
    text = short(value, 6) if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _percent(share: float) -> str:
    """Return a share in percent, with spaces at which no line ends."""
    percent = 100.0 * share
    if share < 1.0 and percent >= 99.95:
        text = "> 99.9 %"
    else:
        text = "< 0.1 %" if percent < 0.05 else f"{percent:.1f} %"
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _metadata(suffix: str, prepared: Prepared) -> dict[str, Any]:
    """Name title, program and what the map was made of in the words of each format."""
    spec = prepared.spec
    title = f"{get(spec.experiment).title}: {_TITLES[spec.kind]}"
    program, text = f"{NAME} {VERSION}", json.dumps(spec.as_table())
    if suffix == "png":
        return {"Title": title, "Software": program, "Description": text}
    if suffix == "svg":
        return {"Title": title, "Creator": program, "Description": text, "Date": None}
    return {"Title": title, "Creator": program, "Subject": text, "CreationDate": None}
