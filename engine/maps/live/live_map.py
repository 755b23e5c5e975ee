"""Maps for a window: made on a thread of their own, coarse at first, then finer.

The window asks for a map, and takes pictures of it from a mailbox at its own pace. A new request
ends the one before. What is computed once is never computed again: the cells of a coarse picture
are some of those of the finer ones, and a map that was stopped goes on where it is asked for again.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import sys
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from engine.core.errors import LabError
from engine.executors.executor import Executor
from engine.maps.kind import Prepared
from engine.maps.live.kernels import prepared
from engine.maps.live.level import Level
from engine.maps.making import make
from engine.maps.shown import Look, MapFailed, MapShown, MapWaits, State
from engine.maps.spec import MapSpec
from engine.run.mailbox import Mailbox

PICTURE_SECONDS = 0.12
"""Time between pictures of a map that is being made, at least."""
PICTURE_REST = 4.0
"""The same as a multiple of what a picture takes."""
NICENESS = 4
"""How far the threads of maps stand back behind that of the window."""
KEPT_BYTES = 96 * 2**20
"""Maps that are kept, to go back to, together take no more."""

_T = TypeVar("_T")


class _Worker:
    """A thread that does one thing after another."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._things: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, thing: Callable[[], None]) -> None:
        """Do it after what was asked for before; the thread begins with the first."""
        self._things.put(thing)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def close(self, timeout: float) -> bool:
        """End the thread; returns whether it ended in time."""
        self._things.put(None)
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        _stand_back()
        while (thing := self._things.get()) is not None:
            thing()


def _stand_back() -> None:
    """Stand back behind the window: this thread, and those that it starts, are nice to others."""
    if sys.platform == "linux":  # elsewhere niceness is that of a process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


@dataclass(slots=True)
class _Present:
    """The map that is shown.

    ``done`` are the cells that were there when it was asked for.
    """

    number: int
    level: Level
    begin: float
    done: int = 0
    state: State = "making"
    shown_at: float = -math.inf
    picture_seconds: float = 0.0


class LiveMap:
    """Makes maps for a window, one at a time.

    Parameters
    ----------
    kind_of : callable
        Returns a kind of map by its id (`engine.maps.catalogue.kind`).
    executor_for : callable
        Returns the pool that carries out the jobs of a map, given the address of a scheduler or an
        empty text; it is closed by this object. It is called again when that address, or whether
        threads serve, is another for the next map.
    clock : callable
        Gives seconds; tests pass their own.
    drawn : callable, optional
        Makes of a map what is needed to show it, on the thread that makes maps.

    Attributes
    ----------
    mailbox : Mailbox of MapShown, MapWaits or MapFailed
        The newest news.
    answers : queue of callables
        What is to be called on the window's thread (see `ask`).
    """

    def __init__(
        self,
        kind_of: Callable[[str], Any],
        executor_for: Callable[[Prepared, str], Executor],
        clock: Callable[[], float] = time.perf_counter,
        drawn: Callable[[MapShown], object] | None = None,
    ) -> None:
        self.mailbox: Mailbox[MapShown | MapWaits | MapFailed] = Mailbox()
        self.answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._kind_of, self._executor_for, self._clock = kind_of, executor_for, clock
        self._draw = drawn
        self._maker, self._asker = _Worker("engine-maps"), _Worker("engine-maps-asks")
        self._searcher = _Worker("engine-maps-long")
        self._number = 0
        self._stop = threading.Event()
        self._look: Look | None = None
        self._drawn: Look | None = None
        self._present: _Present | None = None
        self._executor: Executor | None = None
        self._executor_key: tuple[bool, str] | None = None
        self._kept: OrderedDict[str, Level] = OrderedDict()

    def make(self, spec: MapSpec, look: Look, scheduler: str = "") -> int:
        """Begin a map in place of the one before, and return the number of the request.

        Parameters
        ----------
        spec : MapSpec
        look : Look
        scheduler : str
            Address of the scheduler of a cluster; this machine makes the map if empty.
        """
        self._stop.set()
        stop = self._stop = threading.Event()
        self._number += 1
        number, self._look, begin = self._number, look, self._clock()
        self._maker.do(lambda: self._make(number, spec, stop, begin, scheduler))
        return number

    def show(self, look: Look) -> None:
        """Draw the map in another way."""
        self._look = look
        self._maker.do(self._draw_again)

    def cancel(self) -> None:
        """Stop; what is made so far stays, and is not made again for the same request."""
        self._stop.set()

    def ask(
        self,
        function: Callable[[], _T],
        then: Callable[[_T | Exception], None],
        *,
        is_long: bool = False,
    ) -> None:
        """Call a function beside the maps; `then` gets what it returns or raises from `answers`.

        One that takes long does not hold up others.
        """

        def answer() -> None:
            result: _T | Exception
            try:
                result = function()
            except Exception as error:
                result = error
            self.answers.put(lambda: then(result))

        (self._searcher if is_long else self._asker).do(answer)

    def close(self, timeout: float = 10.0) -> bool:
        """End the threads and the pool; returns whether they ended in time."""
        self._stop.set()
        self._maker.do(self._end_executor)
        workers = (self._maker, self._asker, self._searcher)
        ended = [worker.close(timeout) for worker in workers]  # each of them, whatever the others
        return all(ended)

    # On the thread.

    def _make(
        self,
        number: int,
        spec: MapSpec,
        stop: threading.Event,
        begin: float,
        scheduler: str,
    ) -> None:
        if stop.is_set():
            return  # a newer one waits
        self._present = None
        try:
            level = self._kept.get(_key(spec)) or self._begun(number, spec, stop)
            if level is None:
                self.mailbox.put(MapWaits(number=number, spec=spec, state="cancelled"))
                return
            present = self._present = _Present(number, level, begin, level.done)
            if not level.is_whole:
                self._compute(present, stop, scheduler)
            self._end(present, stop)
        except LabError as error:
            self.mailbox.put(MapFailed(number=number, spec=spec, error=error))
        except Exception:
            text = traceback.format_exc()
            self.mailbox.put(MapFailed(number=number, spec=spec, error=None, traceback=text))

    def _begun(self, number: int, spec: MapSpec, stop: threading.Event) -> Level | None:
        def tell(compiled: int) -> None:
            self.mailbox.put(MapWaits(number=number, spec=spec, compiled=compiled))

        made = prepared(self._kind_of, spec, stop, tell)
        return None if made is None else Level(made)

    def _compute(self, present: _Present, stop: threading.Event, scheduler: str) -> None:
        level, prepared = present.level, present.level.prepared
        if level.stride:
            self._publish(present)  # what is there already
        coarsest, missing = level.stride, 0
        pool = self._pool(prepared, scheduler)
        for tile, cells in make(prepared, pool, stop, level.missing()):
            if stop.is_set():
                return  # these cells may be cut short
            level.put(tile, cells)
            if not coarsest:
                coarsest, missing = tile.scale, _count(level.shape, tile.scale)
            if tile.scale == coarsest:
                missing -= tile.count
            is_first = tile.scale == coarsest and not missing and not present.done
            self._publish_now_and_then(present, is_first)

    def _end(self, present: _Present, stop: threading.Event) -> None:
        level = present.level
        if level.done > present.done:
            level.seconds += self._clock() - present.begin
        if level.stride:
            self._keep(level)
        if present.number != self._number:
            return  # a newer one waits
        present.state = "done" if level.is_whole else "cancelled"
        if level.stride:
            self._publish(present)
        else:
            spec = level.prepared.spec
            self.mailbox.put(MapWaits(number=present.number, spec=spec, state="cancelled"))
        if present.state == "done":
            self._find_overlays(present)

    def _find_overlays(self, present: _Present) -> None:
        """Find the theory's curves once a map, beside its cells: that may take longer than they."""
        level = present.level
        if level.has_asked:
            return
        level.has_asked = True

        def find() -> None:
            if present.number != self._number:
                level.has_asked = False  # for whoever goes back to it
                return
            try:
                level.overlays = level.prepared.overlays()
            except Exception:
                spec, text = level.prepared.spec, traceback.format_exc()
                self.mailbox.put(
                    MapFailed(number=present.number, spec=spec, error=None, traceback=text)
                )
            self._maker.do(lambda: self._publish_again(present))

        self._searcher.do(find)

    def _publish_again(self, present: _Present) -> None:
        if present is self._present and present.level.stride:
            self._publish(present)

    def _publish_now_and_then(self, present: _Present, is_first: bool) -> None:
        """Publish the first whole picture at once, and others as often as they are taken."""
        is_asked = self._look is not self._drawn
        rest = self._clock() - max(present.shown_at, present.begin)
        least = max(PICTURE_SECONDS, PICTURE_REST * present.picture_seconds)
        is_due = rest >= least and self.mailbox.is_empty
        if is_first or is_due or (is_asked and math.isfinite(present.shown_at)):
            self._publish(present)
        if is_first:
            self._find_overlays(present)

    def _publish(self, present: _Present) -> None:
        look, level = self._look, present.level
        if look is None or present.number != self._number:
            return
        self._drawn, begin = look, self._clock()
        elapsed, made = self._clock() - present.begin, level.done - present.done
        left = elapsed * (level.total - level.done) / made if made else None
        shown = MapShown(
            number=present.number,
            spec=level.prepared.spec,
            prepared=level.prepared,
            stride=level.stride,
            arrays=dict(level.arrays),
            known=level.known,
            look=look,
            picture=level.picture(look),
            overlays=level.overlays,
            done=level.done / level.total,
            seconds=level.seconds + (elapsed if present.state == "making" else 0.0),
            seconds_left=left if present.state == "making" else None,
            state=present.state,
            found=level.found() if present.state == "done" else (),
        )
        if self._draw is not None:
            shown = replace(shown, drawn=self._draw(shown))
        self.mailbox.put(shown)
        present.shown_at = self._clock()
        present.picture_seconds = present.shown_at - begin

    def _draw_again(self) -> None:
        present = self._present
        if present is not None and present.level.stride and self._look is not self._drawn:
            self._publish(present)

    def _keep(self, level: Level) -> None:
        key = _key(level.prepared.spec)
        self._kept[key] = level
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(each.size for each in self._kept.values()) > KEPT_BYTES:
            self._kept.popitem(last=False)

    def _pool(self, prepared: Prepared, scheduler: str) -> Executor:
        key = prepared.has_threads, scheduler
        if self._executor is None or self._executor_key != key:
            self._end_executor()
            self._executor = self._executor_for(prepared, scheduler)
            self._executor_key = key
        return self._executor

    def _end_executor(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.close()


def _count(shape: tuple[int, int], stride: int) -> int:
    """Return how many cells there are at a stride."""
    return math.ceil(shape[0] / stride) * math.ceil(shape[1] / stride)


def _key(spec: MapSpec) -> str:
    """Return what tells a map from all others; the upward axis of an orbit diagram does not."""
    table = spec.as_table()
    return json.dumps(table | ({"y": None} if spec.kind == "orbit" else {}), sort_keys=True)
