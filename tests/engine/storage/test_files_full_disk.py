"""A disk that is full, or a folder that takes nothing: one sentence, and no half file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from engine.cli import commands as cli
from tests.engine.drawn_map import DrawnMap
from tests.registered import only_here
only_here(DrawnMap())
sys.exit(cli.main(sys.argv[2:]))
"""
OPTIONS = ["linear-map", "--set", "step_size=1.9999"]


def run(
    *options: str, disk: tuple[Path, str] | None = None, command: str = "run"
) -> subprocess.CompletedProcess[str]:
    """Run the fake in a process of its own, on a small disk of its own if one is given."""
    words = [sys.executable, "-c", RUN, str(ROOT), command, *OPTIONS, *options]
    if disk is not None:
        mount = (
            'mount -t tmpfs -o size="$2" none "$1" && shift 2 && "$@"; s=$?; ls -A "$0"; exit $s'
        )
        words = [
            "unshare",
            "--user",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            mount,
            str(disk[0]),
            str(disk[0]),
            disk[1],
            *words,
        ]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """Return an empty folder on which a small file system can be mounted."""
    if shutil.which("unshare") is None:
        pytest.skip("needs the command unshare")
    folder = tmp_path / "disk"
    folder.mkdir()
    trial = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none"]
    if subprocess.run([*trial, str(folder)], capture_output=True, check=False).returncode:
        pytest.skip("this system lets no one mount a file system of their own")
    return folder


@pytest.mark.parametrize("figures", ["none", "svg,png"])
def test_a_full_disk_is_one_sentence(small_disk: Path, figures: str) -> None:
    options = ["--steps", "20000", "--figures", figures, "--out", str(small_disk / "out")]
    done = run(*options, disk=(small_disk, "64k"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert "could not be written: No space left on device." in done.stderr
    assert done.stdout == "out\n"


def test_a_full_disk_leaves_no_half_file(small_disk: Path) -> None:
    """The folder itself is the disk: nothing is left on it."""
    options = ["--steps", "20000", "--figures", "none", "--out", str(small_disk)]
    done = run(*options, disk=(small_disk, "64k"))
    assert done.returncode == 1 and done.stdout == ""


LIMITED = (
    """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
"""
    + RUN
)


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on the size of files")
def test_a_former_run_survives_a_failed_one(tmp_path: Path) -> None:
    options = ["--figures", "none", "--out", str(tmp_path)]
    assert run(*options, "--steps", "5").returncode == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    command = [sys.executable, "-c", LIMITED, str(ROOT), "run", *OPTIONS, *options]
    command += ["--steps", "9000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "could not be written" in done.stderr
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys()
    assert after["run.json"] == before["run.json"]
    assert after["trace.npz"] == before["trace.npz"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.mp4"])
def test_an_animation_on_a_full_disk_is_one_sentence(small_disk: Path, name: str) -> None:
    options = ["--steps", "20", "--view", "weights", "--size", "640x480", "--seconds", "1"]
    done = run(
        *options, "--out", str(small_disk / name), disk=(small_disk, "8k"), command="animate"
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"{name} could not be written: No space left on device." in done.stderr
    assert done.stdout == ""
