"""A small convolutional network for images."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor
from torch.nn import functional

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.experiments.network.choices import Activation, Pooling, Start
from engine.experiments.network.data.dataset import Image
from engine.experiments.network.nets.activations import FUNCTIONS
from engine.experiments.network.nets.functional import Functional
from engine.experiments.network.nets.start import drawn, stream
from engine.experiments.network.params import NetworkParams


@dataclass(frozen=True)
class Convolution(Functional):
    """Convolutions that keep the size of an image, each then halved, and a dense last layer.

    Attributes
    ----------
    image : tuple of int
        Channels, rows and columns of the inputs.
    channels : int
        Of each convolution.
    layers : int
        Layers of weights, the dense one included.
    kernel : int
        Side of the square kernels, odd.
    pooling : str
        How four values become one, as long as both sides of the image are 4 or more.
    outputs, activation, biases
    """

    image: Image
    channels: int
    layers: int
    kernel: int
    pooling: Pooling
    outputs: int
    activation: Activation
    biases: bool

    @classmethod
    def of(cls, params: NetworkParams, image: Image | None, outputs: int) -> Convolution:
        """Return the network that parameters describe.

        Raises
        ------
        InputError
            If the samples are no images, or it has too many weights.
        """
        if image is None:
            rule = "give another form, or images: digits, an IDX folder, or arrays x of an NPZ file"
            raise InputError("form", params.form, rule + " of shape (N, rows, columns)")
        made = cls(
            image=image,
            channels=params.width,
            layers=params.depth,
            kernel=int(params.kernel),
            pooling=params.pooling,
            outputs=outputs,
            activation=params.activation,
            biases=params.biases,
        )
        made.check_size("width", params.width)
        return made

    @cached_property
    def _sides(self) -> list[tuple[int, int]]:
        """Rows and columns before each layer."""
        sides = [self.image[1:]]
        for _ in range(self.layers - 1):
            rows, columns = sides[-1]
            sides.append((rows // 2, columns // 2) if min(rows, columns) >= 4 else (rows, columns))
        return sides

    def halves(self, layer: int) -> bool:
        """Return whether the images are halved after a convolution, counted from 0."""
        return min(self._sides[layer]) >= 4

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """``W1`` … are the kernels (outputs, inputs, side, side), the last the dense layer."""
        made: dict[str, tuple[int, ...]] = {}
        before = self.image[0]
        for layer in range(1, self.layers):
            made[f"W{layer}"] = (self.channels, before, self.kernel, self.kernel)
            if self.biases:
                made[f"b{layer}"] = (self.channels,)
            before = self.channels
        made[f"W{self.layers}"] = (self.outputs, before * math.prod(self._sides[-1]))
        if self.biases:
            made[f"b{self.layers}"] = (self.outputs,)
        return made

    @property
    def in_words(self) -> str:
        """Sizes of the images between the layers."""
        first = " × ".join(map(str, self.image))
        sides = [f"{self.channels} × {rows} × {columns}" for rows, columns in self._sides[1:]]
        return " → ".join([first, *sides, str(self.outputs)])

    @property
    def widest(self) -> int:
        """Values of the largest convolution, before it is halved."""
        pixels = math.prod(self.image[1:])
        return max(self.channels if self.layers > 1 else 1, self.image[0]) * pixels

    def compute(self, parts: Sequence[Tensor], x: Tensor) -> Tensor:
        """Compute the outputs, shape (N, t)."""
        step = 2 if self.biases else 1
        biases = parts[1::2] if self.biases else [None] * self.layers
        function, h = FUNCTIONS[self.activation], x.reshape(-1, *self.image)
        pool = functional.avg_pool2d if self.pooling == "average" else functional.max_pool2d
        for layer in range(self.layers - 1):
            z = functional.conv2d(h, parts[step * layer], biases[layer], padding=self.kernel // 2)
            h = function.apply(z)
            if self.halves(layer):
                h = pool(h, 2)
        return functional.linear(h.flatten(1), parts[-step], biases[-1])

    def begin(self, how: Start, scale: float, seed: int) -> FloatArray:
        """Draw all weights; the inputs of a channel are all that its kernels see."""
        generator = stream(seed)
        pieces: list[FloatArray] = []
        for shape in self.shapes.values():
            if len(shape) > 1:
                inputs, area = math.prod(shape[1:]), math.prod(shape[2:])
                rows = drawn(how, (shape[0], inputs), shape[0] * area, generator)
                pieces.append(rows.ravel())
            elif how == "standard":
                pieces.append(generator.uniform(-1.0, 1.0, shape) / np.sqrt(inputs))
            else:
                pieces.append(np.zeros(shape))
        return np.concatenate(pieces) * scale
