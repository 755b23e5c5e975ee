"""Parameters and state of the double matrix network beside the single one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.core.arrays import FloatArray
from engine.core.experiment import State
from engine.core.params import param
from engine.families.matrix import descent
from engine.families.matrix.params import NetworkParams
from engine.families.matrix.problem import Problem

Side = Literal["single", "double"]
SIDES: tuple[Side, Side] = ("single", "double")


class DoubleMatrixParams(NetworkParams):
    """Parameters of the two networks, by default those of Figure 3."""

    width: int = param(
        20,
        "Side n of the matrices; a typed or loaded R brings its own.",
        label="Size",
        symbol="n",
        group="Problem",
        ge=1,
        le=64,
        when={"target_source": ["random"]},
    )
    depth: int = param(
        20, "Number L of matrices in every product.", symbol="L", group="Problem", ge=1, le=64
    )
    eigenvectors: Literal["orthogonal", "normal"] = param(
        "normal",
        "Eigenvectors of a random R: orthogonal, or with N(0, 1) entries.",
        group="Problem",
        when={"target_source": ["random"]},
    )
    eigenvalue_low: float = param(
        -1.5,
        "Least eigenvalue of a random R, if none are listed.",
        group="Problem",
        ge=-100,
        le=100,
        when={"target_source": ["random"]},
    )
    eigenvalue_high: float = param(
        1.5,
        "Largest eigenvalue of a random R, if none are listed.",
        group="Problem",
        ge=-100,
        le=100,
        when={"target_source": ["random"]},
    )
    step_size: float = param(
        1.5,
        "Step size, in the unit below.",
        symbol=r"\delta",
        group="Descent",
        ge=1e-30,
        le=1e6,
        log=True,
        live=True,
        when={"step_rule": ["fixed"]},
    )
    step_unit: Literal["absolute", "norm", "radius", "theorem-2"] = param(
        "norm",
        "Unit: 1, 2/(L |R|^(2(L-1)/L)) for a norm or radius |R|, or Theorem 2's step.",
        group="Descent",
        when={"step_rule": ["fixed"]},
    )
    measure_every: int = param(
        20,
        "Steps between two looks at the eigenvalues of the weights.",
        group="Measurement",
        ge=1,
        le=100_000,
        live=True,
        measures=True,
    )
    hessian_every: int = param(
        50,
        "Steps between two looks at the Hessians.",
        group="Measurement",
        ge=1,
        le=100_000,
        live=True,
        measures=True,
    )
    hessian_count: int = param(
        1,
        "Eigenvalues of each Hessian to find by Lanczos; 0 spares the work.",
        group="Measurement",
        ge=0,
        le=10,
        measures=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubleMatrixState(State[DoubleMatrixParams]):
    """Both networks, and their gradient flows.

    A network that diverges stays where it was, and the other goes on; `diverged_at` is set when
    both have. `flow_single` and `flow_double` are of shape (0,) where not asked for.
    """

    problem: Problem
    single: descent.Network
    double: descent.Network
    flow_single: FloatArray
    flow_double: FloatArray
    start_commutator: float
    first_errors: tuple[float, float]
