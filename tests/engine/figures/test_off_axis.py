"""Points outside the axes of a plane are marked once each, at the side they exceed by more."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.figures.off_axis import OffAxis, off_axis

ENDS = np.array([[-8.0, 4.0], [-4.0, 4.0]])  # 12 wide and 8 high


def marked(*points: tuple[float, float], **more: tuple[bool, bool]) -> list[tuple[int, int, float]]:
    """Find axis, sign and value of all that is told."""
    found = off_axis(np.array(points, np.float64).reshape(-1, 2).T, ENDS, **more)
    return [(item.axis, item.sign, item.value) for item in found]


def test_each_side_tells_its_farthest_point_and_how_many_there_are() -> None:
    points = np.array([[0.5, -40.0, -12.0, 900.0, 1.0], [0.0, 1.0, 2.0, 3.0, -70.0]])
    assert off_axis(points, ENDS) == (
        OffAxis(axis=0, sign=-1, value=-40.0, across=1.0, count=2),
        OffAxis(axis=0, sign=1, value=900.0, across=3.0, count=1),
        OffAxis(axis=1, sign=-1, value=-70.0, across=1.0, count=1),
    )
    assert off_axis(points, ENDS)[0].label("−40") == "−40 +1"
    assert off_axis(points, ENDS)[1].label("900") == "900"


def test_what_lies_on_an_end_or_inside_is_not_marked() -> None:
    assert marked((-8.0, 0.0), (4.0, 4.0), (-8.0, -4.0), (1.0, 1.0)) == []
    assert marked() == []


@pytest.mark.parametrize(
    ("point", "side"),
    [
        ((-9.0, 7.0), (1, 1, 7.0)),  # 1/12 of the width, 3/8 of the height
        ((-9.0, 1000.0), (1, 1, 1000.0)),
        ((-1000.0, 5.0), (0, -1, -1000.0)),
        ((7.0, 6.0), (0, 1, 7.0)),  # 1/4 of both: along x
        ((7.0, -6.5), (1, -1, -6.5)),
        ((-np.inf, 5.0), (0, -1, -np.inf)),
        ((5.0, np.inf), (1, 1, np.inf)),
        ((1e308, -1e308), (1, -1, -1e308)),
    ],
)
def test_a_point_outside_both_axes_is_marked_once_at_the_side_it_exceeds_by_more(
    point: tuple[float, float], side: tuple[int, int, float]
) -> None:
    assert marked(point) == [side]


def test_the_farthest_of_a_side_is_that_along_its_axis() -> None:
    """A point outside both axes may be farther off, and is marked at another side."""
    assert marked((-10.0, 0.0), (-9.5, 100.0), (-9.0, 0.0)) == [(0, -1, -10.0), (1, 1, 100.0)]


def test_points_that_are_not_known_are_left_out() -> None:
    assert marked((np.nan, 99.0), (99.0, np.nan), (99.0, 0.0)) == [(0, 1, 99.0)]


def test_a_log_axis_is_measured_in_powers_of_ten() -> None:
    """1.5 decades to the right are less than 4 up; what has no logarithm lies below."""
    ends = np.array([[1.0, 100.0], [1.0, 100.0]])
    points = np.array([[10.0**3.5, 10.0], [1e6, -1.0]])
    below, above = off_axis(points, ends, (True, True))
    assert (below.axis, below.sign, below.value, below.across) == (1, -1, -1.0, 10.0)
    assert (above.axis, above.sign, above.value, above.count) == (1, 1, 1e6, 1)
    (right, *_) = off_axis(points, ends, (False, True))
    assert (right.axis, right.sign, right.value) == (0, 1, 10.0**3.5)


coordinates = st.floats(-30.0, 30.0) | st.just(float("nan"))


@given(st.lists(st.tuples(coordinates, coordinates), max_size=20))
def test_every_point_outside_is_counted_once(drawn: list[tuple[float, float]]) -> None:
    points = np.array(drawn, np.float64).reshape(-1, 2).T
    known = points[:, ~np.isnan(points).any(axis=0)]
    outside = ((known < ENDS[:, :1]) | (known > ENDS[:, 1:])).any(axis=0)
    found = off_axis(points, ENDS)
    assert sum(item.count for item in found) == int(outside.sum())
    for item in found:
        end = ENDS[item.axis, (item.sign + 1) // 2]
        assert item.sign * (item.value - end) > 0.0
        place = [item.across, item.across]
        place[item.axis] = item.value
        assert (known == np.array(place)[:, None]).all(axis=0).any()
