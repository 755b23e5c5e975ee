"""The residual networks of one class at a time: forward pass, gradient, and scratch memory.

Two forms compute the same numbers up to rounding: `Gram` never forms an h_i and is the faster one
for narrow networks, `Layers` follows (7a)-(7c) step by step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.experiments.mnist.datasets import CLASSES
from engine.experiments.mnist.network.model import Parameters
from engine.kernels.network import images, layers

F32 = NDArray[np.float32]

GROUP = 10
"""Samples whose patches are multiplied at once; they fit into a core's second cache."""
NARROW = 256
"""ReLUs of a network up to which the sums between its large products are small beside these."""
POSITIONS = images.OUTPUTS**2
"""Outputs of the convolution per filter."""


class Scratch:
    """What one worker needs for itself."""

    def __init__(self, parameters: Parameters) -> None:
        architecture = parameters.architecture
        filters = architecture.filters
        self.patches = np.empty((GROUP * POSITIONS, images.KERNEL**2), np.float32)
        self.outputs = np.empty((GROUP * POSITIONS, filters), np.float32)
        S = architecture.per_class
        self.A = torch.empty(S, *parameters.parts["A"].shape[1:])
        self.W = torch.empty(S, *parameters.parts["W"].shape[1:])
        self.b = torch.empty(S, parameters.parts["b"].shape[1])
        pieces = {"A": self.A, "W": self.W, "b": self.b}
        self.flat = {name: values.view(-1).numpy() for name, values in pieces.items()}


class GramScratch(Scratch):
    """What one worker needs besides for `Gram`: room for a layer of G."""

    def __init__(self, parameters: Parameters) -> None:
        super().__init__(parameters)
        L, m = parameters.architecture.depth, parameters.architecture.hidden
        self.across = np.empty((L * m + 1, m), np.float32)
        self.A_np, self.W_np = self.A.numpy(), self.W.numpy()


def gram_pays(parameters: Parameters, capacity: int) -> bool:
    """Compare the cost of the Gram matrices with that of forming every h_i."""
    m, L = parameters.architecture.hidden, parameters.architecture.depth
    return m * (L - 1) < 2 * capacity and m * L <= NARROW


def by_class(parameters: Parameters, name: str) -> Tensor:
    """View a segment with the class first, shape (10, networks per class, ...)."""
    values = parameters.parts[name]
    return values.view(CLASSES, -1, *values.shape[1:])


class Form(ABC):
    """One way to compute the networks of class k.

    A gradient is made in three rounds, each over all classes or features before the next, because
    that of the features needs parameters which are updated as soon as their gradient is known:
    `carry` back through the layers, `feature_slopes`, `gradient`. A round uses what `forward` and
    the rounds before it have kept. Unless `in_rounds`, `carry` has written the gradient already.

    Parameters
    ----------
    parameters : Parameters
        On the CPU; read anew in every call.
    capacity : int
        Largest batch.
    """

    in_rounds: ClassVar[bool]

    def __init__(self, parameters: Parameters, capacity: int) -> None:
        self._parameters = parameters
        architecture = parameters.architecture
        S, L, m = architecture.per_class, architecture.depth, architecture.hidden
        self._S, self._L, self._m = S, L, m
        self._A = by_class(parameters, "A")
        self._W = by_class(parameters, "W")
        self._b = by_class(parameters, "b")
        self._z = torch.empty(CLASSES, L, S, capacity, m)

    def scratch(self) -> Scratch:
        """Make what one worker needs for itself."""
        return Scratch(self._parameters)

    @abstractmethod
    def prepare(self, k: int) -> None:
        """Compute what does not depend on the batch."""

    @abstractmethod
    def forward(self, k: int, h0: Tensor) -> Tensor:
        """Compute cᵀ h_L from the features (B, n), shape (B, networks of the class)."""

    @abstractmethod
    def carry(self, k: int, h0: Tensor, outer: Tensor, own: Scratch) -> None:
        """Go back through the layers, from the gradient `outer` with respect to the answers."""

    @abstractmethod
    def feature_slopes(self, columns: slice, out: F32) -> None:
        """Write the gradient with respect to some of the features, over all classes, to (B, f)."""

    @abstractmethod
    def gradient(self, k: int, h0: Tensor, own: Scratch) -> None:
        """Write the gradient to `own.A`, `own.W` and `own.b`."""

    def active(self, k: int, count: int) -> Tensor:
        """Return the fraction of ReLUs that are on, per layer, shape (L,)."""
        return (self._z[k, :, :, :count] > 0).to(torch.float32).mean((1, 2, 3))

    def _columns(self, i: int) -> slice:
        return slice(i * self._m, (i + 1) * self._m)


class Gram(Form):
    """By Gram matrices V_jᵀ W_i, c counting as one more row of V."""

    in_rounds = True

    def __init__(self, parameters: Parameters, capacity: int, training: bool) -> None:
        super().__init__(parameters, capacity)
        S, L, m = self._S, self._L, self._m
        rows = L * m + 1
        classes = CLASSES if training else 0
        self._width = S * rows
        self._du = np.empty((capacity, classes * self._width), np.float32)
        self._flat = self._A.flatten(0, 2).numpy()
        self._db = np.empty((CLASSES, S, L * m), np.float32)
        # Views of each class, made once: making them costs as much as small sums.
        self._classes = [
            _GramClass(*values)
            for values in zip(
                self._A.numpy(),
                self._W.numpy(),
                self._b.numpy(),
                np.zeros((CLASSES, S, L * m, rows), np.float32),
                np.zeros((CLASSES, S, L * m, rows), np.float32),
                np.empty((CLASSES, capacity, self._width), np.float32),
                self._z.numpy(),
                self._db,
                strict=True,
            )
        ]

    def scratch(self) -> GramScratch:
        """Make what one worker needs for itself."""
        return GramScratch(self._parameters)

    def prepare(self, k: int) -> None:
        """Multiply V and W of the layers."""
        own = self._classes[k]
        layers.prepare(own.A, own.W, self._m, own.G)

    def forward(self, k: int, h0: Tensor) -> Tensor:
        """Compute the answers, shape (B, S)."""
        own = self._classes[k]
        layers.answer(h0.numpy(), own.A, own.b, own.G, own.u, own.z)
        u = torch.from_numpy(own.u[: len(h0)])
        return u.view(len(h0), self._S, -1)[:, :, -1]

    def carry(self, k: int, h0: Tensor, outer: Tensor, own: Scratch) -> None:
        """Find the gradients with respect to u, b and G, with the scratch that `scratch` makes."""
        assert isinstance(own, GramScratch)
        given = self._classes[k]
        layers.carry_back(
            outer.numpy(),
            given.z,
            given.G,
            len(h0),
            own.across,
            self._du,
            k * self._width,
            given.b_slopes,
            given.G_slopes,
        )

    def feature_slopes(self, columns: slice, out: F32) -> None:
        """Multiply the gradient with respect to all u with all V and c."""
        layers.feature_slopes(self._du, self._flat, columns.start, out)

    def gradient(self, k: int, h0: Tensor, own: Scratch) -> None:
        """Write the gradient, in the scratch that `scratch` makes."""
        assert isinstance(own, GramScratch)
        given = self._classes[k]
        own.flat["b"][:] = given.b_slopes.reshape(-1)
        layers.gradient(
            h0.numpy(),
            given.A,
            given.W,
            self._m,
            self._du,
            k * self._width,
            given.G_slopes,
            own.A_np,
            own.W_np,
        )


class _GramClass(NamedTuple):
    """Arrays of a class, with the names that `engine.kernels.network.layers` explains."""

    A: F32
    W: F32
    b: F32
    G: F32
    G_slopes: F32
    u: F32
    z: F32
    b_slopes: F32


class Layers(Form):
    """Layer by layer: for wide networks, V = I, and the plain baseline."""

    in_rounds = False

    def __init__(self, parameters: Parameters, capacity: int, training: bool) -> None:
        super().__init__(parameters, capacity)
        architecture = parameters.architecture
        self._identity, self._residual = architecture.identity, architecture.residual
        self._training = training
        classes, n = CLASSES if training else 0, architecture.features
        self._h = torch.empty(classes, self._L, self._S, capacity, n)
        self._slopes = torch.empty(classes, capacity, n)

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

    def carry(self, k: int, h0: Tensor, outer: Tensor, own: Scratch) -> None:
        """Write the gradient, and keep that of the features."""
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
        torch.sum(dh, 0, out=self._slopes[k, :count])

    def feature_slopes(self, columns: slice, out: F32) -> None:
        """Sum what the classes have kept."""
        kept = self._slopes[:, : len(out), columns]
        torch.sum(kept, 0, out=torch.from_numpy(out))

    def gradient(self, k: int, h0: Tensor, own: Scratch) -> None:
        """`carry` has written it."""
