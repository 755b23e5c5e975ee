"""Files of a map: figures, arrays, shares, and the command that makes it again."""

from __future__ import annotations

import json
import shlex
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

import engine.experiments  # noqa: F401  registers the experiments
from engine.core.errors import InputError
from engine.core.registry import get
from engine.maps import sheet
from engine.maps.axis import Axis
from engine.maps.colors import PAPER
from engine.maps.export import command, save_arrays, save_shares
from engine.maps.kind import Overlay, Prepared
from engine.maps.making import made
from engine.maps.picture import Swatch, picture_of_classes
from engine.maps.spec import MapSpec
from tests.engine.maps.logistic import Inline, LogisticKind


def ready(kind: Any = "stability", log: bool = False) -> tuple[Prepared, dict[str, Any]]:
    """Return a small finished map; its experiment is one that has a title."""
    spec = MapSpec(
        kind=kind,
        experiment="least-squares",
        params=get("least-squares").parameters(),
        x=Axis(name="step_size", low=2.0, high=4.0, count=40, log=log),
        y=Axis(name="w1", low=0.05, high=1.0, count=30, log=log and kind != "orbit"),
        steps=80,
    )
    prepared = LogisticKind(kind).prepare(spec)
    return prepared, dict(made(prepared, Inline(), threading.Event()))


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
@pytest.mark.parametrize(("kind", "log"), [("stability", False), ("stability", True), ("orbit", 0)])
def test_a_figure_says_what_it_was_made_of(
    kind: str, log: bool, suffix: str, tmp_path: Path
) -> None:
    prepared, arrays = ready(kind, bool(log))
    page = sheet.figure(prepared, arrays)
    path = tmp_path / f"map.{suffix}"
    sheet.save(page, path, prepared, dpi=60)
    data = path.read_bytes()
    if suffix == "svg":
        assert b"least-squares" in data
    assert len(data) > 3000
    if suffix == "png":
        assert imread(path).std() > 0.02


@pytest.mark.parametrize("layer", ["steps", "last"])
def test_other_layers_have_a_colour_bar(layer: str) -> None:
    prepared, arrays = ready()
    page = sheet.figure(prepared, arrays, layer)
    assert len(page.axes) == 2


def test_a_field_of_a_diagram_is_a_curve() -> None:
    prepared, arrays = ready("orbit")
    page = sheet.figure(prepared, arrays, "exponent")
    (line,) = page.axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), arrays["exponent"])


def test_the_exponent_is_below_its_diagram_and_the_axis_fits_the_points() -> None:
    prepared, arrays = ready("orbit")
    page = sheet.figure(prepared, arrays, fit=True)
    above, below = page.axes
    assert above.get_xlim() == below.get_xlim()
    np.testing.assert_array_equal(below.lines[0].get_ydata(), arrays["exponent"])
    points = arrays["points"][np.isfinite(arrays["points"])]
    low, high = above.get_ylim()
    assert low < points.min() and points.max() < high
    assert high - low < 1.2 * np.ptp(points)
    assert sheet.figure(prepared, arrays).axes[0].get_ylim() == (0.05, 1.0)


def test_curves_that_the_cells_show_are_drawn_once_and_only_of_a_whole_map() -> None:
    prepared, arrays = ready()
    (curve,) = prepared.found(arrays)
    known = np.ones((30, 40), np.bool_)
    for is_whole in (True, False):
        known[-1] = is_whole
        legend = (
            sheet.figure(prepared, arrays, overlays=prepared.overlays(), known=known)
            .axes[0]
            .get_legend()
        )
        assert legend is not None
        words = " ".join(text.get_text() for text in legend.get_texts()).replace("\n", " ")
        assert words.count(curve.label) == is_whole


def test_a_long_legend_stays_on_the_page_and_the_caption_below_the_plot() -> None:
    prepared, arrays = ready()
    words = "a statement of the theory that needs more than one line of a legend " * 3
    curve = Overlay(x=np.array([2.0, 4.0]), y=np.array([0.1, 0.9]), label=words, source=words)
    page = sheet.figure(prepared, arrays, overlays=(curve,))
    renderer = FigureCanvasAgg(page).get_renderer()
    legend, (axes, *_) = page.axes[0].get_legend(), page.axes
    assert legend is not None
    box = legend.get_window_extent(renderer)
    assert page.bbox.x0 <= box.x0 and box.x1 <= page.bbox.x1
    assert page.bbox.y0 <= box.y0 and box.y1 <= page.bbox.y1
    caption = next(text for text in page.texts if "seed" in text.get_text())
    plot = axes.get_tightbbox(renderer)
    assert plot is not None and not plot.overlaps(caption.get_window_extent(renderer))
    assert legend.get_texts()[0].get_text().startswith("a statement")


def test_the_rarest_cycles_share_an_entry() -> None:
    cycles = tuple(
        Swatch(code=n, name=f"cycle of period {n}", color="#102030", count=1, share=0.04)
        for n in range(2, 22)
    )
    rest = Swatch(code=1, name="undecided", color="#808080", count=1, share=0.01)
    labels = [entry.label for entry in sheet._entries((*cycles, rest), 6)]
    assert len(labels) == 6 and labels[4].startswith("undecided")
    assert labels[5] == "other cycles, 64.0\N{NO-BREAK SPACE}%"


def test_a_figure_of_an_unknown_format_is_refused(tmp_path: Path) -> None:
    prepared, arrays = ready()
    with pytest.raises(InputError, match="png"):
        sheet.save(sheet.figure(prepared, arrays), tmp_path / "map.bmp", prepared)


def test_arrays_and_shares(tmp_path: Path) -> None:
    prepared, arrays = ready()
    save_arrays(tmp_path / "m.npz", prepared, arrays)
    with np.load(tmp_path / "m.npz") as kept:
        table = json.loads(str(kept["map"]))
        np.testing.assert_array_equal(kept["outcome"], arrays["outcome"])
        np.testing.assert_array_equal(kept["x"], prepared.spec.x.values)
    assert table["kind"] == "stability" and table["classes"]["0"] == "fixed point"
    known = np.ones(prepared.spec.shape, bool)
    picture = picture_of_classes(prepared.classes, prepared.fields, arrays, known, PAPER)
    save_shares(tmp_path / "m.csv", picture.swatches)
    rows = (tmp_path / "m.csv").read_text().splitlines()[1:]
    assert sum(int(row.split(",")[2]) for row in rows) == known.size


def test_the_command_names_all_that_differs() -> None:
    params = get("scalar-product").parameters(depth=2, target=1.5)
    spec = MapSpec(
        kind="stability",
        experiment="scalar-product",
        params=params,
        seed=3,
        x=Axis(name="target", low=0.5, high=2.0, count=9),
        y=Axis(name="step_size", low=0.01, high=1.0, count=7, log=True),
        steps=500,
        options={"tolerance": 1e-6},
    )
    words = shlex.split(command(spec))
    assert words[:5] == ["python", "main.py", "map", "stability", "scalar-product"]
    assert "target=0.5:2.0:9" in words and "step_size=0.01:1.0:7:log" in words
    assert "depth=2" in words and not any(word.startswith("target=1.5") for word in words)
    assert words[words.index("--option") + 1] == "tolerance=1e-06"
    assert words[words.index("--seed") + 1] == "3"
