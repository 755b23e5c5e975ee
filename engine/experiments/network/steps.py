"""Steps of the optimisers on the vector of all weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.theory.optimisers import Setting, describe

Gradient = Callable[[Tensor], Tensor]
"""Computes the gradient of the loss at other weights."""


def carried(setting: Setting) -> int:
    """Return how many numbers a weight has besides itself."""
    return len(describe(setting.optimiser).carried)


def make(
    setting: Setting, w: Tensor, moments: Tensor, g: Tensor, age: int, gradient: Gradient
) -> None:
    """Make one step in place.

    Parameters
    ----------
    setting : Setting
    w : Tensor, shape (n,) or (S, n)
    moments : Tensor, shape (m, *w.shape)
    g : Tensor, of the shape of w
        The gradient at w, which is used up.
    age : int
        Steps made before, for Adam's correction of the bias.
    gradient : callable
        For optimisers that take it elsewhere.
    """
    step = setting.step_size
    decay = setting.weight_decay
    name = setting.optimiser
    if name == "nesterov":
        w_ahead = torch.add(w, moments[0], alpha=setting.momentum)
        g = gradient(w_ahead)
        if decay:
            g = torch.add(g, w_ahead, alpha=decay)
    elif decay and name != "adamw":
        g.add_(w, alpha=decay)
    if name == "gradient-descent":
        w.sub_(g, alpha=step)
    elif name in ("heavy-ball", "nesterov"):
        velocity = moments[0].mul_(setting.momentum).sub_(g, alpha=step)
        w.add_(velocity)
    elif name == "normalised-gd":
        w.sub_(_along(g), alpha=step)
    elif name == "sam":
        w.sub_(gradient(torch.add(w, _along(g), alpha=setting.radius)), alpha=step)
    else:
        _adaptive(setting, w, moments, g, age)


def _along(g: Tensor) -> Tensor:
    """Return the unit vectors along gradients; 0 where they vanish."""
    return torch.nn.functional.normalize(g, dim=-1, eps=torch.finfo(g.dtype).tiny)


def _adaptive(setting: Setting, w: Tensor, moments: Tensor, g: Tensor, age: int) -> None:
    """Make a step of RMSprop, Adam or AdamW."""
    squares = moments[-1].mul_(setting.square_decay)
    squares.addcmul_(g, g, value=1.0 - setting.square_decay)
    if setting.optimiser == "rmsprop":
        w.addcdiv_(g, squares.sqrt().add_(setting.epsilon), value=-setting.step_size)
        return
    mean = moments[0].lerp_(g, 1.0 - setting.momentum)
    known = 1.0 - setting.square_decay ** (age + 1)
    roots = squares.sqrt().mul_(known**-0.5).add_(setting.epsilon)
    if setting.optimiser == "adamw":
        w.mul_(1.0 - setting.step_size * setting.weight_decay)
    w.addcdiv_(mean, roots, value=-setting.step_size / (1.0 - setting.momentum ** (age + 1)))
