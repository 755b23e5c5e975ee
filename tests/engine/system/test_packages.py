"""Libraries and the packages that bring them, on four families of distributions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.system import libraries, packages
from engine.system.packages import APT, DNF, PACMAN, ZYPPER, Manager

README = Path(__file__).parents[3] / "README.md"
OF_THE_SYSTEM = re.compile(r"(ld-linux.*|lib(c|m|dl|rt|pthread|resolv))\.so\.\d+")
"""Libraries of the C library itself, without which Python does not start."""


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("ID=debian\nVERSION_ID=12", APT),
        ('ID=ubuntu\nID_LIKE="debian"', APT),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"', APT),
        ("NAME=Fedora\nID=fedora", DNF),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', DNF),
        ("ID=arch", PACMAN),
        ("ID=manjaro\nID_LIKE=arch", PACMAN),
        ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', ZYPPER),
        ('ID="opensuse-leap"', ZYPPER),
        ("ID=sled\nID_LIKE='suse'", ZYPPER),
        ("ID=nixos", None),
        ("", None),
        ('ID="debian', None),
    ],
)
def test_a_distribution_has_its_package_manager(release: str, expected: Manager | None) -> None:
    assert packages.manager(release) is expected


@given(st.text())
def test_any_release_file_is_read(text: str) -> None:
    packages.manager(text)


def test_the_table_has_exactly_what_qt_needs() -> None:
    folder = libraries.qt_folder()
    assert folder is not None
    roots = [path for module in libraries.MODULES for path in folder.glob(f"{module}.*so")]
    for platform in ("xcb", "wayland", "offscreen"):
        plugin = libraries.plugin_of(platform)
        assert plugin is not None
        roots.append(plugin)
    roots.append(folder / "Qt" / libraries.WITH_WAYLAND)
    assert all(root.is_file() for root in roots)
    needed = {name for name in libraries.needed(roots) if not OF_THE_SYSTEM.fullmatch(name)}
    assert set(packages.PACKAGES) == needed


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (APT, "sudo apt-get install libegl1 libxcb-icccm4"),
        (DNF, "sudo dnf install libglvnd-egl xcb-util-wm"),
        (PACMAN, "sudo pacman -S libglvnd xcb-util-wm"),
        (ZYPPER, "sudo zypper install libglvnd libxcb-icccm4"),
    ],
)
def test_one_command_installs_all(to: Manager, expected: str) -> None:
    names = ["libEGL.so.1", "libxcb-icccm.so.4", "libEGL.so.1"]
    assert packages.command(names, to) == expected
    assert packages.command(names, to, root=True) == expected.removeprefix("sudo ")


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (APT, "libnew2-1"),
        (DNF, "'libnew2.so.1()(64bit)'"),
        (PACMAN, "libnew2"),
        (ZYPPER, "libnew2-1"),
    ],
)
def test_a_library_of_a_later_qt_has_its_customary_package(to: Manager, expected: str) -> None:
    assert packages.command(["libnew2.so.1"], to).endswith(f" {expected}")


@pytest.mark.parametrize("to", [APT, DNF, PACMAN, ZYPPER])
def test_the_readme_has_the_command_of_each_system(to: Manager) -> None:
    text = " ".join(README.read_text("utf-8").replace("\\\n", " ").split())
    names = sorted(set(packages.PACKAGES) - set(packages.EVERYWHERE))
    assert packages.command(names, to) in text


def test_without_lists_apt_asks_its_archive_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    release = tmp_path / "os-release"
    release.write_text("ID=debian")
    monkeypatch.setattr(packages, "OS_RELEASE", (tmp_path / "none", release))
    monkeypatch.setattr(packages, "APT_LISTS", tmp_path)
    assert "apt-get update && " in packages.command_here(["libz.so.1"])
    (tmp_path / "some_Packages").touch()
    assert "update" not in packages.command_here(["libz.so.1"])
    release.write_text("ID=nixos")
    assert packages.command_here(["libz.so.1"]) == ""
