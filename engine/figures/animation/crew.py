"""Processes that draw the shots of an animation in turn.

Each computes what its own shots are drawn from, so that nothing but finished pictures goes from one
process to another. What a process leaves undone is done in this one.
"""

from __future__ import annotations

import contextlib
import gc
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np

from engine.core.interrupt import Interrupted
from engine.figures.animation.film import Film
from engine.figures.animation.stage import Pixels
from engine.figures.animation.studio import Studio
from engine.figures.children import MOST, cores, end, started
from engine.figures.steady import Steady

LEAST_SHOTS = 20
"""Shots from which processes gain more than they take to start."""
LOOK_SECONDS = 0.1
"""Time between two looks at whether to go on."""

COLLECT_EVERY = 40
"""Shots between two collections of what was drawn for former ones."""

GoOn = Callable[[], bool]


class Crew:
    """Draws the shots of an animation, whatever its number of workers the same pictures.

    To be closed, by ``with`` or `close`.

    Parameters
    ----------
    film : Film
    workers : int, optional
        Processes; by default as many as pay for it on this machine. Below 2 all is drawn here.
    """

    def __init__(self, film: Film, workers: int | None = None) -> None:
        self._film = film
        self._count = len(film.shots)
        if workers is None:
            workers = min(cores(), MOST) if self._count >= LEAST_SHOTS else 0
        self._workers: list[tuple[Any, BaseProcess] | None] = []
        if workers > 1:
            self._workers += started(_serve, workers).items()
        for number, worker in enumerate(self._workers):
            self._send(number, (film, number, len(self._workers)), worker)
        self._studio: Studio | None = None
        self._steady: Steady | None = None

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def extents(self, go_on: GoOn) -> Iterator[Steady]:
        """Yield the ends and legends that each shot would have by itself.

        Raises
        ------
        Interrupted
            Once `go_on` returns False.
        LabError
            If a run cannot be made.
        """
        for number in range(self._count):
            found = self._answer(number, go_on)
            yield self._own().extents(number) if found is None else found

    def pictures(self, steady: Steady, go_on: GoOn) -> Iterator[Pixels]:
        """Yield the shots in their order (raises as `extents`, which is to be exhausted before)."""
        self._steady = steady
        if self._studio is not None:
            self._studio.begin(steady)
        for number, worker in enumerate(self._workers):
            self._send(number, steady, worker)
        width, height = self._film.size
        for number in range(self._count):
            data = self._answer(number, go_on)
            if data is None:
                yield self._own().picture(number)
            else:
                yield np.frombuffer(data, np.uint8).reshape(height, width, 3)

    def close(self) -> None:
        """End all processes, whatever they do."""
        for worker in self._workers:
            if worker is not None:
                end(*worker)
        self._workers = []
        if self._studio is not None:
            self._studio.close()

    def _own(self) -> Studio:
        """Return what draws in this process."""
        if self._studio is None:
            self._studio = Studio(self._film)
            if self._steady is not None:
                self._studio.begin(self._steady)
        return self._studio

    def _send(self, number: int, message: Any, worker: tuple[Any, BaseProcess] | None) -> None:
        if worker is not None:
            try:
                worker[0].send(message)
            except OSError:
                self._drop(number)

    def _answer(self, number: int, go_on: GoOn) -> Any:
        """Wait for what the worker of a shot sends; None if it is lost or could not do it."""
        if not go_on():
            raise Interrupted
        place = number % len(self._workers) if self._workers else 0
        worker = self._workers[place] if self._workers else None
        if worker is None:
            return None
        try:
            while not worker[0].poll(LOOK_SECONDS):
                if not go_on():
                    raise Interrupted
            found = worker[0].recv()
        except (EOFError, OSError):
            found = None
        if found is None:
            self._drop(place)
        return found

    def _drop(self, number: int) -> None:
        worker, self._workers[number] = self._workers[number], None
        if worker is not None:
            end(*worker)


def _serve(connection: Connection) -> None:
    """Measure and draw every so many shots, until the other end of the connection closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        film, first, stride = connection.recv()
        gc.disable()  # it would go through the modules again and again
        gc.freeze()
        numbers = range(first, len(film.shots), stride)
        try:
            studio = Studio(film)
            for number in numbers:
                connection.send(studio.extents(number))
                _collect(number)
            studio.begin(connection.recv())
            for number in numbers:
                connection.send(studio.picture(number).tobytes())
                _collect(number)
        except (EOFError, OSError):
            raise
        except Exception:  # the other side finds out why
            connection.send(None)
            return
        with contextlib.suppress(EOFError):
            connection.recv()  # the other end closes when it has all


def _collect(number: int) -> None:
    """Free what was drawn, now and then."""
    if number % COLLECT_EVERY < 2:
        gc.collect()
