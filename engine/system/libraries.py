"""The libraries of the system that Qt stands on: which of them are missing, all at once.

Nothing here imports Qt. Its own message names one missing library at a time, and of a platform
plugin that cannot be loaded always the same one, whichever it is.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

MODULES = ("QtCore", "QtGui", "QtWidgets")
"""The modules of Qt that the program imports."""
MOST_NAMED = 3
"""Libraries named beside the command that installs them."""
WITH_WAYLAND = "plugins/wayland-shell-integration/libxdg-shell.so"
"""The plugin without which the Wayland platform opens no window."""


def qt_folder() -> Path | None:
    """Return the folder of PySide6; None where it is not installed."""
    try:
        found = find_spec("PySide6")
    except (ImportError, ValueError):
        return None
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations)))


def plugin_of(platform: str) -> Path | None:
    """Return the file of a platform plugin such as ``xcb``; None where there is none."""
    named = os.environ.get("QT_QPA_PLATFORM_PLUGIN_PATH", "").split(os.pathsep)
    own = qt_folder()
    folders = [Path(name) for name in named if name]
    if own is not None:
        folders += [own / "Qt" / "plugins" / "platforms", own / "plugins" / "platforms"]
    found = (folder / f"libq{platform}.so" for folder in folders)
    return next((path for path in found if path.is_file()), None)


def refusal_of(library: str | Path) -> str:
    """Load a library; returns what the system's loader says against it, nothing if it loads."""
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return " ".join(str(error).split())
    return ""


def missing(platform: str) -> list[str]:
    """List the libraries that Qt and a platform plugin need and the system does not have.

    Returns
    -------
    list of str
        Names such as ``libxcb-cursor.so.0``; a library that is there and cannot be loaded counts
        as missing, with those that it itself waits for.
    """
    if not sys.platform.startswith("linux"):
        return []
    folder, plugin = qt_folder(), plugin_of(platform)
    roots = [] if folder is None else [p for m in MODULES for p in folder.glob(f"{m}.*so")]
    if plugin is not None:
        roots.append(plugin)
        if platform == "wayland":
            roots.append(plugin.parents[1].parent / WITH_WAYLAND)
    absent: dict[str, None] = {}
    for library in sorted(needed(roots)):
        said = refusal_of(library)
        if said:
            absent[culprit(said, library)] = None
    return list(absent)


def culprit(said: str, library: str) -> str:
    """Name the library that the loader did not find: the one asked for or one that it needs."""
    first = said.partition(":")[0].rpartition("/")[2]
    return first if ".so" in first else library


def needed(roots: Iterable[Path]) -> set[str]:
    """Return the names of all libraries of the system that files and what they bring along need.

    A library that lies in a folder that the files name themselves is followed in turn.
    """
    from engine.system import elf  # a system in order does without

    names: set[str] = set()
    seen: set[Path] = set()
    work = list(roots)
    while work:
        path = work.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            found = elf.read(path)
        except (OSError, ValueError):
            continue
        for name in found.needed:
            beside = next((f / name for f in found.folders if (f / name).is_file()), None)
            if beside is None:
                names.add(name)
            else:
                work.append(Path(os.path.normpath(beside)))
    return names


def sentence(absent: Iterable[str]) -> str:
    """Return one sentence on what is missing, with the command that installs it."""
    names = list(absent)
    from engine.system import packages

    count = f"{len(names)} more system {'library' if len(names) == 1 else 'libraries'}"
    command = packages.command_here(names)
    if command and len(names) > MOST_NAMED:
        return f"The window needs {count}; install them with: {command}"
    listed = ", ".join(names)
    if command:
        return f"The window needs {count} ({listed}); install with: {command}"
    return f"The window needs {count}, from the packages of your system: {listed}."
