"""Runs side by side: each as it would be alone, all at the same step."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import beside
from engine.core.beside import Analysis
from engine.core.change import Change, Nudge
from engine.core.errors import LabError
from engine.run import replay
from engine.run.lockstep import LAST_STEP, Lockstep, Side
from engine.run.run import Run
from engine.run.session import Session
from engine.run.spec import RunSpec
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, LinearMap())


CHANGES = (
    Change(0, {"step_size": 0.4}),
    Change(5, {"step_size": 0.2}),
    Change(5, nudge=Nudge(1e-3, 3)),
    Change(9, nudge=Nudge(1e-2, 4)),
)


def side(step_size: float, changes: tuple[Change, ...] = ()) -> Side:
    params = LinearParams(step_size=step_size, width=2)
    run = RunSpec(experiment="linear-map", params=params, seed=1, steps=99, changes=changes)
    return Side(f"{step_size}", run)


@given(st.lists(st.integers(-4, 12), max_size=6))
@settings(max_examples=15)
def test_every_run_is_as_it_would_be_alone(strides: list[int]) -> None:
    sides = side(0.3, CHANGES), side(1.9)
    together = Lockstep(sides)
    for stride in strides:
        together.advance(stride)
    pictures = together.snapshots()
    assert {picture.cursor for picture in pictures} == {together.step}
    for each, picture in zip(sides, pictures, strict=True):
        alone = replay.begin(each.run)
        replay.carry_out(each.run.until(together.step), alone)
        state, recent = alone.look(alone.step)
        expected = alone.experiment.observe(state, recent)
        for key, values in expected.items():
            np.testing.assert_array_equal(picture.observation[key], values)
    together.close()


def test_a_run_that_ends_waits_at_its_last_step() -> None:
    together = Lockstep((side(0.3), side(4.0)))
    together.seek(5000)
    calm, wild = together.snapshots()
    assert calm.step == together.step == 5000 > wild.step
    assert not together.has_ended
    together.seek(3)
    assert [picture.cursor for picture in together.snapshots()] == [3, 3]
    both = Lockstep((side(4.0), side(4.1)))
    both.seek(LAST_STEP)
    assert both.has_ended
    assert both.step == max(picture.step for picture in both.snapshots())


def test_runs_that_began_are_closed_where_a_later_one_cannot() -> None:
    other = RunSpec(experiment="linear-map", params=LinearParams(), seed=1)
    learned = Session(LinearMap(), LinearParams(step_size=0.3, width=2, target=5.0), 1)
    learned.advance(3)
    with mock.patch.object(Run, "close", autospec=True) as close, pytest.raises(LabError):
        Lockstep((side(0.3), Side("mine", side(0.3).run, learned.trace.view())))
    assert close.call_count == 2
    with (
        mock.patch.object(Run, "close", autospec=True) as close,
        mock.patch.object(replay, "begin", side_effect=[replay.begin(other), LabError("No.")]),
        pytest.raises(LabError),
    ):
        Lockstep((side(0.3), side(0.2)))
    assert close.call_count == 1


def test_what_cannot_stand_side_by_side_is_one_sentence() -> None:
    learned = Session(LinearMap(), LinearParams(step_size=0.3, width=2, target=5.0), 1)
    learned.advance(3)
    with pytest.raises(LabError, match="Two to"):
        Lockstep((side(0.3),))
    other = Side("mine", side(0.3).run, learned.trace.view())
    with pytest.raises(LabError, match="mine"):
        Lockstep((other, side(0.3)))
    own = Session(LinearMap(), LinearParams(step_size=0.3, width=2), 1)
    own.advance(5000)
    Lockstep((Side("own", side(0.3).run, own.trace.view()), side(0.2)))


def test_runs_that_differ_are_analysed_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found(Analysis):
        """Anything."""

    monkeypatch.setattr(LinearMap, "analysis_key", lambda self, params, seed: params.step_size)
    monkeypatch.setattr(LinearMap, "analyse", lambda self, params, state, progress: Found())
    together, calls = Lockstep((side(0.3), side(1.9), side(0.3))), []
    together.analyse(lambda: calls.append(len(calls)), lambda share, text: True)
    assert calls == [0, 1]
    assert isinstance(beside.recall(0.3), Found) and isinstance(beside.recall(1.9), Found)
    beside.forget()
    together.close()
