"""The recorded series of the MNIST experiment, all rows of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.experiments.mnist.network.batched import KINDS
from engine.experiments.mnist.params import SUBSET, MnistParams


def series_widths(params: MnistParams) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the recorded series."""
    kinds = (len(KINDS),)
    return {
        "loss": (),
        "batch_accuracy": (),
        "train_accuracy": (),
        "test_accuracy": (),
        "gap": (),
        SUBSET: (),
        "step_size": (),
        "gradient_norms": kinds,
        "parameter_norms": kinds,
        "displacement": kinds,
        "active": (params.depth,),
        "hessian": (params.hessian_count,),
        "spectral_norms": (2,),
        "lipschitz": (2,),
    }


class History:
    """All rows of a run, row k belonging to step k."""

    def __init__(self, widths: Mapping[str, tuple[int, ...]]) -> None:
        self._widths = dict(widths)
        self._rows = {key: np.full((256, *shape), np.nan) for key, shape in widths.items()}
        self._latest: dict[str, FloatArray] = {}
        self.count = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Append a row; what it lacks, or is not finite, was not measured."""
        for key, values in self._rows.items():
            if self.count == len(values):
                grown = np.full((2 * len(values), *values.shape[1:]), np.nan)
                grown[: len(values)] = values
                self._rows[key] = values = grown
            if key in row:
                measured = np.asarray(row[key], np.float64)
                known = np.isfinite(measured)
                values[self.count] = np.where(known, measured, np.nan)
                if known.any():
                    self._latest[key] = values[self.count].copy()
        self.count += 1

    def rows(self, first: int, last: int) -> dict[str, FloatArray]:
        """Copy the rows of steps `first` to `last`, both included."""
        return {key: values[first : last + 1].copy() for key, values in self._rows.items()}

    def latest(self, key: str) -> FloatArray | None:
        """Return the last row of a series that was measured."""
        return self._latest.get(key)

    def measured(self, key: str) -> tuple[FloatArray, FloatArray]:
        """Return the steps at which a number was measured, and its values there."""
        values = self._rows[key][: self.count]
        steps = np.flatnonzero(~np.isnan(values))
        return steps.astype(np.float64), values[steps]

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> bool:
        """Take the rows of a checkpoint; False if they do not fit."""
        taken = {key: arrays.get(f"history.{key}") for key in self._widths}
        test = taken.get("test_accuracy")
        if test is not None and taken[SUBSET] is None:  # of a version that had no such series
            taken[SUBSET] = np.full(test.shape, np.nan)
        counts = {len(values) for values in taken.values() if values is not None and values.ndim}
        if len(counts) != 1:
            return False
        for key, values in taken.items():
            if values is None or values.shape[1:] != self._widths[key] or values.dtype != float:
                return False
        self._rows = {key: values.copy() for key, values in taken.items() if values is not None}
        self.count = counts.pop()
        for key, values in self._rows.items():
            known = np.flatnonzero(~np.isnan(values.reshape(self.count, -1)).all(axis=1))
            if len(known):
                self._latest[key] = values[known[-1]].copy()
        return True
