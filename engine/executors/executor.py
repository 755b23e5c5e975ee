"""What every pool of workers offers, whatever it is made of."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, TypeVar

JobT = TypeVar("JobT")
ResultT = TypeVar("ResultT")
Job: TypeAlias = Callable[[Any, JobT, threading.Event], ResultT]
"""Carries out ``function(shared, job, stop)``: a pure function of `shared` and the job.

It may return anything once `stop` is set, and should do so within a tenth of a second.
"""
LOSSES = 3
"""Workers that a job may lose before it is given up."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Executor(ABC):
    """Workers that carry out jobs which depend on nothing but themselves.

    What comes out does not depend on the pool, the number of its workers or the order of the jobs,
    since a job is a pure function of what it is given. A job of a worker that was lost is carried
    out again.

    Attributes
    ----------
    workers : int
        How many jobs are carried out at the same time.
    """

    workers: int

    @abstractmethod
    def run(
        self,
        function: Job[JobT, ResultT],
        shared: Any,
        jobs: Iterable[JobT],
        stop: threading.Event,
    ) -> Iterator[tuple[JobT, ResultT]]:
        """Carry out ``function(shared, job, stop)`` for every job; yield each with its result.

        In whatever order they are done. Jobs are taken from the iterable as workers become free,
        so that it need not fit into memory. Once `stop` is set no more begin, and the iterator
        ends within 0.2 s.

        Parameters
        ----------
        function : callable
            Importable by name where workers are other processes, as are `shared` and the jobs
            picklable; it releases the GIL where they are threads.
        shared : object
            What all jobs have in common; sent to each worker once.
        jobs : iterable
        stop : threading.Event

        Raises
        ------
        LabError
            If a job keeps losing its worker, or the cluster cannot be reached.
        """

    @abstractmethod
    def close(self) -> None:
        """End all workers."""

    def __enter__(self) -> Executor:
        """Return the pool itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """End all workers."""
        self.close()
