"""The dialog that exports figures, data and learned parameters, beside a run that goes on."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QWidget,
)

from engine.core.errors import LabError
from engine.core.views import View
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.window import export_jobs
from gui.window.about import Dialog
from gui.window.files import RunFiles

RESOLUTIONS = (100, 150, 200, 300, 600)


class ExportDialog(Dialog):
    """Choose what, in which format, and where to.

    Parameters
    ----------
    control : RunControl
        Whose run is exported.
    bridge : Bridge
        To the engine thread, which does it.
    files : RunFiles
        Knows the folder last used.
    """

    def __init__(
        self,
        control: RunControl,
        bridge: Bridge,
        files: RunFiles,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Export", parent)
        self._control = control
        self._bridge = bridge
        self._files = files
        self._views = control.experiment.views(control.params)
        self._choices = export_jobs.choices(self._views, control.experiment.rewindable)
        self.what = QComboBox()
        self.what.setAccessibleName("What to export")
        self.what.addItems([choice.title for choice in self._choices])
        self.format = QComboBox()
        self.format.setAccessibleName("Format")
        self.dpi = QComboBox()
        for dpi in RESOLUTIONS:
            self.dpi.addItem(f"{dpi} dpi", dpi)
        self.dpi.setCurrentIndex(RESOLUTIONS.index(200))
        self.dpi.setAccessibleName("Resolution")
        self.hint = QLabel()
        self.hint.setObjectName("hint")
        self.hint.setWordWrap(True)
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self._lay_out()
        self.what.currentIndexChanged.connect(self._show_choice)
        self.format.currentTextChanged.connect(self._show_format)
        self._show_choice()

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.addRow("What", self.what)
        form.addRow("Format", self.format)
        form.addRow("Resolution", self.dpi)
        self.column.addLayout(form)
        self.column.addWidget(self.hint)
        self.column.addWidget(self.outcome)
        self.column.addStretch(1)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.save_button = self.buttons.addButton("Save…", role)
        self.save_button.clicked.connect(self._on_save)
        self.copy_button = self.buttons.addButton("Copy", role)
        self.copy_button.setToolTip("Copy the figure to the clipboard")
        self.copy_button.clicked.connect(self.copy)
        self.finish(self.save_button)
        self.setMinimumWidth(440)

    @property
    def choice(self) -> export_jobs.Choice:
        """What is to be exported."""
        return self._choices[self.what.currentIndex()]

    def _show_choice(self) -> None:
        formats = export_jobs.FORMATS[self.choice.kind]
        self.format.clear()
        self.format.addItems([name.upper() if len(name) < 4 else name for name in formats])
        self.format.setEnabled(bool(formats))
        self.hint.setText(export_jobs.HINTS[self.choice.kind])
        self.copy_button.setEnabled(self.choice.kind in ("page", "figure"))
        self._show_format()

    def _show_format(self) -> None:
        self.dpi.setEnabled(self.format.currentText() == "PNG")

    def _on_save(self) -> None:
        suffix = self.format.currentText().lower()
        name = export_jobs.file_name(self._control.experiment.id, self.choice, suffix)
        start = str(Path(self._files.folder()) / name)
        if suffix:
            chosen, _ = QFileDialog.getSaveFileName(self, "Export", start, f"*.{suffix}")
        else:
            chosen = QFileDialog.getExistingDirectory(self, "Export into", self._files.folder())
        if chosen:
            self.save(Path(chosen))

    def save(self, path: Path) -> None:
        """Export into a file, whose name gets the format's ending if it has none."""
        suffix = self.format.currentText().lower()
        if suffix and not path.suffix:
            path = path.with_suffix(f".{suffix}")
        work = export_jobs.job(self.choice, path, self._shown_views(), self.dpi.currentData())
        self._begin(f"Writing {path.name}…")
        self._bridge.ask(work, lambda done: self._on_saved(path, done))

    def copy(self) -> None:
        """Copy the figure to the clipboard."""
        work = export_jobs.figure_png(self.choice.view, self._shown_views(), self.dpi.currentData())
        self._begin("Drawing…")
        self._bridge.ask(work, self._on_drawn)

    def _shown_views(self) -> list[View]:
        return [view for view in self._views if view.shown] or list(self._views)

    def _begin(self, text: str) -> None:
        self.save_button.setEnabled(False)
        self.copy_button.setEnabled(False)
        self.outcome.setText(text)

    def _on_saved(self, path: Path, done: bool | Exception) -> None:
        if not isinstance(done, Exception):
            self._files.keep_folder(path)
        self._end(done, f"Saved {path.name}." if done else "Cancelled; nothing was written.")

    def _on_drawn(self, data: bytes | Exception) -> None:
        if not isinstance(data, Exception):
            QGuiApplication.clipboard().setImage(QImage.fromData(data))
        self._end(data, "The figure is in the clipboard.")

    def _end(self, result: object, text: str) -> None:
        from shiboken6 import isValid

        if not isValid(self):  # closed meanwhile
            return
        self.save_button.setEnabled(True)
        self.copy_button.setEnabled(self.choice.kind in ("page", "figure"))
        if isinstance(result, LabError):
            self.outcome.setText(str(result))
        elif isinstance(result, Exception):
            self.outcome.setText("Something failed; the window shows the details.")
            raise result
        else:
            self.outcome.setText(text)
