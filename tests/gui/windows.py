"""A main window as a user has it, for tests of what is done in it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from pytestqt.qtbot import QtBot

from gui.settings import Settings
from gui.window.main_window import MainWindow


def open_window(
    qtbot: QtBot,
    experiments: Sequence[Any],
    settings: Settings | None = None,
    before_close: Callable[[Any], None] | None = None,
) -> MainWindow:
    """Show a window of usual size with these experiments, and let it begin."""
    window = MainWindow(settings or Settings(None), experiments=list(experiments))
    qtbot.addWidget(window, before_close_func=before_close)
    window.restore()
    window.resize(1280, 800)
    window.show()
    window.begin()
    return window


def has_ended() -> bool:
    """Return whether no thread of the engine is left of a closed window."""
    return not any(thread.name.startswith("engine-") for thread in threading.enumerate())
