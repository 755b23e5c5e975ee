"""Offscreen Qt for all tests of the window, and a check that each test cleans up after itself."""

from __future__ import annotations

import functools
import gc
import os
import threading
from collections.abc import Iterator

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from gui.app.collector import Collector
from gui.style import scaling, theme
from tests.gui.thread_guard import ThreadGuard

PATIENCE = 60_000
"""Milliseconds to wait for what has to come; a busy machine is slow, and that is no fault."""


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Return the bot that waits longer than by itself, where no other time is said."""
    for name in ("waitUntil", "waitSignal", "waitSignals"):
        setattr(qtbot, name, functools.partial(getattr(qtbot, name), timeout=PATIENCE))
    return qtbot


def _settle() -> None:
    for _ in range(3):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


def _left_over() -> set[str]:
    widgets = {f"{type(w).__name__} {w.objectName()!r}" for w in QApplication.topLevelWidgets()}
    threads = {t.name for t in threading.enumerate() if t.name.startswith("engine-")}
    return widgets | threads


@pytest.fixture(scope="session")
def thread_guard(qapp: QApplication) -> Iterator[ThreadGuard]:
    """Collect garbage on the window's thread only, as the program does, and watch all threads."""
    collector, guard = Collector(qapp), ThreadGuard()
    guard.install()
    yield guard
    guard.remove()
    collector.stop()


@pytest.fixture(autouse=True)
def right_thread(thread_guard: ThreadGuard) -> Iterator[None]:
    """Fail a test in which a Qt object is touched on another thread than its own."""
    thread_guard.take()
    yield
    found = thread_guard.take()
    assert not found, "\n".join(found)


@pytest.fixture
def usual_size(qapp: QApplication) -> Iterator[None]:
    """Bring back the usual size of the interface, which all windows share."""
    yield
    _settle()  # what the test has closed need not be scaled back
    if scaling.factor() != 1.0:
        scaling.set_factor(1.0)
        theme.apply_theme(qapp, theme.current_theme())


@pytest.fixture(autouse=True)
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """Fail a test that leaves a top-level widget or an engine thread."""
    before = _left_over()
    yield
    for thread in threading.enumerate():  # a window leaves one that is within a step to end alone
        if thread.name.startswith("engine-") and thread.name not in before:
            thread.join(20.0)
    _settle()
    if _left_over() - before:
        gc.collect()
        _settle()
    new = _left_over() - before
    assert not new, f"left behind: {', '.join(sorted(new))}"
