"""Maps of R^n of which a proof knows enclosures: of images and derivatives of boxes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.analysis.regions.interval import Interval, applied, interval, product
from engine.core.arrays import FloatArray


class Slopes(Protocol):
    """A real function of n variables with enclosures of value and gradient over boxes."""

    @property
    def dimension(self) -> int:
        """Number n of variables."""
        ...

    def value(self, box: Interval) -> Interval:
        """Enclose the values over boxes, shape (m, n); returns shape (m,)."""
        ...

    def slopes(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose values and gradients, shapes (m,) and (m, n)."""
        ...


class Jets(Slopes, Protocol):
    """A real function with enclosures of its second derivatives as well."""

    def curves(self, box: Interval) -> tuple[Interval, Interval, Interval]:
        """Enclose values, gradients and Hessians, shapes (m,), (m, n) and (m, n, n)."""
        ...


class StepSize(Protocol):
    """A step size as a function of the weights, continuous and positive."""

    def value(self, box: Interval) -> Interval:
        """Enclose the step sizes over boxes, shape (m, n); returns shape (m,)."""
        ...

    def slopes(self, box: Interval) -> tuple[Interval, Interval] | None:
        """Enclose step sizes and their gradients, shapes (m,) and (m, n); None: not known."""
        ...


class EnclosedMap(ABC):
    """A map F of R^n, continuous, with enclosures over boxes."""

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number n of coordinates."""

    @abstractmethod
    def enclosures(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose images and derivatives of boxes, shapes (m, n) and (m, n, n).

        Where F has a kink, the derivative holds all limits of derivatives near by.
        """

    @abstractmethod
    def plain_image(self, box: Interval) -> Interval:
        """Enclose images of boxes as they are computed, shape (m, n)."""

    def image(self, box: Interval) -> Interval:
        """Enclose images of boxes, shape (m, n), also by the mean value theorem.

        F(w) lies in F(c) + DF(B)(w - c) for w and c in a box B.
        """
        return self.both(box)[0]

    def both(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose images, also by the mean value theorem, and derivatives."""
        plain, slope = self.enclosures(box)
        center = Interval.point(box.mid)
        mean = self.plain_image(center) + applied(slope, box - center)
        return plain.meet(mean), slope


Imaging = Callable[[Interval, tuple[Interval, Interval], Interval | None], Interval]
"""Encloses images of boxes under descent without momentum, also by the mean value theorem.

It is given the boxes, shape (m, n), the step sizes over them and at their middles, shape (m,), and
the gradients of the step size, shape (m, n), None where it is fixed.
"""


@dataclass(frozen=True, eq=False, kw_only=True)
class Descent(EnclosedMap):
    r"""Gradient descent :math:`F(w)=w-s(w)\nabla f(w)`, or with momentum on (w, v).

    Attributes
    ----------
    loss : Jets
    step_size : float
        Used where there is no `rule`.
    rule : StepSize or None
        The step size s as a function of the weights.
    momentum : float
    looks_ahead : bool
        Whether the gradient is taken at w + βv (Nesterov).
    has_velocity : bool
        Whether the point is (w, v).
    imaging : callable or None
        A faster way to enclose images without momentum.
    """

    loss: Jets
    step_size: float
    rule: StepSize | None = None
    momentum: float = 0.0
    looks_ahead: bool = False
    has_velocity: bool = False
    imaging: Imaging | None = None

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return self.loss.dimension * (2 if self.has_velocity else 1)

    def step(self, box: Interval) -> Interval:
        """Enclose the step size over boxes of weights, shape (m,)."""
        if self.rule is None:
            return Interval.point(np.full(box.shape[0], self.step_size))
        return self.rule.value(box)

    def image(self, box: Interval) -> Interval:
        """Enclose images of boxes, shape (m, n), also by the mean value theorem."""
        if self.imaging is None or self.has_velocity:
            return super().image(box)
        if self.rule is None:
            fixed = self.step(box)
            return self.imaging(box, (fixed, fixed), None)
        known = self.rule.slopes(box)
        if known is None:  # w - s g(w) for any s that the step size may be in the box
            over = self.rule.value(box)
            return self.imaging(box, (over, over), None)
        step, change = known
        return self.imaging(box, (step, self.rule.value(Interval.point(box.mid))), change)

    def plain_image(self, box: Interval) -> Interval:
        """Enclose images of boxes as they are computed."""
        if self.has_velocity:
            return self._moved(box, self.loss.slopes(self._looked_at(box))[1])
        return box - self.step(box)[:, None] * self.loss.slopes(box)[1]

    def enclosures(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose images and derivatives of boxes."""
        if self.has_velocity:
            _, slope, curve = self.loss.curves(self._looked_at(box))
            return self._moved(box, slope), self._velocity_derivative(curve)
        _, slope, curve = self.loss.curves(box)
        one = np.eye(self.dimension)
        if self.rule is None:
            return box - self.step_size * slope, one - self.step_size * curve
        known = self.rule.slopes(box)
        if known is None:
            unknown = np.full(curve.shape, np.inf)
            return box - self.step(box)[:, None] * slope, Interval(-unknown, unknown)
        step, change = known
        image = box - step[:, None] * slope
        bent = slope[:, :, None] * change[:, None, :]
        return image, one - step[:, None, None] * curve - bent

    def _looked_at(self, box: Interval) -> Interval:
        n = self.loss.dimension
        weights, velocity = box[:, :n], box[:, n:]
        return weights + self.momentum * velocity if self.looks_ahead else weights

    def _moved(self, box: Interval, slope: Interval) -> Interval:
        n = self.loss.dimension
        speed = self.momentum * box[:, n:] - self.step_size * slope
        return joined((box[:, :n] + speed, speed), axis=-1)

    def _velocity_derivative(self, curve: Interval) -> Interval:
        one = np.eye(self.loss.dimension)
        pull = self.step_size * curve
        kept = self.momentum * (one - pull if self.looks_ahead else interval(one))
        kept = Interval(*(np.broadcast_to(end, pull.shape) for end in (kept.lo, kept.hi)))
        upper = joined((one - pull, kept), axis=-1)
        return joined((upper, joined((-pull, kept), axis=-1)), axis=-2)


def joined(parts: Sequence[Interval], axis: int) -> Interval:
    """Join arrays of intervals along an axis."""
    return Interval(
        np.concatenate([part.lo for part in parts], axis),
        np.concatenate([part.hi for part in parts], axis),
    )


@dataclass(frozen=True, eq=False)
class Iterated(EnclosedMap):
    """Several steps of a map as one."""

    map: EnclosedMap
    times: int

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return self.map.dimension

    def plain_image(self, box: Interval) -> Interval:
        """Enclose images of boxes step by step."""
        for _ in range(self.times):
            box = self.map.image(box)
        return box

    def enclosures(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose images and derivatives of boxes, by the chain rule."""
        box, slope = self.map.both(box)
        for _ in range(self.times - 1):
            box, next_slope = self.map.both(box)
            slope = product(next_slope, slope)
        return box, slope


FloatStep = Callable[[FloatArray], FloatArray]
"""A step in floats, of many points at once, shape (m, n): what measurements rest on."""
