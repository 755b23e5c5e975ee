"""From one experiment to another: named at once, built when no other is chosen for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from engine.core.registry import Listed
    from gui.window.main_window import MainWindow

REST_MS = 120
"""Keys pressed closer together than this are one wish: only the last experiment is built."""


class Switching(QObject):
    """Waits with an experiment chosen by keys until the keys rest.

    Building form and plots takes a few tenths of a second, in which the window is deaf; for every
    experiment that a held arrow key passes this would add up to seconds.

    Parameters
    ----------
    window : MainWindow
        Whose experiment is switched.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._wanted = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self.settle)

    @property
    def is_pending(self) -> bool:
        """Whether another experiment is named than the one that is built."""
        return bool(self._wanted)

    def browse(self, experiment_id: str) -> None:
        """Name an experiment, and open it unless another is chosen soon."""
        listed = self._find(experiment_id)
        if listed is None or experiment_id == (self._wanted or self._current()):
            return
        self._wanted = experiment_id
        self._window.announce(listed)
        self._window.actions_by_name.show_presets(())
        self._window.show_no_run()
        self._window.panels.cover_plots()
        self._window.panels.wait()
        self._rest.start()

    def settle(self) -> None:
        """Open now what was chosen last, so that what comes next is about it."""
        if self._wanted:
            self.open(self._wanted)

    def open(self, experiment_id: str) -> None:
        """Show an experiment now, with the settings it was left with."""
        window, was_named = self._window, self.is_pending
        self.drop()
        listed = self._find(experiment_id)
        if listed is None:
            return
        if experiment_id != self._current():
            window.panels.hold_waiting()
            window.control.choose(window.state.load(listed))
        elif was_named:  # there and back before anything was built
            window.panels.stop_waiting()
            self.name_open()
            if window.control.snapshot is not None:
                window.show_snapshot(window.control.snapshot)

    def name_open(self) -> None:
        """Name the experiment that is open, with its presets."""
        from engine.storage.presets import presets

        window, control = self._window, self._window.control
        offered = presets(control.experiment.id)
        window.announce(control.experiment)
        window.header.presets.set_presets(offered)
        window.header.presets.show_settings(control.params, control.seed)
        window.actions_by_name.show_presets(offered)

    def drop(self) -> None:
        """Forget what was chosen and is not built."""
        self._rest.stop()
        self._wanted = ""

    def _current(self) -> str:
        control = self._window.control
        return control.experiment.id if control.has_experiment else ""

    def _find(self, experiment_id: str) -> Listed | None:
        known = (listed for listed in self._window.experiments if listed.id == experiment_id)
        return next(known, None)
