"""What the window keeps for the next start, and takes back without ever failing to start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication

from gui.compare.pin_store import PinStore
from gui.window.actions import THEMES

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment
    from engine.core.registry import Listed
    from gui.window.main_window import MainWindow

FIRST_SIZE = (1440, 900)
SAVE_MS = 2000
"""What was changed is on the disk this much later, should the program be killed."""
FRAME = 40
"""Height at least left to the window's title bar, which comes on top of its own size."""


class WindowState:
    """Saves and restores a window.

    Parameters
    ----------
    window : MainWindow
        Complete but for what shows a run.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._settings = window.settings
        self._last: Listed | None = None
        self.pins = PinStore(window.pins, window.settings)
        self._due = QTimer(window, singleShot=True, interval=SAVE_MS)
        self._due.timeout.connect(self.save_changes)
        self._watch()

    def _watch(self) -> None:
        window, actions = self._window, self._window.actions_by_name
        control, nudge = window.control, window.transport.nudge_button
        for changed in (
            control.experiment_changed,
            control.settings_changed,
            window.pins.changed,
            actions["scaled_axis"].toggled,
            actions.themes.triggered,
            nudge.size_changed,
        ):
            changed.connect(self._on_changed)

    def _on_changed(self) -> None:
        if not self._due.isActive():  # so that a long drag is saved on the way, too
            self._due.start()

    def restore(self) -> None:
        """Bring back size, layout and theme, and name the experiment that will be opened."""
        window, settings = self._window, self._settings
        known = {name for name, _ in THEMES}
        name = settings.text("theme", "system")
        window.set_theme(name if name in known else "system")
        self._resize_first()
        geometry = settings.blob("geometry")
        if not geometry.isEmpty():
            window.restoreGeometry(geometry)
        window.docks.arrange()
        window.docks.restore(settings.blob("docks"))
        window.actions_by_name["scaled_axis"].setChecked(settings.flag("scaled_axis", False))
        window.transport.nudge_button.choose(settings.object("nudge_size"))
        self._last = self._last_experiment()
        if self._last is not None:
            window.announce(self._last)

    def preload(self) -> None:
        """Import and read what `restore_experiment` needs, on whatever thread."""
        from engine.storage.presets import presets

        if self._last is not None:
            presets(self._last.load().id)

    def _resize_first(self) -> None:
        screen = QGuiApplication.primaryScreen().availableGeometry()
        width = min(FIRST_SIZE[0], screen.width())
        height = min(FIRST_SIZE[1], screen.height() - FRAME)
        self._window.resize(width, height)

    def restore_experiment(self) -> None:
        """Open the last experiment, without beginning its run; this imports it."""
        if self._last is not None:
            self._window.control.choose(self.load(self._last), begin=False)

    def load(self, listed: Listed) -> AbstractExperiment[Any, Any]:
        """Load an experiment, with the settings it was left with."""
        experiment, control = listed.load(), self._window.control
        last = self._settings.params(experiment)
        if last is not None and not control.remembers(experiment.id):
            control.remember(experiment.id, *last)
        return experiment

    def _last_experiment(self) -> Listed | None:
        known = {listed.id: listed for listed in self._window.experiments}
        # At first the smallest deep network: it is what the rest builds on.
        for wanted in (self._settings.text("experiment"), "scalar-product", *known):
            if wanted in known:
                return known[wanted]
        return None

    def save(self) -> None:
        """Keep everything for the next start."""
        window, settings = self._window, self._settings
        settings.set_blob("geometry", window.saveGeometry())
        settings.set_blob("docks", window.docks.save())
        window.panels.save_layout()
        self.save_changes()

    def save_changes(self) -> None:
        """Keep what is not the layout of the window: experiment, settings, pins, small choices."""
        self._due.stop()
        window, settings = self._window, self._settings
        checked = window.actions_by_name.themes.checkedAction()
        settings.set_text("theme", "system" if checked is None else checked.data())
        settings.set_object("scaled_axis", window.actions_by_name["scaled_axis"].isChecked())
        settings.set_object("nudge_size", window.transport.nudge_button.size_chosen)
        if window.control.has_experiment:
            settings.set_text("experiment", window.control.experiment.id)
        for experiment_id, known in window.control.settings_of_all().items():
            settings.set_params(experiment_id, *known)
        self.pins.save()
        if settings.save():
            self.pins.tidy()
