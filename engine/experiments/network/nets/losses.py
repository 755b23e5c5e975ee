"""Mean losses over samples, with their slopes by the outputs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from engine.experiments.network.choices import LossName


def encoded(targets: Tensor, loss: LossName, classes: int, dtype: torch.dtype) -> Tensor:
    """Return targets as the loss takes them.

    Classes become rows of 0 and 1 for the squared error, signs of shape (N, 1) for the logistic
    loss, and stay as they are for the cross-entropy; numbers take the given type.
    """
    if not classes:
        return targets.to(dtype)
    if loss == "cross-entropy":
        return targets
    if loss == "logistic":
        return (2 * targets - 1).to(dtype)[:, None]
    return functional.one_hot(targets, classes).to(dtype)


def outputs_of(loss: LossName, classes: int, targets: int) -> int:
    """Return how many outputs a network needs, for so many classes, or else target columns."""
    if loss == "logistic":
        return 1
    return classes or targets


def value(loss: LossName, outputs: Tensor, targets: Tensor) -> Tensor:
    """Compute the mean loss, of outputs (N, t) or (S, N, t) and targets as from `encoded`."""
    if loss == "cross-entropy":
        places = targets.unsqueeze(-1).expand(*outputs.shape[:-1], 1)
        return -torch.log_softmax(outputs, -1).gather(-1, places).mean((-2, -1))
    if loss == "logistic":
        return functional.softplus(-targets * outputs).mean((-2, -1))
    return (outputs - targets).square().sum((-2, -1)) / (2 * outputs.shape[-2])


def value_and_slope(loss: LossName, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean loss and its slope by the outputs, of outputs (N, t) or (S, N, t)."""
    count = outputs.shape[-2]
    if loss == "cross-entropy":
        logs = torch.log_softmax(outputs, -1)
        places = targets.unsqueeze(-1).expand(*outputs.shape[:-1], 1)
        mean = -logs.gather(-1, places).mean((-2, -1))
        slope = logs.exp_()
        slope.scatter_add_(-1, places, torch.full_like(places, -1, dtype=outputs.dtype))
        return mean, slope.div_(count)
    if loss == "logistic":
        margins = -targets * outputs
        slope = torch.sigmoid(margins).mul_(targets).div_(-count)
        return functional.softplus(margins).mean((-2, -1)), slope
    rest = outputs - targets
    flat = rest.flatten(-2)
    if flat.dim() == 1:
        return torch.dot(flat, flat) / (2 * count), rest.div_(count)
    return flat.square().sum(-1) / (2 * count), rest.div_(count)


def curve(loss: LossName, outputs: Tensor, targets: Tensor, change: Tensor) -> Tensor:
    """Compute the change of the slope by the outputs, from that of the outputs, shape (N, t)."""
    count = len(outputs)
    if loss == "cross-entropy":
        shares = torch.softmax(outputs, 1)
        moved = shares * change
        return moved.sub_(shares * moved.sum(1, keepdim=True)).div_(count)
    if loss == "logistic":
        share = torch.sigmoid(-targets * outputs)
        return share * (1 - share) * change / count
    return change / count


def right(outputs: Tensor, classes: Tensor) -> Tensor:
    """Count the samples whose class has the largest output, or the sign of the only one."""
    found = (outputs[..., 0] > 0).long() if outputs.shape[-1] == 1 else outputs.argmax(-1)
    return (found == classes).sum(-1)
