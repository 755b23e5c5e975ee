"""The digit pad of a run: every stroke is answered by the run's networks as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.core.drawing import DrawingClassifier
from engine.core.experiment import AbstractExperiment
from engine.run.snapshot import Snapshot
from gui.panels.digit_pad import DigitPad
from gui.run.bridge import Bridge

if TYPE_CHECKING:
    from engine.run.session import Session

REFRESH_STEPS = 10
"""A drawing is classified again after so many steps of training."""


class DigitPanel(QWidget):
    """A pad whose drawings go to the run's networks.

    They are asked on the engine thread, between two steps, so that an answer is of one step. One
    question is under way at a time; the newest drawing comes next. The experiment is the panel's
    own: a drawing of the last moment before another experiment is shown is dropped.
    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = DigitPad()
        self._bridge = bridge
        self._experiment: DrawingClassifier | None = None
        self._ink: NDArray[np.float32] | None = None
        self._asks = self._asks_again = False
        self._run_id = -1
        self._answered_at = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pad)
        layout.addStretch(1)
        self.pad.drawn.connect(self._on_drawn)

    @staticmethod
    def suits(experiment: AbstractExperiment[Any, Any]) -> bool:
        """Return whether an experiment answers drawings."""
        return isinstance(experiment, DrawingClassifier)

    def set_experiment(self, experiment: AbstractExperiment[Any, Any]) -> None:
        """Set the experiment that classifies drawings; one that cannot is never asked."""
        self._experiment = experiment if isinstance(experiment, DrawingClassifier) else None
        self._asks = self._asks_again = False
        self._run_id = -1
        self.pad.show_answer(None)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Classify the drawing again as training goes on."""
        if snapshot.run_id != self._run_id:
            self._run_id, self._answered_at = snapshot.run_id, 0
            self._asks = False  # a run that was left does not answer
        if self.isVisible() and abs(snapshot.step - self._answered_at) >= REFRESH_STEPS:
            self._answered_at = snapshot.step
            self.pad.refresh()

    def _on_drawn(self, ink: NDArray[np.float32]) -> None:
        self._ink = ink
        self._ask()

    def _ask(self) -> None:
        experiment, ink = self._experiment, self._ink
        if experiment is None or ink is None:
            return
        if self._asks:
            self._asks_again = True
            return
        self._asks, self._asks_again = True, False

        def answer(session: Session) -> Any:
            running: object = session.experiment
            is_asked = running is experiment
            return experiment.answer_drawing(session.state, ink) if is_asked else None

        self._bridge.peek(answer, lambda found: self._on_answer(found, experiment))

    def _on_answer(self, answer: Any, asked: DrawingClassifier) -> None:
        if asked is not self._experiment:
            return
        self._asks = False
        if self._asks_again:
            self._ask()
        if isinstance(answer, Exception):
            raise answer
        if answer is not None and self.pad.canvas.ink().any():
            self.pad.show_answer(answer)
