"""Files of a map that is at hand, and the command that makes it without a window."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.params import describe, format_value
from engine.maps.axis import Axis
from engine.maps.kind import Prepared
from engine.maps.picture import Swatch
from engine.maps.spec import MapSpec
from engine.storage.files import write_bytes
from engine.storage.runfolder import save_table
from engine.text.mathtext import to_plain


def save_arrays(path: Path, prepared: Prepared, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write the fields of a map, the values of its axes and what it was made of as NPZ.

    Parameters
    ----------
    path : Path
    prepared : Prepared
    arrays : mapping
        Fields by name, shape (rows, columns) or (rows, columns, width), row 0 with the least y.
        Of a map that is not complete they are coarser, and ``x`` and ``y`` are the cells there are.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    spec = prepared.spec
    rows, columns = next(iter(arrays.values())).shape[:2]
    table = spec.as_table() | {
        "classes": {str(each.code): to_plain(each.name) for each in prepared.classes},
        "fields": {each.name: to_plain(each.label) for each in prepared.fields},
    }
    buffer = io.BytesIO()
    more = {
        "x": _values(spec.x, columns),
        "y": spec.y.values if spec.kind == "orbit" else _values(spec.y, rows),
        "map": np.array(json.dumps(table, allow_nan=False)),
    }
    np.savez_compressed(buffer, allow_pickle=False, **(dict(arrays) | more))
    write_bytes(path, buffer.getvalue())


def _values(axis: Axis, cells: int) -> NDArray[np.float64]:
    """Return the values of every so many-th cell, where there are fewer than the axis has."""
    return axis.values[:: -(-axis.count // cells)]


def save_shares(path: Path, swatches: tuple[Swatch, ...]) -> None:
    """Write the classes of a map with the number of their cells and their shares as CSV.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    columns: dict[str, list[Any]] = {
        "code": [each.code for each in swatches],
        "class": [to_plain(each.name) for each in swatches],
        "cells": [each.count for each in swatches],
        "share": [each.share for each in swatches],
    }
    save_table(path, columns)


def command(spec: MapSpec) -> str:
    """Return the command line that makes a map without a window."""
    words = ["main.py", "map", spec.kind, spec.experiment, "--x", _axis_text(spec.x)]
    words += ["--y", _axis_text(spec.y), "--steps", str(spec.steps), "--seed", str(spec.seed)]
    model = type(spec.params)
    usual, values = model(), spec.params.model_dump()
    for each in describe(model):
        is_varied = each.name in (spec.x.name, spec.y.name)
        if is_varied or values[each.name] == getattr(usual, each.name):
            continue
        value = values[each.name]
        words += ["--set", f"{each.name}={'' if value is None else format_value(each, value)}"]
    for name, number in spec.options.items():
        words += ["--option", f"{name}={number!r}"]
    words += ["--out", f"{spec.experiment}-{spec.kind}"]
    return "python " + shlex.join(words)


def _axis_text(axis: Axis) -> str:
    log = ":log" if axis.log else ""
    return f"{axis.name}={axis.low!r}:{axis.high!r}:{axis.count}{log}"
