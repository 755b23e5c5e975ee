"""Points of a descent carried along with their derivatives, for continuation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.analysis.carrier import Carried, Carrier
from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel
from engine.kernels.optimisers.steps import GRADIENT_DESCENT, NESTEROV, rule_of
from engine.kernels.tape import program as tapes
from engine.kernels.tape.program import Program
from engine.theory.optimisers.law import DescentLaw

SLOPE = 1e-5
"""Width of the difference that gives the derivative by a parameter, relative to its size or 1."""


@inner
def _look(method: int, beta: float, z: Any, point: Any) -> None:
    """Write the weights at which the gradient for a step is taken."""
    n = point.size
    for i in range(n):
        point[i] = z[i]
        if method == NESTEROV:
            point[i] += beta * z[n + i]


@inner
def _step(
    program: Program,
    method: int,
    penalty: float,
    constants: Any,
    rates: Any,
    beta: float,
    z: Any,
    out: Any,
    point: Any,
    slope: Any,
    work: Any,
) -> None:
    """Write the point after a step, shape (n,) or with velocities (2 n,)."""
    n = point.size
    _look(method, beta, z, point)
    tapes.gradient(program, point, constants, slope, work)
    for i in range(n):
        pull = rates[i] * (slope[i] + penalty * point[i])
        if method == GRADIENT_DESCENT:
            out[i] = z[i] - pull
        else:
            out[n + i] = beta * z[n + i] - pull
            out[i] = z[i] + out[n + i]


@inner
def _spread(method: int, beta: float, same: float, pull: Any, factor: Any) -> None:
    """Write the derivative of a step from that of the pull by the weights, shape (n, n).

    With ``same`` 0 it is the change of the derivative with that of the pull.
    """
    n = pull.shape[0]
    for i in range(n):
        for j in range(n):
            one = same if i == j else 0.0
            factor[i, j] = one - pull[i, j]
            if method != GRADIENT_DESCENT:
                kept = beta * (one - pull[i, j]) if method == NESTEROV else beta * one
                factor[i, n + j] = kept
                factor[n + i, j] = -pull[i, j]
                factor[n + i, n + j] = kept


@kernel
def orbit(
    program: Program,
    method: int,
    penalty: float,
    constants: FloatArray,
    rates: FloatArray,
    beta: float,
    path: FloatArray,
    work: FloatArray,
) -> None:
    """Write the points that steps lead to from that in the first row of `path`."""
    n = rates.size
    point, slope = np.empty(n), np.empty(n)
    for k in range(path.shape[0] - 1):
        _step(
            program,
            method,
            penalty,
            constants,
            rates,
            beta,
            path[k],
            path[k + 1],
            point,
            slope,
            work,
        )


@kernel
def carry(
    program: Program,
    method: int,
    penalty: float,
    constants: FloatArray,
    rates: FloatArray,
    betas: FloatArray,
    widths: FloatArray,
    steps: int,
    image: FloatArray,
    product: FloatArray,
    drift: FloatArray,
    work: FloatArray,
) -> None:
    """Carry a point along; write where it comes to, and the derivatives.

    Parameters
    ----------
    program : Program
    method : int
    penalty : float
        Decay that is a term of the gradient.
    constants, rates, betas : ndarray, shapes (1 + 2 q, c), (1 + 2 q, n), (1 + 2 q,)
        At the parameters, and a little ahead and behind along each of q.
    widths : ndarray, shape (q,)
        How far these are apart.
    steps : int
    image : ndarray, shape (m,)
        The point; overwritten.
    product, drift : ndarray, shapes (m, m) and (m, q)
        Overwritten.
    work : ndarray
        Of the program, for 2 coefficients.
    """
    n, m, q = rates.shape[1], image.size, widths.size
    point, slope, direction, slopes = np.empty(n), np.empty(n), np.empty(n), np.empty(2 * n)
    curved, factor, scratch = np.empty((n, n)), np.zeros((m, m)), np.empty((m, m))
    z, ahead, behind, moved = image.copy(), np.empty(m), np.empty(m), np.empty((m, q))
    for i in range(m):
        for j in range(m):
            product[i, j] = 1.0 if i == j else 0.0
        for j in range(q):
            drift[i, j] = 0.0
    for _ in range(steps):
        _look(method, betas[0], z, point)
        tapes.hessian(program, point, constants[0], direction, slopes, curved, work)
        for i in range(n):
            curved[i, i] += penalty
            for j in range(n):
                curved[i, j] *= rates[0, i]
        _spread(method, betas[0], 1.0, curved, factor)
        for i in range(m):
            for j in range(m):
                total = 0.0
                for k in range(m):
                    total += factor[i, k] * product[k, j]
                scratch[i, j] = total
            for j in range(q):
                total = 0.0
                for k in range(m):
                    total += factor[i, k] * drift[k, j]
                moved[i, j] = total
        product[:, :] = scratch
        drift[:, :] = moved
        for j in range(q):
            _step(
                program,
                method,
                penalty,
                constants[1 + 2 * j],
                rates[1 + 2 * j],
                betas[1 + 2 * j],
                z,
                ahead,
                point,
                slope,
                work,
            )
            _step(
                program,
                method,
                penalty,
                constants[2 + 2 * j],
                rates[2 + 2 * j],
                betas[2 + 2 * j],
                z,
                behind,
                point,
                slope,
                work,
            )
            for i in range(m):
                drift[i, j] += (ahead[i] - behind[i]) / widths[j]
        _step(
            program, method, penalty, constants[0], rates[0], betas[0], z, image, point, slope, work
        )
        z[:] = image


@kernel
def bend(
    program: Program,
    method: int,
    constants: FloatArray,
    rates: FloatArray,
    beta: float,
    z: FloatArray,
    u: FloatArray,
    first: FloatArray,
    second: FloatArray,
    work: FloatArray,
) -> None:
    """Write the first and second derivative of a step's Jacobian along a direction, (m, m)."""
    n = rates.size
    point, along, directions = np.empty(n), np.empty(n), np.zeros(3 * n)
    values, slopes = np.empty(8), np.empty(8 * n)
    third, fourth = np.empty((n, n)), np.empty((n, n))
    _look(method, beta, z, point)
    _look(method, beta, u, along)
    for j in range(n):
        for i in range(n):
            directions[i] = along[i]
            directions[n + i] = along[i]
            directions[2 * n + i] = 1.0 if i == j else 0.0
        tapes.differentiate(program, point, constants, directions, 8, values, slopes, work)
        for i in range(n):
            third[i, j] = rates[i] * slopes[5 * n + i]
            fourth[i, j] = rates[i] * slopes[7 * n + i]
    _spread(method, beta, 0.0, third, first)
    _spread(method, beta, 0.0, fourth, second)


class LawCarrier(Carrier):
    """Steps of a law of descent, over some of its dials; all derivatives by the point are exact.

    Parameters
    ----------
    law : DescentLaw
        One whose every step is the same smooth map.
    names : sequence of str
        Dials that are parameters, not coordinates of the start.
    """

    is_exact = True

    def __init__(self, law: DescentLaw, names: Sequence[str]) -> None:
        rule = rule_of(law.setting)
        self._law, self._places = law, [law.places[name] for name in names]
        self._method, self._penalty = rule.method, rule.penalty
        self._scales = np.array(law.setting.scales or np.ones(len(law.variables)))
        self._program = tapes.program(law.tape, law.data)
        self._work = tapes.workspace(self._program, 8)
        copies = 1 if rule.method == GRADIENT_DESCENT else 2
        self.dimension = copies * len(law.variables)

    def _settings(self, rows: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return constants, rates and momenta at rows of values, (r, c), (r, n) and (r,)."""
        count, setting = len(rows), self._law.setting
        constants = np.empty((count, self._law.constants.size))
        constants[:] = self._law.constants
        steps, betas = np.full(count, setting.step_size), np.full(count, setting.momentum)
        for number, place in enumerate(self._places):
            if place.constant is not None:
                constants[:, place.constant] = rows[:, number]
            elif place.field == "step_size":
                steps[:] = rows[:, number]
            elif place.field == "momentum":
                betas[:] = rows[:, number]
        return constants, steps[:, None] * self._scales, betas

    def orbit(self, z: FloatArray, values: FloatArray, steps: int) -> FloatArray:
        """Return the points that steps lead to."""
        constants, rates, betas = self._settings(values[None])
        path = np.empty((steps + 1, len(z)))
        path[0] = z
        orbit(
            self._program,
            self._method,
            self._penalty,
            constants[0],
            rates[0],
            betas[0],
            path,
            self._work,
        )
        return path

    def carried(
        self, z: FloatArray, values: FloatArray, steps: int, *, drift: bool = True
    ) -> Carried:
        """Return where steps lead, with derivatives; those by the parameters by differences."""
        count, m = len(values) if drift else 0, len(z)
        rows, widths = np.tile(values, (1 + 2 * count, 1)), np.empty(count)
        for place in range(count):
            width = SLOPE * max(abs(float(values[place])), 1e-3)
            rows[1 + 2 * place, place] += width
            rows[2 + 2 * place, place] -= width
            widths[place] = rows[1 + 2 * place, place] - rows[2 + 2 * place, place]
        image, moved = np.array(z, np.float64), np.zeros((m, count))
        product = np.empty((m, m))
        carry(
            self._program,
            self._method,
            self._penalty,
            *self._settings(rows),
            widths,
            steps,
            image,
            product,
            moved,
            self._work,
        )
        return Carried(image, product, moved if drift else np.zeros((m, len(values))))

    def bends(
        self, z: FloatArray, values: FloatArray, u: FloatArray, width: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return the derivatives of the Jacobian along a direction."""
        constants, rates, betas = self._settings(values[None])
        first, second = np.zeros((2, len(z), len(z)))
        bend(
            self._program,
            self._method,
            constants[0],
            rates[0],
            betas[0],
            np.ascontiguousarray(z),
            np.ascontiguousarray(u),
            first,
            second,
            self._work,
        )
        return first, second
