"""Processes that draw figures beside one another.

matplotlib is written in Python, so threads would wait for one another. It takes about a second to
load; a process returns the bytes of the files and writes none itself, so that it can be ended at
any time.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

from engine.figures.children import MOST, cores, forked

if TYPE_CHECKING:  # what they need takes long to import, and processes shall start at once
    from engine.figures.sheets import Look, Sheet

LEAST_SHEETS = 4
"""Sheets from which processes gain more than they take to start."""
IDLE_SECONDS = 30.0
"""Time after which a process that was given nothing to draw ends."""
MOST_GARBAGE = 50_000
"""Objects left of figures, each of which leaves some thousands, at which they are collected."""
LOOK_SECONDS = 0.1
"""Time between two looks at whether to go on."""


class Painters:
    """Processes that draw the figures of one run, each with a matplotlib of its own.

    To be closed, by ``with`` or `close`; they end with the calling process in any case.

    Parameters
    ----------
    count : int
        How many; below 2 none, as one gains nothing over drawing in the calling process.
    """

    def __init__(self, count: int) -> None:
        self._wanted = count if count > 1 else 0
        self._processes: dict[Any, BaseProcess] = {}  # by the connection to each

    @classmethod
    def for_sheets(cls, sheets: int) -> Painters:
        """Return as many as pay for so many sheets on this machine."""
        return cls(min(cores(), sheets, MOST) if sheets >= LEAST_SHEETS else 0)

    @classmethod
    def for_run(cls) -> Painters:
        """Return as many as pay for the figures of a run, of which it is not known yet how many."""
        return cls(min(cores(), MOST))

    def __enter__(self) -> Painters:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start those that do not run yet, without waiting; none where the system starts none."""
        for connection in list(self._processes):
            if not self._processes[connection].is_alive():
                self._drop(connection)
        self._processes |= forked(_load, _serve, self._wanted - len(self._processes))

    def draw(
        self, sheets: Sequence[Sheet], look: Look, go_on: Callable[[], bool]
    ) -> Iterator[tuple[int, list[bytes]]]:
        """Yield the place and the files of each sheet as it is drawn, pages first; then close.

        A sheet is left out if its process dies or raises an error over it, and all that are not
        drawn yet once `go_on` returns False.
        """
        self.start()
        order = sorted(range(len(sheets)), key=lambda place: len(sheets[place].views))
        busy: dict[Any, int | None] = dict.fromkeys(self._processes)  # None: is starting
        try:
            while busy and go_on():
                ready: list[Any] = wait(list(busy), LOOK_SECONDS)
                for connection in ready:
                    place = busy.pop(connection)
                    try:
                        files = connection.recv()
                        if place is None:
                            connection.send((tuple(sheets), look))
                        if order:
                            connection.send(order[-1])
                            busy[connection] = order.pop()
                    except (EOFError, OSError):
                        self._drop(connection)
                        continue
                    if place is not None and files is not None:
                        yield place, files
        finally:
            self.close()

    def close(self) -> None:
        """End all processes, whatever they do."""
        for process in set(self._processes.values()):
            process.terminate()
        for connection in list(self._processes):
            self._drop(connection)

    def _drop(self, connection: Any) -> None:
        """Close a connection, and end its process once no other one leads there."""
        process = self._processes.pop(connection)
        connection.close()
        if process not in self._processes.values():
            process.terminate()
            process.join()


def _load() -> None:
    """Load matplotlib, the fonts and the reader of formulas."""
    gc.disable()  # it would go through the modules again and again
    from engine.figures.files.loading import load_matplotlib

    load_matplotlib()
    from engine.figures import paper

    paper.rehearse()
    gc.freeze()


def _serve(connection: Connection) -> None:
    """Draw the sheets that are asked for until the other end of the connection closes."""
    with contextlib.suppress(EOFError, OSError):
        connection.send(None)
        if not connection.poll(IDLE_SECONDS):
            return
        sheets, look = connection.recv()
        while True:
            sheet = sheets[connection.recv()]
            connection.send(_files(sheet, look))
            if gc.get_count()[0] > MOST_GARBAGE:
                gc.collect()


def _files(sheet: Sheet, look: Look) -> list[bytes] | None:
    """Return the files of a sheet, None where it cannot be drawn: the other side finds out why."""
    from engine.figures.sheets import files_of

    try:
        return files_of(sheet, look)
    except Exception:
        return None
