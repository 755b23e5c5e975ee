"""The text box of a number field: free text of full precision between two fine buttons."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QGuiApplication,
    QKeyEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QLineEdit, QWidget

from gui.form.scale import FINEST_STEP, USUAL_STEP
from gui.form.slider import step_exponent
from gui.style.scaling import whole
from gui.widgets.controls import StepButton
from gui.widgets.focus import give_back, is_marked

TYPING_MS = 500
"""Pause in typing after which a text is taken as it stands."""
_BUTTON = 26
_KEYS = {
    Qt.Key.Key_Up: (1, 0),
    Qt.Key.Key_Down: (-1, 0),
    Qt.Key.Key_PageUp: (1, 1),
    Qt.Key.Key_PageDown: (-1, 1),
}


class TextBox(QLineEdit):
    """A line edit that says when a text is meant to be taken, and gives it up on Escape.

    A `patient` box waits for Enter or for being left: a path is not tried letter by letter.

    Attributes
    ----------
    entered : Signal(str)
        A text to be taken: after Enter, leaving the box, or a pause in typing.
    abandoned : Signal
        Escape was pressed: the last good value should be shown again.
    """

    entered = Signal(str)
    abandoned = Signal()

    def __init__(self, parent: QWidget | None = None, *, patient: bool = False) -> None:
        super().__init__(parent)
        self._patient = patient
        self._shown = ""
        self._taken = ""
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(TYPING_MS)
        self._pause.timeout.connect(self.take)
        self.textEdited.connect(self._on_edited)

    @property
    def patient(self) -> bool:
        """Whether a text is taken only on Enter or when the box is left."""
        return self._patient

    @property
    def is_edited(self) -> bool:
        """Whether the text is not that which was last shown by `show_text`."""
        return self.text() != self._shown

    @property
    def is_refused(self) -> bool:
        """Whether the box is marked because its text is not allowed."""
        return is_marked(self)

    def show_text(self, text: str) -> None:
        """Show a text as the value in force, without a signal."""
        self._pause.stop()
        self._shown = self._taken = text
        if text != self.text():
            self.setText(text)
            if not self.hasFocus():
                self.setCursorPosition(0)

    def keep_text(self) -> None:
        """Mark the text as typed as that of the value in force."""
        self._shown = self._taken = self.text()

    def take(self) -> None:
        """Apply the text now, if it was not yet."""
        self._pause.stop()
        if self.text() != self._taken:
            self._taken = self.text()
            self.entered.emit(self._taken)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the text on Enter and give it up on Escape; either leaves the box.

        A text that was refused keeps the focus on Enter, to be corrected.
        """
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.take()
            if self.is_refused:
                self.selectAll()
            else:
                give_back(self)
            event.accept()
        elif event.key() == Qt.Key.Key_Escape:
            if self.is_edited:
                self.abandoned.emit()
            give_back(self)
            event.accept()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the text when the box is left, though not for its own context menu."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.take()
            self.setCursorPosition(0)

    def _on_edited(self) -> None:
        if not self._patient:
            self._pause.start()


class NumberBox(TextBox):
    """A box for one number: keeps what is typed to the last digit, steps by buttons and keys.

    Attributes
    ----------
    stepped : Signal(int, int)
        Number of steps wanted, and the exponent of ten of a step relative to the magnitude.
    """

    stepped = Signal(int, int)

    def __init__(self, whole: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exponent = 0 if whole else USUAL_STEP
        self._whole = whole
        self._turned = 0
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._fit_margins()
        font = self.font()
        font.setFeature(QFont.Tag("tnum"), 1)
        self.setFont(font)
        self.minus, self.plus = StepButton(-1, self), StepButton(1, self)
        for button in (self.minus, self.plus):
            button.pressed.connect(self._on_pressed)

    def _fit_margins(self) -> None:
        side = whole(_BUTTON - 4)
        self.setTextMargins(side, 0, side, 0)

    def changeEvent(self, event: QEvent) -> None:
        """Leave other room for buttons of another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit_margins()

    @property
    def has_usual_step(self) -> bool:
        """Whether no other step was chosen."""
        return self._exponent == USUAL_STEP

    def name(self, label: str, help: str) -> None:
        """Name box and buttons for a screen reader, and explain them."""
        self.setAccessibleName(label)
        self.setAccessibleDescription(help)
        kinds = ("Decrease", self.minus), ("Increase", self.plus)
        for verb, button in kinds:
            button.setAccessibleName(f"{verb} {label}")
            button.setToolTip(f"{verb}. Shift: ten times coarser" + self._finer())

    def sizeHint(self) -> QSize:
        """Reserve room for about ten digits beside the buttons."""
        width = self.fontMetrics().horizontalAdvance("0") * 11 + 2 * whole(_BUTTON)
        return QSize(width, max(super().sizeHint().height(), whole(28)))

    def minimumSizeHint(self) -> QSize:
        """Return the least size."""
        return QSize(self.fontMetrics().horizontalAdvance("0") * 7 + 2 * whole(_BUTTON), whole(26))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the buttons at the ends."""
        super().resizeEvent(event)
        height = self.height() - 4
        wide = whole(_BUTTON)
        self.minus.setGeometry(2, 2, wide, height)
        self.plus.setGeometry(self.width() - wide - 2, 2, wide, height)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Step with the arrow and page keys, coarser with Shift, finer with Ctrl.

        Space is left to the window's play and pause: no number has a space.
        """
        if event.key() == Qt.Key.Key_Space:
            event.ignore()
            return
        step = _KEYS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        self._step(step[0], step[1] + step_exponent(event.modifiers()))
        event.accept()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Step by whole notches while the box has the focus; else the form scrolls."""
        if not self.hasFocus():
            event.ignore()
            return
        self._turned += event.angleDelta().y()
        notches = int(self._turned / 120)
        self._turned -= 120 * notches
        if notches:
            self._step(notches, step_exponent(event.modifiers()))
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Add the choice of the step to the menu of the text."""
        menu = self.createStandardContextMenu()
        if not self._whole:
            menu.addSeparator()
            steps = menu.addMenu("Step of a press")
            group = QActionGroup(menu)
            for exponent in range(-1, FINEST_STEP - 1, -1):
                action = QAction(f"1e{exponent} of the magnitude", group)
                action.setCheckable(True)
                action.setChecked(exponent == self._exponent)
                action.setData(exponent)
                steps.addAction(action)
            group.triggered.connect(self._on_exponent_chosen)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def _finer(self) -> str:
        return "." if self._whole else ", Ctrl: a hundred times finer."

    def _step(self, count: int, shift: int) -> None:
        self.take()
        self.stepped.emit(count, self._exponent + shift)

    def _on_pressed(self) -> None:
        button = self.sender()
        if isinstance(button, StepButton):
            self._step(button.sign, step_exponent(QGuiApplication.keyboardModifiers()))

    def _on_exponent_chosen(self, action: QAction) -> None:
        self._exponent = int(action.data())
