r"""Gradient descent on many products of matrices at once, by batched products in torch.

The steps are those of `engine.kernels.matrix.descent` with a fixed step size and all points: for a
GPU, on which thousands of small products at once cost hardly more than one. Shapes: weights (runs,
branches, L, n, n), targets and second moments (runs, n, n), in double precision.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.core.arrays import FloatArray


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
        self._products = torch.empty_like(self._now)
        self._slopes = torch.empty_like(self._now)
        self._targets, self._moments = there(targets), there(moments)
        self._step = self._each(there(step_sizes))
        self._limits = there(limits)
        self._signs = there(np.tile([1.0, -1.0][: self._branches], runs))[:, None, None]
        self._alive = torch.ones(runs, dtype=torch.bool, device=device)
        self._momentum, self._nesterov = momentum, nesterov

    def errors(self) -> FloatArray:
        """Frobenius errors now, shape (runs,)."""
        return np.asarray(_norm(self._forward(self._now)).cpu().numpy())

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
        residual = self._forward(self._now)
        for _ in range(steps):
            base = self._now
            if self._nesterov:
                base = self._now + self._momentum * (self._now - self._before)
                residual = self._forward(base)
            new = self._gradient(base, residual).mul_(-self._step).add_(base)
            if self._momentum and not self._nesterov:
                new += self._momentum * (self._now - self._before)
            residual = self._forward(new)
            error = _norm(residual)
            # A run that has diverged stays where it was. What it makes of the numbers of its last
            # step, infinite perhaps, is kept nowhere; no run sees another's.
            self._alive = self._alive & (error <= self._limits)
            record.append(torch.where(self._alive, error, torch.nan))
            kept = torch.where(self._each(self._alive), new, self._now)
            self._before, self._now = self._now, kept
        if not record:
            return np.empty((0, len(self._limits)))
        return np.asarray(torch.stack(record).cpu().numpy())

    def _each(self, values: Tensor) -> Tensor:
        """Repeat a run's value for each of its networks, shape (runs * branches, 1, 1)."""
        return values.repeat_interleave(self._branches)[:, None, None]

    def _forward(self, weights: Tensor) -> Tensor:
        """Find W_i ... W_1 for every i, and give the difference of the estimates from R."""
        products = self._products
        products[0].copy_(weights[0])
        for i in range(1, len(weights)):
            torch.bmm(weights[i], products[i - 1], out=products[i])
        n = weights.shape[-1]
        signed = (self._signs * products[-1]).view(-1, self._branches, n, n)
        return signed.sum(1) - self._targets

    def _gradient(self, weights: Tensor, residual: Tensor) -> Tensor:
        """Return the gradient at the weights of the last `_forward`, overwritten by the next."""
        pull = torch.bmm(residual, self._moments).mT.repeat_interleave(self._branches, 0)
        back = self._signs * pull
        for i in range(len(weights) - 1, 0, -1):
            torch.bmm(back.mT, self._products[i - 1].mT, out=self._slopes[i])
            back = torch.bmm(back, weights[i])
        self._slopes[0].copy_(back.mT)
        return self._slopes


def _norm(residual: Tensor) -> Tensor:
    return residual.square().sum((1, 2)).sqrt()
