"""Networks as ONNX files (the extra ``onnx``): written, checked by ONNX Runtime, read back.

A file that comes from outside may ask for any memory or name other files, so its operations are
compared with those that this program would write before anything is computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError, LabError
from engine.storage.arrays import SAFETENSORS_LIMIT
from engine.storage.files import read_bytes, write_bytes

TOLERANCE = 1e-4
"""How far ONNX Runtime's outputs may differ from ours, relative to the largest."""
OPSET = 17
PRODUCER = "lyapunov-lab"
_BATCH = 250


class OnnxGraph:
    """Nodes and constants of a graph in the making."""

    def __init__(self) -> None:
        self._helper = _onnx().helper
        self.nodes: list[Any] = []
        self.constants: dict[str, NDArray[Any]] = {}

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        self.constants[name] = np.ascontiguousarray(values)
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Add an operation and return the name of its output."""
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, list(inputs), [output], **attributes))
        return output


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph: its name and the shape of one sample."""

    name: str
    shape: tuple[int, ...]


def model_bytes(
    graph: OnnxGraph, name: str, given: Port, made: Port, about: Mapping[str, str]
) -> bytes:
    """Return the bytes of an ONNX file.

    Raises
    ------
    LabError
        If the package onnx is not installed.
    """
    onnx = _onnx()
    helper, number = onnx.helper, onnx.TensorProto.FLOAT
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            name,
            [helper.make_tensor_value_info(given.name, number, ["B", *given.shape])],
            [helper.make_tensor_value_info(made.name, number, ["B", *made.shape])],
            [
                onnx.numpy_helper.from_array(values, each)
                for each, values in graph.constants.items()
            ],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
        producer_name=PRODUCER,
    )
    helper.set_model_props(proto, dict(about))
    onnx.checker.check_model(proto)
    serialized: bytes = proto.SerializeToString()
    return serialized


def save(
    path: Path, data: bytes, given: Port, made: Port, inputs: NDArray[Any], ours: NDArray[Any]
) -> float | None:
    """Write an ONNX file after comparing what ONNX Runtime makes of it.

    Parameters
    ----------
    path : Path
    data : bytes
        From `model_bytes`.
    given, made : Port
    inputs, ours : ndarray, shape (N, …)
        Samples, and the outputs that the file must give.

    Returns
    -------
    float or None
        Largest difference relative to the largest output; None without ONNX Runtime.

    Raises
    ------
    LabError
        If the difference exceeds `TOLERANCE`.
    FileError
        If the file cannot be written.
    """
    difference = None
    runtime = onnx_runtime()
    if runtime is not None:
        theirs = compute(runtime.InferenceSession(data), inputs, given, made)
        largest = max(float(np.abs(ours).max()), 1e-30)
        difference = float(np.abs(theirs - ours).max() / largest)
    if difference is not None and not difference <= TOLERANCE:
        raise LabError(f"The ONNX file was not written: its scores differ by {difference:.1e}.")
    write_bytes(path, data)
    return difference


def compute(session: Any, inputs: NDArray[Any], given: Port, made: Port) -> NDArray[Any]:
    """Compute the outputs of samples by ONNX Runtime."""
    results = [
        session.run([made.name], {given.name: inputs[first : first + _BATCH]})[0]
        for first in range(0, len(inputs), _BATCH)
    ]
    return np.concatenate(results)


def metadata(proto: Any) -> dict[str, str]:
    """Return the texts that a file carries about its network."""
    return {entry.key: entry.value for entry in proto.metadata_props}


def with_metadata(data: bytes, about: Mapping[str, str]) -> bytes:
    """Return the bytes of an ONNX file that another program made, with what it says of itself.

    Raises
    ------
    LabError
        If the package is missing.
    """
    onnx = _onnx()
    proto = onnx.load_model_from_string(data)
    onnx.helper.set_model_props(proto, dict(about))
    made: bytes = proto.SerializeToString()
    return made


def parsed(data: bytes) -> Any:
    """Return the parsed file, or None where it is none."""
    try:
        return _onnx().load_model_from_string(data)
    except LabError:
        raise
    except Exception:  # its errors have no common base
        return None


def constants(path: Path, what: str) -> dict[str, NDArray[Any]]:
    """Read the constants of an ONNX file by name; no operation is carried out.

    Raises
    ------
    InputError
        If it is no ONNX file, is too large, or its numbers lie in other files.
    LabError
        If the package onnx is not installed.
    """
    onnx = _onnx()
    data = read_bytes(path, SAFETENSORS_LIMIT, what)
    proto = parsed(data)
    refusal = InputError(what, path.name, "give an ONNX file that this program wrote")
    if proto is None:
        raise refusal
    made = {}
    for each in proto.graph.initializer:
        is_inside = each.data_location == onnx.TensorProto.DEFAULT
        if not is_inside or each.data_type != onnx.TensorProto.FLOAT:
            continue
        try:
            made[each.name] = np.asarray(onnx.numpy_helper.to_array(each))
        except Exception:  # a shape that its bytes do not have
            raise refusal from None
    return made


def has_same(proto: Any, graph: OnnxGraph) -> bool:
    """Return whether a file has just the operations of a graph, for any values of its constants.

    Any other graph of a few bytes may ask for any memory or read other files.
    """
    onnx = _onnx()
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
    return same and versions == {"": OPSET} and not proto.graph.sparse_initializer


def onnx_runtime() -> Any:
    """Return the module of ONNX Runtime; None where it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    return onnxruntime


def _onnx() -> Any:
    try:
        import onnx
    except ImportError:
        raise LabError("ONNX needs the package onnx; install the extra onnx.") from None
    return onnx
