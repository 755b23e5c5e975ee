"""The window: puts its parts together and connects them."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QPaintEvent,
)
from PySide6.QtWidgets import QApplication, QMainWindow, QVBoxLayout, QWidget

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.core.errors import Refusal
from engine.core.registry import Listed
from engine.core.versions import NAME
from engine.run.snapshot import Snapshot
from gui.compare.pins import Pin, Pins, PinsPanel
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.settings import Settings
from gui.style import theme
from gui.style.icons import app_icon
from gui.widgets.focus import TabPlace
from gui.widgets.message_bar import MessageBar
from gui.window.actions import Actions
from gui.window.commands import Commands
from gui.window.data_download import DataDownload
from gui.window.dialogs import WindowDialogs
from gui.window.docks import Docks
from gui.window.experiment_panel import ExperimentPanel
from gui.window.files import RunFiles
from gui.window.header import Header
from gui.window.loading import Loader
from gui.window.notices import Notices
from gui.window.panels import Panels
from gui.window.speed import SPEEDS
from gui.window.state import WindowState
from gui.window.status import StatusBar
from gui.window.switching import Switching
from gui.window.transport import Transport

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment
    from engine.storage.presets import Preset


class MainWindow(QMainWindow):
    """The laboratory's window.

    What shows a run, and the experiment itself, come last (`begin`), since loading what they stand
    on takes longer than all the rest together: the window is there before, with its names.

    Parameters
    ----------
    settings : Settings
        What is remembered between starts.
    bridge : Bridge, optional
        To the engine; tests pass their own.
    experiments : sequence of Listed
        What is in the list; by default all that is registered.

    Attributes
    ----------
    first_painted : Signal
        The window was drawn for the first time.
    loader : Loader
        Imports in the background what `begin` would otherwise import itself.
    """

    first_painted = Signal()

    def __init__(
        self,
        settings: Settings,
        bridge: Bridge | None = None,
        experiments: Sequence[Listed] | None = None,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.experiments = registry.entries() if experiments is None else tuple(experiments)
        self.bridge = bridge or Bridge()
        self.bridge.setParent(self)
        self.control = RunControl(self.bridge, self)
        self.pins = Pins(self)
        self.files = RunFiles(self, self.control, self.bridge, settings)
        self.downloads = DataDownload(self.control, self)
        self.dialogs = WindowDialogs(self)
        self._painted = False
        self.setWindowTitle(NAME)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 600)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a click beside a field leaves the field
        self._tab_place = TabPlace(self)
        self.switching = Switching(self)
        self._make_parts()
        self.actions_by_name = Actions(self, self.control.undo_group)
        self._connect_parts()
        self._connect_run()
        self.commands = Commands(self)
        self.state = WindowState(self)
        self.loader = Loader(self.state.preload, self)
        self._set_usable(False)

    # Building.

    def _make_parts(self) -> None:
        self.experiment_panel = ExperimentPanel(self.experiments)
        self.pins_panel = PinsPanel(self.pins, lambda role: theme.current_theme().color(role))
        self.transport = Transport()
        self.header = Header()
        self.message_bar = MessageBar()
        center = QWidget()
        column = QVBoxLayout(center)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.message_bar)
        self.setCentralWidget(center)
        self.docks = Docks(
            self,
            experiments=self.experiment_panel,
            pins=self.pins_panel,
            transport=self.transport,
        )
        self.panels = Panels(
            column, self.docks, self.control, self.bridge, self.pins, self.settings, self
        )
        self.status = StatusBar(self.bridge, self)
        self.setStatusBar(self.status)
        self.notices = Notices(self.status, self.message_bar, self.dialogs)

    def begin(self, run: bool = True) -> None:
        """Open the experiment, with all that shows a run; called once the window shows."""
        if not self.panels.is_filled:
            self.panels.fill(self.actions_by_name["scaled_axis"].isChecked())
            self.actions_by_name.show_plots(self.panels.views_menu)
        try:
            self.switching.settle()
            if not self.control.has_experiment:
                self.state.restore_experiment()
        except Exception:  # the others can still be opened
            self.notices.report_failure(traceback.format_exc())
        if self.control.snapshot is not None:  # of an experiment chosen while this one loaded
            self.show_snapshot(self.control.snapshot)
        elif run and self.control.has_experiment:
            self.control.reset()
        self.setFocus()

    def _set_usable(self, usable: bool) -> None:
        """Let what needs an experiment be used, or not yet."""
        self.actions_by_name.set_run_enabled(usable)
        self.transport.setEnabled(usable)
        self.header.help_button.setEnabled(usable)

    def _connect_parts(self) -> None:
        self.experiment_panel.experiment_chosen.connect(self.open_experiment)
        self.experiment_panel.experiment_browsed.connect(self.switching.browse)
        self.header.preset_chosen.connect(self.apply_preset)
        self.header.help_requested.connect(self.dialogs.show_help)
        self.pins_panel.restore_requested.connect(self._on_restore_requested)
        self.panels.said.connect(self.notices.say)
        self.panels.unsaid.connect(self.notices.take_back)
        self.panels.hovered.connect(self.status.showMessage)
        self.panels.waited.connect(self.show_no_run)
        self.files.said.connect(self.notices.say)
        self.downloads.said.connect(self.notices.say)
        self.downloads.refused.connect(self.notices.warn)
        self.files.refused.connect(self.notices.warn)
        self.files.trace_opened.connect(self.pins.add_trace)
        theme.theme_signals().changed.connect(self.pins_panel.refresh)
        scheme = QGuiApplication.styleHints().colorSchemeChanged
        scheme.connect(self._on_color_scheme_changed)

    def _connect_run(self) -> None:
        self.bridge.snapshot_ready.connect(self.show_snapshot)
        self.bridge.failed.connect(self.panels.stop_waiting)
        self.bridge.failed.connect(self.notices.report_failure)
        self.bridge.rejected.connect(self.panels.stop_waiting)
        self.bridge.rejected.connect(self._on_rejected)
        self.control.experiment_changed.connect(self._on_experiment_changed)
        self.control.settings_changed.connect(self._on_settings_changed)
        self.control.restarted.connect(self._on_restarted)
        self.control.rejected.connect(self._on_refused)
        self.control.play_queued.connect(self.transport.show_queued)
        transport = self.transport
        for asked in transport.requests:
            asked.connect(self.switching.settle)  # what follows is about the experiment named
        transport.play_toggled.connect(self.control.toggle_play)
        transport.step_requested.connect(self.control.step)
        transport.back_requested.connect(self.control.back)
        transport.reset_requested.connect(self.control.reset)
        transport.run_requested.connect(self.control.run)
        transport.seek_requested.connect(self.control.seek)
        transport.live_requested.connect(self.control.live)
        transport.speed_changed.connect(self.bridge.set_speed)
        transport.refused.connect(self.notices.say)
        transport.mended.connect(self.notices.take_back)

    # Showing.

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a picture of the run on all panels, unless another experiment is named already."""
        if self.switching.is_pending:
            return
        self.panels.show_snapshot(snapshot)
        self.transport.show_snapshot(snapshot)
        self.status.show_snapshot(snapshot)

    def show_no_run(self) -> None:
        """Show on transport and status bar that no step was made."""
        self.transport.forget_run()
        self.status.forget_run()

    def announce(self, listed: Listed) -> None:
        """Name an experiment that is about to be loaded."""
        self.setWindowTitle(f"{listed.title} – {NAME}")
        self.experiment_panel.select(listed.id)
        self.header.set_experiment(listed, ())

    # What the user does.

    def open_experiment(self, experiment_id: str) -> None:
        """Show another experiment with the settings it was left with."""
        self.switching.open(experiment_id)

    def apply_preset(self, preset: Preset) -> None:
        """Take over a preset, at its speed, and play it."""
        self.switching.settle()
        if preset.speed is not None:
            self.set_speed(preset.speed)
        self.control.apply_preset(preset)
        self.panels.show_tab_of(preset.params)
        self.notices.say(preset.description)

    def set_speed(self, steps_per_frame: float | None) -> None:
        """Set the speed of runs."""
        self.transport.set_speed(steps_per_frame)
        self.bridge.set_speed(steps_per_frame)

    def set_theme(self, name: str) -> None:
        """Dress the window: light, dark or as the system."""
        self.actions_by_name.set_theme(name)
        app = QApplication.instance()
        chosen = theme.THEMES.get(name) or theme.system_theme()
        is_dressed = isinstance(app, QApplication) and bool(app.styleSheet())
        if isinstance(app, QApplication) and not (is_dressed and chosen is theme.current_theme()):
            theme.apply_theme(app, chosen)

    # What happens.

    def _on_experiment_changed(self, experiment: AbstractExperiment[Any, Any]) -> None:
        self._set_usable(True)
        self.switching.drop()  # whoever chose it, for example by opening a file, chose it last
        self.notices.clear()
        self.switching.name_open()
        self.transport.set_rewindable(experiment.rewindable)
        self.status.long_step = experiment.listing.long_step
        self.commands.show_nudge(experiment.why_no_nudge)
        self.show_no_run()
        self.state.pins.bring_back(experiment)
        self.pins_panel.set_experiment(experiment.id)
        self.set_speed(max(SPEEDS[0], experiment.listing.cadence / 60))
        self.panels.show_experiment(experiment, self.control.params)

    def _on_settings_changed(self, params: Any, seed: int) -> None:
        self.header.presets.show_settings(params, seed)
        self.panels.show_settings(params, seed)

    def _on_restarted(self) -> None:
        self.status.begin_run()
        self.panels.wait()
        self.notices.dismiss()

    def _on_rejected(self, reason: Refusal | str) -> None:
        self.notices.warn(self.panels.explain(reason))

    def _on_refused(self, reason: Refusal | str) -> None:
        self.notices.say(self.panels.in_words(reason))

    def _on_restore_requested(self, pin: Pin) -> None:
        self.switching.open(pin.experiment)
        self.control.restore(pin.params, pin.seed)

    def _on_color_scheme_changed(self) -> None:
        checked = self.actions_by_name.themes.checkedAction()
        if checked is not None and checked.data() == "system":
            # Not within the system's own signal: Qt is still changing its palette.
            QTimer.singleShot(0, self, lambda: self.set_theme("system"))

    # Qt events.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say when the window was drawn for the first time."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)  # when all of it is on the screen

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the plain keys that no child had a use for."""
        name = self.actions_by_name.handle_key(event)
        if name.startswith("experiment "):
            number = int(name.removeprefix("experiment "))
            if number <= len(self.experiments):
                self.switching.browse(self.experiments[number - 1].id)
        elif not name:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802
        """Let Tab go on from the field that was left last."""
        self._tab_place.resume()
        return super().focusNextPrevChild(forward)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one local file or folder."""
        if len(event.mimeData().urls()) == 1 and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the dropped run."""
        event.acceptProposedAction()
        self.files.open(Path(event.mimeData().urls()[0].toLocalFile()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Remember the window, cancel what is running and end the engine's thread."""
        self.switching.drop()
        self.state.save()
        self.panels.close_windows()
        self.hide()  # a kernel that is being compiled cannot be stopped, only waited for
        self.bridge.close()
        self.loader.wait()
        super().closeEvent(event)
