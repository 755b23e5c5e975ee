"""A network of the user's own: the `nn.Module` that a function of a Python file returns."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.experiments.network.choices import Start
from engine.experiments.network.nets.functional import Functional
from engine.storage import user_code
from engine.storage.user_code import UserCode

FIELD, FUNCTION = "module_file", "module_function"
"""The parameters that name the file and the function."""
_STREAM = 0x6D6F64
"""Keeps the numbers of a start apart from others that the same seed makes."""


_RANDOM = threading.RLock()
"""Held while torch's random numbers are a module's: runs of a map are made beside the window's."""


class OwnModule(Functional):
    """The module, its weights taken out of it.

    Buffers, and parameters that need no gradient, stay what they are. The module is called as it
    was returned, usually in training mode; what it computes must be the same every time.

    Parameters
    ----------
    code : UserCode
        Trusted.
    name : str
        Of the function, which is called with nothing or with the numbers of inputs and outputs.
    x : Tensor, shape (N, d)
        Two samples or more, of the type and on the device of the run, to try it with.
    outputs : int
        Columns t that it must return.

    Raises
    ------
    InputError
        If the file is not trusted or fails, or the function returns no such module.
    """

    def __init__(self, code: UserCode, name: str, x: Tensor, outputs: int) -> None:
        self.code = code
        self._inputs, self._outputs = x.shape[1], outputs
        with _default_settings():
            defined = user_code.execute(code)
            self._make = user_code.function(code, defined, name, FUNCTION)
            self._name = name
            self._module = self._made(0).to(device=x.device, dtype=x.dtype)
        named = dict(self._module.named_parameters())
        self._names = [name for name, each in named.items() if each.requires_grad]
        if not self._names:
            raise self._refusal("with parameters that need a gradient")
        rest: dict[str, Tensor] = dict(self._module.named_buffers())
        rest |= {name: each for name, each in named.items() if not each.requires_grad}
        self._fixed = {name: each.detach().clone() for name, each in rest.items()}
        self.fixed = tuple(self._fixed)
        self.check_size(FIELD, str(code.path))
        self._try(x)

    @cached_property
    def shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Shapes by the names that PyTorch gives the parameters."""
        named = dict(self._module.named_parameters())
        return {name: tuple(named[name].shape) for name in self._names}

    @property
    def in_words(self) -> str:
        """Class, file and hash."""
        kind = type(self._module).__name__
        return f"{kind} of {self.code.path.name}, SHA-256 {self.code.sha256[:12]}…"

    @property
    def widest(self) -> int:
        """Largest number of values that a layer made of one sample when it was tried."""
        return self._widest

    def compute(self, parts: Sequence[Tensor], x: Tensor) -> Tensor:
        """Compute the outputs, shape (N, t).

        Raises
        ------
        UserCodeError
            If the module fails.
        """
        fixed = {
            name: each.to(x.dtype) if each.is_floating_point() else each
            for name, each in self._fixed.items()
        }  # in 64 bits for higher derivatives
        values = {**fixed, **dict(zip(self._names, parts, strict=True))}
        with user_code.explained(self.code):
            made = torch.func.functional_call(self._module, values, (x,))
        if not isinstance(made, Tensor) or made.shape != (len(x), self._outputs):
            shape = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
            asked = f"that makes outputs of shape ({len(x)}, {self._outputs}) of inputs of shape "
            raise self._refusal(f"{asked}{tuple(x.shape)}, not {shape}")
        return made

    def begin(self, how: Start, scale: float, seed: int) -> FloatArray:
        """Return the weights of a module that the function makes with a seed in force."""
        with _default_settings():
            named = dict(self._made(seed).named_parameters())
        shapes = {name: tuple(each.shape) for name, each in named.items() if each.requires_grad}
        if shapes != self.shapes:
            raise self._refusal("with the same parameters at every call")
        made = [named[name].detach().double().reshape(-1).cpu().numpy() for name in self._names]
        return np.asarray(np.concatenate(made) * scale)

    def with_weights(self, parts: Mapping[str, NDArray[Any]]) -> torch.nn.Module:
        """Return a module of its own with these weights, on the CPU, that computes in 32 bits."""
        with _default_settings():
            made = self._made(0).float()
        values = {name: torch.tensor(np.asarray(each)).float() for name, each in parts.items()}
        fixed = {name: each.detach().cpu() for name, each in self._fixed.items()}
        made.load_state_dict({**fixed, **values}, strict=False)
        return made

    def _made(self, seed: int) -> torch.nn.Module:
        """Call the function with torch's random numbers begun from a seed."""
        mixed = np.random.SeedSequence([_STREAM, seed]).generate_state(1, np.uint64)[0]
        with _RANDOM, torch.random.fork_rng(devices=[]), user_code.explained(self.code):
            torch.manual_seed(int(mixed) % 2**63)
            both = self._inputs, self._outputs
            made = self._make(*both) if _takes_two(self._make) else self._make()
        if not isinstance(made, torch.nn.Module):
            raise self._refusal(f"of torch.nn.Module, not of {type(made).__name__}")
        return made

    def _try(self, x: Tensor) -> None:
        """Check that outputs have their shape, are the same twice, and that nothing else changes.

        Raises
        ------
        InputError
            If not, as with dropout or running statistics.
        """
        weights = [self._module.get_parameter(name).detach() for name in self._names]
        before = {name: each.clone() for name, each in self._fixed.items()}
        sizes: list[int] = []

        def seen(_module: Any, _inputs: Any, made: Any) -> None:
            if isinstance(made, Tensor):
                sizes.append(made.numel() // max(len(x), 1))

        hooks = [each.register_forward_hook(seen) for each in self._module.modules()]
        try:
            with _RANDOM, torch.no_grad(), torch.random.fork_rng(devices=[]):
                first, second = self.compute(weights, x), self.compute(weights, x)
        finally:
            for hook in hooks:
                hook.remove()
        self._widest = max([self._inputs, *sizes])
        same = all(torch.equal(each, before[name]) for name, each in self._fixed.items())
        if not same or not torch.equal(first.nan_to_num(), second.nan_to_num()):
            raise self._refusal(
                "that computes the same at every call and keeps no running statistics, so without "
                "dropout and with track_running_stats=False"
            )

    def _refusal(self, wanted: str) -> InputError:
        rule = f"let {self._name} of {self.code.path.name} return an instance {wanted}"
        return InputError(FUNCTION, self._name, rule)


def _takes_two(function: Any) -> bool:
    """Return whether a function names two arguments or more that are given by their places."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.kind in by_place for each in parameters) >= 2


@contextlib.contextmanager
def _default_settings() -> Iterator[None]:
    """Put torch's own settings back after code of the user has run."""
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        torch.set_num_threads(1)
