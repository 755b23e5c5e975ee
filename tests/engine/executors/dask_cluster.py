"""A real Dask scheduler and its workers, processes of their own on the loopback."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TextIO
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 120.0
ENDING = {
    "scheduler": ("--idle-timeout", "600s"),
    "worker": ("--death-timeout", "60"),
}
"""When they end by themselves, where the tests are killed."""
_CONTEXT = multiprocessing.get_context("forkserver")  # they begin with Dask imported
_CONTEXT.set_forkserver_preload(["distributed.cli.dask_scheduler", "distributed.cli.dask_worker"])
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
"""As a worker under a nanny has it: a worker uses no more than its own core."""


class LocalCluster:
    """A scheduler at `address`, and workers that can be killed.

    A job may lose `failures` workers before it is given up.
    """

    def __init__(self, workers: int, failures: int = 2) -> None:
        self._failures = failures
        self._scheduler, said = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", *ENDING["scheduler"]
        )
        self.address = "tcp://" + _part_after(said, "Scheduler at:", "tcp://")
        self.workers: list[BaseProcess] = []
        for _ in range(workers):
            self.add_worker()

    def add_worker(self) -> None:
        """Start another worker, and wait until it is there."""
        options = ("--nthreads", "1", "--no-nanny", "--memory-limit", "0", *ENDING["worker"])
        worker, said = self._start("worker", self.address, "--host", "127.0.0.1", *options)
        _part_after(said, "Registered to", "")
        self.workers.append(worker)

    def close(self) -> None:
        """End all processes."""
        for process in (*self.workers, self._scheduler):
            process.kill()
        for process in (*self.workers, self._scheduler):
            process.join()

    def _start(self, *options: str) -> tuple[BaseProcess, SimpleQueue[str]]:
        hears, says = _CONTEXT.Pipe(duplex=False)
        process = _CONTEXT.Process(target=_serve, args=(says, self._failures, options), daemon=True)
        with patch.dict(os.environ, ONE_THREAD):  # for what the server of forks imports at first
            process.start()
        says.close()
        said: SimpleQueue[str] = SimpleQueue()
        lines = os.fdopen(os.dup(hears.fileno()), encoding="utf-8", errors="replace")
        hears.close()
        threading.Thread(target=_listen, args=(lines, said), daemon=True).start()
        return process, said


def _serve(says: Connection, failures: int, options: tuple[str, ...]) -> None:
    """Be a scheduler or a worker, as the command ``dask`` is, that writes into a pipe."""
    import dask
    from distributed.cli import dask_scheduler, dask_worker

    warnings.simplefilter("ignore")
    os.dup2(says.fileno(), 2)
    says.close()
    os.chdir(ROOT)
    dask.config.set({"distributed.scheduler.allowed-failures": failures})
    command = {"scheduler": dask_scheduler.main, "worker": dask_worker.main}[options[0]]
    command([*options[1:], "--no-dashboard"])


def _listen(lines: TextIO, said: SimpleQueue[str]) -> None:
    with lines:
        for line in lines:
            said.put(line)


def _part_after(said: SimpleQueue[str], words: str, mark: str) -> str:
    """Wait for a line with some words, and return what follows a mark in it."""
    heard = ""
    with contextlib.suppress(Empty):
        while words not in (line := said.get(timeout=PATIENCE)):
            heard += line
        return line.partition(mark)[2].strip() if mark else line
    raise AssertionError(f"it did not start: {heard}")


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[LocalCluster]:
    """Start a scheduler and some workers, and end them."""
    made = LocalCluster(workers)
    try:
        yield made
    finally:
        made.close()
