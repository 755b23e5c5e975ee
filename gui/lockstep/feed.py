"""The thread on which runs side by side are made; the window asks, and looks for answers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from engine.run.lockstep import Lockstep, Side
    from engine.run.snapshot import Snapshot

_News: TypeAlias = "tuple[int, tuple[Snapshot, ...], bool]"
_Wish: TypeAlias = "Callable[[Lockstep], bool | None]"
"""Something to be done; False if nobody waits for the answer."""
FRAME_MS = 16


class Feed(QObject):
    """Makes the runs on a thread of its own, one wish after the other.

    Attributes
    ----------
    shown : Signal(int, tuple of Snapshot, bool)
        The step that all runs are at, their pictures, and whether none can go on.
    failed : Signal(object)
        What went wrong; nothing comes after it.
    """

    shown = Signal(int, object, bool)
    failed = Signal(object)

    def __init__(self, sides: Sequence[Side], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[tuple[_News, bool] | Exception] = queue.SimpleQueue()
        self._asked = 1  # the first picture comes unasked
        self._playing: int | None = None
        self._stop = stop = threading.Event()
        wishes = self._wishes
        self.destroyed.connect(lambda: _end(stop, wishes))  # with a window that was not closed
        self._thread = threading.Thread(
            target=_work,
            args=(tuple(sides), self._wishes, self._news, self._stop),
            name="engine-lockstep",
            daemon=True,
        )
        self._thread.start()
        self._timer = QTimer(self, interval=FRAME_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    @property
    def is_playing(self) -> bool:
        """Whether steps are made until paused."""
        return self._playing is not None

    def play(self, steps_per_frame: int) -> None:
        """Make so many steps a frame, each when the last are drawn."""
        self._playing = steps_per_frame

    def pause(self) -> None:
        """Make no more steps."""
        self._playing = None

    def advance(self, n: int) -> None:
        """Show the step `n` later, or earlier if it is negative."""
        self._ask(lambda runs: runs.advance(n))

    def seek(self, step: int) -> None:
        """Show a step."""
        self._ask(lambda runs: runs.seek(step))

    def close(self) -> None:
        """End the thread, within the step that it is at."""
        self._timer.stop()
        _end(self._stop, self._wishes)

    def _ask(self, wish: _Wish) -> None:
        self._asked += 1
        self._wishes.put(wish)

    def _look(self) -> None:
        """Show the newest answer, and ask for more while it plays."""
        latest: _News | None = None
        while not self._news.empty():
            news = self._news.get()
            if isinstance(news, Exception):
                self._timer.stop()
                self.failed.emit(news)
                return
            latest, is_answer = news
            self._asked -= is_answer
        if latest is not None:
            if latest[2]:
                self._playing = None
            self.shown.emit(*latest)
        if self._playing is not None and self._asked == 0:
            self.advance(self._playing)


def _end(stop: threading.Event, wishes: queue.SimpleQueue[_Wish | None]) -> None:
    stop.set()
    wishes.put(None)


def _work(
    sides: tuple[Side, ...],
    wishes: queue.SimpleQueue[_Wish | None],
    news: queue.SimpleQueue[tuple[_News, bool] | Exception],
    stop: threading.Event,
) -> None:
    """Carry out wishes until there are no more, while another thread makes analyses."""
    from engine.core.interrupt import Interrupted, watched
    from engine.run.lockstep import Lockstep

    runs: Lockstep | None = None
    analysing: threading.Thread | None = None
    try:
        with watched(lambda share, text: not stop.is_set()):
            runs = Lockstep(sides)
            news.put(((runs.step, runs.snapshots(), runs.has_ended), True))
            analysing = threading.Thread(
                target=runs.analyse,
                args=(
                    lambda: wishes.put(lambda runs: False),
                    lambda share, text: not stop.is_set(),
                ),
                name="engine-analyst",
                daemon=True,
            )
            analysing.start()
            while (wish := wishes.get()) is not None and not stop.is_set():
                is_answer = wish(runs) is not False
                news.put(((runs.step, runs.snapshots(), runs.has_ended), is_answer))
    except Interrupted:
        return
    except Exception as error:
        news.put(error)
    finally:
        if analysing is not None:
            stop.set()
            analysing.join()
        if runs is not None:
            runs.close()
