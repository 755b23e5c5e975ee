"""Runs compared: what differs, what came out, and tables that can be read back."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.cli import commands as cli
from engine.core.errors import InputError, LabError
from engine.core.interrupt import Interrupted
from engine.run.trace import Trace
from engine.storage import comparing
from engine.storage.comparison import Compared, Result, compare, escaped
from engine.storage.files import to_json
from tests.engine.drawn_map import DrawnMap
from tests.engine.linear_map import LinearParams
from tests.registered import only

TRACE = Trace({"error": np.float64(1.0)}).view()


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, DrawnMap())


def compared(label: str = "a", result: Result | None = None, **params: Any) -> Compared:
    return Compared(
        label=label,
        experiment="linear-map",
        params=LinearParams(**params),
        seed=0,
        result=result,
        trace=TRACE,
    )


def result(**final: Any) -> Result:
    return Result(outcome="converged", step=7, final=final, verdicts={"Claim": "holds"})


def test_only_what_differs_has_a_column() -> None:
    table = compare([compared(step_size=0.1, width=2), compared("b", step_size=0.2, width=2)])
    assert [column.name for column in table.columns] == ["run", "step_size"]
    assert table.columns[1].values == (0.1, 0.2)


def test_results_are_beside_one_another() -> None:
    runs = [compared("a", result(error=0.5, note=None)), compared("b", result(other="x|y"))]
    table = compare([*runs, compared("c")])
    found = {column.name: column.values for column in table.columns}
    assert found["kind"] == ("converged", "converged", None)
    assert found["error"] == (0.5, None, None) and found["other"] == (None, "x|y", None)
    assert found["Claim"] == ("holds", "holds", None)
    assert "note" not in found
    assert r"x\|y" in table.to_markdown()


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(
    finals=st.lists(
        st.dictionaries(st.text(min_size=1, max_size=8), VALUES, max_size=4), max_size=4
    )
)
@settings(max_examples=60)
def test_tables_keep_their_shape_whatever_is_in_them(finals: list[dict[str, Any]]) -> None:
    runs = [compared(f"r{n}", result(), step_size=0.1 + n) for n in range(len(finals) + 1)]
    runs = [runs[0]] + [
        compared(run.label, Result(outcome="x", step=1, final=final, verdicts={}), step_size=1.0)
        for run, final in zip(runs[1:], finals, strict=True)
    ]
    table = compare(runs)
    rows = list(csv.reader(io.StringIO(table.to_csv(), newline="")))
    assert len(rows) == len(runs) + 1
    assert {len(row) for row in rows} == {len(table.columns)}
    lines = table.to_markdown().splitlines()
    assert len(lines) == len(runs) + 2
    assert {line.replace(r"\|", "").count("|") for line in lines} == {len(table.columns) + 1}
    assert len(json.loads(to_json(table.to_table()))) == len(runs)


def test_csv_has_all_digits() -> None:
    third = 1.0 / 3.0
    text = compare([compared(result=result(error=third, gone=math.nan))]).to_csv()
    row = next(csv.DictReader(io.StringIO(text)))
    assert float(row["final.error"]) == third and row["final.gone"] == ""


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"outcome": 3, "final": {}},
        {"outcome": {"kind": "x"}, "final": {}},
        {"outcome": {"kind": "x", "step": True}, "final": {}},
        {"outcome": {"kind": "x", "step": 1}, "final": []},
        {"outcome": {"kind": "x", "step": 1}, "final": {}, "claims": [1]},
    ],
)
def test_a_damaged_result_is_refused(table: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Result.of(table)


def test_what_cannot_be_a_cell_becomes_one() -> None:
    assert escaped("a|b\nc\\") == "a\\|b c\\\\"
    assert escaped("") == " "


def run(folder: Path, step_size: float) -> Path:
    options = ["run", "linear-map", "--set", f"step_size={step_size}", "--steps", "30"]
    assert cli.main([*options, "--figures", "none", "--out", str(folder)]) == 0
    return folder


def test_runs_are_found_in_folders(tmp_path: Path) -> None:
    first, second = run(tmp_path / "in" / "a0.1", 0.1), run(tmp_path / "in" / "b", 0.2)
    (tmp_path / "in" / "alone.toml").write_text((first / "run.toml").read_text("utf-8"), "utf-8")
    (tmp_path / "in" / "notes.txt").touch()
    found = comparing.sources([tmp_path / "in", second / "run.json"])
    assert [source.name for source in found] == ["a0.1", "alone", "b", "b"]
    runs = [comparing.read(source, lambda done, text: True) for source in found]
    assert runs[0].result == runs[1].result
    np.testing.assert_array_equal(runs[0].trace.low["error"], runs[1].trace.low["error"])
    names = [each.label for each in comparing.labelled(runs)]
    assert len(set(names)) == 4


def test_a_run_made_again_can_be_stopped(tmp_path: Path) -> None:
    source = comparing.Source(run(tmp_path / "a", 0.1) / "run.toml", "a")
    with pytest.raises(Interrupted):
        comparing.read(source, lambda done, text: False)


@pytest.mark.parametrize("damage", ["{", '{"format": 1}', "[]", "{}"])
def test_a_damaged_run_is_one_sentence(
    tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run(tmp_path / "a", 0.1)
    (folder / "run.json").write_text(damage, "utf-8")
    whole = run(tmp_path / "b", 0.1)
    capsys.readouterr()
    command = ["compare", str(whole), str(folder), "--out", str(tmp_path / "out")]
    assert cli.main(command) == 2
    said = capsys.readouterr().err
    assert said.splitlines()[-1].startswith(f"{folder}: ")
    assert not (tmp_path / "out").exists()


def test_one_run_and_a_missing_one_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out, missing = run(tmp_path / "a", 0.1), tmp_path / "out", tmp_path / "no" / "b.toml"
    for runs, named in (
        ([folder], "two or more"),
        ([folder, missing], f"{missing.parent.name}/{missing.name}"),
    ):
        assert cli.main(["compare", *map(str, runs), "--out", str(out)]) == 2
        assert named in capsys.readouterr().err
    assert not out.exists()


def test_runs_of_equal_settings_say_so() -> None:
    same = compare([compared(), compared("b")])
    assert "No parameter differs" in same.to_text()
    other = compare([compared(step_size=0.1), compared("b", step_size=0.2)])
    assert other.to_text() == other.to_markdown()


def test_a_damaged_trace_is_refused(tmp_path: Path) -> None:
    folder = run(tmp_path / "a", 0.1)
    data = bytearray((folder / "trace.npz").read_bytes())
    (folder / "trace.npz").write_bytes(data[: len(data) // 2])
    with pytest.raises(LabError):
        comparing.read(comparing.Source(folder, "a"), lambda done, text: True)


def test_places_without_a_run_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError):
            found = comparing.sources([place])
            comparing.read(found[0], lambda done, text: True)


@pytest.mark.slow
def test_the_command_writes_tables_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [str(run(tmp_path / name, size)) for name, size in (("a", 0.1), ("b", 0.2))]
    capsys.readouterr()
    out = tmp_path / "out"
    command = ["compare", *folders, "--out", str(out), "--figures", "svg"]
    assert cli.main([*command, "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert [row["settings"]["step_size"] for row in table] == [0.1, 0.2]
    assert table == json.loads((out / "comparison.json").read_text("utf-8"))
    assert sorted(path.name for path in out.iterdir()) == [
        "comparison.csv",
        "comparison.dat",
        "comparison.json",
        "comparison.md",
        "comparison.tex",
        "figures",
    ]
    drawn = (out / "figures" / "error.svg").read_text("utf-8")
    assert 'id="run-1-error"' in drawn and 'id="run-2-error"' in drawn
    assert "0.2" in drawn
    assert cli.main([*command, "--figures", "none"]) == 0  # into its own folder again


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    folder = run(tmp_path / "a", 0.1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").touch()
    assert cli.main(["compare", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["thesis.tex"]


def test_a_run_that_was_changed_says_so(tmp_path: Path) -> None:
    text = (run(tmp_path / "a", 0.1) / "run.toml").read_text("utf-8")
    changed = tmp_path / "changed.toml"
    changed.write_text(text + "\n[[changes]]\nstep = 5\nvalues = { step_size = 0.3 }\n", "utf-8")
    options = ["run", str(changed), "--figures", "none", "--out", str(tmp_path / "b")]
    assert cli.main(options) == 0
    folders = [tmp_path / "a", tmp_path / "b", changed]
    runs = [comparing.read(source, lambda d, t: True) for source in comparing.sources(folders)]
    found = {column.name: column.values for column in compare(runs).columns}
    assert found["step_size"] == (0.1, 0.3, 0.3)
    assert found["changes"] == (0, 1, 1)
