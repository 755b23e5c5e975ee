"""A program that is killed while it writes a run leaves the former one, or none, but no mixture."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import commands as cli
from engine.storage import files, runfolder
from tests.engine.linear_map import LinearMap
from tests.registered import only

ROOT = Path(__file__).resolve().parents[3]
KILLED = 9
RUN = """
import os, sys
sys.path.insert(0, sys.argv[1])
from engine.cli import commands as cli
from tests.engine.linear_map import LinearMap
from tests.registered import only_here
only_here(LinearMap())
left, replace = [int(sys.argv[2])], os.replace

def killed_in_time(source, target):
    left[0] -= 1
    if not left[0]:
        os._exit(9)  # as a kill: nothing is cleaned up
    replace(source, target)

os.replace = killed_in_time
sys.exit(cli.main(sys.argv[3:]))
"""
WRITES = 4
"""Files of this run, each renamed once when it is written and once into its place."""


@pytest.fixture(autouse=True)
def _fake_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, LinearMap())


def options(folder: Path, steps: int) -> list[str]:
    made = ["run", "linear-map", "--figures", "none", "--steps", str(steps)]
    return [*made, "--out", str(folder)]


def killed(folder: Path, steps: int, at: int) -> bool:
    """Make a run that is killed when it is about to rename for the n-th time."""
    command = [sys.executable, "-c", RUN, str(ROOT), str(at), *options(folder, steps)]
    return subprocess.run(command, capture_output=True, check=False).returncode == KILLED


@pytest.mark.parametrize("at", [1, WRITES, WRITES + 1, 2 * WRITES])
def test_a_killed_run_leaves_the_former_one_or_none(tmp_path: Path, at: int) -> None:
    assert cli.main(options(tmp_path, 5)) == cli.DONE
    assert killed(tmp_path, 9, at)
    if at <= WRITES:
        former = runfolder.read(tmp_path)
        assert (former.run.steps, former.trace.last) == (5, 5)
    else:
        assert not (tmp_path / "run.json").exists()
    assert cli.main(options(tmp_path, 7)) == cli.DONE, "the folder is still that of a run"
    new = runfolder.read(tmp_path)
    assert (new.run.steps, new.trace.last) == (7, 7)


def test_a_first_run_that_was_killed_can_be_made_again(tmp_path: Path) -> None:
    assert killed(tmp_path, 9, at=2)
    assert cli.main(options(tmp_path, 7)) == cli.DONE
    assert json.loads((tmp_path / "run.json").read_text())["steps"] == 7


def test_only_a_killed_program_makes_a_folder_that_of_a_run(tmp_path: Path) -> None:
    """Learned parameters that someone put there are theirs."""
    (tmp_path / "learned.npz").write_bytes(b"years of training")
    assert cli.main(options(tmp_path, 5)) == cli.BAD_INPUT
    assert (tmp_path / "learned.npz").read_bytes() == b"years of training"


def test_what_killed_programs_left_is_swept_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / ".0123456789ab.tmp"
    left.mkdir()
    (left / "trace.npz").write_bytes(b"half")
    with runfolder.all_or_nothing(tmp_path):
        assert left.exists(), "another program may be writing it"
    monkeypatch.setattr(files, "STALE_AFTER", -1.0)
    with runfolder.all_or_nothing(tmp_path) as stage:
        assert not left.exists()
        (stage / "run.json").write_text("{}")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
