"""The data that parameters describe, read or drawn once."""

from __future__ import annotations

import os
from functools import lru_cache

import numpy as np

from engine.core.errors import InputError
from engine.core.paths import resource
from engine.experiments.network.data import drawn, files, images
from engine.experiments.network.data.dataset import Dataset
from engine.experiments.network.params import NetworkParams
from engine.storage.arrays import load_npz

_FIELDS = (
    "data",
    "data_file",
    "data_folder",
    "task",
    "targets",
    "points",
    "inputs",
    "waves",
    "noise",
    "held_out",
    "scaling",
    "data_seed",
)


def key_of(params: NetworkParams) -> tuple[object, ...]:
    """Name what the data depend on: parameters, and the file as it is now."""
    return tuple(getattr(params, name) for name in _FIELDS) + _stamp(params)


def _stamp(params: NetworkParams) -> tuple[int, ...]:
    try:
        files = images.paths(params) if params.data == "idx" else (params.data_file,)
        stats = [os.stat(file) for file in files] if params.data in ("file", "idx") else []
    except (OSError, ValueError):
        return ()  # the reader says what is wrong
    return tuple(number for stat in stats for number in (stat.st_mtime_ns, stat.st_size))


def dataset_of(params: NetworkParams) -> Dataset:
    """Return the samples, standardised as the parameters say.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    kept = {name: getattr(params, name) for name in _FIELDS}
    loss = "cross-entropy" if params.has_classes else "squared-error"
    return _made(NetworkParams(**kept, loss=loss), _stamp(params))


@lru_cache(maxsize=4)
def _made(params: NetworkParams, _stamp: tuple[int, ...]) -> Dataset:
    if params.data == "file":
        found = files.read(params)
    elif params.data == "idx":
        found = images.read(params)
    elif params.data == "digits":
        found = _digits(params.points)
    else:
        found = drawn.draw(params)
    return found.scaled(params.scaling)


def _digits(count: int) -> Dataset:
    """Return the first of the bundled digits, 8 × 8 pixels from 0 to 1, and all that are held out.

    Raises
    ------
    InputError
        If there are not so many.
    """
    arrays, _ = load_npz(resource("digits.npz"), what="digits")
    pixels = arrays["images"].reshape(len(arrays["images"]), -1) / 16.0
    labels, held = arrays["labels"].astype(np.int64), arrays["test"]
    there = int((~held).sum())
    if count > there:
        raise InputError("points", count, f"give at most {there}, as many digits as there are")
    names = tuple(str(digit) for digit in range(10))
    learnt = pixels[~held][:count], labels[~held][:count]
    return Dataset(*learnt, pixels[held], labels[held], names, (1, 8, 8))
