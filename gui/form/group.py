"""A group of fields under a heading that folds it away."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from gui.style import scaling
from gui.style.ink import ink, mixed
from gui.style.scaling import px, whole
from gui.widgets.controls import draw_arrow, draw_focus


class Heading(QAbstractButton):
    """A heading with an arrow: checked means open."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Fold or unfold")

    def sizeHint(self) -> QSize:
        """Return the size."""
        metrics = self.fontMetrics()
        return QSize(
            metrics.horizontalAdvance(self.text()) + whole(40), metrics.height() + whole(10)
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the text, a hairline to the side, and the arrow."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        lively = self.underMouse()
        painter.setPen(ink("text") if lively else mixed(ink("text"), ink("muted"), 0.7))
        box = QRectF(self.rect()).adjusted(px(2), px(4), -px(2), -px(2))
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.text())
        end = box.left() + painter.fontMetrics().horizontalAdvance(self.text()) + px(10)
        middle = round(box.center().y()) + 0.5
        painter.setPen(QPen(ink("border"), 1))
        painter.drawLine(QPointF(end, middle), QPointF(box.right() - px(22), middle))
        draw_arrow(painter, QPointF(box.right() - px(7), middle), self.isChecked(), lively)
        if self.hasFocus():
            draw_focus(painter, QRectF(self.rect()), px(5))
        painter.end()


class FieldGroup(QWidget):
    """Fields under one heading; hidden while all of them are."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._rows: list[QWidget] = []
        layout = QVBoxLayout(self)
        scaling.margins(layout, 0, 0, 0, 4)
        scaling.spacing(layout, 2)
        self.heading = Heading(title or "Parameters")
        self.heading.toggled.connect(self._on_toggled)
        layout.addWidget(self.heading)
        self._body = QWidget()
        self._fields = QVBoxLayout(self._body)
        self._fields.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(self._fields, 2)
        layout.addWidget(self._body)

    def add(self, row: QWidget) -> None:
        """Append a field."""
        self._rows.append(row)
        self._fields.addWidget(row)

    def show_if_needed(self) -> None:
        """Show the group if any of its fields is shown."""
        self.setVisible(any(not row.isHidden() for row in self._rows))

    def _on_toggled(self, is_open: bool) -> None:
        self._body.setVisible(is_open)
