"""Workers of a Dask cluster, on this machine or on others."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import pickle
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from functools import lru_cache
from importlib import import_module
from itertools import islice
from typing import Any

from engine.core.errors import InputError, LabError
from engine.core.packages import require
from engine.core.versions import fingerprint
from engine.executors.executor import Executor, Job, JobT, ResultT
from engine.executors.portable import portable

POLL = 0.005
"""Seconds between two looks for results."""
AHEAD = 2
"""Batches a worker that are handed out before they are begun, so that none waits for the net."""
PATIENCE = 15.0
"""Seconds within which a scheduler must answer, and a worker be there."""
LEAVING = 2.0
"""Seconds within which the workers must have heard that their jobs are not wanted any more."""
BATCH_SECONDS = 0.2
"""Time of the jobs that are sent together, so that sending them takes a small part of it."""
LARGEST_BATCH = 64
SMALL = 2**17
"""Bytes of what all jobs have in common that are sent with every task."""
RULE = "give the address of a Dask scheduler, such as tcp://localhost:8786"


class Cluster(Executor):
    """Workers of a Dask cluster, whose number may change at any time.

    Dask gives the jobs of a lost worker to another.

    Parameters
    ----------
    address : str
        Of the scheduler, as ``tcp://host:8786``.
    patience : float, optional
        Seconds to wait for its answer and for a worker.

    Raises
    ------
    InputError
        If no scheduler answers there.
    LabError
        If it has no workers, or they run another version of the program.
    MissingPackageError
        If `distributed` is not installed.
    """

    def __init__(self, address: str, patience: float = PATIENCE) -> None:
        require("distributed", what="--scheduler", install="uv sync --extra cluster")
        self._address = address
        self._client = _connect(address, patience)
        try:
            _check_workers(self._client, address, patience)
        except BaseException:
            self._client.close()
            raise
        self._threads = 1
        self._counted_at = 0.0
        self._leaving: Future[None] | None = None

    @property
    def workers(self) -> int:  # type: ignore[override]  # it changes as workers come and go
        """Threads of all workers that are there."""
        if time.monotonic() - self._counted_at > 1.0:
            with contextlib.suppress(OSError):  # that the scheduler is gone is found in `run`
                self._threads = max(1, sum(self._client.nthreads().values()))
            self._counted_at = time.monotonic()
        return self._threads

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
            If a job keeps losing its worker, or the scheduler goes away; whatever a job raises.
        """
        distributed: Any = import_module("distributed")

        token, payload = uuid.uuid4().hex, pickle.dumps((function, shared))
        # Sent with each task, since Dask would rather keep tasks on the worker that has what they
        # need than use one that is free. Where it is large it is a task, too, so that Dask makes
        # it again where the last worker that has it is lost.
        is_small = len(payload) <= SMALL
        common = payload if is_small else self._client.submit(bytes, payload, pure=False)
        done = distributed.as_completed(
            with_results=True, raise_errors=False, loop=self._client.loop
        )
        pending: dict[Any, list[JobT]] = {}
        waiting, size = iter(jobs), _BatchSize()
        try:
            while not stop.is_set():
                while len(pending) < AHEAD * self.workers:
                    batch = list(islice(waiting, size.jobs))
                    if not batch:
                        break
                    future = self._client.submit(
                        _carry_out, common, fingerprint(), batch, token, pure=False
                    )
                    pending[future] = batch
                    done.add(future)
                if not pending:
                    return
                if not done.has_ready():
                    self._check_scheduler()
                    stop.wait(POLL)
                    continue
                for future, result in done.next_batch(block=False):
                    batch = pending.pop(future)
                    results, seconds = self._result(future, result, batch)
                    size.learn(len(batch), seconds)
                    for answer in zip(batch, results, strict=True):
                        if stop.is_set():
                            return
                        yield answer
        finally:
            if pending:
                self._abandon(list(pending), token)

    def _result(
        self, future: Any, result: Any, batch: Sequence[Any]
    ) -> tuple[Sequence[Any], float]:
        """Return what a batch came to, or raise what went wrong with it."""
        distributed: Any = import_module("distributed")

        if future.status == "finished":
            results, seconds, error = result
            if error is not None:
                raise error
            return results, seconds
        if future.status != "error":
            raise self._gone()
        error = result[1]
        if isinstance(error, distributed.KilledWorker):
            raise LabError(
                f"A job was given up, because {error.allowed_failures + 1} workers of the cluster "
                f"ended while they carried it out: {batch[0]}."
            ) from error
        raise error

    def _check_scheduler(self) -> None:
        """Raise if the scheduler went away, and was not back for some time."""
        if self._client.status in ("closing", "closed"):
            raise self._gone()

    def _gone(self) -> LabError:
        return LabError(f"The scheduler at {self._address} went away.")

    def _abandon(self, futures: list[Any], token: str) -> None:
        """Stop batches, without waiting for their ends."""
        client = self._client

        async def abandon() -> None:
            with contextlib.suppress(Exception):  # of a scheduler that went away
                await client.run(_stop, token, on_error="ignore")
                await client.cancel(futures)

        loop = client.loop.asyncio_loop
        self._leaving = asyncio.run_coroutine_threadsafe(abandon(), loop)

    def close(self) -> None:
        """Leave the cluster, which goes on."""
        if self._leaving is not None:
            wait([self._leaving], LEAVING)
        self._client.close(timeout=LEAVING)


class _BatchSize:
    """How many jobs are sent together, learned from the time that earlier ones took."""

    def __init__(self) -> None:
        self.jobs = 1

    def learn(self, count: int, seconds: float) -> None:
        """Take a batch into account: the next one is at most twice as large."""
        fitting = int(BATCH_SECONDS * count / max(seconds, 1e-9))
        self.jobs = max(1, min(fitting, 2 * count, LARGEST_BATCH))


def _connect(address: str, patience: float) -> Any:
    _check_address(address, patience)
    distributed: Any = import_module("distributed")  # which has no types
    for name in [*logging.root.manager.loggerDict]:
        if name.partition(".")[0] in ("distributed", "tornado"):  # what they log is in sentences
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        return distributed.Client(address, timeout=patience, set_as_default=False)
    except (OSError, ValueError, TimeoutError, TypeError):
        refusal = _no_scheduler(address)
    gc.collect()  # what is left of the client must not be collected while another one begins
    raise refusal


def _check_address(address: str, patience: float) -> None:
    """Check that a scheduler listens at an address; a client waits for anything else for ever.

    It speaks first, and its messages begin with their length.
    """
    form = r"(?:(tcp|tls)://)?(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):(\d{1,5})"
    found = re.fullmatch(form, address)
    if found is None:
        raise InputError("--scheduler", address, RULE)
    place = found[2].strip("[]"), int(found[3])
    try:
        with socket.create_connection(place, patience) as line:
            heard = b"" if found[1] == "tls" else line.recv(8, socket.MSG_WAITALL)
    except (OSError, OverflowError, UnicodeError):
        raise _no_scheduler(address) from None
    if found[1] != "tls" and not 0 < int.from_bytes(heard, "little") < _LONGEST_GREETING:
        raise _no_scheduler(address)


def _no_scheduler(address: str) -> InputError:
    return InputError("--scheduler", address, f"no scheduler answers there; {RULE}")


def _check_workers(client: Any, address: str, patience: float) -> None:
    """Check that there is a worker, and that all have this version of the program."""
    try:
        client.wait_for_workers(1, timeout=patience)
    except TimeoutError:
        raise LabError(f"The scheduler at {address} has no workers.") from None
    try:
        found = {client.run_on_scheduler(_version), *client.run(_version).values()}
    except Exception:  # whatever another version answers
        raise LabError(
            f"The scheduler at {address} or its workers do not find this program; start them in "
            "its folder, by python -m dask scheduler and python -m dask worker."
        ) from None
    if found != {fingerprint()}:
        raise LabError(_OTHER_VERSION)


_LONGEST_GREETING = 2**20
_OTHER_VERSION = (
    "The scheduler or a worker of the cluster runs another version of the program or of its "
    "packages, so that results might differ; give all the same."
)

# In a worker

_stops: dict[str, threading.Event] = {}


def _version() -> str:
    """Return what identifies the program of a worker."""
    return fingerprint()


@lru_cache(maxsize=4)
def _load(payload: bytes, version: str) -> tuple[Job[Any, Any], Any]:
    """Return a function and what all jobs have in common."""
    if version != fingerprint():
        raise LabError(_OTHER_VERSION)
    function, shared = pickle.loads(payload)
    return function, shared


def _carry_out(
    payload: bytes, version: str, batch: Sequence[Any], token: str
) -> tuple[list[Any], float, Exception | None]:
    """Carry out some jobs; return their results, how long they took, and what one raised."""
    stop = _stops.setdefault(token, threading.Event())
    begin = time.perf_counter()
    results: list[Any] = []
    for job in batch:
        if stop.is_set():
            break
        try:
            function, shared = _load(payload, version)
            results.append(function(shared, job, stop))
        except Exception as error:
            return results, time.perf_counter() - begin, portable(error)
    return results, time.perf_counter() - begin, None


def _stop(token: str) -> None:
    """Stop the jobs of a call of `Cluster.run`, from the loop of the worker."""
    _stops.setdefault(token, threading.Event()).set()
