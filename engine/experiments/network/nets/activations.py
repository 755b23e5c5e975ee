"""What hidden layers apply to their sums, with its slope written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from engine.experiments.network.choices import Activation

LEAK = 0.01
"""Slope of the leaky ReLU below 0."""
_ops = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Function:
    """A function of each unit.

    Attributes
    ----------
    apply : callable
        Maps sums to values.
    back : callable
        Maps slopes by the values, sums and values to slopes by the sums.
    """

    apply: Callable[[Tensor], Tensor]
    back: Callable[[Tensor, Tensor, Tensor], Tensor]


FUNCTIONS: Mapping[Activation, Function] = {
    "linear": Function(lambda z: z, lambda d, z, a: d),
    "relu": Function(torch.relu, lambda d, z, a: _ops.threshold_backward(d, a, 0)),
    "leaky-relu": Function(
        lambda z: functional.leaky_relu(z, LEAK),
        lambda d, z, a: _ops.leaky_relu_backward(d, z, LEAK, False),
    ),
    "tanh": Function(torch.tanh, lambda d, z, a: _ops.tanh_backward(d, a)),
    "gelu": Function(functional.gelu, lambda d, z, a: _ops.gelu_backward(d, z)),
    "silu": Function(functional.silu, lambda d, z, a: _ops.silu_backward(d, z)),
    "softplus": Function(
        functional.softplus, lambda d, z, a: _ops.softplus_backward(d, z, 1.0, 20.0)
    ),
}
