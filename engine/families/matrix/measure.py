"""What is measured on a matrix network at one state: eigenvalues, gaps, and the Hessian's top."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import theory
from engine.analysis.spectrum import Extremes, extremes
from engine.core.arrays import FloatArray
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem
from engine.kernels.matrix.padding import padded
from engine.text.numbers import whole

ComplexArray = NDArray[np.complex128]

TOLERANCE, COARSE = 1e-6, 1e-4
"""Residual, relative to the largest eigenvalue, at which Lanczos stops, and that from `LARGE`
parameters on; the error of a separated eigenvalue is of the order of its square."""
LARGE = 2000
MAX_PRODUCTS = 300


@dataclass(frozen=True, slots=True)
class Look:
    r"""Eigenvalues and gaps of one product of matrices.

    Attributes
    ----------
    product : ndarray, shape (n, n)
    eigenvalues : ndarray of complex, shape (n,)
        Of the product, by descending real part.
    layers : ndarray of complex, shape (L, n)
        Of every matrix, by descending real part.
    singular_values : ndarray, shape (n,)
        Of the product.
    spread : ndarray, shape (n,)
        Largest minus smallest j-th singular value over the L matrices: how far that mode is from
        balance.
    balancing_gap : float
        Largest :math:`\|W_{i+1}^\top W_{i+1} - W_i W_i^\top\|_F`, zero for L = 1.
    commutator : float
        Largest :math:`\|W_i R - R W_i\|_F / (\|W_i\|_F \|R\|_F)`: the distance from R's
        eigenspaces, which must stay zero for the networks to decouple.
    root_distance : float
        Largest :math:`\|W_i - R^{1/L}\|_F`; NaN where there is no real root.
    """

    product: FloatArray
    eigenvalues: ComplexArray
    layers: ComplexArray
    singular_values: FloatArray
    spread: FloatArray
    balancing_gap: float
    commutator: float
    root_distance: float


def look(problem: Problem, weights: FloatArray) -> Look:
    """Measure one product of matrices, shape (L, n, n)."""
    product = multiply(weights)
    matrix = problem.target.matrix
    both = weights @ matrix - matrix @ weights
    sizes = np.linalg.norm(weights, axis=(1, 2)) * problem.scale
    inner = np.swapaxes(weights[1:], 1, 2) @ weights[1:]
    gaps = inner - weights[:-1] @ np.swapaxes(weights[:-1], 1, 2)
    root = problem.root
    away = np.nan if root is None else np.linalg.norm(weights - root, axis=(1, 2)).max()
    return Look(
        product=product,
        eigenvalues=_by_real_part(np.linalg.eigvals(product)),
        layers=_by_real_part(np.linalg.eigvals(weights)),
        singular_values=np.asarray(np.linalg.svd(product, compute_uv=False), np.float64),
        spread=np.asarray(np.ptp(np.linalg.svd(weights, compute_uv=False), axis=0), np.float64),
        balancing_gap=float(np.linalg.norm(gaps, axis=(1, 2)).max(initial=0.0)),
        commutator=float(np.max(np.linalg.norm(both, axis=(1, 2)) / np.maximum(sizes, 1e-300))),
        root_distance=float(away),
    )


def start_commutator(problem: Problem, weights: FloatArray) -> float:
    """Measure how far matrices are from commuting with R and with one another.

    Theorem 1 asks that all of them have R's eigenspaces. Where R has a repeated eigenvalue, R = cI
    above all, matrices that commute with R need not commute with one another.

    Parameters
    ----------
    problem : Problem
    weights : ndarray, shape (L, n, n)

    Returns
    -------
    float
        Largest relative commutator of a matrix with R, and with one fixed random combination of all
        matrices: that vanishes for all of them only if every pair commutes.
    """
    sizes = np.maximum(np.linalg.norm(weights, axis=(1, 2)), 1e-300)[:, None, None]
    unit = weights / sizes
    mixed = np.tensordot(np.random.default_rng(0).standard_normal(len(unit)), unit, axes=1)
    others = (problem.target.matrix / problem.scale, mixed)
    gaps = [np.linalg.norm(unit @ other - other @ unit, axis=(1, 2)).max() for other in others]
    return float(max(gaps))


def multiply(weights: FloatArray) -> FloatArray:
    """Product W_L ... W_1 of matrices, shape (L, n, n)."""
    product: FloatArray = weights[0]
    for matrix in weights[1:]:
        product = matrix @ product
    return product


def _by_real_part(values: NDArray[Any]) -> ComplexArray:
    complexes = values.astype(np.complex128)
    order = np.argsort(-complexes.real, axis=-1, kind="stable")
    return np.take_along_axis(complexes, order, axis=-1)


def sharpest(problem: Problem, weights: FloatArray, count: int, seed: int) -> Extremes:
    """Find the largest eigenvalues of the loss's Hessian by Lanczos on exact Hessian products.

    Parameters
    ----------
    weights : ndarray, shape (branches, L, n, n)
    count : int
    seed : int
        Of Lanczos' random start, so that the same state gives the same bits.
    """
    from engine.kernels.matrix.calculus import Linearisation

    n, shape = problem.size, weights.shape
    here = Linearisation(padded(weights), problem.padded_target, problem.padded_moment)

    def product(v: FloatArray) -> FloatArray:
        found: FloatArray = here.hessian_product(padded(v.reshape(shape)))
        return found[..., :n, :n].ravel()

    tolerance = TOLERANCE if weights.size < LARGE else COARSE
    return extremes(
        product, weights.size, top=count, seed=seed, tolerance=tolerance, max_products=MAX_PRODUCTS
    )


def planes(problem: Problem, seen: Look, prefix: str = "") -> dict[str, Any]:
    """Arrays for the complex plane: eigenvalues of all matrices, the product, R and its root."""
    target = problem.target.eigenvalues
    target = target[np.argsort(-target.real, kind="stable")]
    depth, n = seen.layers.shape
    arrays: dict[str, Any] = {
        f"{prefix}product_re": seen.eigenvalues.real,
        f"{prefix}product_im": seen.eigenvalues.imag,
        f"{prefix}layers_re": seen.layers.real.ravel(),
        f"{prefix}layers_im": seen.layers.imag.ravel(),
        f"{prefix}layers_index": np.repeat(np.arange(1.0, depth + 1.0), n),
        "target_re": target.real,
        "target_im": target.imag,
        **{f"target_eigenvalue_{i}": float(value) for i, value in enumerate(target.real)},
    }
    if problem.root is not None:
        roots = _by_real_part(np.linalg.eigvals(problem.root))
        arrays |= {"root_re": roots.real, "root_im": roots.imag}
        arrays |= {f"root_eigenvalue_{i}": float(value) for i, value in enumerate(roots.real)}
    return arrays


def cost_rows(
    eigenvalues: FloatArray, products: float, parameters: int, step: int
) -> list[list[str]]:
    """Rows that say what the last measurement of the Hessian found and cost."""
    found = [[f"eigenvalue {i}", f"{value:.9g}"] for i, value in enumerate(eigenvalues, 1)]
    return [
        ["measured at step", f"{whole(step)}"],
        *found,
        ["parameters", f"{whole(parameters)}"],
        ["products with the Hessian", f"{products:.0f}"],
        ["about as many gradients", f"{2 * products:.0f}"],
        ["residual allowed", f"{TOLERANCE if parameters < LARGE else COARSE:g} of the largest"],
    ]


def last_known(rows: FloatArray) -> int | None:
    """Find the last row that holds a number, or None."""
    known = np.isfinite(rows.reshape(len(rows), -1)).any(axis=1) if rows.size else np.zeros(0)
    places = np.flatnonzero(known)
    return int(places[-1]) if len(places) else None


def stability_limit(params: NetworkParams, step_size: float) -> float:
    """Return the curvature above which the descent is unstable along an eigenvector.

    The optimiser's own, see `engine.theory.optimisers`.
    """
    return theory.sharpness_limit(params.optimiser, params.momentum, step_size)


def apart(matrices: FloatArray) -> float:
    """Return the largest difference between entries of two matrices, shape (L, n, n)."""
    return float(np.max(np.ptp(matrices, axis=0)))
