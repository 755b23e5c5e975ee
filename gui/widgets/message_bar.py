"""A bar above the plots for what went wrong: seen at once, in nobody's way."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from gui.style.icons import IconButton


class MessageBar(QFrame):
    """One sentence with a Details button where there is more to say; hidden when there is none.

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
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(8)
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
