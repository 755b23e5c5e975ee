"""Switching experiments: the new one is named at once, and built when no other is chosen soon."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine.core.registry import Listed
from engine.run.snapshot import Snapshot
from gui.run.control import RunControl

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment

REST_MS = 120
"""Keys pressed closer together than this count as one choice: only the last experiment is built."""


class Switching(QObject):
    """Delays the building of an experiment chosen by keys until the keys rest.

    Building form and plots takes a few tenths of a second, in which the window does not answer;
    for every experiment that a held arrow key passes this would add up to seconds.

    Parameters
    ----------
    control : RunControl
        Whose experiment is switched.
    experiments : sequence of Listed
        What can be chosen.
    load : callable
        Returns the experiment of an item, ready to be chosen.
    choose : callable, optional
        Shows an experiment; by default `control` does.

    Attributes
    ----------
    named : Signal(Listed)
        An experiment was chosen that is not built yet.
    opening : Signal
        An experiment is about to be built.
    returned : Signal
        The experiment that is open was chosen again before another one was built.
    snapshot_ready : Signal(Snapshot)
        A picture of the run; none while another experiment is named than the one that runs.
    """

    named = Signal(object)
    opening = Signal()
    returned = Signal()
    snapshot_ready = Signal(object)

    def __init__(
        self,
        control: RunControl,
        experiments: Sequence[Listed],
        load: Callable[[Listed], AbstractExperiment[Any, Any]],
        parent: QObject | None = None,
        choose: Callable[[AbstractExperiment[Any, Any]], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._control = control
        self._experiments = {listed.id: listed for listed in experiments}
        self._load = load
        self._choose = choose or control.choose
        self._wanted = ""
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.settle)

    @property
    def is_pending(self) -> bool:
        """Whether another experiment is named than the one that is built."""
        return bool(self._wanted)

    def browse(self, experiment_id: str) -> None:
        """Name an experiment, and open it unless another is chosen soon."""
        listed = self._experiments.get(experiment_id)
        if listed is None or experiment_id == (self._wanted or self._current()):
            return
        self._wanted = experiment_id
        self.named.emit(listed)
        self._rest.start()

    def browse_number(self, number: int) -> None:
        """Name the experiment of a number counted from 1, if there is one."""
        ids = tuple(self._experiments)
        if 1 <= number <= len(ids):
            self.browse(ids[number - 1])

    def settle(self) -> None:
        """Open now what was chosen last, so that what follows is about that experiment."""
        if self._wanted:
            self.open(self._wanted)

    def open(self, experiment_id: str) -> None:
        """Show an experiment now, with the settings it was left with."""
        was_named = self.is_pending
        self.drop()
        listed = self._experiments.get(experiment_id)
        if listed is None:
            return
        if experiment_id != self._current():
            self.opening.emit()
            self._choose(self._load(listed))
        elif was_named:
            self.returned.emit()
            if self._control.snapshot is not None:
                self.show_snapshot(self._control.snapshot)

    def drop(self) -> None:
        """Forget an experiment that was named and is not built."""
        self._rest.stop()
        self._wanted = ""

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Pass a picture on, unless another experiment is named already."""
        if not self.is_pending:
            self.snapshot_ready.emit(snapshot)

    def _current(self) -> str:
        return self._control.experiment.id if self._control.has_experiment else ""
