"""Products of the Hessian with vectors, written out by hand and shared out to the cores.

What a product needs of the point itself (features, layers, gradients of the layers) is computed
once; a product then carries a direction forward and back through all networks (Pearlmutter's
method), which costs about two gradients. Exact where no ReLU and no maximum changes sides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core import interrupt
from engine.core.arrays import FloatArray
from engine.core.device import workers
from engine.experiments.mnist.datasets import CLASSES, Bytes
from engine.experiments.mnist.network.batched import Features
from engine.experiments.mnist.network.forms import Scratch, by_class
from engine.experiments.mnist.network.model import Parameters, scores
from engine.kernels.network import images as kernels


class HessianProduct:
    """The operator v ↦ H v for the mean loss over some images, in the flat parameters.

    Parameters
    ----------
    parameters : Parameters
        The point, on the CPU; it must not change while products are made.
    images, labels : ndarray of uint8, shape (N, 28, 28) and (N,)
    squared_error : bool
        Whether the loss is the squared error instead of the cross-entropy.
    """

    def __init__(
        self, parameters: Parameters, images: Bytes, labels: Bytes, squared_error: bool
    ) -> None:
        architecture = parameters.architecture
        self._parameters = parameters
        self._team = workers()
        self._count = count = len(images)
        self._squared_error = squared_error
        self._features = Features(parameters, count, self._team)
        scratch = [Scratch(parameters) for _ in range(self._team.count)]
        h0 = self._features.forward(images, np.arange(count), scratch)
        self._signs = torch.tensor([1.0, -1.0][: architecture.per_class])
        self._classes = [_Class(parameters, k, h0) for k in range(CLASSES)]
        answers = torch.empty(count, architecture.networks)
        self._each(lambda k: answers[:, self._columns(k)].copy_(self._classes[k].forward()))
        values = scores(architecture, answers, parameters.parts["d"])
        slopes = values - torch.nn.functional.one_hot(torch.from_numpy(labels.astype(np.int64)), 10)
        self._chances = torch.softmax(values, 1)
        if not squared_error:
            slopes += self._chances - values
        slopes /= count
        self._each(lambda k: self._classes[k].backward(slopes[:, k, None] * self._signs))

    def _columns(self, k: int) -> slice:
        per_class = len(self._signs)
        return slice(k * per_class, (k + 1) * per_class)

    def _each(self, work: Callable[[int], object]) -> None:
        def task(_worker: int, k: int) -> None:
            work(k)

        self._team.run(CLASSES, task)

    def __call__(self, vector: FloatArray) -> FloatArray:
        """Multiply, shape (P,)."""
        architecture = self._parameters.architecture
        direction = Parameters(architecture, torch.from_numpy(vector.astype(np.float32)))
        result = Parameters(architecture, torch.empty(architecture.size))
        count = self._count
        h0 = np.empty((count, architecture.features), np.float32)
        weight, bias = (direction.parts[name].numpy() for name in ("conv.weight", "conv.bias"))
        kernels.feature_change(self._features.cropped, self._features.winner, weight, bias, h0)
        change = torch.from_numpy(h0)
        answers = torch.empty(count, architecture.networks)
        self._each(
            lambda k: answers[:, self._columns(k)].copy_(
                self._classes[k].carry_forward(direction, change)
            )
        )
        slopes = self._slope_change(scores(architecture, answers, direction.parts["d"]))
        parts = torch.empty(CLASSES, count, architecture.features)

        def back(k: int) -> None:
            outer = slopes[:, k, None] * self._signs
            parts[k] = self._classes[k].carry_back(direction, outer, result)

        def feature_slopes(columns: slice, out: NDArray[np.float32]) -> None:
            torch.sum(parts[:, :, columns], 0, out=torch.from_numpy(out))

        self._each(back)
        weight, bias = self._features.backward(count, feature_slopes)
        result.parts["conv.weight"].copy_(torch.from_numpy(weight))
        result.parts["conv.bias"].copy_(torch.from_numpy(bias))
        torch.sum(slopes, 0, out=result.parts["d"])
        return np.asarray(result.flat, np.float64)

    def _slope_change(self, change: Tensor) -> Tensor:
        """Multiply with the Hessian of the mean loss in the scores."""
        if self._squared_error:
            return change / self._count
        p = self._chances
        return p * (change - (p * change).sum(1, keepdim=True)) / self._count


class _Class:
    """The networks of one class: layers and their gradients, and how a direction changes them."""

    def __init__(self, parameters: Parameters, k: int, h0: Tensor) -> None:
        architecture = parameters.architecture
        self._k, self._L, self._m = k, architecture.depth, architecture.hidden
        self._identity, self._residual = architecture.identity, architecture.residual
        self._A, self._W, self._b = (by_class(parameters, name)[k] for name in ("A", "W", "b"))
        self._h = [h0.expand(architecture.per_class, *h0.shape)]
        self._z: list[Tensor] = []
        self._outer = h0
        self._dh: list[Tensor] = []
        self._du: list[Tensor] = []
        self._change: list[Tensor] = []
        self._z_change: list[Tensor] = []

    def _rows(self, i: int) -> slice:
        return slice(i * self._m, (i + 1) * self._m)

    def forward(self) -> Tensor:
        """Compute the answers (B, S)."""
        for i in range(self._L):
            interrupt.check()
            h, rows = self._h[i], self._rows(i)
            u = h if self._identity else torch.matmul(h, self._A[:, rows].mT)
            z = torch.relu(u - self._b[:, None, rows])
            step = torch.bmm(z, self._W[:, rows])
            self._z.append(z)
            self._h.append(step.add_(h) if self._residual else step)
        return torch.matmul(self._h[-1], self._A[:, -1, :, None]).squeeze(2).T

    def backward(self, outer: Tensor) -> None:
        """Compute the gradients with respect to the layers from those of the answers (B, S)."""
        self._outer = outer.T[:, :, None]
        dh = self._outer * self._A[:, -1, None]
        self._dh, self._du = [dh] * self._L, [dh] * self._L
        for i in reversed(range(self._L)):
            interrupt.check()
            rows = self._rows(i)
            self._dh[i] = dh
            self._du[i] = du = torch.bmm(dh, self._W[:, rows].mT).mul_(self._z[i] > 0)
            passed = du if self._identity else torch.bmm(du, self._A[:, rows])
            dh = dh + passed if self._residual else passed

    def carry_forward(self, direction: Parameters, change: Tensor) -> Tensor:
        """Compute by how much the answers (B, S) change, from the change of h_0 (B, n)."""
        A, W, b = (by_class(direction, name)[self._k] for name in ("A", "W", "b"))
        h = change.expand(len(A), *change.shape)
        self._change, self._z_change = [h], []
        for i in range(self._L):
            interrupt.check()
            rows, z = self._rows(i), self._z[i]
            u = h
            if not self._identity:
                u = torch.matmul(h, self._A[:, rows].mT)
                u += torch.matmul(self._h[i], A[:, rows].mT)
            z_change = (u - b[:, None, rows]).mul_(z > 0)
            step = torch.bmm(z_change, self._W[:, rows]).baddbmm_(z, W[:, rows])
            h = step.add_(h) if self._residual else step
            self._z_change.append(z_change)
            self._change.append(h)
        own = torch.matmul(self._h[-1], A[:, -1, :, None])
        return (own + torch.matmul(h, self._A[:, -1, :, None])).squeeze(2).T

    def carry_back(self, direction: Parameters, outer: Tensor, result: Parameters) -> Tensor:
        """Write the class's part of the product; returns the change of h_0's gradient (B, n)."""
        A, W = (by_class(direction, name)[self._k] for name in ("A", "W"))
        to_A, to_W, to_b = (by_class(result, name)[self._k] for name in ("A", "W", "b"))
        outer = outer.T[:, :, None]
        to_A[:, -1:] = torch.bmm(outer.mT, self._h[-1]) + torch.bmm(
            self._outer.mT, self._change[-1]
        )
        dh = outer * self._A[:, -1, None] + self._outer * A[:, -1, None]
        for i in reversed(range(self._L)):
            interrupt.check()
            rows, z, old_dh, old_du = self._rows(i), self._z[i], self._dh[i], self._du[i]
            to_W[:, rows] = torch.bmm(z.mT, dh).baddbmm_(self._z_change[i].mT, old_dh)
            du = torch.bmm(dh, self._W[:, rows].mT).baddbmm_(old_dh, W[:, rows].mT).mul_(z > 0)
            to_b[:, rows] = -du.sum(1)
            passed = du
            if not self._identity:
                to_A[:, rows] = torch.bmm(du.mT, self._h[i]) + torch.bmm(old_du.mT, self._change[i])
                passed = torch.bmm(du, self._A[:, rows]).baddbmm_(old_du, A[:, rows])
            dh = dh + passed if self._residual else passed
        return dh.sum(0)
