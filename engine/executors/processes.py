"""Processes of this machine, for jobs that hold Python's lock, such as whole runs."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic

from engine.core.errors import LabError
from engine.executors.executor import LOSSES, Executor, Job, JobT, ResultT, cores
from engine.executors.portable import portable

POLL = 0.05
"""Seconds between two looks at the event that stops the jobs."""
GRACE = 0.1
"""Seconds that a worker has to end its job once it should stop; after them it is killed."""

_ORDER, _JOB, _STOP = "order", "job", "stop"
_READY, _DONE, _ERROR = "ready", "done", "error"
"""What a parent says to a worker, and a worker to its parent."""

_CONTEXT = multiprocessing.get_context("spawn")
_UNHEARD = {getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name)}
"""Signals of a terminal to all that was started there: the parent decides what they mean."""


class Processes(Executor):
    """Processes of this machine, which are started when they are first needed and then kept.

    One that dies is replaced, and its job carried out again.

    Parameters
    ----------
    workers : int, optional
        As many as cores by default.
    niceness : int, optional
        How far they stand back behind other processes, such as a window.
    """

    def __init__(self, workers: int | None = None, niceness: int = 0) -> None:
        self.workers = workers or cores()
        self._niceness = niceness
        self._idle: list[_Worker] = []

    def run(
        self,
        function: Job[JobT, ResultT],
        shared: Any,
        jobs: Iterable[JobT],
        stop: threading.Event,
    ) -> Iterator[tuple[JobT, ResultT]]:
        """Carry out jobs as `Executor.run` says.

        Raises
        ------
        LabError
            If a job loses three workers, or no worker starts; whatever a job raises.
        """
        order = pickle.dumps((function, shared))
        crew = _Crew[JobT, ResultT](order, iter(jobs), self.workers, self._niceness, self._idle)
        try:
            while not stop.is_set() and crew.assign():
                for job, answer in crew.answers(POLL):
                    if stop.is_set():
                        break
                    yield job, answer
        finally:
            self._idle = crew.dismiss()

    def close(self) -> None:
        """End all workers."""
        for worker in self._idle:
            worker.end()
        self._idle = []


@dataclass
class _Held(Generic[JobT]):
    """A job, and how many workers it has lost."""

    job: JobT
    losses: int = 0


@dataclass(eq=False)
class _Worker:
    """A process, the line to it, the job that it holds, and the order that it has had."""

    process: BaseProcess
    line: Connection
    is_ready: bool = False
    held: _Held[Any] | None = None
    order: bytes = b""

    @classmethod
    def start(cls, niceness: int) -> _Worker:
        """Start a process that does not hear the signals of the terminal."""
        line, of_worker = _CONTEXT.Pipe()
        process = _CONTEXT.Process(
            target=_serve, args=(of_worker, niceness), daemon=True, name="lab worker"
        )
        with _deaf():
            process.start()
        of_worker.close()  # the process holds the only one now: its end is the end of the line
        return cls(process, line)

    def end(self) -> int | None:
        """End the process, at once if it does not end by itself, and return its status."""
        self.line.close()  # which a worker takes for its own end
        self.process.join(GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        status = self.process.exitcode
        self.process.close()
        return status


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Block the signals of a terminal in this thread, and so in a process that it starts."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _UNHEARD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass
class _Crew(Generic[JobT, ResultT]):
    """The workers during one call of `Processes.run`.

    Attributes
    ----------
    order : bytes
        The pickled function and what all jobs have in common.
    jobs : iterator
        Those that are not taken yet.
    most : int
        Workers at most.
    niceness : int
    workers : list
        Those that are there.
    """

    order: bytes
    jobs: Iterator[JobT]
    most: int
    niceness: int
    workers: list[_Worker]
    next: deque[_Held[JobT]] = field(default_factory=deque)
    stillborn: int = 0

    def assign(self) -> bool:
        """Send every free worker a job and start workers that are missing; False at the end."""
        missing = max(self.most - len(self.next), 0)
        self.next.extend(map(_Held, islice(self.jobs, missing)))
        for worker in self.workers:
            if worker.is_ready and worker.held is None and self.next:
                self._give(worker, self.next.popleft())
        starting = sum(not worker.is_ready for worker in self.workers)
        wanted = min(self.most - len(self.workers), len(self.next) - starting)
        self.workers += [_Worker.start(self.niceness) for _ in range(wanted)]
        return bool(self.next) or any(worker.held for worker in self.workers)

    def _give(self, worker: _Worker, held: _Held[JobT]) -> None:
        worker.held = held
        with contextlib.suppress(OSError):  # it has just died, which `answers` will find
            if worker.order is not self.order:
                worker.line.send((_ORDER, self.order))
                worker.order = self.order
            worker.line.send((_JOB, held.job))

    def answers(self, seconds: float) -> Iterator[tuple[JobT, ResultT]]:
        """Wait for what workers say, at most so long, and yield the jobs that are done."""
        for worker in _heard(self.workers, seconds):
            try:
                word, value = worker.line.recv()
            except (OSError, EOFError):
                self._lose(worker)
                continue
            if word == _READY:
                worker.is_ready, self.stillborn = True, 0
                continue
            held, worker.held = worker.held, None
            if word == _ERROR:
                raise value
            if held is not None:
                yield held.job, value

    def _lose(self, worker: _Worker) -> None:
        """Remove a worker that died; its job is the next."""
        self.workers.remove(worker)
        status, held = worker.end(), worker.held
        self.stillborn += not worker.is_ready
        if self.stillborn >= LOSSES:
            raise LabError(
                f"No worker process starts: {LOSSES} ended at once, the last with status {status}."
            )
        if held is None:
            return
        held.losses += 1
        if held.losses >= LOSSES:
            raise LabError(
                f"A job was given up, because {LOSSES} worker processes ended while they carried "
                f"it out, the last with status {status}: {held.job}."
            )
        self.next.appendleft(held)

    def dismiss(self) -> list[_Worker]:
        """Stop all jobs, end the workers that do not obey in time, and return the others."""
        for worker in self.workers:
            if worker.held is not None:
                with contextlib.suppress(OSError):
                    worker.line.send((_STOP, None))
        end = time.monotonic() + GRACE
        while busy := [worker for worker in self.workers if worker.held is not None]:
            heard = _heard(busy, max(end - time.monotonic(), 0.0))
            for worker in heard:
                try:
                    worker.line.recv()
                    worker.held = None
                except (OSError, EOFError):
                    self.workers.remove(worker)
                    worker.end()
            if not heard:
                break
        for worker in busy:
            worker.process.kill()
            worker.end()
        return [worker for worker in self.workers if worker not in busy]


def _heard(workers: Iterable[_Worker], seconds: float) -> list[_Worker]:
    """Wait for something to read from some workers, at most so long, and return those."""
    lines = {worker.line: worker for worker in workers}
    ready = wait(list(lines), seconds)
    return [worker for line, worker in lines.items() if line in ready]


# In the worker


@dataclass(frozen=True, slots=True)
class _Order:
    """A job, or what all jobs that follow have in common."""

    word: str
    content: Any
    stop: threading.Event


def _serve(line: Connection, niceness: int) -> None:
    """Carry out jobs until the other end of the line is closed."""
    for number in _UNHEARD:
        signal.signal(number, signal.SIG_IGN)
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    inbox: queue.SimpleQueue[_Order] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(line, inbox), daemon=True).start()
    line.send((_READY, None))
    common = b""
    while True:
        order = inbox.get()
        if order.word == _ORDER:
            common = order.content
            loaded: Any = None
            continue
        try:
            loaded = loaded or pickle.loads(common)
            function, shared = loaded
            answer = _DONE, function(shared, order.content, order.stop)
        except Exception as error:
            answer = _ERROR, portable(error)
        try:
            line.send(answer)
        except OSError:  # nobody waits for it any more
            os._exit(0)


def _listen(line: Connection, inbox: queue.SimpleQueue[_Order]) -> None:
    """Hear what the parent says while a job is carried out, and end with it."""
    stop = threading.Event()
    while True:
        try:
            word, content = line.recv()
        except (OSError, EOFError):
            os._exit(0)
        if word == _STOP:
            stop.set()
            continue
        if stop.is_set():  # that was for the jobs before this one
            stop = threading.Event()
        inbox.put(_Order(word, content, stop))
