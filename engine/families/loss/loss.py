"""A loss that a user typed, with exact derivatives to fourth order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.expressions.grammar import ExpressionError
from engine.expressions.reader import Expression, Rule, read
from engine.kernels.optimisers import code
from engine.kernels.optimisers.code import StepCode
from engine.kernels.tape import looks, native
from engine.kernels.tape import program as tape_program
from engine.kernels.tape.machine import KINKS, RESIDUALS
from engine.kernels.tape.program import Program
from engine.theory.optimisers import Setting

MANY = 1000
"""Points at which values are worth the time of compiling."""


@dataclass(frozen=True, eq=False)
class Data:
    """Rows to which a loss is fitted.

    Attributes
    ----------
    inputs : ndarray, shape (N, d)
        Columns x1 to xd.
    targets : ndarray, shape (N,)
        Column y; labels 0 and 1, or -1 and 1, of a logistic loss.
    rule : Rule
        What is averaged over the rows.
    """

    inputs: FloatArray
    targets: FloatArray
    rule: Rule = Rule.SQUARES

    def columns(self, keys: Sequence[str]) -> FloatArray:
        """Return some columns, shape (len(keys), N).

        Raises
        ------
        InputError
            If there is no such column, or nothing to average.
        """
        if not len(self.targets):
            raise InputError("data", "no rows", "give at least one row")
        targets = self.targets
        if self.rule is Rule.LOGISTIC:
            labels = set(np.unique(targets).tolist())
            if not (labels <= {0.0, 1.0} or labels <= {-1.0, 1.0}):
                raise InputError("y", _few(labels), "give labels 0 and 1, or -1 and 1")
            targets = np.where(targets > 0, 1.0, 0.0)
        made = []
        for key in keys:
            number = 0 if key == "y" else int(key[1:])
            if number > self.inputs.shape[1]:
                count = self.inputs.shape[1]
                rule = f"the data have {count} column{'s' if count > 1 else ''} beside y"
                raise InputError("function", key, rule)
            made.append(targets if key == "y" else self.inputs[:, number - 1])
        return np.array(made, np.float64).reshape(len(made), len(self.targets))


def _few(labels: set[float]) -> str:
    shown = ", ".join(f"{value:g}" for value in sorted(labels)[:4])
    return shown + (", ..." if len(labels) > 4 else "")


@dataclass(frozen=True, eq=False)
class Loss:
    """A typed function at values of its constants; implements `engine.core.system`.

    Attributes
    ----------
    expression : Expression
    constants : ndarray, shape (c,)
        Values of ``expression.tape.constants``.
    data : Data or None
    interpreted : Program
        For kernels, run by the interpreter; see `program`.
    """

    expression: Expression
    constants: FloatArray
    data: Data | None
    interpreted: Program
    _code: list[native.Code] = field(default_factory=list, repr=False)
    """Machine code that was handed out, which lasts as long as this object."""

    @classmethod
    def of(
        cls,
        text: str,
        variables: Sequence[str] = (),
        constants: Mapping[str, float] | None = None,
        data: Data | None = None,
        name: str = "function",
    ) -> Loss:
        """Read a loss.

        Parameters
        ----------
        text : str
        variables : sequence of str, optional
            Names in their order; those that occur, sorted, if empty.
        constants : mapping, optional
            Values of constants by their keys; 1 for those left out.
        data : Data, optional
            Rows, over which the text is a residual, a model or a score.
        name : str
            The field that error sentences name.

        Raises
        ------
        InputError
            If the text, the variables, a constant or the data cannot be used.
        """
        rule = Rule.FUNCTION if data is None else data.rule
        expression = read(text, variables, rule, name)
        tape = expression.tape
        if not tape.variables:
            raise ExpressionError(name, text, "use a variable, such as w1 or x", (0, len(text)))
        rows = None if data is None else data.columns(tape.columns)
        made = tape_program.program(tape, rows)
        return cls(expression, _values(tape.constants, constants or {}), data, made)

    def at(self, constants: Mapping[str, float]) -> Loss:
        """Return the same loss at other values of some constants, sharing its program."""
        now = dict(zip(self.expression.tape.constants, self.constants.tolist(), strict=True))
        values = _values(self.expression.tape.constants, {**now, **constants})
        return Loss(self.expression, values, self.data, self.interpreted)

    @property
    def program(self) -> Program:
        """The function for kernels, for as long as this object lasts.

        The interpreter runs it until it is compiled, in a thread of its own that the first use
        starts. The bits are the same.
        """
        tape = self.expression.tape
        made = native.ready(tape)
        if made is None:
            native.start(tape)
        return self._with(made)

    def compiled(self) -> Program:
        """Return the function for kernels, after it is compiled; it may take 0.1 s."""
        return self._with(native.compiled(self.expression.tape))

    def steps(self, setting: Setting) -> StepCode | None:
        """Return the machine code of an optimiser's steps if it is compiled.

        The first use starts that, in a thread of its own. The bits are the same without it.
        """
        return code.started(self.expression.tape, setting)

    def _with(self, made: native.Code | None) -> Program:
        if made is None:
            return self.interpreted
        if made not in self._code:
            self._code.append(made)
        return self.interpreted._replace(address=made.address)

    @property
    def variables(self) -> tuple[str, ...]:
        """Keys of the variables, in order."""
        return self.expression.tape.variables

    @property
    def dimension(self) -> int:
        """Number n of variables."""
        return len(self.variables)

    def value(self, z: FloatArray) -> float:
        """Compute the loss at a point, shape (n,)."""
        return self._at(z)[0]

    def gradient(self, z: FloatArray) -> FloatArray:
        """Compute the gradient at a point, shape (n,)."""
        return self._at(z)[1]

    def _at(self, z: FloatArray) -> tuple[float, FloatArray]:
        """Compute value and gradient at a point, by machine code if it is there."""
        point, out = _array(z)[None], np.empty(1)
        slopes = np.empty_like(point)
        program = self._with(native.ready(self.expression.tape))
        work = tape_program.workspace(program)
        looks.values_at(program, point, self.constants, out, slopes, work)
        gradient: FloatArray = slopes[0]
        return float(out[0]), gradient

    def hessian(self, z: FloatArray) -> FloatArray:
        """Compute the Hessian at a point, shape (n, n), symmetric to the last bit."""
        made: FloatArray = self.hessians(_array(z)[None])[0]
        return made

    def hessians(self, points: FloatArray) -> FloatArray:
        """Compute the Hessians at points (m, n), shape (m, n, n)."""
        out = np.empty((len(points), self.dimension, self.dimension))
        work = tape_program.workspace(self.interpreted, 2)
        looks.hessians_at(self.interpreted, _array(points), self.constants, out, work)
        return out

    def curve(self, z: FloatArray, u: FloatArray) -> FloatArray:
        """Compute the Hessian at a point times a direction, shape (n,)."""
        made: FloatArray = self._jet(z, u)[1][1]
        return made

    def third(self, z: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Compute ∇³f[u, v, ·] at a point, shape (n,)."""
        made: FloatArray = self._jet(z, u, v)[1][3]
        return made

    def fourth(
        self, z: FloatArray, u: FloatArray, v: FloatArray, w: FloatArray, x: FloatArray
    ) -> float:
        """Compute ∇⁴f[u, v, w, x] at a point."""
        slopes = self._jet(z, u, v, w)[1][7]
        moved = np.asarray(x) != 0.0  # where x is zero no derivative is taken
        with np.errstate(all="ignore"):
            return float(slopes[moved] @ np.asarray(x)[moved])

    def kinks(self, z: FloatArray) -> float:
        """Return the least distance to a kink, relative to the size of a point beyond 1."""
        if self.expression.smooth:
            return math.inf
        least = float(self._run(KINKS, z, 1, 1)[0][0])
        return least / max(1.0, float(np.max(np.abs(z))))

    def values(self, points: FloatArray) -> FloatArray:
        """Compute the loss at points, shape (..., n); returns shape (...)."""
        return self.values_and_gradients(points)[0]

    def values_and_gradients(self, points: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Compute the loss and its gradient at points, shape (..., n)."""
        flat = _array(points).reshape(-1, self.dimension)
        out, slopes = np.empty(len(flat)), np.empty_like(flat)
        work = tape_program.workspace(self.interpreted)
        program = self.compiled() if len(flat) > MANY else self.program
        looks.values_at(program, flat, self.constants, out, slopes, work)
        return out.reshape(np.shape(points)[:-1]), slopes.reshape(np.shape(points))

    def residuals(self, z: FloatArray) -> FloatArray:
        """Compute the residuals of a least-squares problem at a point, shape (N,)."""
        return self._residuals(z)[0]

    def jacobian(self, z: FloatArray) -> FloatArray:
        """Compute the derivative of the residuals at a point, shape (N, n)."""
        return self._residuals(z)[1]

    def _residuals(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.expression.tape.residual < 0 or self.data is None:
            raise ValueError("only a least-squares problem has residuals")
        count = len(self.data.targets)
        return self._run(RESIDUALS, z, count, count)

    def _jet(self, z: FloatArray, *directions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the coefficients of value and gradient along directions: (2^m,), (2^m, n)."""
        size = 2 ** len(directions)
        return self._run(size, z, size, size, *directions)

    def _run(
        self, task: int, z: FloatArray, values: int, slopes: int, *directions: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Run a task of the interpreter; returns so many values, and slopes of n entries each."""
        along = np.concatenate([_array(each) for each in directions] or [np.zeros(0)])
        out, gradients = np.empty(values), np.empty((slopes, self.dimension))
        work = tape_program.workspace(self.interpreted, max(task, 1))
        point, flat = _array(z), gradients.reshape(-1)
        looks.jet(self.interpreted, point, self.constants, along, task, out, flat, work)
        return out, gradients


def _array(values: FloatArray) -> FloatArray:
    return np.ascontiguousarray(values, np.float64)


def _values(keys: Sequence[str], given: Mapping[str, float]) -> FloatArray:
    """Return the values of constants, 1 where none is given."""
    for key in keys:
        if not math.isfinite(given.get(key, 1.0)):
            raise InputError(key, given[key], "give a finite number")
    return np.array([given.get(key, 1.0) for key in keys], np.float64)
