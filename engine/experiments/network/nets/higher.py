"""Derivatives of the loss beyond those of training, in 64 bits whatever a run computes with.

A fourth derivative loses too much to the rounding of 32 bits. `Higher` differentiates exactly and
backwards each time: dual numbers of torch take ten times as long for small networks. The third
derivatives of torch's own layer normalisation are wrong; it is written out here. `Doubles` has
gradients as training computes them, whose second differences are third derivatives to seven digits
at a tenth of the cost.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine.experiments.network.choices import LossName
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.architecture import Architecture, Net
from engine.experiments.network.nets.curvature import HessianProduct
from engine.experiments.network.nets.functional import outputs_at, trainer_of
from engine.experiments.network.nets.network import EPSILON, layers_of, outputs

REACH = 1e-3
"""Distance, relative to the direction, of the gradients that third derivatives are taken from."""


class Doubles:
    """The mean loss in 64 bits: its value, gradients and Hessian at any weights.

    Parameters
    ----------
    architecture : Net
    loss : str
    x, targets : Tensor
        The samples of the mean loss.
    decay : float
        The coefficient of the weights in the gradient.
    """

    def __init__(
        self,
        architecture: Net,
        loss: LossName,
        x: Tensor,
        targets: Tensor,
        decay: float = 0.0,
    ) -> None:
        self.architecture, self.loss, self.decay = architecture, loss, decay
        self.x = x.double()
        self.y = targets.double() if targets.is_floating_point() else targets
        self._at = torch.zeros(architecture.count, dtype=torch.float64, device=x.device)
        self._slope = torch.zeros_like(self._at)
        self._trainer = trainer_of(architecture, loss, self._at, self._slope)

    def value_and_gradient(self, weights: Tensor) -> tuple[float, Tensor]:
        """Compute the loss, and the gradient with the decay, at weights, shape (n,)."""
        self._at.copy_(weights)
        value = float(self._trainer.step(self.x, self.y)[0])
        slope = self._slope.clone()
        if self.decay:
            slope.add_(self._at, alpha=self.decay)
        return value, slope

    def gradient(self, weights: Tensor) -> Tensor:
        """Compute the gradient, shape (n,)."""
        return self.value_and_gradient(weights)[1]

    def hessian(self, weights: Tensor) -> HessianProduct:
        """Return the Hessian as an operator."""
        return HessianProduct(
            self.architecture, self.loss, weights.double(), self.x, self.y, decay=self.decay
        )

    def third(self, weights: Tensor, slope: Tensor, direction: Tensor) -> Tensor:
        """Compute ∇³f(v, v, ·) by a second difference; `slope` is the gradient at the weights."""
        ahead = self.gradient(weights + REACH * direction)
        behind = self.gradient(weights - REACH * direction)
        return (ahead + behind - 2.0 * slope) / REACH**2


class Higher:
    """Derivatives of the mean loss at one point.

    Parameters
    ----------
    architecture : Net
    loss : str
    weights : Tensor, shape (n,)
    x, targets : Tensor
        The samples of the mean loss.
    decay : float
        The coefficient of the weights in the gradient.
    """

    def __init__(
        self,
        architecture: Net,
        loss: LossName,
        weights: Tensor,
        x: Tensor,
        targets: Tensor,
        decay: float = 0.0,
    ) -> None:
        self.weights = weights.double()
        x = x.double()
        y = targets.double() if targets.is_floating_point() else targets

        self._at = self.weights.detach().requires_grad_()
        with torch.enable_grad():
            made = _outputs(architecture, self._at, x)
            value = losses.value(loss, made, y) + 0.5 * decay * torch.dot(self._at, self._at)
            self._slope = self._along(value, None)

    @property
    def gradient(self) -> Tensor:
        """The gradient, shape (n,)."""
        return self._slope.detach()

    def third(self, first: Tensor, second: Tensor) -> Tensor:
        """Compute ∇³f(u, v, ·), the gradient of uᵀHv at fixed u and v, shape (n,)."""
        with torch.enable_grad():
            return self._along(self._along(self._slope, first), second).detach()

    def third_and_fourth(self, direction: Tensor) -> tuple[Tensor, float]:
        """Compute ∇³f(v, v, ·), shape (n,), and ∇⁴f(v, v, v, v)."""
        with torch.enable_grad():
            bent = self._along(self._along(self._slope, direction), direction)
            fourth = torch.dot(self._along(bent, direction), direction)
        return bent.detach(), float(fourth.detach())

    def _along(self, slope: Tensor, direction: Tensor | None) -> Tensor:
        """Differentiate a number, or a vector's product with a direction, by the weights."""
        if not slope.requires_grad:
            return torch.zeros_like(self._at)
        found = torch.autograd.grad(
            slope if direction is None else torch.dot(slope, direction),
            self._at,
            create_graph=True,
            allow_unused=True,
        )[0]
        return torch.zeros_like(self._at) if found is None else found


def _outputs(architecture: Net, weights: Tensor, x: Tensor) -> Tensor:
    """Compute the outputs by what can be differentiated again and again."""
    if isinstance(architecture, Architecture):
        return outputs(architecture, layers_of(architecture, weights), x, standardised)
    return outputs_at(architecture, weights, x)


def standardised(z: Tensor) -> Tensor:
    """Standardise sums over the units, step by step."""
    rest = z - z.mean(-1, keepdim=True)
    return rest * torch.rsqrt(rest.square().mean(-1, keepdim=True) + EPSILON)
