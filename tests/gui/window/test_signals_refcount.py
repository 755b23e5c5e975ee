"""PySide6 6.12 on CPython 3.11 loses a reference to True at every emit and ends by aborting."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal


class _Emitter(QObject):
    flagged = Signal(bool)
    named = Signal(object, bool)


def test_signals_keep_the_reference_count_of_true() -> None:
    emitter = _Emitter()
    seen = 0

    def count(*values: object) -> None:
        nonlocal seen
        seen += values[-1] is True

    emitter.flagged.connect(count)
    emitter.named.connect(count)
    before = sys.getrefcount(True)
    for _ in range(50_000):
        emitter.flagged.emit(True)
        emitter.named.emit(None, True)
    after = sys.getrefcount(True)
    assert seen == 100_000
    assert abs(after - before) < 100
