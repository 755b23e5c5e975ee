"""Pictures of maps: right colours, shares of what is computed, legible with any colour vision."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as any_arrays

from engine.maps.colors import (
    LEVELS,
    PAPER,
    PaperPalette,
    channels,
    color_map,
    from_oklab,
    hexadecimal,
    limit_color,
    shades,
    to_oklab,
)
from engine.maps.kind import CellClass, CellField
from engine.maps.kinds.ends import LONGEST, _classes
from engine.maps.picture import (
    NOT_YET,
    area_color,
    ends_of,
    layers_of,
    levels,
    picture_of_classes,
    picture_of_field,
    picture_of_points,
)
from gui.style.theme import DARK, LIGHT

PALETTES = [PAPER, LIGHT, DARK]
CLASSES = (
    CellClass(code=0, name="minimum", color="limit:0", shade="steps"),
    CellClass(code=1, name="cycle", color="limit:1"),
    CellClass(code=9, name="undecided", color="muted"),
)
FIELDS = (
    CellField(name="outcome", label="outcome", dtype="u1"),
    CellField(name="steps", label="steps", dtype="i4", log=True),
)
# Viénot, Brettel & Mollon 1999, on linear channels.
BLIND = {
    "protanopia": np.array(
        [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]]
    ),
    "deuteranopia": np.array(
        [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]]
    ),
}


def seen(color: str, vision: str) -> np.ndarray:
    """Return a colour in Oklab as someone of a kind of colour blindness sees it."""
    share = np.array(channels(color)) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    out = np.clip(BLIND[vision] @ linear, 0, 1)
    back = np.where(out <= 0.0031308, 12.92 * out, 1.055 * out ** (1 / 2.4) - 0.055)
    return to_oklab(255.0 * back)


def test_oklab_there_and_back() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(0, 256, 15)] * 3), axis=-1).reshape(-1, 3)
    np.testing.assert_array_equal(from_oklab(to_oklab(grid)), grid)
    assert to_oklab(np.array([255, 255, 255]))[0] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("palette", PALETTES, ids=["paper", "light", "dark"])
@pytest.mark.parametrize("index", range(9))
def test_shades_run_evenly_from_near_the_ground(palette: PaperPalette, index: int) -> None:
    table = shades(limit_color(index, palette), palette.is_dark)
    lightness = to_oklab(table)[:, 0]
    steps = np.diff(lightness) * (1 if palette.is_dark else -1)
    assert (steps > -0.004).all()  # rounding to 8 bits, and what no screen shows
    assert abs(lightness[-1] - lightness[0]) > 0.4
    ground = to_oklab(np.array(channels(palette.surface)))[0]
    assert abs(lightness[0] - ground) < abs(lightness[-1] - ground)


@pytest.mark.parametrize("palette", PALETTES, ids=["paper", "light", "dark"])
@pytest.mark.parametrize("vision", BLIND)
def test_the_first_limits_are_told_apart_with_any_colour_vision(
    palette: PaperPalette, vision: str
) -> None:
    colors = [seen(limit_color(index, palette), vision) for index in range(3)]
    colors.append(seen(area_color("bad", palette), vision))
    colors.append(seen(area_color("muted", palette), vision))
    for one, other in itertools.combinations(colors, 2):
        assert np.linalg.norm(one - other) > 0.05


@pytest.mark.parametrize("palette", PALETTES, ids=["paper", "light", "dark"])
def test_colors_of_many_limits_differ(palette: PaperPalette) -> None:
    colors = [limit_color(index, palette) for index in range(24)]
    assert len(set(colors)) == 24


def test_classes_have_their_colors_and_shares_count_computed_cells_alone() -> None:
    codes = np.array([[0, 0, 1, 9], [0, 0, 1, NOT_YET]], np.uint8)
    known = np.array([[True, True, True, True], [False, False, False, False]])
    steps = np.array([[1, 100, 5, 9], [1, 100, 5, 9]], np.int32)
    fields = {"outcome": codes, "steps": steps}
    picture = picture_of_classes(CLASSES, FIELDS, fields, known, PAPER)
    shares = {swatch.name: swatch.share for swatch in picture.swatches}
    assert shares == {"minimum": 0.5, "cycle": 0.25, "undecided": 0.25}
    assert picture.swatches[0].name == "minimum" and picture.swatches[0].bar is not None
    assert picture.rgba[1, 3, 3] == 0 and picture.rgba[0, :, 3].min() == 255
    assert hexadecimal(picture.rgba[0, 2, :3]) == area_color("limit:1", PAPER)
    light, dark = (to_oklab(picture.rgba[0, k, :3])[0] for k in (0, 1))
    assert light > dark  # few steps are nearest the ground


def test_undecided_cells_are_grey_and_hatched() -> None:
    codes = np.full((24, 24), 9, np.uint8)
    known = np.ones_like(codes, bool)
    fields = {"outcome": codes, "steps": np.ones((24, 24), np.int32)}
    picture = picture_of_classes(CLASSES, FIELDS, fields, known, PAPER)
    colors = {tuple(pixel) for pixel in picture.rgba[..., :3].reshape(-1, 3).tolist()}
    assert len(colors) == 2 and picture.swatches[0].hatched
    chroma = np.hypot(*np.moveaxis(to_oklab(np.array(sorted(colors)))[:, 1:], 1, 0))
    assert (chroma < 0.05).all()


def test_hatching_is_as_fine_where_cells_are_large() -> None:
    fields = {"outcome": np.full((2, 3), 9, np.uint8), "steps": np.ones((2, 3), np.int32)}
    known = np.ones((2, 3), bool)
    rgba = picture_of_classes(CLASSES, FIELDS, fields, known, PAPER, grain=(12, 8)).rgba
    assert rgba.shape == (24, 24, 4)
    row, column = np.indices((24, 24))
    ink = (rgba != rgba[0, 1]).any(axis=-1)
    np.testing.assert_array_equal(ink, (row + column) % 6 == 0)


def test_a_screen_is_shown_what_to_hatch() -> None:
    codes = np.array([[0, 9, 1], [9, 0, 1]], np.uint8)
    fields = {"outcome": codes, "steps": np.ones((2, 3), np.int32)}
    known = np.ones((2, 3), bool)
    picture = picture_of_classes(CLASSES, FIELDS, fields, known, PAPER, has_hatching=False)
    assert picture.hatched is not None
    np.testing.assert_array_equal(picture.hatched, codes == 9)
    assert len({tuple(pixel) for pixel in picture.rgba[codes == 9].tolist()}) == 1
    known_all = {"outcome": np.zeros((2, 3), np.uint8), "steps": np.ones((2, 3), np.int32)}
    drawn = picture_of_classes(CLASSES, FIELDS, known_all, known, PAPER, has_hatching=False)
    assert drawn.hatched is None


@pytest.mark.parametrize("palette", PALETTES)
def test_no_two_periods_have_the_same_color(palette: PaperPalette) -> None:
    roles = [each.color for each in _classes(np.empty((0, 3)), np.empty(0), True, True)]
    periods = [role for role in roles if role.startswith("cycle:")]
    assert len(periods) == LONGEST - 1
    drawn = [area_color(role, palette) for role in [*periods, "muted"]]
    lab = to_oklab(np.array([channels(color) for color in drawn]))
    gaps = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + np.eye(len(lab))
    assert gaps.min() > 0.04


def test_a_field_alone_spans_its_colors() -> None:
    field = CellField(name="sharpness", label="sharpness")
    values = np.linspace(1.0, 3.0, 401).reshape(1, -1)
    values[0, 7] = np.nan
    picture = picture_of_field(field, values, np.isfinite(values), PAPER)
    assert picture.bar is not None and picture.bar.low < 1.1 and picture.bar.high > 2.9
    assert picture.rgba[0, 7, 3] == 0
    lightness = to_oklab(picture.rgba[0, 10:, :3])[:, 0]
    assert lightness[0] > lightness[-1]


def test_a_diverging_field_has_its_middle_at_zero() -> None:
    field = CellField(name="exponent", label="exponent", colormap="diverging")
    values = np.array([[-1.0, 0.0, 3.0]])
    bar = picture_of_field(field, values, np.ones((1, 3), bool), PAPER).bar
    assert bar is not None and bar.low == -bar.high


def test_whole_numbers_that_are_not_computed_are_left_out() -> None:
    field = CellField(name="steps", label="steps", dtype="i4")
    values = field.empty(1, 4)
    values[0, 0] = 3
    picture = picture_of_field(field, values, values == 3, PAPER)
    assert picture.rgba[0, :, 3].tolist() == [255, 0, 0, 0]


@given(any_arrays(np.float64, st.integers(0, 40), elements=st.floats(width=64)), st.booleans())
def test_any_values_have_ends_and_levels(values: np.ndarray, log: bool) -> None:
    ends = ends_of(values, log=log)
    shown = values[np.isfinite(values) & ((values > 0) if log else True)]
    assert (ends is None) == (shown.size == 0)
    if ends is not None and math.isfinite(ends[1] - ends[0]) and ends[0] < ends[1]:
        place = levels(shown, *ends, log=log)
        assert place.max(initial=0) < LEVELS


def test_points_of_a_diagram_land_on_their_rows() -> None:
    points = np.array([[0.05, 0.05], [0.95, 0.45], [np.nan, 5.0]])
    rgba = picture_of_points(points, 0.0, 1.0, 10, PAPER).rgba
    assert np.argwhere(rgba[..., 3]).tolist() == [[0, 0], [4, 1], [9, 1]]
    assert rgba[0, 0, 3] >= rgba[4, 1, 3]


def test_color_maps_begin_and_end_with_their_stops() -> None:
    table = color_map(PAPER.sequential)
    assert hexadecimal(table[0]) == PAPER.sequential[0]
    assert hexadecimal(table[-1]) == PAPER.sequential[-1]


def test_layers_begin_with_the_usual_one() -> None:
    assert list(layers_of(FIELDS)) == ["outcome", "steps"]
    wide = CellField(name="points", label="$x$", width=9)
    exponent = CellField(name="exponent", label="exponent")
    assert list(layers_of((exponent, wide))) == ["points", "exponent"]
