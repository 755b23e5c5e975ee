"""Saving the run as a live page: one HTML file that computes its own steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.core.errors import LabError
from gui.export.folders import Folders
from gui.run.bridge import Bridge
from gui.run.control import RunControl
from gui.widgets.background import Background

if TYPE_CHECKING:
    from engine.core.ensemble import Progress
    from engine.run.session import Session
    from engine.run.spec import RunSpec


class LivePages(QObject):
    """Writes live pages where the user chooses.

    Attributes
    ----------
    message_requested : Signal(str)
        One sentence on what was written, or why nothing was.
    """

    message_requested = Signal(str)

    def __init__(
        self, window: QWidget, control: RunControl, bridge: Bridge, files: Folders
    ) -> None:
        super().__init__(window)
        self._window = window
        self._control = control
        self._bridge = bridge
        self._files = files
        self._background = Background(window)

    def ask(self) -> None:
        """Write a page of the run where the user chooses; refuse at once what has none."""
        from engine.pages.subject import refusal_of

        why = refusal_of(self._control.experiment.id)
        if why:
            self.message_requested.emit(why)
            return
        start = str(Path(self._files.folder()) / f"{self._control.experiment.id}.html")
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Live page", start, "Web pages (*.html)"
        )
        if name:
            path = Path(name)
            self.save(path if path.suffix else path.with_suffix(".html"))

    def save(self, path: Path) -> None:
        """Write a page of the run, with its settings in force."""

        def begin(run: RunSpec | Exception) -> None:
            if isinstance(run, Exception):
                self._on_made(path, run)
                return
            self._background.start(
                f"Making {path.name}…",
                lambda progress: _make(run, path, progress),
                lambda done: self._on_made(path, done),
            )

        self._bridge.peek(_described, begin)

    def _on_made(self, path: Path, done: Any) -> None:
        if isinstance(done, LabError):
            self.message_requested.emit(str(done))
        elif isinstance(done, Exception):
            raise done
        else:
            self._files.keep_folder(path)
            self.message_requested.emit(" ".join((f"Saved {path.name}.", *done)))


def _described(session: Session) -> RunSpec:
    from engine.run.spec import RunSpec

    return RunSpec.of(session)


def _make(run: RunSpec, path: Path, progress: Progress) -> tuple[str, ...]:
    """Write a page; return what of the run it leaves out."""
    from engine.pages.subject import subject_of
    from engine.pages.writing import write

    subject = subject_of(run)
    write(subject, path)
    return subject.remarks
