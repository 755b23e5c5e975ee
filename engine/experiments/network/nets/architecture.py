"""The layers of a network, and where their weights stand in one vector."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.experiments.network.choices import Activation
from engine.experiments.network.params import MOST_WEIGHTS, NetworkParams
from engine.text.numbers import whole

Vector = NDArray[np.floating]
"""All weights of a network, shape (n,), in 32 or 64 bits."""


class Net(ABC):
    """A network whose weights are one vector.

    Attributes
    ----------
    networks : {1, 2}
        Two of a pair.
    is_chain : bool
        Whether each matrix takes what the one before it gives, through a function of each unit.
    fixed : collection of str
        Names of further numbers that are no weights.
    """

    networks: int
    fixed: Collection[str] = ()
    is_chain: bool = False

    @property
    @abstractmethod
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the weights by name, in the order in which they stand in the vector."""

    @property
    @abstractmethod
    def in_words(self) -> str:
        """What it consists of, for a table."""

    @property
    @abstractmethod
    def widest(self) -> int:
        """Largest number of values that a layer makes of one sample."""

    @cached_property
    def count(self) -> int:
        """Number n of weights."""
        return sum(math.prod(shape) for shape in self.shapes.values())

    @cached_property
    def depth(self) -> int:
        """Number L of layers of weights of each network."""
        return sum(len(shape) > 1 for shape in self.shapes.values()) // self.networks

    def parts(self, vector: Vector) -> dict[str, Vector]:
        """Return views of the weights by name."""
        made, place = {}, 0
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            made[name] = vector[place : place + size].reshape(shape)
            place += size
        return made

    def matrices(self, vector: Vector) -> list[Vector]:
        """Return views of the matrices in their order, of a kernel with a row an output channel."""
        parts = self.parts(vector).values()
        return [part.reshape(len(part), -1) for part in parts if part.ndim > 1]

    def check_size(self, field: str, value: object) -> None:
        """Refuse a network of too many weights, by the field that makes it large.

        Raises
        ------
        InputError
            If it has too many.
        """
        if self.count > MOST_WEIGHTS:
            rule = f"give a network of at most {whole(MOST_WEIGHTS)} weights; it has "
            raise InputError(field, value, rule + whole(self.count))


@dataclass(frozen=True)
class Architecture(Net):
    """One network of dense layers, or a pair of which the second is subtracted.

    Attributes
    ----------
    sizes : tuple of int, length L + 1
        Units of the inputs, the hidden layers and the outputs.
    networks : {1, 2}
    is_residual : bool
        Whether layers between the first and the last that keep their size are h + s φ(Wh + b).
    branch : float
        The factor s.
    activation, layer_norm, biases
        See `NetworkParams`.
    """

    is_chain = True

    sizes: tuple[int, ...]
    networks: int
    is_residual: bool
    branch: float
    activation: Activation
    layer_norm: bool
    biases: bool

    @classmethod
    def of(cls, params: NetworkParams, inputs: int, outputs: int) -> Architecture:
        """Return the architecture that parameters describe.

        Raises
        ------
        InputError
            If it has too many weights.
        """
        sizes = (inputs, *params.hidden, outputs)
        depth = len(sizes) - 1
        made = cls(
            sizes=sizes,
            networks=2 if params.form == "pair" else 1,
            is_residual=params.form != "plain",
            branch={"1": 1.0, "1/sqrt(L)": depth**-0.5, "1/L": 1.0 / depth}[params.branch_scale],
            activation=params.activation,
            layer_norm=params.layer_norm,
            biases=params.biases,
        )
        made.check_size("width", params.width)
        return made

    @property
    def in_words(self) -> str:
        """Units of the layers."""
        return " → ".join(map(str, self.sizes)) + " r − s" * (self.networks == 2)

    @property
    def widest(self) -> int:
        """Units of the widest layer."""
        return max(self.sizes)

    @property
    def is_linear(self) -> bool:
        """Whether the outputs are linear in the inputs and each layer."""
        return self.activation == "linear" and not self.layer_norm

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the weights by name, in the order in which they stand in the vector.

        ``W1`` has the shape (outputs, inputs) of layer 1, ``b1`` its biases; in a pair the names
        begin with ``r.`` and ``s.``.
        """
        made: dict[str, tuple[int, ...]] = {}
        for prefix in ("r.", "s.") if self.networks == 2 else ("",):
            for layer, (before, after) in enumerate(pairwise(self.sizes), start=1):
                made[f"{prefix}W{layer}"] = (after, before)
                if self.biases:
                    made[f"{prefix}b{layer}"] = (after,)
        return made

    def is_skipped(self, layer: int) -> bool:
        """Return whether a layer, counted from 0, has an identity path around it."""
        kept = self.sizes[layer] == self.sizes[layer + 1]
        return self.is_residual and kept and 0 < layer < self.depth - 1
