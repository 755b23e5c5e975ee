"""Nothing that was computed is lost, and nothing is computed that cannot be kept."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.cli import commands as cli
from engine.core.params import param
from engine.storage import runfolder
from tests.engine.linear_map import LinearMap, LinearParams
from tests.registered import only

ROOT = Path(__file__).resolve().parents[3]


class NamedParams(LinearParams):
    """The fake's parameters with a text."""

    name: str = param("", "A text.")


class Named(LinearMap):  # type: ignore[misc]
    """The fake with a text, and with something that happens at its first step."""

    parameters = NamedParams
    happening: Any = None

    def advance(self, state: Any, n: int, stride: int = 1) -> Any:
        if self.happening is not None:
            happening, self.happening = self.happening, None
            happening()
        return super().advance(state, n, stride)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Named:
    experiment = Named()
    only(monkeypatch, experiment)
    return experiment


def options(out: Path, *more: str) -> list[str]:
    return ["run", "linear-map", "--figures", "none", "--steps", "9", "--out", str(out), *more]


def test_a_folder_removed_meanwhile_is_made_again(tmp_path: Path, fake: Named) -> None:
    out = tmp_path / "deep" / "out"
    fake.happening = lambda: shutil.rmtree(tmp_path / "deep")
    assert cli.main(options(out)) == cli.DONE
    assert runfolder.read(out).run.steps == 9


def test_a_run_without_its_folder_is_kept_elsewhere(
    tmp_path: Path,
    fake: Named,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    other.mkdir()

    def replaced() -> None:
        shutil.rmtree(out)
        out.write_text("in the way")

    fake.happening = replaced
    monkeypatch.setattr("tempfile.tempdir", str(other))
    assert cli.main(options(out)) == cli.FAILED
    (kept,) = other.iterdir()
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and str(kept) in said
    assert runfolder.read(kept).trace.last == 9


def test_what_cannot_be_written_is_not_computed(
    tmp_path: Path, fake: Named, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.happening = lambda: pytest.fail("it was computed")
    assert cli.main(options(tmp_path / "a", "--set", "name=caf\udce9")) == cli.BAD_INPUT
    assert capsys.readouterr().err.startswith("name: 'caf\\udce9' is not allowed")


@pytest.mark.skipif(sys.platform != "linux", reason="takes any bytes for a name")
def test_a_folder_that_is_not_utf_8_takes_a_run(tmp_path: Path, fake: Named) -> None:
    assert cli.main(options(tmp_path / "caf\udce9")) == cli.DONE


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system knows no SIGHUP")
def test_a_closed_terminal_keeps_what_there_is(tmp_path: Path, fake: Named) -> None:
    before = signal.getsignal(signal.SIGHUP)
    fake.happening = lambda: os.kill(os.getpid(), signal.SIGHUP)
    status = cli.main(options(tmp_path, "--steps", "100000"))
    assert status == cli.INTERRUPTED
    assert json.loads((tmp_path / "run.json").read_text())["outcome"]["kind"] == "cancelled"
    assert signal.getsignal(signal.SIGHUP) is before


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system knows no SIGHUP")
def test_a_run_under_nohup_goes_on(
    tmp_path: Path, fake: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fake.happening = lambda: os.kill(os.getpid(), signal.SIGHUP)
        assert cli.main(options(tmp_path)) == cli.DONE
    finally:
        signal.signal(signal.SIGHUP, before)


COMMAND = [sys.executable, "main.py", "list", "scalar-product"]
PRINTING = (
    (["--help"], True),
    (["--help"], False),
    (["--version"], True),
    (["run", "--help"], False),
    (["screenshot", "--help"], True),
    (["list", "--json"], False),
    (["list", "scalar-product"], True),
    (["--startup-time", "--fresh"], True),
)
"""Commands that do little but print, and whether their output is buffered."""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(("arguments", "buffered"), PRINTING)
def test_a_full_device_is_one_line(arguments: list[str], buffered: bool) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": "" if buffered else "1"}
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "main.py", *arguments],
            cwd=ROOT,
            env=environment | {"QT_QPA_PLATFORM": "offscreen"},
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == cli.FAILED
    assert done.stderr.count(b"\n") == 1 and b"No space left on device" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_run_whose_report_cannot_be_printed_is_kept(tmp_path: Path) -> None:
    command = ["main.py", "run", "least-squares", "--steps", "3", "--figures", "none", "--out"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, *command, str(tmp_path / "out")],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == cli.FAILED and done.stderr.count(b"\n") == 1
    assert runfolder.read(tmp_path / "out").run.steps == 3


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes of POSIX")
@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_a_reader_that_went_away_is_no_traceback(json_too: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *json_too], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert done.returncode == cli.FAILED and done.stderr == b""
