"""Which display there is for a window, found before Qt is asked: Qt ends the process without one.

Platforms are asked in the order in which they are to be used. On a system in order that costs the
loading of libraries that Qt loads anyway and one connection, a few milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.system import libraries

DISPLAYS = {"wayland": "WAYLAND_DISPLAY", "xcb": "DISPLAY"}
"""Platforms that need a display, with the variable that names it, in the order of preference."""
WITHOUT_DISPLAY = ("offscreen", "minimal")
ANSWER_SECONDS = 5.0
"""Time in which a display has to answer."""
HEADLESS = "without one, main.py run and the other commands of main.py --help work"


@dataclass(frozen=True, slots=True)
class Choice:
    """What Qt is to be asked for.

    Attributes
    ----------
    platform : str
        Value for ``QT_QPA_PLATFORM``: one platform, or more in the order in which Qt is to try
        them; empty where Qt may choose by itself.
    problem : str
        One sentence on why no window can be opened, empty if one can.
    has_display : bool
        Whether somebody could see the window, or asked for a platform by name.
    """

    platform: str = ""
    problem: str = ""
    has_display: bool = True


def choose(environment: Mapping[str, str] = os.environ) -> Choice:
    """Choose the platform for a window."""
    if not sys.platform.startswith("linux"):
        return Choice()
    if libraries.qt_folder() is None:
        return Choice(problem="The window needs PySide6, which is not installed: run uv sync.")
    asked = [name for name in environment.get("QT_QPA_PLATFORM", "").split(";") if name]
    if asked and any(name.partition(":")[0] not in DISPLAYS for name in asked):
        return _as_asked(asked)
    platforms = [name.partition(":")[0] for name in asked] or list(DISPLAYS)
    named = [name for name in platforms if is_named(name, environment)]
    if not named:
        return Choice(problem=f"There is no display for the window; {HEADLESS}.", has_display=False)
    refused = {}
    for place, name in enumerate(named):
        said = refusal_of(name)
        if not said:
            return Choice(";".join(named[place:]))  # Qt itself tries those that follow
        refused[name] = said
    return _none_of(refused, environment)


def is_named(platform: str, environment: Mapping[str, str]) -> bool:
    """Return whether the environment names a display of a platform."""
    if platform == "wayland" and environment.get("WAYLAND_SOCKET"):
        return True
    return bool(environment.get(DISPLAYS[platform]))


def refusal_of(platform: str) -> str:
    """Return why a window cannot open on a platform with a display, nothing if it can."""
    plugin = libraries.plugin_of(platform)
    if plugin is None:
        return f"Qt has no plugin {platform}"
    said = libraries.refusal_of(plugin)
    if said:
        return said
    connect = _connects_to_x if platform == "xcb" else _connects_to_wayland
    answers: list[bool] = []

    def ask() -> None:
        answers.append(connect())

    asking = threading.Thread(target=ask, name="display", daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return "" if answers == [True] else "it does not answer"


def _connects_to_x() -> bool:
    """Connect as Qt does, with the user's permission for the display."""
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return not failed


def _connects_to_wayland() -> bool:
    if os.environ.get("WAYLAND_SOCKET"):  # an open connection, of which there is only one
        return True
    if not os.path.exists(_wayland_socket(os.environ)):  # the library would say so by itself
        return False
    wayland = ctypes.CDLL("libwayland-client.so.0")
    wayland.wl_display_connect.restype = ctypes.c_void_p
    wayland.wl_display_connect.argtypes = [ctypes.c_char_p]
    wayland.wl_display_disconnect.argtypes = [ctypes.c_void_p]
    connection = wayland.wl_display_connect(None)
    if connection is None:
        return False
    wayland.wl_display_disconnect(connection)
    return True


def _wayland_socket(environment: Mapping[str, str]) -> str:
    name = environment.get("WAYLAND_DISPLAY", "")
    return str(Path(environment.get("XDG_RUNTIME_DIR") or "/nowhere", name))


def _as_asked(asked: list[str]) -> Choice:
    """Check a platform that was asked for by name and needs no display of those known."""
    name = asked[0].partition(":")[0]
    plugin = libraries.plugin_of(name)
    if plugin is not None and libraries.refusal_of(plugin):
        absent = libraries.missing(name)
        if absent:
            return Choice(problem=libraries.sentence(absent))
    if name in WITHOUT_DISPLAY and plugin is not None and len(asked) == 1:
        return Choice(";".join(asked))
    from engine.system import trial  # a process of its own takes a while

    said = trial.refusal_of(";".join(asked))
    if not said:
        return Choice(";".join(asked))
    return Choice(problem=f"Qt does not start with QT_QPA_PLATFORM={';'.join(asked)}: {said}")


def _none_of(refused: Mapping[str, str], environment: Mapping[str, str]) -> Choice:
    """Return why none of the displays named can be used: dead, or a library is missing."""
    live = [name for name in refused if is_listening(name, environment)]
    for name in live:
        absent = libraries.missing(name)
        if absent:
            return Choice(problem=libraries.sentence(absent))
    if not live:
        names = " and ".join(
            f"{DISPLAYS[name]}={environment.get(DISPLAYS[name], '')}" for name in refused
        )
        return Choice(
            problem=f"The display {names} does not answer; {HEADLESS}.", has_display=False
        )
    name = live[-1]
    display = f"{DISPLAYS[name]}={environment.get(DISPLAYS[name], '')}"
    return Choice(
        problem=f"The display {display} cannot be used ({refused[name]}); {HEADLESS}.",
        has_display=False,
    )


def is_listening(platform: str, environment: Mapping[str, str]) -> bool:
    """Return whether somebody listens at a display's socket; needs none of its libraries."""
    import socket  # a healthy start does without

    for family, address in _addresses(platform, environment):
        try:
            with socket.socket(getattr(socket, family), socket.SOCK_STREAM) as made:
                made.settimeout(ANSWER_SECONDS)
                made.connect(address)
                return True
        except (OSError, ValueError, OverflowError):
            continue
    return False


def _addresses(
    platform: str, environment: Mapping[str, str]
) -> list[tuple[str, str | tuple[str, int]]]:
    """List the sockets that a display may have, each with the name of its family."""
    name = environment.get(DISPLAYS[platform], "")
    if platform == "wayland":
        return [("AF_UNIX", _wayland_socket(environment))]
    host, _, number = name.rpartition(":")
    digits = number.partition(".")[0]
    if not digits.isascii() or not digits.isdigit():
        return []
    if name.startswith("/"):  # a socket of its own, as on macOS
        return [("AF_UNIX", name), ("AF_UNIX", name.rpartition(".")[0])]
    local = f"/tmp/.X11-unix/X{digits}"
    if host in ("", "unix"):
        return [("AF_UNIX", f"\0{local}"), ("AF_UNIX", local)]
    return [("AF_INET", (host, 6000 + int(digits))), ("AF_INET6", (host, 6000 + int(digits)))]
