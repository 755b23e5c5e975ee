"""The illustrated text "What am I looking at?" of an experiment, with typeset formulas."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from engine.paths import resource
from gui.formula import FormulaLabel

_FORMULA = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)


def help_text(experiment_id: str) -> str:
    """Read an experiment's text; empty if there is none."""
    path = resource("help", f"{experiment_id}.md")
    return path.read_text("utf-8") if path.is_file() else ""


def blocks(text: str) -> list[tuple[str, str]]:
    """Split a text into ("text", markdown) and ("formula", mathtext) in their order."""
    found: list[tuple[str, str]] = []
    for index, part in enumerate(_FORMULA.split(text)):
        if part.strip():
            found.append(("formula" if index % 2 else "text", part.strip()))
    return found


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
        column.setContentsMargins(24, 16, 24, 24)
        column.setSpacing(12)
        for kind, content in blocks(text):
            column.addWidget(_formula(content) if kind == "formula" else _paragraphs(content))
        column.addStretch(1)
        self.setWidget(page)


def _formula(mathtext: str) -> QWidget:
    label = FormulaLabel(mathtext)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return label


def _paragraphs(markdown: str) -> QLabel:
    label = QLabel(markdown)
    label.setTextFormat(Qt.TextFormat.MarkdownText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
        | Qt.TextInteractionFlag.LinksAccessibleByMouse
    )
    label.setOpenExternalLinks(True)
    return label
