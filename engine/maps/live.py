"""Maps for a window: made on a thread of their own, coarse at first, then finer.

The window asks for a map, and takes pictures of it from a mailbox at its own pace. A new request
ends the one before. What is computed once is never computed again: the cells of a coarse picture
are some of those of the finer ones.
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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import LabError
from engine.executors.executor import Executor
from engine.maps.colors import Palette, hexadecimal
from engine.maps.kind import Cells, Overlay, Prepared
from engine.maps.making import make
from engine.maps.picture import (
    CLASSES,
    NOT_YET,
    POINTS,
    Picture,
    layers_of,
    picture_of_classes,
    picture_of_field,
    picture_of_points,
)
from engine.maps.spec import MapSpec
from engine.maps.tiles import Tile, grid
from engine.run.mailbox import Mailbox

PICTURE_SECONDS = 0.12
"""Time between pictures of a map that is being made, at least."""
PICTURE_REST = 4.0
"""The same as a multiple of what a picture takes."""
NICENESS = 4
"""How far the threads of maps stand back behind that of the window."""
KEPT_BYTES = 96 * 2**20
"""Finished maps that are kept, to go back to, together take no more."""

_T = TypeVar("_T")
State = Literal["making", "done", "cancelled"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a map is to be drawn.

    Attributes
    ----------
    palette : Palette
    layer : str
        Name of the field that is drawn; the map's usual one if there is none of that name.
    ends : tuple of float or None
        Ends of the observable's axis of an orbit diagram; those of the map if None.
    rows : int
        Rows of the picture of an orbit diagram.
    """

    palette: Palette
    layer: str = ""
    ends: tuple[float, float] | None = None
    rows: int = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapShown:
    """A map as far as it is made.

    Attributes
    ----------
    number : int
        Of the request.
    spec : MapSpec
    prepared : Prepared
    stride : int
        Cells of the map that a cell of the arrays stands for; 1 at the end.
    arrays : mapping of str to ndarray
        Fields by name, shape (rows, columns) or (rows, columns, width); one row in an orbit
        diagram.
    known : ndarray of bool, shape (rows, columns)
        Cells that are computed; the others repeat a neighbour.
    look : Look
        How `picture` is drawn.
    picture : Picture
    overlays : tuple of Overlay
    done : float
        Share of the cells, 0 to 1.
    seconds : float
        Since the map was asked for.
    seconds_left : float or None
        None where that is not known.
    state : {"making", "done", "cancelled"}
    """

    number: int
    spec: MapSpec
    prepared: Prepared
    stride: int
    arrays: Mapping[str, NDArray[Any]]
    known: NDArray[np.bool_]
    look: Look
    picture: Picture
    overlays: tuple[Overlay, ...]
    done: float
    seconds: float
    seconds_left: float | None
    state: State

    @property
    def layer(self) -> str:
        """Name of the field that is drawn."""
        return shown_layer(self.prepared, self.look.layer)

    def cell(self, x: float, y: float) -> dict[str, Any] | None:
        """Return the values by field of the cell at a point, or of the nearest that is computed.

        None outside the map.
        """
        at = self._at(x, y)
        return None if at is None else {name: values[at] for name, values in self.arrays.items()}

    def is_computed(self, x: float, y: float) -> bool:
        """Return whether the cell at a point is computed itself."""
        at = self._at(x, y)
        if at is None or not self.known[at]:
            return False
        places = (_cell(self.spec.y, y), _cell(self.spec.x, x))
        exact = [place is None or place % self.stride == 0 for place in places]
        return exact[1] and (exact[0] or self.spec.kind == "orbit")

    def color_at(self, x: float, y: float) -> str:
        """Return the colour of the cell at a point, ``#rrggbb``; empty where it has none."""
        at, rgba = self._at(x, y), self.picture.rgba
        if at is None or rgba.shape[:2] != self.known.shape or not rgba[at][3]:
            return ""
        return hexadecimal(rgba[at][:3])

    def _at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the row and column of the nearest cell in the arrays."""
        column, row = _cell(self.spec.x, x), _cell(self.spec.y, y)
        if self.spec.kind == "orbit":
            row = 0
        if column is None or row is None:
            return None
        rows, columns = self.known.shape
        return (
            min(math.floor(row / self.stride + 0.5), rows - 1),
            min(math.floor(column / self.stride + 0.5), columns - 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFailed:
    """A map that cannot be made: what the user gave is refused, or there is a traceback."""

    number: int
    spec: MapSpec
    error: LabError | None
    traceback: str = ""


def shown_layer(prepared: Prepared, wanted: str) -> str:
    """Return the layer that is drawn where one is wanted: that one if the map has it."""
    layers = layers_of(prepared.fields)
    return wanted if wanted in layers else next(iter(layers), "")


def _cell(axis: Any, value: float) -> int | None:
    place = float(axis.place(value))
    return int(place) if 0 <= place < axis.count else None


class _Level:
    """What is known of a map at some stride, the cells of coarser ones included."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.shape = grid(prepared.spec)
        self.stride = 0
        self.done = 0
        self.arrays: dict[str, NDArray[Any]] = {}
        self.known = np.zeros((0, 0), np.bool_)
        self.overlays: tuple[Overlay, ...] = ()
        self.has_asked = False

    @property
    def total(self) -> int:
        """Cells of the map."""
        return self.shape[0] * self.shape[1]

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(values.nbytes for values in self.arrays.values())

    def put(self, tile: Tile, cells: Cells) -> None:
        """Take the values of some cells, of a finer level of detail if need be."""
        if not self.stride or tile.scale < self.stride:
            self._refine(tile.scale)
        place = _slice(tile.rows, self.stride), _slice(tile.columns, self.stride)
        for name, values in self.arrays.items():
            block = values[place]
            block[...] = cells[name].reshape(block.shape)
        self.known[place] = True
        self.done += tile.count

    def _refine(self, stride: int) -> None:
        """Go on to a finer stride; cells that are not computed repeat a neighbour."""
        rows, columns = (-(-count // stride) for count in self.shape)
        known = np.zeros((rows, columns), np.bool_)
        if not self.stride:
            self.arrays = {each.name: each.empty(rows, columns) for each in self.prepared.fields}
        else:
            ratio = self.stride // stride
            nearest = (
                np.minimum((np.arange(fine) + ratio // 2) // ratio, coarse - 1)
                for fine, coarse in zip((rows, columns), self.known.shape, strict=True)
            )
            place = np.ix_(*nearest)
            self.arrays = {name: values[place] for name, values in self.arrays.items()}
            known[::ratio, ::ratio] = self.known
        self.stride, self.known = stride, known

    def picture(self, look: Look) -> Picture:
        """Draw what is known."""
        prepared = self.prepared
        layer = shown_layer(prepared, look.layer)
        if layer == CLASSES:
            named = prepared.classes, prepared.fields
            return picture_of_classes(*named, self.arrays, self.known, look.palette, self.stride)
        if layer == POINTS:
            y = prepared.spec.y
            low, high = look.ends or (y.low, y.high)
            return picture_of_points(self.arrays[POINTS][0], low, high, look.rows, look.palette)
        each = next(each for each in prepared.fields if each.name == layer)
        return picture_of_field(each, self.arrays[layer], self.known, look.palette)


def _slice(places: range, stride: int) -> slice:
    """Return where cells are in arrays of every `stride`-th cell."""
    first, step = places.start // stride, max(1, places.step // stride)
    return slice(first, first + (len(places) - 1) * step + 1, step)


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
    """The map that is shown."""

    number: int
    level: _Level
    begin: float
    state: State = "making"
    shown_at: float = -math.inf
    picture_seconds: float = 0.0
    seconds: float = 0.0


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

    Attributes
    ----------
    mailbox : Mailbox of MapShown or MapFailed
        The newest news.
    answers : queue of callables
        What is to be called on the window's thread (see `ask`).
    """

    def __init__(
        self,
        kind_of: Callable[[str], Any],
        executor_for: Callable[[Prepared, str], Executor],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.mailbox: Mailbox[MapShown | MapFailed] = Mailbox()
        self.answers: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._kind_of, self._executor_for, self._clock = kind_of, executor_for, clock
        self._maker, self._asker = _Worker("engine-maps"), _Worker("engine-maps-asks")
        self._searcher = _Worker("engine-maps-long")
        self._number = 0
        self._stop = threading.Event()
        self._look: Look | None = None
        self._drawn: Look | None = None
        self._present: _Present | None = None
        self._executor: Executor | None = None
        self._executor_key: tuple[bool, str] | None = None
        self._finished: OrderedDict[str, _Level] = OrderedDict()

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
        """Stop; what is made so far stays."""
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
            level = self._finished.get(_key(spec))
            prepared = level.prepared if level else self._kind_of(spec.kind).prepare(spec)
            present = self._present = _Present(number, level or _Level(prepared), begin)
            if level is None:
                self._compute(present, stop, scheduler)
            self._end(present, stop)
        except LabError as error:
            self.mailbox.put(MapFailed(number=number, spec=spec, error=error))
        except Exception:
            text = traceback.format_exc()
            self.mailbox.put(MapFailed(number=number, spec=spec, error=None, traceback=text))

    def _compute(self, present: _Present, stop: threading.Event, scheduler: str) -> None:
        level, prepared = present.level, present.level.prepared
        coarsest, missing = 0, 0
        for tile, cells in make(prepared, self._pool(prepared, scheduler), stop):
            level.put(tile, cells)
            if stop.is_set():
                return
            if not coarsest:
                coarsest, missing = tile.scale, _count(level.shape, tile.scale)
            if tile.scale == coarsest:
                missing -= tile.count
            is_first = tile.scale == coarsest and not missing
            self._publish_now_and_then(present, is_first)

    def _end(self, present: _Present, stop: threading.Event) -> None:
        if present.number != self._number:
            return  # a newer one waits
        present.seconds = self._clock() - present.begin
        present.state = "cancelled" if stop.is_set() else "done"
        if present.level.stride:
            self._publish(present)
        if present.state == "done":
            self._keep(present.level)
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
        elapsed = present.seconds if present.state == "done" else self._clock() - present.begin
        left = elapsed * (level.total - level.done) / level.done if level.done else None
        self.mailbox.put(
            MapShown(
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
                seconds=elapsed,
                seconds_left=left if present.state == "making" else None,
                state=present.state,
            )
        )
        present.shown_at = self._clock()
        present.picture_seconds = present.shown_at - begin

    def _draw_again(self) -> None:
        present = self._present
        if present is not None and present.level.stride and self._look is not self._drawn:
            self._publish(present)

    def _keep(self, level: _Level) -> None:
        key = _key(level.prepared.spec)
        self._finished[key] = level
        self._finished.move_to_end(key)
        while (
            len(self._finished) > 1
            and sum(each.size for each in self._finished.values()) > KEPT_BYTES
        ):
            self._finished.popitem(last=False)

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


def finest(shown: MapShown) -> MapShown:
    """Return a copy of a map whose arrays nothing changes any more, for a file."""
    arrays = {name: values.copy() for name, values in shown.arrays.items()}
    return replace(shown, arrays=arrays, known=shown.known.copy())


__all__ = [
    "NOT_YET",
    "LiveMap",
    "Look",
    "MapFailed",
    "MapShown",
    "finest",
    "shown_layer",
]
