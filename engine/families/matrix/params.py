"""Parameters that the matrix networks share: target, start, inputs, descent, measurements."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from engine import theory
from engine.core.errors import InputError
from engine.core.params import Params, param
from engine.families.ensembles.params import GROUP, many_seeds, many_step_sizes
from engine.families.hyperparameters import hyperparameter
from engine.text.numbers import short

Device = Literal["cpu", "cuda"]
DEVICES: tuple[Device, ...] = ("cpu", "cuda")

_TARGET = "Problem"
_START = "Start"
_INPUTS = "Inputs"
_DESCENT = "Descent"
_MEASURE = "Measurement"


class NetworkParams(Params):
    """What R, the start, the inputs and the descent are."""

    step_size: float = param(
        0.07,
        "Step size, in the unit below.",
        symbol=r"\delta",
        group=_DESCENT,
        ge=1e-30,
        le=1e6,
        log=True,
        live=True,
        when={"step_rule": ["fixed"]},
        bounds={"step_unit": ["absolute"]},
    )
    step_unit: Literal["absolute", "norm", "radius", "theorem-2"] = param(
        "absolute",
        "Unit: 1, 2/(L |R|^(2(L-1)/L)) for a norm or radius |R|, or Theorem 2's step.",
        group=_DESCENT,
        when={"step_rule": ["fixed"]},
    )
    step_rule: Literal["fixed", "hessian"] = param(
        "fixed",
        "A fixed step, or alpha over the Hessian's largest eigenvalue at every step.",
        group=_DESCENT,
    )
    alpha: float = param(
        1.0,
        "Numerator of the state-dependent step.",
        symbol=r"\alpha",
        group=_DESCENT,
        ge=1e-6,
        le=100,
        live=True,
        when={"step_rule": ["hessian"]},
    )
    step_cap: float = param(
        10.0,
        "Largest state-dependent step, taken where the curvature is small or zero.",
        group=_DESCENT,
        ge=1e-30,
        le=1e9,
        log=True,
        live=True,
        when={"step_rule": ["hessian"]},
    )
    optimiser: Literal["gradient-descent", "heavy-ball", "nesterov"] = param(
        "gradient-descent",
        "Plain descent (the paper's), heavy-ball or Nesterov's momentum.",
        group=_DESCENT,
    )
    momentum: float = hyperparameter("momentum", ["heavy-ball", "nesterov"], group=_DESCENT)
    width: int = param(
        5,
        "Side n of the matrices; a typed or loaded R brings its own.",
        label="Size",
        symbol="n",
        group=_TARGET,
        ge=1,
        le=64,
        when={"target_source": ["random"]},
    )
    depth: int = param(
        3, "Number L of matrices that are multiplied.", symbol="L", group=_TARGET, ge=1, le=64
    )
    target_source: Literal["random", "typed", "file"] = param(
        "random", "Where R comes from.", group=_TARGET
    )
    eigenvectors: Literal["orthogonal", "normal"] = param(
        "orthogonal",
        "Eigenvectors of a random R: orthogonal, or with N(0, 1) entries.",
        group=_TARGET,
        when={"target_source": ["random"]},
    )
    eigenvalue_low: float = param(
        0.2,
        "Least eigenvalue of a random R, if none are listed.",
        group=_TARGET,
        ge=-100,
        le=100,
        when={"target_source": ["random"]},
    )
    eigenvalue_high: float = param(
        3.0,
        "Largest eigenvalue of a random R, if none are listed.",
        group=_TARGET,
        ge=-100,
        le=100,
        when={"target_source": ["random"]},
    )
    eigenvalues: tuple[float, ...] = param(
        (),
        "Eigenvalues of a random R, one each; an empty list draws them.",
        group=_TARGET,
        ge=-100,
        le=100,
        when={"target_source": ["random"]},
    )
    target: tuple[tuple[float, ...], ...] = param(
        ((1.0, 4.0), (0.0, 1.1)),
        "Rows of a typed R.",
        symbol="R",
        group=_TARGET,
        ge=-1e6,
        le=1e6,
        when={"target_source": ["typed"]},
    )
    target_file: str = param(
        "",
        "CSV or NPY file that holds R.",
        group=_TARGET,
        widget="file",
        when={"target_source": ["file"]},
    )
    init: Literal[
        "identity", "orthogonal", "near-identity", "commuting", "random", "balanced", "minimum"
    ] = param("identity", "What the matrices are at step 0.", symbol="W[0]", group=_START)
    init_spread: float = param(
        0.1,
        "Size of what is random in the start.",
        label="Spread",
        group=_START,
        ge=0,
        le=10,
        when={"init": ["near-identity", "commuting", "random", "balanced", "minimum"]},
    )
    determinant: Literal["matching", "opposite"] = param(
        "matching",
        "Sign of the determinant of an orthogonal start's product: that of R, or not.",
        group=_START,
        when={"init": ["orthogonal"]},
    )
    imbalance: float = param(
        1.0,
        "Factor on the first matrix, and divisor of the last, of a start at a minimum.",
        symbol=r"\kappa",
        group=_START,
        ge=1e-6,
        le=100,
        log=True,
        when={"init": ["minimum"]},
    )
    inputs: Literal["identity", "aligned", "rotated", "data"] = param(
        "identity",
        "Second moment of the inputs: I, a spectrum in R's frame or another, or data.",
        symbol=r"\Sigma",
        group=_INPUTS,
    )
    input_low: float = param(
        0.5,
        "Least eigenvalue of the second moment.",
        group=_INPUTS,
        ge=1e-9,
        le=100,
        log=True,
        when={"inputs": ["aligned", "rotated", "data"]},
    )
    input_high: float = param(
        1.5,
        "Largest eigenvalue of the second moment.",
        group=_INPUTS,
        ge=1e-9,
        le=100,
        log=True,
        when={"inputs": ["aligned", "rotated", "data"]},
    )
    points: int = param(
        200,
        "Number N of generated points.",
        symbol="N",
        group=_INPUTS,
        ge=1,
        le=10_000,
        when={"inputs": ["data"]},
    )
    points_file: str = param(
        "",
        "CSV or NPY file of points, one a row; empty generates them.",
        group=_INPUTS,
        widget="file",
        when={"inputs": ["data"]},
    )
    batch: Literal["full", "random", "orthonormal", "single"] = param(
        "full",
        "Points of a step: all, some at random, an orthonormal basis, or one vector of it.",
        group=_INPUTS,
    )
    batch_size: int = param(
        10,
        "Number of points in a random batch.",
        group=_INPUTS,
        ge=1,
        le=1000,
        when={"batch": ["random"]},
    )
    flow: bool = param(
        False, "Whether to integrate the gradient flow beside the descent.", group=_MEASURE
    )
    measure_every: int = param(
        10,
        "Steps between two looks at the eigenvalues of the weights.",
        group=_MEASURE,
        ge=1,
        le=100_000,
        live=True,
        measures=True,
    )
    hessian_every: int = param(
        20,
        "Steps between two looks at the Hessian.",
        group=_MEASURE,
        ge=1,
        le=100_000,
        live=True,
        measures=True,
    )
    hessian_count: int = param(
        2,
        "Eigenvalues of the Hessian to find by Lanczos; 0 spares the work.",
        group=_MEASURE,
        ge=0,
        le=10,
        measures=True,
    )
    ensemble: int = many_seeds()
    step_sizes: tuple[float, ...] = many_step_sizes(", in the unit chosen")
    device: Device = param(
        "cpu",
        "Where an ensemble is computed; a single run is always on the CPU.",
        group=GROUP,
        for_ensemble=True,
    )

    @property
    def described(self) -> theory.OptimiserDescription:
        """The optimiser's description: its threshold, in numbers and in words."""
        return theory.describe(self.optimiser)

    @property
    def curvature_limit(self) -> float:
        """Largest step size times curvature at which a minimum is stable."""
        return theory.stability_limit(self.optimiser, self.momentum)

    @property
    def is_plain(self) -> bool:
        """Whether this is the paper's method: gradient descent with a fixed step size."""
        return self.optimiser == "gradient-descent" and self.step_rule == "fixed"

    @model_validator(mode="after")
    def _check_ranges(self) -> Self:
        if self.eigenvalue_low > self.eigenvalue_high:
            rule = f"give a number >= eigenvalue_low, {short(self.eigenvalue_low, 6)}"
            raise InputError("eigenvalue_high", self.eigenvalue_high, rule)
        if self.input_low > self.input_high:
            rule = f"give a number >= input_low, {short(self.input_low, 6)}"
            raise InputError("input_high", self.input_high, rule)
        if self.device == "cuda" and (self.step_rule != "fixed" or self.batch != "full"):
            rule = "give cpu where steps depend on the state or on batches"
            raise InputError("device", self.device, rule)
        return self
