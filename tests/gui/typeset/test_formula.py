"""Formulas: plain Unicode, outlines, labels, and the file of outlines."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.text.mathtext import plain_math, to_plain, with_commands
from gui.typeset import formula
from gui.typeset import outline as formula_outline
from gui.typeset.formula import FormulaLabel, Typesetter, draw_formula
from gui.typeset.outline import (
    POINTS,
    Outline,
    display_style,
    load_outlines,
    outline_of,
    save_outlines,
)

DELTA_MAX = r"\delta_{\max} = \frac{2}{\sigma L \lambda^{2(L-1)/L}}"


@pytest.mark.parametrize(
    ("mathtext", "plain"),
    [
        (DELTA_MAX, "δₘₐₓ = 2/(σ L λ^(2(L−1)/L))"),
        (r"\|w[k]-w^\ast\|_2 \leq \rho(\delta)^k", "‖w[k]−w*‖₂ ≤ ρ(δ)ᵏ"),
        (r"\sum_{i=1}^{n} x_i^2", "∑ᵢ₌₁ⁿ xᵢ²"),
        (r"\sqrt{n}\, \hat{F}", "√n F\u0302"),
        (r"\mathrm{diag}(R)", "diag(R)"),
        ("δ", "δ"),
        ("", ""),
        (r"\frac{1", "1/"),
        ("}{", ""),
    ],
)
def test_plain_unicode(mathtext: str, plain: str) -> None:
    assert plain_math(mathtext) == plain


@given(st.text(alphabet=r"\{}_^$ab12δ frac", max_size=40))
def test_any_text_can_be_written_plainly(text: str) -> None:
    assert isinstance(plain_math(text), str)
    assert isinstance(to_plain(text), str)


def test_mathtext_within_a_text() -> None:
    assert to_plain(r"above $\delta_c$ and below $\delta_{\max}$") == "above δc and below δₘₐₓ"
    assert to_plain("costs 5$ a day") == "costs 5$ a day"


def test_unicode_signs_become_commands() -> None:
    assert with_commands("δ ≤ ε").split() == [r"\delta", r"\leq", r"\epsilon"]
    assert outline_of("δ ≤ 2/S") == outline_of(r"\delta \leq 2/S")


def test_outer_fractions_are_large() -> None:
    assert display_style(r"\frac{1}{\frac{2}{3}}") == r"\dfrac{1}{\frac{2}{3}}"
    assert display_style(r"x^{\frac{1}{2}} \{ \frac{1}{2}") == r"x^{\frac{1}{2}} \{ \dfrac{1}{2}"


def test_an_outline_has_the_shape_of_its_formula() -> None:
    small, large = outline_of("x"), outline_of(DELTA_MAX)
    assert small is not None and large is not None
    assert large.width > 4 * small.width and large.height > 2 * small.height
    assert len(large.points) == 2 * sum(POINTS[stroke] for stroke in large.strokes)
    assert outline_of(r"\unknown{") is None


def subpaths(outline: Outline) -> list[tuple[float, float]]:
    """Return top and bottom of each closed shape of an outline, y downward."""
    found: list[list[float]] = []
    points = iter(outline.points)
    for stroke in outline.strokes:
        if stroke == "M":
            found.append([])
        for _ in range(POINTS[stroke]):
            next(points)
            found[-1].append(next(points))
    return [(min(part), max(part)) for part in found if part]


@pytest.mark.parametrize("letter", ["f", "x", "W", r"\beta"])
@pytest.mark.parametrize("accent", ["hat", "tilde", "bar", "dot"])
def test_an_accent_stands_clear_of_its_letter(letter: str, accent: str) -> None:
    plain, accented = outline_of(letter), outline_of(rf"\{accent}{{{letter}}}")
    assert plain is not None and accented is not None
    top = min(first for first, _ in subpaths(plain))
    above = [bottom for _, bottom in subpaths(accented) if bottom < top]
    assert above, "the accent lies above the whole letter"
    assert 0.15 < top - max(above) < 0.3, "a gap that can be seen at the size of a text"


@pytest.fixture
def maker(qtbot: QtBot) -> Iterator[Typesetter]:
    maker = Typesetter()
    yield maker
    maker.close()
    for thread in threading.enumerate():
        if thread.name == "typesetter":
            thread.join(timeout=30)


def test_a_formula_is_typeset_in_the_worker(maker: Typesetter, qtbot: QtBot) -> None:
    assert maker.get(DELTA_MAX) is None
    assert maker.is_busy
    with qtbot.waitSignal(maker.ready, timeout=30_000) as told:
        pass
    assert told.args == [DELTA_MAX]
    made = maker.get(DELTA_MAX)
    assert made is not None and not maker.is_busy
    box = made.path.boundingRect()
    assert box.right() <= made.width + 1e-6 and -box.top() <= made.ascent + 1e-6
    assert maker.get("") is None


def test_a_formula_with_an_error_stays_plain(maker: Typesetter, qtbot: QtBot) -> None:
    assert maker.get(r"\frac{1") is None
    qtbot.waitUntil(lambda: not maker.is_busy, timeout=30_000)
    assert maker.get(r"\frac{1") is None


def test_kept_outlines_come_first_and_others_wait(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "formulas.json"
    outline = outline_of("y")
    assert outline is not None
    save_outlines(path, {"y": outline})
    maker = Typesetter(path, patience=1e9)
    maker.get("x")
    maker.get("y")
    qtbot.waitUntil(lambda: maker.is_settled("y"), timeout=30_000)
    assert not maker.is_settled("x") and maker.is_busy
    maker.patience = 0.0
    qtbot.waitUntil(lambda: maker.is_settled("x"), timeout=30_000)
    assert not maker.is_busy


def test_closing_ends_the_worker(qtbot: QtBot) -> None:
    maker = Typesetter(patience=1e9)
    maker.get("x")
    qtbot.waitUntil(lambda: any(t.name == "typesetter" for t in threading.enumerate()))
    maker.close()
    qtbot.waitUntil(lambda: all(t.name != "typesetter" for t in threading.enumerate()))
    assert not maker.is_settled("x") and not maker.is_busy
    maker.patience = 0.0
    maker.get("x")
    qtbot.waitUntil(lambda: maker.is_settled("x"), timeout=30_000)


def test_old_formulas_make_room(
    maker: Typesetter, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.typeset.typesetter.MOST_FORMULAS", 3)
    for number in range(6):
        maker.get(f"x_{number}")
        maker.get("x_0")
    qtbot.waitUntil(lambda: maker.is_settled("x_5"), timeout=30_000)
    assert [maker.is_settled(f"x_{number}") for number in range(6)].count(True) == 3
    assert not maker.is_busy


def test_formulas_with_numbers_are_not_kept(tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "formulas.json"
    maker = Typesetter(path)
    for mathtext in (r"0.25 \cdot x", "1e-5 x", "x^{2(L-1)}"):
        maker.get(mathtext)
    qtbot.waitUntil(lambda: not maker.is_busy and path.is_file(), timeout=30_000)
    assert list(load_outlines(path)) == ["x^{2(L-1)}"]


def test_outlines_are_kept_for_the_next_start(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cache" / "formulas.json"
    first = Typesetter(path)
    first.get("x^2")
    qtbot.waitUntil(lambda: path.is_file() and not first.is_busy, timeout=30_000)
    again = Typesetter(path)
    monkeypatch.setattr(
        "gui.typeset.typesetter.outline_of", lambda mathtext: pytest.fail("typeset again")
    )
    again.get("x^2")
    qtbot.waitUntil(lambda: not again.is_busy, timeout=30_000)
    one, other = first.get("x^2"), again.get("x^2")
    assert one is not None and other is not None
    assert one.path == other.path


@given(
    st.lists(st.sampled_from("MLQCZ"), max_size=8),
    st.floats(-10, 10, allow_nan=False),
)
def test_a_kept_outline_is_the_same(tmp_path: Path, strokes: list[str], number: float) -> None:
    count = 2 * sum(POINTS[stroke] for stroke in strokes)
    outline = Outline("".join(strokes), (round(number, 4),) * count, 1.5, 2.25, 0.5)
    path = tmp_path / "formulas.json"
    save_outlines(path, {"f": outline})
    assert load_outlines(path) == {"f": outline}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        '{"version": 0, "font": "cm", "formulas": {}}',
        '{"version": 1, "font": "cm", "formulas": {"x": ["M", [1], 1, 1, 0]}}',
        '{"version": 1, "font": "cm", "formulas": {"x": ["M", [1, NaN], 1, 1, 0]}}',
        '{"version": 1, "font": "cm", "formulas": {"x": ["?", [], 1, 1, 0]}}',
        '{"version": 1, "font": "cm", "formulas": {"x": ["M", [1, 2], 1, 1]}}',
        '{"version": 1, "font": "cm", "formulas": {"x": 3}}',
        '{"version": 1, "font": "cm", "formulas": []}',
    ],
)
def test_a_damaged_file_is_as_if_it_were_not_there(tmp_path: Path, text: str) -> None:
    path = tmp_path / "formulas.json"
    path.write_text(text)
    assert load_outlines(path) == {}
    assert load_outlines(tmp_path / "missing.json") == {}


def test_a_file_of_unlikely_size_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "formulas.json"
    save_outlines(path, {"x": Outline("Z", (), 1.0, 1.0, 0.0)})
    assert load_outlines(path)
    monkeypatch.setattr(formula_outline, "_LARGEST_FILE", 10)
    assert load_outlines(path) == {}


def test_a_folder_that_cannot_be_written_is_borne(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    save_outlines(tmp_path / "file" / "formulas.json", {"x": Outline("Z", (), 1.0, 1.0, 0.0)})


def _dark_pixels(image: QImage) -> int:
    return sum(
        image.pixelColor(x, y).alpha() > 20
        for x in range(image.width())
        for y in range(image.height())
    )


def test_a_formula_is_drawn_within_its_box(qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: formula.typesetter().get(DELTA_MAX) is not None, timeout=30_000)
    font = QApplication.font()
    for width in (400, 60):
        image = QImage(width, 60, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        box = QRectF(10, 5, width - 20, 50)
        draw_formula(painter, box, DELTA_MAX, font, Qt.GlobalColor.black)
        painter.end()
        assert _dark_pixels(image) > 40
        inside = image.copy(9, 4, width - 18, 52)
        assert _dark_pixels(image) == _dark_pixels(inside)


def test_a_label_is_plain_first_and_typeset_later(qtbot: QtBot) -> None:
    label = FormulaLabel(r"\eta_{17} = \frac{x}{y}")
    qtbot.addWidget(label)
    label.show()
    low = label.sizeHint().height()
    assert label.accessibleName() == "η₁₇ = x/y"
    qtbot.waitUntil(lambda: label.sizeHint().height() > 1.4 * low, timeout=30_000)
    label.set_formula(r"\eta_{18}")
    assert label.accessibleName() == "η₁₈"
    assert label.sizeHint().height() > 1.4 * low  # the old one is drawn until the new one is ready
    label.set_formula(r"\eta_{17} = \frac{x}{y}")
    label.actions()[0].trigger()
    assert QGuiApplication.clipboard().text() == r"$\eta_{17} = \frac{x}{y}$"
    label.set_formula("")
    assert label.sizeHint().width() == 0
    label.grab()


def test_a_label_is_freed(qtbot: QtBot) -> None:
    label = FormulaLabel(r"\delta")
    gone = weakref.ref(label)
    label.deleteLater()
    del label
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert gone() is None


def test_matplotlib_is_not_imported_with_the_widgets() -> None:
    """Opening the window must not wait for the typesetter."""
    code = (
        "import sys, gui.typeset.formula, gui.form.form, gui.theory.dock, gui.ensemble.dock, json;"
        "print(json.dumps([n for n in ('matplotlib', 'torch', 'numba') if n in sys.modules]))"
    )
    root = Path(formula.__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == []
