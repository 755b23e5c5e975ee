"""Processes that draw: how many, and how they are started.

Where processes can be forked, one loads what drawing needs and forks the others, which have it
then. It is started anew, so that it has no threads, no locks and no more of the caller's memory.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

MOST = 6
"""Processes at most, of about 150 MB each."""


CAN_FORK = sys.platform == "linux"
"""Elsewhere the libraries of the system do not go well with it, or there is no such thing."""


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


def forked(
    load: Callable[[], None], serve: Callable[[Any], None], count: int
) -> dict[Any, BaseProcess]:
    """Start processes that load the same, by the connection to each (as `started`).

    Where processes can be forked, several connections have the same process: its children end with
    it.

    Parameters
    ----------
    load : callable
        What each carries out before; importable by name.
    serve : callable
        What each carries out then, given the other end of its connection; importable by name.
    count : int
    """
    context = multiprocessing.get_context("spawn")
    shared = CAN_FORK and count > 1
    refused = (OSError, RuntimeError, AssertionError)
    processes: dict[Any, BaseProcess] = {}
    with contextlib.suppress(*refused), _interrupts_held_back():
        for size in [count] if shared else [1] * count:
            pipes = [context.Pipe() for _ in range(size)]
            there = [pipe[1] for pipe in pipes]
            process = context.Process(
                target=_load_and_serve, args=(load, serve, there), daemon=True
            )
            process.start()
            for here, other in pipes:
                other.close()
                processes[here] = process
    return processes


def _load_and_serve(
    load: Callable[[], None], serve: Callable[[Any], None], connections: list[Any]
) -> None:
    """Load, fork a process for each connection but the last, and serve the last."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        load()
    except Exception:  # the caller draws by itself and finds out why
        return
    children: list[int] = []
    while len(connections) > 1:
        connection = connections.pop()
        try:
            child = os.fork()
        except OSError:  # the caller sees the connection close and does with fewer
            connection.close()
            continue
        if not child:
            for other in connections:  # whose other end shall see it close
                other.close()
            try:
                serve(connection)
            finally:
                os._exit(0)
        connection.close()
        children.append(child)
    signal.signal(signal.SIGTERM, lambda *_: _exit_with(children))
    serve(connections[0])
    connections[0].close()
    for child in children:
        os.waitpid(child, 0)


def _exit_with(children: Sequence[int]) -> None:
    """End this process and its children at once."""
    for child in children:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    os._exit(0)


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
