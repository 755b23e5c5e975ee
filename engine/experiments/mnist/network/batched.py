"""All residual networks as one batched computation on the CPU, gradients written out by hand.

The numbers are those of (7a)-(7c) up to rounding; what is saved:

* With ``u_j = V_jᵀ h_{j-1}`` and ``h_j = h_0 + Σ_{i≤j} W_i z_i`` no h_j is ever formed:
  ``u_j = V_jᵀ h_0 + Σ_{i<j} (V_jᵀ W_i) z_i``. One product of h_0 with all V and c of a class, and
  small Gram matrices ``G = V_jᵀ W_i``, replace most of the work; c counts as one more row of V.
* The convolution is one matrix product over patches, and its gradient visits only the patches that
  won their window (`engine.kernels.network.images`), some filters at a time.
* A class at a time goes through a core: its gradient is used up while it is in the cache.

Sums over samples and classes are taken over the same parts in the same order on any number of
cores, so the number of cores does not change a bit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core import interrupt
from engine.core.device import Workers, workers
from engine.experiments.mnist.datasets import CLASSES, Bytes
from engine.experiments.mnist.network.forms import (
    F32,
    GROUP,
    Form,
    Gram,
    Layers,
    Scratch,
    gram_pays,
)
from engine.experiments.mnist.network.model import Parameters, scores
from engine.kernels.network import images as kernels
from engine.kernels.network.images import WINDOWS
from engine.text.numbers import whole

_FILTERS = 8
"""Filters whose gradient is made in one part."""
_TABLE = (np.arange(256) / np.float32(255)).astype(np.float32)
KINDS = ("conv", "V", "W", "b", "c", "d")
"""Kinds of parameters, in the order in which norms are listed; ``conv`` is filters and biases."""


class Sink(Protocol):
    """Takes a gradient in pieces, each at the moment when it is complete.

    A piece may be taken by any thread, and its parameters are not read again in the same step.
    """

    def take(self, offset: int, gradient: NDArray[np.float32]) -> None:
        """Take the gradient of the flat parameters from `offset` on, shape (m,)."""


class Features:
    """The convolution block for up to `capacity` samples at a time."""

    def __init__(self, parameters: Parameters, capacity: int, team: Workers) -> None:
        n = parameters.architecture.features
        self._filters = parameters.parts["conv.weight"].numpy()
        self._bias = parameters.parts["conv.bias"].numpy()
        self._team = team
        self.cropped = np.zeros((capacity, kernels.PIXELS), np.float32)
        self.values = torch.empty(capacity, n)
        self.winner = np.empty((capacity, n), np.int32)
        self._values_np = self.values.numpy()
        self._weight_slopes = np.empty(self._filters.shape, np.float32)
        self._bias_slopes = np.empty(len(self._bias), np.float32)

    def forward(self, images: Bytes, index: NDArray[np.int64], scratch: list[Scratch]) -> Tensor:
        """Compute h_0 of chosen images, shape (B, n)."""
        count = len(index)

        def group(worker: int, task: int) -> None:
            interrupt.check()
            own = scratch[worker]
            low, high = task * GROUP, min((task + 1) * GROUP, count)
            kernels.convolve(
                images,
                index,
                _TABLE,
                low,
                high,
                self._filters,
                self._bias,
                self.cropped,
                own.patches,
                own.outputs,
                self._values_np,
                self.winner,
            )

        self._team.run(-(-count // GROUP), group)
        return self.values[:count]

    def backward(
        self, count: int, slopes: Callable[[slice, F32], None]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the gradients of filters and biases, until the next call.

        ``slopes(columns, out)`` writes the gradient with respect to a range of the features to
        `out`, shape (B, f).
        """
        filters = len(self._bias)

        def part(_worker: int, task: int) -> None:
            interrupt.check()
            chosen = slice(task * _FILTERS, min((task + 1) * _FILTERS, filters))
            columns = slice(chosen.start * WINDOWS, chosen.stop * WINDOWS)
            own = np.empty((count, columns.stop - columns.start), np.float32)
            slopes(columns, own)
            kernels.filter_gradient(
                self.cropped,
                own,
                self.winner,
                chosen.start,
                self._weight_slopes[chosen],
                self._bias_slopes[chosen],
            )

        self._team.run(-(-filters // _FILTERS), part)
        return self._weight_slopes, self._bias_slopes


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
        self._count = 0
        self.squares = np.zeros((CLASSES, len(KINDS)))

    def prepare(self) -> None:
        """Compute what many batches share, once, before `forward` with ``fixed=True``."""
        self.team.run(CLASSES, lambda _worker, k: self._form.prepare(k))

    def forward(self, images: Bytes, index: NDArray[np.int64], fixed: bool = False) -> Tensor:
        """Compute the networks' answers cᵀ h_L for chosen images, shape (B, K).

        With `fixed` the parameters are those of the last `prepare`.

        Raises
        ------
        ValueError
            If there are more images than the network has room for.
        """
        if len(index) > self.capacity:
            raise ValueError(f"{len(index)} images, where there is room for {self.capacity}")
        self._count = count = len(index)
        h0 = self.features.forward(images, index, self._scratch)
        per_class = self.parameters.architecture.per_class

        def answer(_worker: int, k: int) -> None:
            interrupt.check()
            if not fixed:
                self._form.prepare(k)
            columns = slice(k * per_class, (k + 1) * per_class)
            self._answers[:count, columns] = self._form.forward(k, h0)

        self.team.run(CLASSES, answer)
        return self._answers[:count]

    def all_answers(self, images: Bytes) -> NDArray[np.float32]:
        """Compute the networks' answers for any number of images, shape (N, K)."""
        self.prepare()
        index, results = np.arange(len(images)), []
        text = f"scores of {whole(len(images))} images"
        for first in range(0, len(images), self.capacity):
            interrupt.report(first / len(images), text)
            chosen = index[first : first + self.capacity]
            results.append(self.forward(images, chosen, fixed=True).clone())
        return torch.cat(results).numpy()

    def scores(self, answers: Tensor) -> Tensor:
        """Combine answers to r_k - s_k + d_k, shape (B, 10)."""
        return scores(self.parameters.architecture, answers, self.parameters.parts["d"])

    def backward(self, slopes: Tensor, sink: Sink, measure: bool = False) -> None:
        """Return the gradient to a sink, from that of the scores of the last batch, shape (B, 10).

        With `measure`, `squares` becomes the sum of squares of the gradient, shape (10, kinds):
        per class where a class has its own parameters, in row 0 otherwise.
        """
        count, form = self._count, self._form
        h0 = self.features.values[:count]
        offsets = self.parameters.offsets
        # Contiguous for any size of batch, or a batch of one is another type to the kernels.
        outer = (slopes.T[:, :, None] * self._signs).contiguous().unbind()

        def give(k: int, own: Scratch) -> None:
            if measure:
                self.squares[k] = self._class_squares(own)
            for name, piece in own.flat.items():
                sink.take(offsets[name] + k * len(piece), piece)

        def carry(worker: int, task: int) -> None:
            interrupt.check()
            k = CLASSES - 1 - task  # backwards: the last classes are still in the cache
            form.carry(k, h0, outer[k], self._scratch[worker])
            if not form.in_rounds:
                give(k, self._scratch[worker])

        def gradient(worker: int, k: int) -> None:
            interrupt.check()
            form.gradient(k, h0, self._scratch[worker])
            give(k, self._scratch[worker])

        self.team.run(CLASSES, carry)
        weight, bias = self.features.backward(count, form.feature_slopes)
        if form.in_rounds:
            self.team.run(CLASSES, gradient)
        offset_slopes = slopes.sum(0).numpy()
        free = np.concatenate([weight.ravel(), bias, offset_slopes])
        if measure:
            self.squares[0, 0] = np.vdot(weight, weight) + np.vdot(bias, bias)
            self.squares[0, KINDS.index("d")] = np.vdot(offset_slopes, offset_slopes)
        sink.take(0, free)

    def _class_squares(self, own: Scratch) -> list[float]:
        squares = [0.0] * len(KINDS)
        for kind, values in (
            ("V", own.A[:, :-1]),
            ("W", own.W),
            ("b", own.b),
            ("c", own.A[:, -1]),
        ):
            squares[KINDS.index(kind)] = float(values.square().sum())
        return squares

    def active_fraction(self) -> NDArray[np.float64]:
        """Return the fraction of ReLUs that were on in the last batch, shape (L,)."""
        fractions = torch.stack([self._form.active(k, self._count) for k in range(CLASSES)])
        return np.asarray(fractions.mean(0), np.float64)
