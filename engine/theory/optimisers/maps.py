r"""A step of any optimiser as a map of its augmented state, with its derivative.

The point is :math:`z=(w,\ldots)`: the weights, then what the optimiser carries, in the order of its
description. The kernels make the same steps; here they are written as they are defined, in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.theory.optimisers.curvature import gradient_decay
from engine.theory.optimisers.setting import Setting
from engine.theory.optimisers.unsmooth import polyak_step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepMap:
    """One step with a constant step size, on a given loss.

    Attributes
    ----------
    setting : Setting
        Its schedule and the rules by which the step size depends on the state are left out.
    value, gradient, hessian : callable
        Of the loss, from weights of shape (n,): a number, (n,) and (n, n).
    age : int or None
        Steps since the moments were 0, for Adam's correction of their bias; None for infinitely
        many, which makes the map the same at every step.
    """

    setting: Setting
    value: Callable[[FloatArray], float]
    gradient: Callable[[FloatArray], FloatArray]
    hessian: Callable[[FloatArray], FloatArray]
    age: int | None = None

    def step(self, z: FloatArray) -> FloatArray:
        """Compute the point after one step, shape (m,), from the one before, shape (m,)."""
        setting = self.setting
        parts = self._parts(z)
        w = parts[0]
        delta = self._steps(len(w))
        with np.errstate(all="ignore"):
            if setting.optimiser in ("heavy-ball", "nesterov"):
                slope = self._slope(self._looked_at(parts))
                v = setting.momentum * parts[1] - delta * slope
                return np.concatenate([w + v, v])
            slope = self._slope(w)
            if setting.optimiser == "rmsprop":
                squares = self._squares(parts[1], slope)
                return np.concatenate([w - delta * slope / self._roots(squares), squares])
            if setting.optimiser in ("adam", "adamw"):
                mean = setting.momentum * parts[1] + (1.0 - setting.momentum) * slope
                squares = self._squares(parts[2], slope)
                moved = delta * mean / self._known(setting.momentum) / self._roots(squares)
                return np.concatenate([self._kept(delta) * w - moved, mean, squares])
            return np.asarray(w - delta * self._direction(w, slope))

    def jacobian(self, z: FloatArray) -> FloatArray:
        """Compute the derivative of `step` at a point, shape (m, m)."""
        setting = self.setting
        parts = self._parts(z)
        with np.errstate(all="ignore"):
            if setting.optimiser in ("heavy-ball", "nesterov"):
                return self._momentum_jacobian(parts)
            if setting.optimiser == "rmsprop":
                return self._rmsprop_jacobian(*parts)
            if setting.optimiser in ("adam", "adamw"):
                return self._adam_jacobian(*parts)
            delta = self._steps(len(z))
            return np.eye(len(z)) - delta[:, None] * self._direction_jacobian(z)

    def _parts(self, z: FloatArray) -> list[FloatArray]:
        return list(np.asarray(z, np.float64).reshape(_copies(self.setting), -1))

    def _steps(self, size: int) -> FloatArray:
        """Return the step sizes of the coordinates; Polyak's is the direction's own."""
        scales = np.array(self.setting.scales) if self.setting.scales else np.ones(size)
        return np.asarray(
            scales if self.setting.optimiser == "polyak" else self.setting.step_size * scales
        )

    def _slope(self, w: FloatArray) -> FloatArray:
        return np.asarray(self.gradient(w) + gradient_decay(self.setting) * w)

    def _curve(self, w: FloatArray) -> FloatArray:
        return np.asarray(self.hessian(w) + gradient_decay(self.setting) * np.eye(len(w)))

    def _looked_at(self, parts: list[FloatArray]) -> FloatArray:
        ahead = self.setting.momentum if self.setting.optimiser == "nesterov" else 0.0
        return np.asarray(parts[0] + ahead * parts[1])

    def _squares(self, squares: FloatArray, slope: FloatArray) -> FloatArray:
        keep = self.setting.square_decay
        return np.asarray(keep * squares + (1.0 - keep) * slope * slope)

    def _known(self, decay: float) -> float:
        """Return by which part of its weight a mean is known, which its bias is corrected by."""
        if self.age is None or self.setting.optimiser == "rmsprop":
            return 1.0
        return float(1.0 - decay ** (self.age + 1))

    def _roots(self, squares: FloatArray) -> FloatArray:
        known = self._known(self.setting.square_decay)
        return np.asarray(np.sqrt(squares) / np.sqrt(known) + self.setting.epsilon)

    def _kept(self, delta: FloatArray) -> FloatArray:
        decay = self.setting.weight_decay if self.setting.optimiser == "adamw" else 0.0
        return np.asarray(1.0 - delta * decay)

    def _direction(self, w: FloatArray, slope: FloatArray) -> FloatArray:
        """Return what the step size is multiplied by, of optimisers that carry nothing."""
        size = float(np.linalg.norm(slope))
        if self.setting.optimiser == "gradient-descent" or size == 0.0:
            return slope
        if self.setting.optimiser == "normalised-gd":
            return np.asarray(slope / size)
        if self.setting.optimiser == "sam":
            return self._slope(w + self.setting.radius * slope / size)
        return np.asarray(polyak_step(self.setting, self.value(w), size) * slope)

    def _direction_jacobian(self, w: FloatArray) -> FloatArray:
        """Return the derivative of `_direction`, shape (n, n)."""
        setting, curve = self.setting, self._curve(w)
        if setting.optimiser == "gradient-descent":
            return curve
        slope = self._slope(w)
        size = float(np.linalg.norm(slope))
        along = slope / size
        turned = (curve - np.outer(along, along @ curve)) / size  # of the unit vector
        if setting.optimiser == "normalised-gd":
            return np.asarray(turned)
        if setting.optimiser == "sam":
            there = self._curve(w + setting.radius * along)
            return np.asarray(there @ (np.eye(len(w)) + setting.radius * turned))
        wanted = (self.value(w) - setting.lowest_loss) / size**2
        step = polyak_step(setting, self.value(w), size)
        change = slope / size**2 - 2.0 * wanted * (curve @ slope) / size**2
        if not 0.0 <= wanted <= setting.step_cap:  # held by 0 or by the cap
            change = np.zeros_like(slope)
        return np.asarray(step * curve + np.outer(slope, change))

    def _momentum_jacobian(self, parts: list[FloatArray]) -> FloatArray:
        at = self._looked_at(parts)
        pull = self._steps(len(at))[:, None] * self._curve(at)
        one, beta = np.eye(len(at)), self.setting.momentum
        kept = beta * (one - pull if self.setting.optimiser == "nesterov" else one)
        return np.block([[one - pull, kept], [-pull, kept]])

    def _rmsprop_jacobian(self, w: FloatArray, squares: FloatArray) -> FloatArray:
        delta, slope, curve = self._steps(len(w)), self._slope(w), self._curve(w)
        by_slope, by_squares, kept = self._root_slopes(squares, slope)
        roots = self._roots(self._squares(squares, slope))
        moved = delta * slope / roots**2
        pull = (delta / roots)[:, None] * curve - _product(moved, by_slope)[:, None] * curve
        return np.block(
            [
                [np.eye(len(w)) - pull, np.diag(_product(moved, by_squares))],
                [kept[:, None] * curve, self.setting.square_decay * np.eye(len(w))],
            ]
        )

    def _adam_jacobian(self, w: FloatArray, mean: FloatArray, squares: FloatArray) -> FloatArray:
        delta, slope, curve = self._steps(len(w)), self._slope(w), self._curve(w)
        beta, one, none = self.setting.momentum, np.eye(len(w)), np.zeros((len(w), len(w)))
        by_slope, by_squares, kept = self._root_slopes(squares, slope)
        roots = self._roots(self._squares(squares, slope))
        rate = delta / self._known(beta) / roots
        moved = rate * (beta * mean + (1.0 - beta) * slope) / roots
        pull = ((1.0 - beta) * rate - _product(moved, by_slope))[:, None] * curve
        first = [np.diag(self._kept(delta)) - pull, -beta * np.diag(rate)]
        return np.block(
            [
                [*first, np.diag(_product(moved, by_squares))],
                [(1.0 - beta) * curve, beta * one, none],
                [kept[:, None] * curve, none, self.setting.square_decay * one],
            ]
        )

    def _root_slopes(
        self, squares: FloatArray, slope: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the derivatives of P by the gradient and by the mean square, and of the latter."""
        keep = self.setting.square_decay
        scale = 2.0 * np.sqrt(self._known(keep)) * np.sqrt(self._squares(squares, slope))
        kept = 2.0 * (1.0 - keep) * slope
        return kept / scale, keep / scale, kept


def _copies(setting: Setting) -> int:
    """Return how many numbers a weight has in the augmented state, itself included."""
    if setting.optimiser in ("adam", "adamw"):
        return 3
    return 2 if setting.optimiser in ("heavy-ball", "nesterov", "rmsprop") else 1


def _product(moved: FloatArray, slopes: FloatArray) -> FloatArray:
    """Multiply, with 0 where nothing moves: there P has no part in the step's derivative."""
    return np.where(moved == 0.0, 0.0, moved * slopes)
