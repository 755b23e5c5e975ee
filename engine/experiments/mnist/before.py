"""What a step of a training run replaces, kept so that the step can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from torch import Tensor


class _Core(Protocol):
    """What trains a network."""

    def parameters(self) -> Any:
        """Return the network's parameters."""
        ...

    def buffers(self) -> Mapping[str, Tensor]:
        """Return the memory of the method."""
        ...

    def load(self, flat: Tensor, buffers: Mapping[str, Tensor]) -> None:
        """Put back parameters and memory."""
        ...


class _Interruptible(Protocol):
    """A training run whose step can be taken back; besides it has the attributes of `_KEPT`."""

    @property
    def core(self) -> _Core:
        """What trains the network."""
        ...

    def order_of_data(self) -> Any:
        """Return the random order in force."""
        ...

    def set_order_of_data(self, order: Any) -> None:
        """Put a random order back."""
        ...


_KEPT = (
    "step",
    "diverged_at",
    "seconds",
    "images_per_second",
    "reached_paper",
    "look",
    "lipschitz",
    "convexity",
    "minima",
    "sharpness",
)
"""Public attributes of a training that a step replaces and never changes in place."""


class BeforeStep:
    """A training run as it is before a step: network, memory of the method, random order, numbers.

    The history is no part of it: a step adds its row last.
    """

    def __init__(self, training: _Interruptible) -> None:
        self._values: dict[str, Any] = {name: getattr(training, name) for name in _KEPT}
        self._order = training.order_of_data()
        core = training.core
        self._flat = core.parameters().flat.clone()
        self._buffers = {name: values.clone() for name, values in core.buffers().items()}

    def restore(self, training: _Interruptible) -> None:
        """Take the step back."""
        training.core.load(self._flat, self._buffers)
        training.set_order_of_data(self._order)
        for name, value in self._values.items():
            setattr(training, name, value)
