"""Outputs of a network and gradients of its weights, written out by hand.

A step costs what its matrix products cost: nothing is recorded for automatic differentiation, and
gradients are written into one vector. `outputs` alone is plain torch, to be differentiated twice.
Where the vector has a leading axis, so many networks are trained at once on the same samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.experiments.network.choices import LossName
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.activations import FUNCTIONS
from engine.experiments.network.nets.architecture import Architecture

EPSILON = 1e-5
"""Added to the variance by layer normalisation, as torch does."""
Layer = tuple[Tensor, Tensor | None]
"""Weights (outputs, inputs) and biases."""
_ops = torch.ops.aten


def layers_of(architecture: Architecture, vector: Tensor) -> list[list[Layer]]:
    """Return views of the layers of each network in a vector of all weights, shape (…, n)."""
    parts, place = [], 0
    for shape in architecture.shapes.values():
        size = math.prod(shape)
        parts.append(vector[..., place : place + size].view(*vector.shape[:-1], *shape))
        place += size
    return grouped(architecture, parts)


def grouped(architecture: Architecture, parts: Sequence[Tensor]) -> list[list[Layer]]:
    """Sort weights and biases, in the order of `Architecture.shapes`, by network and layer."""
    step = 2 if architecture.biases else 1
    layers: list[Layer] = [
        (parts[i], parts[i + 1] if architecture.biases else None)
        for i in range(0, len(parts), step)
    ]
    depth = architecture.depth
    return [layers[i : i + depth] for i in range(0, len(layers), depth)]


def standardised(z: Tensor) -> Tensor:
    """Standardise sums over the units, by torch's own operation."""
    return torch.nn.functional.layer_norm(z, z.shape[-1:], eps=EPSILON)


def outputs(
    architecture: Architecture,
    networks: Sequence[Sequence[Layer]],
    x: Tensor,
    standardise: Callable[[Tensor], Tensor] = standardised,
) -> Tensor:
    """Compute the outputs, shape (N, t), of inputs, shape (N, d)."""
    made = [_forward(architecture, layers, x, standardise) for layers in networks]
    return made[0] if len(made) == 1 else made[0] - made[1]


def _forward(
    architecture: Architecture,
    layers: Sequence[Layer],
    h: Tensor,
    standardise: Callable[[Tensor], Tensor],
) -> Tensor:
    function = FUNCTIONS[architecture.activation]
    for index, (weights, biases) in enumerate(layers):
        z = _sums(h, weights, biases)
        if index == architecture.depth - 1:
            return z
        if architecture.layer_norm:
            z = standardise(z)
        a = function.apply(z)
        h = torch.add(h, a, alpha=architecture.branch) if architecture.is_skipped(index) else a
    raise AssertionError("a network has a layer")


def _sums(h: Tensor, weights: Tensor, biases: Tensor | None) -> Tensor:
    if weights.dim() == 2:
        return h @ weights.T if biases is None else torch.addmm(biases, h, weights.T)
    z = h @ weights.mT
    return z if biases is None else z.add_(biases.unsqueeze(-2))


def _write(slope: Tensor, h: Tensor, to_weights: Tensor, to_biases: Tensor | None) -> None:
    """Write the gradient of a layer from the slopes by its sums and its inputs."""
    if to_weights.dim() == 2:
        torch.mm(slope.T, h, out=to_weights)
    else:
        to_weights.copy_(slope.mT @ h)
    if to_biases is not None:
        torch.sum(slope, -2, out=to_biases)


class Trainer:
    """Loss and gradient of a network at the weights in one vector.

    Parameters
    ----------
    architecture : Architecture
    loss : str
    weights, gradient : Tensor, shape (n,) or (S, n)
        The gradient is written into the latter.
    """

    def __init__(
        self, architecture: Architecture, loss: LossName, weights: Tensor, gradient: Tensor
    ) -> None:
        self._architecture, self._loss = architecture, loss
        self._function = FUNCTIONS[architecture.activation]
        self._skips = [architecture.is_skipped(layer) for layer in range(architecture.depth)]
        self._networks = layers_of(architecture, weights)
        self._slopes = layers_of(architecture, gradient)

    def outputs(self, x: Tensor) -> Tensor:
        """Compute the outputs, shape (N, t)."""
        return outputs(self._architecture, self._networks, x)

    def step(self, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Write the gradient of the mean loss; returns the loss, and the outputs (…, N, t)."""
        kept = [self._forward(layers, x) for layers in self._networks]
        made = kept[0][1] if len(kept) == 1 else kept[0][1] - kept[1][1]
        loss, slope = losses.value_and_slope(self._loss, made, targets)
        for index, (tape, _) in enumerate(kept):
            self._backward(index, tape, slope if index == 0 else -slope)
        return loss, made

    def _forward(self, layers: Sequence[Layer], h: Tensor) -> tuple[list[_Kept], Tensor]:
        """Compute the outputs and keep what their slopes need."""
        tape: list[_Kept] = []
        for index, (weights, biases) in enumerate(layers):
            z = _sums(h, weights, biases)
            if index == len(layers) - 1:
                tape.append((h, z, z, None))
                break
            norm: _Norm | None = None
            if self._architecture.layer_norm:
                raw = z
                z, mean, scale = torch.native_layer_norm(raw, raw.shape[-1:], None, None, EPSILON)
                norm = (raw, mean, scale)
            a = self._function.apply(z)
            tape.append((h, z, a, norm))
            h = torch.add(h, a, alpha=self._architecture.branch) if self._skips[index] else a
        return tape, z

    def _backward(self, network: int, tape: list[_Kept], slope: Tensor) -> None:
        """Carry a slope by the outputs back to those by the weights."""
        dh = slope
        for index in reversed(range(len(tape))):
            h, z, a, norm = tape[index]
            dz = dh
            if index < len(tape) - 1:
                da = dh * self._architecture.branch if self._skips[index] else dh
                dz = self._function.back(da, z, a)
                if norm is not None:
                    dz = _ops.native_layer_norm_backward(
                        dz,
                        norm[0],
                        z.shape[-1:],
                        norm[1],
                        norm[2],
                        None,
                        None,
                        [True, False, False],
                    )[0]
            to_weights, to_biases = self._slopes[network][index]
            _write(dz, h, to_weights, to_biases)
            if index:
                passed = dz @ self._networks[network][index][0]
                dh = passed.add_(dh) if self._skips[index] else passed


_Norm = tuple[Tensor, Tensor, Tensor]
_Kept = tuple[Tensor, Tensor, Tensor, _Norm | None]
"""Inputs, sums and values of a layer, and what the normalisation keeps."""
