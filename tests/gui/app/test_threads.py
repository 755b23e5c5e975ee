"""Qt objects are touched and destroyed on their own thread, and the guard sees where not."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from gui.app.collector import Collector
from tests.gui.thread_guard import ThreadGuard


def elsewhere(function: Callable[[], object]) -> None:
    thread = threading.Thread(target=function, name="elsewhere")
    thread.start()
    thread.join()


def test_the_guard_names_what_and_where(qtbot: QtBot, thread_guard: ThreadGuard) -> None:
    label, timer = QLabel(), QTimer()
    qtbot.addWidget(label)
    label.setText("here")
    timer.stop()
    assert thread_guard.take() == []
    elsewhere(timer.stop)
    elsewhere(lambda: label.setToolTip("there"))
    first, second = thread_guard.take()
    assert "QTimer.stop of QTimer on thread elsewhere" in first
    assert "QWidget.setToolTip of QLabel on thread elsewhere" in second
    assert "test_threads.py" in second


def test_the_guard_sees_a_collection_on_another_thread(thread_guard: ThreadGuard) -> None:
    elsewhere(lambda: gc.collect(0))
    assert "collection of generation 0 on thread elsewhere" in "".join(thread_guard.take())


def test_garbage_made_on_another_thread_is_collected_on_the_windows(qtbot: QtBot) -> None:
    owner = QObject()
    collector = Collector(owner)
    threads: list[str] = []

    def note(phase: str, info: dict[str, int]) -> None:
        threads.append(threading.current_thread().name)

    def litter() -> None:
        kept = []
        for _ in range(20 * gc.get_threshold()[0]):
            cycle: list[object] = []
            cycle.append(cycle)
            kept.append(cycle)

    gc.callbacks.append(note)
    try:
        elsewhere(litter)
        assert threads == []
        collector.check()
    finally:
        gc.callbacks.remove(note)
    assert set(threads) == {threading.main_thread().name}
