"""The digit pad of a run: it asks its own experiment, whatever is shown meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import create_autospec

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from engine.run.session import Session
from gui.panels.digit_panel import DigitPanel
from gui.run.bridge import Bridge
from tests.gui.fakes import FakeExperiment, FakeParams, snapshot


class Reader(FakeExperiment):  # type: ignore[misc]
    """Answers every drawing with the digit 3."""

    def answer_drawing(self, state: Any, ink: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        assert isinstance(state.params, FakeParams)
        return {key: np.eye(10)[3] for key in ("convex", "concave", "probabilities")}


class Asked:
    """What the panel asked the engine, to be answered when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[Session], Any], Callable[[Any], None]]] = []

    def peek(self, function: Callable[[Session], Any], then: Callable[[Any], None]) -> None:
        self.waiting.append((function, then))

    def answer(self, experiment: Any) -> None:
        for function, then in self.waiting:
            then(function(Session(experiment, FakeParams(), 0)))
        self.waiting.clear()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def panel(qtbot: QtBot, asked: Asked) -> DigitPanel:
    bridge = create_autospec(Bridge, instance=True)
    bridge.peek.side_effect = asked.peek
    panel = DigitPanel(bridge)
    qtbot.addWidget(panel)
    panel.resize(520, 300)
    panel.show()
    return panel


def draw(qtbot: QtBot, panel: DigitPanel) -> None:
    canvas = panel.pad.canvas
    middle = canvas.rect().center()
    with qtbot.waitSignal(panel.pad.drawn):
        qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
        qtbot.mouseMove(canvas, middle + QPoint(0, 30))
        qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(0, 30))


def answer_of(panel: DigitPanel) -> str:
    return panel.pad.answer.accessibleDescription()


def test_a_drawing_is_answered_by_the_run(panel: DigitPanel, asked: Asked, qtbot: QtBot) -> None:
    reader = Reader()
    panel.set_experiment(reader)
    panel.show_snapshot(snapshot(steps=1))
    draw(qtbot, panel)
    asked.answer(reader)
    qtbot.waitUntil(lambda: answer_of(panel).startswith("Digit 3"))


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_drawing_just_before_another_experiment_is_dropped(
    panel: DigitPanel, asked: Asked, qtbot: QtBot, is_answered: bool
) -> None:
    reader, other = Reader(), FakeExperiment()
    assert DigitPanel.suits(reader) and not DigitPanel.suits(other)
    panel.set_experiment(reader)
    panel.show_snapshot(snapshot(steps=1))
    if is_answered:  # the state of the old run is known already
        draw(qtbot, panel)
        asked.answer(reader)
        qtbot.waitUntil(lambda: bool(answer_of(panel)))
    panel.pad.refresh()
    panel.pad.canvas.changed.emit()
    panel.set_experiment(other)
    draw(qtbot, panel)  # what its timer still holds comes after the change
    asked.answer(other)
    assert answer_of(panel) == ""


@pytest.mark.parametrize("changed", ["experiment", "run"])
def test_a_state_that_comes_too_late_is_not_kept(
    panel: DigitPanel, asked: Asked, qtbot: QtBot, changed: str
) -> None:
    first, second = Reader(), Reader()
    panel.set_experiment(first)
    panel.show_snapshot(snapshot(steps=1, run_id=1))
    draw(qtbot, panel)
    if changed == "experiment":
        panel.set_experiment(second)
    else:
        panel.show_snapshot(snapshot(steps=1, run_id=2))
    asked.answer(first)
    assert panel._state is None
    assert answer_of(panel) == ""


def test_a_state_of_a_run_that_is_shown_no_longer_is_not_kept(
    panel: DigitPanel, asked: Asked, qtbot: QtBot
) -> None:
    panel.set_experiment(Reader())
    panel.show_snapshot(snapshot(steps=1))
    draw(qtbot, panel)
    asked.answer(FakeExperiment())  # the engine is with the next experiment already
    assert panel._state is None
