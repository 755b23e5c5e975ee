"""The window's few dialogs, none of them modal: help, shortcuts, about, and a failure's report."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from engine.core.errors import LabError
from engine.core.versions import NAME, VERSION, versions
from engine.storage.files import write_text
from gui.style import scaling
from gui.style.icons import app_icon
from gui.widgets.dialog import Dialog
from gui.widgets.shortcuts import NUMBERED, SHORTCUTS, experiment_keys, native_text
from gui.window.help_view import HelpView, help_text


def help_dialog(experiment_id: str, title: str, parent: QWidget | None) -> Dialog:
    """Show "What am I looking at?" of an experiment."""
    dialog = Dialog(f"What am I looking at? – {title}", parent)
    dialog.column.setContentsMargins(0, 0, 0, 0)
    text = help_text(experiment_id) or f"# {title}\n\nNo text was written for this experiment."
    dialog.column.addWidget(HelpView(text), 1)
    scaling.margins(dialog.buttons, 16, 0, 16, 16)
    dialog.finish()
    dialog.resize(560, 640)
    return dialog


def stories_dialog(parent: QWidget | None) -> Dialog:
    """Show how a story is written."""
    dialog = Dialog("Writing a story", parent)
    dialog.column.setContentsMargins(0, 0, 0, 0)
    dialog.column.addWidget(HelpView(help_text("stories")), 1)
    scaling.margins(dialog.buttons, 16, 0, 16, 16)
    dialog.finish()
    dialog.resize(620, 720)
    return dialog


def shortcuts_dialog(experiments: int, parent: QWidget | None) -> Dialog:
    """Show all keys of the window."""
    dialog = Dialog("Keyboard shortcuts", parent)
    grid = QGridLayout()
    scaling.across(grid, 24)
    scaling.down(grid, 4)
    row = 0
    for group, items in groupby(SHORTCUTS, key=lambda item: item.group):
        heading = QLabel(group)
        heading.setObjectName("heading")
        scaling.margins(heading, 0, 8 if row else 0, 0, 0)
        grid.addWidget(heading, row, 0, 1, 2)
        row += 1
        lines = [(native_text(item.keys), item.text) for item in items]
        if group == "Run":
            first, last = (
                native_text(experiment_keys(number)) for number in (1, min(experiments, NUMBERED))
            )
            lines.append((f"{first} … {last}", "Experiment of this number"))
        for keys, text in lines:
            key_label = QLabel(keys)
            key_label.setObjectName("key")
            grid.addWidget(key_label, row, 0, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(QLabel(text), row, 1)
            row += 1
    grid.setColumnStretch(1, 1)
    dialog.column.addLayout(grid)
    note = QLabel("Keys go to a field first while it is being edited.")
    note.setObjectName("hint")
    dialog.column.addWidget(note)
    dialog.finish()
    return dialog


def about_text(device: str) -> str:
    """Write what the About box says below the name."""
    lines = [
        f"Version {VERSION}",
        "",
        "A laboratory for the stability of gradient descent, after Kamil Nar and S. Shankar "
        "Sastry, “Residual Networks: Lyapunov Stability and Convex Decomposition” (2018).",
        "",
        f"Device: {device}",
        *(f"{name} {number}" for name, number in versions().items() if name != "lyapunov-lab"),
        "",
        "MIT licence.",
    ]
    return "\n".join(lines)


def about_dialog(device: str, parent: QWidget | None) -> Dialog:
    """Show name, versions and device."""
    dialog = Dialog(f"About {NAME}", parent)
    picture = QLabel()
    picture.setPixmap(app_icon().pixmap(72, 72))
    name = QLabel(NAME)
    name.setObjectName("title")
    body = QLabel(about_text(device))
    body.setWordWrap(True)
    scaling.least(body, width=380)
    body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    for widget in (picture, name, body):
        dialog.column.addWidget(widget)
    copy = QPushButton("Copy")
    copy.setToolTip("Copy the versions")
    copy.clicked.connect(
        lambda: QGuiApplication.clipboard().setText(f"{NAME}\n{about_text(device)}")
    )
    dialog.buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
    dialog.finish()
    return dialog


class ReportDialog(Dialog):
    """A failure: what will be in the report, and a button to save it.

    Parameters
    ----------
    report : str
        The text, already free of personal paths.
    """

    def __init__(self, report: str, parent: QWidget | None = None) -> None:
        super().__init__("What went wrong", parent)
        self.report = report
        words = QLabel(
            "The program goes on. This report says what failed and under which settings; "
            "it holds no personal paths."
        )
        words.setWordWrap(True)
        view = QPlainTextEdit(report)
        view.setReadOnly(True)
        view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        view.setAccessibleName("Report")
        self.outcome = QLabel()
        self.outcome.setObjectName("hint")
        save = self.buttons.addButton("Save report…", QDialogButtonBox.ButtonRole.ActionRole)
        save.clicked.connect(self._on_save)
        copy = self.buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        for widget in (words, view, self.outcome):
            self.column.addWidget(widget)
        self.finish(save)
        self.resize(680, 480)

    def save_to(self, path: Path) -> None:
        """Write the report, and say under the text whether that worked."""
        try:
            write_text(path, self.report)
        except LabError as error:
            self.outcome.setText(str(error))
        else:
            self.outcome.setText(f"Saved as {path.name}.")

    def _on_save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(
            self, "Save report", "lyapunov-lab-report.txt", "Text (*.txt)"
        )
        if name:
            self.save_to(Path(name))
