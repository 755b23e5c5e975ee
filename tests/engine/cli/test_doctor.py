"""`main.py doctor`: every line is there, what is wrong has a remedy, and nothing breaks it."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.cli import doctor
from engine.cli.doctor import Check
from tests.hidden import child, hide

TORCH = ("torch", "torchvision")
"""Packages that may be lacking, and take longer to import than all else."""


def run(
    *options: str, lacking: tuple[str, ...] = (), hidden: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the command where some packages cannot be imported."""
    code = (
        f"import sys, main; sys.modules.update(dict.fromkeys({lacking!r})); "
        f"sys.exit(main.main(['doctor', *{options!r}]))"
    )
    return child("-c", code, hidden=hidden, **variables)


def report(lacking: tuple[str, ...] = (), **variables: str) -> tuple[int, dict[str, Check]]:
    done = run("--json", lacking=lacking, **variables)
    assert done.stderr == ""
    content = json.loads(done.stdout)
    checks = {each["name"]: Check(**each) for each in content["checks"]}
    assert content["ok"] is all(each.ok for each in checks.values())
    assert done.returncode == (0 if content["ok"] else 1)
    return done.returncode, checks


def test_a_machine_that_draws_offscreen_is_in_order(tmp_path: Path) -> None:
    _, checks = report(QT_QPA_PLATFORM="offscreen", XDG_CACHE_HOME=str(tmp_path))
    names = {"program", "Python", "numpy", "system libraries", "display", "Qt platform"}
    names |= {"fonts", "settings", "data", "cache", "kernel cache", "CPU", "CUDA"}
    assert names <= set(checks)
    for name in names - {"system libraries", "fonts", "settings", "data"}:
        assert checks[name].ok, checks[name]


def test_what_is_wrong_has_a_remedy() -> None:
    nowhere = dict.fromkeys(("XDG_CACHE_HOME", "NUMBA_CACHE_DIR"), "/proc/nowhere")
    status, checks = report(TORCH, DISPLAY=":98765", **nowhere)
    assert status == 1
    for name in ("display", "cache", "kernel cache"):
        assert not checks[name].ok
        assert checks[name].remedy


@pytest.mark.parametrize("is_packaged", [True, False])
def test_a_packaged_program_is_told_to_install_nothing(
    is_packaged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    monkeypatch.setattr(sys, "frozen", is_packaged, raising=False)
    checks = list(doctor._packages())
    assert {each.name for each in checks if not each.ok} == set(doctor.NEEDED)
    for each in checks:
        assert bool(each.remedy) is not is_packaged
        assert each.value.startswith("not in this package" if is_packaged else "not installed")
    assert {each.value.split("; ")[1] for each in checks if each.ok} == {
        f"{who} it" for who in doctor.OPTIONAL.values()
    }


def test_missing_libraries_come_with_their_command(tmp_path: Path) -> None:
    hidden = hide(tmp_path / "hidden", "libEGL.so.1")
    done = run(lacking=TORCH, hidden=hidden)
    line = next(each for each in done.stdout.splitlines() if each.startswith("system libraries"))
    assert done.returncode == 1 and done.stderr == ""
    assert "libEGL.so.1" in line and "install" in line
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    "lacking",
    [
        ("numpy",),  # which torch is imported without
        ("numba", *TORCH),
        ("pydantic", *TORCH),
        ("platformdirs", *TORCH),
        ("PySide6", *TORCH),
    ],
    ids=lambda lacking: lacking[0],
)
def test_a_package_that_is_missing_is_a_line(lacking: tuple[str, ...]) -> None:
    done = run(lacking=lacking, QT_QPA_PLATFORM="offscreen")
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.count("\n") > 15


def test_a_check_that_fails_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> Iterator[Check]:
        yield Check("half", True, "is there")
        raise RuntimeError("it broke\nin two lines")

    monkeypatch.setattr(doctor, "_display", broken)
    monkeypatch.setattr(doctor, "_device", broken)
    assert doctor.main([]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "broke" in line]
    assert len(lines) == 2 and all("RuntimeError: it broke in two lines" in line for line in lines)


def test_a_bad_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(["--no-such"]) == 2
    assert "no-such" in capsys.readouterr().err
