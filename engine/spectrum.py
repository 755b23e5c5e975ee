"""Extreme eigenvalues of a symmetric operator known only by its products with vectors.

The operators are Hessians: a product costs about two gradients, a dense matrix cannot be afforded.
Lanczos runs on a block of vectors, as many as eigenvalues are asked for, because the Hessian of a
network of equal layers has eigenvalues of high multiplicity, of which a single vector sees one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
CHECK = 4
"""Blocks between two looks at the eigenvalues found so far, which cost more than a product."""
Product = Callable[[FloatArray], FloatArray]
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
    """
    top, bottom = min(top, size), min(bottom, size)
    width = min(max(top, bottom, 1), size)
    generator = np.random.default_rng(seed)
    block = generator.standard_normal((size, width))
    if start is not None:
        block[:, : min(width, start.shape[1])] = start[:, :width]
    capacity = min(size, max(max_products, width))
    basis = np.empty((capacity, size))
    projected = np.zeros((capacity, capacity))
    fresh = _orthonormal(np.ascontiguousarray(block.T), 0.0)
    used = turn = 0
    largest = 0.0
    while True:
        count = min(len(fresh), capacity - used)
        old, used = used, used + count
        basis[old:used] = fresh[:count]
        images = np.stack([product(row) for row in basis[old:used]])
        inside = images @ basis[:used].T
        projected[old:used, :used] = inside
        projected[:used, old:used] = inside.T
        # Earlier images lie in the basis, so these are all that a Ritz vector's residual can have.
        outside = images - inside @ basis[:used]
        largest = max(largest, float(np.max(np.abs(images))))
        if used < capacity:
            again = outside - (outside @ basis[:used].T) @ basis[:used]  # against rounding
            fresh = _orthonormal(again, 1e-12 * largest)
        done = used == capacity or len(fresh) == 0  # or the basis is an invariant subspace
        if done or turn % CHECK == 0:
            values, coordinates = np.linalg.eigh(projected[:used, :used])
            wanted = np.r_[used - min(top, used) : used, 0 : min(bottom, used)]
            residual = float(np.max(np.linalg.norm(coordinates[old:, wanted].T @ outside, axis=1)))
            converged = residual <= tolerance * float(np.max(np.abs(values)))
            if done or (converged and used >= max(top, bottom)):
                break
        turn += 1
    chosen = np.arange(used - 1, used - 1 - min(top, used), -1)
    return Extremes(
        top=values[chosen],
        bottom=values[: min(bottom, used)],
        vectors=(coordinates[:, chosen].T @ basis[:used]).T,
        residual=residual,
        products=used,
        converged=converged,
    )


def _orthonormal(rows: FloatArray, threshold: float) -> FloatArray:
    """Orthonormalise rows against each other, dropping those of negligible norm."""
    kept = np.empty_like(rows)
    count = 0
    for row in rows:
        for _ in range(2):
            row = row - (kept[:count] @ row) @ kept[:count]
        norm = math.sqrt(float(row @ row))
        if norm > threshold:
            kept[count] = row / norm
            count += 1
    return kept[:count]


def dense(product: Product, size: int) -> FloatArray:
    """Write out the operator, column by column; for small sizes and for checking.

    Returns
    -------
    ndarray, shape (size, size)
        Symmetrised.
    """
    matrix = np.stack([product(row) for row in np.eye(size)])
    return 0.5 * (matrix + matrix.T)
