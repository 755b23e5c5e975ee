"""Branches of equilibria and cycles over one parameter, as an orbit diagram draws them.

`engine.maps.tree.find` makes them. Everything here is plain data: it can be pickled, and holds no
run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.claims import Lamp
from engine.core.errors import InputError
from engine.core.params import Params
from engine.maps.axis import check_ends
from engine.maps.kind import Overlay
from engine.maps.spec import MapSpec
from engine.text.numbers import short

SOURCE = "continuation in pseudo-arclength"


class Stability(IntEnum):
    """What small displacements from a cycle do."""

    STABLE = 0
    UNSTABLE = 1
    ACROSS = 2
    """They fade within the invariant set that the branch is followed in, and grow out of it."""


DASHES = {Stability.STABLE: "solid", Stability.UNSTABLE: "dash", Stability.ACROSS: "dot"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchSpec:
    """All that branches depend on.

    Attributes
    ----------
    experiment : str
        Public id.
    params : Params
        Of every point, but for the one that varies.
    seed : int
    name : str
        The parameter that varies.
    low, high : float
        Its ends.
    max_period : int
        Longest period, 1 to 16.
    """

    experiment: str
    params: Params
    seed: int = 0
    name: str
    low: float
    high: float
    max_period: int = 8

    def __post_init__(self) -> None:
        check_ends(self.name, self.low, self.high)
        if not 1 <= self.max_period <= 16:
            raise InputError("max_period", self.max_period, "give a whole number from 1 to 16")

    @classmethod
    def of(cls, spec: MapSpec, max_period: int = 8) -> BranchSpec:
        """Return the branches over the x axis of a map."""
        return cls(
            experiment=spec.experiment,
            params=spec.params,
            seed=spec.seed,
            name=spec.x.name,
            low=spec.x.low,
            high=spec.x.high,
            max_period=max_period,
        )

    def as_table(self) -> dict[str, Any]:
        """Return what `branches.json` holds of it, JSON-ready."""
        return {
            "experiment": self.experiment,
            "params": self.params.model_dump(mode="json"),
            "seed": self.seed,
            "x": {"name": self.name, "low": self.low, "high": self.high},
            "max_period": self.max_period,
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stroke:
    """A part of a curve that is drawn with one line.

    Attributes
    ----------
    x, y : ndarray, shape (m,)
        Parameter and coordinate; NaN parts the points of a cycle from one another.
    stability : Stability
    period : int
    curve : int
        Number of the curve that it belongs to.
    """

    x: FloatArray
    y: FloatArray
    stability: Stability
    period: int
    curve: int

    @property
    def dash(self) -> str:
        """Return "solid", "dash" or "dot"."""
        return DASHES[self.stability]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Cycles of one period that are joined by a curve.

    Attributes
    ----------
    number : int
        Its place in `Branches.curves`.
    period : int
    parameter : ndarray, shape (m,)
    cycles : ndarray, shape (m, period, n)
        All points of each cycle, in the order of the steps.
    stability : ndarray of u1, shape (m,)
        Codes of `Stability`.
    radius : ndarray, shape (m,)
        Largest multiplier of a lap in magnitude, within the set that the branch is followed in;
        those of a manifold, which are 1, left out.
    across : ndarray, shape (m,)
        The same out of the set; 0 where it is the whole space.
    manifold : int
        Dimension of the manifold that such cycles fill at each parameter, 0 where each is alone.
    origin : int or None
        Number of the special point at which it branches off; None where it was found by itself.
    """

    number: int
    period: int
    parameter: FloatArray
    cycles: FloatArray
    stability: NDArray[np.uint8]
    radius: FloatArray
    across: FloatArray
    manifold: int = 0
    origin: int | None = None

    def strokes(self, coordinate: int) -> list[Stroke]:
        """Return its parts of one stability each, for a coordinate of the system."""
        changes = np.flatnonzero(np.diff(self.stability)) + 1
        edges = [0, *changes.tolist(), len(self.parameter)]
        made = []
        for first, last in itertools.pairwise(edges):
            end = min(last + 1, len(self.parameter))  # a part ends where the next begins
            x = np.append(self.parameter[first:end], np.nan)
            y = self.cycles[first:end, :, coordinate]
            gaps = np.full((1, self.period), np.nan)
            made.append(
                Stroke(
                    x=np.tile(x, self.period),
                    y=np.concatenate([y, gaps]).T.ravel(),
                    stability=Stability(int(self.stability[first])),
                    period=self.period,
                    curve=self.number,
                )
            )
        return made


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Special:
    """A bifurcation, located.

    Attributes
    ----------
    number : int
        Its place in `Branches.specials`.
    event : str
        "flip", "fold", "branch point" or "Neimark-Sacker".
    curve : int
        Number of the curve that it lies on.
    period : int
    parameter : float
    cycle : ndarray, shape (period, n)
    coefficient : float or None
        Of the normal form (`engine.analysis.critical`); None where it is not defined.
    error : float
        How far it may be off.
    others : float
        Largest multiplier of a lap in magnitude, but for those that the event is of, within the set
        that the branch is followed in; NaN where it is not known.
    """

    number: int
    event: str
    curve: int
    period: int
    parameter: float
    cycle: FloatArray
    coefficient: float | None = None
    error: float = 0.0
    others: float = math.nan

    @property
    def character(self) -> str:
        """What the sign of the coefficient says: "soft" or "hard"; empty where it says nothing.

        Soft: beyond a flip or Neimark-Sacker point what branches off attracts. Hard: before it
        what branches off repels, and beyond it nothing near attracts. It is a statement on
        motion within the set that the branch is followed in, and says nothing where another
        multiplier within that set is not smaller than 1: what branches off repels then anyway.
        """
        c = self.coefficient
        if c is None or not abs(c) > self.error or self.event not in ("flip", "Neimark-Sacker"):
            return ""
        if not self.others < 1.0:
            return ""
        sign = 1.0 if self.event == "flip" else -1.0
        return "soft" if sign * c > 0.0 else "hard"

    @property
    def label(self) -> str:
        """Name it in a few words, for a picture."""
        return f"{self._words}, period {self.period}" if self.event != "flip" else self._words

    @property
    def _words(self) -> str:
        words = f"{self.character} {self.event}".strip()
        return f"{words} {self.period} → {2 * self.period}" if self.event == "flip" else words

    @property
    def text(self) -> str:
        """Describe it in a sentence, for a hover text; plain text."""
        parts = [f"{self._words} at {short(self.parameter, 10)}"]
        if self.event != "flip":
            parts[0] += f", period {self.period}"
        if self.coefficient is not None:
            parts.append(f"coefficient {short(self.coefficient, 6)} ± {short(self.error, 1)}")
        if self.others >= 1.0:
            parts.append(f"another multiplier is {short(self.others, 6)} in magnitude")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branches:
    """What was found; that there are no others is never said.

    Attributes
    ----------
    spec : BranchSpec
    coordinates : tuple of str, length n
        Symbols, as mathtext without dollars.
    names : tuple of str
        Of the first of them, the weights, as axes of maps name them; may be empty.
    within : str
        What is true of the points of the set in which branches were followed, "all weights equal";
        empty for the whole space.
    curves : tuple of Curve
    specials : tuple of Special
    lamps : tuple of Lamp
        "Cycles are isolated", also across an invariant set, and in one "Transversally stable".
    notes : tuple of str
        What was left out, each in a sentence.
    """

    spec: BranchSpec
    coordinates: tuple[str, ...]
    names: tuple[str, ...] = ()
    within: str = ""
    curves: tuple[Curve, ...] = ()
    specials: tuple[Special, ...] = ()
    lamps: tuple[Lamp, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def coordinate(self, name: str) -> int | None:
        """Return the place of the coordinate that an axis names; None where it is none."""
        for names in (self.names, self.coordinates):
            if name in names:
                return names.index(name)
        return None

    def strokes(self, coordinate: int) -> list[Stroke]:
        """Return what an orbit diagram of a coordinate draws, unstable parts first."""
        made = [stroke for curve in self.curves for stroke in curve.strokes(coordinate)]
        return sorted(made, key=lambda stroke: -int(stroke.stability == Stability.UNSTABLE))

    def overlays(self, coordinate: int) -> tuple[Overlay, ...]:
        """Return the same as overlays of a map: one a kind of line, and one an event."""
        strokes, made = self.strokes(coordinate), []
        words = {
            Stability.STABLE: "stable cycles",
            Stability.UNSTABLE: "unstable cycles",
            Stability.ACROSS: "cycles unstable across",
        }
        for stability, label in words.items():
            some = [stroke for stroke in strokes if stroke.stability is stability]
            if some:
                x, y = (np.concatenate([getattr(each, key) for each in some]) for key in "xy")
                dash = DASHES[stability]
                made.append(Overlay(x=x, y=y, label=label, color="text", dash=dash, source=SOURCE))
        for event in dict.fromkeys(each.event for each in self.specials):
            points = [each for each in self.specials if each.event == event]
            y = np.concatenate([each.cycle[:, coordinate] for each in points])
            x = np.repeat([each.parameter for each in points], [each.period for each in points])
            made.append(Overlay(x=x, y=y, label=event, color="bad", dash="points", source=SOURCE))
        return tuple(made)

    def as_table(self) -> dict[str, Any]:
        """Return what `branches.json` holds, JSON-ready."""
        return {
            **self.spec.as_table(),
            "coordinates": list(self.coordinates),
            "names": list(self.names),
            "within": self.within,
            "lamps": [_lamp(each) for each in self.lamps],
            "notes": list(self.notes),
            "curves": [_curve(each) for each in self.curves],
            "specials": [_special(each) for each in self.specials],
        }

    def rows(self) -> Iterator[list[Any]]:
        """Return the rows of `branches.csv`: a point of a cycle each, headings first."""
        head = ["curve", "period", self.spec.name, "stability", "radius", "across", "point"]
        yield [*head, *self.coordinates]
        for curve in self.curves:
            for i, parameter in enumerate(curve.parameter.tolist()):
                stability = Stability(int(curve.stability[i])).name.lower()
                shared = [curve.number, curve.period, parameter, stability]
                shared += [float(curve.radius[i]), float(curve.across[i])]
                for place, z in enumerate(curve.cycles[i].tolist()):
                    yield [*shared, place, *z]


def _lamp(lamp: Lamp) -> dict[str, Any]:
    return {"name": lamp.name, "on": lamp.on, "detail": lamp.detail}


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "number": curve.number,
        "period": curve.period,
        "origin": curve.origin,
        "manifold": curve.manifold,
        "parameter": curve.parameter.tolist(),
        "cycles": curve.cycles.tolist(),
        "stability": [Stability(int(code)).name.lower() for code in curve.stability],
        "radius": curve.radius.tolist(),
        "across": curve.across.tolist(),
    }


def _special(special: Special) -> Mapping[str, Any]:
    return {
        "number": special.number,
        "event": special.event,
        "character": special.character,
        "curve": special.curve,
        "period": special.period,
        "parameter": special.parameter,
        "cycle": special.cycle.tolist(),
        "coefficient": special.coefficient,
        "error": special.error,
        "others": special.others,
    }
