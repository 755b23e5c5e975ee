"""Products of the Hessian with vectors, exact, by differentiating twice.

The graph of the gradient is made once a point; a product then costs about two gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core import interrupt
from engine.experiments.network.nets import losses
from engine.experiments.network.nets.architecture import Architecture, Vector
from engine.experiments.network.nets.network import grouped, outputs
from engine.experiments.network.params import LossName

Numbers = NDArray[np.floating[Any]]


class HessianProduct:
    """The operator v ↦ D(H + λI)Dv at one point, with a diagonal D of scales.

    Parameters
    ----------
    architecture : Architecture
    loss : str
    weights : Tensor, shape (n,)
    x, targets : Tensor
        The samples of the mean loss.
    scales : Tensor, shape (n,), optional
        The diagonal of D; the identity if there is none.
    decay : float
        The coefficient λ of the weights in the gradient.
    """

    def __init__(
        self,
        architecture: Architecture,
        loss: LossName,
        weights: Tensor,
        x: Tensor,
        targets: Tensor,
        *,
        scales: Tensor | None = None,
        decay: float = 0.0,
    ) -> None:
        self._shapes = list(architecture.shapes.values())
        self._sizes = [int(np.prod(shape)) for shape in self._shapes]
        self._scales, self._decay = scales, decay
        self._like = weights
        self._parts = [part.detach().requires_grad_() for part in self._split(weights)]
        with torch.enable_grad():
            made = outputs(architecture, grouped(architecture, self._parts), x)
            mean = losses.value(loss, made, targets)
            self._slopes = torch.autograd.grad(mean, self._parts, create_graph=True)

    def _split(self, vector: Tensor) -> list[Tensor]:
        pieces = torch.split(vector, self._sizes)
        return [piece.view(shape) for piece, shape in zip(pieces, self._shapes, strict=True)]

    def __call__(self, direction: Vector) -> Numbers:
        """Multiply a vector, shape (n,).

        Raises
        ------
        FloatingPointError
            If the product is not finite.
        """
        interrupt.check()
        v = torch.as_tensor(direction, dtype=self._like.dtype, device=self._like.device)
        scaled = v if self._scales is None else v * self._scales
        found: Any = torch.autograd.grad(
            self._slopes,
            self._parts,
            self._split(scaled),
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        product = torch.cat([piece.reshape(-1) for piece in found])
        if self._decay:
            product = product.add_(scaled, alpha=self._decay)
        if self._scales is not None:
            product = product.mul_(self._scales)
        if not bool(torch.isfinite(product.sum())):
            raise FloatingPointError("a product of the Hessian is not finite")
        return np.asarray(product.cpu().numpy())
