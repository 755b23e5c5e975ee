"""Networks in files, evaluated on training and test images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core.errors import LabError
from engine.experiments.mnist import datasets
from engine.experiments.mnist.datasets import ImageData
from engine.experiments.mnist.judging import judge
from engine.experiments.mnist.model_files import load
from engine.experiments.mnist.onnx_files import OnnxNetwork
from engine.experiments.mnist.trained import Model

CHOSEN = "as asked for"
"""What the data is to a network where the caller chose it."""


def data_of(about: Mapping[str, Any]) -> tuple[ImageData, str]:
    """Load the data a network was trained on, or the bundled digits where it is not there.

    Returns
    -------
    data : ImageData
    which : str
        What the data is to the network, to be said beside its name.
    """
    source = about.get("data")
    if not isinstance(source, str) or not source:
        return datasets.load("digits"), "bundled; the file does not say what it was trained on"
    try:
        return datasets.load(source), "the data it was trained on"
    except (LabError, OSError, ValueError):
        missing = f"bundled; {source}, which it was trained on, cannot be read here"
        return datasets.load("digits"), missing


def evaluate(path: Path, data: ImageData | None = None) -> dict[str, Any]:
    """Load a model and evaluate it on both sets; returns JSON-ready numbers.

    Without `data` it is that of `data_of`.

    Raises
    ------
    InputError
        If the file is none that `load` or ONNX Runtime reads.
    LabError
        For an ONNX file where ONNX Runtime is not installed.
    """
    path = Path(path)
    network: Model | OnnxNetwork
    if path.suffix.lower() == ".onnx":
        network = OnnxNetwork(path)
        about = network.about
    else:
        network = load(path)
        about = {**network.architecture.to_config(), **network.about}
    data, which = data_of(about) if data is None else (data, CHOSEN)
    train, test = network.scores(data.train_images), network.scores(data.test_images)
    results = {
        name: judge(scores, labels)
        for name, scores, labels in (
            ("train", train, data.train_labels),
            ("test", test, data.test_labels),
        )
    }
    numbers: dict[str, Any] = {
        "model": path.name,
        "data": data.name,
        "data_is": which,
        "about": about,
    }
    for name, result in results.items():
        numbers[f"{name}_accuracy"] = result.accuracy
        numbers[f"{name}_loss"] = result.loss
    numbers["gap"] = results["train"].accuracy - results["test"].accuracy
    numbers["confusion"] = results["test"].confusion.tolist()
    return numbers
