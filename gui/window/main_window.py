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
    QResizeEvent,
)
from PySide6.QtWidgets import QLabel, QMainWindow, QVBoxLayout, QWidget

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.core.registry import Listed
from engine.core.versions import NAME
from gui.compare.pins import Pin, Pins, PinsPanel
from gui.run.bridge import CLOSE_SECONDS, Bridge
from gui.run.control import RunControl
from gui.sessions.sessions import Sessions
from gui.settings import Settings
from gui.story.card import StoryCard
from gui.story.player import StoryPlayer
from gui.style import scaling, theme
from gui.style.icons import app_icon
from gui.style.theme_choice import ThemeChoice
from gui.widgets.focus import TabPlace
from gui.window.actions import Actions
from gui.window.commands import Commands
from gui.window.data_download import DataDownload
from gui.window.dialogs import WindowDialogs
from gui.window.docks import LOW, Docks
from gui.window.experiment_panel import ExperimentPanel
from gui.window.files import RunFiles
from gui.window.gallery import Gallery
from gui.window.header import Header
from gui.window.hints import HANDLES, HintBar, Hints
from gui.window.interface_size import InterfaceSize
from gui.window.notices import MessageBar, Notices
from gui.window.report import Failure
from gui.window.room import Room
from gui.window.speed import SPEEDS
from gui.window.state import WindowState
from gui.window.status import StatusBar
from gui.window.switching import Switching
from gui.window.transport import Transport

if TYPE_CHECKING:
    from engine.core.experiment import AbstractExperiment
    from engine.storage.presets import Preset
    from gui.window.panels import Panels


class MainWindow(QMainWindow):
    """The laboratory's window.

    It is complete, and shows the names of what will be opened, without the panels: what they stand
    on takes longer to import than all the rest together. `begin` gives it the panels, built in one
    go, which connect themselves with the run; nothing here calls them.

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
    closing : Signal
        The window is about to be closed; its layout is not saved yet.
    closed : Signal
        Everything is saved and the window is hidden.
    panels : Panels or None
        What shows a run; None until `begin`.
    """

    first_painted = Signal()
    closing = Signal()
    closed = Signal()

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
        self.panels: Panels | None = None
        self._painted = False
        self.setWindowTitle(NAME)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # a click beside a field leaves the field
        self._tab_place = TabPlace(self)
        self._make_widgets()
        self._make_helpers()
        self._connect_parts()
        self._connect_actions()
        self._connect_run()
        self._set_usable(False)

    # Building.

    def _make_widgets(self) -> None:
        self.experiment_panel = ExperimentPanel(self.experiments)
        self.pins_panel = PinsPanel(self.pins, lambda role: theme.current_theme().color(role))
        self.transport = Transport()
        self.header = Header()
        self.message_bar = MessageBar()
        self.hint_bar = HintBar()
        self.gallery = Gallery(self)
        self.story_card = StoryCard()
        self.status = StatusBar(self.bridge, self)
        self.setStatusBar(self.status)
        self._loading = QLabel("Loading…")
        self._loading.setObjectName("hint")
        self._loading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        center = QWidget()
        self._column = QVBoxLayout(center)
        scaling.margins(self._column, 4, 0, 4, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.header)
        self._column.addWidget(self.message_bar)
        self._column.addWidget(self.hint_bar)
        self._column.addWidget(self._loading, 1)
        self._column.addWidget(self.story_card)
        self.setCentralWidget(center)
        self.docks = Docks(
            self,
            experiments=self.experiment_panel,
            pins=self.pins_panel,
            transport=self.transport,
        )

    def _make_helpers(self) -> None:
        control, bridge = self.control, self.bridge
        self.actions_by_name = Actions(self, control.undo_group)
        self.size_chosen = InterfaceSize(self)
        self.theme_choice = ThemeChoice(self)
        self.notices = Notices(self.status, self.message_bar)
        self.hints = Hints(self.hint_bar, self.settings)
        self.files = RunFiles(self, control, bridge, self.settings)
        self.downloads = DataDownload(self.experiments, control, self)
        self.dialogs = WindowDialogs(
            self,
            control,
            bridge,
            self.files,
            experiments=len(self.experiments),
            pins=self.pins,
            device=lambda: self.status.device_name,
        )
        self.state = WindowState(
            self,
            self.settings,
            self.experiments,
            control,
            self.pins,
            actions=self.actions_by_name,
            docks=self.docks,
            transport=self.transport,
            set_theme=self.theme_choice.set,
            size=self.size_chosen,
        )
        self.story = StoryPlayer(
            self.story_card,
            control,
            open_experiment=self.open_experiment,
            set_speed=self.set_speed,
            show_views=self._show_only,
        )
        self.room = Room(
            self,
            docks=self.docks,
            header=self.header,
            hint_bar=self.hint_bar,
            status=self.status,
            story=self.story,
            size=self.size_chosen,
        )
        self.sessions = Sessions(
            self,
            control,
            bridge,
            self.pins,
            self.story,
            self.settings,
            experiments=self.experiments,
            place=self.state,
            files=self.files,
        )
        self.switching = Switching(
            control, self.experiments, self.state.load, self, self.sessions.choose
        )
        self.commands = Commands(self.actions_by_name, self.switching.settle, self)

    def _connect_parts(self) -> None:
        self.experiment_panel.experiment_chosen.connect(self.open_experiment)
        self.experiment_panel.experiment_browsed.connect(self.switching.browse)
        self.header.preset_chosen.connect(self.apply_preset)
        self.header.help_requested.connect(self.dialogs.show_help)
        self.header.gallery_requested.connect(self.show_gallery)
        self.header.experiments_requested.connect(
            lambda: self.header.show_menu(self.actions_by_name.experiments_menu)
        )
        self.gallery.preset_chosen.connect(self.apply_preset)
        self.pins_panel.restore_requested.connect(self._on_restore_requested)
        self.commands.bind_pins(self.control, self.pins, self.docks)
        self.notices.report_requested.connect(self.dialogs.show_report)
        self.files.session_chosen.connect(self.sessions.open)
        self.closing.connect(self.sessions.keep_now)
        self.closing.connect(self.dialogs.close_beside)
        for part in (self.commands, self.dialogs, self.files, self.downloads, self.sessions):
            part.message_requested.connect(self.notices.show_message)
        for refusing in (self.files, self.downloads, self.story, self.sessions):
            refusing.refused.connect(self.notices.show_warning)
        self.files.trace_opened.connect(self.pins.add_trace)
        self.downloads.fill(self.actions_by_name.data_menu)
        theme.theme_signals().changed.connect(self.pins_panel.refresh)
        self.theme_choice.chosen.connect(self.actions_by_name.set_theme)

    def _connect_actions(self) -> None:
        actions, commands = self.actions_by_name, self.commands
        commands.bind_run(self.control, self.transport)
        commands.bind_files(self.files)
        commands.bind_sessions(self.sessions)
        commands.bind_dialogs(self.dialogs)
        commands.bind_story(self.story, self.dialogs)
        commands.bind("quit", self.close)
        commands.bind("reset_layout", self.docks.reset)
        commands.bind("larger", self.size_chosen.larger)
        commands.bind("smaller", self.size_chosen.smaller)
        commands.bind("usual_size", self.size_chosen.usual)
        self.size_chosen.changed.connect(self._on_scaled)
        commands.bind("previous_preset", lambda: self.header.presets.step(-1))
        commands.bind("next_preset", lambda: self.header.presets.step(1))
        commands.bind("gallery", self.show_gallery)
        self.pins_panel.pin_requested.connect(actions["pin"].trigger)
        self.pins_panel.compare_requested.connect(actions["compare"].trigger)
        actions["developer"].toggled.connect(self.status.show_frames)
        actions["full_screen"].toggled.connect(self.room.set_audience)
        actions.show_experiments(self.experiments)
        actions.show_panels(self.docks.actions())
        actions.experiment_chosen.connect(self.open_experiment)
        actions.experiment_browsed.connect(self.switching.browse_number)
        actions.preset_chosen.connect(self.apply_preset)
        actions.theme_chosen.connect(self.theme_choice.set)

    def _connect_run(self) -> None:
        self.bridge.snapshot_ready.connect(self.switching.show_snapshot)
        self.bridge.failed.connect(self.report_failure)
        self.bridge.rejected.connect(self.notices.show_warning)
        self.control.experiment_changed.connect(self._on_experiment_changed)
        self.control.settings_changed.connect(self.header.show_settings)
        self.control.restarted.connect(self.status.begin_run)
        self.control.restarted.connect(self.notices.hide_warning)
        self.control.rejected.connect(self.notices.show_message)
        self.control.play_queued.connect(self.transport.show_queued)
        self.switching.named.connect(self._on_named)
        self.switching.returned.connect(self._name_open)
        self.switching.snapshot_ready.connect(self.transport.show_snapshot)
        self.switching.snapshot_ready.connect(self.status.show_snapshot)
        self.switching.snapshot_ready.connect(
            lambda snapshot: self.hints.show_snapshot(self.control.params, snapshot)
        )
        self.commands.bind_transport(self.control, self.bridge, self.transport)
        self.transport.error_cleared.connect(self.notices.clear_message)

    # Beginning.

    def restore(self, first: str = "") -> None:
        """Restore size, layout and theme, and name the experiment opened: `first`, or the last."""
        last = self.state.restore(first)
        self.header.set_low(self.screen().availableSize().height() < LOW)
        if last is not None:
            self._name(last)

    def begin(self, run: bool = True) -> None:
        """Build the panels and open the experiment; called once the window shows."""
        if self.panels is None:
            self.panels = self._made_panels()
        try:
            self.switching.settle()
            if not self.control.has_experiment:
                self.state.restore_experiment()
        except Exception:  # the others can still be opened
            self.report_failure(traceback.format_exc())
        if run and self.control.has_experiment and self.control.snapshot is None:
            self.control.reset()
        self.setFocus()

    def _made_panels(self) -> Panels:
        from gui.window.panels import Panels

        panels = Panels(self.docks.tabs, self.control, self.bridge, self.pins, self.settings, self)
        self._column.replaceWidget(self._loading, panels.middle)
        self._loading.hide()
        panels.middle.show()  # at once: without it the bars share the height of the window
        self._column.insertWidget(self._column.indexOf(self.story_card), panels.step_bar)
        self._loading.deleteLater()
        self.state.panels = self.room.panels = panels
        panels.views_shown.connect(self.hints.show_views)
        self.hints.show_views(panels.views)
        panels.plots.handle_released.connect(lambda: self.hints.follow(HANDLES))
        self.docks.set_parameters(panels.form)
        panels.message_requested.connect(self.notices.show_message)
        panels.message_cleared.connect(self.notices.clear_message)
        panels.warning_requested.connect(self.notices.show_warning)
        panels.hovered.connect(self.status.showMessage)
        panels.run_delayed.connect(self._show_no_run)
        panels.failed.connect(self.report_failure)
        panels.maps.panel.help_requested.connect(self.dialogs.show_map_help)
        self.switching.named.connect(panels.cover_plots)
        self.switching.named.connect(panels.begin_waiting)
        self.switching.opening.connect(panels.hold_waiting)
        self.switching.returned.connect(panels.end_waiting)
        self.switching.snapshot_ready.connect(panels.show_snapshot)
        self.closing.connect(panels.close)
        actions = self.actions_by_name
        panels.set_axis_scaled(actions["scaled_axis"].isChecked())
        actions["scaled_axis"].toggled.connect(panels.set_axis_scaled)
        actions.show_plots(panels.views_menu)
        menu = actions.windows_menu
        menu.aboutToShow.connect(lambda: panels.show_windows(menu))
        self.commands.bind("reset_layout", panels.reset_layout)
        self.commands.bind("copy", lambda: self._copy(panels))
        self.commands.bind("maps", self.docks.show_theory)
        self.commands.bind("maps", panels.show_maps)
        return panels

    def _set_usable(self, usable: bool) -> None:
        """Enable what needs an experiment, or disable it."""
        self.actions_by_name.set_run_enabled(usable)
        self.transport.setEnabled(usable)
        self.header.set_help_enabled(usable)

    # Names.

    def _name(self, listed: Listed, presets: Sequence[Preset] = ()) -> None:
        """Show the name of an experiment everywhere, and its presets."""
        self.setWindowTitle(f"{listed.title} – {NAME}")
        self.experiment_panel.select(listed.id)
        self.header.set_experiment(listed, presets)
        self.hints.forget()
        self.actions_by_name.show_presets(presets)

    def _name_open(self) -> None:
        """Show the name of the experiment that is open."""
        from engine.storage.presets import presets

        experiment = self.control.experiment
        self._name(experiment, presets(experiment.id))
        self.header.show_settings(self.control.params, self.control.seed)

    def _on_named(self, listed: Listed) -> None:
        self._name(listed)
        self._show_no_run()

    def _show_no_run(self) -> None:
        """Show on transport and status bar that no step was made."""
        self.transport.forget_run()
        self.status.forget_run()

    # What the user does.

    def open_experiment(self, experiment_id: str) -> None:
        """Show another experiment with the settings it was left with."""
        self.switching.open(experiment_id)

    def apply_preset(self, preset: Preset) -> None:
        """Apply a preset, at its speed, and play it."""
        self.switching.settle()
        if preset.speed is not None:
            self.set_speed(preset.speed)
        self.header.presets.expect(preset)
        self.control.apply_preset(preset)
        if self.panels is not None:
            self.panels.show_tab_of(preset.params)
        self.notices.show_message(preset.description)

    def set_speed(self, steps_per_frame: float | None) -> None:
        """Set the speed of runs."""
        self.transport.set_speed(steps_per_frame)
        self.bridge.set_speed(steps_per_frame)

    def show_gallery(self) -> None:
        """Show the presets as pictures, to choose from."""
        presets = self.header.presets
        if presets.presets:
            self.gallery.set_presets(self.control.experiment.id, presets.presets, presets.last)
            self.gallery.show_below(self.header.gallery_button)

    def _show_only(self, view_ids: Sequence[str]) -> None:
        """Show these plots and no others, or the usual ones."""
        if self.panels is not None:
            self.panels.plots.show_only(view_ids)

    def report_failure(self, traceback_text: str) -> None:
        """Show that something failed, and offer a report with the settings in force now."""
        control = self.control
        failure = Failure(traceback_text)
        if control.has_experiment:
            failure = Failure(traceback_text, control.experiment.id, control.params, control.seed)
        self.notices.show_failure(failure)

    def _on_scaled(self, scale: float) -> None:
        self.room.rescale()
        self.notices.show_message(f"Size {scale:.0%}")

    def _copy(self, panels: Panels) -> None:
        QGuiApplication.clipboard().setPixmap(panels.picture())
        self.notices.show_message("The plots are in the clipboard.")

    # What happens.

    def _on_experiment_changed(self, experiment: AbstractExperiment[Any, Any]) -> None:
        self._set_usable(True)
        self.switching.drop()  # it was chosen last, for example by opening a file
        self.notices.clear_messages()
        self._name_open()
        self.transport.set_experiment(experiment.rewindable, experiment.why_no_nudge)
        self.status.set_long_step(experiment.listing.long_step)
        self._show_no_run()
        self.state.restore_pins(experiment)
        self.pins_panel.set_experiment(experiment.id)
        self.set_speed(max(SPEEDS[0], experiment.listing.cadence / 60))

    def _on_restore_requested(self, pin: Pin) -> None:
        self.switching.open(pin.experiment)
        self.control.restore(pin.params, pin.seed)

    # Qt events.

    def paintEvent(self, event: QPaintEvent) -> None:
        """Emit `first_painted` when the window was drawn for the first time."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.first_painted.emit)  # when all of it is on the screen

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle the plain keys that no child had a use for; Escape leaves an audience's page."""
        if event.key() == Qt.Key.Key_Escape and self.room.has_audience:
            self.actions_by_name["full_screen"].setChecked(False)
        elif not self.actions_by_name.handle_key(event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802
        """Move the focus on Tab from the field that was left last."""
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

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide or stack docks where there is no room for them."""
        super().resizeEvent(event)
        self.room.fit()
        QTimer.singleShot(0, self, self.docks.settle)
        if self.room.has_audience and self.panels is not None:
            self.panels.arrange_soon()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save the window's state, cancel what is running and end the engine's thread."""
        self.switching.drop()
        self.actions_by_name["full_screen"].setChecked(False)  # else it would be the layout kept
        self.closing.emit()
        self.state.save()
        self.hide()  # an import or a kernel's compilation cannot be stopped
        self.bridge.close(CLOSE_SECONDS)
        self.closed.emit()
        super().closeEvent(event)
