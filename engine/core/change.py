"""Changes of a run: live parameters given new values, and small random pushes of its state.

A run that stands exactly on a minimum stays there at any step size, stable or not; a push shows
which of the two it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.core.errors import InputError
from engine.text.numbers import power_of_ten, short

if TYPE_CHECKING:
    from engine.core.arrays import FloatArray

SMALLEST, LARGEST = 1e-14, 1.0
"""Sizes that may be asked for: rounding swallows what is below."""
_STREAM = 0x6E756467
"""Keeps the numbers of a push apart from those that the same seed makes a start of."""


@dataclass(frozen=True, slots=True)
class Nudge:
    """A random push of a run's state: by `size` times its norm, in a direction made of `seed`."""

    size: float = 1e-6
    seed: int = 0

    @property
    def size_text(self) -> str:
        """The size for reading: 10⁻⁶, or 0.003 where it is no power of ten."""
        mantissa, _, exponent = f"{self.size:.15e}".partition("e")
        if float(mantissa) != 1:
            return short(self.size, 6)
        return power_of_ten(int(exponent))


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a run when `step` updates had been made.

    Live parameters were given new `values`, or, where there is a `nudge`, its state was pushed.
    Changes of one step are in the order in which they were made.
    """

    step: int
    values: Mapping[str, Any] = field(default_factory=dict)
    nudge: Nudge | None = None


def checked(nudge: Nudge) -> Nudge:
    """Return a push back that may be made.

    Raises
    ------
    InputError
        If its size or its seed is out of range.
    """
    if not SMALLEST <= nudge.size <= LARGEST:
        raise InputError(
            "nudge.size",
            nudge.size,
            f"give a number from {short(SMALLEST)} to {short(LARGEST)}",
        )
    if nudge.seed < 0:
        raise InputError("nudge.seed", nudge.seed, "give a whole number of at least 0")
    return nudge


def pushed(values: FloatArray, nudge: Nudge, least: float = 0.0) -> FloatArray:
    """Move numbers in a random direction, by a share of their own norm.

    Parameters
    ----------
    values : ndarray
        Of any shape, finite.
    nudge : Nudge
        Share and seed.
    least : float
        Norm that counts at least, so that numbers that are all 0 move too.

    Returns
    -------
    ndarray
        New numbers of the same shape; what they moved by has the norm
        ``nudge.size * max(norm(values), least)`` to rounding.
    """
    import numpy as np  # the window knows changes before it can afford it

    generator = np.random.default_rng([_STREAM, nudge.seed])
    direction = generator.standard_normal(values.shape)
    length = max(float(np.linalg.norm(values)), least) * nudge.size
    moved: FloatArray = values + direction * (length / float(np.linalg.norm(direction)))
    return moved
