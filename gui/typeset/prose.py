"""Paragraphs of Markdown with typeset formulas in their lines."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QMimeData, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QPalette,
    QPyTextObject,
    QResizeEvent,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QWidget

from engine.text.mathtext import plain_math, to_plain
from gui.style.ink import ink
from gui.typeset.formula import em_of, typesetter

_FORMULA = re.compile(r"\$([^$\n]+)\$")
_KIND = QTextFormat.ObjectTypes.UserObject.value + 1
_MATHTEXT = QTextFormat.Property.UserProperty.value + 1
_OBJECT = "\ufffc"
_MARK = "\ua66e"
"""Where a formula is to stand: a letter for Markdown, which no text here has."""


class _Formulas(QPyTextObject):
    """Draws the formulas of a document; those not typeset yet in letters.

    A formula is as high as its ascent: Qt sets the lower edge of an object on the baseline, and
    what goes below it is drawn into the room that the letters around it leave.
    """

    def intrinsicSize(  # noqa: N802
        self, document: QTextDocument, position: int, form: QTextFormat
    ) -> QSizeF:
        """Return the width and the ascent of a formula."""
        mathtext, font = _formula_of(form), form.toCharFormat().font()
        made = typesetter().get(mathtext)
        if made is None:
            metrics = QFontMetricsF(font)
            return QSizeF(metrics.horizontalAdvance(plain_math(mathtext)), metrics.ascent())
        em = em_of(font)
        return QSizeF(made.width * em, made.ascent * em)

    def drawObject(  # noqa: N802
        self,
        painter: QPainter,
        rect: QRectF | QRect,
        document: QTextDocument,
        position: int,
        form: QTextFormat,
    ) -> None:
        """Draw a formula with its baseline on the lower edge of a rectangle."""
        mathtext, font = _formula_of(form), form.toCharFormat().font()
        baseline = QPointF(rect.left(), round(rect.bottom()))
        color = self._color_at(position)
        made = typesetter().get(mathtext)
        painter.save()
        if made is None:
            painter.setFont(font)
            painter.setPen(color)
            painter.drawText(baseline, plain_math(mathtext))
        else:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(baseline)
            painter.scale(em_of(font), em_of(font))
            painter.fillPath(made.path, color)
        painter.restore()

    def _color_at(self, position: int) -> QColor:
        """Return the colour of the letters around, which is another where they are selected."""
        text: QTextBrowser = self.parent()  # type: ignore[assignment]  # whose document this draws
        cursor = text.textCursor()
        is_selected = cursor.selectionStart() <= position < cursor.selectionEnd()
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        return text.palette().color(role)


def _formula_of(form: QTextFormat) -> str:
    return str(form.property(_MATHTEXT))


class Prose(QTextBrowser):
    """Shows Markdown with mathtext between dollars, as high as its text, without scroll bars.

    Text can be selected and copied, formulas as plain letters; links open outside.

    Parameters
    ----------
    markdown : str
    role : str
        Colour by role.
    """

    def __init__(self, markdown: str, parent: QWidget | None = None, *, role: str = "text") -> None:
        super().__init__(parent)
        self._markdown, self._role = markdown, role
        self._formulas: list[str] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenExternalLinks(True)
        for way in (self.setHorizontalScrollBarPolicy, self.setVerticalScrollBarPolicy):
            way(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setAutoFillBackground(False)
        self._color()
        self.document().setDocumentMargin(0)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(to_plain(markdown))
        self.document().documentLayout().registerHandler(_KIND, _Formulas(self))
        self._fill()
        typesetter().ready.connect(self._on_ready)

    @property
    def formulas(self) -> tuple[str, ...]:
        """The mathtext of the formulas, in their order."""
        return tuple(self._formulas)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Return True: the height depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height of the text at a width."""
        document = self.document()
        if round(document.textWidth()) != width:
            document.setTextWidth(width)
        return int(document.size().height()) + 2

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        width = max(self.width(), 240)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Take any width."""
        return QSize(80, 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the height that goes with another width."""
        super().resizeEvent(event)
        if event.oldSize().width() != self.width():
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Take the colours and the height that go with another theme or font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._color()
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page around."""
        event.ignore()

    def createMimeDataFromSelection(self) -> QMimeData:  # noqa: N802
        """Return the selected text, with formulas in letters."""
        data = QMimeData()
        data.setText(self._plain(self.textCursor()))
        return data

    def _plain(self, cursor: QTextCursor) -> str:
        """Write a selection in letters."""
        before = QTextCursor(self.document())
        before.setPosition(cursor.selectionStart(), QTextCursor.MoveMode.KeepAnchor)
        number = before.selectedText().count(_OBJECT)
        parts = cursor.selectedText().replace("\u2029", "\n").split(_OBJECT)
        formulas = self._formulas[number : number + len(parts) - 1]
        between = [plain_math(formula) for formula in formulas] + [""]
        return "".join(part + formula for part, formula in zip(parts, between, strict=True))

    def _fill(self) -> None:
        """Read the text, and put formulas where they stand in it."""
        parts = _FORMULA.split(self._markdown)
        self._formulas = parts[1::2]
        document = self.document()
        document.setMarkdown(_MARK.join(parts[::2]))
        cursor = QTextCursor(document)
        for formula in self._formulas:
            cursor = document.find(_MARK, cursor)
            form = QTextCharFormat(cursor.charFormat())
            form.setObjectType(_KIND)
            form.setProperty(_MATHTEXT, formula)
            cursor.insertText(_OBJECT, form)

    def _color(self) -> None:
        """Take the colours of the theme."""
        palette = self.palette()
        if palette.color(QPalette.ColorRole.Text) == ink(self._role):
            return
        palette.setColor(QPalette.ColorRole.Text, ink(self._role))
        palette.setColor(QPalette.ColorRole.Link, ink("accent"))
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.setPalette(palette)

    def _fit(self) -> None:
        self.setFixedHeight(self.heightForWidth(max(self.width(), 80)))
        self.updateGeometry()

    def _on_ready(self, mathtext: str) -> None:
        if mathtext in self._formulas:
            self.document().markContentsDirty(0, self.document().characterCount())
            self._fit()
