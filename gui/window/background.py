"""Work beside the window and the engine: its progress, Cancel, and its answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QProgressDialog, QWidget

if TYPE_CHECKING:
    from engine.core.ensemble import Progress

T = TypeVar("T")
PATIENCE_MS = 400
"""Time after which it is said what is waited for."""
PARTS = 1000


class Background(QObject):
    """Runs one function at a time in a thread of its own; a newer one takes an older one's place.

    What takes long shows a dialog with a bar, without holding up the rest of the window; Escape,
    Cancel and closing the window stop it. Work that cannot be broken off ends by itself, and its
    answer is dropped.

    Parameters
    ----------
    window : QWidget
        Over which the dialog stands.
    """

    _reported = Signal(int, float, str)
    _answered = Signal(int, object)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._number = 0
        self._then: Callable[[Any], None] | None = None
        self._dialog: QProgressDialog | None = None
        self._reported.connect(self._on_reported)
        self._answered.connect(self._on_answered)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is waited for."""
        return self._then is not None

    def start(
        self,
        text: str,
        function: Callable[[Progress], T],
        then: Callable[[T | Exception], None],
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
        """
        self.cancel()
        number, self._then = self._number, then
        self._show(text)

        def progress(fraction: float, text: str) -> bool:
            if text:
                with contextlib.suppress(RuntimeError):  # the window is gone
                    self._reported.emit(number, fraction, text)
            return number == self._number

        def work() -> None:
            result: T | Exception
            try:
                result = function(progress)
            except Exception as error:
                result = error
            with contextlib.suppress(RuntimeError):
                self._answered.emit(number, result)

        threading.Thread(target=work, name="background", daemon=True).start()

    def cancel(self) -> None:
        """Stop what is going on; its answer is not wanted any more."""
        self._number += 1
        self._end()

    def _show(self, text: str) -> None:
        dialog = QProgressDialog(text, "Cancel", 0, 0, self._window)
        dialog.setMinimumDuration(PATIENCE_MS)
        dialog.setAutoClose(False)
        dialog.setAutoReset(False)
        dialog.canceled.connect(self.cancel)
        dialog.rejected.connect(self.cancel)
        self._dialog = dialog
        dialog.setValue(0)  # from here on its patience is counted

    def _end(self) -> None:
        self._then = None
        if self._dialog is not None:
            dialog, self._dialog = self._dialog, None
            dialog.blockSignals(True)
            dialog.close()
            dialog.deleteLater()

    def _on_reported(self, number: int, fraction: float, text: str) -> None:
        if number == self._number and self._dialog is not None:
            self._dialog.setMaximum(PARTS)
            self._dialog.setLabelText(text)
            self._dialog.setValue(round(PARTS * fraction))

    def _on_answered(self, number: int, result: object) -> None:
        then = self._then
        if number == self._number and then is not None:
            self._end()
            then(result)
