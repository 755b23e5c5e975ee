"""Samples of the user: a table in a CSV or NPY file, or arrays x and y in an NPZ file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.experiments.network.data.dataset import Dataset, Targets, split
from engine.experiments.network.params import NetworkParams
from engine.storage.arrays import load_numbers
from engine.storage.files import user_path
from engine.storage.tables import Table, read_table
from engine.text.numbers import short, whole

FIELD = "data_file"
MOST_NUMBERS = 8_000_000
"""Numbers of a file."""
MOST_CLASSES = 100
LARGEST = 1e12
"""Magnitude of numbers beyond which their squares are of no use in 32 bits."""


def read(params: NetworkParams) -> Dataset:
    """Read samples from the named file and hold some out.

    Raises
    ------
    InputError
        If it holds no samples that a network can learn from.
    """
    if not params.data_file.strip():
        raise InputError(FIELD, params.data_file, "name a CSV, NPY or NPZ file")
    path = user_path(params.data_file, FIELD)
    inputs, values = _of_npz(path) if path.suffix.lower() == ".npz" else _of_table(path, params)
    if len(inputs) < 2:
        raise InputError(FIELD, path.name, "give two rows or more")
    if max(np.abs(inputs).max(), np.abs(values).max()) > LARGEST:
        raise InputError(FIELD, path.name, f"give numbers of at most {short(LARGEST)}")
    targets, classes = _classes(values, path) if params.task == "classes" else (values, ())
    generator = np.random.default_rng(params.data_seed)
    return split(inputs, targets, params.held_out, generator, classes)


def _of_npz(path: Path) -> tuple[FloatArray, FloatArray]:
    """Return the arrays x, shape (N, d) or (N, …), and y, shape (N,) or (N, t)."""
    arrays, _ = load_numbers(path, FIELD)
    if not {"x", "y"} <= set(arrays):
        held = ", ".join(arrays) or "nothing"
        raise InputError(FIELD, path.name, f"give arrays x and y; it holds {held[:80]}")
    x, y = (np.asarray(arrays[name], np.float64) for name in "xy")
    if not x.ndim or not y.ndim or len(x) != len(y) or not x.size or not y.size:
        rule = f"give one entry of y for each of x; their shapes are {x.shape} and {y.shape}"
        raise InputError(FIELD, path.name, rule)
    if x.size + y.size > MOST_NUMBERS:
        raise InputError(FIELD, path.name, f"give at most {whole(MOST_NUMBERS)} numbers")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(FIELD, path.name, "give finite numbers only")
    return x.reshape(len(x), -1), y.reshape(len(y), -1)


def _of_table(path: Path, params: NetworkParams) -> tuple[FloatArray, FloatArray]:
    """Return the columns that are inputs, and those to learn."""
    table = read_table(path, FIELD, MOST_NUMBERS)
    if table.columns < 2:
        raise InputError(FIELD, path.name, "give inputs and targets, two columns or more")
    chosen = _columns(table, params.targets)
    others = [column for column in range(table.columns) if column not in chosen]
    if not others:
        raise InputError("targets", params.targets, "leave a column for the inputs")
    return table.values[:, others], table.values[:, chosen]


def _columns(table: Table, text: str) -> list[int]:
    """Return the places of the columns that a text names."""
    if text.strip().lower() in ("", "last"):
        return [table.columns - 1]
    names = [name.strip().casefold() for name in table.names]
    whole_text = text.strip().casefold()
    words = [whole_text] if whole_text in names else [w.strip() for w in text.split(",")]
    chosen = []
    for word in filter(None, words):
        if word.casefold() in names:
            chosen.append(names.index(word.casefold()))
        elif word.isdecimal() and 1 <= int(word) <= table.columns:
            chosen.append(int(word) - 1)
        else:
            listed = ", ".join(table.names)
            listed = f", or of {listed[:60]}" if listed else ""
            rule = f"give last, numbers from 1 to {table.columns}{listed}"
            raise InputError("targets", word, rule)
    return list(dict.fromkeys(chosen)) or [table.columns - 1]


def _classes(values: FloatArray, path: Path) -> tuple[Targets, tuple[str, ...]]:
    """Return the classes that the values of one column name, in ascending order."""
    if values.shape[1] != 1:
        raise InputError("targets", f"{values.shape[1]} columns", "give one column of classes")
    found, labels = np.unique(values[:, 0], return_inverse=True)
    if len(found) < 2:
        rule = f"give targets of two classes or more; all of {path.name} are {short(found[0], 6)}"
        raise InputError("targets", short(float(found[0]), 6), rule)
    if len(found) > MOST_CLASSES:
        rule = f"give at most {MOST_CLASSES} classes, or regression for task"
        raise InputError("targets", f"{whole(len(found))} different values", rule)
    return labels.astype(np.int64), tuple(short(float(value), 6) for value in found)
