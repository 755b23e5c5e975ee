"""Displays: which is used, and one sentence where none can be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import create_autospec

import pytest

from engine.system import display, libraries, trial
from tests.hidden import SCREENS, child, listening_display

pytestmark = pytest.mark.skipif(
    not display.sys.platform.startswith("linux"), reason="elsewhere there is a display"
)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every platform plugin load, and name no display."""
    monkeypatch.setattr(
        libraries, "refusal_of", create_autospec(libraries.refusal_of, return_value="")
    )
    for name in SCREENS:
        monkeypatch.delenv(name, raising=False)
    return


def answer(monkeypatch: pytest.MonkeyPatch, x: bool, wayland: bool) -> None:
    for name, answers in (("_connects_to_x", x), ("_connects_to_wayland", wayland)):
        double = create_autospec(getattr(display, name), return_value=answers)
        monkeypatch.setattr(display, name, double)


@pytest.mark.usefixtures("loads")
@pytest.mark.parametrize(
    ("x", "wayland", "platform"),
    [
        (True, True, "wayland;xcb"),
        (True, False, "xcb"),
        (False, True, "wayland;xcb"),
        (False, False, ""),
    ],
)
def test_a_live_wayland_display_comes_first(
    monkeypatch: pytest.MonkeyPatch, x: bool, wayland: bool, platform: str
) -> None:
    answer(monkeypatch, x, wayland)
    found = display.choose({"DISPLAY": ":98", "WAYLAND_DISPLAY": "wayland-98"})
    assert (found.platform, found.has_display) == (platform, bool(platform))
    assert bool(found.problem) is not bool(platform)


@pytest.mark.usefixtures("loads")
def test_a_platform_asked_for_is_used_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, True, True)
    both = {"DISPLAY": ":98", "WAYLAND_DISPLAY": "wayland-98"}
    assert display.choose({**both, "QT_QPA_PLATFORM": "xcb"}).platform == "xcb"
    assert display.choose({**both, "QT_QPA_PLATFORM": "xcb;wayland"}).platform == "xcb;wayland"
    assert display.choose({**both, "QT_QPA_PLATFORM": "offscreen"}).platform == "offscreen"
    assert "no display" in display.choose({"QT_QPA_PLATFORM": "xcb"}).problem


@pytest.mark.usefixtures("loads")
def test_a_plugin_that_does_not_load_gives_way(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, True, True)

    def refuse(library: str | Path) -> str:
        return "it is broken" if "wayland" in str(library) else ""

    monkeypatch.setattr(libraries, "refusal_of", refuse)
    found = display.choose({"DISPLAY": ":98", "WAYLAND_DISPLAY": "wayland-98"})
    assert found == display.Choice("xcb")


@pytest.mark.usefixtures("loads")
def test_a_display_that_is_there_and_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, False, False)
    with listening_display() as name:
        found = display.choose({"DISPLAY": name})
    assert f"DISPLAY={name} cannot be used" in found.problem


@pytest.mark.usefixtures("loads")
def test_a_display_that_stays_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "ANSWER_SECONDS", 0.01)
    answers = threading.Event()
    double = create_autospec(display._connects_to_x, side_effect=answers.wait)
    monkeypatch.setattr(display, "_connects_to_x", double)
    assert display.refusal_of("xcb")
    answers.set()


@pytest.mark.parametrize(
    "variables",
    [
        {"DISPLAY": ":98765"},
        {"DISPLAY": "127.0.0.1:59000"},
        {"DISPLAY": "nonsense"},
        {"DISPLAY": "/no/socket:0"},
        {"WAYLAND_DISPLAY": "wayland-98765"},
        {"WAYLAND_DISPLAY": "/no/socket"},
        {"WAYLAND_DISPLAY": "wayland-98765", "DISPLAY": ":98765"},
        {"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":98765"},
        {},
    ],
)
def test_a_dead_display_ends_the_program_with_one_sentence(variables: dict[str, str]) -> None:
    done = child("main.py", "--fresh", **variables)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "display" in done.stderr and "main.py run" in done.stderr
    for name in set(variables) - {"QT_QPA_PLATFORM"}:
        assert f"{name}={variables[name]}" in done.stderr


def test_a_platform_that_qt_lacks_is_tried_in_a_child() -> None:
    done = child("main.py", "--fresh", QT_QPA_PLATFORM="nonsense")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "nonsense" in done.stderr


def test_a_trial_says_what_went_wrong_or_nothing() -> None:
    code = "from engine.system.trial import start; print(repr(start({!r})))"
    done = child("-c", code.format("offscreen"))
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) >= 0
    done = child("-c", code.format("nonsense"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "nonsense" in done.stdout


def test_a_trial_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from engine.system import trial; import signal; trial.TRIAL_SECONDS = 0.1; "
        "trial._try = lambda *given: signal.pause(); print(trial.start('offscreen'))"
    )
    done = child("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "it takes too long\n", "")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (":7", "\0/tmp/.X11-unix/X7"),
        (":7.1", "/tmp/.X11-unix/X7"),
        ("unix:7", "/tmp/.X11-unix/X7"),
        ("host:7.0", ("host", 6007)),
        ("/a/b:0", "/a/b:0"),
    ],
)
def test_where_an_x_display_listens(name: str, address: object) -> None:
    assert address in [where for _, where in display._addresses("xcb", {"DISPLAY": name})]


def test_a_wayland_socket_is_found(tmp_path: Path) -> None:
    environment = {"WAYLAND_DISPLAY": "w", "XDG_RUNTIME_DIR": str(tmp_path)}
    assert not display.is_listening("wayland", environment)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "w"))
        server.listen()
        assert display.is_listening("wayland", environment)
    assert not display.is_listening("wayland", environment)  # the file stays


def test_nothing_is_tried_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display.sys, "platform", "win32")
    assert display.choose({}) == display.Choice()
    assert trial.start("windows") == 1
