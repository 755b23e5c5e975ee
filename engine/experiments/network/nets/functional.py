"""Networks that torch differentiates: convolutions, and the user's own."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from engine.core.arrays import FloatArray
from engine.experiments.network.choices import LossName, Start
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.architecture import Architecture, Net
from engine.experiments.network.nets.network import Trainer, grouped, outputs


class Functional(Net):
    """A network whose outputs are a function of its weights and inputs in torch."""

    networks = 1

    @abstractmethod
    def compute(self, parts: Sequence[Tensor], x: Tensor) -> Tensor:
        """Compute the outputs, shape (N, t), of inputs, shape (N, d), with weights by name."""

    @abstractmethod
    def begin(self, how: Start, scale: float, seed: int) -> FloatArray:
        """Draw all weights, shape (n,), in 64 bits."""


def split(net: Net, vector: Tensor) -> list[Tensor]:
    """Return views of the weights in a vector, in the order of `Net.shapes`."""
    sizes = [math.prod(shape) for shape in net.shapes.values()]
    pieces = torch.split(vector, sizes)
    return [piece.view(shape) for piece, shape in zip(pieces, net.shapes.values(), strict=True)]


def compute(net: Net, parts: Sequence[Tensor], x: Tensor) -> Tensor:
    """Compute the outputs of any network, shape (N, t), of inputs, shape (N, d)."""
    if isinstance(net, Architecture):
        return outputs(net, grouped(net, parts), x)
    assert isinstance(net, Functional)
    return net.compute(parts, x)


def outputs_at(net: Net, vector: Tensor, x: Tensor) -> Tensor:
    """Compute the outputs of any network, shape (N, t), with the weights in a vector."""
    return compute(net, split(net, vector), x)


def trainer_of(
    net: Net, loss: LossName, weights: Tensor, gradient: Tensor
) -> Trainer | FunctionalTrainer:
    """Return what computes losses and gradients of a network (see `Trainer`)."""
    if isinstance(net, Architecture):
        return Trainer(net, loss, weights, gradient)
    return FunctionalTrainer(net, loss, weights, gradient)


class FunctionalTrainer:
    """Loss and gradient as of `Trainer`, made by torch.

    Networks that are trained at once are mapped over by `torch.vmap`, one after the other where
    that does not know an operation.
    """

    def __init__(self, net: Net, loss: LossName, weights: Tensor, gradient: Tensor) -> None:
        self._net, self._loss = net, loss
        self._weights, self._gradient = weights, gradient
        self._one_by_one = False

    def outputs(self, x: Tensor) -> Tensor:
        """Compute the outputs, shape (N, t) or (S, N, t)."""
        if self._weights.dim() == 1:
            return outputs_at(self._net, self._weights, x)
        return torch.stack([outputs_at(self._net, each, x) for each in self._weights])

    def step(self, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Write the gradient of the mean loss; returns the loss, and the outputs (…, N, t)."""
        if self._weights.dim() == 1:
            slope, loss, made = self._one(self._weights, x, targets)
        else:
            slope, loss, made = self._many(x, targets)
        self._gradient.copy_(slope)
        return loss, made

    def _one(self, weights: Tensor, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            at = weights.detach().requires_grad_()
            made = outputs_at(self._net, at, x)
            loss = losses.value(self._loss, made, targets)
            slope = torch.autograd.grad(loss, at, materialize_grads=True)[0]
        return slope, loss.detach(), made.detach()

    def _many(self, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Compute for each network; the samples may have a leading axis of the networks, too."""
        own = x.dim() > 2
        if not self._one_by_one:
            try:
                return self._mapped(x, targets, 0 if own else None)
            except (RuntimeError, ValueError):  # what the map does not know; errors come again
                self._one_by_one = True
        each = [
            self._one(weights, x[i] if own else x, targets[i] if own else targets)
            for i, weights in enumerate(self._weights)
        ]
        slopes, means, made = zip(*each, strict=True)
        return torch.stack(slopes), torch.stack(means), torch.stack(made)

    def _mapped(
        self, x: Tensor, targets: Tensor, axis: int | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Derive the sum of all losses: each weight is in one of them alone."""
        with torch.enable_grad():
            at = self._weights.detach().requires_grad_()
            mapped = torch.vmap(partial(outputs_at, self._net), in_dims=(0, axis))
            made = mapped(at, x)
            loss = losses.value(self._loss, made, targets)
            slope = torch.autograd.grad(loss.sum(), at, materialize_grads=True)[0]
        return slope, loss.detach(), made.detach()
