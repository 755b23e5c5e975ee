"""All residual networks as one batched computation on the CPU, gradients written out by hand.

The numbers are those of (7a)-(7c) up to rounding; what is saved:

* With ``u_j = V_jᵀ h_{j-1}`` and ``h_j = h_0 + Σ_{i≤j} W_i z_i`` no h_j is ever formed:
  ``u_j = V_jᵀ h_0 + Σ_{i<j} (V_jᵀ W_i) z_i``. One product of h_0 with all V and c of a class, and
  small Gram matrices ``G = V_jᵀ W_i``, replace most of the work; c counts as one more row of V.
* The convolution is one matrix product over patches, and its gradient visits only the patches that
  won their window (`engine.kernels.images`).
* A class at a time goes through a core: its gradient is used up while it is in the cache.

Sums over samples and classes are taken over the same parts in the same order on any number of
cores, so the number of cores does not change a bit.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.batched_forms import GROUP, POSITIONS, Form, Gram, Layers, Scratch, gram_pays
from engine.datasets import CLASSES, Bytes
from engine.device import Workers, workers
from engine.kernels import images as kernels
from engine.models import Parameters, scores

_SLICE = 10
"""Samples whose filter gradients are summed in one part."""
_TABLE = (np.arange(256) / np.float32(255)).astype(np.float32)
KINDS = ("conv", "V", "W", "b", "c", "d")
"""Kinds of parameters, in the order in which norms are listed; ``conv`` is filters and biases."""


class Sink(Protocol):
    """Takes a gradient in pieces, each at the moment when it is complete.

    A piece may be taken by any thread, and its parameters are not read again in the same step.
    """

    def take(self, offset: int, gradient: NDArray[np.float32]) -> None:
        """Take the gradient of the flat parameters from `offset` on, shape (m,)."""


class Collector:
    """A sink that keeps the whole gradient, shape (P,)."""

    def __init__(self, size: int) -> None:
        self.gradient = np.zeros(size, np.float32)

    def take(self, offset: int, gradient: NDArray[np.float32]) -> None:
        """Copy a piece."""
        self.gradient[offset : offset + len(gradient)] = gradient


class Features:
    """The convolution block for up to `capacity` samples at a time."""

    def __init__(self, parameters: Parameters, capacity: int, team: Workers) -> None:
        n = parameters.architecture.features
        self._filters = parameters.parts["conv.weight"]
        self._bias = parameters.parts["conv.bias"].numpy()
        self._team = team
        self.cropped = np.zeros((capacity, kernels.PIXELS), np.float32)
        self.values = torch.empty(capacity, n)
        self.winner = np.empty((capacity, n), np.int32)
        self._values_np = self.values.numpy()
        slices = -(-capacity // _SLICE)
        self._weight_parts = np.empty((slices, *self._filters.shape), np.float32)
        self._bias_parts = np.empty((slices, len(self._bias)), np.float32)
        self._wide = np.empty((slices, len(self._bias), kernels.KERNEL * kernels.WIDE), np.float32)

    def forward(self, images: Bytes, index: NDArray[np.int64], scratch: list[Scratch]) -> Tensor:
        """Compute h_0 of chosen images, shape (B, n)."""
        count = len(index)
        filters = self._filters.T

        def group(worker: int, task: int) -> None:
            own = scratch[worker]
            low, high = task * GROUP, min((task + 1) * GROUP, count)
            rows = (high - low) * POSITIONS
            kernels.crop(images, index, _TABLE, low, high, self.cropped)
            kernels.patches(self.cropped, low, high, own.patches_np)
            torch.mm(own.patches[:rows], filters, out=own.outputs[:rows])
            kernels.pool(
                own.outputs_np, self._bias, low, high, own.best, own.place,
                self._values_np, self.winner,
            )  # fmt: skip

        self._team.run(-(-count // GROUP), group)
        return self.values[:count]

    def backward(
        self, count: int, slopes: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the gradients of filters and biases from those of h_0, in parts (·, B, n)."""
        slices = -(-count // _SLICE)

        def part(_worker: int, task: int) -> None:
            low, high = task * _SLICE, min((task + 1) * _SLICE, count)
            kernels.filter_gradient(
                self.cropped, slopes, self.winner, low, high,
                self._wide[task], self._weight_parts[task], self._bias_parts[task],
            )  # fmt: skip

        self._team.run(slices, part)
        return self._weight_parts[:slices].sum(axis=0), self._bias_parts[:slices].sum(axis=0)


class BatchedNetwork:
    """Forward and backward pass over the parameters, which others update in between.

    Parameters
    ----------
    parameters : Parameters
        On the CPU.
    capacity : int
        Largest batch.
    training : bool
        Whether `backward` will be used; without it less memory is taken.
    """

    def __init__(self, parameters: Parameters, capacity: int, training: bool = True) -> None:
        architecture = parameters.architecture
        self.parameters = parameters
        self.capacity = capacity
        self.team = workers()
        self.features = Features(parameters, capacity, self.team)
        self._form: Form
        if architecture.residual and not architecture.identity and gram_pays(parameters, capacity):
            self._form = Gram(parameters, capacity, training)
        else:
            self._form = Layers(parameters, capacity, training)
        self._scratch = [self._form.scratch() for _ in range(self.team.count)]
        self._signs = torch.tensor([1.0, -1.0][: architecture.per_class])
        self._answers = torch.empty(capacity, architecture.networks)
        n = architecture.features
        self._slopes = np.empty((CLASSES if training else 0, capacity, n), np.float32)
        self._slopes_torch = torch.from_numpy(self._slopes)
        self._count = 0
        self.squares = np.zeros((CLASSES, len(KINDS)))

    def prepare(self) -> None:
        """Compute what many batches share, once, before `forward` with ``fixed=True``."""
        self.team.run(CLASSES, lambda _worker, k: self._form.prepare(k))

    def forward(self, images: Bytes, index: NDArray[np.int64], fixed: bool = False) -> Tensor:
        """Compute the networks' answers cᵀ h_L for chosen images, shape (B, K).

        With `fixed` the parameters are those of the last `prepare`.
        """
        self._count = count = len(index)
        h0 = self.features.forward(images, index, self._scratch)
        per_class = self.parameters.architecture.per_class

        def answer(_worker: int, k: int) -> None:
            if not fixed:
                self._form.prepare(k)
            columns = slice(k * per_class, (k + 1) * per_class)
            self._answers[:count, columns] = self._form.forward(k, h0)

        self.team.run(CLASSES, answer)
        return self._answers[:count]

    def all_answers(self, images: Bytes) -> NDArray[np.float32]:
        """Compute the networks' answers for any number of images, shape (N, K)."""
        self.prepare()
        index = np.arange(len(images))
        results = [
            self.forward(images, index[first : first + self.capacity], fixed=True).clone()
            for first in range(0, len(images), self.capacity)
        ]
        return torch.cat(results).numpy()

    def scores(self, answers: Tensor) -> Tensor:
        """Combine answers to r_k - s_k + d_k, shape (B, 10)."""
        return scores(self.parameters.architecture, answers, self.parameters.parts["d"])

    def backward(self, slopes: Tensor, sink: Sink, measure: bool = False) -> None:
        """Give the gradient to a sink, from that of the scores of the last batch, shape (B, 10).

        With `measure`, `squares` becomes the sum of squares of the gradient, shape (10, kinds):
        per class where a class has its own parameters, in row 0 otherwise.
        """
        count = self._count
        h0 = self.features.values[:count]
        offsets = self.parameters.offsets
        outer = (slopes.T[:, :, None] * self._signs).unbind()
        h0_slopes = self._slopes_torch[:, :count].unbind()

        def class_gradient(worker: int, task: int) -> None:
            k = CLASSES - 1 - task  # backwards: the last classes are still in the cache
            own = self._scratch[worker]
            self._form.backward(k, h0, outer[k], own, h0_slopes[k])
            if measure:
                self.squares[k] = self._class_squares(own)
            for name, piece in own.flat.items():
                sink.take(offsets[name] + k * len(piece), piece)

        self.team.run(CLASSES, class_gradient)
        weight, bias = self.features.backward(count, self._slopes)
        offset_slopes = slopes.sum(0).numpy()
        free = np.concatenate([weight.ravel(), bias, offset_slopes])
        if measure:
            self.squares[0, 0] = np.vdot(weight, weight) + np.vdot(bias, bias)
            self.squares[0, KINDS.index("d")] = np.vdot(offset_slopes, offset_slopes)
        sink.take(0, free)

    def _class_squares(self, own: Scratch) -> list[float]:
        squares = [0.0] * len(KINDS)
        for kind, values in (
            ("V", own.A[:, :-1]), ("W", own.W), ("b", own.b), ("c", own.A[:, -1]),
        ):  # fmt: skip
            squares[KINDS.index(kind)] = float(values.square().sum())
        return squares

    def active_fraction(self) -> NDArray[np.float64]:
        """Give the fraction of ReLUs that were on in the last batch, shape (L,)."""
        fractions = torch.stack([self._form.active(k, self._count) for k in range(CLASSES)])
        return np.asarray(fractions.mean(0), np.float64)
