"""The text box of a typed function: as many lines as it needs, with its fault underlined."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFontDatabase,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QTextEdit, QWidget

from gui.form.spin import TYPING_MS
from gui.style.ink import ink
from gui.style.scaling import px, whole
from gui.widgets.focus import give_back, is_marked

PAUSE_MS = 30
"""Rest after a letter until the text is tried: what can be used is put in force at once."""
QUICK = 2000
"""Letters of a text that is tried at every rest; a longer one takes too long to read for that."""
MOST_LINES = 6
"""Lines that are shown; a longer text scrolls."""
_WAVE = 7.0
"""Pixels of the mark where something is missing."""


class ExpressionBox(QPlainTextEdit):
    """A box that grows with its text and says when the text is to be tried and to be taken.

    Attributes
    ----------
    paused : Signal(str)
        The text after a short rest: it may be unfinished.
    entered : Signal(str)
        A text to be taken: after Enter, leaving the box, or a longer pause in typing.
    abandoned : Signal
        Escape was pressed: the last good value should be shown again.
    textEdited : Signal(str)
        The user changed the text.
    begun : Signal
        The user came to the box.
    """

    paused = Signal(str)
    entered = Signal(str)
    abandoned = Signal()
    textEdited = Signal(str)  # noqa: N815  # as QLineEdit has it

    begun = Signal()

    patient = False
    """A text is taken after a pause in typing, too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = self._taken = ""
        self._is_set = False
        self._place: tuple[int, int] | None = None
        self._missing: QTextCursor | None = None
        self._rest, self._pause = QTimer(self), QTimer(self)
        for timer, wait in ((self._rest, PAUSE_MS), (self._pause, TYPING_MS)):
            timer.setSingleShot(True)
            timer.setInterval(wait)
        self._rest.timeout.connect(self._on_rest)
        self._pause.timeout.connect(self.take)
        font = self.font()
        font.setFamilies(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).families())
        self.setFont(font)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.document().setDocumentMargin(1)
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self.textChanged.connect(self._on_changed)
        self._fit()

    def text(self) -> str:
        """Return the text."""
        return self.toPlainText()

    @property
    def is_edited(self) -> bool:
        """Whether the text is not that which was last shown by `show_text`."""
        return self.text() != self._shown

    @property
    def is_refused(self) -> bool:
        """Whether the box is marked because its text is not allowed."""
        return is_marked(self)

    @property
    def underlined(self) -> tuple[int, int] | None:
        """The first character that is underlined and the one after the last, if any are."""
        return self._place

    def show_text(self, text: str) -> None:
        """Show a text as the value in force, without a signal."""
        self._rest.stop()
        self._pause.stop()
        self._shown = self._taken = text
        if text != self.text():
            self._is_set = True
            self.setPlainText(text)
            self._is_set = False

    def keep_text(self) -> None:
        """Mark the text as typed as that of the value in force."""
        self._shown = self._taken = self.text()

    def take(self) -> None:
        """Apply the text now, if it was not yet."""
        self._rest.stop()
        self._pause.stop()
        if self.text() != self._taken:
            self._taken = self.text()
            self.entered.emit(self._taken)

    def underline(self, place: tuple[int, int] | None) -> None:
        """Underline characters, or mark the place where some are missing; None takes it away."""
        self._place, self._missing = place, None
        marks = []
        if place is not None:
            start, end = (_in_document(self.text(), at) for at in place)
            cursor = QTextCursor(self.document())
            cursor.setPosition(start)
            cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
            if start == end:
                self._missing = cursor
            else:
                marks.append(_marked(cursor))
        self.setExtraSelections(marks)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        """Return the width of a short function, and the present height."""
        return QSize(whole(160), self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take the text on Enter and give it up on Escape; Shift and Enter begin a line.

        A text that was refused keeps the focus on Enter, with its fault selected.
        """
        shift = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not shift:
            self.take()
            if self.is_refused:
                self._select_fault()
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

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Be as high as the text needs at this width."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Be as high as the text needs in this font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select all when the label was clicked, as in any other box."""
        super().focusInEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.begun.emit()
        if event.reason() == Qt.FocusReason.ShortcutFocusReason:
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the text when the box is left, though not for its own context menu."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.take()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the form unless the box is in use and has more to show."""
        if self.hasFocus() and self.verticalScrollBar().maximum() > 0:
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, and a mark where something is missing."""
        super().paintEvent(event)
        if self._missing is None:
            return
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink("bad"), px(1.6)))
        box = self.cursorRect(self._missing)
        x, y = box.left() + 1.0, box.bottom() - 0.5
        steps = [QPointF(x + px(_WAVE) * i / 4, y - px(2.0) * (i % 2)) for i in range(5)]
        painter.drawPolyline(steps)
        painter.end()

    def _on_rest(self) -> None:
        self.paused.emit(self.text())

    def _select_fault(self) -> None:
        if self._place is None:
            self.selectAll()
            return
        cursor = self.textCursor()
        start, end = (_in_document(self.text(), at) for at in self._place)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def _on_changed(self) -> None:
        if self._is_set or self.text() == self._shown == self._taken:
            return
        if self.document().characterCount() <= QUICK:
            self._rest.start()
        self._pause.start()
        self.textEdited.emit(self.text())

    def _fit(self) -> None:
        """Be as high as the text, up to some lines."""
        lines = max(1, round(self.document().size().height()))
        margins = self.contentsMargins()
        around = margins.top() + margins.bottom() + 2 * int(self.document().documentMargin())
        height = min(lines, MOST_LINES) * self.fontMetrics().lineSpacing() + around + 2
        more = lines > MOST_LINES
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if more else policy.ScrollBarAlwaysOff
        )
        if height != self.maximumHeight():
            self.setFixedHeight(height)


def _in_document(text: str, at: int) -> int:
    """Return the place of a character in Qt's text, which counts units of UTF-16."""
    return len(text[:at].encode("utf-16-le")) // 2


def _marked(cursor: QTextCursor) -> QTextEdit.ExtraSelection:
    mark = QTextEdit.ExtraSelection()
    style = QTextCharFormat()
    style.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
    style.setUnderlineColor(ink("bad"))
    wash = ink("bad")
    wash.setAlphaF(0.16)
    style.setBackground(wash)
    mark.cursor, mark.format = cursor, style
    return mark
