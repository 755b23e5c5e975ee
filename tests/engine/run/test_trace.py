"""The bounded history: exact recent rows, minimum and maximum of all older ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.chunk import Chunk
from engine.run.trace import Trace


def _values(steps: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.sin(steps * 1.7) * 10 + steps % 5
    return {"a": rng, "b": np.stack([rng, -rng], axis=1)}


def _first() -> dict[str, np.ndarray]:
    return {key: value[0] for key, value in _values(np.arange(1)).items()}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=30), st.sampled_from([1, 1, 2, 4]))
def test_buckets_hold_exact_extremes(sizes: list[int], stride: int) -> None:
    trace = Trace(_first(), buckets=8, window=16)
    for size in sizes:
        steps = np.arange(trace.last + 1, trace.last + 1 + size)
        trace.add(Chunk.exact(int(steps[0]), _values(steps)).bucketed(1))
    view = trace.view()
    everything = _values(np.arange(trace.last + 1))
    assert len(view.low["a"]) <= 8
    for index in range(len(view.low["a"])):
        part = slice(index * view.stride, min((index + 1) * view.stride, trace.last + 1))
        assert view.low["a"][index] == everything["a"][part].min()
        assert view.high["a"][index] == everything["a"][part].max()
        np.testing.assert_array_equal(view.high["b"][index], everything["b"][part].max(axis=0))
    np.testing.assert_array_equal(view.recent["b"], everything["b"][view.recent_first :])
    assert len(view.recent["a"]) == min(trace.last + 1, 16)


def test_period_two_stays_visible_as_a_band() -> None:
    steps = np.arange(1, 100_001)
    trace = Trace({"w": np.array(1.0)})
    trace.add(Chunk.exact(1, {"w": np.where(steps % 2, -1.0, 1.0)}))
    x, y = trace.view().line("w")
    assert len(x) <= 2 * 1024
    assert y[1::2].min() == 1.0
    assert y[2::2].max() == -1.0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_cut_then_adding_again_is_the_same_history(last: int, cut: int) -> None:
    cut = min(cut, last)

    def grown(upto: int) -> Trace:
        trace = Trace(_first(), buckets=8, window=16)
        for step in range(1, upto + 1):
            trace.add(Chunk.exact(step, _values(np.array([step]))))
        return trace

    trace = grown(last)
    resume = trace.cut(cut)
    if resume <= cut:
        trace.add(Chunk.exact(resume, _values(np.arange(resume, cut + 1))))
    assert trace.last == cut
    view, everything = trace.view(), _values(np.arange(cut + 1))
    for index in range(len(view.low["a"])):
        part = slice(index * view.stride, (index + 1) * view.stride)
        assert view.low["a"][index] == everything["a"][part].min()
        assert view.high["a"][index] == everything["a"][part].max()
    np.testing.assert_array_equal(view.recent["a"], everything["a"][view.recent_first :])


def test_line_gives_exact_values_where_known() -> None:
    trace = Trace({"w": np.array(0.0)}, buckets=8, window=16)
    trace.add(Chunk.exact(1, {"w": np.arange(1.0, 101.0)}))
    view = trace.view()
    x, y = view.line("w", start=90)
    np.testing.assert_array_equal(x, np.arange(90, 101))
    np.testing.assert_array_equal(y, x)
    assert view.at("w", 95) == 95.0
    assert view.at("w", 3) is None


def test_a_component_that_a_series_lacks_has_no_points() -> None:
    trace = Trace(_first(), buckets=8, window=16)
    steps = np.arange(1, 101)
    trace.add(Chunk.exact(1, _values(steps)))
    view = trace.view()
    for start in (0, 95):  # buckets, exact rows
        assert len(view.line("b", 1, start)[1]) > 0
        at, values = view.line("b", 2, start)
        assert at.shape == values.shape == (0,)


def test_missing_measurements_do_not_spoil_a_bucket() -> None:
    trace = Trace({"w": np.array(1.0)}, buckets=4, window=4)
    trace.add(Chunk.exact(1, {"w": np.where(np.arange(1, 64) % 8, np.nan, 3.0)}))
    assert np.nanmax(trace.view().high["w"]) == 3.0
