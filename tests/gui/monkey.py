"""A random user: `python -m tests.gui.monkey --seed 1 --actions 5000`.

Every action is chosen by a generator made of the seed and the action's number alone; what is on
the screen then, and so what is hit, may also depend on how far a run has come. A failure prints
the seed and what was done last.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from engine.core.errors import LabError
from engine.experiments import EXPERIMENTS
from engine.experiments.mnist import datasets
from gui.app.application import application
from gui.app.drive import wait_until
from gui.run import process
from gui.settings import Settings
from gui.window.main_window import MainWindow
from tests.gui.monkey_acts import Acts
from tests.gui.monkey_hands import Eyes, Hands
from tests.gui.monkey_watch import Errors, faults

DEAF_SECONDS = 300.0
"""An engine that says nothing for so long is taken to hang."""
BEAT_SECONDS = 0.002
FEWEST_ROUNDS, MOST_ROUNDS = 2, 6
"""How often the engine is asked: its picture of a command comes after its answer."""
PATIENCE_SHARES = (0.05, 0.1, 0.2, 1.0)
"""Most long jobs are cancelled soon, some have the time to end."""
LAST = 20
REOPENED = 0.003
"""How often the window is closed and opened again instead of an action."""


class Monkey(Acts):
    """Does one random thing after another in a window, and looks whether it still holds.

    Parameters
    ----------
    seed : int
    folder : Path
        For settings and all files.
    only : sequence of str
        Experiments that are opened; all if empty.
    patience : float
        Seconds that a long job may take at most before it is cancelled.
    """

    def __init__(
        self, seed: int, folder: Path, only: Sequence[str] = (), patience: float = 3.0
    ) -> None:
        self.seed = seed
        self._patience = patience
        self.folder = folder
        self.random = Random(seed)
        self.errors = Errors()
        self.hands = Hands(self.random)
        self.done: deque[str] = deque(maxlen=LAST)
        self.slowest: list[tuple[float, str]] = []
        self._experiments = [listed for listed in EXPERIMENTS if not only or listed.id in only]
        self._open()

    def _open(self) -> None:
        settings = Settings(self.folder / "settings.ini")
        self.window = MainWindow(settings, experiments=self._experiments)
        self.eyes = Eyes(self.random, self.window)
        self.window.bridge.failed.connect(self.errors.found.append)
        self.window.restore()
        self.window.resize(1280, 800)
        self.window.show()
        self.window.begin()
        self.window.actions_by_name["quit"].setEnabled(False)

    def reopen(self) -> str:
        """End the program, and start it again with what it kept."""
        self.close()
        self._open()
        return "close the window and open it again"

    def act(self, number: int) -> None:
        """Do the action of this number."""
        self.random = self.hands.random = self.eyes.random = Random(f"{self.seed} {number}")
        self.hands.answers.clear()
        begin = time.monotonic()
        dialog, popup = self.file_dialog(), QApplication.activePopupWidget()
        if dialog is not None:
            what = self.answer_file_dialog(dialog)
        elif isinstance(popup, QMenu):
            self.hands.answer_menu(popup)
            what = "answered"
        elif self.random.random() < REOPENED:
            what = self.reopen()
        else:
            what = self.random.choice(self.choices())()
        said = ", ".join(self.hands.answers)
        self.done.append(f"{number}: {what}{' → ' + said if said else ''}")
        QCoreApplication.processEvents()
        self._note(time.monotonic() - begin, self.done[-1])

    def _note(self, seconds: float, what: str) -> None:
        self.slowest = sorted([*self.slowest, (seconds, what)], reverse=True)[:10]

    def check(self) -> None:
        """Fail if something is wrong, once the engine has done what it was asked for."""
        begin = time.monotonic()
        self.catch_up()
        self._note(time.monotonic() - begin, f"engine after {self.done[-1]}")
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        wrong = self.errors.found or faults(self.window)
        if wrong:
            told = "\n".join((f"seed {self.seed}:", *wrong, "after", *self.done))
            raise AssertionError(told)

    def catch_up(self) -> None:
        """Wait until the engine has obeyed, and show its newest picture.

        What is shown may lead to a new run and to another question, so that it is asked again until
        nothing comes; of a run that goes on there is always more.
        """
        asks = self.window.transport._seek_timer  # a scrubbed step is asked for a little later
        wait_until(lambda: not asks.isActive(), DEAF_SECONDS)
        bridge, control = self.window.bridge, self.window.control
        for number in range(MOST_ROUNDS):
            self._await_engine()
            has_news = not bridge._answers.empty()
            while bridge.poll():
                has_news = True
                if control.is_running:
                    break
            QCoreApplication.processEvents()
            waits = bridge._gate.held or (has_news and not control.is_running)
            if number >= FEWEST_ROUNDS - 1 and not waits:
                return

    def _await_engine(self) -> None:
        """Wait until the engine has done all it was asked for, or cancel what takes long."""
        obeyed = threading.Event()
        self.window.bridge.engine._send(obeyed.set)
        patience = self._patience * self.random.choice(PATIENCE_SHARES)
        begin, cancelled = time.monotonic(), False
        while not obeyed.wait(BEAT_SECONDS):
            QCoreApplication.processEvents()
            waited = time.monotonic() - begin
            if not cancelled and waited > patience:
                self.window.bridge.cancel()
                cancelled = True
            if waited > DEAF_SECONDS:
                self.errors.found.append("the engine does not answer")
                return

    def close(self) -> None:
        """Close the window and what stands beside it."""
        for top in QApplication.topLevelWidgets():
            if top is not self.window and top.isVisible():
                top.close()
        self.window.close()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


@contextmanager
def tamed(monkey: Monkey) -> Iterator[None]:
    """Let static dialogs be answered at once, and nothing be fetched or opened elsewhere."""

    def no_network(name: str, *rest: Any, progress: Any = None, **more: Any) -> Path:
        for part in range(5):
            if progress is not None and not progress(part / 5, "Downloading"):
                raise LabError("Cancelled.")
        raise LabError("There is no network.")

    replaced: list[tuple[Any, str, Any]] = [
        (QFileDialog, "getSaveFileName", monkey.new_path),
        (QFileDialog, "getOpenFileName", monkey.old_path),
        (QFileDialog, "getExistingDirectory", monkey.new_folder),
        (datasets, "download", no_network),
    ]
    with ExitStack() as stack:
        for owner, name, instead in replaced:
            stack.enter_context(patch.object(owner, name, instead))
        data = str(monkey.folder / "data")  # checkpoints
        stack.enter_context(patch.dict(os.environ, XDG_DATA_HOME=data))
        stack.enter_context(monkey.errors.caught())
        yield


def main() -> None:
    """Run one monkey, and say what it found and what took longest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--faults", type=int, default=1, help="ends with so many")
    options = parser.parse_args()
    application()
    folder = Path(tempfile.mkdtemp(prefix="monkey"))
    monkey = Monkey(options.seed, folder, tuple(options.only))
    begin, found, number = time.monotonic(), 0, 0
    asked = threading.Event()  # to end; an interrupt within a paint would leave Qt in parts
    signal.signal(signal.SIGINT, lambda *_: asked.set())
    try:
        with tamed(monkey):
            for number in range(options.actions):
                try:
                    monkey.act(number)
                    monkey.check()
                except Exception:
                    found += 1
                    traceback.print_exc()
                    monkey.errors.found.clear()
                    if found == options.faults:
                        break
                if asked.is_set():
                    break
                if number % 100 == 0:
                    print(number, process.resident_bytes(), flush=True)
    finally:
        for seconds, what in monkey.slowest:
            print(f"{seconds:6.2f} s  {what}")
        memory = process.resident_bytes() / 2**20
        monkey.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"seed {options.seed}: {number + 1} actions, {found} faults, "
        f"{time.monotonic() - begin:.0f} s, {time.process_time():.0f} s of processor time, "
        f"{memory:.0f} MB"
    )
    sys.exit(found > 0)


if __name__ == "__main__":
    faulthandler.enable()
    main()
