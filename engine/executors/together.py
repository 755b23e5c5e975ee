"""Runs of an ensemble: independent jobs on the pool in force, with progress and cancel."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

from engine.core.ensemble import Progress
from engine.executors.executor import Executor, cores
from engine.executors.threads import Threads

T = TypeVar("T")
Job = Callable[[threading.Event], T | None]
"""Makes one run; looks at the event between chunks and returns None once it is set."""

POLL = 0.1
"""Seconds between two looks at the cancel button."""

_in_force: ContextVar[Executor | None] = ContextVar("_in_force", default=None)


@contextlib.contextmanager
def pool_in_force(pool: Executor | None) -> Iterator[None]:
    """Carry out the ensembles of the block on this pool; None for threads."""
    token = _in_force.set(pool)
    try:
        yield
    finally:
        _in_force.reset(token)


def run_all(
    jobs: Sequence[Job[T]], progress: Progress, noun: str = "runs", workers: int | None = None
) -> list[T | None]:
    """Carry out jobs on the pool in force, reporting progress and heeding cancel.

    Parameters
    ----------
    jobs : sequence of callables
        Picklable, with what they return, where the pool is not one of threads.
    progress : callable
        Called about ten times a second from this thread; its False stops the jobs.
    noun : str
        What the progress text counts.
    workers : int, optional
        Threads, where no pool is in force; as many as cores by default.

    Returns
    -------
    list
        One result per job, None for those that were cancelled.
    """
    results: list[T | None] = [None] * len(jobs)
    watch = _Watch(progress, len(jobs), noun)
    with contextlib.ExitStack() as stack:
        pool = _in_force.get()
        if pool is None:
            count = workers or min(len(jobs), cores())
            pool = stack.enter_context(Threads(max(count, 1)))
        for (place, _), result in pool.run(_call, None, enumerate(jobs), watch):
            results[place] = result
            watch.done += 1
    watch.report()
    return results


def _call(shared: None, job: tuple[int, Job[Any]], stop: threading.Event) -> Any:
    return job[1](stop)


class _Watch(threading.Event):
    """Is set once `progress` returned False, which the thread that waits for the jobs asks."""

    def __init__(self, progress: Progress, total: int, noun: str) -> None:
        super().__init__()
        self.done = 0
        self._progress, self._total, self._noun = progress, total, noun
        self._owner, self._asked_at = threading.get_ident(), 0.0

    def is_set(self) -> bool:
        """Return whether the jobs should stop."""
        if threading.get_ident() == self._owner and time.monotonic() - self._asked_at > POLL:
            self.report()
        return super().is_set()

    def report(self) -> None:
        """Report how many jobs are done, and hear whether the others should stop."""
        self._asked_at = time.monotonic()
        share = self.done / max(self._total, 1)
        if not self._progress(share, f"{self.done} of {self._total} {self._noun}"):
            self.set()
