"""Descent on a function that is a tape, under an optimiser: the law of many runs at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.arrays import FloatArray
from engine.core.system import Border, Dial, Law
from engine.expressions.tape import Tape
from engine.theory.optimisers.setting import Setting

SettingField = Literal[
    "step_size",
    "alpha",
    "step_cap",
    "momentum",
    "square_decay",
    "epsilon",
    "weight_decay",
    "radius",
    "lowest_loss",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dial's value goes.

    Exactly one is given: a constant of the tape by its number, a field of the setting, or the
    variables that begin at the value.
    """

    constant: int | None = None
    field: SettingField | None = None
    variables: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Whole:
    """The loss in coordinates that tell equal weights apart, of a law with merged weights.

    A variable that stands for m > 1 equal weights has two coordinates: one of its weights, and the
    m - 1 others. The Hessian along unit displacements of these coordinates has the eigenvalues of
    the Hessian in all weights: symmetry makes the others copies of those across a variable.

    Attributes
    ----------
    tape : Tape
        With the constants of the law.
    variables : tuple of int
        Variable of the law that each coordinate belongs to.
    powers : tuple of int
        Weights that each coordinate stands for.
    """

    tape: Tape
    variables: tuple[int, ...]
    powers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class DescentLaw(Law):
    """Steps of an optimiser on a tape.

    Attributes
    ----------
    tape : Tape
        The loss.
    constants : ndarray, shape (c,)
        Values of its constants.
    data : ndarray, shape (columns, N), or None
        Rows of its columns.
    setting : Setting
        The optimiser.
    start : ndarray, shape (n,)
        Where a run begins, at rest.
    places : mapping of str to Place
        Of every dial.
    whole : Whole or None
        The loss in all weights, None where every variable is one weight.
    written : callable
        Writes parameters of a single run, see `settings`.
    """

    dials: tuple[Dial, ...]
    variables: tuple[str, ...]
    labels: Mapping[str, str]
    tape: Tape
    constants: FloatArray
    data: FloatArray | None = None
    setting: Setting
    start: FloatArray
    places: Mapping[str, Place]
    written: Callable[[Mapping[str, float], FloatArray | None], dict[str, Any]]
    whole: Whole | None = None
    borders: tuple[Border, ...] = ()

    @property
    def is_smooth(self) -> bool:
        """Whether every step is the same smooth map, where the loss is smooth."""
        setting = self.setting
        linear = setting.optimiser in ("gradient-descent", "heavy-ball", "nesterov")
        return linear and setting.rule == "fixed" and setting.schedule.is_constant

    def settings(self, values: Mapping[str, float], start: FloatArray | None) -> dict[str, Any]:
        """Return the parameters that a single run has."""
        return self.written(values, start)
