r"""Gradient descent on many products of matrices at once, by batched products in torch.

The steps are those of `engine.kernels.matrix` with a fixed step size and all points: for a GPU,
on which thousands of small products at once cost hardly more than one. Shapes: weights
(runs, branches, L, n, n), targets and second moments (runs, n, n), in double precision.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

FloatArray = NDArray[np.float64]


class BatchedDescent:
    """Many runs that go on together; one that diverges stays at its last point within the limit.

    Parameters
    ----------
    weights : ndarray, shape (runs, branches, L, n, n)
    targets, moments : ndarray, shape (runs, n, n)
    step_sizes, limits : ndarray, shape (runs,)
        The step of every run, and the Frobenius error above which it has diverged.
    device : torch.device
    momentum : float
        Heavy-ball or, if `nesterov`, Nesterov's coefficient.
    """

    def __init__(
        self,
        weights: FloatArray,
        targets: FloatArray,
        moments: FloatArray,
        step_sizes: FloatArray,
        limits: FloatArray,
        device: torch.device,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        def there(values: FloatArray) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, np.float64)).to(device)

        runs, self._branches, depth, n, _ = weights.shape
        # Layers first: every layer of all networks is then one batch without gaps in memory.
        layers = np.moveaxis(weights, 2, 0).reshape(depth, runs * self._branches, n, n)
        self._now = there(layers)
        self._before = self._now
        self._targets, self._moments = there(targets), there(moments)
        self._step = self._each(there(step_sizes))
        self._limits = there(limits)
        signs = np.tile([1.0, -1.0][: self._branches], runs)
        self._signs = there(signs)[:, None, None]
        self._alive = torch.ones(runs, dtype=torch.bool, device=device)
        self._momentum, self._nesterov = momentum, nesterov

    def errors(self) -> FloatArray:
        """Frobenius errors now, shape (runs,)."""
        return np.asarray(_norm(self._forward(self._now)[1]).cpu().numpy())

    def weights(self) -> FloatArray:
        """Weights now, in the shape of those given."""
        layers = self._now.cpu().numpy()
        depth, _, n, _ = layers.shape
        return np.asarray(np.moveaxis(layers.reshape(depth, -1, self._branches, n, n), 0, 2))

    def advance(self, steps: int) -> FloatArray:
        """Make steps and give the error after each, shape (steps, runs).

        NaN from the step on at which a run diverges.
        """
        record = []
        products, residual = self._forward(self._now)
        for _ in range(steps):
            base = self._now
            if self._nesterov:
                base = self._now + self._momentum * (self._now - self._before)
                products, residual = self._forward(base)
            new = base - self._step * self._gradient(base, products, residual)
            if self._momentum and not self._nesterov:
                new = new + self._momentum * (self._now - self._before)
            products, residual = self._forward(new)
            error = _norm(residual)
            alive = self._alive & (error <= self._limits)
            record.append(torch.where(alive, error, torch.nan))
            keep = self._each(alive)
            self._before = torch.where(keep, self._now, self._before)
            self._now = torch.where(keep, new, self._now)
            # A run that has diverged stays where it was, and makes no large numbers on the way;
            # Nesterov's method computes these two again, from weights that stay finite too.
            products = [torch.where(keep, part, 0.0) for part in products]
            residual = torch.where(alive[:, None, None], residual, 0.0)
            self._alive = alive
        if not record:
            return np.empty((0, len(self._limits)))
        return np.asarray(torch.stack(record).cpu().numpy())

    def _each(self, values: Tensor) -> Tensor:
        """Give every network what its run has, shape (runs * branches, 1, 1)."""
        return values.repeat_interleave(self._branches)[:, None, None]

    def _forward(self, weights: Tensor) -> tuple[list[Tensor], Tensor]:
        """Give W_i ... W_1 for every i, and the difference of the estimates from R."""
        products = [weights[0]]
        for layer in weights[1:]:
            products.append(torch.bmm(layer, products[-1]))
        n = weights.shape[-1]
        signed = (self._signs * products[-1]).view(-1, self._branches, n, n)
        return products, signed.sum(1) - self._targets

    def _gradient(self, weights: Tensor, products: list[Tensor], residual: Tensor) -> Tensor:
        pull = torch.bmm(residual, self._moments).mT.repeat_interleave(self._branches, 0)
        back = self._signs * pull
        found = []
        for i in range(len(weights) - 1, 0, -1):
            found.append(torch.bmm(products[i - 1], back).mT)
            back = torch.bmm(back, weights[i])
        found.append(back.mT)
        return torch.stack(found[::-1])


def _norm(residual: Tensor) -> Tensor:
    return residual.square().sum((1, 2)).sqrt()
