"""Figures on paper: their geometry is the data's, and every format tells how it was made."""

from __future__ import annotations

import dataclasses
import io
import re
import struct
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from engine.core import registry
from engine.core.chunk import Chunk
from engine.core.errors import InputError
from engine.core.params import build, update
from engine.core.views import CIRCLE_X, CIRCLE_Y, PlaneView, Points, Series, TimeView, View
from engine.figures import paper as figures
from engine.figures.data import FigureData, PinnedRun
from engine.figures.style import PALETTE
from engine.run.session import Session
from engine.run.trace import Trace
from engine.storage import runfile
from tests.engine.drawn_map import DrawnMap
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only

SVG = {"svg": "http://www.w3.org/2000/svg"}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    experiment = DrawnMap()
    only(monkeypatch, experiment)
    session = Session(experiment, LinearParams(step_size=0.3, width=3), 5)
    session.advance(40)
    session.retune(update(session.params, step_size=0.5))
    session.advance(10)
    return session


def view(session: Session, name: str) -> View:
    return next(v for v in session.experiment.views(session.params) if v.id == name)


def drawn(session: Session, name: str) -> tuple[Figure, Any]:
    figure = figures.draw(view(session, name), FigureData.of(session))
    return figure, figure.axes[0]


def lines(axes: Any, gid: str) -> list[Line2D]:
    return [line for line in axes.get_lines() if (line.get_gid() or "").startswith(gid)]


def test_a_line_has_every_recorded_point(session: Session) -> None:
    _, axes = drawn(session, "weights")
    recorded = session.recent()["weights"]
    found = lines(axes, "weights-")
    assert len(found) == 3
    for index, line in enumerate(found):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(51))
        np.testing.assert_array_equal(line.get_ydata(), recorded[:, index])
    assert len({line.get_color() for line in found}) == 3
    assert axes.get_xlim() == (0, 50) and axes.get_ylabel() == "$w_i$"
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["$w_i$", r"$\lambda$"]


def test_log_axis_items_without_a_logarithm_are_left_out(session: Session) -> None:
    _, axes = drawn(session, "error")
    assert axes.get_yscale() == "log"
    (component,) = lines(axes, "weights-1")
    np.testing.assert_array_equal(component.get_ydata(), np.abs(session.recent()["weights"][:, 1]))
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["$|e|$", "one", r"$\delta_{\max}$"]
    heights = [line.get_ydata() for line in axes.get_lines() if line.get_gid() is None]
    assert [2.0, 2.0] in [list(height) for height in heights]


def test_a_line_joins_what_is_measured_now_and_then(session: Session) -> None:
    session.trace = Trace({"error": np.float64(np.nan)})
    values = np.full(200, np.nan)
    values[9::20] = np.arange(10.0)
    session.trace.add(Chunk.exact(1, {"error": values}))
    series = (Series(key="error", label="e"), Series(key="error", label="p", points=True))
    rare = TimeView(id="r", title="r", y_label="e", series=series)
    figure = figures.draw(rare, FigureData.of(session))
    for line in lines(figure.axes[0], "error-0"):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(10, 200, 20))
        np.testing.assert_array_equal(line.get_ydata(), np.arange(10.0))


def test_pictures_of_an_earlier_step(session: Session) -> None:
    data = FigureData.of(session, 30)
    assert data.step == 30 and data.trace.last == 50
    np.testing.assert_array_equal(data.observation["target"], 2.0)
    page = figures.draw_page([view(session, "plane")], data)
    assert page.get_suptitle() == "Linear map, step 30 of 50"


def test_live_changes_are_marked(session: Session) -> None:
    _, axes = drawn(session, "weights")
    marks = [list(line.get_xdata()) for line in axes.get_lines() if line.get_gid() is None]
    assert [40, 40] in marks


def svg_points(root: ET.Element, gid: str) -> np.ndarray[Any, Any]:
    """Read the corners of a path of an SVG file, in points from the top left."""
    (path,) = root.findall(f".//svg:g[@id='{gid}']/svg:path", SVG)
    numbers = re.findall(r"[ML] (\S+) (\S+)", path.attrib["d"])
    return np.array(numbers, np.float64)


def svg_ticks(root: ET.Element, axis: int) -> np.ndarray[Any, Any]:
    """Read where the major tick marks of an axis lie."""
    places = []
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        if re.fullmatch(rf"{'xy'[axis]}tick_\d+", group.attrib.get("id", "")):
            marks = group.findall(".//svg:use", SVG)
            places.append([float(marks[0].attrib["x"]), float(marks[0].attrib["y"])][axis])
    return np.array(places)


def test_the_file_has_the_geometry_of_the_data_on_a_log_axis(
    session: Session, tmp_path: Path
) -> None:
    """Heights in the SVG file are affine in log10 of the data, with the scale of the ticks."""
    data = FigureData.of(session)
    figure, axes = drawn(session, "error")
    figures.save(figure, tmp_path / "error.svg", data)
    root = ET.parse(tmp_path / "error.svg").getroot()
    points = svg_points(root, "error-0")
    error = session.recent()["error"]
    assert len(points) == len(error) == 51
    slope, offset = np.polyfit(np.log10(error), points[:, 1], 1)
    np.testing.assert_allclose(slope * np.log10(error) + offset, points[:, 1], atol=2e-3)
    np.testing.assert_allclose(
        points[:, 0], np.linspace(points[0, 0], points[-1, 0], 51), atol=2e-3
    )
    low, high = axes.get_ylim()
    labels = [tick.get_text() for tick in axes.get_yticklabels()]
    assert {"10⁰", "10⁻²"} < set(labels)
    decades = [tick for tick in axes.get_yticks() if low <= tick <= high]
    ticks = svg_ticks(root, 1)
    assert len(ticks) == len(decades) > 2
    np.testing.assert_allclose(slope * np.log10(decades) + offset, ticks, atol=2e-2)


def test_the_file_has_the_geometry_of_a_log_log_curve(session: Session, tmp_path: Path) -> None:
    data = FigureData.of(session)
    figure, axes = drawn(session, "log-plane")
    assert axes.get_xlim() == (0.01, 100.0)
    figures.save(figure, tmp_path / "plane.svg", data)
    points = svg_points(ET.parse(tmp_path / "plane.svg").getroot(), "square-0")
    steps = np.diff(points, axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=2e-3)


def drawn_errors(monkeypatch: pytest.MonkeyPatch, values: np.ndarray) -> Figure:
    """Draw a run that had these errors."""
    experiment = DrawnMap()
    only(monkeypatch, experiment)
    session = Session(experiment, LinearParams(), 0)
    session.trace = Trace({"error": values[0]})
    session.trace.add(Chunk.exact(1, {"error": values[1:]}))
    view = TimeView(id="b", title="b", y_label="e", series=(Series(key="error", label="e"),))
    return figures.draw(view, FigureData.of(session))


def test_pinned_runs_are_drawn_behind_the_run_in_their_colours(session: Session) -> None:
    other = Session(session.experiment, LinearParams(step_size=0.1, width=3), 5)
    other.advance(30)
    pins = (
        PinnedRun("δ = 0.1", "pin2", other.trace.view()),
        PinnedRun("cost $1", "#123456", other.trace.view()),
    )
    data = FigureData.of(session, pins=pins)
    wanted = view(session, "error")
    (axes,) = figures.draw(wanted, data).axes
    for number, shade in ((1, PALETTE["pin2"]), (2, "#123456")):
        (line,) = lines(axes, f"pin-{number}-error")
        np.testing.assert_array_equal(line.get_ydata(), np.abs(other.recent()["error"]))
        assert line.get_color() == shade
        assert line.get_zorder() < lines(axes, "error")[0].get_zorder()
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[-2:] == ["δ = 0.1", r"cost \$1"]
    assert lines(figures.draw(wanted, FigureData.of(session)).axes[0], "pin") == []
    foot = figures.draw_page([wanted], data).get_supxlabel()
    assert "pinned run: δ = 0.1" in foot and r"cost \$1" in foot


def test_an_earlier_step_is_named_and_marked(session: Session) -> None:
    data = FigureData.of(session, 30)
    (axes,) = figures.draw(view(session, "error"), data).axes
    (mark,) = lines(axes, "shown-step")
    assert list(mark.get_xdata()) == [30, 30]
    assert "step 30 of 50" in figures.draw_page([view(session, "error")], data).get_suptitle()
    (axes,) = figures.draw(view(session, "error"), FigureData.of(session)).axes
    assert lines(axes, "shown-step") == []


def test_a_period_two_orbit_is_a_band_on_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    """From buckets alone, both extremes of every bucket are drawn."""
    values = np.where(np.arange(300_000) % 2 == 0, 1.0, 3.0)
    figure = drawn_errors(monkeypatch, values)
    (line,) = lines(figure.axes[0], "error-0")
    drawn_values = np.asarray(line.get_ydata())
    assert set(drawn_values[0::2]) == {1.0} and set(drawn_values[1::2]) == {3.0}
    assert line.get_alpha() is not None and line.get_alpha() < 0.5  # the rest is seen through it
    for edge, height in (("low", 1.0), ("high", 3.0)):
        (found,) = lines(figure.axes[0], f"{edge}-edge-error-0")
        assert set(found.get_ydata()) == {height}
        assert (found.get_xdata()[0], found.get_xdata()[-1]) == (0, line.get_xdata()[-1])


@pytest.mark.parametrize("steps", [900, 4000])
def test_a_period_four_orbit_has_four_branches_on_paper(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The steps that are known one by one are points; what is older has edges."""
    orbit = np.array([1.0, 3.0, 1.5, 2.5])
    figure = drawn_errors(monkeypatch, orbit[np.arange(steps) % 4])
    (points,) = lines(figure.axes[0], "points-error-0")
    assert set(points.get_ydata()) == set(orbit)
    assert points.get_linestyle() == "None"
    assert len(points.get_xdata()) == min(steps, 2048)
    edges = [line for line in figure.axes[0].lines if "-edge-" in str(line.get_gid())]
    assert len(edges) == (0 if steps < 1024 else 2)
    for edge in edges:
        assert edge.get_xdata()[-1] < points.get_xdata()[0]


WILD = (1e-300, 1e300, 0.0, np.nan, -5.0, 1e-320)
NO_LIMIT = (None, None)


@pytest.mark.parametrize(
    ("values", "limit"),
    [
        *((WILD, limit) for limit in (NO_LIMIT, (1e-3, 1e3), (None, 10.0), (20.0, 10.0))),
        *(((number,) * 6, NO_LIMIT) for number in (0.0, np.nan, 2.0, -1.0)),
    ],
)
@pytest.mark.parametrize("log", [False, True])
def test_wild_values_and_none_at_all_leave_a_sound_axis(
    session: Session, values: tuple[float, ...], limit: Any, log: bool
) -> None:
    session.trace = Trace({"error": np.float64(values[0])})
    session.trace.add(Chunk.exact(1, {"error": np.array(values[1:])}))
    series = (Series(key="error", label="e"),)
    odd = TimeView(id="o", title="o", y_label="e", series=series, log_y=log, y_limit=limit)
    figure = figures.draw(odd, FigureData.of(session))
    low, high = figure.axes[0].get_ylim()
    assert np.isfinite([low, high]).all() and low < high


def test_a_limit_bounds_the_axis_not_the_data(session: Session) -> None:
    narrow = TimeView(
        id="n",
        title="n",
        y_label="w",
        series=(Series(key="weights", label="w"),),
        y_limit=(1.9, 2.1),
    )
    figure = figures.draw(narrow, FigureData.of(session))
    assert figure.axes[0].get_ylim() == (1.9, 2.1)
    (line, *_) = lines(figure.axes[0], "weights-")
    assert np.min(line.get_ydata()) < 1.9


def test_a_plane_draws_what_is_there(session: Session) -> None:
    _, axes = drawn(session, "plane")
    assert len(axes.patches) == 2
    assert axes.patches[1].center == (0.5, 0.5) and axes.patches[1].radius == 0.25
    family = lines(axes, "family-")
    np.testing.assert_array_equal(family[2].get_ydata(), 3 * np.linspace(-1, 1, 5))
    assert len(axes.collections) == 3
    np.testing.assert_array_equal(axes.collections[0].get_array(), np.arange(5.0))
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["unit circle", "ball", "curve", "family", "dots", "start", "here"]


def test_images_bars_and_tables(session: Session) -> None:
    _, axes = drawn(session, "heat")
    (image,) = axes.get_images()
    np.testing.assert_array_equal(image.get_array(), np.arange(6.0).reshape(2, 3) - 2)
    assert list(image.get_extent()) == [0.0, 3.0, 0.0, 2.0] and image.get_clim() == (-3.0, 3.0)
    assert image.origin == "lower"
    _, axes = drawn(session, "image")
    assert [text.get_text() for text in axes.texts] == [str(number) for number in range(9)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b, c", "d"]
    _, axes = drawn(session, "grid")
    assert [text.get_text() for text in axes.texts] == ["a", "b, c", "d"]
    page = np.asarray(axes.get_images()[0].get_array().filled(np.nan))
    assert np.nansum(page) == np.arange(12.0).sum() and np.count_nonzero(~np.isnan(page)) == 12
    _, axes = drawn(session, "bars")
    assert [bar.get_height() for bar in axes.patches] == [1.0, 2.0, 3.0]
    _, axes = drawn(session, "table")
    assert [t.get_text() for t in axes.texts] == ["name", r"$\delta$", "x", "0.5", "y", "—"]
    _, axes = drawn(session, "empty")
    assert "nothing to show" in axes.texts[0].get_text()


def png_texts(data: bytes) -> dict[str, str]:
    """Read the text chunks of a PNG file."""
    texts, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"tEXt":
            key, _, text = body.partition(b"\0")
            texts[key.decode("latin-1")] = text.decode("latin-1")
        elif kind == b"iTXt":
            key, _, rest = body.partition(b"\0")
            text = rest[2:].split(b"\0", 2)[2]
            texts[key.decode()] = (zlib.decompress(text) if rest[0] else text).decode()
    return texts


@pytest.mark.parametrize("kind", figures.FORMATS)
def test_every_format_tells_how_the_run_was_made(
    session: Session, tmp_path: Path, kind: figures.Format
) -> None:
    data = FigureData.of(session)
    figure, _ = drawn(session, "weights")
    path = tmp_path / f"weights.{kind}"
    figures.save(figure, path, data)
    content = path.read_bytes()
    if kind == "png":
        text = png_texts(content)["Description"]
    elif kind == "svg":
        (element,) = ET.fromstring(content).iter("{http://purl.org/dc/elements/1.1/}description")
        text = element.text or ""
    else:
        assert content.startswith(b"%PDF")
        assert b"step_size = 0.3" in content and b"values = { step_size = 0.5 }" in content
        return
    assert runfile.loads(text) == runfile.RunSpec.of(session)


def test_the_same_run_gives_the_same_file(session: Session) -> None:
    data = FigureData.of(session)
    for kind in figures.FORMATS:
        first, second = (
            figures.render(figures.draw(view(session, "plane"), data), kind, data) for _ in range(2)
        )
        assert first == second


def test_publishers_take_the_fonts_of_a_pdf(session: Session) -> None:
    data = FigureData.of(session)
    content = figures.render(figures.draw(view(session, "weights"), data), "pdf", data)
    assert b"/FontFile2" in content and b"/Type3" not in content


@pytest.mark.parametrize("as_text", [False, True])
def test_letters_of_an_svg_figure_stay_text_on_request(
    session: Session, tmp_path: Path, as_text: bool
) -> None:
    figure, _ = drawn(session, "weights")
    figures.save(figure, tmp_path / "a.svg", FigureData.of(session), svg_text=as_text)
    texts = ET.parse(tmp_path / "a.svg").iter("{http://www.w3.org/2000/svg}text")
    assert any(True for _ in texts) == as_text


def test_resolution(session: Session) -> None:
    data = FigureData.of(session)
    figure, _ = drawn(session, "weights")
    for dpi in (100, 300):
        width, height = struct.unpack(">II", figures.render(figure, "png", data, dpi=dpi)[16:24])
        assert (width, height) == (round(6.4 * dpi), round(3.6 * dpi))
    with pytest.raises(InputError, match="dpi: 5 is not allowed; give a whole number from 30"):
        figures.render(figure, "png", data, dpi=5)


def test_the_page_has_the_views_that_are_shown_at_first(session: Session) -> None:
    data = FigureData.of(session)
    views = session.experiment.views(session.params)
    page = figures.draw_page([view for view in views if view.shown], data)
    titles = [axes.get_title(loc="left") for axes in page.axes]
    assert [title for title in titles if title] == [view.title for view in views if view.shown]


def test_a_name_with_another_ending_is_refused(session: Session, tmp_path: Path) -> None:
    figure, _ = drawn(session, "weights")
    with pytest.raises(InputError, match=r"ends in \.png, \.svg or \.pdf"):
        figures.save(figure, tmp_path / "weights.gif", FigureData.of(session))


def test_the_users_own_settings_of_matplotlib_stay(session: Session) -> None:
    with mpl.rc_context({"lines.linewidth": 17.0}):
        _, axes = drawn(session, "weights")
        assert mpl.rcParams["lines.linewidth"] == 17.0
    assert lines(axes, "weights-")[0].get_linewidth() < 2


def test_an_extent_keeps_the_unit_circle_and_tells_what_is_beyond() -> None:
    experiment = registry.get("scalar-product")
    values = {"depth": 2, "target": 2.0, "init": "list", "weights": (10.0, 0.2), "step_size": 0.5}
    run = Session(experiment, build(experiment.parameters, values))
    view = next(view for view in experiment.views(run.params) if view.id == "spectrum")
    (axes,) = figures.draw(view, FigureData.of(run)).axes
    assert axes.get_xlim() == (-8.0, 1.8)
    assert axes.get_ylim() == (-1.4, 1.4)
    assert [text.get_text() for text in axes.texts] == ["−49"]
    run = Session(experiment, build(experiment.parameters, {"step_size": 0.1}))
    (axes,) = figures.draw(view, FigureData.of(run)).axes
    assert axes.get_xlim() == (-2.2, 1.8)
    assert not axes.texts


def test_a_figure_tells_what_is_beyond_as_the_window_does() -> None:
    """Once each, also at corners, with the number of all that is beyond the same side."""
    points = {"re": np.array([0.5, -12.0, -40.0, -9.0]), "im": np.array([0.0, 0.0, 1.0, 70.0])}
    view = PlaneView(
        id="plane",
        title="Plane",
        help="Points.",
        x_label="x",
        y_label="y",
        x_extent=CIRCLE_X,
        y_extent=CIRCLE_Y,
        items=(Points(x="re", y="im"),),
    )
    of_run = FigureData.of(Session(LinearMap(), LinearParams(), 0))
    data = dataclasses.replace(of_run, observation=points)
    (axes,) = figures.draw(view, data).axes
    assert (axes.get_xlim(), axes.get_ylim()) == ((-8.0, 1.8), (-1.4, 4.0))
    assert [text.get_text() for text in axes.texts] == ["−40 +1", "70"]
    left, top = (text.xy for text in axes.texts)
    assert left == pytest.approx((-8.0, 1.0)) and top == pytest.approx((-8.0, 4.0))


def test_a_push_is_told_below_a_figure() -> None:
    run = Session(LinearMap(), LinearParams(), 0)
    run.advance(12)
    run.nudge(1e-3)
    run.advance(12)
    (view, *_) = run.experiment.views(run.params)
    figure = figures.draw_page([view], FigureData.of(run))
    texts = figure.get_supxlabel()
    assert "at step 12: nudge = 10⁻³" in texts
    marks = [line for line in figure.axes[0].lines if list(line.get_xdata()) == [12, 12]]
    assert len(marks) == 1


def test_a_pdf_figure_embeds_each_font_without_its_typesetting_tables(session: Session) -> None:
    """Its text stays TrueType, and fontTools loads fonts as before once it is written."""
    loader = subset.load_font
    figure, _ = drawn(session, "weights")
    pdf = figures.render(figure, "pdf", FigureData.of(session))
    assert subset.load_font is loader
    streams = [
        zlib.decompress(part.partition(b"\nendstream")[0])
        for part in pdf.split(b"stream\n")
        if part.startswith(b"x")
    ]
    fonts = [stream for stream in streams if stream.startswith(b"\x00\x01\x00\x00")]
    assert fonts
    for content in fonts:
        with TTFont(io.BytesIO(content)) as font:
            assert "glyf" in font and not {"GSUB", "GPOS", "MATH"} & set(font.keys())
