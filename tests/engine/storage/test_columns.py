"""Tables as CSV and for pgfplots: the same numbers, and a document that draws them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.run.session import Session
from engine.storage.columns import DRAWN, Line, Plot, tex_text, word, write_rows, write_series
from engine.storage.export import export_view
from engine.storage.files import FileError
from tests.engine.drawn_map import DrawnMap
from tests.engine.linear_map import LinearParams

VIEWS = {view.id: view for view in DrawnMap().views(LinearParams())}


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session(DrawnMap(), LinearParams(step_size=0.3, width=2), 0)
    made.advance(20)
    return made


def numbers(path: Path) -> np.ndarray:
    rows = [line.split(" ") for line in path.read_text("utf-8").splitlines()[1:]]
    return np.array(rows, dtype=float)


def test_series_for_tex_are_those_of_the_csv_file(session: Session, tmp_path: Path) -> None:
    for name in ("a.csv", "a.dat"):
        assert export_view(session, VIEWS["error"], tmp_path / name)
    text = (tmp_path / "a.csv").read_text("utf-8").splitlines()
    assert (tmp_path / "a.dat").read_text("utf-8").splitlines()[0] == "{step} {error} {weights[1]}"
    expected = np.array([line.split(",") for line in text[1:]], dtype=float)
    np.testing.assert_array_equal(numbers(tmp_path / "a.dat"), expected)
    tex = (tmp_path / "a.tex").read_text("utf-8")
    assert "ymode=log" in tex and "ylabel={$|e|$}" in tex
    assert "[x index=0, y index=1] {a.dat}" in tex
    assert r"y expr=abs(\thisrowno{2})" in tex  # it is drawn by its magnitude


def test_curves_and_points_of_a_plane_are_lines_of_their_own(
    session: Session, tmp_path: Path
) -> None:
    assert export_view(session, VIEWS["plane"], tmp_path / "p.dat")
    tex = (tmp_path / "p.tex").read_text("utf-8")
    lines = re.findall(r"index=\{0\}\{(\d+)\}, skip coords between index=\{(\d+)\}\{(\d+)\}", tex)
    assert lines and all(int(a) < int(b) <= int(c) for a, b, c in lines)
    rows = (tmp_path / "p.dat").read_text("utf-8").splitlines()
    assert {len(row.split(" ")) for row in rows} == {6}
    assert int(lines[0][2]) == len(rows) - 1


def test_what_has_no_ending_of_a_table_is_refused(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dat"):
        export_view(session, VIEWS["error"], tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


def balanced(tex: str) -> bool:
    plain = re.sub(r"\\[{}$%#&_\\]", "", tex)
    opened = re.findall(r"\\begin\{(\w+)\}", tex)
    closed = re.findall(r"\\end\{(\w+)\}", tex)
    return (
        plain.count("{") == plain.count("}")
        and plain.count("$") % 2 == 0
        and opened == closed[::-1]
    )


@given(st.text(max_size=30), st.text(max_size=30))
def test_texts_do_no_harm_in_a_document(label: str, heading: str) -> None:
    for written in (tex_text(label), tex_text(heading.replace("$", ""))):
        assert written.isascii() or "$" in written
    assert " " not in word(heading) and "\n" not in word(heading)
    if "$" not in label:
        assert balanced(tex_text(label))


def test_long_tables_are_thinned_by_an_odd_number(tmp_path: Path) -> None:
    steps = np.arange(2 * DRAWN + 1)
    names = write_series(
        tmp_path / "a.dat", ["step", "x"], [(steps, {"x": np.where(steps % 3, 0.5, np.nan)})]
    )
    assert names == ["a.dat", "a.tex"]
    tex = (tmp_path / "a.tex").read_text("utf-8")
    assert "each nth point=3" in tex and balanced(tex)
    assert np.isnan(numbers(tmp_path / "a.dat")[0, 1])


def test_a_document_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    table, document = tmp_path / "paper.dat", tmp_path / "paper.tex"
    steps, rows = np.arange(3), {"x": np.zeros(3)}
    document.write_text("\\documentclass{article}")
    with pytest.raises(FileError, match=r"paper\.tex"):
        write_series(table, ["step", "x"], [(steps, rows)])
    with pytest.raises(FileError, match=r"paper\.tex"):
        write_rows(table, [("a", "b"), (1, 2)])
    assert document.read_text() == "\\documentclass{article}" and not table.exists()
    document.unlink()
    for _ in range(2):
        assert write_series(table, ["step", "x"], [(steps, rows)]) == ["paper.dat", "paper.tex"]


def test_rows_with_words_keep_their_columns(tmp_path: Path) -> None:
    rows = [("a name", "kind, more", "y"), (1, "is stable", None), (2.5, "", True)]
    plot = Plot(lines=(Line(x=0, y=2, label=r"$\delta$ of all"),), title="50 % & more")
    write_rows(tmp_path / "b.dat", rows, plot)
    assert (tmp_path / "b.dat").read_text("utf-8").splitlines() == [
        "{a-name} {kind,-more} {y}",
        "1 {is-stable} nan",
        "2.5 nan 1",
    ]
    tex = (tmp_path / "b.tex").read_text("utf-8")
    assert r"title={50 \% \& more}" in tex and r"\addlegendentry{$\delta$ of all}" in tex
    write_rows(tmp_path / "b.csv", rows)
    assert (tmp_path / "b.csv").read_text("utf-8").splitlines()[1] == "1,is stable,"
