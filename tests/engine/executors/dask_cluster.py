"""A real Dask scheduler and its workers, processes of their own on the loopback."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 120.0
ENDING = {
    "scheduler": ("--idle-timeout", "600s"),
    "worker": ("--death-timeout", "60"),
}
"""When they end by themselves, where the tests are killed."""
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
        self.workers: list[subprocess.Popen[str]] = []
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
            process.wait()

    def _start(self, *options: str) -> tuple[subprocess.Popen[str], SimpleQueue[str]]:
        environment = {
            **os.environ,
            **ONE_THREAD,
            "PYTHONPATH": str(ROOT),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(self._failures),
        }
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "dask", *options, "--no-dashboard"],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        said: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=_listen, args=(process, said), daemon=True).start()
        return process, said


def _listen(process: subprocess.Popen[str], said: SimpleQueue[str]) -> None:
    with process.stderr as lines:  # type: ignore[union-attr]
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
