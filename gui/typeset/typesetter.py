"""The worker that typesets formulas while the window goes on."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QPainterPath

from gui.typeset.outline import POINTS, Outline, load_outlines, outline_of, save_outlines

_QUIET_START_MS = 300
"""Rest after the first formula is asked for, so that the window is drawn before the work begins."""
_PATIENT_S = 0.1
MOST_FORMULAS = 800
"""Formulas kept in memory; numbers within formulas would fill it for ever."""
_NUMBER = re.compile(r"\d\.\d|\d{3}|\de[-+]?\d")


@dataclass(frozen=True, slots=True)
class Typeset:
    """The outline of a formula in units of its font size: origin on the baseline, y downward."""

    path: QPainterPath
    width: float
    ascent: float
    descent: float


class Typesetter(QObject):
    """Typesets in a thread of its own and keeps what it made.

    Parameters
    ----------
    path : Path, optional
        File in which outlines are kept between starts.
    patience : float
        Seconds for which only kept outlines are used, so that importing matplotlib does not hold
        up what is more urgent at a start.

    Attributes
    ----------
    ready : Signal(str)
        This mathtext can now be had from `get`, or is known to have an error.
    """

    ready = Signal(str)
    _made = Signal(str, object)

    def __init__(
        self, path: Path | None = None, patience: float = 0.0, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.path = path
        self.patience = patience
        self._born = time.monotonic()
        self._known: dict[str, Typeset | None] = {}
        self._asked: dict[str, None] = {}
        self._pending: deque[str] = deque()
        self._outlines: dict[str, Outline] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._warm = False
        self._made.connect(self._on_made, Qt.ConnectionType.QueuedConnection)
        self._start = QTimer(self)
        self._start.setSingleShot(True)
        self._start.timeout.connect(self._on_start)

    def get(self, mathtext: str) -> Typeset | None:
        """Return a typeset formula, or None while it is being made and if it has an error."""
        if mathtext not in self._asked and mathtext:
            self._asked[mathtext] = None
            with self._lock:
                self._closed.clear()
                self._pending.append(mathtext)
            if not self._start.isActive():
                self._start.start(0 if self._warm else _QUIET_START_MS)
        made = self._known.get(mathtext)
        if made is not None:  # the newest used are kept longest
            self._known[mathtext] = self._known.pop(mathtext)
        return made

    def is_settled(self, mathtext: str) -> bool:
        """Return whether nothing more is to come of a formula."""
        return mathtext in self._known

    def close(self) -> None:
        """Forget what is still to be done; the worker ends after the formula at hand.

        Asked again, as in a program whose loop is run twice, it goes on.
        """
        with self._lock:
            self._closed.set()
            self._pending.clear()
        self._asked = dict.fromkeys(self._known)

    @property
    def is_busy(self) -> bool:
        """Whether formulas that were asked for are still to come."""
        return len(self._known) < len(self._asked)

    def _on_start(self) -> None:
        with self._lock:
            if self._thread is None and self._pending:
                self._thread = threading.Thread(target=self._work, name="typesetter")
                self._thread.start()

    def _work(self) -> None:
        """Typeset until nothing is left to do (in the worker)."""
        if self.path is not None and not self._warm:
            self._outlines = load_outlines(self.path)
        self._warm = True
        known = len(self._outlines)
        while (mathtext := self._next()) is not None:
            if not mathtext:
                self._closed.wait(_PATIENT_S)
                continue
            outline = self._outlines.get(mathtext) or outline_of(mathtext)
            if outline is not None and not _NUMBER.search(mathtext):
                self._outlines[mathtext] = outline
            with self._lock:
                if not self._closed.is_set():
                    self._made.emit(mathtext, outline)
        if self.path is not None and len(self._outlines) > known:
            save_outlines(self.path, self._outlines)
        with self._lock:
            self._thread = None
            again = bool(self._pending)
        if again:
            self._on_start()

    def _next(self) -> str | None:
        """Return what to typeset next, kept ones first; empty while patient, None at the end."""
        with self._lock:
            if not self._pending:
                return None
            kept = next((text for text in self._pending if text in self._outlines), "")
            if not kept and time.monotonic() - self._born >= self.patience:
                kept = self._pending[0]
            if kept:
                self._pending.remove(kept)
            return kept

    def _on_made(self, mathtext: str, outline: Outline | None) -> None:
        self._known[mathtext] = None if outline is None else _typeset(outline)
        while len(self._known) > MOST_FORMULAS:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._asked.pop(oldest, None)
        self.ready.emit(mathtext)


_shared: Typesetter | None = None


def default_path() -> Path:
    """Return the file of kept outlines in the user's cache folder."""
    import platformdirs

    return platformdirs.user_cache_path("lyapunov-lab", appauthor=False) / "formulas.json"


def typesetter() -> Typesetter:
    """Return the program's one typesetter; its outlines are shared by all labels.

    The program sets its `path` at the start (`default_path`); a test has none.
    """
    global _shared
    if _shared is None:
        _shared = Typesetter()
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(_shared.close)
    return _shared


def _typeset(outline: Outline) -> Typeset:
    path = QPainterPath()
    path.setFillRule(Qt.FillRule.WindingFill)
    draw: dict[str, Callable[..., None]] = {
        "M": path.moveTo,
        "L": path.lineTo,
        "Q": path.quadTo,
        "C": path.cubicTo,
    }
    at = 0
    for stroke in outline.strokes:
        count = 2 * POINTS[stroke]
        if count:
            draw[stroke](*outline.points[at : at + count])
            at += count
        else:
            path.closeSubpath()
    ink_box = path.boundingRect()
    return Typeset(
        path,
        max(outline.width, ink_box.right()),
        max(outline.height - outline.descent, -ink_box.top()),
        max(outline.descent, ink_box.bottom()),
    )
