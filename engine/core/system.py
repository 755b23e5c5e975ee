"""A run's law of motion as a map of R^n, and a loss with derivatives: what analyses rest on.

An experiment whose step is a smooth map with a known derivative describes it by a `System`
(`AbstractExperiment.system`). Lyapunov spectra, continuation, basins and orbit diagrams need
nothing else of the experiment. A `Law` says how the map depends on parameters and start, as data
from which many runs at once are computed; an experiment may have one (`AbstractExperiment.law`)
also where its step has no derivative.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.params import Params, ParamSpec, describe

StateT = TypeVar("StateT")


@dataclass(frozen=True, slots=True, eq=False)
class InvariantSet:
    """An affine subspace of a system's space that its step maps into itself.

    Attributes
    ----------
    name : str
        What is true of its points, as the end of "the points with ..."; plain text.
    basis : ndarray, shape (n, k)
        Orthonormal columns that span its directions.
    origin : ndarray, shape (n,)
        A point of it.
    """

    name: str
    basis: FloatArray
    origin: FloatArray

    def project(self, z: FloatArray) -> FloatArray:
        """Return the nearest point of the set, shape (n,)."""
        return np.asarray(self.origin + self.basis @ (self.basis.T @ (z - self.origin)))


@dataclass(frozen=True, eq=False, kw_only=True)
class System(ABC, Generic[StateT]):
    """The map z[k+1] = step(z[k]) of R^n that an experiment iterates at fixed parameters.

    It is pure and holds no run. Beyond the range of a float its values are inf or nan, without a
    warning. With momentum the point is augmented: the weights, then their velocities, of which
    each is the last change of its weight.

    Attributes
    ----------
    coordinates : tuple of str, length n
        Symbols of the coordinates, as mathtext without dollars.
    varied : tuple of ParamSpec
        The real parameters on which the map depends, with their ranges; the experiment's `system`
        gives the map at other values of them.
    invariant_sets : tuple of InvariantSet
        Sets that no orbit leaves, the most symmetric first.
    """

    coordinates: tuple[str, ...]
    varied: tuple[ParamSpec, ...]
    invariant_sets: tuple[InvariantSet, ...] = ()

    @property
    def dimension(self) -> int:
        """Number n of coordinates."""
        return len(self.coordinates)

    @abstractmethod
    def step(self, z: FloatArray) -> FloatArray:
        """Compute the point after one update, shape (n,), from the one before, shape (n,)."""

    @abstractmethod
    def jacobian(self, z: FloatArray) -> FloatArray:
        """Compute the derivative of `step` at a point, shape (n, n)."""

    @abstractmethod
    def point(self, state: StateT) -> FloatArray:
        """Return where a state of a run is, shape (n,); from there `step` goes on as the run."""

    @abstractmethod
    def start(self, seed: int) -> FloatArray:
        """Return where a run of this seed begins, shape (n,).

        Raises
        ------
        InputError
            If the parameters of the start cannot be used together.
        """


def varied(params: Params, *names: str) -> tuple[ParamSpec, ...]:
    """Describe those of some real parameters that have an effect, for `System.varied`."""
    values = params.model_dump()
    specs = {spec.name: spec for spec in describe(type(params))}
    return tuple(specs[name] for name in names if specs[name].is_active(values))


def symbols(letter: str, count: int) -> tuple[str, ...]:
    """Write the symbols of the entries of a vector, ``w_1`` to ``w_{12}``."""
    return tuple(f"{letter}_{{{i}}}" if i > 9 else f"{letter}_{i}" for i in range(1, count + 1))


def augmented(sets: tuple[InvariantSet, ...]) -> tuple[InvariantSet, ...]:
    """Extend invariant sets of the weights by velocities along them, for momentum."""
    made = []
    for each in sets:
        none = np.zeros_like(each.basis)
        basis = np.block([[each.basis, none], [none, each.basis]])
        made.append(
            InvariantSet(
                each.name, basis, np.concatenate([each.origin, np.zeros_like(each.origin)])
            )
        )
    return tuple(made)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A number that may differ from run to run: a parameter, or a coordinate of the start.

    Attributes
    ----------
    name : str
        As an axis of a map names it.
    label : str
        Mathtext without dollars.
    value : float
        Of the law's own parameters.
    low, high : float
        Customary range, that of a slider.
    least, most : float
        Ends of what is allowed.
    log : bool
        Whether a scale of equal ratios suits it.
    is_start : bool
        Whether it is a coordinate of the start.
    """

    name: str
    label: str
    value: float
    low: float
    high: float
    least: float
    most: float
    log: bool = False
    is_start: bool = False

    @classmethod
    def of(
        cls, spec: ParamSpec, value: float, low: float | None = None, high: float | None = None
    ) -> Dial:
        """Return the dial of a real parameter.

        Parameters
        ----------
        spec : ParamSpec
        value : float
        low, high : float, optional
            Customary range; by default from a tenth to ten times the value where the parameter's
            slider is logarithmic or has no ends, else the slider's.
        """
        least = -math.inf if spec.minimum is None else spec.minimum
        most = math.inf if spec.maximum is None else spec.maximum
        is_wide = spec.log or not math.isfinite(most - least)
        ends = sorted([0.1 * value, 10.0 * value]) if is_wide else [least, most]
        return cls(
            name=spec.name,
            label=spec.symbol or rf"\mathrm{{{spec.label}}}",
            value=value,
            low=max(ends[0] if low is None else low, least),
            high=min(ends[1] if high is None else high, most),
            least=least,
            most=most,
            log=spec.log,
        )

    @classmethod
    def coordinate(
        cls, name: str, label: str, value: float, reach: float, middle: float = 0.0
    ) -> Dial:
        """Return the dial of a coordinate of the start, customarily `reach` around a number."""
        return cls(
            name=name,
            label=label,
            value=value,
            low=middle - reach,
            high=middle + reach,
            least=-1e6,
            most=1e6,
            is_start=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Border:
    """A curve in a plane of starts at which, as the theory says, what runs do changes.

    Attributes
    ----------
    names : tuple of two str
        Coordinates of the start.
    points : ndarray, shape (m, 2)
    label, source : str
        For people, and where the statement stands.
    """

    names: tuple[str, str]
    points: FloatArray
    label: str
    source: str


class Law(ABC):
    """How all runs of an experiment move whose parameters differ in its dials only.

    Attributes
    ----------
    dials : tuple of Dial
        Parameters first, then coordinates of the start.
    variables : tuple of str
        Names of the variables that move, as an axis names them.
    labels : mapping of str to str
        Mathtext of the variables.
    borders : tuple of Border
        Of the law's own parameters.
    """

    dials: tuple[Dial, ...]
    variables: tuple[str, ...]
    labels: Mapping[str, str]
    borders: tuple[Border, ...]

    @abstractmethod
    def settings(self, values: Mapping[str, float], start: FloatArray | None) -> dict[str, Any]:
        """Return the parameters that a single run has: those that differ, by name.

        Parameters
        ----------
        values : mapping of str to float
            Of some dials, by name.
        start : ndarray, shape (n,), or None
            Where the run begins, in the law's variables; None leaves it as it is.

        Raises
        ------
        InputError
            If no single run begins there.
        """


class Derivatives(Protocol):
    """A real function of n real variables with its derivatives to fourth order.

    All are exact up to rounding, never differences. Where one is undefined it is inf or nan,
    without a warning.
    """

    @property
    def dimension(self) -> int:
        """Number n of variables."""
        ...

    def value(self, z: FloatArray) -> float:
        """Compute f at a point, shape (n,)."""
        ...

    def gradient(self, z: FloatArray) -> FloatArray:
        """Compute the gradient, shape (n,)."""
        ...

    def hessian(self, z: FloatArray) -> FloatArray:
        """Compute the Hessian, shape (n, n)."""
        ...

    def third(self, z: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Compute the third derivative along two directions, as a vector, shape (n,)."""
        ...

    def fourth(
        self, z: FloatArray, u: FloatArray, v: FloatArray, w: FloatArray, x: FloatArray
    ) -> float:
        """Compute the fourth derivative along four directions."""
        ...

    def kinks(self, z: FloatArray) -> float:
        """Return how near the point is to a kink of f: inf where f has none.

        The least distance of the argument of an abs, max, min, relu ... from the place of its kink,
        relative to the sizes of what it is computed from.
        """
        ...
