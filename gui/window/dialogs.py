"""The dialogs of the window, imported when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from gui.compare.pins import Pins
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.window.files import RunFiles
from gui.window.report import Failure

if TYPE_CHECKING:
    from gui.export.live_page import LivePages
    from gui.lockstep.opening import SideBySide


class WindowDialogs(QObject):
    """Opens dialogs beside a window.

    Parameters
    ----------
    window : QWidget
        Parent of the dialogs.
    control, bridge, files
        Of the window; exports need them.
    experiments : int
        Number of experiments in the list.
    pins : Pins
        Pinned runs, drawn in exported figures.
    device : callable
        Returns the name of the device that the experiment is computed on.

    Attributes
    ----------
    message_requested : Signal(str)
        A sentence for the status bar.
    """

    message_requested = Signal(str)

    def __init__(
        self,
        window: QWidget,
        control: RunControl,
        bridge: Bridge,
        files: RunFiles,
        *,
        experiments: int,
        pins: Pins,
        device: Callable[[], str],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._control = control
        self._bridge = bridge
        self._files = files
        self._experiments = experiments
        self._pins = pins
        self._device = device
        self._live_pages: LivePages | None = None
        self._beside: SideBySide | None = None

    def show_map_help(self) -> None:
        """Show what maps are and how to use them."""
        from gui.window.about import help_dialog

        self._open(help_dialog("maps", "Maps", self._window))

    def show_help(self) -> None:
        """Show the text on the experiment."""
        from gui.window.about import help_dialog

        experiment = self._control.experiment
        self._open(help_dialog(experiment.id, experiment.title, self._window))

    def show_stories(self) -> None:
        """Show how a story is written."""
        from gui.window.about import stories_dialog

        self._open(stories_dialog(self._window))

    def show_shortcuts(self) -> None:
        """Show all keys."""
        from gui.window.about import shortcuts_dialog

        self._open(shortcuts_dialog(self._experiments, self._window))

    def show_about(self) -> None:
        """Show name, versions and device."""
        from gui.window.about import about_dialog

        self._open(about_dialog(self._device(), self._window))

    def show_export(self) -> None:
        """Offer figures, data and learned parameters as files."""
        from gui.export.export_dialog import ExportDialog

        if self._control.snapshot is None:
            self.message_requested.emit("There is nothing to export yet.")
            return
        self._open(ExportDialog(self._control, self._bridge, self._files, self._window, self._pins))

    def show_animation(self) -> None:
        """Offer the run, or a sweep of a parameter, as a film."""
        from gui.export.animation_dialog import AnimationDialog

        if self._control.snapshot is None:
            self.message_requested.emit("There is nothing to show yet.")
            return
        self._open(AnimationDialog(self._control, self._bridge, self._files, self._window))

    def ask_live_page(self) -> None:
        """Save the run as a page that computes itself."""
        from gui.export.live_page import LivePages

        if self._control.snapshot is None:
            self.message_requested.emit("There is nothing to save yet.")
            return
        if self._live_pages is None:
            self._live_pages = LivePages(self._window, self._control, self._bridge, self._files)
            self._live_pages.message_requested.connect(self.message_requested)
        self._live_pages.ask()

    def show_comparison(self) -> None:
        """Show the present run and the pinned ones in a table."""
        from gui.compare.compare_dialog import CompareDialog
        from gui.style.theme import current_theme

        self._open(
            CompareDialog(
                self._control,
                self._pins,
                lambda role: current_theme().color(role),
                self._files.folder,
                self._window,
                self.show_side_by_side,
            )
        )

    @property
    def beside(self) -> SideBySide:
        """What opens runs side by side, made at first use."""
        if self._beside is None:
            from gui.lockstep.opening import SideBySide

            self._beside = SideBySide(self._window, self._control, self._bridge, self._pins)
            self._beside.refused.connect(self.message_requested)
        return self._beside

    def show_side_by_side(self) -> None:
        """Show the present run and the pinned ones that are drawn, in lock-step."""
        self.beside.show_runs()

    def show_around_bound(self) -> None:
        """Show runs with step sizes below and above a bound, in lock-step."""
        self.beside.show_around_bound()

    def close_beside(self) -> None:
        """Close the windows of runs side by side."""
        if self._beside is not None:
            self._beside.close()

    def show_reproduce(self) -> None:
        """Offer to recompute the paper."""
        from gui.window.reproduce.dialog import ReproduceDialog

        self._open(ReproduceDialog(self._files, self._window))

    def ask_story(self) -> Path | None:
        """Ask the user for the file of a story."""
        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open a story", self._files.folder(), "Stories (*.toml);;All files (*)"
        )
        if not name:
            return None
        self._files.keep_folder(Path(name))
        return Path(name)

    def show_report(self, failure: Failure) -> None:
        """Show what failed, to be saved."""
        from gui.window.about import ReportDialog

        ReportDialog(failure.report(), self._window).show()

    def _open(self, dialog: QDialog) -> None:
        """Show a dialog, or bring an open one of the same title to the front."""
        for other in self._window.findChildren(QDialog):
            if other is not dialog and other.windowTitle() == dialog.windowTitle():
                if other.isVisible():
                    dialog.deleteLater()
                    other.activateWindow()
                    return
        dialog.show()
