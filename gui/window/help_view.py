"""The illustrated text "What am I looking at?" of an experiment, with typeset formulas."""

from __future__ import annotations

import re

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPixmap
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from engine.core.paths import resource
from engine.text.mathtext import to_plain
from gui.style import scaling
from gui.typeset.formula import FormulaLabel
from gui.typeset.prose import Prose

_BLOCK = re.compile(
    r"\$\$(?P<formula>.+?)\$\$|^!\[(?P<caption>[^\]]+)\]\((?P<picture>[\w.-]+)\)$",
    re.DOTALL | re.MULTILINE,
)
_CORNER = 6.0
"""Radius of a picture's corners, in pixels."""


def help_text(experiment_id: str) -> str:
    """Read an experiment's text; empty if there is none."""
    path = resource("help", f"{experiment_id}.md")
    return path.read_text("utf-8") if path.is_file() else ""


def blocks(text: str) -> list[tuple[str, str]]:
    """Split a text into its blocks in their order.

    Each is ("text", markdown), ("formula", mathtext), or ("picture", file name and caption parted
    by a space).
    """
    found: list[tuple[str, str]] = []
    end = 0
    for match in _BLOCK.finditer(text):
        found.append(("text", text[end : match.start()]))
        if match["formula"] is not None:
            found.append(("formula", match["formula"]))
        else:
            found.append(("picture", f"{match['picture']} {match['caption']}"))
        end = match.end()
    found.append(("text", text[end:]))
    return [(kind, content.strip()) for kind, content in found if content.strip()]


class HelpView(QScrollArea):
    """A text with formulas, scrolled vertically."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        page = QWidget()
        page.setObjectName("helpPage")
        column = QVBoxLayout(page)
        scaling.margins(column, 24, 16, 24, 24)
        scaling.spacing(column, 12)
        for kind, content in blocks(text):
            for widget in _MADE[kind](content):
                column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(page)


class Picture(QWidget):
    """A figure on white paper, as wide as there is room for, but no wider than it is."""

    def __init__(self, pixmap: QPixmap, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pixmap = pixmap
        self.setAccessibleName(caption)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def sizeHint(self) -> QSize:
        """Return half the picture's size: it is drawn for screens of twice the usual density."""
        return self._pixmap.size() * (scaling.factor() / 2)

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """Keep the picture's proportions."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """Return the height that goes with a width."""
        size = self.sizeHint()
        return round(min(width, size.width()) * size.height() / max(size.width(), 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the picture with rounded corners."""
        width = min(self.width(), self.sizeHint().width())
        box = QRectF(0, 0, width, self.heightForWidth(width))
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        outline = QPainterPath()
        outline.addRoundedRect(box, scaling.px(_CORNER), scaling.px(_CORNER))
        painter.setClipPath(outline)
        painter.drawPixmap(box, self._pixmap, QRectF(self._pixmap.rect()))
        painter.end()


def _picture(content: str) -> list[QWidget]:
    name, _, caption = content.partition(" ")
    pixmap = QPixmap(str(resource("help", name)))
    return [Picture(pixmap, to_plain(caption)), Prose(caption, role="muted")]


def _formula(mathtext: str) -> list[QWidget]:
    label = FormulaLabel(mathtext)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return [label]


def _paragraphs(markdown: str) -> list[QWidget]:
    return [Prose(markdown)]


_MADE = {"text": _paragraphs, "formula": _formula, "picture": _picture}
