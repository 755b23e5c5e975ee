"""Parameters, state and problem of the convex shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Self

import numpy as np
from pydantic import field_validator, model_validator

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.experiment import State
from engine.core.params import Params, param
from engine.experiments.convex_shape import convexity
from engine.experiments.convex_shape.convexity import Curvature, Decomposition
from engine.experiments.convex_shape.growth import Ridges, tangent_network
from engine.experiments.convex_shape.network import ConvexNetwork, Layer, scalar_network
from engine.families.functions.expression import Expression, parse

_PICTURE = "Picture"
_ONE = "Network of one input"
_TWO = "Network of two inputs"
_PARTS = "Decomposition"
_LOOK = "View"

GRID = {1: 201, 2: 21}
"""Points per axis on which networks grow and errors are measured."""
LEAST_ALPHA = 0.1
"""Alpha of a function that needs none: s must be strictly convex all the same."""


class ShapeParams(Params):
    """Parameters of the convex shapes."""

    picture: Literal["build-up", "level-curves", "decomposition"] = param(
        "build-up",
        "Build up a convex function of x, draw Figure 2, or decompose a function.",
        group=_PICTURE,
    )
    function: str = param(
        "0.4*x + x^2 + 0.2*exp(2*x) - 0.2",
        "The function: of x, or of x and y.",
        symbol="f",
        group=_PICTURE,
        widget="expression",
        when={"picture": ["build-up", "decomposition"]},
    )
    width: float = param(
        1.0, "Upper end of the domain in x.", symbol="M_1", group=_PICTURE, ge=1e-3, le=100
    )
    height: float = param(
        1.0,
        "Upper end of the domain in y.",
        symbol="M_2",
        group=_PICTURE,
        ge=1e-3,
        le=100,
        when={"picture": ["level-curves", "decomposition"]},
    )
    placement: Literal["tangents", "greedy", "typed"] = param(
        "tangents",
        "Kinks from tangents, from least squares layer by layer, or typed and dragged.",
        group=_ONE,
        when={"picture": ["build-up"]},
    )
    depth: int = param(
        6,
        "Layers that are added, one a step; kink lines for a function of x and y.",
        label="Layers",
        symbol="L",
        group=_PICTURE,
        ge=1,
        le=24,
        when={"picture": ["build-up", "decomposition"]},
    )
    biases: tuple[float, ...] = param(
        (0.3, 0.9),
        "Biases of the layers.",
        symbol="b_i",
        group=_ONE,
        ge=-1e3,
        le=1e3,
        live=True,
        when={"picture": ["build-up"], "placement": ["typed"]},
    )
    weights: tuple[float, ...] = param(
        (1.0, 1.0),
        "Weights of the layers.",
        symbol="w_i",
        group=_ONE,
        ge=-0.99,
        le=1e3,
        live=True,
        when={"picture": ["build-up"], "placement": ["typed"]},
    )
    V: tuple[tuple[float, ...], ...] = param(
        ((1.0, 0.0), (0.0, 1.0)),
        "Two rows; the columns are the normals of the kink lines.",
        label="Normals",
        symbol="V",
        group=_TWO,
        ge=-100,
        le=100,
        live=True,
        when={"picture": ["level-curves"]},
    )
    W: tuple[tuple[float, ...], ...] = param(
        ((1.0, 0.0), (0.0, 1.0)),
        "Two rows; the columns are what h gains beyond the kink lines.",
        label="Increments",
        symbol="W",
        group=_TWO,
        ge=-100,
        le=100,
        live=True,
        when={"picture": ["level-curves"]},
    )
    b: tuple[float, ...] = param(
        (0.4, 0.6),
        "Biases, one per column of V.",
        label="Biases",
        symbol="b",
        group=_TWO,
        ge=-100,
        le=100,
        live=True,
        when={"picture": ["level-curves"]},
    )
    c: tuple[float, ...] = param(
        (1.0, 1.0),
        "The two entries of c.",
        label="Output weights",
        symbol="c",
        group=_TWO,
        ge=-100,
        le=100,
        live=True,
        when={"picture": ["level-curves"]},
    )
    repeats: int = param(
        1,
        "Layers with these W, V and b; from the second on kink lines are bent.",
        label="Layers",
        symbol="L",
        group=_TWO,
        ge=1,
        le=4,
        live=True,
        when={"picture": ["level-curves"]},
    )
    alpha_from: Literal["smallest", "typed"] = param(
        "smallest",
        "Whether alpha is the smallest that will do, times a margin, or typed.",
        label="Alpha",
        group=_PARTS,
        when={"picture": ["decomposition"]},
    )
    margin: float = param(
        1.05,
        "Factor on the smallest alpha.",
        group=_PARTS,
        ge=0.1,
        le=100,
        when={"picture": ["decomposition"], "alpha_from": ["smallest"]},
    )
    alpha: float = param(
        1.0,
        "Curvature that is added to f.",
        symbol=r"\alpha",
        group=_PARTS,
        ge=0,
        le=1e9,
        when={"picture": ["decomposition"], "alpha_from": ["typed"]},
        bounds={},
    )
    beta_margin: float = param(
        0.5,
        "Every entry of beta exceeds the smallest that will do by this.",
        symbol=r"\beta",
        group=_PARTS,
        ge=1e-6,
        le=100,
        when={"picture": ["decomposition"]},
    )
    signed: bool = param(
        False,
        "Whether kink lines may have normals V with negative entries.",
        label="Signed V",
        group=_PARTS,
        when={"picture": ["decomposition"]},
    )
    chords: int = param(
        200,
        "Random chords that are tried per step, to find what is not convex.",
        group=_LOOK,
        ge=1,
        le=10_000,
        live=True,
        measures=True,
    )
    levels: int = param(
        9,
        "Level curves.",
        group=_LOOK,
        ge=1,
        le=30,
        live=True,
        when={"picture": ["level-curves", "decomposition"]},
        measures=True,
    )
    azimuth: float = param(
        -60.0,
        "Angle around the vertical axis from which the surface is seen.",
        unit="deg",
        group=_LOOK,
        ge=-180,
        le=180,
        live=True,
        when={"picture": ["level-curves", "decomposition"]},
        measures=True,
    )
    elevation: float = param(
        30.0,
        "Angle above the plane from which the surface is seen.",
        unit="deg",
        group=_LOOK,
        ge=0,
        le=90,
        live=True,
        when={"picture": ["level-curves", "decomposition"]},
        measures=True,
    )
    surface: Literal["estimate", "f", "r", "s"] = param(
        "estimate",
        "What the surface shows.",
        group=_LOOK,
        live=True,
        when={"picture": ["decomposition"]},
    )

    @field_validator("function")
    @classmethod
    def _is_function(cls, text: str) -> str:
        parse(text, field="function")
        return text

    @field_validator("c")
    @classmethod
    def _has_two_entries(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if len(values) != 2:
            raise InputError("c", list(values), "give two numbers")
        return values

    @model_validator(mode="after")
    def _shapes_agree(self) -> Self:
        if len(self.biases) != len(self.weights):
            rule = f"give as many numbers as biases, {len(self.biases)}"
            raise InputError("weights", list(self.weights), rule)
        if not 1 <= len(self.biases) <= 24:
            raise InputError("biases", list(self.biases), "give 1 to 24 numbers")
        count = len(self.b)
        if not 1 <= count <= 8:
            raise InputError("b", list(self.b), "give 1 to 8 numbers")
        for name in ("V", "W"):
            rows = getattr(self, name)
            if len(rows) != 2 or any(len(row) != count for row in rows):
                rule = f"give two rows of as many numbers as b has, {count}"
                raise InputError(name, [list(row) for row in rows], rule)
        return self

    @property
    def expression(self) -> Expression:
        """The typed function."""
        return parse(self.function, field="function")

    @property
    def dimensions(self) -> int:
        """Number of inputs of the picture, 1 or 2."""
        if self.picture == "decomposition":
            return self.expression.dimensions
        return 1 if self.picture == "build-up" else 2

    @property
    def upper(self) -> FloatArray:
        """Upper ends of the domain, shape (n,)."""
        return np.array([self.width, self.height][: self.dimensions])


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be approximated.

    Attributes
    ----------
    points : ndarray, shape (N, n)
        Grid on which errors are measured.
    targets : tuple of ndarray, shape (N,)
        The functions that the networks should become: f, or r and s, or none.
    slopes : tuple of ndarray, shape (n,)
        Their gradients at the origin.
    curvature : Curvature or None
        Of f, where there is one.
    parts : Decomposition or None
    smallest_alpha, smallest_beta : float, ndarray
        What the decomposition needs at least; 0 and zeros where there is none.
    """

    points: FloatArray
    targets: tuple[FloatArray, ...]
    slopes: tuple[FloatArray, ...]
    curvature: Curvature | None
    parts: Decomposition | None
    smallest_alpha: float
    smallest_beta: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeState(State[ShapeParams]):
    """The networks as far as they are built, and the worst chord of each until now.

    Attributes
    ----------
    networks : tuple of ConvexNetwork
        One, or those of r and s.
    ridges : tuple of Ridges
        Of networks that grow by least squares.
    is_loaded : bool
        Whether the networks were given from outside and grow no more.
    violation : ndarray, shape (networks,)
        Height of the worst chord's point above it.
    chord : ndarray, shape (networks, 3, n)
        Ends and point of the worst chord.
    facts : mapping of str to ndarray
        What is recorded of the networks, measured when they last changed.
    """

    problem: Problem
    networks: tuple[ConvexNetwork, ...]
    ridges: tuple[Ridges, ...]
    violation: FloatArray
    chord: FloatArray
    facts: Mapping[str, FloatArray]
    is_loaded: bool = False


@lru_cache(maxsize=8)
def problem_of(params: ShapeParams) -> Problem:
    """Make the problem.

    Raises
    ------
    InputError
        If the function cannot be built up or decomposed.
    """
    n, upper = params.dimensions, params.upper
    points = convexity.grid(upper, GRID[n])
    if params.picture == "level-curves":
        return Problem(points, (), (), None, None, 0.0, np.zeros(2))
    function = params.expression
    if function.dimensions > n:
        raise InputError("function", params.function, "give a function of x alone to build up")
    convexity.check_function(function, upper)
    curvature = convexity.least_curvature(function, upper)
    if not np.isfinite(curvature.gradient).all():
        rule = "give a function that has a derivative at the origin"
        raise InputError("function", params.function, rule)
    if params.picture == "build-up":
        if not curvature.gradient[0] > 0:
            slope = f"{curvature.gradient[0]:.4g}"
            rule = f"give a function that rises at 0, unlike this one (slope {slope})"
            raise InputError("function", params.function, rule)
        slopes = (curvature.gradient,)
        return Problem(points, (function(points[:, 0]),), slopes, curvature, None, 0.0, np.zeros(1))
    return _decomposed(params, function, curvature, points)


def _decomposed(
    params: ShapeParams, function: Expression, curvature: Curvature, points: FloatArray
) -> Problem:
    least = convexity.smallest_alpha(curvature)
    alpha = params.alpha
    if params.alpha_from == "smallest":
        if not np.isfinite(least):
            place = ", ".join(f"{value:.4g}" for value in curvature.point)
            rule = f"it bends down without bound at ({place}), so no alpha will do; type an alpha"
            raise InputError("function", params.function, rule)
        alpha = max(params.margin * least, LEAST_ALPHA)
    smallest_beta = convexity.smallest_beta(curvature)
    beta = smallest_beta + params.beta_margin
    parts = Decomposition(function, alpha, beta)
    targets = (parts.r(points), parts.s(points))
    slopes = (beta + curvature.gradient, beta)
    return Problem(points, targets, slopes, curvature, parts, least, smallest_beta)


def typed_network(params: ShapeParams) -> ConvexNetwork:
    """Make the network whose parameters are typed, in either picture."""
    if params.picture == "level-curves":
        layer = Layer(np.array(params.W), np.array(params.V), np.array(params.b))
        return ConvexNetwork((layer,) * params.repeats, np.array(params.c))
    problem = problem_of(params)
    c, d = float(problem.slopes[0][0]), float(problem.targets[0][0])
    return scalar_network(np.array(params.weights), np.array(params.biases), c, d)


def tangents_of(params: ShapeParams, problem: Problem) -> ConvexNetwork:
    """Make the network of tangents of a convex function."""
    x = problem.points[:, 0]
    jet = params.expression.jet(x)
    bend = np.where(np.isfinite(jet.hessian[0, 0]), jet.hessian[0, 0], 0.0)
    return tangent_network(x, jet.value, jet.gradient[0], bend, params.depth)
