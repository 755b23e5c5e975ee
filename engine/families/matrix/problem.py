"""A matrix problem made from parameters and a seed: R, Sigma, starts, step units, batches."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.families import targets
from engine.families.matrix.params import NetworkParams
from engine.families.targets import Target
from engine.kernels.matrix.padding import padded
from engine.storage.tables import read_table

MAX_DATA = 1_000_000
"""Numbers that a file of points may hold."""
BLOCK = 64
"""Steps whose batches are drawn from one generator, seeded by the block's number."""
_STARTS, _INPUTS, _BATCHES = 1, 2, 3  # streams of randomness beside R's own


@dataclass(frozen=True)
class Problem:
    r"""What does not change during a run.

    Attributes
    ----------
    target : Target
    depth : int
    moment : ndarray, shape (n, n)
        Second moment :math:`\Sigma`.
    points : ndarray, shape (N, n), or None
        The points it was computed from.
    seed : int
    """

    target: Target
    depth: int
    moment: FloatArray
    points: FloatArray | None
    seed: int

    @property
    def size(self) -> int:
        """Side n."""
        return self.target.size

    @cached_property
    def scale(self) -> float:
        """Frobenius norm of R, the unit of relative errors."""
        return float(np.linalg.norm(self.target.matrix))

    @cached_property
    def has_identity_moment(self) -> bool:
        """Whether Sigma = I, up to rounding."""
        return bool(np.allclose(self.moment, np.eye(self.size), rtol=0, atol=1e-12))

    @cached_property
    def padded_target(self) -> FloatArray:
        """R as the kernels want it."""
        return padded(self.target.matrix)

    @cached_property
    def padded_moment(self) -> FloatArray:
        """Sigma as the kernels want it."""
        return padded(self.moment)

    @cached_property
    def moment_root(self) -> FloatArray:
        """Symmetric square root of Sigma."""
        return targets.square_root(self.moment)

    @cached_property
    def root(self) -> FloatArray | None:
        """R^(1/L), or None where it is not real."""
        return self.target.root(self.depth)

    @cached_property
    def gain(self) -> tuple[float, float]:
        """Norm of R Sigma^(1/2) and the squared length of Sigma^(1/2) v of its top right vector."""
        _, s, vt = np.linalg.svd(self.target.matrix @ self.moment_root)
        return float(s[0]), float(np.sum((self.moment_root @ vt[0]) ** 2))

    @cached_property
    def norm_bound(self) -> float:
        """Step size above which no global minimum is stable, for any R and Sigma."""
        norm, gain = self.gain
        return theory.norm_bound(norm, self.depth, gain)

    @cached_property
    def sharpness_bound(self) -> float:
        """Least top Hessian eigenvalue of any global minimum."""
        norm, gain = self.gain
        return theory.norm_sharpness(norm, self.depth, gain)

    def unit(self, name: str) -> float:
        """Return the number that a step size in this unit is multiplied by."""
        target = self.target
        if name == "norm":
            return theory.norm_bound(target.norm, self.depth)
        if name == "radius":
            if target.radius == 0 and self.depth > 1:
                rule = "give another unit: this R has spectral radius 0, so that unit is infinite"
                raise InputError("step_unit", name, rule)
            return theory.theorem1_bound(target.radius, self.depth)
        if name == "theorem-2":
            return theory.theorem2_step(target.radius, self.depth)
        return 1.0


def make_problem(params: NetworkParams, seed: int) -> Problem:
    """Draw, type or load R and Sigma.

    Raises
    ------
    InputError
        If they cannot be used.
    """
    target = _target(params, seed)
    points = _points(params, target.size, seed)
    moment = _moment(params, target, points, seed)
    problem = Problem(target, params.depth, moment, points, seed)
    problem.unit(params.step_unit)  # refuse a unit that is infinite
    return problem


def _target(params: NetworkParams, seed: int) -> Target:
    if params.target_source == "typed":
        return targets.analyse(targets.from_rows(params.target, "target"), "target")
    if params.target_source == "file":
        limit = targets.MAX_SIZE**2
        matrix = read_table(params.target_file, "target_file", limit).values
        return targets.analyse(matrix, "target_file")
    matrix = targets.random_target(
        params.width,
        params.eigenvalue_low,
        params.eigenvalue_high,
        params.eigenvectors,
        np.random.default_rng(seed),
        params.eigenvalues,
    )
    return targets.analyse(matrix, "eigenvalues")


def _points(params: NetworkParams, size: int, seed: int) -> FloatArray | None:
    if params.inputs != "data":
        return None
    if params.points_file:
        points = read_table(params.points_file, "points_file", MAX_DATA).values
        targets.check_moment(targets.moment_from_points(points), size, "points_file")
        return points
    generator = np.random.default_rng((seed, _INPUTS))
    moment = _random_moment(params, targets.haar(size, generator), generator)
    return generator.standard_normal((params.points, size)) @ targets.square_root(moment)


def _moment(
    params: NetworkParams, target: Target, points: FloatArray | None, seed: int
) -> FloatArray:
    if points is not None:
        return targets.moment_from_points(points)
    if params.inputs == "identity":
        return np.eye(target.size)
    generator = np.random.default_rng((seed, _INPUTS))
    basis = targets.haar(target.size, generator)
    if params.inputs == "aligned":
        basis = _frame(target)
    return _random_moment(params, basis, generator)


def _frame(target: Target) -> FloatArray:
    """Return R's eigenvectors where they are real and orthogonal, else its right singular ones."""
    if target.is_orthogonal and target.is_real:
        return np.ascontiguousarray(target.eigenvectors.real)
    return np.ascontiguousarray(np.linalg.svd(target.matrix)[2].T)


def _random_moment(
    params: NetworkParams, basis: FloatArray, generator: np.random.Generator
) -> FloatArray:
    values = generator.uniform(params.input_low, params.input_high, len(basis))
    return targets.moment_with_spectrum(values, basis)


def step_of(params: NetworkParams, problem: Problem) -> float:
    """Step size in force, or the largest allowed where the step depends on the state."""
    if params.step_rule == "hessian":
        return params.step_cap
    return params.step_size * problem.unit(params.step_unit)


def make_start(params: NetworkParams, problem: Problem, branch: int = 0) -> FloatArray:
    """Draw the matrices of one network at step 0.

    Parameters
    ----------
    branch : int
        0 for W, 1 for Z of a double network, which is drawn independently.

    Returns
    -------
    ndarray, shape (L, n, n)
    """
    n, depth, spread = problem.size, problem.depth, params.init_spread
    generator = np.random.default_rng((problem.seed, _STARTS, branch))
    identity = np.tile(np.eye(n), (depth, 1, 1))
    noise = generator.standard_normal((depth, n, n))
    matrix = problem.target.matrix
    if params.init == "orthogonal":
        sign = float(np.linalg.slogdet(matrix)[0])
        return targets.orthogonal_start(
            n, depth, generator, sign if params.determinant == "matching" else -sign
        )
    if params.init == "near-identity":
        return identity + spread * noise
    if params.init == "random":
        return spread * noise
    if params.init == "commuting":
        return targets.commuting_start(matrix, depth, spread, generator)
    if params.init == "balanced":
        return targets.balanced_start(n, depth, spread, generator)
    if params.init == "minimum":
        return targets.minimum_start(matrix, depth, params.imbalance) + spread * noise
    return identity


def batch_moments(
    params: NetworkParams, problem: Problem, first: int, count: int
) -> FloatArray | None:
    """Second moments that the steps from `first` on descend on, or None for the full one.

    They are a function of the seed and the step alone, so that a run may be split anywhere.

    Returns
    -------
    ndarray, shape (count, n, n), or None
    """
    if params.batch == "full" or count == 0:
        return None
    blocks = []
    for block in range(first // BLOCK, (first + count - 1) // BLOCK + 1):
        generator = np.random.default_rng((problem.seed, _BATCHES, block))
        x = _draw(params, problem, generator)
        moments = np.swapaxes(x, 1, 2) @ x
        if params.batch == "random":
            moments /= x.shape[1]
        start = max(first - block * BLOCK, 0)
        blocks.append(moments[start : first + count - block * BLOCK])
    return np.concatenate(blocks)


def _draw(params: NetworkParams, problem: Problem, generator: np.random.Generator) -> FloatArray:
    """Draw the points of a block's batches, shape (BLOCK, points, n)."""
    n = problem.size
    if params.batch == "random":
        if problem.points is not None:
            rows = generator.integers(len(problem.points), size=(BLOCK, params.batch_size))
            chosen: FloatArray = problem.points[rows]
            return chosen
        return generator.standard_normal((BLOCK, params.batch_size, n)) @ problem.moment_root
    bases: FloatArray = np.stack([targets.haar(n, generator) for _ in range(BLOCK)])
    if params.batch == "orthonormal":
        return bases
    single: FloatArray = np.sqrt(n) * bases[:, :1]
    return single


def check_batches(params: NetworkParams) -> None:
    """Refuse batches that do not belong to the inputs chosen.

    Raises
    ------
    InputError
        For orthonormal batches with a second moment other than I.
    """
    if params.batch in ("orthonormal", "single") and params.inputs != "identity":
        raise InputError("batch", params.batch, "give full or random, or identity for inputs")
