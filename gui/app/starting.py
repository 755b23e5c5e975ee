"""What happens between the first picture of the window and its first run."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from engine.cli.output import DONE, printed
from gui.app.ending import GRACE
from gui.run.process import seconds_since_start
from gui.window.main_window import MainWindow

POLL_MS = 4
"""Time between two looks at whether the loader has ended."""
TYPESETTING_AFTER = 2.0
"""Seconds that the engine's libraries have to themselves before matplotlib is imported."""


class Loader(QObject):
    """Runs a function once in the background; it must not touch a Qt object.

    Parameters
    ----------
    load : callable
        What to run. An error in it is left to the code that needs what was not loaded, on the
        window's own thread, where it can be shown.

    Attributes
    ----------
    done : Signal
        The function returned or failed.
    """

    done = Signal()

    def __init__(self, load: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._load = load
        self._thread: threading.Thread | None = None
        self._has_ended = threading.Event()
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Begin; a second call does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="loader", daemon=True)
            self._thread.start()
            self._timer.start()

    def wait(self) -> None:
        """Wait a little for the end, if it was begun; an import cannot be interrupted."""
        if self._thread is not None:
            self._thread.join(GRACE)

    def _work(self) -> None:
        with contextlib.suppress(Exception):
            self._load()
        self._has_ended.set()

    def _look(self) -> None:
        if self._has_ended.is_set():
            self._timer.stop()
            self.done.emit()


class Start(QObject):
    """Imports what a window stands on once it shows, and then lets it begin.

    Parameters
    ----------
    window : MainWindow
        Not shown yet.
    keeps_formulas : bool
        Whether typeset formulas are kept between starts.
    path : Path, optional
        A run to open.
    prints_times : bool
        Print the seconds until the window showed and had its plots, make no run, and close it.
    load : callable, optional
        What is imported; by default what the window's experiment needs.

    Attributes
    ----------
    status : int
        Exit status of the program, as far as the start decides it.
    """

    def __init__(
        self,
        window: MainWindow,
        *,
        keeps_formulas: bool = False,
        path: Path | None = None,
        prints_times: bool = False,
        load: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._keeps_formulas = keeps_formulas
        self._path = path
        self._prints_times = prints_times
        self.status = DONE
        self._shown = 0.0
        self._closed = False
        self.loader = Loader(load or window.state.preload, self)
        self.loader.done.connect(self._on_loaded)
        window.first_painted.connect(self._on_shown)
        window.closing.connect(self._on_closing)
        window.closed.connect(self.loader.wait)

    def _on_shown(self) -> None:
        self._shown = seconds_since_start()
        if not self._closed:
            self.loader.start()

    def _on_closing(self) -> None:
        self._closed = True

    def _on_loaded(self) -> None:
        if self._closed:
            return
        from gui.typeset.typesetter import default_path, typesetter

        if self._keeps_formulas:
            typesetter().path = default_path()
        typesetter().patience = TYPESETTING_AFTER
        window = self._window
        window.begin(run=not self._prints_times)
        if self._prints_times:
            window.repaint()
            self.status = printed(self._print_times)
            window.close()
        elif self._path is not None:
            window.files.open(self._path)

    def _print_times(self) -> int:
        plots = seconds_since_start()
        print(f"window visible after {self._shown:.2f} s, with plots after {plots:.2f} s")
        return DONE
