"""The residual networks of one class at a time: forward pass, gradient, and scratch memory.

Two forms compute the same numbers up to rounding: `Gram` never forms an h_i and is the faster one
for narrow networks, `Layers` follows (7a)-(7c) step by step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from engine.datasets import CLASSES
from engine.kernels import images as kernels
from engine.models import Parameters

GROUP = 10
"""Samples whose patches are multiplied at once; they fit into a core's second cache."""
POSITIONS = kernels.OUTPUTS**2
"""Outputs of the convolution per filter."""


class Scratch:
    """What one worker needs for itself."""

    def __init__(self, parameters: Parameters) -> None:
        architecture = parameters.architecture
        filters = architecture.filters
        self.patches = torch.empty(GROUP * POSITIONS, kernels.KERNEL**2)
        self.outputs = torch.empty(GROUP * POSITIONS, filters)
        self.patches_np, self.outputs_np = self.patches.numpy(), self.outputs.numpy()
        self.best = np.empty(filters, np.float32)
        self.place = np.empty(filters, np.int32)
        per_class = architecture.per_class
        self.A = torch.empty(per_class, *parameters.parts["A"].shape[1:])
        self.W = torch.empty(per_class, *parameters.parts["W"].shape[1:])
        self.b = torch.empty(per_class, parameters.parts["b"].shape[1])


def gram_pays(parameters: Parameters, capacity: int) -> bool:
    """Compare the cost of the Gram matrices with that of forming every h_i."""
    architecture = parameters.architecture
    return architecture.hidden * (architecture.depth - 1) < 2 * capacity


def by_class(parameters: Parameters, name: str) -> Tensor:
    """View a segment with the class first, shape (10, networks per class, ...)."""
    values = parameters.parts[name]
    return values.view(CLASSES, -1, *values.shape[1:])


class Form(ABC):
    """One way to compute the networks of class k; what `forward` keeps serves `backward`.

    Parameters
    ----------
    parameters : Parameters
        On the CPU; read anew in every call.
    capacity : int
        Largest batch.
    """

    def __init__(self, parameters: Parameters, capacity: int) -> None:
        architecture = parameters.architecture
        S, L, m = architecture.per_class, architecture.depth, architecture.hidden
        self._S, self._L, self._m = S, L, m
        self._A = by_class(parameters, "A")
        self._W = by_class(parameters, "W")
        self._b = by_class(parameters, "b")
        self._z = torch.empty(CLASSES, L, S, capacity, m)

    @abstractmethod
    def prepare(self, k: int) -> None:
        """Compute what does not depend on the batch."""

    @abstractmethod
    def forward(self, k: int, h0: Tensor) -> Tensor:
        """Compute cᵀ h_L from the features (B, n), shape (B, networks of the class)."""

    @abstractmethod
    def backward(self, k: int, h0: Tensor, outer: Tensor, own: Scratch, slopes: Tensor) -> None:
        """Write the gradient to `own.A`, `own.W`, `own.b`, and that of h_0 to `slopes` (B, n).

        `outer` is the gradient with respect to what `forward` gave.
        """

    def active(self, k: int, count: int) -> Tensor:
        """Give the fraction of ReLUs that are on, per layer, shape (L,)."""
        return (self._z[k, :, :, :count] > 0).to(torch.float32).mean((1, 2, 3))

    def _columns(self, i: int) -> slice:
        return slice(i * self._m, (i + 1) * self._m)


class Gram(Form):
    """By Gram matrices V_jᵀ W_i, c counting as one more row of V."""

    def __init__(self, parameters: Parameters, capacity: int, training: bool) -> None:
        super().__init__(parameters, capacity)
        S, L, m = self._S, self._L, self._m
        self._rows = L * m + 1
        self._u = torch.empty(CLASSES, capacity, S * self._rows)
        self._du = torch.empty(CLASSES if training else 0, capacity, S * self._rows)
        self._G = [
            [torch.empty(S, self._rows - (i + 1) * m, m) for i in range(L)] for _ in range(CLASSES)
        ]

    def prepare(self, k: int) -> None:
        """Multiply V and W of the layers."""
        for i, gram in enumerate(self._G[k]):
            below = self._A[k][:, (i + 1) * self._m :]
            torch.bmm(below, self._W[k][:, self._columns(i)].transpose(1, 2), out=gram)

    def forward(self, k: int, h0: Tensor) -> Tensor:
        """Compute the answers, shape (B, S)."""
        count = len(h0)
        flat = self._u[k, :count]
        torch.mm(h0, self._A[k].flatten(0, 1).T, out=flat)
        u = flat.view(count, self._S, self._rows).transpose(0, 1)
        for i, gram in enumerate(self._G[k]):
            z = self._z[k, i, :, :count]
            torch.sub(u[:, :, self._columns(i)], self._b[k][:, None, self._columns(i)], out=z)
            z.relu_()
            u[:, :, (i + 1) * self._m :].baddbmm_(z, gram.transpose(1, 2))
        return u[:, :, -1].T

    def backward(self, k: int, h0: Tensor, outer: Tensor, own: Scratch, slopes: Tensor) -> None:
        """Write the gradient."""
        count, m = len(h0), self._m
        flat = self._du[k, :count]
        du = flat.view(count, self._S, self._rows).transpose(0, 1)
        du[:, :, -1] = outer.T
        gram_slopes: list[Tensor] = [outer] * self._L
        for i in reversed(range(self._L)):
            below, z = du[:, :, (i + 1) * m :], self._z[k, i, :, :count]
            torch.mul(torch.bmm(below, self._G[k][i]), z > 0, out=du[:, :, self._columns(i)])
            gram_slopes[i] = torch.bmm(below.transpose(1, 2), z)
        torch.sum(du[:, :, :-1], 1, out=own.b).neg_()
        torch.mm(flat, self._A[k].flatten(0, 1), out=slopes)
        torch.mm(flat.T, h0, out=own.A.flatten(0, 1))
        for i, slope in enumerate(gram_slopes):
            tail, columns = slice((i + 1) * m, None), self._columns(i)
            own.A[:, tail].baddbmm_(slope, self._W[k][:, columns])
            torch.bmm(slope.transpose(1, 2), self._A[k][:, tail], out=own.W[:, columns])


class Layers(Form):
    """Layer by layer: for wide networks, V = I, and the plain baseline."""

    def __init__(self, parameters: Parameters, capacity: int, training: bool) -> None:
        super().__init__(parameters, capacity)
        architecture = parameters.architecture
        self._identity, self._residual = architecture.identity, architecture.residual
        self._training = training
        classes = CLASSES if training else 0
        self._h = torch.empty(classes, self._L, self._S, capacity, architecture.features)

    def prepare(self, k: int) -> None:
        """Nothing is shared."""

    def forward(self, k: int, h0: Tensor) -> Tensor:
        """Compute the answers, shape (B, S)."""
        count = len(h0)
        h = h0.expand(self._S, *h0.shape)
        for i in range(self._L):
            columns = self._columns(i)
            u = h if self._identity else torch.matmul(h, self._A[k][:, columns].transpose(1, 2))
            z = self._z[k, i, :, :count]
            torch.sub(u, self._b[k][:, None, columns], out=z)
            z.relu_()
            step = torch.bmm(z, self._W[k][:, columns])
            h = step.add_(h) if self._residual else step
            if self._training:
                self._h[k, i, :, :count] = h
        return torch.matmul(h, self._A[k][:, -1, :, None]).squeeze(2).T

    def backward(self, k: int, h0: Tensor, outer: Tensor, own: Scratch, slopes: Tensor) -> None:
        """Write the gradient."""
        count = len(h0)
        outer = outer.T[:, :, None]
        dh = outer * self._A[k][:, -1, None]
        own.A[:, -1:] = torch.bmm(outer.transpose(1, 2), self._h[k, self._L - 1, :, :count])
        for i in reversed(range(self._L)):
            columns, z = self._columns(i), self._z[k, i, :, :count]
            before = h0.expand(self._S, *h0.shape) if i == 0 else self._h[k, i - 1, :, :count]
            du = torch.bmm(dh, self._W[k][:, columns].transpose(1, 2)).mul_(z > 0)
            torch.bmm(z.transpose(1, 2), dh, out=own.W[:, columns])
            torch.sum(du, 1, out=own.b[:, columns]).neg_()
            passed = du
            if not self._identity:
                torch.bmm(du.transpose(1, 2), before, out=own.A[:, columns])
                passed = torch.bmm(du, self._A[k][:, columns])
            dh = dh + passed if self._residual else passed
        torch.sum(dh, 0, out=slopes)
