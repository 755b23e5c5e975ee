"""Trained networks as ONNX files, and their scores by ONNX Runtime (the extra ``onnx``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError, LabError
from engine.experiments.mnist.datasets import CLASSES, SIZE, Bytes
from engine.experiments.mnist.network.model import Architecture, Parameters
from engine.experiments.mnist.trained import ABOUT, Model, read_about
from engine.kernels.network.images import KERNEL, POOL
from engine.storage import onnx_graphs
from engine.storage.arrays import SAFETENSORS_LIMIT
from engine.storage.files import read_bytes, to_json
from engine.storage.onnx_graphs import OnnxGraph, Port

PORTS = Port("images", (1, SIZE, SIZE)), Port("scores", (CLASSES,))
_CONFIG = "lyapunov-lab"


def save_onnx(path: Path, model: Model) -> float | None:
    """Write an ONNX file that maps ``images`` (B, 1, 28, 28), 0 to 1, to ``scores`` (B, 10).

    Returns
    -------
    float or None
        Largest difference between ONNX Runtime's scores and ours on random images, relative to the
        largest score; None where ONNX Runtime is not installed.

    Raises
    ------
    LabError
        If the package onnx is not installed, or the difference is too large.
    FileError
        If the file cannot be written.
    """
    architecture = model.architecture
    about = {_CONFIG: json.dumps(architecture.to_config()), ABOUT: to_json(dict(model.about))}
    graph = _graph(architecture, model.parameters)
    data = onnx_graphs.model_bytes(graph, "mnist", *PORTS, about)
    images = np.random.default_rng(0).integers(0, 256, (20, SIZE, SIZE)).astype(np.uint8)
    return onnx_graphs.save(path, data, *PORTS, _inputs(images), model.scores(images))


def _inputs(images: Bytes) -> NDArray[np.float32]:
    return (images[:, None] / np.float32(255)).astype(np.float32)


def _graph(architecture: Architecture, parameters: Parameters) -> OnnxGraph:
    """Return the operations that compute the scores, with their constants."""
    graph = OnnxGraph()
    tensors = {name: np.ascontiguousarray(v) for name, v in parameters.tensors().items()}
    graph.constant("conv.weight", tensors["conv.weight"])
    graph.constant("conv.bias", tensors["conv.bias"])
    h = graph.node("Conv", ["images", "conv.weight", "conv.bias"], kernel_shape=[KERNEL] * 2)
    h = graph.node("MaxPool", [h], kernel_shape=[POOL] * 2, strides=[POOL] * 2)
    h = graph.node("Flatten", [graph.node("Relu", [h])])
    graph.constant("first", np.array([0], np.int64))
    h = graph.node("Unsqueeze", [h, "first"])
    for i in range(architecture.depth):
        u = h
        if not architecture.identity:
            u = graph.node("MatMul", [h, graph.constant(f"V{i}", tensors["V"][:, i].mT)])
        u = graph.node("Sub", [u, graph.constant(f"b{i}", tensors["b"][:, i, None])])
        z = graph.node("Relu", [u])
        step = graph.node("MatMul", [z, graph.constant(f"W{i}", tensors["W"][:, i])])
        h = graph.node("Add", [h, step]) if architecture.residual else step
    answers = graph.node("MatMul", [h, graph.constant("c", tensors["c"][:, :, None])])
    graph.constant("last", np.array([2], np.int64))
    answers = graph.node("Transpose", [graph.node("Squeeze", [answers, "last"])], perm=[1, 0])
    graph.constant("signs", _signs(architecture))
    graph.constant("d", tensors["d"])
    graph.node("Add", [graph.node("MatMul", [answers, "signs"]), "d"], output="scores")
    return graph


def _signs(architecture: Architecture) -> NDArray[np.float32]:
    """Return the matrix that combines answers (B, K) to classes, shape (K, 10)."""
    signs = np.array([[1.0], [-1.0]][: architecture.per_class])
    return np.kron(np.eye(CLASSES), signs).astype(np.float32)


def _is_ours(data: bytes) -> bool:
    """Return whether a file holds just what `save_onnx` writes, for any values of its constants."""
    proto = onnx_graphs.parsed(data)
    if proto is None:
        return False
    try:
        stored = onnx_graphs.metadata(proto).get(_CONFIG)
        architecture = Architecture.from_config(read_about(stored))
    except InputError:
        return False
    if 4 * architecture.size > len(data) or proto.functions:
        return False
    return onnx_graphs.has_same(proto, _graph(architecture, Parameters(architecture)))


class OnnxNetwork:
    """A network in an ONNX file, computed by ONNX Runtime.

    Raises
    ------
    LabError
        If ONNX or ONNX Runtime is not installed.
    InputError
        If the file does not hold the operations that `save_onnx` writes.
    """

    def __init__(self, path: Path) -> None:
        runtime = onnx_graphs.onnx_runtime()
        if runtime is None:
            raise LabError("An ONNX file needs the package onnxruntime; install the extra onnx.")
        self._path = path
        options = runtime.SessionOptions()
        options.log_severity_level = 4
        data = read_bytes(path, SAFETENSORS_LIMIT, "model")
        if not _is_ours(data):
            raise self._refusal()
        try:
            self._session = runtime.InferenceSession(data, options)
        except Exception:  # its errors have no common base
            raise self._refusal() from None

    @property
    def about(self) -> dict[str, Any]:
        """What a file that this program wrote says of its network."""
        stored = self._session.get_modelmeta().custom_metadata_map
        return {**read_about(stored.get(_CONFIG)), **read_about(stored.get(ABOUT))}

    def scores(self, images: Bytes) -> NDArray[np.float32]:
        """Compute scores (N, 10) of images (N, 28, 28).

        Raises
        ------
        InputError
            If the file does not map images to scores.
        """
        try:
            scores = onnx_graphs.compute(self._session, _inputs(images), *PORTS)
        except Exception:  # its errors have no common base
            raise self._refusal() from None
        if scores.shape != (len(images), CLASSES) or not np.isfinite(scores).all():
            raise self._refusal()
        return scores

    def _refusal(self) -> InputError:
        return InputError("model", self._path.name, "give an ONNX file that this program wrote")
