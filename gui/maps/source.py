"""The window's side of what makes maps: requests go there, pictures come at the screen's rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, Qt, QTimer, Signal

if TYPE_CHECKING:
    from engine.executors.executor import Executor
    from engine.maps.kind import Prepared
    from engine.maps.live.live_map import LiveMap
    from engine.maps.shown import Look
    from engine.maps.spec import MapSpec

NICENESS = 5
"""How far processes that make maps stand back behind the window."""
FIRST_MS, FRAME_MS = 4, 16
"""Time between polls until the first news of a map, and afterwards."""
IDLE_TICKS = 60
"""Polls without news after which the timer stops, while nothing is awaited."""

_T = TypeVar("_T")


def new_live_map() -> LiveMap:
    """Make what makes maps; its parts are imported when they are first needed."""
    from engine.maps.catalogue import kind
    from engine.maps.live.live_map import LiveMap
    from engine.maps.making import pool_for
    from gui.maps.layers import patch_of

    def start(prepared: Prepared, scheduler: str) -> Executor:
        return pool_for(prepared, scheduler, niceness=NICENESS)

    return LiveMap(kind, start, drawn=patch_of)


class MapSource(QObject):
    """Passes requests to the threads of maps, and their newest news to the window.

    Parameters
    ----------
    live : LiveMap, optional
        What makes maps; by default a real one, made at the first request.

    Attributes
    ----------
    shown : Signal(MapShown)
        A newer picture of the map that was asked for last.
    waits : Signal(MapWaits)
        Its kernels are being compiled, or it was cancelled before anything was made.
    failed : Signal(MapFailed)
        It cannot be made.
    """

    shown = Signal(object)
    waits = Signal(object)
    failed = Signal(object)

    def __init__(self, live: LiveMap | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._number = 0
        self._quiet = 0
        self._awaited = 0
        self._is_making = False
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._on_timeout)

    @property
    def live(self) -> LiveMap:
        """What makes maps, made at first use."""
        if self._live is None:
            self._live = new_live_map()
        return self._live

    def make(self, spec: MapSpec, look: Look, scheduler: str = "") -> None:
        """Begin a map in place of the one before, on a cluster if an address is given."""
        self._number = self.live.make(spec, look, scheduler)
        self._is_making = True
        self._timer.setInterval(FIRST_MS)
        self._wake()

    def show_look(self, look: Look) -> None:
        """Draw the map in another way."""
        self.live.show(look)
        self._wake()

    def cancel(self) -> None:
        """Stop making the map."""
        if self._live is not None:
            self._live.cancel()
            self._wake()

    def forget(self) -> None:
        """Stop, and ignore what still comes of the map that was asked for."""
        self.cancel()
        self._number, self._is_making = -1, False

    def ask(
        self,
        function: Callable[[], _T],
        then: Callable[[_T | Exception], None],
        *,
        is_long: bool = False,
    ) -> None:
        """Call a function beside the window's thread, and `then` here with its result or error."""
        self._awaited += 1

        def answered(result: _T | Exception) -> None:
            self._awaited -= 1
            then(result)

        self.live.ask(function, answered, is_long=is_long)
        self._wake()

    def tell(self, news: Callable[[], None]) -> None:
        """Call something on the window's thread soon; may be called on any thread."""
        self.live.answers.put(news)

    def close(self, timeout: float) -> bool:
        """Stop polling and end the threads; returns whether they ended in time."""
        self._closed = True
        self._timer.stop()
        return self._live is None or self._live.close(timeout)

    def poll(self) -> bool:
        """Pass on what came; returns whether there was anything."""
        from engine.maps.shown import MapFailed, MapWaits

        if self._live is None:
            return False
        came = False
        while not self._live.answers.empty():
            self._live.answers.get()()
            came = True
        item: Any = self._live.mailbox.take()
        if item is None or item.number != self._number:
            return came
        is_failure = isinstance(item, MapFailed)
        self._is_making = not is_failure and item.state == "making"
        if isinstance(item, MapWaits):
            self.waits.emit(item)
            return True
        self._timer.setInterval(FRAME_MS)
        (self.failed if is_failure else self.shown).emit(item)
        return True

    def _wake(self) -> None:
        self._quiet = 0
        if not self._closed and not self._timer.isActive():
            self._timer.start()

    def _on_timeout(self) -> None:
        if self.poll():
            self._quiet = 0
            return
        self._quiet += 1
        if self._quiet >= IDLE_TICKS and not self._awaited and not self._is_making:
            self._timer.stop()
