"""Runs whose parameters name files: bound to neither the working directory nor to other content."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cli import commands as cli
from engine.core import registry
from engine.core.errors import InputError
from engine.core.params import describe
from engine.run import inputs, replay
from engine.storage import learned, runfile

FILES = {
    "least-squares": {"data": "file", "data_file": "points.csv"},
    "matrix-product": {"target_source": "file", "target_file": "points.csv"},
    "double-matrix": {"inputs": "data", "points_file": "points.csv"},
    "piecewise-fit": {"function": "file", "file": "points.csv"},
    "own-loss": {
        "function": "w1*x",
        "minimise": "least-squares",
        "data_from": "file",
        "data_file": "points.csv",
    },
    "network": {"data": "file", "data_file": "points.csv", "width": "2", "held_out": "0"},
    "trace": {"file": "points.csv"},
}
TEXTS = {
    "least-squares": "2,0.5,1\n0.25,1,2\n",
    "piecewise-fit": "0,1\n1,3\n2,2\n",
    "matrix-product": "2,0.5\n0.25,1\n",
    "double-matrix": "2,0.5\n0.25,1\n",
    "own-loss": "1,2\n2,4\n3,5\n",
    "network": "1,2\n2,4\n3,5\n",
    "trace": "1,2\n0.9,4\n0.8,5\n0.7,5\n",
}
OPTIONS = ["--figures", "none", "--steps", "3", "--out", "out"]


def made(folder: Path, experiment: str, monkeypatch: pytest.MonkeyPatch, *more: str) -> Path:
    """Make a run in a folder with a file named from there; returns the run's folder."""
    folder.mkdir(exist_ok=True)
    (folder / "points.csv").write_text(TEXTS[experiment])
    monkeypatch.chdir(folder)
    values = {**FILES[experiment], **({"width": "2"} if experiment == "double-matrix" else {})}
    options = [f"--set={name}={value}" for name, value in values.items()]
    assert cli.main(["run", experiment, *options, *OPTIONS, *more]) == cli.DONE
    return folder / "out"


def test_every_parameter_that_names_a_file_is_known() -> None:
    for listed in registry.entries():
        experiment: Any = listed.load()
        for spec in describe(experiment.parameters):
            if spec.name.endswith("file"):
                assert spec.widget == "file", (experiment.id, spec.name)
                assert experiment.id in FILES


@pytest.mark.parametrize("experiment", FILES)
@pytest.mark.parametrize("file", ["run.toml", "run.json", ""])
def test_a_run_is_made_again_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, experiment: str, file: str
) -> None:
    out = made(tmp_path / "a", experiment, monkeypatch)
    (name,) = FILES[experiment].keys() & {"file", "data_file", "target_file", "points_file"}
    written = json.loads((out / "run.json").read_text())
    assert written["params"][name] == "../points.csv"
    other = tmp_path / "b"
    other.mkdir()
    (other / "points.csv").write_text("9,9\n8,8.5\n7,7\n")
    monkeypatch.chdir(other)
    again = ["run", str(out / file), "--figures", "none", "--out", "again"]
    assert cli.main(again) == cli.DONE
    for trace in ("trace.csv", "trace.npz"):
        assert (other / "again" / trace).read_bytes() == (out / trace).read_bytes()
    shutil.move(tmp_path / "a", tmp_path / "moved")
    run = runfile.load(tmp_path / "moved" / "out" / file)
    assert getattr(run.params, name) == str(tmp_path / "moved" / "points.csv")


def test_other_data_are_refused_until_they_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = made(tmp_path / "a", "least-squares", monkeypatch, "--model", "npz")
    (tmp_path / "a" / "points.csv").write_text("3,0.5,1\n0.25,1,2\n")
    for source in ("run.toml", "run.json", "learned.npz"):
        run = ["run", str(out / source), "--figures", "none", "--out", str(tmp_path / "again")]
        assert cli.main(run) == cli.BAD_INPUT
        said = capsys.readouterr().err
        assert "data_file" in said and "it has changed" in said and said.count("\n") == 1
        accepted = [*run, "--set", f"data_file={tmp_path / 'a' / 'points.csv'}"]
        assert cli.main(accepted) == cli.DONE
    run_file = (out / "run.toml").read_text()
    sum_line = run_file.partition("[sha256]")[2].splitlines()[1]
    assert sum_line.startswith("data_file = ")
    (out / "run.toml").write_text(run_file.replace(sum_line, ""))
    assert runfile.load(out / "run.toml").sha256 == {}
    replay.begin(runfile.load(out / "run.toml"))


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ('step_size = "' + "0" * 64 + '"', "names of parameters that name files"),
        ('data_file = "abc"', "64 hexadecimal digits"),
        ("data_file = 3", "64 hexadecimal digits"),
    ],
)
def test_what_is_no_sum_is_refused(table: str, sentence: str) -> None:
    text = f'experiment = "least-squares"\n[sha256]\n{table}\n'
    with pytest.raises(InputError, match=sentence):
        runfile.loads(text)


NAMES = st.lists(st.sampled_from(["a", "b c", "ö", ".d"]), min_size=1, max_size=4)


@given(NAMES, NAMES)
def test_a_written_path_leads_back_from_its_folder(
    tmp_path_factory: pytest.TempPathFactory, data: list[str], home: list[str]
) -> None:
    root = tmp_path_factory.getbasetemp().resolve()
    path, folder = root.joinpath(*data, "points.csv"), root.joinpath(*home)
    model = registry.get("least-squares").parameters
    (spec,) = (spec for spec in describe(model) if spec.name == "data_file")
    written = inputs.as_written(spec, str(path), folder)
    params = inputs.resolved(model(data_file=written), folder)  # type: ignore[call-arg]
    assert params.data_file == str(path)  # type: ignore[attr-defined]


def test_texts_that_name_no_place_stay(tmp_path: Path) -> None:
    model: Any = registry.get("mnist").parameters
    params = model(data="digits", checkpoints="off")
    assert inputs.resolved(params, tmp_path) == params
    assert inputs.resolved(model(data="sets"), tmp_path).data == str(tmp_path / "sets")
    (spec,) = (spec for spec in describe(model) if spec.name == "data")
    assert inputs.as_written(spec, str(tmp_path / "digits"), tmp_path) == "./digits"


def test_learned_parameters_say_that_they_begin_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = made(tmp_path / "a", "least-squares", monkeypatch, "--model", "npz")
    assert json.loads((out / "run.json").read_text())["notes"] == []
    again = ["run", str(out / "learned.npz"), "--figures", "none", "--steps", "2", "--out", "b"]
    assert cli.main(again) == cli.DONE
    assert learned.ANEW in capsys.readouterr().out
    assert json.loads(Path("b", "run.json").read_text())["notes"] == [learned.ANEW]
    begun = runfile.load(Path("b", "run.toml")).start
    assert begun is not None
    for name, values in learned.load_learned(out / "learned.npz").arrays.items():
        np.testing.assert_array_equal(begun[name], values)
