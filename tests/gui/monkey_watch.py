"""What must hold whatever a user does: no error anywhere, and one truth on all panels."""

from __future__ import annotations

import re
import sys
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QLabel

from engine.run.snapshot import Snapshot, Status
from gui.widgets.number_box import parse_count
from gui.window.main_window import MainWindow
from gui.window.status import _WORDS
from gui.window.transport import SCRUB_POSITIONS

HARMLESS = (
    "This plugin does not support",  # offscreen has no frames
    "Populating font family aliases",
    "Mouse event ",  # the test library of Qt tells of a drag out of a window,
    "Keyboard event not accepted",  # and of a key that nothing has a use for
)
MOST_WINDOWS = 100
"""Windows of one kind and title, hidden ones included."""
NO_NUMBER = re.compile(r"(?<![\w'-])(nan|inf|None|Traceback|<built-in|object at 0x\w+)(?!\w)")
"""What no label may say of its own: it is Python's. What a user typed is quoted."""


class Errors:
    """Everything that went wrong and was told to nobody: exceptions, warnings, Qt's messages."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Collect errors of all threads meanwhile."""
        before = sys.excepthook, threading.excepthook, sys.unraisablehook, warnings.showwarning
        sys.excepthook = self._on_exception
        threading.excepthook = lambda args: self._add("thread", args.exc_value)
        sys.unraisablehook = lambda args: self._add(f"unraisable {args.object}", args.exc_value)
        warnings.showwarning = lambda message, *rest, **more: self.found.append(
            f"warning: {message!r} {rest[:3]}"
        )
        handler = qInstallMessageHandler(self._on_message)
        try:
            yield
        finally:
            qInstallMessageHandler(handler)
            sys.excepthook, threading.excepthook, sys.unraisablehook = before[:3]
            warnings.showwarning = before[3]

    def _on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        self.found.append("".join(traceback.format_exception(kind, error, trace)))

    def _add(self, where: str, error: BaseException | None) -> None:
        text = "" if error is None else "".join(traceback.format_exception(error))
        self.found.append(f"{where}: {text}")

    def _on_message(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        told = kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        if not told and not text.startswith(HARMLESS):
            self.found.append(f"Qt: {text}")


def faults(window: MainWindow) -> list[str]:
    """List what is wrong in a window that has shown all there is to show."""
    found = [f"engine thread is dead: {window.bridge.engine._thread}"]
    if window.bridge.engine._thread.is_alive():
        found.clear()
    if not window.bridge._timer.isActive():
        found.append("nobody looks for pictures any more")
    found += _windows()
    found += _texts()
    control, shown = window.control, window.control.snapshot
    if window.switching.is_pending or not control.has_experiment:
        return found
    found += _of_settings(window)
    if shown is not None and not control.is_beginning:
        if shown.status is Status.FAILED:
            found.append(f"the run failed: {shown.error}")
        elif shown.status not in (Status.RUNNING, Status.COMPILING, Status.IDLE):
            found += _of_rest(window, shown)
    return found


def _windows() -> list[str]:
    kinds = Counter(
        f"{type(w).__name__} {w.windowTitle()!r}" for w in QApplication.topLevelWidgets()
    )
    many = [f"{count} × {kind}" for kind, count in kinds.items() if count > MOST_WINDOWS]
    return [f"too many windows: {', '.join(many)}"] if many else []


def _texts() -> list[str]:
    found = []
    for top in QApplication.topLevelWidgets():
        if not top.isVisible():
            continue
        for label in top.findChildren(QLabel):
            if label.isVisible() and NO_NUMBER.search(label.text()):
                found.append(f"a label says {label.text()!r}")
    return found


def _of_settings(window: MainWindow) -> list[str]:
    control, form = window.control, window.panels.form
    found = []
    if form.params != control.params and not form._drafts.moving:
        found.append(f"the form has {form.params}, in force is {control.params}")
    if form.seed != control.seed:
        found.append(f"the form has seed {form.seed}, in force is {control.seed}")
    if control.experiment.title not in window.windowTitle():
        found.append(f"{control.experiment.id} is open under the title {window.windowTitle()!r}")
    if window.transport.speed != window.bridge._speed:
        found.append(f"speed {window.transport.speed} is shown, {window.bridge._speed} in force")
    return found


def _of_rest(window: MainWindow, shown: Snapshot) -> list[str]:
    """Compare what the panels say of a resting run with the run."""
    control, transport, status = window.control, window.transport, window.status
    run = window.bridge.engine._run
    found = []

    def same(what: str, has: Any, should: Any) -> None:
        if has != should:
            found.append(f"{what} is {has!r}, and should be {should!r}")

    same("experiment of the picture", shown.experiment, control.experiment.id)
    same("status in the bar", status.state.text(), _WORDS[shown.status])
    same("seed of the run", shown.seed, control.seed)
    if run is not None:
        same("status of the run", run.status, shown.status)
        same("step of the picture", shown.step, run.session.step)
    if shown.cursor > shown.step:
        found.append(f"step {shown.cursor} of {shown.step} is shown")
    if not transport.cursor_box.isModified():
        same("k", parse_count(transport.cursor_box.text()), shown.cursor)
    if not transport.scrub.isSliderDown() and transport._pending is None:
        same("end of the scrub bar", transport.scrub.maximum(), min(shown.step, SCRUB_POSITIONS))
    ended = shown.status is Status.FINISHED and shown.is_live
    same("play button", transport.play_button.text(), "Play again" if ended else "Play")
    same("progress bar's visibility", status.progress.isVisible(), shown.progress is not None)
    if shown.is_live:
        same("parameters of the run", shown.params, control.params)
    return found
