"""The dialogs of the window, loaded when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QDialog

if TYPE_CHECKING:
    from gui.window.main_window import MainWindow


class WindowDialogs(QObject):
    """Opens dialogs beside a window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def show_help(self) -> None:
        """Show the text on the experiment."""
        from gui.window.about import help_dialog

        experiment = self._window.control.experiment
        self._open(help_dialog(experiment.id, experiment.title, self._window))

    def show_shortcuts(self) -> None:
        """Show all keys."""
        from gui.window.about import shortcuts_dialog

        self._open(shortcuts_dialog(len(self._window.experiments), self._window))

    def show_about(self) -> None:
        """Show name, versions and device."""
        from gui.window.about import about_dialog

        self._open(about_dialog(self._window.status.device.text(), self._window))

    def show_export(self) -> None:
        """Offer figures, data and learned parameters as files."""
        from gui.window.export_dialog import ExportDialog

        window = self._window
        if window.control.snapshot is None:
            window.notices.say("There is nothing to export yet.")
            return
        self._open(ExportDialog(window.control, window.bridge, window.files, window))

    def _open(self, dialog: QDialog) -> None:
        """Show a dialog, or bring the one to the front that says the same already."""
        for other in self._window.findChildren(QDialog):
            if other is not dialog and other.windowTitle() == dialog.windowTitle():
                if other.isVisible():
                    dialog.deleteLater()
                    other.activateWindow()
                    return
        dialog.show()

    def show_report(self, traceback_text: str) -> None:
        """Show what failed, to be saved."""
        from gui.window.about import ReportDialog
        from gui.window.report import crash_report

        control = self._window.control
        known = control.has_experiment
        report = crash_report(
            traceback_text,
            control.experiment.id if known else "",
            control.params if known else None,
            control.seed if known else None,
        )
        ReportDialog(report, self._window).show()
