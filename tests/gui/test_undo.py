"""Undo and redo of parameters."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QUndoStack
from pytestqt.qtbot import QtBot

from engine.params import Params
from gui.undo import ParamsCommand, change_text, changed_fields
from tests.gui.fakes import FakeParams


class Desk:
    """Parameters in force, and a stack that changes them."""

    def __init__(self) -> None:
        self.params: Params = FakeParams()
        self.seed = 0
        self.applied: list[Params] = []
        self.stack = QUndoStack()

    def apply(self, params: Params, seed: int) -> None:
        self.params = params
        self.seed = seed
        self.applied.append(params)

    def edit(self, gesture: object = None, **values: object) -> None:
        after = FakeParams(**{**self.params.model_dump(), **values})
        self.push(after, self.seed, gesture)

    def push(self, after: Params, seed: int, gesture: object = None) -> None:
        seeds = (self.seed, seed)
        command = ParamsCommand(self.params, after, self.apply, seeds=seeds, gesture=gesture)
        self.stack.push(command)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk()


def test_an_edit_is_undone_and_redone(desk: Desk) -> None:
    desk.edit(step_size=0.5)
    assert desk.params == FakeParams(step_size=0.5)
    assert desk.stack.undoText() == "Step size 0.3 → 0.5"
    desk.stack.undo()
    assert desk.params == FakeParams()
    desk.stack.redo()
    assert desk.params == FakeParams(step_size=0.5)


def test_a_drag_is_one_step(desk: Desk) -> None:
    for number in range(1, 101):
        desk.edit(1, step_size=0.3 + number / 1000)
    assert desk.stack.count() == 1
    assert desk.stack.undoText() == "Step size 0.3 → 0.4"
    desk.stack.undo()
    assert desk.params == FakeParams()
    desk.stack.redo()
    assert desk.params == FakeParams(step_size=0.4)


def test_two_gestures_are_two_steps(desk: Desk) -> None:
    desk.edit(1, step_size=0.4)
    desk.edit(2, step_size=0.5)
    desk.edit(2, step_size=0.6)
    assert desk.stack.count() == 2
    desk.stack.undo()
    assert desk.params == FakeParams(step_size=0.4)


def test_without_gestures_the_same_field_merges_and_others_do_not(desk: Desk) -> None:
    desk.edit(step_size=0.4)
    desk.edit(step_size=0.5)
    desk.edit(depth=4)
    desk.edit(depth=5)
    desk.edit(step_size=0.6)
    assert desk.stack.count() == 3


def test_a_gesture_back_to_its_beginning_leaves_nothing(desk: Desk) -> None:
    desk.edit(1, depth=9)
    desk.edit(2, step_size=0.4)
    desk.edit(2, step_size=0.3)
    assert desk.stack.count() == 1
    assert desk.params == FakeParams(depth=9)
    desk.stack.undo()
    assert desk.params == FakeParams()


def test_an_edit_that_changes_nothing_is_not_kept(desk: Desk) -> None:
    desk.edit(step_size=0.3)
    assert desk.stack.count() == 0


def test_merging_stops_after_undo(desk: Desk) -> None:
    desk.edit(1, step_size=0.4)
    desk.edit(2, step_size=0.5)
    desk.stack.undo()
    desk.edit(1, step_size=0.45)
    desk.stack.undo()
    assert desk.params in (FakeParams(), FakeParams(step_size=0.4))
    assert desk.applied[-1] == desk.params


def test_texts_name_the_change() -> None:
    assert change_text(FakeParams(), FakeParams(depth=4)) == "Depth 3 → 4"
    assert change_text(FakeParams(), FakeParams(depth=4, step_size=1.0)) == "2 parameters"
    long = FakeParams(note="a remark that is much too long to be shown in a menu, is it not?")
    assert change_text(FakeParams(), long) == "Note"
    assert changed_fields(FakeParams(), FakeParams(depth=4)) == ("depth",)
    assert ParamsCommand(FakeParams(), FakeParams(depth=4), print, text="Preset").text() == "Preset"


def test_a_preset_with_a_seed_is_one_step(desk: Desk) -> None:
    desk.push(FakeParams(depth=8, step_size=0.1), 42)
    assert desk.stack.undoText() == "2 parameters and seed"
    assert (desk.params, desk.seed) == (FakeParams(depth=8, step_size=0.1), 42)
    desk.push(desk.params, 43)
    assert desk.stack.undoText() == "Seed 42 → 43"
    desk.stack.undo()
    desk.stack.undo()
    assert (desk.params, desk.seed) == (FakeParams(), 0)
