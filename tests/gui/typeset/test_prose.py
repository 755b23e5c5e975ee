"""Paragraphs with formulas in their lines: where they stand, how high they are, what is copied."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage, QTextCursor
from pytestqt.qtbot import QtBot

from gui.style.ink import ink
from gui.typeset.prose import Prose
from gui.typeset.typesetter import typesetter

TEXT = r"**Above** $\delta_{\max}$ or $\frac{2}{S}$, *not* $|w_i| \leq 1$; 3 dollars each."
LETTERS = st.text(st.sampled_from("ab cδ.,"), min_size=1, max_size=12)


def _shown(qtbot: QtBot, text: str, width: int = 300) -> Prose:
    prose = Prose(text)
    qtbot.addWidget(prose)
    prose.resize(width, prose.height())
    prose.show()
    qtbot.waitUntil(lambda: all(map(typesetter().is_settled, prose.formulas)), timeout=30_000)
    return prose


def test_what_is_copied_has_the_formulas_in_letters(qtbot: QtBot) -> None:
    prose = _shown(qtbot, TEXT)
    prose.selectAll()
    copied = prose.createMimeDataFromSelection().text()
    assert copied == "Above δₘₐₓ or 2/S, not |wᵢ| ≤ 1; 3 dollars each."


def test_a_part_is_copied_with_its_own_formulas(qtbot: QtBot) -> None:
    prose = _shown(qtbot, TEXT)
    cursor = prose.document().find("or")
    cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
    prose.setTextCursor(cursor)
    assert prose.createMimeDataFromSelection().text().startswith("or 2/S, not")


@pytest.mark.parametrize("width", [160, 300, 700])
def test_the_whole_text_is_seen_at_any_width(qtbot: QtBot, width: int) -> None:
    prose = _shown(qtbot, TEXT * 3, width)
    qtbot.waitUntil(lambda: prose.document().textWidth() == prose.viewport().width())
    assert prose.height() >= prose.document().size().height()
    assert prose.verticalScrollBar().maximum() == 0


@given(st.lists(st.tuples(LETTERS, st.sampled_from(["", r"\delta", "w_i", r"\frac{1}{L}"]))))
def test_every_formula_stands_once_in_its_place(qtbot: QtBot, parts: list[tuple[str, str]]) -> None:
    text = "".join(f"{letters}${formula}$" if formula else letters for letters, formula in parts)
    prose = Prose(text)
    qtbot.addWidget(prose)
    assert prose.formulas == tuple(formula for _, formula in parts if formula)
    assert prose.toPlainText().count("\ufffc") == len(prose.formulas)


def test_a_formula_has_the_colour_of_the_letters(qtbot: QtBot) -> None:
    prose = _shown(qtbot, r"$\blacksquare$")
    assert _has(prose.grab().toImage(), ink("text"))
    prose.selectAll()
    assert not _has(prose.grab().toImage(), ink("text"))


def test_emphasis_may_end_with_a_formula(qtbot: QtBot) -> None:
    prose = Prose(r"**Negative $\lambda$.** From *here to $L$* the rest.")
    qtbot.addWidget(prose)
    assert "*" not in prose.toPlainText()


def _has(image: QImage, color: QColor) -> bool:
    return any(
        image.pixelColor(x, y) == color for x in range(image.width()) for y in range(image.height())
    )
