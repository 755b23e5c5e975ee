"""The experiment that a run's file names, before anything of it is loaded."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.registry import entries, get
from engine.run.spec import RunSpec
from engine.storage import runfile
from gui.app.naming import LARGEST, experiment_named_by


@pytest.mark.parametrize("experiment", [each.id for each in entries()])
def test_a_run_file_names_its_experiment(experiment: str, tmp_path: Path) -> None:
    run = RunSpec(experiment=experiment, params=get(experiment).parameters(), seed=0)
    runfile.save(tmp_path / "run.toml", run)
    assert experiment_named_by(tmp_path / "run.toml") == experiment
    (tmp_path / "run.json").write_text(json.dumps({"experiment": experiment}), "utf-8")
    assert experiment_named_by(tmp_path) == experiment


@given(
    st.sampled_from([".toml", ".json", ".lyapunov", ""]),
    st.binary(max_size=60)
    | st.text(max_size=60).map(str.encode)
    | st.sampled_from([b"[1]", b'{"experiment": 3}', b"experiment = [1]", b"[" * 100_000]),
)
def test_any_other_file_names_none(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a" + suffix)
        path.write_bytes(content)
        assert experiment_named_by(path) == ""
        assert experiment_named_by(Path(folder)) == ""
        assert experiment_named_by(Path(folder, "none.toml")) == ""


def test_a_file_too_large_to_look_at_names_none(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text('experiment = "own-loss"\n' + "#" * LARGEST, "utf-8")
    assert experiment_named_by(path) == ""
