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
from engine.storage.arrays import SAFETENSORS_LIMIT
from engine.storage.files import read_bytes, to_json, write_bytes

TOLERANCE = 1e-4
"""How far ONNX Runtime's scores may differ from ours, relative to the largest."""
_CONFIG = "lyapunov-lab"
_BATCH = 250
_OPSET = 17


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
        If the package onnx is not installed, or the difference exceeds `TOLERANCE`.
    FileError
        If the file cannot be written.
    """
    data = _onnx_model(model)
    difference = _onnx_difference(data, model)
    if difference is not None and not difference <= TOLERANCE:
        raise LabError(f"The ONNX file was not written: its scores differ by {difference:.1e}.")
    write_bytes(path, data)
    return difference


def _onnx_model(model: Model) -> bytes:
    onnx = _onnx()
    helper, architecture = onnx.helper, model.architecture
    graph = _graph(architecture, model.parameters, helper)
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "mnist",
            [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["B", 1, SIZE, SIZE])],
            [helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["B", CLASSES])],
            [
                onnx.numpy_helper.from_array(values, name)
                for name, values in graph.constants.items()
            ],
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=8,
        producer_name=_CONFIG,
    )
    about = {_CONFIG: json.dumps(architecture.to_config()), ABOUT: to_json(dict(model.about))}
    helper.set_model_props(proto, about)
    onnx.checker.check_model(proto)
    serialized: bytes = proto.SerializeToString()
    return serialized


def _onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise LabError("ONNX needs the package onnx; install the extra onnx.") from None
    return onnx


def _graph(architecture: Architecture, parameters: Parameters, helper: Any) -> _OnnxGraph:
    """Return the operations that compute the scores, with their constants."""
    graph = _OnnxGraph(helper)
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


class _OnnxGraph:
    """Nodes and constants of a graph in the making."""

    def __init__(self, helper: Any) -> None:
        self._helper = helper
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def constant(self, name: str, values: NDArray[Any]) -> str:
        self.constants[name] = np.ascontiguousarray(values)
        return name

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, inputs, [output], **attributes))
        return output


def _signs(architecture: Architecture) -> NDArray[np.float32]:
    """Return the matrix that combines answers (B, K) to classes, shape (K, 10)."""
    signs = np.array([[1.0], [-1.0]][: architecture.per_class])
    return np.kron(np.eye(CLASSES), signs).astype(np.float32)


def _onnx_difference(data: bytes, model: Model) -> float | None:
    runtime = _onnx_runtime()
    if runtime is None:
        return None
    images = np.random.default_rng(0).integers(0, 256, (20, SIZE, SIZE)).astype(np.uint8)
    theirs = _onnx_run(runtime.InferenceSession(data), images)
    ours = model.scores(images)
    return float(np.abs(theirs - ours).max() / max(float(np.abs(ours).max()), 1e-30))


def _onnx_runtime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        return None
    return onnxruntime


def _onnx_run(session: Any, images: Bytes) -> NDArray[np.float32]:
    inputs = (images[:, None] / np.float32(255)).astype(np.float32)
    results = [
        session.run(["scores"], {"images": inputs[first : first + _BATCH]})[0]
        for first in range(0, len(inputs), _BATCH)
    ]
    return np.concatenate(results)


def _is_ours(data: bytes) -> bool:
    """Return whether a file holds just what `save_onnx` writes, for any values of its constants.

    Any other graph of a few bytes may ask for any memory or read other files.
    """
    onnx = _onnx()
    try:
        proto = onnx.load_model_from_string(data)
    except Exception:  # its errors have no common base
        return False
    stored = {entry.key: entry.value for entry in proto.metadata_props}
    try:
        architecture = Architecture.from_config(read_about(stored.get(_CONFIG)))
    except InputError:
        return False
    if 4 * architecture.size > len(data) or proto.functions:
        return False
    graph = _graph(architecture, Parameters(architecture), onnx.helper)
    own = {name: (values.shape, str(values.dtype)) for name, values in graph.constants.items()}
    types = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.INT64: "int64"}
    held = {
        constant.name: (tuple(constant.dims), types.get(constant.data_type))
        for constant in proto.graph.initializer
        if constant.data_location == onnx.TensorProto.DEFAULT
    }
    nodes = [node.SerializeToString() for node in proto.graph.node]
    versions = {entry.domain: entry.version for entry in proto.opset_import}
    same = nodes == [node.SerializeToString() for node in graph.nodes] and held == own
    return same and versions == {"": _OPSET} and not proto.graph.sparse_initializer


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
        runtime = _onnx_runtime()
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
            scores = _onnx_run(self._session, images)
        except Exception:  # its errors have no common base
            raise self._refusal() from None
        if scores.shape != (len(images), CLASSES) or not np.isfinite(scores).all():
            raise self._refusal()
        return scores

    def _refusal(self) -> InputError:
        return InputError("model", self._path.name, "give an ONNX file that this program wrote")
