"""Which package of a Linux distribution brings a library, and the command that installs it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

OS_RELEASE = (Path("/etc/os-release"), Path("/usr/lib/os-release"))
APT_LISTS = Path("/var/lib/apt/lists")


@dataclass(frozen=True, slots=True)
class Manager:
    """A package manager.

    Attributes
    ----------
    column : int
        Its place in the rows of `PACKAGES`.
    command : str
        Installs the packages whose names follow.
    """

    column: int
    command: str


APT = Manager(0, "apt-get install")
DNF = Manager(1, "dnf install")
PACMAN = Manager(2, "pacman -S")
ZYPPER = Manager(3, "zypper install")
MANAGERS: Mapping[str, Manager] = {
    "debian": APT,
    "ubuntu": APT,
    "fedora": DNF,
    "rhel": DNF,
    "arch": PACMAN,
    "opensuse": ZYPPER,
    "suse": ZYPPER,
}
"""By the identifiers that `/etc/os-release` has as ``ID`` and, of relatives, as ``ID_LIKE``."""

_X = ("libxcb1", "libxcb", "libxcb", "libxcb1")
PACKAGES: Mapping[str, tuple[str, str, str, str]] = {
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd", "libglvnd"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd", "libglvnd"),
    "libX11.so.6": ("libx11-6", "libX11", "libx11", "libX11-6"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb", "libx11", "libX11-xcb1"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus", "libdbus-1-3"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig", "libfontconfig1"),
    "libfreetype.so.6": ("libfreetype6", "freetype", "freetype2", "libfreetype6"),
    "libgcc_s.so.1": ("libgcc-s1", "libgcc", "gcc-libs", "libgcc_s1"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libglib-2_0-0"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2", "glib2", "libgthread-2_0-0"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++", "gcc-libs", "libstdc++6"),
    "libwayland-client.so.0": (
        "libwayland-client0",
        "libwayland-client",
        "wayland",
        "libwayland-client0",
    ),
    "libwayland-cursor.so.0": (
        "libwayland-cursor0",
        "libwayland-cursor",
        "wayland",
        "libwayland-cursor0",
    ),
    "libxcb.so.1": _X,
    "libxcb-cursor.so.0": (
        "libxcb-cursor0",
        "xcb-util-cursor",
        "xcb-util-cursor",
        "libxcb-cursor0",
    ),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm", "libxcb-icccm4"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image", "libxcb-image0"),
    "libxcb-keysyms.so.1": (
        "libxcb-keysyms1",
        "xcb-util-keysyms",
        "xcb-util-keysyms",
        "libxcb-keysyms1",
    ),
    "libxcb-randr.so.0": ("libxcb-randr0", *_X[1:3], "libxcb-randr0"),
    "libxcb-render.so.0": ("libxcb-render0", *_X[1:3], "libxcb-render0"),
    "libxcb-render-util.so.0": (
        "libxcb-render-util0",
        "xcb-util-renderutil",
        "xcb-util-renderutil",
        "libxcb-render-util0",
    ),
    "libxcb-shape.so.0": ("libxcb-shape0", *_X[1:3], "libxcb-shape0"),
    "libxcb-shm.so.0": ("libxcb-shm0", *_X[1:3], "libxcb-shm0"),
    "libxcb-sync.so.1": ("libxcb-sync1", *_X[1:3], "libxcb-sync1"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util", "xcb-util", "libxcb-util1"),
    "libxcb-xfixes.so.0": ("libxcb-xfixes0", *_X[1:3], "libxcb-xfixes0"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", *_X[1:3], "libxcb-xkb1"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon", "libxkbcommon0"),
    "libxkbcommon-x11.so.0": (
        "libxkbcommon-x11-0",
        "libxkbcommon-x11",
        "libxkbcommon-x11",
        "libxkbcommon-x11-0",
    ),
    "libz.so.1": ("zlib1g", "zlib", "zlib", "libz1"),
    "libzstd.so.1": ("libzstd1", "libzstd", "zstd", "libzstd1"),
}
"""Packages of Debian and Ubuntu, Fedora, Arch and openSUSE, by the name of the library."""
EVERYWHERE = ("libgcc_s.so.1", "libstdc++.so.6", "libz.so.1", "libzstd.so.1")
"""Libraries of `PACKAGES` that every installed system has."""


def manager(release: str | None = None) -> Manager | None:
    """Return the package manager of a system; None where it is none of those known.

    Parameters
    ----------
    release : str, optional
        Content of its `/etc/os-release`; by default that of this system.
    """
    values = _read_release(release if release is not None else _own_release())
    likely = [values.get("ID", ""), *values.get("ID_LIKE", "").split()]
    for name in likely:
        for known, found in MANAGERS.items():
            if name == known or name.startswith(f"{known}-"):  # opensuse-leap, -tumbleweed
                return found
    return None


def system_name() -> str:
    """Return the name of this system as it calls itself; empty where it has none."""
    return _read_release(_own_release(), lower=False).get("PRETTY_NAME", "")


def _own_release() -> str:
    for path in OS_RELEASE:
        try:
            return path.read_text("utf-8", "replace")
        except OSError:
            continue
    return ""


def _read_release(text: str, *, lower: bool = True) -> dict[str, str]:
    values = {}
    for line in text.splitlines():
        name, _, value = line.strip().partition("=")
        try:
            read = " ".join(shlex.split(value))
        except ValueError:  # an open quote
            continue
        values[name] = read.lower() if lower else read
    return values


def package_of(library: str, to: Manager) -> str:
    """Return the package that brings a library; of an unknown library a name by custom.

    Debian and openSUSE name packages after the library and its version; dnf takes the library
    itself, as something that packages provide.
    """
    if library in PACKAGES:
        return PACKAGES[library][to.column]
    stem, _, version = library.partition(".so")
    if to is DNF:
        return f"{library}()(64bit)"
    if to is PACMAN:
        return stem.lower()
    number = version.strip(".")
    glue = "-" if stem[-1:].isdigit() and number else ""
    name = f"{stem}{glue}{number}"
    return re.sub(r"[^a-z0-9.+-]", "-", name.lower()) if to is APT else name.replace(".", "_")


def command(libraries: Iterable[str], to: Manager, *, root: bool = False) -> str:
    """Return the one command that installs what brings the given libraries."""
    names = dict.fromkeys(package_of(library, to) for library in libraries)
    sudo = "" if root else "sudo "
    return f"{sudo}{to.command} {' '.join(shlex.quote(name) for name in names)}"


def command_here(libraries: Iterable[str]) -> str:
    """Return the command for this system; empty where its package manager is not known.

    On a system that has not asked its archive for packages yet, apt does so first.
    """
    to = manager()
    if to is None:
        return ""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    text = command(libraries, to, root=root)
    if to is APT and not any(APT_LISTS.glob("*Packages*")):
        return f"{'' if root else 'sudo '}apt-get update && {text}"
    return text
