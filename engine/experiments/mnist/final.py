"""The numbers of a training run that `run.json` keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiments.mnist.params import MnistParams
from engine.experiments.mnist.training import Training
from engine.experiments.mnist.views import KIND_LABELS


def final(params: MnistParams, training: Training) -> dict[str, Any]:
    """Collect the latest measurement of everything, None where there is none."""
    history = training.history
    ends, train = history.measured("train_accuracy")
    tested, test = history.measured("test_accuracy")
    numbers: dict[str, Any] = {
        key: _number(history.latest(key))
        for key in ("loss", "train_accuracy", "test_accuracy", "gap")
    }
    numbers["error"] = _less(100.0, numbers["test_accuracy"])
    numbers |= {
        "epochs": training.epochs_done,
        "figure_5": {
            "epoch": (ends / training.steps_per_epoch).tolist(),
            "train": train.tolist(),
            "test": test[np.isin(tested, ends)].tolist(),
        },
        "displacement": _by_kind(history.latest("displacement")),
        "parameter_norms": _by_kind(history.latest("parameter_norms")),
        "active": _list(history.latest("active")),
        "hessian": _list(history.latest("hessian")),
        "lipschitz": _list(history.latest("lipschitz")),
        "confusion": None if training.look is None else training.look.test.confusion.tolist(),
        "parameters": training.architecture.size,
        "data": training.data.name,
        "device": training.describe(),
        "training_seconds": training.seconds,
        "images_per_second": training.images_per_second,
        "seconds_to_paper_accuracy": training.reached_paper,
        "checkpoint": training.checkpoints.last or None,
    }
    return numbers


def _number(row: Any) -> float | None:
    return None if row is None else float(row)


def _less(whole: float, part: float | None) -> float | None:
    return None if part is None else whole - part


def _list(row: Any) -> list[float | None] | None:
    if row is None:
        return None
    return [float(value) if np.isfinite(value) else None for value in row]


def _by_kind(row: Any) -> dict[str, float | None] | None:
    values = _list(row)
    return None if values is None else dict(zip(KIND_LABELS, values, strict=True))
