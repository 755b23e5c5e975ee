"""The dialog that recomputes the paper and later literature into a folder, beside a run."""

from __future__ import annotations

import queue
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QWidget,
)

from engine.core.errors import LabError
from engine.text.numbers import duration
from gui.style import scaling
from gui.widgets.background import Answer, Report
from gui.widgets.dialog import Dialog
from gui.window.files import RunFiles

if TYPE_CHECKING:
    from engine.core.ensemble import Progress

POLL_MS = 100
PARTS = 1000
NICENESS = 10
"""How far the processes stand back behind the window and its run."""
LEAST_SHARE = 0.02
"""Share done from which the time left is shown."""


def reproduce(folder: Path, data: str, *, quick: bool, progress: Progress) -> str | None:
    """Make a report into a folder and return the sentence that sums it up; None if stopped.

    Raises
    ------
    LabError
        If the folder or the data cannot be used, or a file cannot be written.
    """
    from engine.executors.choice import pool
    from engine.reproduce import making, store
    from engine.reproduce.carry import Options
    from engine.reproduce.catalogue import studies
    from engine.reproduce.report import files
    from engine.reproduce.report.words import summary

    if data:
        from engine.experiments.mnist import datasets

        datasets.load(data)
    every = (*studies("reproduce"), *studies("atlas"))
    folder = store.check(folder)
    with pool(has_threads=False, niceness=NICENESS) as workers:
        made = making.make(
            store.prepare(folder), every, Options(quick=quick, data=data), workers, progress
        )
    if made is None:
        return None
    files.write(folder, made)
    return summary(made)


class ReproduceDialog(Dialog):
    """Choose a folder, quick or full, and see how far it is; closing it stops the work.

    Parameters
    ----------
    files : RunFiles
        Knows the folder last used.
    """

    def __init__(self, files: RunFiles, parent: QWidget | None = None) -> None:
        super().__init__("Reproduce the paper", parent)
        self._files = files
        self._stop = threading.Event()
        self._news: queue.SimpleQueue[Report | Answer] = queue.SimpleQueue()
        self._begun = 0.0
        self.folder = QLineEdit(str(Path(files.folder()) / "reproduction"))
        self.folder.setAccessibleName("Folder of the report")
        self.kind = QComboBox()
        self.kind.addItems(["Quick: a few minutes", "Full: longer runs, larger ensembles"])
        self.kind.setAccessibleName("How much")
        self.data = QLineEdit()
        self.data.setPlaceholderText("bundled digits only")
        self.data.setAccessibleName("Data of MNIST")
        self.data.setToolTip("mnist, if it was downloaded, or a folder of its IDX files")
        self.bar = QProgressBar()
        self.bar.setRange(0, PARTS)
        self.bar.setTextVisible(False)
        self.outcome = QLabel(
            "Every figure, proposition and theorem of the paper and results of later literature "
            "are computed again, and a report compares them with what is stated. A report that "
            "was begun in the folder goes on."
        )
        self.outcome.setWordWrap(True)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)
        self._lay_out()

    def _lay_out(self) -> None:
        self.choose_button = QPushButton("Choose…")
        self.choose_button.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose_button)
        form = QFormLayout()
        form.addRow("Folder", row)
        form.addRow("How much", self.kind)
        form.addRow("MNIST", self.data)
        self.column.addLayout(form)
        self.column.addWidget(self.outcome)
        self.column.addWidget(self.bar)
        self.column.addStretch(1)
        role = QDialogButtonBox.ButtonRole.ActionRole
        self.begin_button = self.buttons.addButton("Begin", role)
        self.begin_button.clicked.connect(self.begin)
        self.cancel_button = self.buttons.addButton("Stop", role)
        self.cancel_button.clicked.connect(self._stop_work)
        self.cancel_button.setEnabled(False)
        self.open_button = self.buttons.addButton("Open report", role)
        self.open_button.clicked.connect(self._open_report)
        self.finish(self.begin_button)
        scaling.least(self, width=520)
        self.folder.textChanged.connect(self._look_for_report)
        self._look_for_report()

    @property
    def is_busy(self) -> bool:
        """Whether a report is being made."""
        return self._timer.isActive()

    def begin(self) -> None:
        """Make the report in a thread, whose processes stand back behind the window."""
        if self.is_busy:
            return
        self._stop, self._news = threading.Event(), queue.SimpleQueue()
        stop, news = self._stop, self._news
        folder, data = Path(self.folder.text()), self.data.text().strip()
        quick = self.kind.currentIndex() == 0

        def progress(fraction: float, text: str) -> bool:
            news.put(Report(fraction, text))
            return not stop.is_set()

        def work() -> None:
            try:
                news.put(Answer(reproduce(folder, data, quick=quick, progress=progress)))
            except Exception as error:
                news.put(Answer(error))

        self._begun = time.monotonic()
        self._set_busy(True)
        self.outcome.setText("Beginning…")
        threading.Thread(target=work, name="engine-report", daemon=True).start()

    def _look(self) -> None:
        """Show the latest report, or what came of it."""
        latest: Report | None = None
        while True:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                break
            if isinstance(news, Answer):
                self._end(news.result)
                return
            latest = news
        if latest is not None and not self._stop.is_set():
            self.bar.setValue(round(PARTS * latest.fraction))
            self.outcome.setText(f"{latest.text}{self._left(latest.fraction)}")

    def _left(self, fraction: float) -> str:
        if fraction < LEAST_SHARE:
            return ""
        passed = time.monotonic() - self._begun
        return f", about {duration(passed * (1 - fraction) / fraction)} left"

    def _end(self, result: Any) -> None:
        self._set_busy(False)
        self._look_for_report()
        if result is None:
            self.outcome.setText("Stopped. Finished studies are kept; begin again to go on.")
        elif isinstance(result, LabError):
            self.outcome.setText(str(result))
        elif isinstance(result, Exception):
            self.outcome.setText("Something failed; the window shows the details.")
            raise result
        else:
            self.bar.setValue(PARTS)
            self._files.keep_folder(Path(self.folder.text()))
            self.outcome.setText(result)

    def _stop_work(self) -> None:
        self._stop.set()
        self.cancel_button.setEnabled(False)
        self.outcome.setText("Stopping…")

    def _set_busy(self, busy: bool) -> None:
        chosen = (self.folder, self.choose_button, self.kind, self.data, self.begin_button)
        for part in chosen:
            part.setEnabled(not busy)
        self.cancel_button.setEnabled(busy)
        if busy:
            self.bar.setValue(0)
            self._timer.start()
        else:
            self._timer.stop()

    def _choose(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, "Folder of the report", self._files.folder()
        )
        if chosen:
            self.folder.setText(chosen)

    @property
    def _page(self) -> Path:
        return Path(self.folder.text()) / "report.html"

    def _look_for_report(self) -> None:
        try:
            self.open_button.setEnabled(self._page.is_file())
        except (OSError, ValueError):
            self.open_button.setEnabled(False)

    def _open_report(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._page.resolve())))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the work."""
        self._stop.set()
        self._timer.stop()
        super().closeEvent(event)
