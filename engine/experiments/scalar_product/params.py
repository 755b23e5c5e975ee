"""Parameters and state of the scalar product network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.experiment import State
from engine.core.params import Params, param
from engine.families.hyperparameters import hyperparameter
from engine.families.proofs.params import (
    Function,
    asks_for_proofs,
    compares_rules,
    lyapunov_function,
    proof_cells,
    stability_radius,
    typed_function,
)
from engine.text.numbers import short

if TYPE_CHECKING:
    from engine.kernels.scalar.descent import Law, Ties

SMALLEST = 1e-60
"""Least magnitude of the target."""
Start = Literal["ones", "disproportionate", "odd-negatives", "minimum", "random", "list"]


class ScalarParams(Params):
    """Parameters of gradient descent on the scalar product network."""

    depth: int = param(
        3, "Number of scalar weights in the product.", symbol="L", group="Problem", ge=1, le=1000
    )
    target: float = param(
        2.0,
        "Number that the product of the weights should become; not 0.",
        symbol=r"\lambda",
        group="Problem",
        ge=-1e60,
        le=1e60,
    )
    power_from: Literal["number", "inputs"] = param(
        "number",
        "Whether the mean squared input is given as a number or computed from a list of inputs.",
        label="Input power from",
        group="Problem",
    )
    input_power: float = param(
        1.0,
        "Mean of the squared inputs.",
        symbol=r"\sigma",
        group="Problem",
        ge=1e-12,
        le=1e12,
        log=True,
        when={"power_from": ["number"]},
    )
    inputs: tuple[float, ...] = param(
        (1.0, -2.0, 0.5),
        "The inputs x_i, whose mean square is the input power.",
        symbol="x_i",
        group="Problem",
        ge=-1e6,
        le=1e6,
        when={"power_from": ["inputs"]},
    )
    init: Start = param(
        "ones",
        "Where the run starts: all ones (the identity), the paper's disproportionate minimum, "
        "ones with an odd number of -1, a minimum you choose, random weights, or your own list.",
        label="Start",
        group="Start",
    )
    kappa: float = param(
        2.0,
        "Imbalance of the minimum whose first L - 1 weights are kappa times the balanced ones.",
        symbol=r"\kappa",
        group="Start",
        ge=1e-6,
        le=1e6,
        log=True,
        when={"init": ["disproportionate"]},
    )
    negatives: int = param(
        1,
        "How many of the weights start at -1; an odd number.",
        label="Weights at -1",
        group="Start",
        ge=1,
        le=999,
        when={"init": ["odd-negatives"]},
    )
    weights: tuple[float, ...] = param(
        (3.0, 1.0, 2.0 / 3.0),
        "The L starting weights; of a minimum the last follows from the target (it may be absent).",
        symbol="w[0]",
        group="Start",
        ge=-1e9,
        le=1e9,
        when={"init": ["minimum", "list"]},
    )
    stretch: float = param(
        0.001,
        "How far from the minimum the run starts: every weight is multiplied by 1 + this.",
        label="Displacement",
        group="Start",
        ge=-0.5,
        le=1.0,
        when={"init": ["disproportionate", "minimum"]},
    )
    random_low: float = param(
        0.5, "Least random weight.", group="Start", ge=-1e3, le=1e3, when={"init": ["random"]}
    )
    random_high: float = param(
        1.5, "Greatest random weight.", group="Start", ge=-1e3, le=1e3, when={"init": ["random"]}
    )
    noise: float = param(
        0.0,
        "Standard deviation of a normal perturbation of every starting weight; it breaks symmetry.",
        group="Start",
        ge=0,
        le=10,
    )
    step_size: float = param(
        0.2,
        "Step size of gradient descent.",
        symbol=r"\delta",
        group="Descent",
        ge=1e-140,
        le=1e9,
        log=True,
        live=True,
        when={"step_rule": ["fixed"]},
        bounds={},
    )
    step_rule: Literal["fixed", "sharpness", "hessian"] = param(
        "fixed",
        "A fixed step size, or one that depends on the state: alpha over the sharpness S, or over "
        "the largest magnitude of the Hessian's eigenvalues, which is safer far from a minimum.",
        group="Descent",
    )
    alpha: float = param(
        1.0,
        "Numerator of a state-dependent step size.",
        symbol=r"\alpha",
        group="Descent",
        ge=1e-6,
        le=100,
        live=True,
        when={"step_rule": ["sharpness", "hessian"]},
    )
    step_cap: float = param(
        10.0,
        "Largest state-dependent step size, taken where the curvature is small or zero.",
        group="Descent",
        ge=1e-140,
        le=1e9,
        log=True,
        live=True,
        when={"step_rule": ["sharpness", "hessian"]},
    )
    optimiser: Literal["gradient-descent", "heavy-ball", "nesterov"] = param(
        "gradient-descent",
        "Plain gradient descent (the paper's), heavy-ball momentum, or Nesterov's momentum.",
        group="Descent",
    )
    momentum: float = hyperparameter("momentum", ["heavy-ball", "nesterov"], group="Descent")
    spectrum_every: int = param(
        64,
        "Beyond step 2048 the Hessian's eigenvalues are recorded at two of every so many steps.",
        group="Measurement",
        ge=1,
        le=1_000_000,
        measures=True,
    )
    prove: bool = asks_for_proofs()
    lyapunov: Function = lyapunov_function()
    lyapunov_typed: str = typed_function("(w1^2 - w2^2)^2 + (w1*w2 - 2)^2")
    epsilon: float = stability_radius()
    cells: int = proof_cells()
    compare_rules: bool = compares_rules(depth=[2], optimiser=["gradient-descent"])

    @field_validator("target")
    @classmethod
    def _not_zero(cls, value: float) -> float:
        if abs(value) < SMALLEST:
            rule = f"give a finite number other than 0, at least {short(SMALLEST, 6)} in magnitude"
            raise InputError("target", value, rule)
        return value

    @property
    def power(self) -> float:
        """Mean of the squared inputs, sigma.

        Raises
        ------
        InputError
            If it is to be computed from inputs that are none or all zero.
        """
        if self.power_from == "number":
            return self.input_power
        mean = math.fsum(x * x for x in self.inputs) / max(len(self.inputs), 1)
        if not mean >= 1e-12:
            raise InputError("inputs", list(self.inputs), "give at least one number other than 0")
        return mean

    @property
    def is_plain(self) -> bool:
        """Whether this is the paper's method: gradient descent with a fixed step size."""
        return self.optimiser == "gradient-descent" and self.step_rule == "fixed"

    @property
    def has_momentum(self) -> bool:
        """Whether the optimiser is another than gradient descent."""
        return self.optimiser != "gradient-descent"

    @property
    def described(self) -> theory.OptimiserDescription:
        """The optimiser's description: its threshold, in numbers and in words."""
        return theory.describe(self.optimiser)

    @property
    def curvature_limit(self) -> float:
        """Largest step size times sharpness at which a minimum is stable with this optimiser."""
        return theory.stability_limit(self.optimiser, self.momentum)

    @property
    def root(self) -> float:
        """Magnitude of the weights at the balanced minima."""
        return float(abs(self.target) ** (1.0 / self.depth))


_NOTHING: FloatArray = np.zeros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarState(State[ScalarParams]):
    """A point of a run of the scalar product network.

    Attributes
    ----------
    weights, velocity : ndarray, shape (L,)
    start : ndarray, shape (L,)
        The weights at step 0, or where the run was last pushed to.
    leader, sign : ndarray
        Classes of weights that are equal in magnitude, see `engine.kernels.scalar.descent.Ties`.
    capped : int
        Steps at which a state-dependent step size was held by its cap.
    log_envelope : float
        Logarithm of Proposition 2's bound at step `envelope_step`, when the step size last
        changed; NaN once the proposition does not cover the run.
    envelope_step : int
    largest_step, smallest_step : float
        The range of the fixed step sizes used so far.
    """

    weights: FloatArray = field(default_factory=lambda: _NOTHING)
    velocity: FloatArray = field(default_factory=lambda: _NOTHING)
    start: FloatArray = field(default_factory=lambda: _NOTHING)
    leader: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    sign: FloatArray = field(default_factory=lambda: _NOTHING)
    capped: int = 0
    log_envelope: float = math.nan
    envelope_step: int = 0
    largest_step: float = 0.0
    smallest_step: float = math.inf

    @property
    def ties(self) -> Ties:
        """Classes of weights that are equal in magnitude for the whole run."""
        from engine.kernels.scalar.descent import Ties

        size = self.weights.size
        return Ties(self.leader, self.sign, bool(np.any(self.leader[:size] != np.arange(size))))

    @property
    def is_symmetric(self) -> bool:
        """Whether all weights are equal in magnitude, and stay so."""
        return not self.leader[: self.weights.size].any()


def law_of(params: ScalarParams) -> Law:
    """Translate parameters for the kernels."""
    from engine.kernels.scalar.descent import Law, Method, StepRule

    methods = {
        "gradient-descent": Method.GRADIENT_DESCENT,
        "heavy-ball": Method.HEAVY_BALL,
        "nesterov": Method.NESTEROV,
    }
    rules = {
        "fixed": StepRule.FIXED,
        "sharpness": StepRule.SHARPNESS,
        "hessian": StepRule.HESSIAN,
    }
    fixed = params.step_rule == "fixed"
    return Law(
        target=params.target,
        depth=params.depth,
        step=params.step_size if fixed else params.alpha,
        input_power=params.power,
        method=methods[params.optimiser],
        rule=rules[params.step_rule],
        momentum=params.momentum if params.optimiser != "gradient-descent" else 0.0,
        cap=params.step_cap,
    )
