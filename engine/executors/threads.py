"""Threads of this process, for jobs that release the GIL."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import Any

from engine.executors.executor import Executor, Job, JobT, ResultT, cores

POLL = 0.05
"""Seconds between two looks at the event that stops the jobs."""
AHEAD = 2
"""Jobs a worker that are handed out before they are begun, so that no worker waits."""


class Threads(Executor):
    """Threads of this process.

    Parameters
    ----------
    workers : int, optional
        As many as cores by default.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or cores()
        self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="engine-worker")

    def run(
        self,
        function: Job[JobT, ResultT],
        shared: Any,
        jobs: Iterable[JobT],
        stop: threading.Event,
    ) -> Iterator[tuple[JobT, ResultT]]:
        """Carry out jobs as `Executor.run` says; the iterator ends once those in hand are done."""
        waiting = iter(jobs)
        pending: dict[Future[ResultT], JobT] = {}
        ending = _Either(stop)
        try:
            while not stop.is_set():
                for job in islice(waiting, AHEAD * self.workers - len(pending)):
                    pending[self._pool.submit(function, shared, job, ending)] = job
                if not pending:
                    return
                for future in wait(pending, POLL, FIRST_COMPLETED).done:
                    result = future.result()
                    if stop.is_set():
                        return
                    yield pending.pop(future), result
        finally:
            ending.set()  # also where a job raised, or whoever takes the results went away
            for future in pending:
                future.cancel()
            wait(pending)

    def close(self) -> None:
        """End all workers."""
        self._pool.shutdown(cancel_futures=True)


class _Either(threading.Event):
    """Is set when it is set itself, or another event is."""

    def __init__(self, other: threading.Event) -> None:
        super().__init__()
        self._other = other

    def is_set(self) -> bool:
        """Return whether one of the two is set."""
        return super().is_set() or self._other.is_set()
