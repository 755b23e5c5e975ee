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
from collections.abc import Callable
from enum import Enum
from multiprocessing.connection import Connection
from typing import Any

from engine.core.compiled import Compiling, NotCompiled, compile_kernels, observe_compiling
from engine.core.experiment import AbstractExperiment
from engine.run.run import Run
from engine.run.session import Session

NICENESS = 5
"""How far a process stands back behind the window and the first picture, where that is known."""


class Part(Enum):
    """Which kernels a process compiles: those of a first picture, or those of the steps."""

    PICTURE = "picture"
    STEPS = "steps"


class Compiler:
    """A process that compiles kernels.

    Parameters
    ----------
    target : callable
        What it does, importable by name; it gets `args` and where to send the names of kernels.
    args : tuple
    name : str
        Of the process.

    Attributes
    ----------
    compiled : set of str
        Names of the kernels that it has compiled.

    Raises
    ------
    OSError
        If there can be no other process.
    """

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], name: str) -> None:
        self.compiled: set[str] = set()
        context = multiprocessing.get_context("spawn")
        self._reports, to_parent = context.Pipe(duplex=False)
        self._process = context.Process(
            target=target, args=(*args, to_parent), daemon=True, name=name
        )
        self._process.start()
        to_parent.close()  # the process holds the only one now: its end is the end of the reports

    def is_at_work(self) -> bool:
        """Take what it reports; returns whether it is still at work."""
        try:
            while self._reports.poll():
                self.compiled.add(self._reports.recv_bytes().decode())
        except (EOFError, OSError):
            return False
        return self._process.is_alive()

    def close(self) -> None:
        """End it; what it has compiled so far is kept."""
        self._process.terminate()
        self._process.join()
        self._reports.close()


class Warming:
    """Processes that compile the kernels of an experiment, one for each part.

    Parameters
    ----------
    kind : type of AbstractExperiment
        A class that another process can import.
    parts : Part
        What to compile, at once.
    """

    def __init__(self, kind: type[AbstractExperiment[Any, Any]], *parts: Part) -> None:
        self._compilers = {
            part: Compiler(_compile, (kind, part.value), f"compile {part.value}") for part in parts
        }

    @property
    def compiled(self) -> set[str]:
        """Names of the kernels that are compiled."""
        return set[str]().union(*(each.compiled for each in self._compilers.values()))

    def is_done(self, *parts: Part) -> bool:
        """Return whether parts, or all of them, are compiled, or their processes failed."""
        at_work = {part for part, compiler in self._compilers.items() if compiler.is_at_work()}
        return at_work.isdisjoint(parts or tuple(Part))

    def close(self) -> None:
        """End the processes; what they have compiled so far is kept."""
        for compiler in self._compilers.values():
            compiler.close()
        self._compilers.clear()


def lacks_picture(experiment: AbstractExperiment[Any, Any]) -> bool:
    """Return whether a kernel that an experiment names for its first picture is not compiled."""
    try:
        with compile_kernels(Compiling.NEVER):
            experiment.warm_picture()
    except NotCompiled:
        return True
    return False


def is_importable(kind: type[AbstractExperiment[Any, Any]]) -> bool:
    """Return whether another process can make the experiment."""
    try:
        pickle.dumps(kind)
    except (pickle.PicklingError, AttributeError):
        return False
    return kind.__module__ != "__main__"


def reporting(reports: Connection) -> None:
    """Report every kernel that is compiled from now on, in a process that ends soon."""
    gc.disable()  # a twentieth of the time
    observe_compiling(lambda name: reports.send_bytes(name.encode()))


def _compile(kind: type[AbstractExperiment[Any, Any]], part: str, reports: Connection) -> None:
    """Compile a part of an experiment's kernels, in a process of its own.

    An error is left to the engine thread, which meets it again where it can be shown.
    """
    reporting(reports)
    with contextlib.suppress(Exception, KeyboardInterrupt):
        experiment = kind()
        if Part(part) is Part.STEPS:
            if hasattr(os, "nice"):
                os.nice(NICENESS)
            with compile_kernels(Compiling.ALWAYS):
                experiment.warm_up()
        elif not experiment.warm_picture():
            session = Session(experiment, experiment.parameters(), 0)
            Run(session, lambda dropped: "").show(force=True)
