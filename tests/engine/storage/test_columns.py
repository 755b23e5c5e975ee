"""Tables as CSV and for pgfplots: the same numbers, and a document that draws them."""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.run.notes import Note
from engine.run.session import Session
from engine.storage.columns import CELLS, DRAWN, Line, Plot, word, write_rows, write_series
from engine.storage.export import export_view
from engine.storage.files import FileError
from engine.text.tex import to_tex
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


def test_notes_go_with_the_document(tmp_path: Path) -> None:
    made = Session(DrawnMap(), LinearParams(step_size=0.3, width=2), 0)
    made.advance(5)
    hostile = r"$\input{x}$ 5 % & }"
    made.notes = (Note("error", 3.0, 0.5, hostile), Note("plane", 0.1, -1e-9, "here"))
    for name in ("error", "plane"):
        assert export_view(made, VIEWS[name], tmp_path / f"{name}.dat")
    tex = (tmp_path / "error.tex").read_text("utf-8")
    assert f"nodes near coords={{{to_tex(hostile)}}}] coordinates {{(3.0,0.5)}};" in tex
    assert r"\input" not in tex and balanced(tex)
    assert "={here}] coordinates {(0.1,-1e-09)};" in (tmp_path / "plane.tex").read_text("utf-8")
    made.close()


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


@given(st.text(max_size=30))
def test_texts_do_no_harm_in_a_document(text: str) -> None:
    assert " " not in word(text) and "\n" not in word(text)
    assert word(text).isascii()
    assert balanced(to_tex(text))


@pytest.mark.parametrize("name", ["50%.dat", "a#b.dat", "{x}.dat", "δ.dat", "~a.dat", "a\\b.dat"])
def test_a_name_that_tex_cannot_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="TeX"):
        write_rows(tmp_path / name, [("a", "b"), (1, 2)])
    assert not list(tmp_path.iterdir())


def test_words_are_typeset_and_not_drawn(tmp_path: Path) -> None:
    rows = [("step", "quantity", "value"), (100, "$\\lambda$ & more", "18"), (100, None, "2 %")]
    write_rows(tmp_path / "t.dat", rows)
    tex = (tmp_path / "t.tex").read_text("utf-8")
    assert "addplot" not in tex and r"100 & $\lambda$ {\char38} more & 18 \\" in tex
    assert r"100 & -- & 2 \% \\" in tex
    write_rows(tmp_path / "w.dat", [("run", "x"), ("[a]", "*"), ("-", "[b] 5")])
    tex = (tmp_path / "w.tex").read_text("utf-8")
    assert r"\hline {}[a] & {}* \\" in tex and r"- & {}[b] 5 \\" in tex
    columns = [("run", *(f"c{n}" for n in range(20))), ("a", *map(float, range(20)))]
    write_rows(tmp_path / "w.dat", columns, Plot(typeset=True))
    assert r"c7 & 7 \\" in (tmp_path / "w.tex").read_text("utf-8")  # turned
    write_rows(tmp_path / "n.dat", [("x", "word", "y"), (1, "a", 2.0), (2, "b", None)])
    tex = (tmp_path / "n.tex").read_text("utf-8")
    assert tex.count("addplot") == 1 and "[x index=0, y index=2]" in tex


def test_a_grid_is_drawn_in_colours(tmp_path: Path) -> None:
    cells = [(0, "map", 0, x, y, float(x * y)) for y in range(3) for x in range(4)]
    rows = [("step", "item", "line", "x", "y", "value"), *cells]
    plot = Plot(lines=(Line(x=3, y=4, value=5, across=4, label="map"),))
    write_rows(tmp_path / "g.dat", rows, plot)
    tex = (tmp_path / "g.tex").read_text("utf-8")
    assert "matrix plot*, mesh/cols=4" in tex and "\n3 2 6.0\n};" in tex and "colorbar" in tex
    side = 2 * math.isqrt(CELLS)
    many = [(0, "map", 0, n % side, n // side, 1.0) for n in range(side * side)]
    plot = Plot(lines=(Line(x=3, y=4, value=5, across=side, label="map"),))
    write_rows(tmp_path / "h.dat", [rows[0], *many], plot)
    tex = (tmp_path / "h.tex").read_text("utf-8")
    assert f"mesh/cols={side // 2}," in tex and "\n2 2 1.0\n" in tex and "\n1 0 1.0" not in tex


def test_long_tables_are_thinned_by_an_odd_number(tmp_path: Path) -> None:
    steps = np.arange(2 * DRAWN + 1)
    names = write_series(
        tmp_path / "a.dat", ["step", "x"], [(steps, {"x": np.where(steps % 3, 0.5, np.nan)})]
    )
    assert names == ["a.dat", "a.tex"]
    tex = (tmp_path / "a.tex").read_text("utf-8")
    assert "each nth point=5" in tex and balanced(tex)  # every third row is a gap
    assert np.isnan(numbers(tmp_path / "a.dat")[0, 1])


@given(
    st.lists(
        st.lists(st.sampled_from([0.0, -1.0, 2.0, math.nan, math.inf]), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_every_entry_of_a_legend_has_a_line(rows: list[list[float]], log_y: bool) -> None:
    """pgfplots passes over a line without a point, and the entries after it would be shifted."""
    values = np.array(rows)
    plot = Plot(lines=tuple(Line(y=y, magnitude=y == 2) for y in (1, 2, 3)), log_y=log_y)
    with tempfile.TemporaryDirectory() as folder:
        for name in ("series.dat", "rows.dat"):
            path = Path(folder, name)
            if name == "series.dat":
                columns = {str(y): values[:, y] for y in range(3)}
                blocks = [(np.arange(len(rows)), columns), (np.zeros(0), {"0": np.zeros((0, 3))})]
                write_series(path, ["k", "a", "b", "c"], blocks, plot)
            else:
                table = [("k", "a", "b", "c"), *((k, *row) for k, row in enumerate(rows))]
                write_rows(path, table, plot)
            tex = path.with_suffix(".tex").read_text("utf-8")
            for y, magnitude in ((1, False), (2, True), (3, False)):
                column = np.abs(values[:, y - 1]) if magnitude else values[:, y - 1]
                is_seen = np.isfinite(column) & ((column > 0) | (not log_y))
                drawn = f"y expr=abs(\\thisrowno{{{y}}})" if magnitude else f"y index={y}]"
                assert (drawn in tex) == is_seen.any()
            assert tex.count("addplot") == tex.count("addlegendentry")


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
    assert r"title={50 \% {\char38} more}" in tex and r"\addlegendentry{$\delta$ of all}" in tex
    write_rows(tmp_path / "b.csv", rows)
    assert (tmp_path / "b.csv").read_text("utf-8").splitlines()[1] == "1,is stable,"
