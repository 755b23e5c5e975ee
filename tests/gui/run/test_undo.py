"""Undo and redo of parameters."""

from __future__ import annotations

import weakref

import pytest
from PySide6.QtGui import QUndoStack
from pytestqt.qtbot import QtBot

from engine.core.params import Params
from gui.run.resolve import Settings
from gui.run.undo import ParamsCommand, change_text
from tests.gui.fakes import FakeParams


class Desk:
    """Settings in force, and a stack that changes them."""

    def __init__(self) -> None:
        self.now = Settings(FakeParams(), 0)
        self.applied: list[Settings] = []
        self.stack = QUndoStack()

    @property
    def params(self) -> Params:
        return self.now.params

    def apply(self, settings: Settings) -> None:
        self.now = settings
        self.applied.append(settings)

    def edit(self, key: str = "", **values: object) -> None:
        after = FakeParams(**{**self.params.model_dump(), **values})
        self.push(Settings(after, self.now.seed), key)

    def push(self, after: Settings, key: str = "") -> None:
        before = self.now
        self.apply(after)
        self.stack.push(ParamsCommand(before, after, self.apply, key))


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
        desk.edit("1", step_size=0.3 + number / 1000)
    assert desk.stack.count() == 1
    assert desk.stack.undoText() == "Step size 0.3 → 0.4"
    desk.stack.undo()
    assert desk.params == FakeParams()
    desk.stack.redo()
    assert desk.params == FakeParams(step_size=0.4)


def test_two_gestures_are_two_steps(desk: Desk) -> None:
    desk.edit("1", step_size=0.4)
    desk.edit("2", step_size=0.5)
    desk.edit("2", step_size=0.6)
    assert desk.stack.count() == 2
    desk.stack.undo()
    assert desk.params == FakeParams(step_size=0.4)


def test_another_field_or_no_key_is_another_step(desk: Desk) -> None:
    desk.edit("1", step_size=0.4)
    desk.edit("1", depth=4)
    desk.edit("1", step_size=0.6)
    assert desk.stack.count() == 3
    desk.edit(step_size=0.7)
    desk.edit(step_size=0.8)
    assert desk.stack.count() == 5


def test_a_gesture_back_to_its_beginning_leaves_nothing(desk: Desk) -> None:
    desk.edit("1", depth=9)
    desk.edit("2", step_size=0.4)
    desk.edit("2", step_size=0.3)
    assert desk.stack.count() == 1
    assert desk.params == FakeParams(depth=9)
    desk.stack.undo()
    assert desk.params == FakeParams()


def test_an_edit_that_changes_nothing_is_not_kept(desk: Desk) -> None:
    desk.edit(step_size=0.3)
    assert desk.stack.count() == 0


def test_merging_stops_after_undo(desk: Desk) -> None:
    desk.edit("1", step_size=0.4)
    desk.edit("2", step_size=0.5)
    desk.stack.undo()
    desk.edit("3", step_size=0.45)
    desk.stack.undo()
    assert desk.stack.count() == 2
    assert desk.params == FakeParams(step_size=0.4)
    assert desk.applied[-1] == desk.now


def test_texts_name_the_change() -> None:
    assert change_text(FakeParams(), FakeParams(depth=4)) == "Depth 3 → 4"
    third = FakeParams(step_size=1 / 3)
    assert change_text(FakeParams(), third) == "Step size 0.3 → 0.333333"
    assert change_text(FakeParams(), FakeParams(depth=4, step_size=1.0)) == "2 parameters"
    long = FakeParams(note="a remark that is much too long to be shown in a menu, is it not?")
    assert change_text(FakeParams(), long) == "Note"
    settings = Settings(FakeParams(), 0), Settings(FakeParams(depth=4), 0)
    assert ParamsCommand(*settings, print, text="Preset").text() == "Preset"


def test_a_preset_with_a_seed_is_one_step(desk: Desk) -> None:
    desk.push(Settings(FakeParams(depth=8, step_size=0.1), 42))
    assert desk.stack.undoText() == "2 parameters and seed"
    assert desk.now == Settings(FakeParams(depth=8, step_size=0.1), 42)
    desk.push(Settings(desk.params, 43))
    assert desk.stack.undoText() == "Seed 42 → 43"
    desk.stack.undo()
    desk.stack.undo()
    assert desk.now == Settings(FakeParams(), 0)


def test_a_stack_is_freed_with_its_owner(qtbot: QtBot) -> None:
    for _ in range(30):
        desk = Desk()
        for number in range(5):
            desk.edit(step_size=0.4 + number / 10)
        gone = weakref.ref(desk)
        del desk
        assert gone() is None  # without the garbage collector: there is no ring
