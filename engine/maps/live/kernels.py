"""Kernels of a map compiled in a process of its own, so that the window need not wait for them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from engine.core.compiled import Compiling, NotCompiled, compile_kernels
from engine.maps.kind import Prepared
from engine.maps.spec import MapSpec
from engine.run.warming import NICENESS, Compiler, reporting

NEWS = 0.05
"""Seconds between two looks at how far the process is."""


def prepared(
    kind_of: Callable[[str], Any],
    spec: MapSpec,
    stop: threading.Event,
    tell: Callable[[int], None],
) -> Prepared | None:
    """Make a map ready; kernels that lack are compiled by another process.

    Parameters
    ----------
    kind_of : callable
        Returns a kind of map by its id.
    spec : MapSpec
    stop : threading.Event
        Once it is set that process is ended, and nothing is returned.
    tell : callable
        Gets the number of kernels that are compiled, whenever there is one more.
    """
    try:
        with compile_kernels(Compiling.NEVER):
            return _with_kernels(kind_of(spec.kind), spec)
    except NotCompiled:
        with contextlib.suppress(OSError):
            _wait(spec, stop, tell)
    return None if stop.is_set() else _with_kernels(kind_of(spec.kind), spec)


def _with_kernels(kind: Any, spec: MapSpec) -> Prepared:
    made: Prepared = kind.prepare(spec)
    made.call_kernels()
    return made


def _wait(spec: MapSpec, stop: threading.Event, tell: Callable[[int], None]) -> None:
    compiler, known = Compiler(_compile, (spec,), "compile maps"), -1
    try:
        while compiler.is_at_work():
            if len(compiler.compiled) > known:
                known = len(compiler.compiled)
                tell(known)
            if stop.wait(NEWS):
                return
    finally:
        compiler.close()


def _compile(spec: MapSpec, reports: Connection) -> None:
    """Compile the kernels of a map, in a process of its own.

    An error is left to the thread that makes the map, which meets it again.
    """
    from engine.maps.catalogue import kind

    reporting(reports)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with contextlib.suppress(Exception, KeyboardInterrupt), compile_kernels(Compiling.ALWAYS):
        _with_kernels(kind(spec.kind), spec)
