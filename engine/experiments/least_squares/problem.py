r"""The least-squares problem: its data, its minima, and its stability, computed exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.experiment import State
from engine.core.params import Params, param, update
from engine.families import targets
from engine.families.ensembles.params import many_seeds, many_step_sizes
from engine.families.hyperparameters import hyperparameter
from engine.families.proofs.params import asks_for_proofs
from engine.storage.tables import read_table
from engine.text.numbers import short
from engine.theory.optimisers import dominant

MAX_SIZE = 500
"""Largest number of dimensions."""
LEAST_EIGENVALUE = 1e-12
"""Least eigenvalue other than 0: the minimum is found by dividing by it."""
MAX_DATA = 5_000_000
"""Numbers that a data file may hold."""
GROWTH_STEPS = 5000
"""Steps over which the largest growth of an error is looked for; all that decay peak earlier."""
_DATA, _STARTS = 1, 2  # streams of randomness


class LeastSquaresParams(Params):
    """Parameters of gradient descent on least squares."""

    step_size: float = param(
        0.15,
        "Step size of gradient descent.",
        symbol=r"\delta",
        group="Descent",
        ge=1e-120,
        le=1e6,
        log=True,
        live=True,
        bounds={},
    )
    optimiser: Literal["gradient-descent", "heavy-ball", "nesterov"] = param(
        "gradient-descent",
        "Plain descent (the paper's), heavy-ball or Nesterov's momentum.",
        group="Descent",
    )
    momentum: float = hyperparameter(
        "momentum", ["heavy-ball", "nesterov"], group="Descent", default=0.5
    )
    width: int = param(
        2,
        "Number n of weights; a file brings its own.",
        label="Dimensions",
        symbol="n",
        group="Problem",
        ge=1,
        le=MAX_SIZE,
        when={"data": ["generated", "normal"]},
    )
    data: Literal["generated", "normal", "file"] = param(
        "generated",
        "Points drawn so that X X^T has a chosen spectrum, from N(0, I/N), or a file.",
        group="Problem",
    )
    points: int = param(
        20,
        "Number N of normal points; with less than n there is a subspace of minima.",
        symbol="N",
        group="Problem",
        ge=1,
        le=10_000,
        when={"data": ["normal"]},
    )
    data_file: str = param(
        "",
        "CSV or NPY file with a point a row, its label y in the last column.",
        group="Problem",
        widget="file",
        when={"data": ["file"]},
    )
    eigenvalue_low: float = param(
        1.0,
        "Least eigenvalue of X X^T; the others lie between, evenly on a log scale.",
        group="Problem",
        ge=LEAST_EIGENVALUE,
        le=1e6,
        log=True,
        when={"data": ["generated"]},
    )
    eigenvalue_high: float = param(
        10.0,
        "Largest eigenvalue of X X^T.",
        group="Problem",
        ge=LEAST_EIGENVALUE,
        le=1e6,
        log=True,
        when={"data": ["generated"]},
    )
    eigenvalues: tuple[float, ...] = param(
        (),
        "Eigenvalues of X X^T, one each, zeros allowed; an empty list takes the two above.",
        group="Problem",
        ge=0,
        le=1e6,
        when={"data": ["generated"]},
    )
    noise: float = param(
        0.5,
        "Size of the labels' part that no w can fit.",
        group="Problem",
        ge=0,
        le=100,
        when={"data": ["generated", "normal"]},
    )
    start: tuple[float, ...] = param(
        (1.5, 1.0),
        "First start, as displacement from the minimum; missing numbers are 0.",
        symbol="w[0] - w^*",
        group="Start",
        ge=-1e6,
        le=1e6,
    )
    starts: int = param(
        8,
        "Number of starts at once, all at the distance of the first.",
        group="Start",
        ge=1,
        le=64,
        measures=True,
    )
    epsilon: float = param(
        2.5,
        "Radius of the ball that the run must not leave.",
        symbol=r"\epsilon",
        group="Stability",
        ge=1e-12,
        le=1e6,
        log=True,
        live=True,
        measures=True,
    )
    prove: bool = asks_for_proofs()
    ensemble: int = many_seeds()
    step_sizes: tuple[float, ...] = many_step_sizes()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.eigenvalue_low > self.eigenvalue_high:
            rule = f"give a number >= eigenvalue_low, {short(self.eigenvalue_low, 6)}"
            raise InputError("eigenvalue_high", self.eigenvalue_high, rule)
        if any(0 < value < LEAST_EIGENVALUE for value in self.eigenvalues):
            rule = f"give numbers that are 0 or at least {LEAST_EIGENVALUE:g}"
            raise InputError("eigenvalues", list(self.eigenvalues), rule)
        return self

    @property
    def described(self) -> theory.OptimiserDescription:
        """The optimiser's description: its threshold, in numbers and in words."""
        return theory.describe(self.optimiser)

    @property
    def curvature_limit(self) -> float:
        """Largest step size times eigenvalue at which the minimum is stable."""
        return theory.stability_limit(self.optimiser, self.momentum)

    @property
    def beta(self) -> float:
        """Momentum in force."""
        return 0.0 if self.optimiser == "gradient-descent" else self.momentum


@dataclass(frozen=True)
class Quadratic:
    r"""The loss :math:`\tfrac12\|X^\top w-y\|^2` by what gradient descent needs of it.

    Attributes
    ----------
    gram, load : ndarray, shape (n, n) and (n,)
        :math:`X X^\top` and :math:`X y`.
    floor : float
        Least loss.
    eigenvalues, eigenvectors : ndarray, shape (n,) and (n, n)
        Of the Gram matrix, ascending.
    """

    gram: FloatArray
    load: FloatArray
    floor: float
    eigenvalues: FloatArray
    eigenvectors: FloatArray

    @property
    def size(self) -> int:
        """Dimensions n."""
        return len(self.load)

    @cached_property
    def null(self) -> NDArray[np.bool_]:
        """Directions along which the loss does not change."""
        top = max(float(self.eigenvalues[-1]), 0.0)
        return np.asarray(self.eigenvalues <= self.size * 1e-14 * top)

    @cached_property
    def minimum(self) -> FloatArray:
        """The minimum of least norm."""
        inverse = np.where(self.null, 0.0, 1.0 / np.where(self.null, 1.0, self.eigenvalues))
        return np.asarray(self.eigenvectors @ (inverse * (self.eigenvectors.T @ self.load)))

    def nearest(self, points: FloatArray) -> FloatArray:
        """Minima nearest to points, shape (m, n)."""
        flat = self.eigenvectors[:, self.null]
        return np.asarray(self.minimum + ((points - self.minimum) @ flat) @ flat.T)


def make_quadratic(params: LeastSquaresParams, seed: int) -> Quadratic:
    """Draw or load the data.

    Raises
    ------
    InputError
        If a file or a list of eigenvalues cannot be used.
    """
    if params.data == "file":
        return _from_points(read_table(params.data_file, "data_file", MAX_DATA).values)
    n = params.width
    if params.data == "normal":
        return _from_points(_normal_points(params, np.random.default_rng((seed, _DATA))))
    if params.eigenvalues and len(params.eigenvalues) != n:
        raise InputError("eigenvalues", list(params.eigenvalues), f"give {n} numbers, or none")
    if params.eigenvalues and not any(params.eigenvalues):
        raise InputError("eigenvalues", list(params.eigenvalues), "give at least one number > 0")
    values = np.sort(np.array(params.eigenvalues)) if params.eigenvalues else _spread(params)
    generator = np.random.default_rng((seed, _DATA))
    basis = targets.haar(n, generator)
    gram = (basis * values) @ basis.T
    truth = generator.standard_normal(n)
    load = basis @ (values * (basis.T @ truth))
    return Quadratic(0.5 * (gram + gram.T), load, 0.5 * params.noise**2, values, basis)


def _normal_points(params: LeastSquaresParams, generator: np.random.Generator) -> FloatArray:
    """Draw points with entries N(0, 1/N), a label in the last column."""
    scale = 1.0 / math.sqrt(params.points)
    x = scale * generator.standard_normal((params.points, params.width))
    truth = generator.standard_normal(params.width)
    rest = params.noise * scale * generator.standard_normal(params.points)
    return np.column_stack([x, x @ truth + rest])


def _spread(params: LeastSquaresParams) -> FloatArray:
    low, high = math.log(params.eigenvalue_low), math.log(params.eigenvalue_high)
    if params.width == 1:
        return np.array([params.eigenvalue_high])
    return np.exp(np.linspace(low, high, params.width))


def _from_points(table: FloatArray) -> Quadratic:
    n = table.shape[1] - 1
    if not 1 <= n <= MAX_SIZE:
        rule = f"give rows of 2 to {MAX_SIZE + 1} numbers, the last of them the label"
        raise InputError("data_file", f"{n + 1} columns", rule)
    size = float(np.max(np.abs(table)))
    if not size < 1e50 or not table[:, :-1].any():
        raise InputError("data_file", "the points", "give points that are not all 0, below 1e50")
    x, y = table[:, :-1].T, table[:, -1]
    gram = x @ x.T
    values, vectors = np.linalg.eigh(gram)
    made = Quadratic(gram, x @ y, 0.0, np.maximum(values, 0.0), vectors)
    floor = 0.5 * float(np.sum((made.minimum @ x - y) ** 2))
    return Quadratic(made.gram, made.load, floor, made.eigenvalues, made.eigenvectors)


def make_starts(params: LeastSquaresParams, problem: Quadratic, seed: int) -> FloatArray:
    """Place the starts: the first as given, the others around the minimum at its distance.

    Returns
    -------
    ndarray, shape (starts, n)

    Raises
    ------
    InputError
        If more numbers are given than there are weights.
    """
    n, count = problem.size, params.starts
    if len(params.start) > n:
        raise InputError("start", list(params.start), f"give at most {n} numbers")
    first = np.zeros(n)
    first[: len(params.start)] = params.start
    if n == 1:
        turns = np.linspace(first, -first, count)
    elif n == 2:
        angles = 2.0 * np.pi * np.arange(count) / count
        across = np.array([-first[1], first[0]])
        turns = np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * across
    else:
        turns = np.random.default_rng((seed, _STARTS)).standard_normal((count, n))
        turns *= np.linalg.norm(first) / np.linalg.norm(turns, axis=1, keepdims=True)
    turns[0] = first
    return np.asarray(problem.minimum + turns)


def random_start(params: LeastSquaresParams, problem: Quadratic, seed: int) -> FloatArray:
    """Place the start of an ensemble's run, shape (1, n).

    It is the first start; for a file, whose data are the same for all seeds, it is turned at
    random about the minimum.
    """
    start = make_starts(update(params, starts=1), problem, seed)
    if params.data != "file":
        return start
    turned = np.random.default_rng((seed, _STARTS)).standard_normal(start.shape)
    size = np.linalg.norm(start - problem.minimum) / np.linalg.norm(turned)
    return np.asarray(problem.minimum + size * turned)


def factors(params: LeastSquaresParams, problem: Quadratic) -> NDArray[np.complex128]:
    r"""Eigenvalues of the iteration: :math:`1-\delta\lambda_i`, or those of it with momentum.

    Heavy-ball and Nesterov's momentum make a pair of each, the roots of
    :math:`z^2-(1+\beta-\delta\lambda)z+\beta` and
    :math:`z^2-(1+\beta)(1-\delta\lambda)z+\beta(1-\delta\lambda)`.
    """
    curvature = params.step_size * problem.eigenvalues
    return theory.iteration_eigenvalues(curvature, params.optimiser, params.momentum)


def largest_factor(params: LeastSquaresParams, problem: Quadratic) -> float:
    """Return the factor of largest modulus of the directions that move at all.

    Its sign is that of a real factor; of a complex pair it is the modulus, negative, for that part
    of the error changes its sign. It is 0 where nothing moves.
    """
    moving = np.tile(~problem.null, 1 if params.optimiser == "gradient-descent" else 2)
    return dominant(factors(params, problem)[moving])


def critical_step(params: LeastSquaresParams, problem: Quadratic) -> float:
    """Return the step size above which the run leaves the minimum: the optimiser's own."""
    return params.curvature_limit / float(problem.eigenvalues[-1])


def largest_growth(params: LeastSquaresParams, problem: Quadratic) -> float:
    """Largest factor by which an error, begun at rest, ever grows; inf if it grows without limit.

    Eigenvectors are orthogonal, so each direction can be followed alone. Without momentum the
    factor is 1 for every stable step; with it the error can first grow. A ball of radius epsilon
    over this factor is the largest from which no run leaves that of radius epsilon.
    """
    plain = 1.0 - params.step_size * problem.eigenvalues
    if np.max(np.abs(factors(params, problem))) > 1.0 + 1e-12:
        return math.inf
    if params.optimiser == "gradient-descent":
        return 1.0
    beta = params.momentum
    before, now = np.ones_like(plain), np.ones_like(plain)
    largest = 1.0
    for _ in range(GROWTH_STEPS):
        if params.optimiser == "heavy-ball":
            before, now = now, plain * now + beta * (now - before)
        else:
            before, now = now, plain * ((1 + beta) * now - beta * before)
        peak = float(max(np.abs(now).max(), np.abs(before).max()))
        largest = max(largest, peak)
        if peak < 0.1 * largest or np.abs(now - before).max() < 1e-12:
            break
    return largest


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastSquaresState(State[LeastSquaresParams]):
    """Points of all runs, shape (starts, n), now, one step ago and at the start.

    `minima` are the minima nearest to the starts, which the runs can reach; `began` is the distance
    from them at which every run began, and `farthest` the largest one that it has had. A push
    begins the runs anew; `moving` says that it met some that had momentum, so that it did not.
    """

    problem: Quadratic
    points: FloatArray
    previous: FloatArray
    start: FloatArray
    minima: FloatArray
    began: FloatArray
    farthest: FloatArray
    moving: bool = False

    @property
    def distance(self) -> float:
        """Distance of the first start from its minimum."""
        return float(np.linalg.norm(self.start[0] - self.minima[0]))
