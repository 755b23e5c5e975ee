"""Analyses of the present run, on a thread of their own: one at a time, the latest wins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from engine.core.beside import keep, recall, writes
from engine.core.ensemble import Progress
from engine.core.errors import LabError
from engine.core.experiment import AbstractExperiment, State
from engine.core.interrupt import Interrupted, watched
from engine.core.params import Params

REST = 0.1
"""Seconds in which the first picture of a run is painted, and another letter may be typed, before
its analysis takes a core."""


def complete(
    experiment: AbstractExperiment[Any, Any], params: Params, state: State[Any], progress: Progress
) -> bool:
    """Make the analysis of a run unless it is kept already; False if it was stopped."""
    key = experiment.analysis_key(params, state.seed)
    if key is None or recall(key) is not None:
        return True
    analysis = experiment.analyse(params, state, progress)
    if analysis is None:
        return False
    keep(key, analysis)
    return True


class Analyst:
    """Makes the analysis that a run asks for while the run goes on.

    Parameters
    ----------
    on_done : callable
        Called on the analyst's thread when an analysis is there, or a part of one was kept.
    """

    def __init__(self, on_done: Callable[[], None]) -> None:
        self._on_done = on_done
        self._key: Hashable = None
        self._stop = threading.Event()
        self._free = threading.Event()
        self._free.set()
        self._thread: threading.Thread | None = None

    @property
    def is_busy(self) -> bool:
        """Whether an analysis is being made."""
        return self._thread is not None and self._thread.is_alive()

    def want(
        self, experiment: AbstractExperiment[Any, Any], params: Params, state: State[Any]
    ) -> None:
        """Begin the analysis of a run, if it is needed and not on its way; drop an older one."""
        key = experiment.analysis_key(params, state.seed)
        if key == self._key:
            return
        self.cancel()
        self._key = key
        if key is None or recall(key) is not None:
            return
        stop = self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._work,
            args=(experiment, params, state, stop),
            name="engine-analyst",
            daemon=True,
        )
        self._thread.start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold an analysis on its way, so that the first picture of a run has Python's lock."""
        self._free.clear()
        try:
            yield
        finally:
            self._free.set()

    def cancel(self) -> None:
        """Stop the analysis on its way; what it finds is dropped."""
        self._stop.set()
        self._key = None

    def close(self) -> None:
        """Stop and wait for the end."""
        self.cancel()
        if self._thread is not None:
            self._thread.join()

    def _work(
        self,
        experiment: AbstractExperiment[Any, Any],
        params: Params,
        state: State[Any],
        stop: threading.Event,
    ) -> None:
        seen = writes()

        def progress(fraction: float, text: str) -> bool:
            nonlocal seen
            self._free.wait()
            if seen != writes() and not stop.is_set():
                seen = writes()
                self._on_done()
            return not stop.is_set()

        if stop.wait(REST):
            return
        try:
            with watched(progress):
                done = complete(experiment, params, state, progress)
        except Interrupted:
            return
        except LabError:
            return  # the run itself says what is wrong with its parameters
        if done and not stop.is_set():
            self._on_done()
