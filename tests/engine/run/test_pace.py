"""How many steps a call makes, how many are due, and when another picture is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.run.pace import (
    CHUNK_SECONDS,
    FRAME_SECONDS,
    GROWTH,
    LONGEST_REST,
    Chunks,
    ChunkSize,
    Pace,
)

_SECONDS = st.floats(1e-5, 10)


@given(cost=_SECONDS, share=st.floats(0.01, 1))
def test_pictures_of_a_run_at_full_speed_take_their_share(cost: float, share: float) -> None:
    rest = Pace(steps_per_frame=None).rest(cost, share)
    assert rest == pytest.approx(min(cost / share, LONGEST_REST))


@given(cost=_SECONDS)
def test_pictures_are_free_where_there_is_time_or_no_limit(cost: float) -> None:
    assert Pace(steps_per_frame=1.0).rest(cost, 0.01) == 0
    assert Pace(steps_per_frame=None).rest(cost, math.inf) == 0


@pytest.mark.parametrize("speed", [0.1, 0.5, 0.9, 1.0, 3.0, 100.0])
@pytest.mark.parametrize("need", [0.5, 0.9, 1.5, 3.0])
def test_a_run_that_cannot_keep_its_speed_rests_its_pictures_too(
    monkeypatch: pytest.MonkeyPatch, speed: float, need: float
) -> None:
    """`need` is the time that steps take, in units of the time that they may take."""
    now = 0.0
    monkeypatch.setattr("engine.run.pace.time.monotonic", lambda: now)
    pace = Pace(steps_per_frame=speed)
    seconds_per_step = need * FRAME_SECONDS / speed
    pace.restart()
    rests, idle = [], 0.0
    for _ in range(200):
        n = pace.due(max(1, int(CHUNK_SECONDS / seconds_per_step)))
        rests.append(pace.rest(0.01, 0.1))
        now += n * seconds_per_step
        waits = pace.wait()
        idle += waits
        now += waits
    behind = sum(rest > 0 for rest in rests[20:]) / len(rests[20:])
    assert behind > 0.95 if need > 1 else behind < 0.1  # it may be late for once
    assert idle / now == pytest.approx(max(0, 1 - need), abs=0.05)


class Clock:
    """A run whose steps take a known time, on a clock of its own."""

    def __init__(self, seconds_per_step: float, length: int = 10**9) -> None:
        self.now, self.made, self.calls = 0.0, 0, list[int]()
        self._seconds, self._length = seconds_per_step, length

    def advance(self, n: int) -> int:
        n = min(n, self._length - self.made)
        self.calls.append(n)
        self.made += n
        self.now += n * self._seconds
        return n


@given(
    seconds_per_step=st.floats(1e-8, 2.0),
    seconds=st.sampled_from([0.008, 0.1]),
    most=st.sampled_from([1, 10, 10**9]),
)
def test_calls_come_to_take_their_time_and_grow_by_degrees(
    seconds_per_step: float, seconds: float, most: int
) -> None:
    clock, size = Clock(seconds_per_step), ChunkSize(seconds, most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.run.pace.time.perf_counter", lambda: clock.now)
        for _ in range(60):
            size.timed(clock.advance, size.steps)
    assert clock.calls[0] == 1 and max(clock.calls) <= most
    longest = 1
    for n in clock.calls[1:]:
        assert 1 <= n <= GROWTH * longest
        longest = max(longest, n)
    ideal = max(1, min(int(seconds / seconds_per_step), most))
    assert size.steps == pytest.approx(ideal, rel=0.02, abs=1)


@given(length=st.integers(0, 500), stop_after=st.integers(1, 30), most=st.integers(1, 50))
def test_a_stretch_is_made_in_calls_that_report(length: int, stop_after: int, most: int) -> None:
    clock, reports = Clock(1e-3), list[int]()

    def report(inside: str) -> bool:
        assert inside == ""
        reports.append(clock.made)
        return len(reports) < stop_after

    chunks = Chunks(clock.advance, report, most)
    while clock.made < length and chunks.advance(length - clock.made):
        pass
    assert len(reports) == len(clock.calls) <= stop_after
    assert clock.made == length or chunks.cancelled
    assert chunks.cancelled == (len(reports) == stop_after)
    if chunks.cancelled:
        assert chunks.advance(1) == 0 and len(clock.calls) == stop_after


def test_a_run_that_has_ended_ends_the_stretch() -> None:
    clock = Clock(1e-3, length=5)
    chunks = Chunks(clock.advance, lambda inside: True, 10)
    while chunks.advance(100):
        pass
    assert clock.made == 5 and not chunks.cancelled
