"""Processes that draw: how many, and how they are started."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from typing import Any

MOST = 6
"""Processes at most, of about 150 MB each."""


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def started(serve: Callable[[Any], None], count: int) -> dict[Any, BaseProcess]:
    """Start processes, by the connection to each; fewer, or none, where the system refuses.

    Parameters
    ----------
    serve : callable
        What each carries out, given the other end of its connection; importable by name.
    count : int
    """
    context = multiprocessing.get_context("spawn")
    refused = (OSError, RuntimeError, AssertionError)  # the last one within such a process
    processes: dict[Any, BaseProcess] = {}
    with contextlib.suppress(*refused), _interrupts_held_back():
        for _ in range(count):
            here, there = context.Pipe()
            process = context.Process(target=serve, args=(there,), daemon=True)
            process.start()
            there.close()
            processes[here] = process
    return processes


def end(connection: Any, process: BaseProcess) -> None:
    """End a process, whatever it does."""
    connection.close()  # which ends a process that waits for work
    process.terminate()
    process.join()


@contextlib.contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Make processes that are started deaf to Ctrl+C, which the terminal sends to all of them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
