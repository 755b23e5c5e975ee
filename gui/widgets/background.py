"""Work beside the window and the engine: its progress, Cancel, and its answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QProgressDialog, QWidget

if TYPE_CHECKING:
    from engine.core.ensemble import Progress

T = TypeVar("T")
PATIENCE_MS = 400
"""Time after which it is said what is waited for."""
PARTS = 1000
POLL_MS = 15
"""Time between two looks at what the work reports."""


@dataclass(frozen=True, slots=True)
class Report:
    """How far the work is."""

    fraction: float
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of the work, or its error."""

    result: Any


class Background(QObject):
    """Runs one function at a time in a thread of its own; a newer one takes an older one's place.

    What takes long shows a dialog with a bar, without holding up the rest of the window; Escape,
    Cancel and closing the window stop it. Work that cannot be broken off ends by itself, and its
    answer is dropped. The work touches no Qt object, which might be destroyed meanwhile: it leaves
    its news in a queue, at which a timer of the window looks.

    Parameters
    ----------
    window : QWidget
        Over which the dialog stands.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._stop = threading.Event()
        self._news: queue.SimpleQueue[Report | Answer] = queue.SimpleQueue()
        self._then: Callable[[Any], None] | None = None
        self._cancelled: Callable[[], None] = lambda: None
        self._dialog: QProgressDialog | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is waited for."""
        return self._then is not None

    def start(
        self,
        text: str,
        function: Callable[[Progress], T],
        then: Callable[[T | Exception], None],
        cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        """Run a function that touches no Qt object, and give its result or error to `then` here.

        Parameters
        ----------
        text : str
            What is done, as a sentence.
        function : callable
            Called with a `Progress`.
        then : callable
            Called on the window's thread, unless the work was cancelled.
        cancelled : callable
            Called there if the user cancelled it.
        """
        self.cancel()
        self._cancelled = cancelled
        stop, news = threading.Event(), queue.SimpleQueue[Report | Answer]()
        self._stop, self._news, self._then = stop, news, then
        self._show(text)

        def progress(fraction: float, text: str) -> bool:
            if text:
                news.put(Report(fraction, text))
            return not stop.is_set()

        def work() -> None:
            try:
                news.put(Answer(function(progress)))
            except Exception as error:
                news.put(Answer(error))

        threading.Thread(target=work, name="background", daemon=True).start()
        self._timer.start()

    def cancel(self) -> None:
        """Stop what is going on; its answer is not wanted any more."""
        self._stop.set()
        self._end()

    def _on_cancelled(self) -> None:
        self.cancel()
        self._cancelled()

    def _show(self, text: str) -> None:
        dialog = QProgressDialog(text, "Cancel", 0, 0, self._window)
        dialog.setMinimumDuration(PATIENCE_MS)
        dialog.setAutoClose(False)
        dialog.setAutoReset(False)
        dialog.canceled.connect(self._on_cancelled)
        dialog.rejected.connect(self._on_cancelled)
        self._dialog = dialog
        dialog.setValue(0)  # from here on its patience is counted

    def _end(self) -> None:
        self._then = None
        self._timer.stop()
        if self._dialog is not None:
            dialog, self._dialog = self._dialog, None
            dialog.blockSignals(True)
            dialog.close()
            dialog.deleteLater()

    def _look(self) -> None:
        """Show the latest report, and hand the answer over."""
        latest: Report | None = None
        while self._then is not None:
            try:
                news = self._news.get_nowait()
            except queue.Empty:
                break
            if isinstance(news, Answer):
                then = self._then
                self._end()
                then(news.result)
                return
            latest = news
        if latest is not None and self._dialog is not None:
            self._dialog.setMaximum(PARTS)
            self._dialog.setLabelText(latest.text)
            self._dialog.setValue(round(PARTS * latest.fraction))
