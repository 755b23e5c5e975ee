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


def without_torch(*commands: list[str]) -> list[tuple[int, str]]:
    """Carry out commands; returns the status of each, and what it said on standard error."""
    done = child("-c", NO_TORCH, json.dumps(commands), QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0, done.stderr
    statuses = [json.loads(line)[1] for line in done.stdout.splitlines() if line[:2] == "[["]
    said = done.stderr.split("end\n")[:-1]
    return list(zip(statuses, said, strict=True))


WITHOUT_TORCH = [each.id for each in EXPERIMENTS if not each.listing.needs]


def test_without_torch_all_experiments_but_mnist_run(tmp_path: Path) -> None:
    runs = [
        ["run", name, "--steps", "3", "--figures", "none", "--out", str(tmp_path / name)]
        for name in WITHOUT_TORCH
    ]
    runs[WITHOUT_TORCH.index("matrix-product")] += ["--set", "ensemble=2"]
    found = without_torch(["list"], ["list", "mnist"], ["--version"], *runs)
    assert found == [(0, "")] * len(found)


def test_what_needs_torch_says_so_in_one_sentence(tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    model.touch()
    out = ["--out", str(tmp_path / "out")]
    found = without_torch(
        ["run", "mnist", "--preset", "tiny", *out],
        ["run", "matrix-product", "--set", "ensemble=2", "--device", "cuda", *out],
        ["eval", str(model)],
        ["convert", str(model), str(tmp_path / "model.pt")],
        ["download", "mnist", "--to", str(tmp_path)],
        ["screenshot", "--experiment", "mnist", *out],
    )
    for status, said in found:
        assert status == 1
        assert said.count("\n") == 1 and "torch" in said and "uv sync" in said


@pytest.mark.slow
def test_without_torch_the_window_opens_all_but_mnist() -> None:
    done = child("-c", NO_TORCH, '[["smoke"]]', QT_QPA_PLATFORM="offscreen")
    lines = done.stdout.splitlines()
    expected = {f"{name}: ok" for name in WITHOUT_TORCH} | {
        f"{name}: left out, needs torch" for name in ("mnist", "network")
    }
    assert set(lines[:-1]) == expected
    assert json.loads(lines[-1]) == [["smoke"], 0]


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
        ((1366, 768), 1.25),
        ((1440, 900), 1.5),
        ((1366, 768), 2.0),
        ((1920, 1080), 2.5),
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
