"""Lines in pixels: reduction to columns, bands, and what is painted."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from gui.plots.canvas.groups import INK_LIMIT, draw_groups
from gui.plots.canvas.lines import COLUMN, Mapper, Stroke, band_picture, columns, strokes
from gui.plots.canvas.paint import Group, Scene, pieces, polygon
from gui.style.theme import LIGHT

PLOT = QRectF(40, 10, 400, 200)


def mapper(y: tuple[float, float] = (-1.0, 1.0), x: tuple[float, float] = (0.0, 2000.0), **log):
    return Mapper(PLOT, x, y, **log)


def painted(groups: list[Group], where: Mapper) -> QImage:
    image = QImage(460, 230, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setClipRect(PLOT)
    draw_groups(painter, Scene(where, LIGHT), groups)
    painter.end()
    return image


def inked(image: QImage, x: float, y: float, reach: int = 2) -> bool:
    """Return whether anything is drawn near a pixel."""
    white = QColor("white").rgb()
    around = range(-reach, reach + 1)
    return any(image.pixel(int(x) + i, int(y) + j) != white for i in around for j in around)


def test_the_mapper_goes_there_and_back() -> None:
    where = mapper()
    assert where.px(np.array([0.0, 2000.0])).tolist() == [40.0, 440.0]
    assert where.py(np.array([-1.0, 1.0])).tolist() == [210.0, 10.0]
    assert where.x_at(240.0) == pytest.approx(1000.0)
    assert where.y_at(110.0) == pytest.approx(0.0)
    log = mapper(y=(-4.0, 0.0), log_y=True)
    assert log.py(np.array([1.0, 1e-2])) == pytest.approx([10.0, 110.0])
    assert log.y_at(110.0) == pytest.approx(1e-2)


@pytest.mark.parametrize("log", [False, True])
def test_the_mapper_takes_any_number(log: bool) -> None:
    where = mapper(log_y=log)
    values = np.array([0.0, -1.0, 1e308, -1e308, np.inf, -np.inf, 5e-324])
    assert np.isfinite(where.py(values)).all()
    assert np.isnan(where.py(np.array([np.nan])))[0]


def test_few_points_stay_as_they_are() -> None:
    x = np.linspace(0, 400, 100)
    values = np.sin(x)[:, None]
    reduced = columns(x, values)
    assert reduced.is_exact
    assert reduced.low is values


def test_many_points_become_a_minimum_and_a_maximum_a_column() -> None:
    x = np.linspace(0, 400, 20_000)
    rng = np.random.default_rng(1)
    values = rng.standard_normal((20_000, 3))
    reduced = columns(x, values)
    assert len(reduced.x) <= 400 / COLUMN + 1
    assert (np.diff(reduced.x) > 0).all()
    assert reduced.low.min(axis=0) == pytest.approx(values.min(axis=0))
    assert reduced.high.max(axis=0) == pytest.approx(values.max(axis=0))
    inside = (x >= 100) & (x < 102)
    column = int(np.flatnonzero(reduced.x == 101.0)[0])
    assert reduced.low[column] == pytest.approx(values[inside].min(axis=0))


def test_columns_skip_what_was_not_measured() -> None:
    x = np.linspace(0, 100, 1000)
    values = np.full((1000, 1), np.nan)
    values[::7] = 1.0
    reduced = columns(x, values)
    assert np.nanmax(reduced.high) == 1.0


def test_pairs_of_an_old_trace_are_a_band_however_far_apart() -> None:
    x = np.repeat(np.arange(0.0, 400.0, 40.0), 2)
    values = np.tile([-0.5, 0.5], 10)[:, None]
    reduced = columns(x, values)
    assert not reduced.is_exact
    assert (reduced.low == -0.5).all()
    assert strokes(reduced, mapper())[0].y_high is not None


def test_a_period_two_orbit_is_a_band_and_a_decay_is_a_line() -> None:
    k = np.arange(2000.0)
    where = mapper()
    orbit = np.where(k % 2 == 0, -0.5, 0.5)[:, None]
    decay = np.exp(-k / 100)[:, None]
    band = strokes(columns(where.px(k), orbit), where)[0]
    assert band.y_high is not None
    assert band.y == pytest.approx(160.0)
    assert band.y_high == pytest.approx(60.0)
    line = strokes(columns(where.px(k), decay), where)[0]
    assert line.y_high is None
    assert np.interp(240.0, line.x, line.y) == pytest.approx(
        float(where.py(np.array([np.exp(-10.0)]))[0]), abs=1.0
    )


def test_a_steep_line_of_buckets_stays_a_line() -> None:
    steps = np.repeat(np.arange(0, 2000, 4.0), 2)
    low, high = np.exp(-(steps[::2] + 4) / 200), np.exp(-steps[::2] / 200)
    values = np.empty(len(steps))
    values[0::2], values[1::2] = low, high
    where = mapper(y=(-5.0, 0.0), log_y=True)
    stroke = strokes(columns(where.px(steps), values[:, None]), where)[0]
    assert stroke.y_high is None
    assert (np.diff(stroke.y) >= -1e-6).all(), "a falling line must not go back up"


def test_bands_are_painted_where_they_are_and_only_there() -> None:
    stroke = Stroke(np.arange(41.0, 440.0, 2.0), np.full(200, 150.0), np.full(200, 70.0), 0.0)
    picture = band_picture([stroke], np.array([[255.0, 0.0, 0.0]]), PLOT, 2.0, 0.5)
    assert picture.shape == (100, 200)
    assert picture[50, 100] == 0x7F7F0000
    assert picture[10, 100] == picture[90, 100] == 0


def test_overlapping_bands_mix_and_grow_denser_in_any_order() -> None:
    x = np.arange(41.0, 440.0, 2.0)
    one = Stroke(x, np.full(200, 150.0), np.full(200, 70.0), 0.0)
    two = Stroke(x, np.full(200, 130.0), np.full(200, 30.0), 0.0)
    colors = np.array([[200.0, 0.0, 0.0], [0.0, 0.0, 200.0]])
    there = band_picture([one, two], colors, PLOT, 2.0, 0.5)
    back = band_picture([two, one], colors[::-1], PLOT, 2.0, 0.5)
    assert (there == back).all()
    alpha = there[45, 100] >> 24
    assert alpha == 191  # 1 - 0.5²
    red, blue = (int(there[45, 100]) >> 16) & 255, int(there[45, 100]) & 255
    assert abs(red - blue) <= 1


def test_a_nan_breaks_a_line() -> None:
    x = np.arange(6.0)
    y = np.array([0.0, 1.0, np.nan, 3.0, np.nan, 5.0])
    assert [part[1].tolist() for part in pieces(x, y)] == [[0.0, 1.0], [3.0], [5.0]]
    assert len(pieces(x, x)) == 1
    assert pieces(x[:0], y[:0])[0][0].size == 0


def test_polygons_take_the_arrays_as_they_are() -> None:
    shape = polygon(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert isinstance(shape, QPolygonF)
    assert [(p.x(), p.y()) for p in shape] == [(1.0, 3.0), (2.0, 4.0)]
    assert polygon(np.array([]), np.array([])).isEmpty()


def test_what_is_painted_is_where_the_values_are() -> None:
    k = np.arange(200.0)
    where = mapper(x=(0.0, 199.0))
    line = Group(k, np.linspace(-1, 1, 200)[:, None], (QColor("black"),))
    image = painted([line], where)
    assert inked(image, 240, 110)
    assert not inked(image, 140, 60)
    assert not inked(image, 340, 160)


def test_a_band_is_filled_faintly_between_strong_edges() -> None:
    k = np.repeat(np.arange(0.0, 20_000.0, 20.0), 2)
    orbit = np.tile([-0.5, 0.5], len(k) // 2)[:, None]
    image = painted([Group(k, orbit, (QColor("black"),))], mapper(x=(0.0, 20_000.0)))
    middle = QColor(image.pixel(240, 110)).lightness()
    edge = min(QColor(image.pixel(240, y)).lightness() for y in (59, 60, 61))
    assert 150 < middle < 230
    assert edge < 120
    assert not inked(image, 240, 40)


def dark_rows(image: QImage, first: int, last: int) -> list[int]:
    """List the rows of the plot that are dark at most pixels between two columns."""
    across = range(first, last)
    return [
        y
        for y in range(11, 209)
        if sum(QColor(image.pixel(x, y)).lightness() < 128 for x in across) > len(across) / 2
    ]


@pytest.mark.parametrize("orbit", [(-0.5, 0.5), (-0.5, 0.6, -0.2, 0.3)])
def test_each_branch_of_a_cycle_is_a_line(orbit: tuple[float, ...]) -> None:
    """Where all steps are known a cycle of period p has p lines and little between them."""
    k = np.arange(1600.0)
    values = np.array(orbit)[np.arange(1600) % len(orbit)][:, None]
    where = mapper(x=(0.0, 1600.0))
    image = painted([Group(k, values, (QColor("black"),))], where)
    rows = dark_rows(image, 60, 430)
    heights = [int(where.py(np.array([value]))[0]) for value in sorted(orbit, reverse=True)]
    assert len(rows) == 2 * len(orbit)
    assert all(any(abs(row - height) <= 1 for row in rows) for height in heights)
    assert QColor(image.pixel(240, 110)).lightness() > 200


def test_chaos_is_a_cloud() -> None:
    k = np.arange(1600.0)
    values = np.random.default_rng(0).uniform(-0.8, 0.8, (1600, 1))
    image = painted([Group(k, values, (QColor("black"),))], mapper(x=(0.0, 1600.0)))
    assert dark_rows(image, 60, 430) == []
    shades = [QColor(image.pixel(x, y)).lightness() for x in range(60, 430) for y in range(40, 180)]
    assert 0.02 < np.mean(np.array(shades) < 150) < 0.4


def test_the_newest_steps_show_their_branches_beside_older_buckets() -> None:
    k = np.repeat(np.arange(0.0, 4000.0, 4.0), 2)
    band = np.tile([-0.5, 0.5], len(k) // 2)[:, None]
    newest = np.arange(2000.0, 4000.0)
    orbit = np.array([-0.5, 0.5, -0.1, 0.2])[np.arange(2000) % 4][:, None]
    line = Group(k, band, (QColor("black"),), recent=(newest, orbit))
    image = painted([line], mapper(x=(0.0, 4000.0)))
    assert len(dark_rows(image, 260, 430)) == 8
    older = [QColor(image.pixel(120, y)).lightness() for y in (90, 120)]
    assert older[0] == older[1] < QColor(image.pixel(350, 110)).lightness()


def test_lines_are_drawn_as_long_as_there_is_room() -> None:
    """One and a half pixels a step are enough; a line that keeps turning is faint between them."""
    x = np.arange(0.0, 300.0, 1.5)
    values = np.where(np.arange(200) % 2 == 0, -0.5, 0.5)[:, None]
    reduced = columns(x, values)
    assert reduced.is_exact
    (stroke,) = strokes(reduced, mapper(x=(0.0, 400.0)))
    assert stroke.is_weave and stroke.y_high is None
    assert not columns(x / 1.1, values).is_exact
    (smooth,) = strokes(columns(x, np.linspace(-1, 1, 200)[:, None]), mapper(x=(0.0, 400.0)))
    assert not smooth.oscillates


@pytest.mark.parametrize("lines", [1, 20])
def test_any_data_can_be_painted(lines: int) -> None:
    rng = np.random.default_rng(0)
    k = np.arange(3000.0)
    colors = tuple(LIGHT.line_colors("ramp", lines))
    wild = rng.standard_normal((3000, lines)) * 10.0 ** rng.integers(-300, 300, (3000, lines))
    wild[rng.random((3000, lines)) < 0.1] = np.nan
    wild[5] = np.inf
    for log in (False, True):
        painted([Group(k, wild, colors)], mapper(log_y=log))
        painted([Group(k[:0], wild[:0], colors)], mapper(log_y=log))
        painted([Group(k[:1], wild[:1], colors)], mapper(log_y=log))
        painted([Group(k, np.full_like(wild, np.nan), colors)], mapper(log_y=log))


def test_a_run_zoomed_out_to_one_column_is_a_stroke_there() -> None:
    k = np.arange(3000.0)
    for values in (np.linspace(-0.5, 0.5, 3000), np.linspace(0.5, -0.5, 3000)):
        where = mapper(x=(-1e6, 1e6))
        assert len(columns(where.px(k), values[:, None]).x) == 1
        image = painted([Group(k, values[:, None], (QColor("red"),))], where)
        assert inked(image, PLOT.center().x(), PLOT.center().y())
        assert not inked(image, PLOT.center().x() + 20, PLOT.center().y())


def test_what_lies_beside_the_plot_is_not_painted() -> None:
    k = np.arange(100.0)
    line = Group(k, np.zeros((100, 1)), (QColor("black"),))
    image = painted([line], mapper(x=(500.0, 600.0)))
    assert not inked(image, 240, 110)
    zoomed = painted([line], mapper(x=(40.2, 40.8)))
    assert inked(zoomed, 240, 110), "between two points the line that joins them is seen"


def test_any_stretch_of_pairs_is_a_band() -> None:
    """The ends of a stretch may fall between the two points of a pair, or of its neighbours."""
    k = np.repeat(np.arange(0.0, 2000.0, 64.0), 2)
    line = Group(k, np.tile([-0.5, 0.5], len(k) // 2)[:, None], (QColor("black"),))
    for low, high in ((100.0, 1000.0), (128.0, 1000.0), (100.0, 1024.0), (128.0, 1024.0)):
        image = painted([line], mapper(x=(low, high)))
        assert inked(image, 240, 110), "between the edges"
        assert not inked(image, 240, 40)


def test_the_ink_of_a_plot_is_bounded() -> None:
    """Twenty lines that cross the plot at every few pixels are not drawn as such."""
    k = np.arange(130.0)
    swing = np.where(k % 2 == 0, -0.9, 0.9)[:, None] * np.ones(20)
    where = mapper(x=(0.0, 130.0))
    exact = strokes(columns(where.px(k), swing), where)
    assert sum(stroke.ink for stroke in exact) > INK_LIMIT
    image = painted([Group(k, swing, LIGHT.line_colors("ramp", 20))], where)
    one = painted([Group(k, swing[:, :1], (QColor("black"),))], where)
    made = [QColor(image.pixel(x, 110)).lightness() for x in range(60, 400)]
    assert min(made) > 200, "nothing but the fill crosses the middle"
    assert any(not inked(one, x, 110, 0) for x in range(60, 400)), "one line is drawn as it is"
