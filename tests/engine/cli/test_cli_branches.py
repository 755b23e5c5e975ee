"""`main.py map branches`: what it writes, what it says, and how it leaves."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from engine.cli import branches as command
from engine.cli import commands as cli
from engine.cli.terminal import Interrupt

ASKED = ["map", "branches", "scalar-product", "--set", "depth=2", "--set", "target=2"]


def run(folder: Path, *more: str) -> int:
    return cli.main(
        [*ASKED, "--x", "step_size=0.4:0.6", "--max-period=2", f"--out={folder}", *more]
    )


def test_it_writes_json_a_table_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "out", "--figures=png,svg", "--y=w2") == 0
    said = capsys.readouterr().out
    assert "soft flip 1 → 2 at 0.5" in said and "branches.json" in said
    found = json.loads((tmp_path / "out" / "branches.json").read_text())
    assert found["x"] == {"name": "step_size", "low": 0.4, "high": 0.6}
    flips = [each["parameter"] for each in found["specials"] if each["event"] == "flip"]
    assert min(abs(each - 0.5) for each in flips) < 1e-9
    with (tmp_path / "out" / "branches.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(each["period"] * len(each["parameter"]) for each in found["curves"])
    assert {row["stability"] for row in rows} == {"stable", "unstable"}
    names = sorted(each.name for each in (tmp_path / "out" / "figures").iterdir())
    assert names == ["branches.png", "branches.svg"]


def test_json_goes_to_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "out", "--figures=none", "--json") == 0
    assert json.loads(capsys.readouterr().out)["max_period"] == 2


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--x", "step_size=0.4"], "--x"),
        (["--x", "step_size=a:b"], "--x"),
        (["--x", "step_size=0.7:0.4"], "step_size"),
        (["--x", "step_size=0:0.4"], "step_size"),
        (["--x", "depth=1:4"], "depth"),
        (["--y", "w9"], "--y"),
        (["--max-period", "99"], "--max-period"),
        (["--set", "step_rule=sharpness"], "scalar-product"),
    ],
)
def test_bad_input_is_one_sentence(
    options: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "out", *options) == 2
    said = capsys.readouterr().err
    assert named in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_it_can_be_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stopped(Interrupt):
        def __enter__(self) -> Interrupt:
            self.go_on = False
            return self

    monkeypatch.setattr(command, "Interrupt", Stopped)
    assert run(tmp_path / "out") == 130
    assert not (tmp_path / "out").exists()
    assert "stopped" in capsys.readouterr().err
