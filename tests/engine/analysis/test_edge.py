"""Where a run stands against its limit, by its looks: what is near, left and come back to."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.edge import HOVER, LAST_LOOKS, STRETCH, Edge, is_at_edge, place


def edge_of(ratios: list[float]) -> Edge:
    edge = Edge()
    for step, ratio in enumerate(ratios):
        edge = edge.seen(step, ratio, 1.0 / (1 + step))
    return edge


def test_an_edge_that_was_left_is_not_averaged_over() -> None:
    ratios = [0.8, 0.9, 1.0, *[0.3] * 400]
    left = edge_of(ratios)
    assert (left.onset, left.mean, left.left) == (None, None, 2 + STRETCH)
    back = [*ratios, *[0.95] * 8]
    assert not is_at_edge(edge_of(back), np.array(back))
    again = [*back, *[1.05] * 8]
    edge = edge_of(again)
    assert (edge.onset, edge.edge_looks) == (len(back), 8)
    assert f"k = {len(back)}" in place(edge, np.array(again))[0]


def test_a_run_that_comes_back_from_beyond_is_at_the_edge_again() -> None:
    ratios = [0.9, 1.1, *[1.6] * STRETCH, *[1.1] * STRETCH]
    edge = edge_of(ratios)
    assert edge.left_beyond and edge.onset == len(ratios) - STRETCH


@given(st.lists(st.sampled_from([0.3, 0.9, 1.0, 1.1, 1.6]), min_size=1, max_size=120))
def test_what_is_called_the_edge_is_near_the_limit(ratios: list[float]) -> None:
    """Most looks that are counted, all but a stretch, are near the limit."""
    edge = edge_of(ratios)
    if is_at_edge(edge, np.array(ratios)):
        assert edge.onset is not None
        since = np.array(ratios[edge.onset :])
        near = (since >= HOVER[0]) & (since <= HOVER[1])
        assert near.sum() >= (~near).sum() - STRETCH
        assert HOVER[0] <= np.mean(ratios[-LAST_LOOKS:]) <= HOVER[1]
