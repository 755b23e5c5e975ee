"""Learned parameters leave as a file, come back, and a run goes on from them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.cli import commands as cli
from engine.core import registry
from engine.core.errors import InputError
from engine.core.params import update
from engine.run import replay
from engine.run.session import Session
from engine.storage import learned, runfile, runfolder
from engine.storage.arrays import load_arrays, save_npz
from tests.engine.linear_map import LinearMap, LinearParams, LinearState
from tests.registered import only


class Loading(LinearMap):
    """The fake, able to begin from given weights."""

    def with_arrays(self, state: LinearState, arrays: Mapping[str, NDArray[Any]]) -> LinearState:
        if set(arrays) != {"weights"} or arrays["weights"].shape != state.weights.shape:
            raise InputError("model", self.id, "it needs as many weights as width says")
        return dataclasses.replace(state, weights=np.array(arrays["weights"]))


@pytest.fixture(autouse=True)
def loading(monkeypatch: pytest.MonkeyPatch) -> Loading:
    experiment = Loading()
    only(monkeypatch, experiment)
    return experiment


@pytest.fixture
def session() -> Session:
    session = Session(registry.get("linear-map"), LinearParams(step_size=0.5, width=3), 2)
    session.advance(4)
    session.retune(update(session.params, step_size=0.25))
    session.advance(3)
    return session


def weights(session: Session) -> NDArray[np.float64]:
    state: Any = session.state
    return np.asarray(state.weights)


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_a_run_goes_on_from_what_was_learned(session: Session, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"model.{ending}"
    learned.save_learned(session, path)
    loaded = learned.load_learned(path)
    assert loaded.step == 7
    assert loaded.run.params == update(session.params, step_size=0.25)
    again = replay.begin(learned.to_run(loaded))
    np.testing.assert_array_equal(weights(again), weights(session))
    again.advance(5)
    session.advance(5)
    np.testing.assert_array_equal(weights(again), weights(session))


def test_such_a_run_is_saved_with_its_start(session: Session, tmp_path: Path) -> None:
    learned.save_learned(session, tmp_path / "model.npz")
    again = replay.begin(learned.to_run(learned.load_learned(tmp_path / "model.npz")))
    again.advance(9)
    folder = tmp_path / "saved"
    folder.mkdir()
    runfile.save(folder / "mine.toml", runfile.RunSpec.of(again))
    assert sorted(path.name for path in folder.iterdir()) == ["mine.start.npz", "mine.toml"]
    run = runfile.load(folder / "mine.toml")
    replayed = replay.begin(run)
    replay.carry_out(run, replayed)
    np.testing.assert_array_equal(weights(replayed), weights(again))


@pytest.mark.parametrize("name", ["../model.npz", "/etc/passwd", "gone.npz", "3"])
def test_a_start_lies_beside_the_run_file(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    save_npz(tmp_path / "model.npz", {"weights": np.ones(2)})
    path = folder / "run.toml"
    path.write_text(f'experiment = "linear-map"\nstart = {name if name == "3" else repr(name)}\n')
    with pytest.raises(InputError):
        runfile.load(path)
    with pytest.raises(InputError, match="start"):
        runfile.loads(path.read_text())


@pytest.mark.parametrize("values", [["a", "b"], [1.0, np.nan], [1j, 0j]])
def test_a_start_holds_finite_numbers(tmp_path: Path, values: list[object]) -> None:
    save_npz(tmp_path / "start.npz", {"weights": np.array(values)})
    (tmp_path / "run.toml").write_text('experiment = "linear-map"\nstart = "start.npz"\n')
    with pytest.raises(InputError, match="weights must hold finite numbers"):
        runfile.load(tmp_path / "run.toml")


def test_the_command_line_writes_and_takes_them(tmp_path: Path) -> None:
    run = ["run", "--figures", "none", "--steps", "6", "--out"]
    first = [*run, str(tmp_path / "a"), "linear-map", "--model", "npz"]
    assert cli.main(first) == cli.DONE
    result = json.loads((tmp_path / "a" / "run.json").read_text())
    assert "learned.npz" in result["files"]
    model = str(tmp_path / "a" / "learned.npz")
    second = [*run, str(tmp_path / "b"), model, "--model", "safetensors"]
    assert cli.main(second) == cli.DONE
    straight = Session(registry.get("linear-map"), LinearParams(), 0)
    straight.advance(12)
    arrays, config = load_arrays(tmp_path / "b" / "learned.safetensors")
    np.testing.assert_array_equal(arrays["weights"], weights(straight))
    assert config["experiment"] == "linear-map" and config["step"] == 6
    folder = runfolder.read(tmp_path / "b")
    assert folder.run.start is not None and "run.start.npz" in folder.result["files"]
    assert cli.main([*run, str(tmp_path / "c"), str(tmp_path / "b")]) == cli.DONE
    for name in ("trace.csv", "run.toml"):
        assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "c" / name).read_bytes()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["linear-map", "--model", "pt"], "--model: 'pt' is not allowed; give npz or safetensors"),
        (["model.pt"], "give a .toml file, a run.json or its folder"),
        (["model.npz", "--set", "width=4"], "it needs as many weights as width says"),
        (["other.npz"], "give learned parameters written by this program"),
        (["nan.npz"], "weights must hold finite numbers"),
        (["gone.safetensors"], "give the name of a file that exists"),
    ],
)
def test_bad_models_are_one_sentence(
    session: Session,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    learned.save_learned(session, tmp_path / "model.npz")
    arrays, config = load_arrays(tmp_path / "model.npz")
    save_npz(tmp_path / "other.npz", arrays, {"experiment": "linear-map"})
    save_npz(tmp_path / "nan.npz", {"weights": np.full(3, np.nan)}, config)
    (tmp_path / "model.pt").write_bytes(b"\x80\x04pickle")
    assert cli.main(["run", *options, "--out", "D"]) == cli.BAD_INPUT
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and sentence in said
    assert not (tmp_path / "D").exists()
