"""The panel that asks the run's networks about a drawn digit, on the engine thread."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from gui.panels.digit_panel import DigitPanel
from gui.run.bridge import Bridge
from tests.gui.fakes import FakeExperiment, FakeParams, runner_double, snapshot


class Reader(FakeExperiment):  # type: ignore[misc]
    """An experiment that answers drawn digits."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def answer_drawing(self, state: Any, ink: Any) -> Any:
        """Answer a 1."""
        self.asked.append(state)
        assert ink.ndim == 2
        probabilities = np.full(10, 0.01)
        probabilities[1] = 0.91
        return {"convex": np.ones(10), "concave": np.zeros(10), "probabilities": probabilities}


class Desk:
    """A panel over a double of the runner."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot, self.runner, self.experiment = qtbot, runner_double(), Reader()
        self.bridge = Bridge(self.runner)
        self.panel = DigitPanel(self.bridge)
        qtbot.addWidget(self.panel)
        self.panel.set_experiment(self.experiment)
        self.panel.resize(520, 300)
        self.panel.show()
        qtbot.waitExposed(self.panel)
        self.bridge.start(self.experiment, FakeParams(), 0)
        self.runner.mailbox.put(snapshot())
        self.bridge.poll()

    def draw(self) -> None:
        canvas = self.panel.pad.canvas
        with self.qtbot.waitSignal(self.panel.pad.drawn):
            self.qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=canvas.rect().center())

    def answer(self, session: Any) -> None:
        """Let the engine thread answer the last question."""
        self.runner.call.call_args.args[0](session)
        self.bridge.poll()

    @property
    def session(self) -> Any:
        return SimpleNamespace(experiment=self.experiment, state="the state")

    @property
    def text(self) -> str:
        return self.panel.pad.answer.accessibleDescription()


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    desk = Desk(qtbot)
    yield desk
    desk.bridge.close()


def test_the_networks_are_asked_on_the_engine_thread_alone(desk: Desk) -> None:
    desk.draw()
    assert desk.runner.call.call_count == 1 and desk.experiment.asked == []
    desk.answer(desk.session)
    assert desk.experiment.asked == ["the state"]
    assert desk.text == "Digit 1 with probability 91%"


def test_one_question_is_under_way_and_the_newest_drawing_comes_next(desk: Desk) -> None:
    for _ in range(3):
        desk.draw()
    assert desk.runner.call.call_count == 1
    desk.answer(desk.session)
    assert desk.runner.call.call_count == 2
    desk.answer(desk.session)
    assert desk.runner.call.call_count == 2


def test_another_run_is_asked_though_the_last_one_did_not_answer(desk: Desk) -> None:
    desk.draw()
    desk.panel.show_snapshot(snapshot(run_id=2))
    desk.draw()
    assert desk.runner.call.call_count == 2


def test_neither_a_wiped_sheet_nor_another_experiment_is_answered(desk: Desk) -> None:
    desk.draw()
    desk.answer(SimpleNamespace(experiment=FakeExperiment(), state="another state"))
    assert desk.experiment.asked == [] and desk.text == ""
    desk.draw()
    desk.panel.pad.canvas.clear()
    desk.answer(desk.session)
    assert desk.text == ""
