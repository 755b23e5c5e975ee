"""A guard that names whoever touches a Qt object on another thread than the object's own.

Qt does not check this, but for a warning now and then; what goes wrong is seen much later. Watched
are the calls below, made from Python, and Python's collection of garbage, which destroys whatever
Qt objects it finds on the thread it runs on.
"""

from __future__ import annotations

import functools
import gc
import threading
import traceback
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QThread, QTimer
from PySide6.QtWidgets import QLabel, QWidget
from shiboken6 import isValid

WATCHED: tuple[tuple[type[QObject], tuple[str, ...]], ...] = (
    (QObject, ("setParent", "deleteLater", "startTimer", "killTimer", "installEventFilter")),
    (QTimer, ("start", "stop", "setInterval")),
    (QWidget, ("show", "hide", "close", "update", "setEnabled", "setVisible", "setToolTip")),
    (QLabel, ("setText",)),
)


class ThreadGuard:
    """Notes every touch from a wrong thread.

    Attributes
    ----------
    found : list of str
        What was called or collected, on which thread, and from where.
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self._before: list[tuple[type[QObject], str, Any]] = []

    def install(self) -> None:
        """Watch from now on."""
        for owner, names in WATCHED:
            for name in names:
                method = getattr(owner, name)
                self._before.append((owner, name, method))
                setattr(owner, name, self._watched(method, f"{owner.__name__}.{name}"))
        gc.callbacks.append(self._on_collection)

    def remove(self) -> None:
        """Watch no longer."""
        gc.callbacks.remove(self._on_collection)
        for owner, name, method in self._before:
            setattr(owner, name, method)
        self._before.clear()

    def take(self) -> list[str]:
        """Return what was found, and forget it."""
        found, self.found[:] = list(self.found), []
        return found

    def _watched(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(item: QObject, *arguments: Any, **named: Any) -> Any:
            if isValid(item) and item.thread() is not QThread.currentThread():
                self._note(f"{name} of {type(item).__name__}")
            return method(item, *arguments, **named)

        return call

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start" and threading.current_thread() is not threading.main_thread():
            self._note(f"collection of generation {info['generation']}")

    def _note(self, what: str) -> None:
        stack = "".join(traceback.format_stack(limit=12)[:-2])
        self.found.append(f"{what} on thread {threading.current_thread().name}\n{stack}")
