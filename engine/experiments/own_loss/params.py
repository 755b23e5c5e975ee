"""Parameters and state of a run on the user's own loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Self

import numpy as np
from pydantic import field_validator, model_validator

from engine.core.arrays import FloatArray
from engine.core.experiment import State
from engine.core.params import NO_HINT, Hint, Params, param
from engine.experiments.own_loss import reading
from engine.experiments.own_loss.racers import Race, read_racers
from engine.families.ensembles.params import GROUP as ENSEMBLE
from engine.families.ensembles.params import many_seeds
from engine.families.hyperparameters import hyperparameter
from engine.families.proofs.params import (
    Function,
    asks_for_proofs,
    lyapunov_function,
    proof_cells,
    stability_radius,
    typed_function,
)
from engine.theory.optimisers import OptimiserId, Schedule, ScheduleKind, Setting, StepRule

_LOSS, _START, _DESCENT, _PICTURE = "Loss", "Start", "Descent", "Analysis and pictures"
_MOMENTUM = ["heavy-ball", "nesterov", "adam", "adamw"]
_ADAPTIVE = ["rmsprop", "adam", "adamw"]
_OVER_DATA = {"minimise": ["least-squares", "logistic"]}
_FEW = 5
"""Variables that are all named in a note."""
_SMOOTH_STEP = ["gradient-descent", "heavy-ball", "nesterov"]


class OwnLossParams(Params):
    """Parameters of descent on a typed loss."""

    function: str = param(
        "(x*y - lambda)^2/2",
        "The loss f, or over data the model or residual r: variables w1, w2 … or x, y, z, u, v; "
        "other names are constants; sum(w[i]^2, i = 1..5), exp, tanh, relu and others.",
        symbol="f",
        group=_LOSS,
        widget="expression",
    )
    minimise: Literal["function", "least-squares", "logistic"] = param(
        "function",
        "The function itself, or over rows of data the mean of r²/2, or the mean logistic loss of "
        "a score.",
        group=_LOSS,
    )
    variables: str = param(
        "",
        "The variables in their order, as x, y or w1..w5; empty: those that occur in the function.",
        group=_LOSS,
    )
    constants: str = param(
        "lambda = 2 in 0.25..4",
        "Values of the named constants with the ranges of their sliders, as a = 0.5 in 0..3; with "
        "semicolons between them; 1 where none is given.",
        group=_LOSS,
        widget="constants",
        live=True,
    )
    data_from: Literal["rows", "file"] = param(
        "rows", "Where the data come from.", group=_LOSS, when=_OVER_DATA
    )
    rows: tuple[tuple[float, ...], ...] = param(
        ((-1.0, -0.8), (-0.5, -0.5), (0.0, 0.0), (0.5, 0.5), (1.0, 0.8)),
        "Rows of data: x1, x2 … and in the last column y.",
        group=_LOSS,
        ge=-1e6,
        le=1e6,
        when={**_OVER_DATA, "data_from": ["rows"]},
    )
    data_file: str = param(
        "",
        "CSV or NPY file with columns x1, x2 … and y as the last.",
        group=_LOSS,
        widget="file",
        when={**_OVER_DATA, "data_from": ["file"]},
    )
    start: tuple[float, ...] = param(
        (0.6, 1.6),
        "Where the run begins, one number a variable; 1 for those left out, more are not used.",
        symbol="w[0]",
        group=_START,
        ge=-1e6,
        le=1e6,
    )
    noise: float = param(
        0.0,
        "Standard deviation of random numbers that are added to the start, drawn from the seed.",
        group=_START,
        ge=0,
        le=1e3,
    )
    optimiser: OptimiserId = param("gradient-descent", "How steps are made.", group=_DESCENT)
    step_size: float = param(
        0.3,
        "Step size.",
        symbol=r"\delta",
        group=_DESCENT,
        ge=1e-9,
        le=1e6,
        log=True,
        live=True,
        when={"step_rule": ["fixed"]},
        bounds={"step_rule": ["fixed"]},
    )
    step_rule: StepRule = param(
        "fixed",
        "Fixed, or α over the largest eigenvalue of the Hessian (sharpness), or over its norm "
        "(hessian).",
        group=_DESCENT,
        when={"optimiser": _SMOOTH_STEP},
    )
    alpha: float = param(
        1.0,
        "Numerator of a state-dependent step size.",
        symbol=r"\alpha",
        group=_DESCENT,
        ge=1e-6,
        le=100,
        live=True,
        when={"step_rule": ["sharpness", "hessian"]},
    )
    step_cap: float = param(
        10.0,
        "Largest state-dependent step size, Polyak's included.",
        group=_DESCENT,
        ge=1e-9,
        le=1e9,
        log=True,
        live=True,
    )
    momentum: float = hyperparameter("momentum", _MOMENTUM, group=_DESCENT)
    square_decay: float = hyperparameter("square_decay", _ADAPTIVE, group=_DESCENT)
    epsilon: float = hyperparameter("epsilon", _ADAPTIVE, group=_DESCENT)
    weight_decay: float = hyperparameter("weight_decay", ["adamw"], group=_DESCENT)
    radius: float = hyperparameter("radius", ["sam"], group=_DESCENT)
    scales: tuple[float, ...] = param(
        (),
        "Factors of the step size, one a variable; empty: the same step size for all.",
        group=_DESCENT,
        ge=1e-6,
        le=1e6,
    )
    schedule: ScheduleKind = param(
        "constant", "How the step size falls along the run, after a warm-up.", group=_DESCENT
    )
    warmup: int = param(
        0, "Steps in which the step size rises to its full size.", group=_DESCENT, ge=0, le=10**9
    )
    schedule_length: int = param(
        1000,
        "Steps in which the step size falls.",
        group=_DESCENT,
        ge=1,
        le=10**9,
        when={"schedule": ["linear", "cosine"]},
    )
    schedule_end: float = param(
        0.0,
        "Factor of the step size after the fall.",
        group=_DESCENT,
        ge=0,
        le=1,
        when={"schedule": ["linear", "cosine"]},
    )
    lowest_loss: float = hyperparameter(
        "lowest_loss",
        ["polyak"],
        group=_DESCENT,
        always=True,
        more="The plot of the loss above it uses it, too.",
    )
    plane: Literal["coordinates", "eigenvectors", "start-to-minimum"] = param(
        "coordinates",
        "Plane of the level curves: two coordinates, the two sharpest directions at the minimum "
        "nearest to the start, or from the start to that minimum and its sharpest direction.",
        group=_PICTURE,
    )
    axis_x: int = param(
        1,
        "Variable along the horizontal axis.",
        group=_PICTURE,
        ge=1,
        le=20,
        when={"plane": ["coordinates"]},
        measures=True,
    )
    axis_y: int = param(
        2,
        "Variable along the vertical axis.",
        group=_PICTURE,
        ge=1,
        le=20,
        when={"plane": ["coordinates"]},
        measures=True,
    )
    reach: float = param(
        3.0,
        "Half the width of the plane, and of the box around 0 in which equilibria are looked for; "
        "both grow to hold the start.",
        group=_PICTURE,
        ge=1e-6,
        le=1e6,
        log=True,
        measures=True,
    )
    searches: int = param(
        64,
        "Random starts from which equilibria are looked for.",
        group=_PICTURE,
        ge=1,
        le=4096,
        measures=True,
    )
    spectrum_every: int = param(
        512,
        "Beyond step 512 the Hessian's eigenvalues are recorded at two of every so many steps.",
        group=_PICTURE,
        ge=1,
        le=1_000_000,
        measures=True,
    )
    prove: bool = asks_for_proofs()
    lyapunov: Function = lyapunov_function()
    lyapunov_typed: str = typed_function("x^2 + y^2")
    epsilon_ball: float = stability_radius()
    cells: int = proof_cells()

    ensemble: int = many_seeds()
    starts_from: Literal["box", "noise"] = param(
        "box",
        "Where an ensemble starts: anywhere in the box of half-width reach around 0, or around the "
        "start, as far as the noise scatters it.",
        group=ENSEMBLE,
        for_ensemble=True,
    )
    race: Race = param(
        "this-optimiser",
        "The optimisers that run from every start: the one chosen above, it and all with a smooth "
        "step, all, or those listed.",
        group=ENSEMBLE,
        for_ensemble=True,
    )
    racers: str = param(
        "gradient-descent, heavy-ball, adam",
        "The optimisers of a race, with commas between them; all but the one chosen above with "
        "their customary hyperparameters.",
        group=ENSEMBLE,
        for_ensemble=True,
        when={"race": ["listed"]},
    )
    race_steps: Literal["given", "critical"] = param(
        "given",
        "Step sizes of an ensemble: the one above for all, or a part of the optimiser's own "
        "critical one at the listed minimum nearest to the start, where it has one.",
        group=ENSEMBLE,
        for_ensemble=True,
    )
    race_part: float = param(
        0.9,
        "Part of its critical step size that an optimiser gets.",
        group=ENSEMBLE,
        gt=0,
        le=10,
        for_ensemble=True,
        when={"race_steps": ["critical"]},
    )

    @field_validator("racers")
    @classmethod
    def _names_optimisers(cls, value: str) -> str:
        read_racers(value)
        return value

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        """Refuse what is no function before a run is given up for it."""
        expression = reading.expression_of(self.function, self.variables, self.minimise)
        reading.constants_of(self.constants, expression)
        width = len(self.rows[0]) if self.rows else 0
        if self.minimise != "function" and self.data_from == "rows" and width > 1:
            reading.check_columns(expression, width)
        return self

    def hint(self, name: str) -> Hint:
        """Return what the function says about its variables, constants and the start."""
        if name not in ("variables", "constants", "start"):
            return NO_HINT
        tape = reading.expression_of(self.function, self.variables, self.minimise).tape
        keys = tape.variables
        names = ", ".join(keys if len(keys) <= _FEW else (*keys[:2], "…", keys[-1]))
        if name == "variables":
            return Hint(placeholder=names)
        if name == "constants":
            return Hint(names=tape.constants)
        needed, given = len(keys), len(self.start)
        note = f"{needed} number{'s' if needed > 1 else ''}: {names}"
        if given < needed:
            note += f"; {given} given, 1 for the others"
        elif given > needed:
            note += f"; {given} given, the last {given - needed} not used"
        return Hint(note=note)

    @property
    def unused(self) -> frozenset[str]:
        """The largest step where none depends on the state, and the least loss without Polyak."""
        if self.optimiser == "polyak":
            return frozenset()
        return frozenset(
            {"lowest_loss"} | ({"step_cap"} if self.setting.rule == "fixed" else set())
        )

    @property
    def setting(self) -> Setting:
        """The optimiser with its hyperparameters."""
        rule = self.step_rule if self.optimiser in _SMOOTH_STEP else "fixed"
        return Setting(
            optimiser=self.optimiser,
            step_size=self.step_size,
            rule=rule,
            alpha=self.alpha,
            step_cap=self.step_cap,
            momentum=self.momentum,
            square_decay=self.square_decay,
            epsilon=self.epsilon,
            weight_decay=self.weight_decay if self.optimiser == "adamw" else 0.0,
            radius=self.radius,
            lowest_loss=self.lowest_loss,
            scales=self.scales,
            schedule=Schedule(
                kind=self.schedule,
                warmup=self.warmup,
                length=self.schedule_length,
                end=self.schedule_end,
            ),
        )

    def axis_indices(self, size: int) -> tuple[int, int]:
        """Return the two different variables, of `size`, along the axes of a coordinate plane."""
        i, j = min(self.axis_x, size) - 1, min(self.axis_y, size) - 1
        return i, (i + 1) % size if i == j else j

    @property
    def has_fixed_step(self) -> bool:
        """Whether the step size is one number for the whole run."""
        setting = self.setting
        return (
            setting.rule == "fixed"
            and setting.optimiser != "polyak"
            and setting.schedule.is_constant
        )


_NOTHING: FloatArray = np.zeros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLossState(State[OwnLossParams]):
    """A point of a run on a typed loss.

    Attributes
    ----------
    weights, start : ndarray, shape (n,)
        Now, and at step 0 or where the run was last pushed to.
    moments : ndarray, shape (2, n)
        What the optimiser carries.
    begun : int
        Step at which the moments were 0.
    is_undefined : bool
        Whether the next step leads to where the loss or its gradient is no number.
    """

    weights: FloatArray = field(default_factory=lambda: _NOTHING)
    start: FloatArray = field(default_factory=lambda: _NOTHING)
    moments: FloatArray = field(default_factory=lambda: _NOTHING)
    begun: int = 0
    is_undefined: bool = False
