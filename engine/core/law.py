"""The law of a run's motion as data, which many runs at once are computed from.

A `System` describes one map in Python; a law says how the map depends on parameters and start, in
a form that can be compiled. An experiment has one (`AbstractExperiment.law`) also where its step
has no derivative.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.arrays import FloatArray
from engine.core.params import ParamSpec


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
    """

    dials: tuple[Dial, ...]
    variables: tuple[str, ...]
    labels: Mapping[str, str]

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
