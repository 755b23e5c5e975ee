"""One description of an optimiser, which every experiment and the window read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy.typing as npt

from engine.core.claims import Lamp
from engine.theory.optimisers.curvature import gradient_decay
from engine.theory.optimisers.linear import Complex
from engine.theory.optimisers.setting import OptimiserId, Setting
from engine.theory.optimisers.unsmooth import normalised_edge, polyak_step, sam_edge

Carried = Literal["velocity", "mean gradient", "mean square"]
"""What an optimiser carries besides the weights, each as many numbers as there are weights."""
HESSIAN_TOP = r"\lambda_{\max}(H)"
HyperparameterName = Literal[
    "momentum", "square_decay", "epsilon", "weight_decay", "radius", "lowest_loss"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameter:
    """A number that an optimiser has besides its step size, a field of `Setting`.

    Attributes
    ----------
    name, symbol, label : str
        Field, mathtext without dollars, and words.
    default : float
        Customary for this optimiser.
    help : str
        One sentence.
    ge, gt, le, lt : float or None
        Its limits.
    log : bool
        Whether a slider is to be logarithmic.
    """

    name: HyperparameterName
    symbol: str
    label: str
    default: float
    help: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    log: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a threshold comes from.

    Attributes
    ----------
    derivation : str
        Why it holds, one sentence.
    citation : str
        The publication and the place in it that was read for this program; empty if none was.
    further : str
        A publication that is said to have it, of which that place was not read.
    """

    derivation: str
    citation: str = ""
    further: str = ""

    @property
    def text(self) -> str:
        """Return the citation, or without one the derivation."""
        return self.citation or self.derivation


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimiserDescription:
    r"""An optimiser: its step, what it carries, and where a minimum is stable under it.

    Attributes
    ----------
    id : OptimiserId
    title : str
        Its name in a sentence.
    step : str
        Mathtext of a step, without dollars, for g the gradient.
    hyperparameters : tuple of Hyperparameter
    carried : tuple of str
        The augmented state, in order.
    is_smooth : bool
        Whether a step is a differentiable function of the augmented state at a minimum.
    can_rest : bool
        Whether a run can stay at a minimum that attracts it.
    curvature : str
        Mathtext of what is compared with the limit, without dollars.
    limit_formula : str
        Mathtext of the largest stable step size times curvature; empty where there is none.
    sharpness_formula : str
        Mathtext of the largest stable curvature, in the step size and what is measured.
    short_ratio : str
        Mathtext of the curvature over the largest stable one, where the formula is too long for a
        title.
    sentence : str
        When a minimum is stable under it, or why none is, for dock and meter.
    source : Source
    limit_of : callable or None
    multipliers_of : callable or None
        See `limit` and `multipliers`.
    equivalent : callable or None
        See `equivalent_step`.
    """

    id: OptimiserId
    title: str
    step: str
    hyperparameters: tuple[Hyperparameter, ...] = ()
    carried: tuple[Carried, ...] = ()
    is_smooth: bool = True
    can_rest: bool = True
    curvature: str = HESSIAN_TOP
    limit_formula: str = ""
    sharpness_formula: str
    short_ratio: str = ""
    sentence: str
    source: Source
    limit_of: Callable[[Setting], float] | None = None
    multipliers_of: Callable[[npt.ArrayLike, Setting], Complex] | None = None
    equivalent: Callable[[Setting], float] | None = None

    @property
    def is_adaptive(self) -> bool:
        """Return whether its steps are divided by the root of a mean square."""
        return "mean square" in self.carried

    @property
    def divisor(self) -> str:
        """Return the limit's mathtext as a divisor: in parentheses unless it is one digit."""
        return self.limit_formula if self.limit_formula.isdigit() else f"({self.limit_formula})"

    @property
    def ratio(self) -> str:
        """Return the mathtext of the sharpness over its largest stable value."""
        if self.short_ratio:
            return self.short_ratio
        if not self.limit_formula:
            return f"S/({self.sharpness_formula})"
        sharpness = "S" if self.curvature == HESSIAN_TOP else self.curvature
        return rf"\delta {sharpness}/{self.divisor}"

    def limit(self, setting: Setting) -> float | None:
        """Return the largest step size times curvature at which a minimum is stable.

        Curvature is the largest eigenvalue of `engine.theory.optimisers.curvature.curvature`. None
        for an optimiser whose steps have no linear map at a minimum.
        """
        return None if self.limit_of is None else self.limit_of(setting)

    def multipliers(self, pull: npt.ArrayLike, setting: Setting) -> Complex:
        """Return the eigenvalues of a step's derivative at a minimum.

        Parameters
        ----------
        pull : array_like, shape (n,)
            Step size times each eigenvalue of the curvature.
        setting : Setting

        Returns
        -------
        ndarray, shape ((1 + len(carried)) n,)

        Raises
        ------
        ValueError
            If a step has no derivative there.
        """
        if self.multipliers_of is None:
            raise ValueError(f"a step of {self.title} has no derivative at a minimum")
        return self.multipliers_of(pull, setting)

    def sharpness_limit(
        self, setting: Setting, *, gradient_norm: float = 0.0, loss: float = 0.0
    ) -> float:
        """Return the curvature above which steps of the present size overshoot ever farther.

        Parameters
        ----------
        setting : Setting
            With the step size in use; a step size that depends on the state must be given as one.
        gradient_norm, loss : float
            At the present weights, where the optimiser has no limit without them.
        """
        limit = self.limit(setting)
        if limit is not None:
            return limit / setting.step_size
        if self.id == "sam":
            return sam_edge(setting, gradient_norm)
        if self.id == "normalised-gd":
            return normalised_edge(setting, gradient_norm)
        step = polyak_step(setting, loss, gradient_norm)
        return 2.0 / step if step > 0.0 else math.inf

    def resting_limit(self, setting: Setting) -> float | None:
        r"""Return the largest sharpness of a minimum of the loss at which a run can stay for good.

        For an adaptive optimiser the mean square sinks to 0 there, and P to :math:`\epsilon`.
        Infinite where any minimum will do, None where a run stays at none.
        """
        if not self.can_rest or (self.id == "adamw" and setting.weight_decay > 0.0):
            return None
        limit = self.limit(setting)
        if limit is None:
            return math.inf
        scale = setting.epsilon if self.is_adaptive else 1.0
        return limit * scale / setting.step_size - gradient_decay(setting)

    def equivalent_step(self, setting: Setting) -> float | None:
        """Return the step size at which plain gradient descent has the same 2-cycles.

        None where there is none.
        """
        return None if self.equivalent is None else self.equivalent(setting)

    def lamps(self, setting: Setting) -> tuple[Lamp, ...]:
        """Return the assumptions of the limit, each on or off."""
        lamps = [Lamp("a step is smooth at a minimum", self.is_smooth)]
        if self.is_adaptive:
            detail = "the mean square changes along the run and sinks to 0 at a minimum"
            lamps.append(Lamp("frozen preconditioner", False, detail))
        if not setting.schedule.is_constant:
            lamps.append(Lamp("constant step size", False, setting.schedule.kind))
        if setting.weight_decay > 0.0 and setting.optimiser == "adamw":
            detail = "it rests where the step balances the decay, which is no minimum of f"
            lamps.append(Lamp("rests at a minimum of f", False, detail))
        return tuple(lamps)
