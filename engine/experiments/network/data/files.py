"""Samples of the user: a table in a CSV or NPY file, or arrays x and y in an NPZ file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.experiments.network.data.dataset import Dataset, Image, Targets, split
from engine.experiments.network.params import NetworkParams
from engine.storage.arrays import load_numbers
from engine.storage.files import user_path
from engine.storage.tables import read_table
from engine.text.numbers import short, whole

FIELD = "data_file"
MOST_NUMBERS = 8_000_000
"""Numbers of a file."""
MOST_CLASSES = 100
LONGEST_NAME = 40
"""Characters of a class's name; the rest is cut off."""
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
    labels: tuple[str, ...] = ()
    image: Image | None = None
    if path.suffix.lower() == ".npz":
        inputs, values, image = _of_npz(path)
    else:
        inputs, values, labels = _of_table(path, params)
    if len(inputs) < 2:
        raise InputError(FIELD, path.name, "give two rows or more")
    if max(np.abs(inputs).max(), np.abs(values).max()) > LARGEST:
        raise InputError(FIELD, path.name, f"give numbers of at most {short(LARGEST)}")
    targets: Targets = values
    classes: tuple[str, ...] = ()
    if params.task == "classes":
        targets, classes = _classes(values, labels, path)
    generator = np.random.default_rng(params.data_seed)
    return replace(split(inputs, targets, params.held_out, generator, classes), image=image)


def _of_npz(path: Path) -> tuple[FloatArray, FloatArray, Image | None]:
    """Return the arrays x, shape (N, d) or (N, …), and y, shape (N,) or (N, t).

    Of x with two axes for a sample, or three, these are rows and columns, or channels and those.
    """
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
    sides = tuple(map(int, x.shape[1:]))
    image = (1, *sides) if len(sides) == 2 else sides if len(sides) == 3 else None
    return x.reshape(len(x), -1), y.reshape(len(y), -1), image


def _of_table(path: Path, params: NetworkParams) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Return the columns that are inputs, those to learn, and the labels of a column of texts."""

    def may_hold_texts(names: tuple[str, ...], count: int) -> Collection[int]:
        chosen = _columns(names, count, params.targets)
        return chosen if params.task == "classes" and len(chosen) == 1 else ()

    table = read_table(path, FIELD, MOST_NUMBERS, may_hold_texts)
    if table.columns < 2:
        raise InputError(FIELD, path.name, "give inputs and targets, two columns or more")
    chosen = _columns(table.names, table.columns, params.targets)
    others = [column for column in range(table.columns) if column not in chosen]
    if not others:
        raise InputError("targets", params.targets, "leave a column for the inputs")
    labels = table.labels.get(chosen[0], ())
    return table.values[:, others], table.values[:, chosen], labels


def _columns(headings: tuple[str, ...], count: int, text: str) -> list[int]:
    """Return the places of the columns that a text names."""
    if text.strip().lower() in ("", "last"):
        return [count - 1]
    names = [name.strip().casefold() for name in headings]
    whole_text = text.strip().casefold()
    words = [whole_text] if whole_text in names else [w.strip() for w in text.split(",")]
    chosen = []
    for word in filter(None, words):
        if word.casefold() in names:
            chosen.append(names.index(word.casefold()))
        elif word.isdecimal() and 1 <= int(word) <= count:
            chosen.append(int(word) - 1)
        else:
            listed = ", ".join(headings)
            listed = f", or of {listed[:60]}" if listed else ""
            rule = f"give last, numbers from 1 to {count}{listed}"
            raise InputError("targets", word, rule)
    return list(dict.fromkeys(chosen)) or [count - 1]


def _classes(
    values: FloatArray, labels: tuple[str, ...], path: Path
) -> tuple[Targets, tuple[str, ...]]:
    """Return the classes that the values of one column name, in ascending order, or its labels."""
    if values.shape[1] != 1:
        raise InputError("targets", f"{values.shape[1]} columns", "give one column of classes")
    found, places = np.unique(values[:, 0], return_inverse=True)
    names = tuple(label[:LONGEST_NAME] for label in labels)
    names = names or tuple(short(float(value), 6) for value in found[: MOST_CLASSES + 1])
    if len(found) < 2:
        rule = f"give targets of two classes or more; all of {path.name} are {names[0]}"
        raise InputError("targets", names[0], rule)
    if len(found) > MOST_CLASSES:
        rule = f"give at most {MOST_CLASSES} classes, or regression for task"
        raise InputError("targets", f"{whole(len(found))} different values", rule)
    return places.astype(np.int64), names
