"""Surfaces as they are seen: scales of height, what is hidden, and where things lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.figures.relief import Eye, Relief, Scale, round_numbers

SIDE = np.linspace(-1.0, 1.0, 41)
X, Y = np.meshgrid(SIDE, SIDE)
EXTENT = (-1.0, 1.0, -1.0, 1.0)
TABLE = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
EYES = st.builds(Eye, st.floats(-180, 180), st.floats(15, 80))
HIGH_EYES = st.builds(Eye, st.floats(-180, 180), st.floats(40, 80))
"""From where all of a plane is seen."""


def relief(values: np.ndarray, eye: Eye | None = None, width: int = 120) -> Relief:
    return Relief(values, EXTENT, eye or Eye(), width)


@given(HIGH_EYES, st.floats(-0.9, 0.9), st.floats(-0.9, 0.9))
def test_what_is_seen_at_a_point_of_the_surface_is_that_point(eye: Eye, x: float, y: float) -> None:
    """On a plane, of which nothing is hidden; a pixel is a few thousandths wide."""
    made = relief(0.3 * X, eye)
    across, up, hidden = made.points(np.array([x]), np.array([y]))
    assert hidden[0] == 0.0
    place = made.place_at(float(across[0]), float(up[0]))
    assert place is not None
    near = 0.05 / np.sin(np.radians(eye.elevation))
    assert place == pytest.approx((x, y, 0.3 * x), abs=near)


@given(EYES)
def test_a_hill_hides_what_is_behind_its_foot_and_nothing_in_front(eye: Eye) -> None:
    made = relief(np.maximum(0.0, 1.0 - 2.0 * np.hypot(X, Y)), Eye(eye.azimuth, 25.0))
    turn = np.radians(eye.azimuth)
    toward = 0.25 * np.array([np.cos(turn), np.sin(turn)])
    x, y = np.array([toward[0], -toward[0]]), np.array([toward[1], -toward[1]])
    assert made.points(x, y)[2].tolist() == [0.0, 1.0]
    seen, hidden = made.line(x, y)
    assert np.isfinite(seen[0]).any() and np.isfinite(hidden[0]).any()
    drawn = np.isfinite(seen[0]) | np.isfinite(hidden[0])
    assert drawn.all()


def test_a_hole_in_the_domain_is_not_painted_over() -> None:
    values = np.where(X > 0.5, np.nan, X)
    made = relief(values)
    across, _, _ = made.points(np.array([0.8, -0.5]), np.array([0.0, 0.0]))
    assert np.isnan(across[0]) and np.isfinite(across[1])
    pixels = made.colored(TABLE)
    full = relief(X).colored(TABLE)
    assert 0 < (pixels[..., 3] > 0).sum() < 0.85 * (full[..., 3] > 0).sum()


@pytest.mark.parametrize("azimuth", [-170.0, -100.0, -60.0, 10.0, 45.0, 130.0])
def test_numbers_stand_under_their_places_on_the_axes(azimuth: float) -> None:
    made = relief(X + Y, Eye(azimuth))
    texts = made.texts("x", "y", "f")
    assert [text.text for text in texts if text.is_label and text.text in "xyf"].count("f") == 1
    assert {text.text for text in texts if text.is_label} == {"x", "y", "f"}
    low = min(made.sides()[0][1].min(), made.sides()[1][1].min())
    below = [text for text in texts if text.away[1] < 0]
    assert below and all(text.at[1] >= low - 1e-9 for text in below)
    heights = [text for text in texts if text.away == (-1.0, 0.0)]
    assert [float(text.text.replace("−", "-")) for text in heights] == [-2, -1, 0, 1, 2]
    assert np.diff([text.at[1] for text in heights]).tolist() == pytest.approx(
        [heights[1].at[1] - heights[0].at[1]] * 4
    )


def test_heights_are_logarithmic_where_the_range_is_wide_and_the_axis_says_so() -> None:
    near, wide = Scale.of(X**2 + Y**2 + 0.2), Scale.of((X**2 + Y**2) ** 4 * 1e4 - 3.0)
    assert near is not None and wide is not None
    assert near.name("f") == "f" and near.heights(np.array([1.2])) == pytest.approx(0.5)
    assert "log" in wide.name("f") and wide.name("f").startswith("f + 3")
    places = [at for at, _ in wide.ticks]
    assert places[0] == 0.0 and all(0 <= at <= 1 for at in places) and len(places) > 2
    for height in (0.0, 0.4, 1.0):
        back = wide.heights(np.array([wide.value(height)]))[0]
        assert back == pytest.approx(height, abs=1e-12)


@pytest.mark.parametrize("values", [[0.0, 0.0], [np.nan, np.nan], [np.inf, 1.0]])
def test_nothing_to_see_has_no_scale(values: list[float]) -> None:
    assert Scale.of(np.array(values)) is None


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_round_numbers_lie_between_their_ends(low: float, span: float) -> None:
    found = round_numbers(low, low + span)
    assert 1 <= len(found) <= 9
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert all(low - slack <= each <= low + span + slack for each in found)
