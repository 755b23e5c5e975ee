"""What the window keeps for the next start; a damaged file never prevents a start."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QSize, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMainWindow

from engine.core.registry import Listed, opened_first
from gui.compare.pin_store import PinStore
from gui.compare.pins import Pins
from gui.run.control import RunControl
from gui.settings import Settings
from gui.style import scaling
from gui.window.actions import THEMES, Actions
from gui.window.docks import LOW, NARROW, Docks
from gui.window.interface_size import InterfaceSize
from gui.window.transport import Transport

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment
    from engine.storage.session_file import Look
    from gui.window.panels import Panels

FIRST_SIZE = (1440, 900)
SAVE_MS = 2000
"""A change is on the disk this much later, should the program be killed."""
_SWITCHES = ("scaled_axis", "developer")
"""Actions of the View menu that are kept, off at first."""
LEAST = QSize(560, 300)
"""Size of the window at least where the screen has no room for all of its parts."""
FRAME = 40
"""Height at least left to the window's title bar, which comes on top of its own size."""


class WindowState:
    """Saves and restores a window.

    Parameters
    ----------
    window : QMainWindow
        Whose size and layout are kept.
    settings : Settings
        Where to.
    experiments : sequence of Listed
        What is in the list.
    control : RunControl
        Whose settings are kept, for every experiment.
    pins : Pins
        The pinned runs.
    actions, docks, transport
        Of the window; they hold small choices that are kept, too.
    set_theme : callable
        Applies a theme by name.
    size : InterfaceSize
        The scale of the interface.

    Attributes
    ----------
    panels : Panels or None
        Whose layout is kept; None until there are any.
    """

    def __init__(
        self,
        window: QMainWindow,
        settings: Settings,
        experiments: Sequence[Listed],
        control: RunControl,
        pins: Pins,
        *,
        actions: Actions,
        docks: Docks,
        transport: Transport,
        set_theme: Callable[[str], None],
        size: InterfaceSize,
    ) -> None:
        self._window = window
        self._settings = settings
        self._experiments = {listed.id: listed for listed in experiments}
        self._control = control
        self._actions = actions
        self._docks = docks
        self._transport = transport
        self._set_theme = set_theme
        self._size = size
        self._last: Listed | None = None
        self.panels: Panels | None = None
        self._pins = PinStore(pins, settings)
        self._due = QTimer(window, singleShot=True, interval=SAVE_MS)
        self._due.timeout.connect(self.save_changes)
        for changed in (
            control.experiment_changed,
            control.settings_changed,
            pins.changed,
            actions["scaled_axis"].toggled,
            actions["developer"].toggled,
            actions.theme_chosen,
            transport.nudge_size_changed,
            size.changed,
        ):
            changed.connect(self._on_changed)
        size.changed.connect(self._set_least)

    def _on_changed(self) -> None:
        if not self._due.isActive():  # so that a long drag is saved on the way, too
            self._due.start()

    def restore(self, first: str = "") -> Listed | None:
        """Restore size, layout and theme; returns the experiment to be opened, if there is one.

        `first` is the id of one to open in place of the last, if that is known.
        """
        settings = self._settings
        known = {name for name, _ in THEMES}
        name = settings.text("theme", "system")
        self._set_theme(name if name in known else "system")
        self._size.usual()
        self._size.choose(settings.object("scale"))
        self._resize_first()
        geometry = settings.blob("geometry")
        if not geometry.isEmpty():
            self._window.restoreGeometry(geometry)
        self._docks.arrange()
        self._docks.restore(settings.blob("docks"))
        for name in _SWITCHES:
            self._actions[name].setChecked(settings.flag(name, False))
        self._transport.set_nudge_size(settings.object("nudge_size"))
        last = self._experiments.get(first) or self._experiments.get(settings.text("experiment"))
        self._last = last or opened_first(tuple(self._experiments.values()))
        return self._last

    def _resize_first(self) -> None:
        screen = QGuiApplication.primaryScreen().availableSize()
        room = QSize(screen.width(), screen.height() - FRAME)
        self._set_least()
        self._window.resize(QSize(*FIRST_SIZE).boundedTo(room))

    def _set_least(self) -> None:
        """Allow the window to be as small as a screen that has no room for all of its parts.

        There the plots shrink rather than push the transport out of it.
        """
        factor = scaling.factor()
        room = QGuiApplication.primaryScreen().availableSize() - QSize(0, FRAME)
        is_small = room.width() < NARROW * factor or room.height() < LOW * factor
        free = QSize(0, 0)  # as small as the parts can be
        self._window.setMinimumSize(room.boundedTo(LEAST) if is_small or factor > 1 else free)

    def preload(self) -> None:
        """Import and read what `restore_experiment` needs, on whatever thread."""
        from engine.storage.presets import presets

        if self._last is not None:
            presets(self._last.load().id)

    def restore_experiment(self) -> None:
        """Open the last experiment, without beginning its run; this imports it."""
        if self._last is not None:
            self._control.choose(self.load(self._last), begin=False)

    def load(self, listed: Listed) -> AbstractExperiment[Any, Any]:
        """Load an experiment, with the settings it was left with."""
        experiment, control = listed.load(), self._control
        last = self._settings.params(experiment)
        if last is not None and not control.remembers(experiment.id):
            control.remember(experiment.id, *last)
        return experiment

    def restore_pins(self, experiment: AbstractExperiment[Any, Any]) -> None:
        """Restore the pinned runs of an experiment, once."""
        self._pins.bring_back(experiment)

    def look(self) -> Look:
        """Return how the window is set; the layout of the plots shown is among the settings."""
        from engine.storage.session_file import Look

        if self.panels is not None:
            self.panels.save_layout()
        return Look(
            docks=base64.b64encode(self._docks.save().data()).decode("ascii"),
            page=self._docks.tabs.front,
            scaled_axis=self._actions["scaled_axis"].isChecked(),
            speed=self._transport.speed,
        )

    def set_look(self, look: Look) -> None:
        """Set the window, and put the plots shown where the settings say."""
        self._docks.restore(QByteArray.fromBase64(look.docks.encode()))
        self._docks.tabs.bring_back(look.page)
        self._actions["scaled_axis"].setChecked(look.scaled_axis)
        self._transport.set_speed(look.speed)
        self._transport.speed_changed.emit(look.speed)
        if self.panels is not None:
            self.panels.bring_back_layout()

    def take_pins(self, experiments: set[str]) -> None:
        """Take the pins of these experiments as brought back already."""
        self._pins.take_over(experiments)

    def save(self) -> None:
        """Keep everything for the next start."""
        self._settings.set_blob("geometry", self._window.saveGeometry())
        self._settings.set_blob("docks", self._docks.save())
        self.save_changes()

    def save_changes(self) -> None:
        """Keep what is not the layout of the window: experiment, settings, pins, small choices."""
        self._due.stop()
        settings, control = self._settings, self._control
        settings.set_text("theme", self._actions.theme)
        settings.set_object("scale", self._size.chosen)
        for name in _SWITCHES:
            settings.set_object(name, self._actions[name].isChecked())
        settings.set_object("nudge_size", self._transport.nudge_size)
        if control.has_experiment:
            settings.set_text("experiment", control.experiment.id)
        for experiment_id, known in control.settings_of_all().items():
            settings.set_params(experiment_id, *known)
        self._pins.save()
        if settings.save():
            self._pins.tidy()
