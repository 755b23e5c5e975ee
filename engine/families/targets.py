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
ORTHOGONAL = 1e-9
"""Distance of M*M from I up to which eigenvectors count as orthogonal."""
WELL_CONDITIONED = 1e7
"""Condition number of the eigenvectors up to which functions of R are computed from them."""
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
        Condition number of the eigenvectors; infinite where there are fewer than n.
    is_diagonalisable : bool or None
        Whether there are n independent eigenvectors; None where rounding leaves that open.
    norm, radius : float
        Spectral norm and spectral radius.
    """

    matrix: FloatArray
    eigenvalues: NDArray[np.complex128]
    eigenvectors: NDArray[np.complex128]
    orthogonality: float
    condition: float
    is_diagonalisable: bool | None
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
        rounding = self.size * _EPS * self.norm
        return self.is_real and bool(np.all(self.eigenvalues.real > rounding))

    @property
    def is_orthogonal(self) -> bool:
        """Whether the eigenvectors are orthogonal, up to rounding."""
        return self.orthogonality <= ORTHOGONAL

    def root(self, depth: int) -> FloatArray | None:
        """Real matrix :math:`R^{1/L}` with R's eigenvectors, or None where there is none.

        Negative eigenvalues have a real root for odd depths only; pairs of complex ones take the
        principal root. There is none either where the eigenvectors do not carry it: R is not
        diagonalisable, or too nearly so.
        """
        if not self.condition < WELL_CONDITIONED:
            return None
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
        If it is not square, too large, not finite, or zero.
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
    if not matrix.any():
        raise InputError(field, "a matrix of zeros", "give a matrix with a number other than 0")
    singular = np.linalg.svd(matrix, compute_uv=False)
    if singular[0] < LEAST_NORM:
        rule = f"give a matrix of norm >= {LEAST_NORM:g}"
        raise InputError(field, f"a matrix of norm {singular[0]:.3g}", rule)
    values, vectors = _eigen(matrix)
    condition = float(np.linalg.cond(vectors))
    gram = vectors.conj().T @ vectors - np.eye(len(matrix))
    return Target(
        matrix=matrix,
        eigenvalues=values,
        eigenvectors=vectors,
        orthogonality=float(np.linalg.norm(gram, 2)),
        condition=condition,
        is_diagonalisable=_is_diagonalisable(matrix, values, gram, condition),
        norm=float(singular[0]),
        radius=float(np.max(np.abs(values))),
    )


def _is_diagonalisable(
    matrix: FloatArray,
    values: NDArray[np.complex128],
    gram: NDArray[np.complex128],
    condition: float,
) -> bool | None:
    """Return whether there are n independent eigenvectors, None where rounding leaves it open.

    A normal matrix has them, and one whose computed eigenvalues lie farther apart than their errors
    can be (Bauer and Fike 1960). A triangular matrix has its eigenvalues on the diagonal, free of
    rounding: with n different ones it is diagonalisable however ill-conditioned its eigenvectors
    are, and one that repeats a value m times needs m eigenvectors of it.
    """
    if float(np.linalg.norm(gram, 2)) <= ORTHOGONAL:
        return True
    error = len(matrix) * _EPS * float(np.linalg.norm(matrix)) * condition
    apart = np.abs(values[:, None] - values[None, :]) + np.diag(np.full(len(values), np.inf))
    if float(apart.min()) > 4 * error:
        return True
    if np.tril(matrix, -1).any() and np.triu(matrix, 1).any():
        return None
    diagonal = np.diag(matrix)
    for value in np.unique(diagonal):
        repeated = int(np.count_nonzero(diagonal == value))
        if repeated > 1:
            rank = np.linalg.matrix_rank(matrix - value * np.eye(len(matrix)))
            return False if len(matrix) - rank < repeated else None
    return True


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
        If as many eigenvalues as the size are not given.
    """
    if eigenvalues and len(eigenvalues) != size:
        raise InputError("eigenvalues", list(eigenvalues), f"give {size} numbers, or none")
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
    if np.prod(np.linalg.slogdet(factors)[0]) * sign < 0:  # a singular R (sign 0) takes either
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
