"""The files that the parameters of a run name: where they lie, and what they held at its start.

In a run file a path is meant from the folder of that file, so that a run means the same wherever
the program is started. Beside it the file keeps the SHA-256 of what each input held.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.core import interrupt
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment
from engine.core.params import P, Params, ParamSpec, build, describe

UP = 3
"""Folders that a relative path may climb; what lies further away keeps its full path."""
_BLOCK = 2**20


def resolved(params: P, folder: Path) -> P:
    """Return parameters in which no path depends on the working directory.

    Parameters
    ----------
    params : Params
    folder : Path
        Where relative paths begin.
    """
    changes = {}
    for spec in describe(type(params)):
        value = getattr(params, spec.name)
        if spec.is_path(value) and not value.startswith("~") and not os.path.isabs(value):
            changes[spec.name] = os.path.abspath(os.path.join(folder, value))
    return build(type(params), {**params.model_dump(), **changes}) if changes else params


def as_written(spec: ParamSpec, value: Any, folder: Path) -> Any:
    """Return a value as a file in `folder` keeps it: a path nearby is relative to the folder."""
    if not spec.is_path(value):
        return value
    place, name = os.path.split(os.path.abspath(os.path.expanduser(value)))
    try:
        path = os.path.join(os.path.realpath(place), name)
        near = Path(os.path.relpath(path, os.path.realpath(folder))).as_posix()
    except (OSError, ValueError):  # another drive, or no path at all
        return value
    if near.split("/").count("..") > UP:
        return path
    return near if spec.is_path(near) else f"./{near}"


def fingerprints(experiment: AbstractExperiment[Any, Any], params: Params) -> dict[str, str]:
    """Return the SHA-256 of each input file by the parameter that names it.

    Of several files under one name it is that of their sums. What cannot be read has none: the
    experiment that reads it says so.
    """
    found = {}
    for name, paths in experiment.input_files(params).items():
        try:
            sums = [_sum(path, *_stamp(path)) for path in paths]
        except (OSError, ValueError, RuntimeError):
            continue
        together = hashlib.sha256("".join(sums).encode()).hexdigest()
        found[name] = sums[0] if len(sums) == 1 else together
    return found


def _stamp(path: Path) -> tuple[int, int]:
    status = path.expanduser().stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=16)
def _sum(path: Path, changed: int, size: int) -> str:
    """Return the SHA-256 of a file, once for as long as it does not change."""
    digest = hashlib.sha256()
    with path.expanduser().open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            interrupt.check()
    return digest.hexdigest()


def check(
    experiment: AbstractExperiment[Any, Any], params: Params, expected: Mapping[str, str]
) -> None:
    """Refuse input files that hold something else than when a run was made.

    Raises
    ------
    InputError
        If the SHA-256 of one differs; the sentence says how to take it all the same.
    """
    if not expected:
        return
    for name, found in fingerprints(experiment, params).items():
        if expected.get(name, found) != found:
            file = Path(str(getattr(params, name))).name
            raise InputError(
                name,
                file,
                "it has changed since this run was made: give the file of then, or, to take this "
                f"one, set {name} anew or remove its sha256 from the run file",
            )
