r"""Targets R, input moments :math:`\Sigma` and starts W for the matrix networks of equation (4).

Everything random comes from generators given by the caller. Every matrix that was typed or loaded
is checked, and refused in one sentence, before an experiment sees it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.errors import InputError

Eigenvectors = Literal["orthogonal", "normal"]

LEAST_NORM = 1e-50
"""Least norm of R: what is made of its powers must be numbers."""
MAX_SIZE = 64
"""Largest side of R."""
DEFECT = 1e7
"""Condition number of the eigenvectors above which R counts as non-diagonalisable."""
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Target:
    r"""A matrix R with what the theorems ask about it.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
    eigenvalues : ndarray of complex, shape (n,)
    eigenvectors : ndarray of complex, shape (n, n)
        Unit columns; orthonormal for a symmetric R.
    orthogonality : float
        :math:`\|M^*M-I\|_2`, zero for a normal R.
    condition : float
        Condition number of the eigenvectors.
    norm, radius : float
        Spectral norm and spectral radius.
    """

    matrix: FloatArray
    eigenvalues: NDArray[np.complex128]
    eigenvectors: NDArray[np.complex128]
    orthogonality: float
    condition: float
    norm: float
    radius: float

    @property
    def size(self) -> int:
        """Side n."""
        return len(self.matrix)

    @property
    def is_real(self) -> bool:
        """Whether all eigenvalues are real, up to rounding."""
        return bool(np.all(np.abs(self.eigenvalues.imag) <= 1e-9 * self.radius))

    @property
    def is_positive(self) -> bool:
        """Whether all eigenvalues are real and positive."""
        return self.is_real and bool(np.all(self.eigenvalues.real > 0))

    @property
    def is_orthogonal(self) -> bool:
        """Whether the eigenvectors are orthogonal, up to rounding."""
        return self.orthogonality <= 1e-9

    def root(self, depth: int) -> FloatArray | None:
        """Real matrix :math:`R^{1/L}` with R's eigenvectors, or None where there is none.

        Negative eigenvalues have a real root for odd depths only; pairs of complex ones take the
        principal root.
        """
        values = self.eigenvalues
        real = np.abs(values.imag) <= 1e-9 * self.radius
        if depth % 2 == 0 and np.any(real & (values.real < 0)):
            return None
        roots = np.where(
            real,
            np.sign(values.real) * np.abs(values.real) ** (1.0 / depth),
            values ** (1.0 / depth),
        )
        return np.ascontiguousarray(
            np.linalg.solve(self.eigenvectors.T, (self.eigenvectors * roots).T).T.real
        )


def analyse(matrix: FloatArray, field: str = "target") -> Target:
    """Check a square matrix and describe it.

    Raises
    ------
    InputError
        If it is not square, too large, not finite, singular or non-diagonalisable.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        shape = " x ".join(str(length) for length in matrix.shape)
        raise InputError(field, shape, "give a square matrix")
    if len(matrix) > MAX_SIZE:
        rule = f"give a matrix of at most {MAX_SIZE} x {MAX_SIZE}"
        raise InputError(field, f"{len(matrix)} x {len(matrix)}", rule)
    if not np.isfinite(matrix).all():
        raise InputError(field, "a matrix with inf or nan", "give finite numbers only")
    singular = np.linalg.svd(matrix, compute_uv=False)
    if 0 < singular[0] < LEAST_NORM:
        rule = f"give a matrix of norm >= {LEAST_NORM:g}"
        raise InputError(field, f"a matrix of norm {singular[0]:.3g}", rule)
    if singular[-1] <= len(matrix) * _EPS * singular[0]:
        rule = "give a matrix of full rank (all singular values > 0)"
        raise InputError(field, "a singular matrix", rule)
    values, vectors = _eigen(matrix)
    condition = float(np.linalg.cond(vectors))
    if not condition < DEFECT:
        rule = "give a matrix with n independent eigenvectors"
        raise InputError(field, "a non-diagonalisable matrix", rule)
    gram = vectors.conj().T @ vectors - np.eye(len(matrix))
    return Target(
        matrix=matrix,
        eigenvalues=values,
        eigenvectors=vectors,
        orthogonality=float(np.linalg.norm(gram, 2)),
        condition=condition,
        norm=float(singular[0]),
        radius=float(np.max(np.abs(values))),
    )


def _eigen(matrix: FloatArray) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Eigenvalues and unit eigenvectors, orthonormal where the matrix is symmetric."""
    gap = float(np.max(np.abs(matrix - matrix.T)))
    if gap <= 4 * len(matrix) * _EPS * float(np.max(np.abs(matrix))):
        values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
        return values.astype(np.complex128), vectors.astype(np.complex128)
    found, columns = np.linalg.eig(matrix)
    return found.astype(np.complex128), columns.astype(np.complex128)


def from_rows(rows: Sequence[Sequence[float]], field: str) -> FloatArray:
    """Make a matrix from typed rows.

    Raises
    ------
    InputError
        If there are none or they differ in length.
    """
    if not rows or not rows[0]:
        raise InputError(field, "no rows", "give rows of numbers such as 1 4; 0 1.1")
    width = len(rows[0])
    for index, row in enumerate(rows):
        if len(row) != width:
            rule = f"give {width} numbers in row {index + 1} as in the first"
            raise InputError(field, f"{len(row)} numbers", rule)
    return np.array(rows, dtype=np.float64)


def random_target(
    size: int,
    low: float,
    high: float,
    eigenvectors: Eigenvectors,
    generator: np.random.Generator,
    eigenvalues: Sequence[float] = (),
) -> FloatArray:
    """Draw R = M diag(eigenvalues) M^-1 with real eigenvalues.

    M has entries from N(0, 1), drawn first, or is the orthogonal factor of such a matrix; the
    eigenvalues are drawn after it, uniformly between `low` and `high`, or are those given.

    Raises
    ------
    InputError
        If as many eigenvalues as the size are not given, or one of them is zero.
    """
    if eigenvalues and len(eigenvalues) != size:
        raise InputError("eigenvalues", list(eigenvalues), f"give {size} numbers, or none")
    if eigenvalues and not all(eigenvalues):
        raise InputError("eigenvalues", list(eigenvalues), "give numbers other than 0")
    basis = generator.standard_normal((size, size))
    values = np.asarray(eigenvalues) if eigenvalues else generator.uniform(low, high, size)
    if eigenvectors == "orthogonal":
        basis = np.linalg.qr(basis)[0]
        product: FloatArray = (basis * values) @ basis.T
        return 0.5 * (product + product.T)
    return basis @ np.diag(values) @ np.linalg.inv(basis)


def haar(size: int, generator: np.random.Generator) -> FloatArray:
    """Draw an orthogonal matrix from the uniform (Haar) distribution.

    The signs of R's diagonal are moved into Q: without that, the Q of LAPACK's factorisation has
    a determinant that depends on the size alone.
    """
    q, r = np.linalg.qr(generator.standard_normal((size, size)))
    signs: FloatArray = np.where(np.diag(r) < 0, -1.0, 1.0)
    return np.asarray(q * signs)


def orthogonal_start(
    size: int, depth: int, generator: np.random.Generator, sign: float
) -> FloatArray:
    """Draw `depth` orthogonal matrices whose product has a determinant of the given sign.

    A product of the other sign than det R's cannot reach R: the loss stalls at half the squared
    smallest singular value of R.

    Returns
    -------
    ndarray, shape (depth, size, size)
    """
    factors = np.stack([haar(size, generator) for _ in range(depth)])
    if np.prod(np.linalg.slogdet(factors)[0]) * sign < 0:
        factors[-1, :, 0] *= -1.0
    return factors


def commuting_start(
    target: FloatArray, depth: int, spread: float, generator: np.random.Generator
) -> FloatArray:
    """Draw matrices I + c_i R / ||R||_2, c_i uniform within +-spread, which share R's eigenspaces.

    Returns
    -------
    ndarray, shape (depth, size, size)
    """
    size = len(target)
    direction = target / np.linalg.norm(target, 2)
    weights = generator.uniform(-spread, spread, depth)
    return np.eye(size) + weights[:, None, None] * direction


def balanced_start(
    size: int, depth: int, spread: float, generator: np.random.Generator
) -> FloatArray:
    r"""Draw balanced matrices: :math:`W_{i+1}^\top W_{i+1} = W_i W_i^\top` for all i.

    All share singular values, uniform in 1 +- spread, between random orthogonal frames.

    Returns
    -------
    ndarray, shape (depth, size, size)
    """
    frames = [haar(size, generator) for _ in range(depth + 1)]
    values = generator.uniform(1.0 - spread, 1.0 + spread, size)
    return np.stack([(frames[i + 1] * values) @ frames[i].T for i in range(depth)])


def minimum_start(target: FloatArray, depth: int, imbalance: float = 1.0) -> FloatArray:
    r"""Factorise R into L matrices at a global minimum, balanced for an imbalance of 1.

    From R = U S V^T: :math:`W_i = S^{1/L}` in the frame of V, the last one turned into U. The first
    is multiplied by the imbalance and the last divided by it, which makes the minimum sharper.

    Returns
    -------
    ndarray, shape (depth, size, size)
    """
    u, s, vt = np.linalg.svd(target)
    root = s ** (1.0 / depth)
    inner = (vt.T * root) @ vt
    weights = np.tile(inner, (depth, 1, 1))
    weights[-1] = (u * root) @ vt
    weights[0] *= imbalance
    weights[-1] /= imbalance
    return weights


def moment_from_points(points: FloatArray) -> FloatArray:
    """Second moment of points given as rows, (1/N) sum of x x^T."""
    moment: FloatArray = points.T @ points / len(points)
    return moment


def moment_with_spectrum(values: FloatArray, basis: FloatArray) -> FloatArray:
    """Symmetric matrix with given eigenvalues and an orthogonal matrix of eigenvectors."""
    moment = (basis * values) @ basis.T
    return 0.5 * (moment + moment.T)


def check_moment(moment: FloatArray, size: int, field: str) -> None:
    """Check a second moment: right size, finite, not zero.

    Raises
    ------
    InputError
        If it cannot serve for matrices of that size.
    """
    if moment.shape != (size, size):
        rule = f"give points of {size} numbers each, as many as R has columns"
        raise InputError(field, f"{moment.shape[0]} numbers a point", rule)
    top = float(np.linalg.norm(moment, 2)) if np.isfinite(moment).all() else math.inf
    if not 0 < top < 1e100:
        raise InputError(field, "the points", "give points that are not all zero, below 1e50")


def square_root(moment: FloatArray) -> FloatArray:
    """Symmetric square root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh(moment)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)
