"""How many steps are due, and when another picture is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.run.pace import FRAME_SECONDS, LONGEST_REST, Pace

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
        n = pace.due(seconds_per_step)
        rests.append(pace.rest(0.01, 0.1))
        now += n * seconds_per_step
        waits = pace.wait()
        idle += waits
        now += waits
    behind = sum(rest > 0 for rest in rests[20:]) / len(rests[20:])
    assert behind > 0.95 if need > 1 else behind < 0.1  # it may be late for once
    assert idle / now == pytest.approx(max(0, 1 - need), abs=0.05)
