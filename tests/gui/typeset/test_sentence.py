"""Sentences with formulas: where lines end, and what is drawn until a formula is typeset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.storage.presets import presets
from gui.typeset.outline import outline_of
from gui.typeset.sentence import Sentence, words_of
from gui.typeset.typesetter import typesetter

TEXT = r"$\delta$ just above $\delta_{\max}$: no minimum is stable, and $R^{1/L}$, too."
LETTERS = st.text(st.characters(blacklist_characters="$", blacklist_categories=["Cs"]), max_size=8)


def test_a_formula_keeps_what_stands_beside_it() -> None:
    words = words_of(TEXT)
    assert [piece.text for piece in words[3]] == [r"\delta_{\max}", ":"]
    assert [piece.is_formula for piece in words[3]] == [True, False]


@given(st.lists(st.tuples(LETTERS, LETTERS), max_size=6))
def test_no_letter_is_lost(parts: list[tuple[str, str]]) -> None:
    text = "".join(f"{plain}${formula}$" if formula else plain for plain, formula in parts)
    words = words_of(text)
    kept = "".join(piece.text for word in words for piece in word)
    blank = str.maketrans("", "", " \n$")
    assert kept.translate(blank) == text.translate(blank)
    assert all(piece.text for word in words for piece in word)


@pytest.mark.parametrize("width", [90, 200, 500])
def test_lines_end_within_the_width_and_claim_their_height(qtbot: QtBot, width: int) -> None:
    sentence = Sentence()
    qtbot.addWidget(sentence)
    sentence.say(TEXT)
    sentence.resize(width, 100)
    sentence.show()
    qtbot.waitUntil(lambda: all(map(typesetter().is_settled, sentence.formulas)), timeout=30_000)
    placed = sentence.lay_out(width)
    lines = {item.line for item in placed}
    assert lines == set(range(len(lines)))
    assert sentence.minimumHeight() == sentence.heightForWidth(sentence.width())
    assert all(item.x < width for item in placed)
    assert sentence.heightForWidth(90) > sentence.heightForWidth(500)
    assert "δ" in sentence.accessibleName() and "$" not in sentence.accessibleName()


def test_every_formula_of_a_preset_can_be_typeset() -> None:
    texts = [preset.description for item in registry.entries() for preset in presets(item.id)]
    formulas = {p.text for text in texts for word in words_of(text) for p in word if p.is_formula}
    assert len(formulas) > 20
    for formula in formulas:
        assert outline_of(formula) is not None, formula
