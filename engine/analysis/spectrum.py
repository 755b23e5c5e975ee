"""Extreme eigenvalues of a symmetric operator known only by its products with vectors.

The operators are Hessians: a product costs about two gradients, a dense matrix cannot be afforded.
Lanczos runs on a block of vectors, as many as eigenvalues are asked for, because the Hessian of a
network of equal layers has eigenvalues of high multiplicity, of which a single vector sees one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray

Vectors = NDArray[np.floating[Any]]
CHECK = 4
"""Blocks between two looks at the eigenvalues found so far, which cost more than a product."""
PIECE = 8192
"""Numbers of a vector that are worked on at once."""
NEGLIGIBLE = 1e-12
"""Norm, relative to the operator, below which what a product adds to the basis is nothing."""
SMALL = 1e-3
"""Relative norm below which what a product adds is cleaned of the basis once more."""
PASSES = 4
Product = Callable[[Any], Vectors]
"""Maps a vector of shape (size,) to the operator's product with it."""


@dataclass(frozen=True, slots=True)
class Extremes:
    """Eigenvalues at the ends of a spectrum, and what they cost.

    Attributes
    ----------
    top : ndarray, shape (k,)
        The largest, in descending order.
    bottom : ndarray, shape (b,)
        The smallest, in ascending order.
    vectors : ndarray, shape (size, k)
        Unit eigenvectors of the largest.
    residual : float
        Largest norm of H v - theta v over those returned; no eigenvalue is farther off.
    products : int
        Products with the operator that were made.
    converged : bool
        Whether the residual is within the tolerance.
    """

    top: FloatArray
    bottom: FloatArray
    vectors: FloatArray
    residual: float
    products: int
    converged: bool


def extremes(
    product: Product,
    size: int,
    top: int = 1,
    bottom: int = 0,
    *,
    seed: int = 0,
    tolerance: float = 1e-8,
    max_products: int = 400,
    start: FloatArray | None = None,
    dtype: type[np.floating[Any]] = np.float64,
) -> Extremes:
    """Find the largest and smallest eigenvalues by block Lanczos, fully reorthogonalised.

    Parameters
    ----------
    product : callable
        The symmetric operator.
    size : int
        Its dimension.
    top, bottom : int
        How many eigenvalues to find at each end, cut to `size`.
    seed : int
        Of the random start.
    tolerance : float
        Residual at which to stop, relative to the largest |eigenvalue|. The error of a separated
        eigenvalue is of the order of its square.
    max_products : int
        Products after which to stop all the same.
    start : ndarray, shape (size, any), optional
        Vectors to begin with, such as the eigenvectors of a nearby operator.
    dtype : type
        Numbers that the vectors are kept in; float32 halves memory and time, for tolerances well
        above 1e-6.
    """
    top, bottom = min(top, size), min(bottom, size)
    width = min(max(top, bottom, 1), size)
    generator = np.random.default_rng(seed)
    block = generator.standard_normal((size, width))
    if start is not None:
        block[:, : min(width, start.shape[1])] = start[:, :width]
    capacity = min(size, max(max_products, width))
    basis = np.empty((capacity, size), dtype)
    projected = np.zeros((capacity, capacity))
    images = np.ascontiguousarray(block.T, dtype)
    fresh, _ = _orthonormal(images, 0.0)
    used = turn = 0
    largest = 0.0
    while True:
        count = min(len(fresh), capacity - used)
        old, used = used, used + count
        basis[old:used] = fresh[:count]
        images = images[:count]
        for image, row in zip(images, basis[old:used], strict=True):
            image[:] = product(row)
        largest = max(largest, float(np.max(images)), -float(np.min(images)))
        inside = _inner(images, basis[:used])
        projected[old:used, :used] = inside
        projected[:used, old:used] = inside.T
        # Earlier images lie in the basis: the rest is all of a Ritz vector's residual.
        again = _remove(images, inside, basis[:used])
        done = used == capacity
        looks = done or turn % CHECK == 0
        if not looks:
            _remove(images, again, basis[:used])  # against rounding
            fresh = _new_directions(images, basis[:used], largest)
            done = len(fresh) == 0  # the basis is an invariant subspace
        if looks or done:
            values, coordinates = np.linalg.eigh(projected[:used, :used])
            wanted = np.r_[used - min(top, used) : used, 0 : min(bottom, used)]
            ends = coordinates[old:, wanted].T.astype(dtype)
            residual = float(np.max(np.linalg.norm(ends @ images, axis=1)))
            converged = residual <= tolerance * float(np.max(np.abs(values)))
            if done or (converged and used >= max(top, bottom)):
                break
            _remove(images, again, basis[:used])
            fresh = _new_directions(images, basis[:used], largest)
            if len(fresh) == 0:
                break
        turn += 1
    chosen = np.arange(used - 1, used - 1 - min(top, used), -1)
    return Extremes(
        top=values[chosen],
        bottom=values[: min(bottom, used)],
        vectors=(coordinates[:, chosen].T.astype(dtype) @ basis[:used]).T.astype(np.float64),
        residual=residual,
        products=used,
        converged=converged,
    )


def _inner(rows: Vectors, basis: Vectors) -> FloatArray:
    """Multiply rows with those of the basis, piece by piece, so that each stays in the cache."""
    total = np.zeros((len(rows), len(basis)))
    for first in range(0, rows.shape[1], PIECE):
        total += rows[:, first : first + PIECE] @ basis[:, first : first + PIECE].T
    return total


def _remove(rows: Vectors, coefficients: FloatArray, basis: Vectors) -> FloatArray:
    """Subtract a combination of the basis from rows in place; returns what of it is left."""
    left = np.zeros(coefficients.shape)
    factors = coefficients.astype(rows.dtype)
    for first in range(0, rows.shape[1], PIECE):
        given = basis[:, first : first + PIECE]
        piece = rows[:, first : first + PIECE]
        piece -= factors @ given
        left += piece @ given.T
    return left


def _new_directions(rows: Vectors, basis: Vectors, largest: float) -> Vectors:
    """Orthonormalise what is left of rows whose part in the basis was removed.

    Where little is left, as in a subspace that is almost invariant, the rounding of the removal is
    a noticeable part of it. Scaled to norm 1 it has to be removed once more: a direction that leans
    on the basis makes eigenvalues that the operator does not have.
    """
    fresh, least = _orthonormal(rows, NEGLIGIBLE * largest)
    if least > SMALL * largest:
        return fresh
    for _ in range(PASSES):
        _remove(fresh, _inner(fresh, basis), basis)
        # What loses most of its norm was in the basis, or in the rows before it, all along.
        fresh, least = _orthonormal(fresh, 0.1)
        if least > 0.9:
            break
    return fresh


def _orthonormal(rows: Vectors, threshold: float) -> tuple[Vectors, float]:
    """Orthonormalise rows against each other, dropping those of negligible norm.

    Returns
    -------
    kept : ndarray
    least : float
        Smallest norm that one of those kept had on its own; infinity where none is.
    """
    kept = np.empty_like(rows)
    count = 0
    least = math.inf
    for given in rows:
        row = given[None].copy()
        if count:
            left = _remove(row, _inner(row, kept[:count]), kept[:count])
            _remove(row, left, kept[:count])
        norm = math.sqrt(float(_inner(row, row)[0, 0]))
        if norm > threshold:
            np.divide(row[0], norm, out=kept[count])
            count += 1
            least = min(least, norm)
    return kept[:count], least


def dense(product: Product, size: int) -> FloatArray:
    """Write out the operator, column by column; for small sizes and for checking.

    Returns
    -------
    ndarray, shape (size, size)
        Symmetrised.
    """
    matrix = np.stack([product(row) for row in np.eye(size)])
    return 0.5 * (matrix + matrix.T)
