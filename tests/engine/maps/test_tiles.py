"""Every cell of a map is in one tile, and the coarse ones come first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.maps.tiles import FEWEST, FIRST, coarsest, tiles
from tests.engine.maps import logistic

sizes = st.integers(1, 90)


@given(rows=sizes, columns=sizes, most=st.integers(1, 400))
def test_tiles_hold_every_cell_once(rows: int, columns: int, most: int) -> None:
    made = list(tiles(logistic.spec(rows=rows, columns=columns), most))
    times = np.zeros((rows, columns), int)
    for tile in made:
        assert 1 <= tile.count <= most
        times[tile.block] += 1
    assert (times == 1).all()
    assert [tile.number for tile in made] == list(range(len(made)))


@given(rows=sizes, columns=sizes, most=st.integers(1, 400))
def test_levels_follow_each_other_and_each_halves_the_distance(
    rows: int, columns: int, most: int
) -> None:
    made = list(tiles(logistic.spec(rows=rows, columns=columns), most))
    scales = [tile.scale for tile in made]
    assert scales == sorted(scales, reverse=True)
    assert scales[0] == coarsest(rows, columns, most)
    for scale in set(scales):
        there = np.zeros((rows, columns), bool)
        for tile in made:
            if tile.scale >= scale:
                there[tile.block] = True
        assert there[::scale, ::scale].all()
        assert there.sum() == there[::scale, ::scale].sum(), "and no finer cell"


@given(rows=st.integers(50, 400), columns=st.integers(50, 400), most=st.integers(1, 400))
def test_the_first_picture_is_a_few_jobs(rows: int, columns: int, most: int) -> None:
    made = list(tiles(logistic.spec(rows=rows, columns=columns), most))
    first = [tile for tile in made if tile.scale == made[0].scale]
    assert sum(tile.count for tile in first) <= max(FIRST * most, FEWEST)
    assert len(first) >= min(FIRST, sum(tile.count for tile in first))


@given(columns=sizes, most=st.integers(1, 50))
def test_an_orbit_diagram_has_one_row_of_cells(columns: int, most: int) -> None:
    made = list(tiles(logistic.spec("orbit", columns=columns), most))
    assert sum(tile.count for tile in made) == columns
    assert all(tile.rows == range(1) for tile in made)
