"""The program ends at any moment it is asked to, with its settings saved."""

from __future__ import annotations

import os
import random
import selectors
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLAY = """
import sys
from PySide6.QtCore import QTimer
from gui.app import application as app
from gui.window.main_window import MainWindow

restore, begin = MainWindow.restore, MainWindow.begin

def look(window, **options):
    restore(window, **options)
    print("restored", flush=True)

def play(window, run=True):
    print("loaded", flush=True)
    begin(window, run)
    window.control.toggle_play()
    print("playing", flush=True)

MainWindow.restore, MainWindow.begin = look, play
sys.exit(app.run([]))
"""
SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"]
MOMENTS = (
    ("restored", 0.0),
    ("restored", 0.8),
    ("loaded", 0.5),
    ("playing", 0.0),
    ("playing", 2.0),
)
"""What the child said last, and the longest time after that, in seconds."""
CASES = [
    (moment, SIGNALS[index % 3], random.Random(index).uniform(0.0, latest))
    for index, (moment, latest) in enumerate(MOMENTS)
]
SECONDS = 120.0
"""Longer than the slowest machine needs to import all and compile a kernel."""


def wait_for(child: subprocess.Popen[bytes], word: str) -> None:
    """Read the child's output until it says a word."""
    assert child.stdout is not None
    said = b""
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        while word.encode() not in said:
            assert ready.select(SECONDS), f"only {said!r}"
            block = os.read(child.stdout.fileno(), 1000)
            assert block, f"it ended after {said!r}"
            said += block


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "name", "after"), CASES)
def test_it_ends_whenever_it_is_asked_to(
    tmp_path: Path, moment: str, name: str, after: float
) -> None:
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    with subprocess.Popen(
        [sys.executable, "-c", PLAY], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    ) as child:
        try:
            wait_for(child, moment)
            try:
                child.wait(after)
            except subprocess.TimeoutExpired:
                child.send_signal(getattr(signal, name))
            assert child.wait(SECONDS) == 0
        finally:
            child.kill()
    settings = tmp_path / "lyapunov-lab" / "settings.ini"
    assert "geometry=" in settings.read_text("utf-8")


BUSY = """
import os, signal
from PySide6.QtCore import QCoreApplication
from gui.app import ending

ending.INSIST_SECONDS = 0.05
app = QCoreApplication([])
requests = ending.EndRequests()

def save_and_end():
    print("saved", flush=True)
    ending.end_at_once(0)

requests.watch(lambda: print("in order", flush=True), save_and_end)
os.kill(os.getpid(), signal.SIGTERM)
while True:
    pass
"""
STUCK = """
import atexit, sys, threading
from gui.app import ending

atexit.register(print, "taken down")
if sys.argv[1] != "none":
    is_daemon = sys.argv[1] == "daemon"
    threading.Thread(target=threading.Event().wait, name=sys.argv[2], daemon=is_daemon).start()
sys.exit(ending.leave(3))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_a_window_that_is_busy_for_long_ends_all_the_same() -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUSY], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "saved\n", "")


@pytest.mark.parametrize("name", ["loader", "engine-analyst", "any other"])
@pytest.mark.parametrize("kind", ["daemon", "waited for", "none"])
def test_no_thread_that_cannot_be_stopped_holds_up_the_end(kind: str, name: str) -> None:
    """Nor is anything taken down under it."""
    done = subprocess.run(
        [sys.executable, "-c", STUCK, kind, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    said = "taken down\n" if kind == "none" else ""
    assert (done.returncode, done.stdout, done.stderr) == (3, said, "")


DRAWING = """
import os, signal, sys
import main

def paint(window, event):
    print("painting", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("still painting", flush=True)

from gui.window.main_window import MainWindow
MainWindow.paintEvent = paint
sys.exit(main.main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C is no signal there")
@pytest.mark.parametrize("command", [["smoke"], ["screenshot", "--out", "pictures"]])
def test_a_command_that_draws_ends_when_it_is_interrupted_while_painting(
    tmp_path: Path, command: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRAWING, *command],
        cwd=tmp_path,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "painting\n", "stopped\n")
