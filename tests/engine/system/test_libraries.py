"""Libraries that a machine lacks are found all at once, and said in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.system import libraries
from tests.hidden import child, hide, listening_display

CURSOR, ICCCM = "libxcb-cursor.so.0", "libxcb-icccm.so.4"
MISSING = "from engine.system.libraries import missing; print(*missing({!r}))"


def missing(platform: str, hidden: Path) -> set[str]:
    """Ask a child what it lacks."""
    done = child("-c", MISSING.format(platform), hidden=hidden)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


def test_all_hidden_libraries_of_the_plugin_are_missing(tmp_path: Path) -> None:
    nothing = hide(tmp_path / "nothing")
    before = missing("xcb", nothing)  # on a machine that has never had a window, many
    hidden = hide(tmp_path / "some", CURSOR, ICCCM)
    assert missing("xcb", hidden) == before | {CURSOR, ICCCM}


def test_offscreen_needs_no_library_of_x(tmp_path: Path) -> None:
    assert missing("offscreen", hide(tmp_path / "some", CURSOR, ICCCM)) == set()
    assert missing("offscreen", hide(tmp_path / "egl", "libEGL.so.1")) == {"libEGL.so.1"}


def test_a_library_that_waits_for_another_names_that() -> None:
    assert "libgone.so.3" in libraries.refusal_of("libgone.so.3")
    said = "libxcb-util.so.1: cannot open shared object file: No such file or directory"
    assert libraries.culprit(said, CURSOR) == "libxcb-util.so.1"
    assert libraries.culprit("/tmp/x/libxcb-cursor.so.0: file too short", CURSOR) == CURSOR
    assert libraries.culprit("something else", CURSOR) == CURSOR


@pytest.mark.parametrize("arguments", [["main.py"], ["main.py", "--fresh"]])
def test_the_window_names_all_of_them_in_one_sentence(tmp_path: Path, arguments: list[str]) -> None:
    hidden = hide(tmp_path / "hidden", CURSOR, ICCCM)
    with listening_display() as display:
        done = child(*arguments, hidden=hidden, DISPLAY=display)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "system libraries" in done.stderr
    assert "cursor" in done.stderr and ("icccm" in done.stderr or "util-wm" in done.stderr)


def test_commands_without_a_window_need_none_of_them(tmp_path: Path) -> None:
    hidden = hide(tmp_path / "hidden", "libEGL.so.1", "libGL.so.1", "libfontconfig.so.1", CURSOR)
    done = child("main.py", "list", hidden=hidden)
    assert (done.returncode, done.stderr) == (0, "")
    out = str(tmp_path / "out")
    done = child("main.py", "run", "least-squares", "--steps", "3", "--out", out, hidden=hidden)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["smoke", "screenshot"])
def test_what_draws_offscreen_says_what_it_needs(tmp_path: Path, command: str) -> None:
    options = ["--out", str(tmp_path)] if command == "screenshot" else []
    hidden = hide(tmp_path / "hidden", "libEGL.so.1")
    done = child("main.py", command, *options, hidden=hidden)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "libEGL.so.1" in done.stderr or "egl" in done.stderr


def test_the_tests_say_what_they_need(tmp_path: Path) -> None:
    hidden = hide(tmp_path / "hidden", "libEGL.so.1")
    done = child("-m", "pytest", "tests/engine/text", hidden=hidden)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.count("\n") == 1 and "system librar" in done.stderr
