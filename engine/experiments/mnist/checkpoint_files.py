"""Checkpoints of a training run: everything that is needed to go on to the same numbers.

A checkpoint is one safetensors file, ``step-00001200.safetensors``, with a JSON description. It
takes its name only when it is whole, so killing the program at any moment leaves the one before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.experiments.mnist.network.model import Architecture, Parameters
from engine.storage.arrays import load_safetensors, save_safetensors
from engine.storage.files import FileError, entries, is_folder, make_folder

KEPT = 3
"""Checkpoints that stay in a folder."""
KIND = "mnist checkpoint"
FORMAT = 1
PARAMETERS = "parameters"
"""Name of the array of all parameters in their order in memory."""
_NAME = re.compile(r"step-(\d{8,12})\.safetensors")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint holds: named arrays, `PARAMETERS` among them, and a description."""

    path: Path
    step: int
    arrays: Mapping[str, NDArray[Any]]
    config: Mapping[str, Any]


def save(
    folder: Path, step: int, arrays: Mapping[str, NDArray[Any]], config: Mapping[str, Any]
) -> Path:
    """Write a checkpoint and remove all but the `KEPT` newest.

    Raises
    ------
    InputError
        If the folder cannot be made.
    FileError
        If the file cannot be written.
    """
    folder = make_folder(folder, "checkpoints")
    path = folder / f"step-{step:08d}.safetensors"
    description = {**config, "kind": KIND, "format": FORMAT, "step": step}
    save_safetensors(path, arrays, description)
    for old in existing(folder)[:-KEPT]:
        _remove(old)
    return path


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FileError(path, "removed", error) from None


def existing(folder: Path) -> list[Path]:
    """List the checkpoints in a folder, the oldest first.

    Raises
    ------
    InputError
        If it cannot be listed.
    """
    if not is_folder(folder, "checkpoints"):
        return []
    found = [path for path in entries(folder, "checkpoints") if is_one(path)]
    return sorted(found, key=_step)


def clear(folder: Path, after: int = -1) -> None:
    """Remove the checkpoints of a former run that come after a step.

    Raises
    ------
    FileError
        If one cannot be removed.
    """
    for path in existing(folder):
        if _step(path) > after:
            _remove(path)


def _step(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))


def newest(folder: Path) -> Checkpoint | None:
    """Read the newest checkpoint of a folder, or None if there is none.

    Raises
    ------
    InputError
        If it is damaged; the sentence names the file.
    """
    found = existing(folder)
    return read(found[-1]) if found else None


def read(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    InputError
        If the file is damaged, is no checkpoint, or comes from a newer program.
    """
    arrays, config = load_safetensors(path, what="checkpoint")
    version, step = config.get("format"), config.get("step")
    if config.get("kind") != KIND:
        raise InputError("checkpoint", path.name, "give a checkpoint that this program wrote")
    if type(version) is not int or version > FORMAT:
        raise InputError("checkpoint", path.name, f"this version reads format {FORMAT}")
    if type(step) is not int or step < 0 or PARAMETERS not in arrays:
        raise InputError("checkpoint", path.name, "give a whole checkpoint")
    return Checkpoint(path, step, arrays, config)


def is_one(path: Path) -> bool:
    """Return whether a file is a checkpoint by its name."""
    return _NAME.fullmatch(path.name) is not None


def network(checkpoint: Checkpoint) -> Parameters:
    """Return the network of a checkpoint.

    Raises
    ------
    InputError
        If its parameters do not fit its description.
    """
    architecture = Architecture.from_config(checkpoint.config.get("architecture", {}))
    flat = checkpoint.arrays[PARAMETERS]
    if flat.dtype != np.float32 or flat.shape != (architecture.size,):
        raise InputError("checkpoint", checkpoint.path.name, "its parameters have another size")
    if not np.isfinite(flat).all():
        raise InputError("checkpoint", checkpoint.path.name, "its parameters must be finite")
    return Parameters(architecture, torch.from_numpy(flat.copy()))
