"""Kernels compiled in processes of their own, so that the engine thread has none to wait for.

Compiling holds Python's lock most of the time and cannot be interrupted: in the window's own
process it makes every frame late, and another experiment has to wait for it. A process leaves what
it has compiled in the cache on disk, and is ended when its kernels are not wanted any more.
"""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import pickle
from enum import Enum
from multiprocessing.connection import Connection
from typing import Any

from engine.core.compiled import Compiling, compile_kernels, observe_compiling
from engine.core.experiment import AbstractExperiment
from engine.run.run import Run
from engine.run.session import Session

NICENESS = 5
"""How far a process stands back behind the window and the first picture, where that is known."""


class Part(Enum):
    """Which kernels a process compiles: those of a first picture, or those of the steps."""

    PICTURE = "picture"
    STEPS = "steps"


class Warming:
    """Processes that compile the kernels of an experiment, one for each part.

    Parameters
    ----------
    kind : type of AbstractExperiment
        A class that another process can import.
    parts : Part
        What to compile, at once.

    Attributes
    ----------
    compiled : set of str
        Names of the kernels that are compiled.
    """

    def __init__(self, kind: type[AbstractExperiment[Any, Any]], *parts: Part) -> None:
        self.compiled: set[str] = set()
        self._processes = {part: _start(kind, part) for part in parts}

    def is_done(self, *parts: Part) -> bool:
        """Return whether parts, or all of them, are compiled, or their processes failed."""
        at_work = {part for part in self._processes if self._hear(part)}
        return at_work.isdisjoint(parts or tuple(Part))

    def close(self) -> None:
        """End the processes; what they have compiled so far is kept."""
        for process, reports in self._processes.values():
            process.terminate()
            process.join()
            reports.close()
        self._processes.clear()

    def _hear(self, part: Part) -> bool:
        """Take what a process reports; returns whether it is still at work."""
        process, reports = self._processes[part]
        try:
            while reports.poll():
                self.compiled.add(reports.recv_bytes().decode())
        except (EOFError, OSError):
            return False
        return process.is_alive()


def is_importable(kind: type[AbstractExperiment[Any, Any]]) -> bool:
    """Return whether another process can make the experiment."""
    try:
        pickle.dumps(kind)
    except (pickle.PicklingError, AttributeError):
        return False
    return kind.__module__ != "__main__"


def _start(
    kind: type[AbstractExperiment[Any, Any]], part: Part
) -> tuple[multiprocessing.process.BaseProcess, Connection]:
    context = multiprocessing.get_context("spawn")
    reports, to_parent = context.Pipe(duplex=False)
    process = context.Process(
        target=_compile,
        args=(kind, part.value, to_parent),
        daemon=True,
        name=f"compile {part.value}",
    )
    process.start()
    to_parent.close()  # the process holds the only one now: its end is the end of the reports
    return process, reports


def _compile(kind: type[AbstractExperiment[Any, Any]], part: str, reports: Connection) -> None:
    """Compile a part of an experiment's kernels, in a process of its own.

    An error is left to the engine thread, which meets it again where it can be shown.
    """
    gc.disable()  # a twentieth of the time, in a process that ends soon
    observe_compiling(lambda name: reports.send_bytes(name.encode()))
    with contextlib.suppress(Exception, KeyboardInterrupt):
        experiment = kind()
        if Part(part) is Part.STEPS:
            if hasattr(os, "nice"):
                os.nice(NICENESS)
            with compile_kernels(Compiling.ALWAYS):
                experiment.warm_up()
        else:
            session = Session(experiment, experiment.parameters(), 0)
            Run(session, lambda dropped: "").show(force=True)
