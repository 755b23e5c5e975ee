"""Products of the Hessian with vectors, exact, at about the cost of two gradients each.

A direction is carried forward and back through the network (Pearlmutter 1994); what that needs of
the point itself is computed once. With layer normalisation the gradient is differentiated by torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core import interrupt
from engine.experiments.network.choices import LossName
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.activations import FUNCTIONS
from engine.experiments.network.nets.architecture import Architecture, Net
from engine.experiments.network.nets.functional import compute, split
from engine.experiments.network.nets.network import Layer, layers_of

Numbers = NDArray[np.floating[Any]]
Operator = Callable[[Tensor], Tensor]


class HessianProduct:
    """The operator v ↦ D(H + λI)Dv at one point, with a diagonal D of scales.

    Parameters
    ----------
    architecture : Net
    loss : str
    weights : Tensor, shape (n,)
    x, targets : Tensor
        The samples of the mean loss.
    scales : Tensor, shape (n,), optional
        The diagonal of D; the identity if there is none.
    decay : float
        The coefficient λ of the weights in the gradient.
    """

    def __init__(
        self,
        architecture: Net,
        loss: LossName,
        weights: Tensor,
        x: Tensor,
        targets: Tensor,
        *,
        scales: Tensor | None = None,
        decay: float = 0.0,
    ) -> None:
        self._hessian: Operator
        if isinstance(architecture, Architecture) and not architecture.layer_norm:
            self._hessian = Written(architecture, loss, weights, x, targets)
        else:
            self._hessian = differentiated(architecture, loss, weights, x, targets)
        self._scales, self._decay = scales, decay
        self._like = weights

    def __call__(self, direction: Numbers) -> Numbers:
        """Multiply a vector, shape (n,).

        Raises
        ------
        FloatingPointError
            If the product is not finite.
        """
        interrupt.check()
        v = torch.as_tensor(direction, dtype=self._like.dtype, device=self._like.device)
        scaled = v if self._scales is None else v * self._scales
        product = self._hessian(scaled)
        if self._decay:
            product = product.add_(scaled, alpha=self._decay)
        if self._scales is not None:
            product = product.mul_(self._scales)
        if not bool(torch.isfinite(product.sum())):
            raise FloatingPointError("a product of the Hessian is not finite")
        return np.asarray(product.cpu().numpy())


def differentiated(
    architecture: Net, loss: LossName, weights: Tensor, x: Tensor, targets: Tensor
) -> Operator:
    """Return the Hessian as an operator that torch differentiates."""
    parts = [part.detach().requires_grad_() for part in split(architecture, weights)]
    with torch.enable_grad():
        mean = losses.value(loss, compute(architecture, parts, x), targets)
        slopes: Any = torch.autograd.grad(
            mean, parts, create_graph=True, allow_unused=True, materialize_grads=True
        )
    bent = [slope for slope in slopes if slope.requires_grad]

    def product(direction: Tensor) -> Tensor:
        if not bent:  # linear in all weights
            return torch.zeros_like(direction)
        ways = split(architecture, direction)
        found: Any = torch.autograd.grad(
            bent,
            parts,
            [way for way, slope in zip(ways, slopes, strict=True) if slope.requires_grad],
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        return torch.cat([piece.reshape(-1) for piece in found])

    return product


class Written:
    """The Hessian of networks without normalisation, written out by hand."""

    def __init__(
        self,
        architecture: Architecture,
        loss: LossName,
        weights: Tensor,
        x: Tensor,
        targets: Tensor,
    ) -> None:
        self._architecture, self._loss, self._targets = architecture, loss, targets
        with torch.no_grad():
            networks = layers_of(architecture, weights)
            self._tapes = [_Tape(architecture, layers, x) for layers in networks]
            ends = [tape.outputs for tape in self._tapes]
            self._outputs = ends[0] if len(ends) == 1 else ends[0] - ends[1]
            slope = losses.value_and_slope(loss, self._outputs, targets)[1]
            for tape, sign in zip(self._tapes, (1.0, -1.0), strict=False):
                tape.go_back(slope * sign)

    @torch.no_grad()
    def __call__(self, direction: Tensor) -> Tensor:
        """Multiply a vector, shape (n,)."""
        result = torch.empty_like(direction)
        moves = layers_of(self._architecture, direction)
        results = layers_of(self._architecture, result)
        ends = [tape.carry(move) for tape, move in zip(self._tapes, moves, strict=True)]
        change = ends[0] if len(ends) == 1 else ends[0] - ends[1]
        slope = losses.curve(self._loss, self._outputs, self._targets, change)
        for index, (tape, move) in enumerate(zip(self._tapes, moves, strict=True)):
            tape.carry_back(move, slope if index == 0 else -slope, results[index])
        return result


class _Tape:
    """What products need of one network at the point: values, slopes and bends of each layer."""

    def __init__(self, architecture: Architecture, layers: list[Layer], x: Tensor) -> None:
        self._layers, self._branch = layers, architecture.branch
        self._skips = [architecture.is_skipped(index) for index in range(len(layers))]
        self._h: list[Tensor] = []
        self._first: list[Tensor | None] = []  # slope of φ at the sums; None for 1
        self._second: list[Tensor | None] = []  # its slope; None for 0
        self._bends: list[Tensor | None] = []
        self._dz: list[Tensor] = []
        h = x
        for index, (weights, biases) in enumerate(layers):
            self._h.append(h)
            z = h @ weights.T if biases is None else torch.addmm(biases, h, weights.T)
            if index == len(layers) - 1:
                self.outputs = z
                break
            a, first, second = _expanded(architecture, z)
            self._first.append(first)
            self._second.append(second)
            h = torch.add(h, a, alpha=self._branch) if self._skips[index] else a

    def go_back(self, slope: Tensor) -> None:
        """Compute the slopes by the sums of each layer from those by the outputs."""
        dz = dh = slope
        self._dz = [slope] * len(self._layers)
        self._bends = [None] * len(self._layers)
        for index in reversed(range(len(self._layers))):
            if index < len(self._layers) - 1:
                da = dh * self._branch if self._skips[index] else dh
                first, second = self._first[index], self._second[index]
                dz = da if first is None else da * first
                self._bends[index] = None if second is None else da * second
            self._dz[index] = dz
            passed = dz @ self._layers[index][0]
            dh = passed + dh if self._skips[index] else passed

    def carry(self, move: list[Layer]) -> Tensor:
        """Compute the change of the outputs by a move of the weights."""
        self._dh: list[Tensor | None] = []
        self._zs: list[Tensor] = []
        change: Tensor | None = None
        for index, (weights, biases) in enumerate(move):
            self._dh.append(change)
            z = self._h[index] @ weights.T
            if biases is not None:
                z += biases
            if change is not None:
                z = z.addmm_(change, self._layers[index][0].T)
            self._zs.append(z)
            if index == len(move) - 1:
                return z
            first = self._first[index]
            a = z if first is None else z * first
            if self._skips[index] and change is not None:
                a = torch.add(change, a, alpha=self._branch)
            change = a
        raise AssertionError("a network has a layer")

    def carry_back(self, move: list[Layer], slope: Tensor, result: list[Layer]) -> None:
        """Write the product, from the change of the slopes by the outputs."""
        dz = dh = slope
        for index in reversed(range(len(move))):
            if index < len(move) - 1:
                da = dh * self._branch if self._skips[index] else dh
                first, bend = self._first[index], self._bends[index]
                dz = da if first is None else da * first
                if bend is not None:
                    dz = torch.addcmul(dz, bend, self._zs[index])
            to_weights, to_biases = result[index]
            torch.mm(dz.T, self._h[index], out=to_weights)
            before = self._dh[index]
            if before is not None:
                to_weights.addmm_(self._dz[index].T, before)
            if to_biases is not None:
                torch.sum(dz, 0, out=to_biases)
            if index:
                passed = dz @ self._layers[index][0]
                passed.addmm_(self._dz[index], move[index][0])
                dh = passed.add_(dh) if self._skips[index] else passed


def _expanded(architecture: Architecture, z: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return φ at sums, its slope and its second derivative; None for a slope of 1 and for 0."""
    if architecture.activation == "linear":
        return z, None, None
    with torch.enable_grad():
        at = z.detach().requires_grad_()
        a = FUNCTIONS[architecture.activation].apply(at)
        first = torch.autograd.grad(a.sum(), at, create_graph=True)[0]
        second = None
        if first.requires_grad:
            second = torch.autograd.grad(first.sum(), at, allow_unused=True)[0]
    return a.detach(), first.detach(), second
