"""The program on machines that lack something: fonts, torch, a home, room on the screen."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from engine.experiments import EXPERIMENTS
from tests.hidden import ROOT, child, hide

FONTS = """
import sys
from gui.app.application import application
app = application()
from PySide6.QtGui import QFontDatabase, QFontInfo
print(len(QFontDatabase.families()), QFontInfo(app.font()).family())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there are fonts")
def test_without_fonts_those_of_matplotlib_are_used(tmp_path: Path) -> None:
    (tmp_path / "fonts").mkdir()
    config = tmp_path / "fonts.conf"
    config.write_text(
        f"<fontconfig><dir>{tmp_path / 'fonts'}</dir>"
        f"<cachedir>{tmp_path / 'cache'}</cachedir></fontconfig>"
    )
    done = child("-c", FONTS, QT_QPA_PLATFORM="offscreen", FONTCONFIG_FILE=str(config))
    assert done.returncode == 0, done.stderr
    count, _, family = done.stdout.strip().partition(" ")
    assert int(count) > 0
    assert family == "DejaVu Sans"


NO_TORCH = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "torchvision"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
import json
from main import main

for command in json.loads(sys.argv[1]):
    status = main(command)
    print(json.dumps([command[:2], status]), flush=True)
    print("end", file=sys.stderr, flush=True)
"""
"""Carries out command lines where torch cannot be imported, and prints the status of each."""


WITHOUT_TORCH = [each.id for each in EXPERIMENTS if not each.listing.needs]


def that_run(folder: Path) -> list[list[str]]:
    runs = [
        ["run", name, "--steps", "3", "--figures", "none", "--out", str(folder / name)]
        for name in WITHOUT_TORCH
    ]
    runs[WITHOUT_TORCH.index("matrix-product")] += ["--set", "ensemble=2"]
    return [["list"], ["list", "mnist"], ["--version"], *runs]


def that_need_torch(folder: Path) -> list[list[str]]:
    model, out = folder / "model.safetensors", ["--out", str(folder / "out")]
    model.touch()
    return [
        ["run", "mnist", "--preset", "tiny", *out],
        ["run", "matrix-product", "--set", "ensemble=2", "--device", "cuda", *out],
        ["eval", str(model)],
        ["convert", str(model), str(folder / "model.pt")],
        ["download", "mnist", "--to", str(folder)],
        ["screenshot", "--experiment", "mnist", *out],
    ]


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str, list[str]]]:
    """Carry out commands, the window's smoke test last, in one process that has no torch.

    Returns the status of each, what it said on standard error, and the lines that it printed.
    """
    folder = tmp_path_factory.mktemp("without_torch")
    commands = [*that_run(folder), *that_need_torch(folder), ["smoke"]]
    done = child("-c", NO_TORCH, json.dumps(commands), QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0, done.stderr
    said, found, printed = done.stderr.split("end\n")[:-1], [], []
    for line in done.stdout.splitlines():
        if line[:2] == "[[":
            found.append((json.loads(line)[1], said[len(found)], printed))
            printed = []
        else:
            printed.append(line)
    assert len(found) == len(commands)
    return found


def test_without_torch_all_experiments_but_mnist_run(
    tmp_path: Path, without_torch: list[tuple[int, str, list[str]]]
) -> None:
    for status, said, _ in without_torch[: len(that_run(tmp_path))]:
        assert (status, said) == (0, "")


def test_what_needs_torch_says_so_in_one_sentence(
    tmp_path: Path, without_torch: list[tuple[int, str, list[str]]]
) -> None:
    for status, said, _ in without_torch[len(that_run(tmp_path)) : -1]:
        assert status == 1
        assert said.count("\n") == 1 and "torch" in said and "uv sync" in said


def test_without_torch_the_window_opens_all_but_mnist(
    without_torch: list[tuple[int, str, list[str]]],
) -> None:
    status, _, printed = without_torch[-1]
    expected = {f"{name}: ok" for name in WITHOUT_TORCH} | {
        f"{name}: left out, needs torch" for name in ("mnist", "network")
    }
    assert (status, set(printed)) == (0, expected)


SIZES = """
import sys
from gui.app.application import application
app = application()
from PySide6.QtCore import QPoint
from gui.app.drive import Driver
driver = Driver(0, 0)
window = driver.window
driver.open(sys.argv[1])
driver.run(3)
driver.settle(0.3)
room = window.screen().availableSize()
transport = window.transport
end = transport.mapTo(window, QPoint(transport.width(), transport.height()))
needs = transport.minimumSizeHint()
print(room.width(), room.height(), window.width(), window.height(), end.x(), end.y())
print(transport.width() >= needs.width(), transport.height() >= needs.height())
header = window.header
print(header.title.width() >= header.title.sizeHint().width(), header.summary.isHidden())
driver.close()
"""


@pytest.mark.parametrize(
    ("screen", "scale"),
    [
        ((1366, 768), 1.0),
        ((1440, 900), 1.5),
        ((1366, 768), 2.0),
        ((1920, 1080), 3.0),
    ],
)
def test_the_window_fits_the_screen(tmp_path: Path, screen: tuple[int, int], scale: float) -> None:
    width, height = screen
    config = tmp_path / "screens.json"
    described = {"name": "a", "x": 0, "y": 0, "width": width, "height": height, "dpr": 1}
    described |= {"logicalDpi": 96, "logicalBaseDpi": 96}
    config.write_text(json.dumps({"screens": [described]}))
    done = child(
        "-c",
        SIZES,
        "scalar-product",
        QT_QPA_PLATFORM=f"offscreen:configfile={config}",
        QT_SCALE_FACTOR=str(scale),
    )
    assert done.returncode == 0, done.stderr
    sizes, whole, title = (line.split() for line in done.stdout.splitlines())
    room_x, room_y, window_x, window_y, end_x, end_y = map(int, sizes)
    assert abs(room_x - width / scale) <= 1 and abs(room_y - height / scale) <= 1
    assert window_x <= room_x and window_y <= room_y
    assert end_x <= window_x and end_y <= window_y
    assert whole == ["True", "True"]
    assert title[0] == "True" or title[1] == "True"


def test_without_a_home_commands_work(tmp_path: Path) -> None:
    nowhere = "/proc/nowhere"
    places = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    out = str(tmp_path / "out")
    done = child(
        str(ROOT / "main.py"),
        "run",
        "least-squares",
        "--steps",
        "3",
        "--figures",
        "none",
        "--out",
        out,
        **dict.fromkeys(places, nowhere),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "run.json").is_file()


def test_a_machine_without_xcb_draws_offscreen(tmp_path: Path) -> None:
    hidden = hide(tmp_path / "hidden", "libxcb-cursor.so.0")
    done = child("main.py", "--fresh", "--startup-time", hidden=hidden)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("window visible")
