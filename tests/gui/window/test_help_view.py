"""The help texts: formulas that can be typeset, and pictures that fit the dialog."""

from __future__ import annotations

import re

import pytest
from PySide6.QtGui import QColor, QPixmap
from pytestqt.qtbot import QtBot

from engine.core.paths import resource
from engine.experiments import EXPERIMENTS
from gui.typeset.prose import Prose
from gui.window.about import help_dialog
from gui.window.help_view import Picture, blocks, help_text

OBJECT = "\ufffc"
"""What stands for a formula among letters."""
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


@pytest.mark.parametrize("experiment_id", IDS)
def test_no_formula_is_left_raw(experiment_id: str, qtbot: QtBot) -> None:
    dialog = help_dialog(experiment_id, "Title", None)
    qtbot.addWidget(dialog)
    texts = dialog.findChildren(Prose)
    assert any(text.formulas for text in texts)
    for text in texts:
        words = text.toPlainText().replace(OBJECT, "")
        assert text.toPlainText().count(OBJECT) == len(text.formulas)
        words = re.sub(r"[\w/]+\.py\b", "", words)  # names of files have underscores
        assert not re.search(r"\w[<>≤≥=]", words), words
        assert not re.search(r"[\\$^{}]|\w_\w|[ᵀᵢ₀₁]", words), words
        assert not re.search(r"[\\${}]|</?\w", text.accessibleName()), text.accessibleName()


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
