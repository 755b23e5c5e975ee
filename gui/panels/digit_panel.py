"""The digit pad of a run: every stroke is answered by the run's networks as they are now."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.core.drawing import DrawingClassifier
from engine.core.experiment import AbstractExperiment, State
from engine.run.session import Session
from engine.run.snapshot import Snapshot
from gui.panels.digit_pad import DigitPad
from gui.run.bridge import Bridge

REFRESH_STEPS = 10
"""A drawing is classified again after so many steps of training."""


class DigitPanel(QWidget):
    """A pad whose drawings go to the run's networks.

    The networks may be asked from any thread while they are trained, so an answer does not wait
    for the engine: only the run's state is fetched from it, once a run. Experiment and state are
    the panel's own: a drawing of the last moment before another experiment is shown is dropped.
    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = DigitPad()
        self._bridge = bridge
        self._experiment: DrawingClassifier | None = None
        self._state: State[Any] | None = None
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
        """Ask this experiment from now on; one that does not answer drawings is never asked."""
        self._experiment = experiment if isinstance(experiment, DrawingClassifier) else None
        self._state = None
        self._run_id = -1
        self.pad.show_answer(None)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Classify the drawing again as training goes on."""
        if snapshot.run_id != self._run_id:
            self._run_id, self._state, self._answered_at = snapshot.run_id, None, 0
        if self.isVisible() and abs(snapshot.step - self._answered_at) >= REFRESH_STEPS:
            self._answered_at = snapshot.step
            self.pad.refresh()

    def _on_drawn(self, ink: NDArray[np.float32]) -> None:
        if self._experiment is None:
            return
        if self._state is None:
            asked = self._experiment, self._run_id
            self._bridge.peek(_state_of, lambda found: self._on_state(found, *asked))
        else:
            self.pad.show_answer(self._experiment.answer_drawing(self._state, ink))

    def _on_state(
        self,
        found: tuple[object, State[Any]] | Exception,
        asked_by: DrawingClassifier,
        run_id: int,
    ) -> None:
        """Keep the state, unless another experiment or run is shown or was in force meanwhile."""
        if isinstance(found, Exception) or (asked_by, run_id) != (self._experiment, self._run_id):
            return
        experiment, state = found
        if experiment is asked_by:
            self._state = state
            self.pad.refresh()


def _state_of(session: Session) -> tuple[object, State[Any]]:
    return session.experiment, session.state
