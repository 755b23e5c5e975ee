"""Equilibria of a loss: where its gradient is 0, of what nature they are, and how sharp.

Found from many starts, from each in two ways (SciPy's): by Levenberg-Marquardt steps on the
gradient, which lead to equilibria of any nature, and by descent of the loss (BFGS), which leads to
minima; for near a crossing of manifolds of minima the first are drawn to the crossing alone. What
is listed was found; that there are no others is never said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from engine.analysis.normal_forms import ZERO
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress
from engine.core.interrupt import check
from engine.core.system import Derivatives

RESIDUAL = 1e-9
"""Largest gradient at an equilibrium, relative to the Hessian times the size of the point."""
LEFT = 1e-7
"""Largest last Newton step at an equilibrium, relative to the size of the point."""
LEAST_SCALE = 1e-3
"""Least Hessian times size that gradients are compared with: degenerate points have none."""
POLISH = 64
"""Newton steps at most; at degenerate points each gains a third or less."""
SAME = 1e-6
"""Distance relative to the size of the points, below which two are one."""
SAME_LOSS = 1e-9
"""Difference of losses relative to their size, below which manifolds may be one."""
BLURRED = 1e-3
"""The same for degenerate points, which searches approach slowly."""
VANISHING = 1e-9
"""Size of a whole Hessian, relative to that around it, below which it counts as 0."""
STRIDE = 1e-3
"""Length of a test step along the kernel, relative to the size of the point."""
FARTHEST = 2.0
"""Largest coordinate of an equilibrium, in units of the largest of the starts."""
WALK, STEPS = 0.5, 10
"""Length of a walk along a manifold, relative to the size of the point, and its steps."""
MOST = 64
"""Equilibria that are listed."""
NEAR_KINK = 1e-9
"""Relative distance from a kink below which a point lies on it."""
LEVEL = 1e-6
"""Slope of the sharpness along a manifold, relative to that across, that counts as 0."""
LEAST_CHANGE = 1e-13
"""Change of the loss along a manifold that rounding can make."""
FLATTENING = 200
"""Most steps along a manifold towards its flattest point."""


class Nature(StrEnum):
    """What an equilibrium is, by the signs of the Hessian's eigenvalues."""

    MINIMUM = "minimum"
    SADDLE = "saddle"
    MAXIMUM = "maximum"
    DEGENERATE = "degenerate"
    """An eigenvalue is 0 but there is no manifold: second derivatives do not decide."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Equilibrium:
    """A point at which the gradient is 0; of a manifold of them, the flattest one found.

    Attributes
    ----------
    point : ndarray, shape (n,)
    loss : float
    eigenvalues : ndarray, shape (n,)
        Of the Hessian, ascending.
    nature : Nature
        Across the manifold, if there is one.
    manifold : int
        Dimension of the manifold of equilibria that the point lies on; 0 for an isolated one.
    residual : float
        Norm of the gradient.
    found : int
        Starts from which it was reached.
    sharpest : float
        Largest sharpness seen on the manifold; the point's own if it is isolated.
    is_flattest : bool
        Whether the sharpness has a least value along the manifold here.
    """

    point: FloatArray
    loss: float
    eigenvalues: FloatArray
    nature: Nature
    manifold: int = 0
    residual: float = 0.0
    found: int = 1
    sharpest: float = 0.0
    is_flattest: bool = False

    @property
    def sharpness(self) -> float:
        """Largest eigenvalue of the Hessian."""
        return float(self.eigenvalues[-1])


def find(
    loss: Derivatives, starts: Iterable[FloatArray], progress: Progress
) -> tuple[Equilibrium, ...] | None:
    """Find equilibria from given starts.

    Parameters
    ----------
    loss : Derivatives
    starts : iterable of ndarray, shape (n,)
    progress : callable
        Asked between two starts.

    Returns
    -------
    tuple of Equilibrium or None
        By ascending loss, at most `MOST`; None if `progress` asked to stop.

    Raises
    ------
    Interrupted
        If who watches this thread asked to stop.
    """
    everything = list(starts)
    farthest = FARTHEST * max((float(np.max(np.abs(start))) for start in everything), default=0.0)
    found: list[Equilibrium] = []
    for number, start in enumerate(everything):
        if not progress(number / len(everything), f"{len(found)} equilibria found"):
            return None
        for point in (converge(loss, start), descend(loss, start)):
            if point is None or float(np.max(np.abs(point))) > farthest:
                continue  # a loss that falls for ever has a gradient of 0 at infinity
            made = classify(loss, point)
            if made is not None:
                _add(found, made)
    found = [_flattest(loss, each) for each in found if _is_level(loss, each)]
    return tuple(sorted(found, key=lambda each: each.loss)[:MOST])


def converge(loss: Derivatives, start: FloatArray) -> FloatArray | None:
    """Return the equilibrium that Levenberg-Marquardt steps from a start reach, None for none."""
    from scipy.optimize import root  # takes 0.2 s to load

    if not _is_defined(loss, start):
        return None
    with np.errstate(all="ignore"):
        found = root(
            lambda z: _bounded(loss.gradient(z)),
            start,
            jac=lambda z: _watched(loss.hessian(z)),
            method="lm",
            options={"xtol": 1e-13, "ftol": 1e-13, "maxiter": 50 * (len(start) + 1)},
        )
    return polished(loss, np.asarray(found.x, np.float64))


def descend(loss: Derivatives, start: FloatArray) -> FloatArray | None:
    """Return the equilibrium that descent of the loss leads to from a start, None for none."""
    from scipy.optimize import minimize

    if not _is_defined(loss, start):
        return None
    with np.errstate(all="ignore"):
        found = minimize(
            lambda z: float(_bounded(np.asarray(loss.value(z)))),
            start,
            jac=lambda z: _watched(loss.gradient(z)),
            method="BFGS",
            options={"gtol": 1e-10, "maxiter": 50 * (len(start) + 1)},
        )
    return polished(loss, np.asarray(found.x, np.float64))


def _is_defined(loss: Derivatives, z: FloatArray) -> bool:
    """Return whether gradient and Hessian are finite at a point."""
    return bool(np.isfinite(loss.gradient(z)).all() and np.isfinite(loss.hessian(z)).all())


def _watched(derivative: FloatArray) -> FloatArray:
    """Bound a derivative; once a step, so that a search can be held or stopped within a start."""
    check()
    return _bounded(derivative)


def _bounded(values: FloatArray) -> FloatArray:
    """Replace what is not finite by something large, from which the search turns back."""
    if np.isfinite(values).all():
        return values
    return np.nan_to_num(values, nan=1e150, posinf=1e150, neginf=-1e150)


def polished(loss: Derivatives, z: FloatArray, within: float = np.inf) -> FloatArray | None:
    """Return the equilibrium that Newton's steps in the range of the Hessian lead to.

    Parameters
    ----------
    loss : Derivatives
    z : ndarray, shape (n,)
    within : float
        How far from `z`, relative to its size where that is above 1, steps may lead.

    Returns
    -------
    ndarray, shape (n,), or None
        None where the gradient, or what is left of a Newton step, does not vanish, and where a step
        leads too far.
    """
    slope, left, begin = loss.gradient(z), np.inf, z
    farthest = within * max(float(np.linalg.norm(z)), 1.0)
    for _ in range(POLISH):
        hessian = loss.hessian(z)
        if not (np.isfinite(hessian).all() and np.isfinite(slope).all()):
            return None
        step = np.linalg.pinv(hessian, rcond=ZERO, hermitian=True) @ slope
        left = float(np.linalg.norm(step)) / max(float(np.linalg.norm(z)), 1.0)
        new = z - step
        there = loss.gradient(new)
        if not float(np.linalg.norm(there)) < float(np.linalg.norm(slope)):
            break
        if float(np.linalg.norm(new - begin)) > farthest:
            return None
        z, slope = new, there
    scale = float(np.abs(loss.hessian(z)).max()) * max(float(np.linalg.norm(z)), 1.0)
    is_flat = float(np.linalg.norm(slope)) <= RESIDUAL * max(scale, LEAST_SCALE)
    return z if is_flat and left <= LEFT else None


def classify(loss: Derivatives, point: FloatArray) -> Equilibrium | None:
    """Describe an equilibrium; None at a kink or where a derivative is not finite."""
    hessian, value = loss.hessian(point), loss.value(point)
    if not (np.isfinite(hessian).all() and np.isfinite(value)):
        return None
    if loss.kinks(point) <= NEAR_KINK:
        return None
    eigenvalues, vectors = np.linalg.eigh(hessian)
    largest = float(np.abs(eigenvalues).max())
    flat = np.abs(eigenvalues) <= ZERO * largest
    if largest <= VANISHING * _curvature_around(loss, point):
        flat[:] = True
    nature, manifold = _nature(eigenvalues[~flat]), int(np.count_nonzero(flat))
    if manifold and not _is_manifold(loss, point, vectors[:, flat]):
        manifold = 0
        nature = Nature.SADDLE if nature is Nature.SADDLE else Nature.DEGENERATE
    return Equilibrium(
        point=point,
        loss=value,
        eigenvalues=eigenvalues,
        nature=nature,
        manifold=manifold,
        residual=float(np.linalg.norm(loss.gradient(point))),
        sharpest=float(eigenvalues[-1]),
    )


def _nature(curved: FloatArray) -> Nature:
    """Name what the signs of eigenvalues other than 0 say."""
    if not curved.size:
        return Nature.DEGENERATE
    if (curved > 0).all():
        return Nature.MINIMUM
    return Nature.MAXIMUM if (curved < 0).all() else Nature.SADDLE


def _curvature_around(loss: Derivatives, point: FloatArray) -> float:
    """Return the size of the Hessian at points as far away as the point is from 0, or as 1."""
    reach = max(float(np.linalg.norm(point)), 1.0)
    directions = np.concatenate([np.eye(len(point)), np.ones((1, len(point)))])
    around = [np.abs(loss.hessian(point + reach * each)).max() for each in directions]
    return float(max((size for size in around if np.isfinite(size)), default=0.0))


def _is_manifold(loss: Derivatives, point: FloatArray, kernel: FloatArray) -> bool:
    """Return whether steps along every direction of the kernel lead to other equilibria.

    From a step of length h along it, Newton's steps across lead back to an equilibrium at a
    distance of h to first order, with a Hessian of the same rank.
    """
    size = max(float(np.linalg.norm(point)), 1.0)
    if kernel.shape[1] == len(point):  # the Hessian vanishes: a plateau, or a single point
        around = [point + sign * STRIDE * size * axis for axis in kernel.T for sign in (1.0, -1.0)]
        return not any(loss.hessian(each).any() or loss.gradient(each).any() for each in around)
    for direction in kernel.T:
        for sign in (1.0, -1.0):
            near = polished(loss, point + sign * STRIDE * size * direction)
            if near is None or abs(float((near - point) @ direction)) < 0.5 * STRIDE * size:
                return False
            values = np.linalg.eigvalsh(loss.hessian(near))
            rank = int(np.count_nonzero(np.abs(values) > ZERO * np.abs(values).max()))
            if len(point) - rank != kernel.shape[1]:
                return False
    return True


def _add(found: list[Equilibrium], new: Equilibrium) -> None:
    """Add an equilibrium to a list, or count it with the one that it is."""
    for place, old in enumerate(found):
        if _are_one(old, new):
            kept = old if old.sharpness <= new.sharpness or not old.manifold else new
            found[place] = _counted(kept, old.found + 1, max(old.sharpest, new.sharpest))
            return
    found.append(new)


def _are_one(old: Equilibrium, new: Equilibrium) -> bool:
    """Return whether two are the same point, or may lie on the same manifold.

    The loss is constant on a connected manifold of equilibria. Two of the same dimension, nature
    and loss are listed as one, which is all that is said of them.
    """
    if old.manifold != new.manifold or old.nature is not new.nature:
        return False
    if old.manifold:
        scale = max(abs(old.loss), abs(new.loss), 1e-3)
        return abs(old.loss - new.loss) <= SAME_LOSS * scale
    near = BLURRED if old.nature is Nature.DEGENERATE else SAME
    size = max(float(np.linalg.norm(old.point)), 1.0)
    return float(np.linalg.norm(old.point - new.point)) <= near * size


def _counted(kept: Equilibrium, found: int, sharpest: float) -> Equilibrium:
    return replace(kept, found=found, sharpest=sharpest)


def _is_level(loss: Derivatives, each: Equilibrium) -> bool:
    """Return whether a walk along the manifold of an equilibrium, if it has one, stays on it.

    Where a loss falls for ever its gradient becomes as small as one likes, but on the way back it
    grows.
    """
    if not each.manifold or not each.eigenvalues.any():
        return True
    values, vectors = np.linalg.eigh(loss.hessian(each.point))
    kernel = vectors[:, np.abs(values) <= ZERO * np.abs(values).max()]
    stride = WALK / STEPS * max(float(np.linalg.norm(each.point)), 1.0)
    for begin in (*kernel.T, *-kernel.T):
        point, direction = each.point, begin
        for _ in range(STEPS):
            other = polished(loss, point + stride * direction)
            if other is None:
                break
            change = abs(loss.value(other) - each.loss)
            if change > max(LEVEL * abs(each.loss), LEAST_CHANGE):
                return False
            moved = float(np.linalg.norm(other - point))
            if moved < 0.1 * stride:
                break  # the manifold ends here, as at a kink
            point, direction = other, (other - point) / moved
    return True


def _flattest(loss: Derivatives, each: Equilibrium) -> Equilibrium:
    """Return the flattest point that steps along a manifold of minima reach from the one found.

    The slope of the sharpness along the manifold is the part of the third derivative along the top
    eigenvector, twice, in the kernel of the Hessian; steps along it are led back by Newton's. Where
    the sharpness has no least value on the way, the point stays as it is.
    """
    if not each.manifold or each.nature is not Nature.MINIMUM:
        return each
    point, best, is_flattest = each.point, each.sharpness, False
    stride = 0.1 * max(float(np.linalg.norm(point)), 1.0)
    for _ in range(FLATTENING):
        values, vectors = np.linalg.eigh(loss.hessian(point))
        kernel = vectors[:, np.abs(values) <= ZERO * abs(values[-1])]
        bend = loss.third(point, vectors[:, -1], vectors[:, -1])
        slope = kernel @ (kernel.T @ bend)
        size = float(np.linalg.norm(slope))
        is_flattest = size <= LEVEL * float(np.linalg.norm(bend))
        if not size > LEVEL * LEVEL * best or stride < LEVEL * LEVEL:
            break
        other = polished(loss, point - min(stride, size) * slope / size)
        sharpness = np.inf if other is None else float(np.linalg.eigvalsh(loss.hessian(other))[-1])
        if other is not None and sharpness < best:
            point, best, stride = other, sharpness, 1.5 * stride
        else:
            stride *= 0.5
    made = classify(loss, point) if is_flattest else None
    if made is None or made.manifold != each.manifold:
        return each
    return replace(made, found=each.found, sharpest=each.sharpest, is_flattest=True)


def starts(
    center: FloatArray, reach: FloatArray, count: int, seed: int, also: Sequence[FloatArray] = ()
) -> list[FloatArray]:
    """Return starts for `find`: given ones, then random ones in a box, one in each of its layers.

    Parameters
    ----------
    center, reach : ndarray, shape (n,)
        Middle of the box, and half its sides.
    count : int
        Random starts; along every axis each of as many layers of equal width holds one.
    seed : int
        Of the random numbers.
    also : sequence of ndarray
        Starts before them.
    """
    rng = np.random.default_rng(seed)
    layers = np.stack([rng.permutation(count) for _ in center], axis=1)
    unit = (layers + rng.random(layers.shape)) / count
    return [*also, *(center + reach * (2.0 * unit - 1.0))]
