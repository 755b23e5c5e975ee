"""Where a network is trained: the device, the cores, and what to say when memory runs out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Literal

import torch

from engine.core.errors import InputError, LabError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
DEVICES: tuple[DeviceName, ...] = ("auto", "cpu", "cuda", "mps")

_SIGNS = ("not enough memory", "out of memory", "status_alloc_failed")
"""What torch, CUDA and cuBLAS write where memory runs out, in small letters."""
MOST_WORKERS = 8
"""Threads used on the CPU at most; more gain nothing against the memory's speed."""


def is_there(name: DeviceName) -> bool:
    """Return whether this machine has a device; the CPU and what is chosen by itself always are."""
    if name == "cuda":
        return bool(torch.cuda.is_available())
    return name != "mps" or bool(torch.backends.mps.is_available())


def choose(name: DeviceName, allowed: Sequence[DeviceName] = DEVICES) -> torch.device:
    """Choose the device: CUDA, then MPS, then the CPU, unless one is named.

    Parameters
    ----------
    name : str
    allowed : sequence of str
        What the experiment takes, named in the sentence if the device is not there.

    Raises
    ------
    InputError
        If the named device is not there.
    """
    if name == "auto":
        return torch.device("cuda" if is_there("cuda") else "mps" if is_there("mps") else "cpu")
    if not is_there(name):
        there = " or ".join(other for other in allowed if is_there(other))
        rule = f"give {there}, as this machine has no {name.upper()} device"
        raise InputError("device", name, rule)
    return torch.device(name)


def describe(device: torch.device) -> str:
    """Name a device for the status line."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    if device.type == "mps":
        return "Apple GPU"
    count = cores()
    return f"CPU, {count} core{'s' if count > 1 else ''}"


def free_memory(device: torch.device) -> int | None:
    """Return the bytes that can still be had on a GPU with CUDA, None elsewhere."""
    if device.type != "cuda":
        return None
    free: int = torch.cuda.mem_get_info(device)[0]
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def explain_memory(advice: str, what: str = "this network") -> Iterator[None]:
    """Turn running out of memory into one sentence.

    Parameters
    ----------
    advice : str
        End of the sentence: what to do.
    what : str
        What the memory is too small for.

    Raises
    ------
    LabError
        If the block runs out of memory.
    """
    try:
        yield
    except MemoryError:
        message = f"The memory is too small for {what}: {advice}."
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        message = f"The GPU's memory is too small for {what}: {advice}."
    except RuntimeError as error:
        text = str(error).lower()
        if not any(sign in text for sign in _SIGNS):
            raise
        message = f"The memory is too small for {what}: {advice}."
    else:
        return
    raise LabError(message)


class Workers:
    """A few threads that share the tasks of one parallel section.

    Each thread runs torch single-threaded: its own tasks keep a core busy, and unlike the threads
    inside one matrix product they never spin at a barrier, so other programs, the window for one,
    lose them little time.

    Parameters
    ----------
    count : int
        Threads, the calling one included.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        torch.set_num_threads(1)
        self._pool = (
            ThreadPoolExecutor(
                count - 1, "lab-worker", initializer=torch.set_num_threads, initargs=(1,)
            )
            if count > 1
            else None
        )

    def run(self, tasks: int, work: Callable[[int, int], None]) -> None:
        """Call ``work(worker, task)`` for every task; which worker takes which task is open."""
        shared = iter(range(tasks))  # taking from it is one operation under the GIL
        if self._pool is None or tasks == 1:
            _drain(0, shared, work)
            return
        helpers: list[Future[None]] = [
            self._pool.submit(_drain, worker, shared, work)
            for worker in range(1, min(self.count, tasks))
        ]
        try:
            _drain(0, shared, work)
        finally:
            for _ in shared:
                pass  # after an error nobody needs the tasks that are left
            for helper in helpers:
                helper.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown()


def _drain(worker: int, tasks: Iterator[int], work: Callable[[int, int], None]) -> None:
    for task in tasks:
        work(worker, task)


@cache
def workers() -> Workers:
    """Return the threads of this process, one per core; made at first use and kept."""
    return Workers(min(cores(), MOST_WORKERS))
