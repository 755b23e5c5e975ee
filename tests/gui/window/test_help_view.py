"""The help texts: formulas that can be typeset, and pictures that fit the dialog."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPixmap, QTextDocument
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from engine.core.paths import resource
from engine.experiments import EXPERIMENTS
from gui.window.about import help_dialog
from gui.window.help_view import Picture, blocks, help_text, with_formulas

IDS = [experiment.id for experiment in EXPERIMENTS]


def test_a_text_falls_into_its_blocks() -> None:
    text = "# Title\n\nWords.\n\n$$a = b$$\n\n![A square](one.png)\n\nMore $$c$$ words."
    assert blocks(text) == [
        ("text", "# Title\n\nWords."),
        ("formula", "a = b"),
        ("picture", "one.png A square"),
        ("text", "More"),
        ("formula", "c"),
        ("text", "words."),
    ]


@pytest.mark.parametrize("experiment_id", IDS)
def test_every_panel_is_explained(experiment_id: str) -> None:
    found = blocks(help_text(experiment_id))
    kinds = [kind for kind, _ in found]
    assert "formula" in kinds and kinds.count("picture") == 1
    assert re.search(r"^\*(Section \d|Any function)", found[0][1], re.MULTILINE)
    name = next(content for kind, content in found if kind == "picture").partition(" ")[0]
    assert not QPixmap(str(resource("help", name))).isNull()


def test_formulas_within_words_are_typeset_on_one_line() -> None:
    found = with_formulas(r"Above $\delta_{\max}$ or $2/\delta$, *not* $|w_i| \leq 1$; 3 $ each.")
    assert found == (
        "Above <i>δ</i><sub>max</sub> or 2\u2060/\u2060<i>δ</i>, *not* "
        "|<i>w</i><sub><i>i</i></sub>|\u00a0≤\u00a01; 3 $ each."
    )


@pytest.mark.parametrize("experiment_id", IDS)
def test_no_formula_is_left_raw(experiment_id: str, qtbot: QtBot) -> None:
    dialog = help_dialog(experiment_id, "Title", None)
    qtbot.addWidget(dialog)
    labels = [label for label in dialog.findChildren(QLabel) if label.text()]
    assert any("<i>" in label.text() for label in labels)
    for label in labels:
        document = QTextDocument()
        if label.textFormat() is Qt.TextFormat.MarkdownText:
            document.setMarkdown(label.text())
        else:
            document.setHtml(label.text())
        words = document.toPlainText()
        assert not re.search(r"\w[<>≤≥=]", words), words
        assert not re.search(r"[\\$^{}]|\w_\w|[ᵀᵢ₀₁]", words), words
        assert not re.search(r"[\\${}]|</?\w", label.accessibleName()), label.accessibleName()


def test_a_picture_fits_the_dialog_and_keeps_its_shape(qtbot: QtBot) -> None:
    dialog = help_dialog(IDS[0], "Title", None)
    qtbot.addWidget(dialog)
    dialog.show()
    picture = dialog.findChild(Picture)
    assert picture is not None and picture.accessibleName()
    hint = picture.sizeHint()
    for width in (420, 1600):
        dialog.resize(width, 600)
        qtbot.waitUntil(lambda width=width: dialog.width() == width)
        shown = min(picture.width(), hint.width())
        assert picture.height() == pytest.approx(shown * hint.height() / hint.width(), abs=1)
        assert picture.width() <= dialog.width()


def test_a_picture_is_drawn_within_round_corners(qtbot: QtBot) -> None:
    pixmap = QPixmap(200, 100)
    pixmap.fill(QColor("red"))
    picture = Picture(pixmap, "A red area")
    qtbot.addWidget(picture)
    picture.setStyleSheet("background: blue")
    picture.resize(100, 50)
    image = picture.grab().toImage()
    assert image.pixelColor(50, 25) == QColor("red")
    assert image.pixelColor(0, 0) != QColor("red")
