"""A user who types into the field of a function, with a clock."""

from __future__ import annotations

import time
from typing import Any

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from engine.run.snapshot import Snapshot, Status
from gui.app.drive import Driver, wait_until
from gui.form.expression import ExpressionRow
from gui.plots.canvas.canvas import Canvas

REST = 1.0
"""Seconds between two edits."""


class _Watch(QObject):
    """Notes when plots are painted after the first picture of a function."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text
        self._is_shown = False
        self.painted = 0.0

    def show(self, snapshot: Snapshot) -> None:
        """Take a picture of a run."""
        made: Any = snapshot.params
        self._is_shown |= made.function == self._text and snapshot.status is not Status.COMPILING

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Look for the painting of a canvas."""
        if self._is_shown and not self.painted and event.type() == QEvent.Type.Paint:
            if isinstance(watched.parent(), Canvas):
                self.painted = time.perf_counter()
        return False


class Typist:
    """Types at the end of the function of an own loss.

    Parameters
    ----------
    driver : Driver
        With the experiment open.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        row = driver.window.panels.form.row("function")
        assert isinstance(row, ExpressionRow)
        self._box = row.box

    def seconds(self, letters: str) -> float:
        """Type letters, and return the seconds until plots of the new function are painted."""
        self._driver.settle(REST)
        self._box.setFocus()
        self._box.moveCursor(QTextCursor.MoveOperation.End)
        watch, ready = _Watch(self._box.text() + letters), self._driver.window.bridge.snapshot_ready
        ready.connect(watch.show)
        QApplication.instance().installEventFilter(watch)
        begin = time.perf_counter()
        QTest.keyClicks(self._box, letters)
        assert wait_until(lambda: watch.painted > 0.0, 30.0)
        QApplication.instance().removeEventFilter(watch)
        ready.disconnect(watch.show)
        return watch.painted - begin
