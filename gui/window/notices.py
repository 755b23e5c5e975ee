"""Messages to the user: in the status bar for a while, or in a bar above the plots until read."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from engine.core.errors import Refusal
from engine.text.mathtext import to_plain
from gui.style import scaling
from gui.style.icons import IconButton
from gui.window.report import Failure
from gui.window.status import StatusBar


class MessageBar(QFrame):
    """One sentence, with a Details button where a report can be shown; hidden while empty.

    Attributes
    ----------
    details_requested : Signal
        The user wants to see the report.
    """

    details_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.details_button = QPushButton("Details…")
        self.details_button.setToolTip("See what happened and save a report")
        self.details_button.clicked.connect(self.details_requested)
        self.close_button = IconButton("close", "Dismiss", "Dismiss this message", size=16)
        self.close_button.clicked.connect(self.hide)
        mark = IconButton("warning", "Warning", "", size=18)
        mark.setEnabled(True)
        mark.setFocusPolicy(self.focusPolicy())
        layout = QHBoxLayout(self)
        scaling.margins(layout, 8, 4, 8, 4)
        scaling.spacing(layout, 8)
        layout.addWidget(mark)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.details_button)
        layout.addWidget(self.close_button)
        self.hide()

    def show_message(self, text: str, has_details: bool = False) -> None:
        """Show a sentence."""
        self.text.setText(text)
        self.setAccessibleName(text)
        self.details_button.setVisible(has_details)
        self.show()


class Notices(QObject):
    """The messages of all parts of a window, and the last failure.

    Parameters
    ----------
    status : StatusBar
        Shows messages that may be missed.
    bar : MessageBar
        Shows warnings and failures.

    Attributes
    ----------
    report_requested : Signal(Failure)
        The user wants to see the report of the failure that the bar shows.
    """

    report_requested = Signal(object)

    def __init__(self, status: StatusBar, bar: MessageBar) -> None:
        super().__init__(bar)
        self._status = status
        self._bar = bar
        self._failure: Failure | None = None
        bar.details_requested.connect(self._on_details_requested)

    def show_message(self, text: Refusal | str) -> None:
        """Show a sentence in the status bar for a while."""
        self._status.show_message(to_plain(str(text)))

    def clear_message(self, text: str) -> None:
        """Remove a sentence that no longer holds from the status bar, if it is still there."""
        if self._status.currentMessage() == to_plain(text):
            self._status.clearMessage()

    def clear_messages(self) -> None:
        """Remove whatever the status bar shows, because it is about another experiment."""
        self._status.clearMessage()

    def show_warning(self, text: Refusal | str) -> None:
        """Show a sentence above the plots, until it is dismissed or a run begins."""
        self._failure = None
        self._bar.show_message(str(text))

    def show_failure(self, failure: Failure) -> None:
        """Show that something failed, and offer a report; the window goes on."""
        self._failure = failure
        self._bar.show_message(f"Something failed: {failure.last_line}", has_details=True)

    def hide_warning(self) -> None:
        """Hide the bar above the plots."""
        self._bar.hide()

    def _on_details_requested(self) -> None:
        if self._failure is not None:
            self.report_requested.emit(self._failure)
