"""Descent on a loss that is a program, with enclosures: what proofs are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.analysis.regions.interval import Interval
from engine.analysis.regions.maps import Descent, Slopes
from engine.analysis.regions.residual import SquareDescent
from engine.analysis.regions.steps import CappedStep, SlopeCurvature
from engine.core.arrays import FloatArray
from engine.expressions.functions import BINARY, Op
from engine.expressions.reader import read
from engine.expressions.tape import Tape, constants_in_order

if TYPE_CHECKING:
    from engine.kernels.intervals.enclosure import Enclosure

Momentum = Literal["gradient-descent", "heavy-ball", "nesterov"]


@dataclass(frozen=True, eq=False)
class Law:
    """Descent with enclosures.

    Attributes
    ----------
    descent : Descent
    square : SquareDescent or None
        Where the loss is the square of one residual, and the point is the weights alone.
    carried : SquareDescent or None
        The same with momentum: the point is (w, v).
    operations : int
        Of the loss over all rows of data: what an enclosure costs.
    """

    descent: Descent
    square: SquareDescent | None
    operations: int
    carried: SquareDescent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A step size that depends on the state, at most `cap`.

    It is `alpha` over C|∇r|² where the loss is C r²/2, or over a typed curvature.

    Attributes
    ----------
    alpha, cap : float
    curvature : str
        A text in the variables of the loss; empty for C|∇r|².
    """

    alpha: float
    cap: float
    curvature: str = ""


def law_of(
    tape: Tape,
    constants: FloatArray,
    data: FloatArray | None = None,
    *,
    step_size: float = 1.0,
    optimiser: Momentum = "gradient-descent",
    momentum: float = 0.0,
    rule: Rule | None = None,
) -> Law | None:
    """Describe descent on the result of a tape.

    Parameters
    ----------
    tape : Tape
    constants : ndarray, shape (c,)
        Values of its constants in order.
    data : ndarray, shape (columns, N), optional
        Rows over which it is averaged.
    step_size, optimiser, momentum
    rule : Rule, optional
        Instead of the step size, without momentum.

    Returns
    -------
    Law or None
        None where the rule asks for a residual that the loss does not have.
    """
    from engine.kernels.intervals.enclosure import NO_DATA, Enclosure

    loss = Enclosure(tape, constants, NO_DATA if data is None else data)
    found = None if data is not None else _square(tape, constants)
    residual = None if found is None else Enclosure(tape, constants, root=found[0])
    step: Slopes | None = None
    if rule is not None:
        curvature = _curvature(rule, tape, constants, residual, found)
        if curvature is None:
            return None
        step = CappedStep(curvature, rule.alpha, rule.cap)
    has_velocity = optimiser != "gradient-descent"
    descent = Descent(
        loss=loss,
        step_size=step_size,
        rule=step,
        momentum=momentum if has_velocity else 0.0,
        looks_ahead=optimiser == "nesterov",
        has_velocity=has_velocity,
        imaging=loss.image,
    )
    square = None
    if residual is not None and found is not None:
        square = SquareDescent(descent, residual, found[1])
    rows = 1 if data is None else data.shape[1]
    plain, carried = (None, square) if has_velocity else (square, None)
    return Law(descent, plain, len(tape.shared) + rows * max(len(tape.rows), 1), carried)


def _curvature(
    rule: Rule,
    tape: Tape,
    constants: FloatArray,
    residual: Enclosure | None,
    found: tuple[int, Interval] | None,
) -> Slopes | None:
    from engine.kernels.intervals.enclosure import Enclosure

    if not rule.curvature:
        return None if residual is None or found is None else SlopeCurvature(residual, found[1])
    typed = read(rule.curvature, tape.variables).tape
    values = dict(zip(tape.constants, constants.tolist(), strict=True))
    return Enclosure(typed, constants_in_order(typed, values))


def typed(text: str, names: tuple[str, ...], field: str = "lyapunov_typed") -> Enclosure:
    """Return a typed function of some variables, for proofs.

    Raises
    ------
    InputError
        If it cannot be used, or has named constants.
    """
    from engine.core.errors import InputError
    from engine.kernels.intervals.enclosure import Enclosure

    tape = read(text, names, field=field).tape
    if tape.constants:
        rule = f"use numbers and the variables {', '.join(names)} only"
        raise InputError(field, ", ".join(tape.constants), rule)
    return Enclosure(tape, np.zeros(0))


def _square(tape: Tape, constants: FloatArray) -> tuple[int, Interval] | None:
    """Return the place of r and the factor C > 0 where a result is C r² / 2; else None."""
    from engine.kernels.intervals.enclosure import Enclosure

    varies = np.arange(tape.leaves + len(tape.shared)) < len(tape.variables)
    for k, (op, a, b) in enumerate(tape.shared.tolist()):
        varies[tape.leaves + k] = varies[a] or (Op(op) in BINARY and varies[b])
    nowhere = Interval.point(np.zeros((1, len(tape.variables))))
    place, factor = tape.root, Interval.point(2.0)
    while place >= tape.leaves and varies[place]:
        op, a, b = tape.shared[place - tape.leaves].tolist()
        if op == Op.SQUARE:
            is_positive = bool(factor.lo > 0.0 and np.isfinite(factor.hi))
            return (a, factor) if is_positive else None
        if op != Op.MUL or varies[a] == varies[b]:
            return None
        place, fixed = (a, b) if varies[a] else (b, a)
        factor = factor * Enclosure(tape, constants, root=fixed).value(nowhere)[0]
    return None
