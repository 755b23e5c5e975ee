"""Marks of one drag are one chain, and levels of images are never empty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.figures.data import chains, level_ends

MARKS = st.lists(
    st.tuples(st.floats(0, 100), st.sampled_from(["", "delta", "lambda"])), max_size=30
)


@given(MARKS, st.floats(0.1, 50))
def test_chains_cover_every_mark_once_and_join_near_ones_of_a_name(marks, gap) -> None:
    places = sorted(place for place, _ in marks)
    names = [name for _, name in marks]
    found = chains(places, names, gap)
    assert [i for first, last in found for i in range(first, last + 1)] == list(range(len(marks)))
    joined = {i for first, last in found for i in range(first + 1, last + 1)}
    for index in range(1, len(marks)):
        near = places[index] - places[index - 1] < gap
        same = bool(names[index]) and names[index] == names[index - 1]
        assert (index in joined) == (near and same)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=12))
@pytest.mark.parametrize("colormap", ["sequential", "diverging", "gray"])
def test_levels_hold_all_values_and_have_a_length(colormap, values) -> None:
    ends = level_ends(np.array(values, np.float64), colormap)
    known = [value for value in values if np.isfinite(value)]
    assert (ends is None) == (not known)
    if ends is not None:
        assert ends[0] < ends[1]
        assert ends[0] <= min(known) and max(known) <= ends[1]
        assert colormap != "diverging" or ends[0] == -ends[1]
