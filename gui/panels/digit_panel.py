"""The digit pad, connected to the run: every stroke is answered by the networks as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.core.experiment import AbstractExperiment
from engine.experiments.mnist.drawn_digit import as_digit
from engine.run.snapshot import Snapshot
from gui.panels.digit_pad import DigitPad
from gui.run.bridge import Bridge

if TYPE_CHECKING:
    from engine.run.session import Session

REFRESH_STEPS = 10
"""A drawing is judged again after so many steps of training."""


class DigitPanel(QWidget):
    """A pad whose drawings go to the run's networks.

    They are asked on the engine thread, between two steps, so that an answer is of one step. One
    question is under way at a time; the newest drawing comes next.
    """

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pad = DigitPad()
        self._bridge = bridge
        self._experiment: Any = None
        self._digit: NDArray[Any] | None = None
        self._asks = self._asks_again = False
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
        self._asks = self._asks_again = False
        self.pad.show_answer(None)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Judge the drawing again as training goes on."""
        if snapshot.run_id != self._run_id:
            self._run_id, self._judged_at = snapshot.run_id, 0
            self._asks = False  # a run that was left does not answer
        if self.isVisible() and abs(snapshot.step - self._judged_at) >= REFRESH_STEPS:
            self._judged_at = snapshot.step
            self.pad.refresh()

    def _on_drawn(self, ink: NDArray[np.float32]) -> None:
        self._digit = as_digit(ink)
        self._ask()

    def _ask(self) -> None:
        if self._asks:
            self._asks_again = True
            return
        self._asks, self._asks_again = True, False
        experiment, digit = self._experiment, self._digit

        def predict(session: Session) -> Any:
            is_other = session.experiment.id != experiment.id
            return None if is_other else experiment.predict(session.state, digit)

        self._bridge.peek(predict, self._on_answer)

    def _on_answer(self, answer: Any) -> None:
        self._asks = False
        if self._asks_again:
            self._ask()
        if isinstance(answer, Exception):
            raise answer
        if answer is not None and self.pad.canvas.ink().any():
            self.pad.show_answer(
                {"convex": answer.r, "concave": answer.s, "probabilities": answer.probabilities}
            )
