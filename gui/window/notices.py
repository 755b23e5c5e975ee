"""What the window tells its user: in the status bar for a while, or above the plots until read."""

from __future__ import annotations

from PySide6.QtCore import QObject

from engine.text.mathtext import to_plain
from gui.widgets.message_bar import MessageBar
from gui.window.dialogs import WindowDialogs
from gui.window.status import MESSAGE_MS, StatusBar


class Notices(QObject):
    """Sentences of all parts of a window, and the report of what failed last.

    Parameters
    ----------
    status : StatusBar
        Shows what may be missed.
    bar : MessageBar
        Shows what went wrong.
    dialogs : WindowDialogs
        Show the report.
    """

    def __init__(self, status: StatusBar, bar: MessageBar, dialogs: WindowDialogs) -> None:
        super().__init__(bar)
        self._status = status
        self._bar = bar
        self._dialogs = dialogs
        self._failure = ""
        bar.details_requested.connect(self._on_details_requested)

    def say(self, text: str) -> None:
        """Put a sentence in the status bar for a while."""
        self._status.showMessage(to_plain(text), MESSAGE_MS)

    def take_back(self, text: str) -> None:
        """Drop a sentence from the status bar, if it is still there: it is no longer true."""
        if self._status.currentMessage() == to_plain(text):
            self._status.clearMessage()

    def clear(self) -> None:
        """Drop what the status bar says: it is about what is no longer shown."""
        self._status.clearMessage()

    def warn(self, text: str) -> None:
        """Put a sentence above the plots, until it is dismissed or a run begins."""
        self._failure = ""
        self._bar.show_message(text)

    def report_failure(self, traceback_text: str) -> None:
        """Show that something failed, and offer a report; the window lives on."""
        self._failure = traceback_text
        last = traceback_text.strip().rpartition("\n")[2]
        self._bar.show_message(f"Something failed: {last}", has_details=True)

    def dismiss(self) -> None:
        """Take back what is above the plots."""
        self._bar.hide()

    def _on_details_requested(self) -> None:
        self._dialogs.show_report(self._failure)
