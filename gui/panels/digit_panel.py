"""The digit pad, connected to the run: every stroke is answered by the networks as they are now."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.core.experiment import AbstractExperiment, State
from engine.experiments.mnist.drawn_digit import as_digit
from engine.run.snapshot import Snapshot
from gui.panels.digit_pad import DigitPad
from gui.run.bridge import Bridge

REFRESH_STEPS = 10
"""A drawing is judged again after so many steps of training."""


class DigitPanel(QWidget):
    """A pad whose drawings go to the run's networks.

    The networks may be asked from any thread while they are trained, so an answer does not wait
    for the engine: only the run's state is fetched from it, once a run.
    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = DigitPad()
        self._bridge = bridge
        self._experiment: Any = None
        self._state: State[Any] | None = None
        self._run_id = -1
        self._judged_at = 0
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pad)
        layout.addStretch(1)
        self.pad.drawn.connect(self._on_drawn)

    @staticmethod
    def answers(experiment: AbstractExperiment[Any, Any]) -> bool:
        """Return whether an experiment answers a drawn digit."""
        return hasattr(experiment, "predict")

    def set_experiment(self, experiment: AbstractExperiment[Any, Any]) -> None:
        """Ask this experiment from now on."""
        self._experiment = experiment
        self._state = None
        self.pad.show_answer(None)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Judge the drawing again as training goes on."""
        if snapshot.run_id != self._run_id:
            self._run_id, self._state, self._judged_at = snapshot.run_id, None, 0
        if self.isVisible() and abs(snapshot.step - self._judged_at) >= REFRESH_STEPS:
            self._judged_at = snapshot.step
            self.pad.refresh()

    def _on_drawn(self, ink: NDArray[np.float32]) -> None:
        if self._state is None:
            self._bridge.peek(lambda session: session.state, self._on_state)
        else:
            answer = self._experiment.predict(self._state, as_digit(ink))
            self.pad.show_answer(
                {"convex": answer.r, "concave": answer.s, "probabilities": answer.probabilities}
            )

    def _on_state(self, state: State[Any] | Exception) -> None:
        if isinstance(state, State) and state.params.__class__ is self._experiment.parameters:
            self._state = state
            self.pad.refresh()
