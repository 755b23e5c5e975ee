"""The loss that parameters describe, read and compiled once."""

from __future__ import annotations

import os
from collections.abc import Hashable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.reading import RULES, Minimised, constants_of, expression_of
from engine.expressions.constants import read_constants
from engine.expressions.reader import Rule, read_variables
from engine.storage.tables import read_table

if TYPE_CHECKING:
    from engine.families.loss.loss import Data, Loss

MOST_NUMBERS = 4_000_000
"""Numbers of a data file."""


def loss_of(params: OwnLossParams) -> Loss:
    """Return the loss at the values of its constants.

    Raises
    ------
    InputError
        If the function, a constant or the data cannot be used.
    """
    loss = _read(params.function, params.variables, params.minimise, _source(params))
    return loss.at(constants_of(params.constants, loss.expression))


def variables_of(params: OwnLossParams) -> tuple[str, ...]:
    """Return the keys of the variables, without compiling anything.

    Raises
    ------
    InputError
        If the function or the variables cannot be used.
    """
    return expression_of(params.function, params.variables, params.minimise).tape.variables


def problem_key(params: OwnLossParams) -> Hashable:
    """Name what the loss depends on."""
    values = {key: c.value for key, c in read_constants(params.constants).items()}
    over = _source(params)
    return (params.function, params.variables, params.minimise, over, tuple(values.items()))


_File = tuple[str, int, int]
"""A file as it is now: path, time of its last change, size."""
_Rows = tuple[tuple[float, ...], ...]


def _source(params: OwnLossParams) -> _Rows | _File:
    """Return the data that the loss is over, or the file that they are in; empty for a function."""
    if params.minimise == "function":
        return ()
    if params.data_from == "rows":
        return params.rows
    try:
        stat = os.stat(params.data_file)
    except (OSError, ValueError):
        return (params.data_file, 0, 0)  # the reader says what is wrong
    return (params.data_file, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _read(function: str, variables: str, minimise: Minimised, over: _Rows | _File) -> Loss:
    from engine.families.loss.loss import Loss  # its kernels take long to import

    rule = RULES[minimise]
    names = read_variables(variables, rule)
    data = None if rule is Rule.FUNCTION else _data(over, rule)
    return Loss.of(function, names, data=data)


def _data(over: _Rows | _File, rule: Rule) -> Data:
    """Make data of rows, or of a file's."""
    from engine.families.loss.loss import Data

    if over and isinstance(over[0], str):
        field = "data_file"
        if not over[0]:
            raise InputError(field, over[0], "name a CSV or NPY file")
        values = read_table(over[0], field, MOST_NUMBERS).values
    else:
        field, widths = "rows", {len(row) for row in over if isinstance(row, tuple)}
        if len(widths) != 1:
            raise InputError(field, f"{len(over)} rows", "give rows of the same length")
        values = np.array(over, np.float64)
    if values.shape[1] < 2:
        raise InputError(field, f"{values.shape[1]} column", "give x and y, two columns or more")
    return Data(np.ascontiguousarray(values[:, :-1]), np.ascontiguousarray(values[:, -1]), rule)


def starting_point(params: OwnLossParams, size: int, seed: int) -> FloatArray:
    """Return the start, shape (n,)."""
    given = np.array(params.start[:size], np.float64)
    point = np.concatenate([given, np.ones(size - len(given))])
    if params.noise > 0.0:
        point = point + params.noise * np.random.default_rng(seed).normal(size=size)
    return point


def check_scales(params: OwnLossParams, size: int) -> None:
    """Refuse factors of the step size of which there is not one a variable.

    Raises
    ------
    InputError
    """
    if params.scales and len(params.scales) != size:
        raise InputError("scales", list(params.scales), f"give {size} numbers, one a variable")
