r"""Normal forms of the bifurcations of cycles: what their coefficients say of what branches off.

With the p-th iterate F at the critical point, its Jacobian A, and its second and third derivatives
B and C as multilinear maps (Kuznetsov, Elements of Applied Bifurcation Theory, Section 5.4):

- fold, Aq = q, p·q = 1: :math:`\xi\mapsto\xi+b\xi^2` with :math:`b=\tfrac12 p\cdot B(q,q)`. Where b
  is 0 the fold is degenerate.
- flip, Aq = -q, p·q = 1: :math:`\xi\mapsto-\xi+c\xi^3` with
  :math:`c=\tfrac16p\cdot(C(q,q,q)+3B(q,(1-A)^{-1}B(q,q)))`. For c > 0 the doubled cycle is born
  stable, for c < 0 an unstable one dies.
- Neimark-Sacker, :math:`Aq=e^{i\theta}q`: :math:`\xi\mapsto e^{i\theta}\xi(1+d|\xi|^2)` with
  :math:`d=\tfrac12e^{-i\theta}\bar p\cdot(C(q,q,\bar q)+2B(q,(1-A)^{-1}B(q,\bar q))
  +B(\bar q,(e^{2i\theta}-A)^{-1}B(q,q)))`. For Re d < 0 the invariant circle attracts.

q is a unit vector at the first point of the cycle, in the coordinates of the set, so that b and c
have the unit of an inverse length and its square; their signs are the same at all points. B and C
come from the derivative of the step's Jacobian along directions (`Carrier.bends`): exact, or from
extrapolated differences, whose disagreement over two widths is the error that is stated.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.analysis.family import Family
from engine.core.arrays import FloatArray

Complex = NDArray[np.complex128]

ROUNDING = 1e-9
"""Error of a coefficient relative to its terms at least."""
SINGULAR = 1e-9
"""Singular value relative to the largest, below which a matrix is not inverted."""
RESONANT = 1e-6
"""Distance of exp(ikθ) from 1 for k = 3, 4 below which a Neimark-Sacker point is resonant."""


@dataclass(frozen=True, slots=True)
class Coefficient:
    """The coefficient of a normal form.

    Attributes
    ----------
    value : float
    error : float
        How far it may be off.
    """

    value: float
    error: float

    @property
    def sign(self) -> int:
        """Its sign; 0 where the error does not leave it known."""
        return 0 if not abs(self.value) > self.error else int(math.copysign(1.0, self.value))


@dataclass(slots=True, eq=False)
class _Lap:
    """The derivatives of a lap at a point of a cycle, in the coordinates of the set."""

    family: Family
    values: FloatArray
    points: FloatArray
    width: float
    slopes: list[FloatArray] = field(default_factory=list)
    kept: dict[tuple[int, bytes], tuple[FloatArray, FloatArray]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        carrier = self.family.carrier
        self.slopes = [carrier.carried(z, self.values, 1, drift=False).slope for z in self.points]

    def second(self, u: Complex, v: Complex) -> Complex:
        """Compute B(u, v), shape (k,)."""
        frame = [self.family.frame.basis @ each for each in (u, v)]
        made = np.zeros(len(frame[0]), np.complex128)
        for place, slope in enumerate(self.slopes):
            made = slope @ made + self._second(place, *frame)
            frame = [slope @ each for each in frame]
        return np.asarray(self.family.frame.basis.T @ made)

    def third(self, u: Complex, v: Complex, w: Complex) -> Complex:
        """Compute C(u, v, w), shape (k,)."""
        a, b, c = (self.family.frame.basis @ each for each in (u, v, w))
        made, ab, ac, bc = (np.zeros(len(a), np.complex128) for _ in range(4))
        for place, slope in enumerate(self.slopes):
            made = slope @ made + self._third(place, a, b, c)
            for one, pair in ((a, bc), (b, ac), (c, ab)):
                made = made + self._second(place, one, pair)
            ab = slope @ ab + self._second(place, a, b)
            ac = slope @ ac + self._second(place, a, c)
            bc = slope @ bc + self._second(place, b, c)
            a, b, c = slope @ a, slope @ b, slope @ c
        return np.asarray(self.family.frame.basis.T @ made)

    def _second(self, place: int, u: Complex, v: Complex) -> Complex:
        """Compute the second derivative of one step."""
        made = np.zeros(len(u), np.complex128)
        for factor, real in _parts(u):
            made = made + factor * (self._bends(place, real)[0] @ v)
        return made

    def _third(self, place: int, u: Complex, v: Complex, w: Complex) -> Complex:
        """Compute the third derivative of one step, two of its directions by polarisation."""
        made = np.zeros(len(u), np.complex128)
        for first, x in _parts(u):
            for second, y in _parts(v):
                if np.array_equal(x, y):
                    bend = self._bends(place, x)[1]
                else:
                    bend = 0.25 * (self._bends(place, x + y)[1] - self._bends(place, x - y)[1])
                made = made + first * second * (bend @ w)
        return made

    def _bends(self, place: int, u: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the first and second derivative of a step's Jacobian along a direction."""
        if not u.any():
            none = np.zeros_like(self.slopes[place])
            return none, none
        key = (place, u.tobytes())
        if key not in self.kept:
            self.kept[key] = self.family.carrier.bends(
                self.points[place], self.values, u, self.width
            )
        return self.kept[key]


def _parts(u: Complex) -> list[tuple[complex, FloatArray]]:
    """Split a complex vector into real ones, those that are 0 left out."""
    parts = ((1.0 + 0.0j, np.ascontiguousarray(u.real)), (1.0j, np.ascontiguousarray(u.imag)))
    return [(factor, part) for factor, part in parts if part.any()]


def fold_form(family: Family, x: FloatArray, a: float, period: int) -> Coefficient | None:
    """Compute b of a fold; None where its multiplier 1 is not simple."""
    return _form(family, x, a, period, 1.0, _fold)


def flip_form(family: Family, x: FloatArray, a: float, period: int) -> Coefficient | None:
    """Compute c of a flip.

    None where its multiplier -1 is not simple, and where a lap has the multiplier 1 besides and the
    cycles drift along their manifold.
    """
    return _form(family, x, a, period, -1.0, _flip)


def neimark_sacker_form(family: Family, x: FloatArray, a: float, period: int) -> Coefficient | None:
    """Compute Re d of a Neimark-Sacker point; None at a strong resonance."""
    slope = family.lap(x, a, period, by_parameter=False).slope
    values = np.linalg.eigvals(slope)
    above = values[values.imag > 0.0]
    if not above.size:
        return None
    value = complex(above[np.argmin(np.abs(np.abs(above) - 1.0))])
    value /= abs(value)
    if min(abs(value**3 - 1.0), abs(value**4 - 1.0)) < RESONANT:
        return None
    return _form(family, x, a, period, value, _neimark_sacker)


_Form = Callable[[_Lap, FloatArray, complex, Complex, Complex], complex | None]


def _form(
    family: Family, x: FloatArray, a: float, period: int, value: complex, compute: _Form
) -> Coefficient | None:
    """Compute a coefficient twice, with differences of two widths."""
    slope = family.lap(x, a, period, by_parameter=False).slope
    vectors = _vectors(slope, value)
    if vectors is None:
        return None
    points = family.cycle(x, a, period)
    made = []
    for width in (1.0, 2.0):
        with np.errstate(all="ignore"):
            found = compute(_Lap(family, np.array([a]), points, width), slope, value, *vectors)
        if found is None or not math.isfinite(found.real):
            return None
        made.append(found.real)
        if family.carrier.is_exact:
            made.append(found.real)
            break
    return Coefficient(made[0], abs(made[1] - made[0]) + ROUNDING * abs(made[0]))


def _vectors(slope: FloatArray, value: complex) -> tuple[Complex, Complex] | None:
    """Return the eigenvector q and the left one p, p̄·q = 1; None where they are not simple."""
    values, vectors = np.linalg.eig(slope.astype(np.complex128))
    others, adjoint = np.linalg.eig(slope.T.astype(np.complex128))
    if np.count_nonzero(np.abs(values - value) < 1e-4) != 1:
        return None
    q = vectors[:, int(np.argmin(np.abs(values - value)))]
    p = adjoint[:, int(np.argmin(np.abs(others - np.conj(value))))]
    if isinstance(value, float) or value.imag == 0.0:
        q, p = q.real + 0.0j, p.real + 0.0j
    product = np.vdot(p, q)
    if abs(product) < SINGULAR:
        return None
    return q, p / np.conj(product)


def _fold(lap: _Lap, slope: FloatArray, value: complex, q: Complex, p: Complex) -> complex | None:
    return complex(0.5 * np.vdot(p, lap.second(q, q)))


def _flip(lap: _Lap, slope: FloatArray, value: complex, q: Complex, p: Complex) -> complex | None:
    bend = _solved(np.eye(len(slope)) - slope, lap.second(q, q))
    if bend is None:
        return None
    return complex(np.vdot(p, lap.third(q, q, q) + 3.0 * lap.second(q, bend)) / 6.0)


def _neimark_sacker(
    lap: _Lap, slope: FloatArray, value: complex, q: Complex, p: Complex
) -> complex | None:
    one, other = np.eye(len(slope)), np.conj(q)
    still = _solved(one - slope, lap.second(q, other))
    turning = _solved(np.asarray(value**2 * one - slope, np.complex128), lap.second(q, q))
    if still is None or turning is None:
        return None
    terms = lap.third(q, q, other) + 2.0 * lap.second(q, still) + lap.second(other, turning)
    return complex(0.5 * np.conj(value) * np.vdot(p, terms))


def _solved(matrix: FloatArray | Complex, right: Complex) -> Complex | None:
    """Solve a system that may be singular; None where the right side is not in the range."""
    left, sizes, rows = np.linalg.svd(matrix)
    kept = sizes > SINGULAR * max(float(sizes[0]), 1.0)
    along = np.conj(left.T) @ right
    if not kept.all() and float(np.linalg.norm(along[~kept])) > 1e-6 * float(np.linalg.norm(right)):
        return None
    return np.asarray(np.conj(rows[kept].T) @ (along[kept] / sizes[kept]))
