"""What a classification of a run's phase looks at: its last steps, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.analysis.exponents import exponent_of, settled
from engine.core.outcome import Exponent

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The last steps of a run, and what is known of where it can end.

    Attributes
    ----------
    step : int
        The last step, k.
    error : ndarray, shape (m,)
        Signed error or its norm; zero at a minimum.
    states : ndarray, shape (m, d)
        What must repeat for the run to be periodic: the weights, or the error as one column.
    is_whole : bool
        Whether `states` is all that the next step depends on.
    scale : float
        Size of errors that count as large, for example the target's magnitude.
    diverged_at : int or None
    growth : ndarray, shape (n,), or None
        Log growth of a small displacement in each of the last n steps, within the space that the
        run moves in.
    growth_of : str
        The displacements that `growth` is of.
    multiplier : float or None
        Factor by which a small error is multiplied per step at the last state, if known.
    stability : float or None
        Step size times sharpness at the last state over the largest stable value, if known.
    can_rest : bool or None
        Whether any minimum is stable, or neutral, at this step size; None where it is not known.
    ahead : float or None
        The multiplier, in magnitude, at the minimum that the run can come to, where it is known.
    is_sure : bool
        Whether the theory says that the run comes to a minimum from wherever it is.
    is_linear : bool
        Whether the multiplier is that of every step: it alone then decides between growth and
        decay.
    rest : ndarray or None
        The last distances from an equilibrium that is no minimum (for example the largest
        weight), with its name in `rest_name`.
    rest_is_neutral : bool or None
        Whether the distance from it shrinks as a power of k; None where that is not known.
    repels : callable or None
        Returns whether a cycle of so many steps (1 at an equilibrium), which the states show,
        repels small displacements, or None where that is not known; for where there is no `growth`.
    start : ndarray, shape (d,), or None
        The state that the run began at, where it is kept longer than the window.
    """

    step: int
    error: Array
    states: Array
    is_whole: bool = True
    scale: float = 1.0
    diverged_at: int | None = None
    growth: Array | None = None
    growth_of: str = ""
    multiplier: float | None = None
    stability: float | None = None
    can_rest: bool | None = None
    ahead: float | None = None
    is_sure: bool = False
    is_linear: bool = False
    rest: Array | None = None
    rest_name: str = "0"
    rest_is_neutral: bool | None = None
    repels: Callable[[int], bool | None] | None = None
    start: Array | None = None

    def stays(self, share: float) -> bool:
        """Return whether the run is known to be where it began, but for a share of its size."""
        first = self.start
        if first is None or first.shape != self.states.shape[1:]:
            if not 0 < self.step < self.states.shape[0]:
                return False
            first = self.states[0]
        size = float(np.max(np.abs(self.states)))
        return float(np.max(np.abs(self.states - first))) <= share * size

    def exponents(self, period: int | None = None) -> tuple[Exponent, ...]:
        """Measure the exponent over the later part of the window, or over whole laps of a cycle."""
        if self.growth is None:
            return ()
        found = exponent_of(settled(self.growth, period), self.growth_of, period)
        return () if found is None else (found,)
