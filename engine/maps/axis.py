"""An axis of a map: the values of one parameter, or of one coordinate of the start."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.text.arithmetic import NumberError, read_number, read_whole

MOST_CELLS = 100_000
"""Cells along an axis at most."""
FORM = "give name=low:high:count, as in step_size=0.1:0.9:400, with :log for equal ratios"


def check_ends(name: str, low: float, high: float) -> None:
    """Raise unless two ends are finite and in ascending order.

    Raises
    ------
    InputError
        If they are not; the sentence names what varies between them.
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(name, f"{low}:{high}", "give two finite ends, low:high")
    if low > high:
        raise InputError(name, f"{low}:{high}", "give the lower end first")
    if low == high:
        raise InputError(name, f"{low}:{high}", "give two ends that differ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """Equal cells between two ends; the value of a cell is that of its middle.

    Attributes
    ----------
    name : str
        Of a parameter, or of a coordinate of the start.
    low, high : float
        The ends, low < high; both positive where the axis is logarithmic.
    count : int
        Cells, 1 to `MOST_CELLS`.
    log : bool
        Whether the cells have equal ratios.

    Raises
    ------
    InputError
        If the ends or the number cannot be used.
    """

    name: str
    low: float
    high: float
    count: int
    log: bool = False

    def __post_init__(self) -> None:
        check_ends(self.name, self.low, self.high)
        if self.log and self.low <= 0.0:
            raise InputError(self.name, self.low, "a logarithmic axis begins above 0")
        if not 1 <= self.count <= MOST_CELLS:
            raise InputError(self.name, self.count, f"give 1 to {MOST_CELLS} cells")

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Read ``name=low:high:count`` or ``name=low:high:count:log``.

        Raises
        ------
        InputError
            If it has another form.
        """
        name, equals, rest = text.partition("=")
        parts = rest.split(":")
        log = len(parts) == 4 and parts[3].strip() == "log"
        if not (equals and name.strip() and (len(parts) == 3 or log)):
            raise InputError("axis", text, FORM)
        try:
            low, high, count = read_number(parts[0]), read_number(parts[1]), read_whole(parts[2])
        except NumberError as error:
            raise InputError(name.strip(), rest, FORM) from error
        return cls(name=name.strip(), low=low, high=high, count=count, log=log)

    @property
    def values(self) -> FloatArray:
        """The values of the cells, shape (count,), ascending."""
        return self.at(np.arange(self.count, dtype=np.float64) + 0.5)

    def at(self, place: FloatArray | float) -> FloatArray:
        """Return the value at a place along the axis, counted in cells from the low end."""
        share = np.asarray(place, np.float64) / self.count
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return np.asarray(np.exp(low + share * (high - low)))
        return np.asarray(self.low + share * (self.high - self.low))

    def place(self, value: FloatArray | float) -> FloatArray:
        """Return where a value lies along the axis, counted in cells from the low end."""
        x = np.asarray(value, np.float64)
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                low, high = math.log(self.low), math.log(self.high)
                return np.asarray((np.log(x) - low) / (high - low) * self.count)
        return np.asarray((x - self.low) / (self.high - self.low) * self.count)
