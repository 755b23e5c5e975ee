"""Branches on paper: an orbit diagram with stable, unstable and transversally unstable cycles.

matplotlib is loaded with this module, so it is imported where a figure is wanted and not before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from engine.core.errors import InputError
from engine.core.params import describe
from engine.core.registry import get
from engine.core.versions import NAME, VERSION
from engine.figures.fonts import lean
from engine.figures.formats import DPI, FORMATS
from engine.figures.parts import Entry, add_legend
from engine.figures.style import LINESTYLES, color, paper
from engine.maps.branches import Branches, BranchSpec, Special, Stability
from engine.maps.subject import subject_of
from engine.run.labels import worth_saying
from engine.storage.files import atomic

SIZE = (7.6, 4.6)
"""Inches of a page."""
COLUMNS, TRANSIENT, KEPT = 900, 600, 160
"""Orbits behind the branches, the steps that are left out and those drawn of each."""
MARKS = {"flip": "D", "fold": "v", "branch point": "s", "Neimark-Sacker": "o"}
COLORS = {Stability.STABLE: "1", Stability.UNSTABLE: "bad", Stability.ACROSS: "2"}
WORDS = {
    Stability.STABLE: "stable",
    Stability.UNSTABLE: "unstable",
    Stability.ACROSS: "unstable across only",
}
LABELLED = 8
"""Special points with a text of their own: those of the shortest periods."""
APART = 0.1
"""Least distance of two of them along the parameter, as a share of its range."""


def figure(branches: Branches, coordinate: int = 0) -> Figure:
    """Draw branches over the orbits of the run's own start.

    Parameters
    ----------
    branches : Branches
    coordinate : int
        Of the system, along y.
    """
    spec = branches.spec
    with paper():
        page = Figure(figsize=SIZE, layout="constrained")
        axes = page.subplots()
        axes.set_title(f"{get(spec.experiment).title}: branches up to period {spec.max_period}")
        axes.grid(False)
        _draw_orbits(axes, spec, coordinate)
        entries = _draw_strokes(axes, branches, coordinate)
        entries += _draw_specials(axes, branches, coordinate)
        axes.set_xlim(spec.low, spec.high)
        axes.set_xlabel(_label(spec))
        axes.set_ylabel(f"${branches.coordinates[coordinate]}$")
        add_legend(axes, entries)
        page.supxlabel(_caption(branches), x=0.01, ha="left", fontsize=7.5)
        layout = page.get_layout_engine()
        if layout is not None:
            layout.execute(page)
        page.set_layout_engine("none")
    return page


def _draw_orbits(axes: Axes, spec: BranchSpec, coordinate: int) -> None:
    """Draw where orbits of the run's start go, if they are quickly computed."""
    subject = subject_of(
        spec.experiment, spec.params, spec.seed, {spec.name: (spec.low, spec.high)}
    )
    if not subject.carrier.is_exact:
        return
    x = np.linspace(spec.low, spec.high, COLUMNS)
    points = np.full((COLUMNS, KEPT), np.nan)
    for place, value in enumerate(x):
        orbit = subject.carrier.orbit(subject.start, np.array([value]), TRANSIENT + KEPT)
        if np.isfinite(orbit).all():
            points[place] = orbit[-KEPT:, coordinate]
    axes.plot(
        np.repeat(x, KEPT),
        points.ravel(),
        linestyle="none",
        marker=",",
        color=color("muted"),
        alpha=0.25,
        rasterized=True,
        zorder=0,
    )


def _draw_strokes(axes: Axes, branches: Branches, coordinate: int) -> list[Entry]:
    seen: dict[Stability, Line2D] = {}
    for stroke in branches.strokes(coordinate):
        is_stable = stroke.stability is not Stability.UNSTABLE
        shade = color(COLORS[stroke.stability])
        (line,) = axes.plot(
            stroke.x,
            stroke.y,
            color=shade,
            linestyle=LINESTYLES[stroke.dash],
            linewidth=1.5 if is_stable else 0.7,
            alpha=1.0 if is_stable else max(0.9 / stroke.period**0.5, 0.3),
            zorder=3 if is_stable else 2,
        )
        handle = Line2D([], [], color=shade, linestyle=line.get_linestyle(), linewidth=1.3)
        seen.setdefault(stroke.stability, handle)
    return [Entry(line, WORDS[stability]) for stability, line in sorted(seen.items())]


def _draw_specials(axes: Axes, branches: Branches, coordinate: int) -> list[Entry]:
    entries = []
    for event, marker in MARKS.items():
        some = [each for each in branches.specials if each.event == event]
        if not some:
            continue
        (points,) = axes.plot(
            np.repeat([each.parameter for each in some], [each.period for each in some]),
            np.concatenate([each.cycle[:, coordinate] for each in some]),
            linestyle="none",
            marker=marker,
            markersize=3.4,
            markerfacecolor="white",
            markeredgecolor=color("text"),
            markeredgewidth=0.7,
            zorder=4,
        )
        entries.append(Entry(points, event))
    for special in _labelled(branches, coordinate):
        axes.annotate(
            special.label,
            (special.parameter, float(np.max(special.cycle[:, coordinate]))),
            xytext=(0, 7),
            textcoords="offset points",
            ha="right",
            fontsize=7.5,
            zorder=5,
        )
    return entries


def _labelled(branches: Branches, coordinate: int) -> list[Special]:
    """Choose the special points of the shortest periods that stand apart."""
    spec, chosen = branches.spec, list[Special]()
    order = sorted(
        branches.specials,
        key=lambda one: (one.period, one.parameter, -float(np.max(one.cycle[:, coordinate]))),
    )
    for each in order:
        near = APART * (spec.high - spec.low)
        if all(abs(each.parameter - other.parameter) > near for other in chosen):
            chosen.append(each)
    return chosen[:LABELLED]


def _label(spec: BranchSpec) -> str:
    specs = {each.name: each for each in describe(type(spec.params))}
    known = specs.get(spec.name)
    if known is None:
        return spec.name
    return f"{known.label} ${known.symbol}$" if known.symbol else known.label


def _caption(branches: Branches) -> str:
    spec = branches.spec
    specs = {each.name: each for each in describe(type(spec.params))}
    parts = [
        f"{name} = {value}"
        for name, value in worth_saying(spec.params).items()
        if name != spec.name
        and isinstance(value, int | float | str)
        and len(str(value)) < 40
        and not specs[name].for_ensemble
    ]
    lines, width = [""], 120
    if branches.within:
        parts.append(f"followed with {branches.within}")
    for part in [*parts, f"seed = {spec.seed}"]:
        if len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += f"{part}   "
    return "\n".join(line.replace("$", r"\$") for line in [*lines[:3], *branches.notes])


def save(page: Figure, path: Path, branches: Branches, *, dpi: int = DPI) -> None:
    """Write a figure in the format that the name ends with.

    Raises
    ------
    InputError
        If the name does not end in .png, .svg or .pdf.
    FileError
        If the file cannot be written.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise InputError("figure", path.name, "give a name that ends in .png, .svg or .pdf")
    canvases: Mapping[str, Any] = {
        "png": FigureCanvasAgg,
        "svg": FigureCanvasSVG,
        "pdf": FigureCanvasPdf,
    }
    with atomic(path) as file, paper(), lean():
        page.dpi = dpi if suffix == "png" else 72
        write = getattr(canvases[suffix](page), f"print_{suffix}")
        write(file, metadata=_metadata(suffix, branches.spec))


def _metadata(suffix: str, spec: BranchSpec) -> dict[str, Any]:
    title, program = f"{get(spec.experiment).title}: branches", f"{NAME} {VERSION}"
    text = json.dumps(spec.as_table())
    if suffix == "png":
        return {"Title": title, "Software": program, "Description": text}
    if suffix == "svg":
        return {"Title": title, "Creator": program, "Description": text, "Date": None}
    return {"Title": title, "Creator": program, "Subject": text, "CreationDate": None}
