"""What a run works on: a network's architecture and its samples, as torch takes them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.device import choose
from engine.core.errors import InputError
from engine.experiments.network.data.dataset import Dataset, Targets
from engine.experiments.network.data.source import dataset_of, key_of
from engine.experiments.network.nets import losses, stored
from engine.experiments.network.nets.architecture import Architecture, Vector
from engine.experiments.network.nets.convolution import Convolution
from engine.experiments.network.nets.functional import Functional
from engine.experiments.network.nets.own_module import FIELD, OwnModule
from engine.experiments.network.nets.start import begin
from engine.experiments.network.params import NetworkParams
from engine.storage import user_code
from engine.storage.user_code import UserCode

DTYPES: Mapping[str, torch.dtype] = {"float32": torch.float32, "float64": torch.float64}
_FIELDS = (
    "form",
    "depth",
    "width",
    "widths",
    "activation",
    "branch_scale",
    "layer_norm",
    "biases",
    "kernel",
    "pooling",
    "module_function",
    "loss",
    "precision",
    "device",
)
TRIED = 4
"""Samples with which a module is tried."""
_ORDER = 0x626174
"""Keeps the orders of samples apart from the start that the same seed makes."""


class Samples:
    """Samples on a device: inputs, targets as the loss takes them, and classes if there are any."""

    def __init__(self, params: NetworkParams, data: Dataset, inputs: Any, targets: Targets) -> None:
        dtype, device = DTYPES[params.precision], torch.device(params.device)
        self.x = torch.tensor(inputs, dtype=dtype, device=device)
        plain = torch.tensor(targets, device=device)
        self.y = losses.encoded(plain, params.loss, len(data.classes), dtype)
        self.classes = plain if data.classes else None

    @property
    def count(self) -> int:
        """Number of samples."""
        return len(self.x)

    def first(self, count: int) -> tuple[Tensor, Tensor]:
        """Return inputs and targets of the first samples; 0: of all."""
        return (self.x[:count], self.y[:count]) if count else (self.x, self.y)


class Problem:
    """An architecture and its samples; shared by the states of all runs on them, never changed."""

    def __init__(self, params: NetworkParams, code: UserCode | None = None) -> None:
        torch.set_num_threads(1)  # the same bits on any machine, and a core for the window
        choose(params.device, ("cpu", "cuda"))
        self.data = data = dataset_of(params)
        columns = 1 if data.targets.ndim == 1 else data.targets.shape[1]
        if params.loss == "logistic" and len(data.classes) != 2:
            rule = f"give cross-entropy or squared-error for {len(data.classes)} classes"
            raise InputError("loss", params.loss, rule)
        outputs = losses.outputs_of(params.loss, len(data.classes), columns)
        self.loss = params.loss
        self.dtype = DTYPES[params.precision]
        self.device = torch.device(params.device)
        self.train = Samples(params, data, data.inputs, data.targets)
        self.held = Samples(params, data, data.held_inputs, data.held_targets)
        self.architecture: Architecture | Functional = self._net(params, data, outputs, code)

    def _net(
        self, params: NetworkParams, data: Dataset, outputs: int, code: UserCode | None
    ) -> Architecture | Functional:
        if code is not None:
            return OwnModule(code, params.module_function, self.train.x[:TRIED], outputs)
        if params.form == "convolutional":
            return Convolution.of(params, data.image, outputs)
        return Architecture.of(params, data.dimension, outputs)

    def begin(self, params: NetworkParams, seed: int) -> NDArray[np.floating[Any]]:
        """Return the weights at step 0, shape (n,), drawn or read from a file.

        Raises
        ------
        InputError
            If the file does not hold the weights of this network.
        """
        net = self.architecture
        if params.start == "file":
            drawn = stored.read(params.start_file, net.shapes, net.fixed) * params.start_scale
        else:
            start = params.start, params.start_scale, seed
            drawn = begin(net, *start) if isinstance(net, Architecture) else net.begin(*start)
        return drawn.astype(self.numbers)

    def tensor(self, values: NDArray[Any]) -> Tensor:
        """Copy an array to the device."""
        return torch.tensor(values, dtype=self.dtype, device=self.device)

    @property
    def numbers(self) -> type[np.floating[Any]]:
        """The type of the weights in numpy."""
        return np.float32 if self.dtype == torch.float32 else np.float64

    def parts(self, weights: Vector) -> dict[str, Vector]:
        """Return views of the weights by name."""
        return self.architecture.parts(weights)


def problem_of(params: NetworkParams) -> Problem:
    """Return the problem that parameters describe; the last ones are kept.

    Raises
    ------
    InputError
        If the data, the network or the device cannot be used.
    """
    values = tuple(getattr(params, name) for name in _FIELDS)
    code = code_of(params)
    if code is not None:
        user_code.check(code)
    return _made(_Key(params, (*key_of(params), *values, code)), code)


def code_of(params: NetworkParams) -> UserCode | None:
    """Return the Python file that makes the network, unexecuted; None where there is none.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    return user_code.read(params.module_file, FIELD) if params.form == "module" else None


class _Key:
    """Parameters that are told apart by what a problem depends on alone."""

    def __init__(self, params: NetworkParams, values: tuple[object, ...]) -> None:
        self.params, self._values = params, values

    def __hash__(self) -> int:
        return hash(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other._values == self._values


@lru_cache(maxsize=4)
def _made(key: _Key, code: UserCode | None) -> Problem:
    return Problem(key.params, code)


@lru_cache(maxsize=8)
def order_of(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order of the samples in an epoch."""
    return np.random.default_rng([_ORDER, seed, epoch]).permutation(count)


def batch_of(problem: Problem, params: NetworkParams, seed: int, step: int) -> Tensor | None:
    """Return the places of the samples of the step that follows `step` others; None for all."""
    count = problem.train.count
    if not params.is_minibatch(count):
        return None
    epoch, index = divmod(step, -(-count // params.batch_size))
    order = order_of(seed, epoch, count)
    chosen = order[index * params.batch_size : (index + 1) * params.batch_size]
    return torch.from_numpy(chosen).to(problem.device)
