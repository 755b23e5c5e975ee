"""Trained networks for other programs: PyTorch's ``state_dict``, and ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.experiments.network.choices import Activation
from engine.experiments.network.nets.activations import LEAK
from engine.experiments.network.nets.architecture import Architecture
from engine.experiments.network.nets.convolution import Convolution
from engine.experiments.network.nets.network import EPSILON
from engine.experiments.network.nets.own_module import OwnModule
from engine.experiments.network.pictures import answers
from engine.experiments.network.state import NetworkState
from engine.storage import onnx_graphs, state_dicts
from engine.storage.files import to_json
from engine.storage.onnx_graphs import OnnxGraph, Port

CHECKED = 20
"""Samples whose outputs are compared with those of ONNX Runtime."""
_ROOT_HALF = 0.7071067811865476


def save(state: NetworkState, path: Path) -> str:
    """Write a network in the form that the ending names.

    Returns
    -------
    str
        What was checked.

    Raises
    ------
    InputError
        If it has no such form.
    LabError
        If a package is missing, or ONNX Runtime computes something else.
    FileError
        If the file cannot be written.
    """
    if path.suffix.lower() == ".pt":
        parts = state.problem.parts(state.weights)
        state_dicts.save(path, {name: _tensor(values) for name, values in parts.items()})
        return ""
    difference = _save_onnx(state, path)
    if difference is None:
        return "not checked: ONNX Runtime is not installed"
    return f"ONNX Runtime's outputs differ by {difference:.1e} of the largest"


def _tensor(values: NDArray[Any]) -> Any:
    import torch

    return torch.tensor(values)


def _save_onnx(state: NetworkState, path: Path) -> float | None:
    """Write an ONNX file that maps inputs as the data have them (B, d) to outputs (B, t).

    Its numbers have 32 bits.
    """
    problem, data = state.problem, state.problem.data
    net = problem.architecture
    if isinstance(net, Architecture | Convolution):
        file = _built(state, net)
    elif isinstance(net, OwnModule):
        file = _traced(state, net, path)
    else:
        raise InputError("model", path.name, "give a name that ends in .pt")
    outputs = answers(state, data.inputs[:CHECKED])
    ports = Port("inputs", (data.dimension,)), Port("outputs", (outputs.shape[1],))
    spread = np.where(np.isfinite(data.divisor), data.divisor, 0.0)
    samples = (data.inputs[:CHECKED] * spread + data.shift).astype(np.float32)
    return onnx_graphs.save(path, file, *ports, samples, outputs)


def _about(state: NetworkState) -> dict[str, str]:
    """Return what an ONNX file says of the run."""
    return {
        "params": to_json(state.params.model_dump(mode="json")),
        "step": str(state.step),
        "classes": to_json(list(state.problem.data.classes)),
    }


def _built(state: NetworkState, net: Architecture | Convolution) -> bytes:
    """Return the ONNX file of a network, an operator for each of its parts."""
    problem, data = state.problem, state.problem.data
    graph = OnnxGraph()
    for name, values in problem.parts(state.weights).items():
        graph.constant(name, values.astype(np.float32))
    shift = graph.constant("shift", np.broadcast_to(data.shift, data.dimension).astype(np.float32))
    divisor = np.broadcast_to(data.divisor, data.dimension).astype(np.float32)
    h = graph.node("Sub", ["inputs", shift])
    h = graph.node("Div", [h, graph.constant("divisor", divisor)])
    if isinstance(net, Convolution):
        made = _convolution(graph, net, h)
    else:
        made = _dense(graph, net, h)
    graph.node("Identity", [made], output="outputs")
    outputs = answers(state, data.inputs[:1]).shape[1]
    ports = Port("inputs", (data.dimension,)), Port("outputs", (outputs,))
    return onnx_graphs.model_bytes(graph, "network", *ports, _about(state))


def _traced(state: NetworkState, net: OwnModule, path: Path) -> bytes:
    """Return the ONNX file of a module of the user's own, as torch.onnx traces it.

    Raises
    ------
    InputError
        If torch.onnx cannot be used, or cannot write the module.
    """
    import torch

    from engine.experiments.network.traced import Standardised, traced

    data = state.problem.data
    module = net.with_weights(state.problem.parts(state.weights))
    whole = Standardised(module, data.shift, data.divisor, data.dimension)
    try:
        return traced(whole, torch.zeros(2, data.dimension), _about(state))
    except (ImportError, OSError, AttributeError, RuntimeError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        rule = f"torch.onnx cannot write this module ({reason}); write its state_dict, .pt"
        raise InputError("model", path.name, rule) from None


def _dense(graph: OnnxGraph, net: Architecture, x: str) -> str:
    """Add the layers of one network, or of both of a pair and their difference."""
    ends = []
    for prefix in ("r.", "s.") if net.networks == 2 else ("",):
        h = x
        for layer in range(net.depth):
            inputs = [h, f"{prefix}W{layer + 1}"]
            inputs += [f"{prefix}b{layer + 1}"] if net.biases else []
            z = graph.node("Gemm", inputs, transB=1)
            if layer == net.depth - 1:
                ends.append(z)
                break
            if net.layer_norm:
                one = graph.constant("one", np.ones(net.sizes[layer + 1], np.float32))
                z = graph.node("LayerNormalization", [z, one], axis=-1, epsilon=EPSILON)
            a = _applied(graph, net.activation, z)
            if net.is_skipped(layer):
                scale = graph.constant("branch", np.array(net.branch, np.float32))
                a = graph.node("Add", [h, graph.node("Mul", [a, scale])])
            h = a
    return ends[0] if len(ends) == 1 else graph.node("Sub", ends)


def _convolution(graph: OnnxGraph, net: Convolution, x: str) -> str:
    shape = graph.constant("image", np.array([-1, *net.image], np.int64))
    h, pool = graph.node("Reshape", [x, shape]), {"average": "AveragePool", "max": "MaxPool"}
    for layer in range(net.layers - 1):
        inputs = [h, *_weights(layer, net.biases)]
        z = graph.node("Conv", inputs, pads=[net.kernel // 2] * 4)
        h = _applied(graph, net.activation, z)
        if net.halves(layer):
            h = graph.node(pool[net.pooling], [h], kernel_shape=[2, 2], strides=[2, 2])
    flat = graph.node("Flatten", [h])
    return graph.node("Gemm", [flat, *_weights(net.layers - 1, net.biases)], transB=1)


def _weights(layer: int, biases: bool) -> Sequence[str]:
    return [f"W{layer + 1}", f"b{layer + 1}"] if biases else [f"W{layer + 1}"]


def _applied(graph: OnnxGraph, activation: Activation, z: str) -> str:
    """Add the function of each unit."""
    match activation:
        case "linear":
            return z
        case "leaky-relu":
            return graph.node("LeakyRelu", [z], alpha=LEAK)
        case "silu":
            return graph.node("Mul", [z, graph.node("Sigmoid", [z])])
        case "gelu":
            root = graph.constant("root_half", np.array(_ROOT_HALF, np.float32))
            half, one = (graph.constant(f"number_{v}", np.array(v, np.float32)) for v in (0.5, 1.0))
            error = graph.node("Erf", [graph.node("Mul", [z, root])])
            share = graph.node("Mul", [graph.node("Add", [error, one]), half])
            return graph.node("Mul", [z, share])
        case _:
            return graph.node(
                {"relu": "Relu", "tanh": "Tanh", "softplus": "Softplus"}[activation], [z]
            )
