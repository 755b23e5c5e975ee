"""What the actions of the window's menus and keys do."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from gui.window.speed import SPEEDS

if TYPE_CHECKING:
    from gui.window.main_window import MainWindow


class Commands(QObject):
    """Carries out the actions of a window.

    Parameters
    ----------
    window : MainWindow
        Complete but for what shows a run.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        for name, handler in self._handlers().items():
            # The argument "checked" is not for the handlers.
            action = window.actions_by_name[name]
            action.triggered.connect(lambda checked=False, do=handler: self._do(do))
        window.pins_panel.pin_requested.connect(self.pin_run)
        window.transport.nudge_button.nudge_requested.connect(lambda size: self.nudge())
        window.transport.nudge_button.reason_changed.connect(self._on_nudge_reason)
        self._connect_switches()
        self._connect_menus()

    def _handlers(self) -> dict[str, Callable[[], object]]:
        window, control = self._window, self._window.control
        return {
            "open": window.files.ask_open,
            "save": window.files.ask_save,
            "export": window.dialogs.show_export,
            "quit": window.close,
            "copy": self.copy_plots,
            "undo": control.undo_group.undo,
            "redo": control.undo_group.redo,
            "play": control.toggle_play,
            "step": control.step,
            "back": control.back,
            "reset": control.reset,
            "run": window.transport.ask_run,
            "nudge": self.nudge,
            "live": control.live,
            "faster": lambda: self.change_speed(1),
            "slower": lambda: self.change_speed(-1),
            "pin": self.pin_run,
            "unpin": lambda: window.pins.clear(control.experiment.id),
            "reset_layout": self.reset_layout,
            "help": window.dialogs.show_help,
            "shortcuts": window.dialogs.show_shortcuts,
            "about": window.dialogs.show_about,
        }

    def _do(self, handler: Callable[[], object]) -> None:
        """Let an action be about the experiment that is named."""
        self._window.switching.settle()
        handler()

    def _connect_switches(self) -> None:
        actions = self._window.actions_by_name
        actions["scaled_axis"].toggled.connect(self._window.panels.set_axis_scaled)
        actions["full_screen"].toggled.connect(self.set_full_screen)

    def _connect_menus(self) -> None:
        window, actions = self._window, self._window.actions_by_name
        actions.show_experiments(window.experiments)
        actions.show_panels(window.docks.actions())
        window.downloads.fill(actions.data_menu)
        chosen = actions.experiments_menu.triggered
        chosen.connect(lambda action: window.open_experiment(action.data()))
        actions.presets_menu.triggered.connect(lambda action: window.apply_preset(action.data()))
        actions.themes.triggered.connect(lambda action: window.set_theme(action.data()))
        windows_menu, recent_menu = actions.windows_menu, actions.recent_menu
        windows_menu.aboutToShow.connect(lambda: window.panels.show_windows(windows_menu))
        recent_menu.aboutToShow.connect(lambda: window.files.show_recent(recent_menu))

    def change_speed(self, stops: int) -> None:
        """Go some stops of the speed slider up or down; beyond the last is "max"."""
        transport = self._window.transport
        known = transport.speed_control.slider.value()
        stop = len(SPEEDS) if transport.speed is None else known
        stop = max(0, stop + stops)
        self._window.set_speed(SPEEDS[stop] if stop < len(SPEEDS) else None)

    def nudge(self) -> None:
        """Push the run by the chosen size."""
        self._window.control.nudge(self._window.transport.nudge_button.size_chosen)

    def show_nudge(self, why_not: str) -> None:
        """Offer pushes, or say why the experiment has none."""
        self._window.transport.nudge_button.set_reason(why_not)
        self._on_nudge_reason()

    def _on_nudge_reason(self) -> None:
        button, action = self._window.transport.nudge_button, self._window.actions_by_name["nudge"]
        action.setEnabled(not button.reason)
        action.setToolTip(button.toolTip())

    def pin_run(self) -> None:
        """Keep the run on the plots."""
        window, snapshot = self._window, self._window.control.snapshot
        if snapshot is None or snapshot.step == 0:
            window.notices.say("There is nothing to pin yet: make some steps first.")
            return
        pin = window.pins.add(snapshot)
        window.docks.pins.show()
        window.notices.say(f"Pinned: {pin.label}.")

    def copy_plots(self) -> None:
        """Copy the plots to the clipboard."""
        picture = self._window.panels.picture()
        if picture is not None:
            QGuiApplication.clipboard().setPixmap(picture)
            self._window.notices.say("The plots are in the clipboard.")

    def reset_layout(self) -> None:
        """Put docks and plots back where they were at first."""
        self._window.docks.reset()
        self._window.panels.reset_layout()

    def set_full_screen(self, on: bool) -> None:
        """Fill the screen, or go back to a window."""
        if on:
            self._window.showFullScreen()
        else:
            self._window.showNormal()
