r"""Basins of two weights: which minimum gradient descent reaches from every start in the plane.

With two weights the minima are the hyperbola :math:`w_1w_2=\lambda`, and the sharpness at one is
:math:`S=\sigma(w_1^2+w_2^2)`; without momentum only those with :math:`\delta S/2\leq 1` can be
reached (Proposition 1), and the border of what stays bounded is an ellipse
(`engine.theory.bounded_level`) as long as :math:`\delta\sigma|\lambda|<2`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray

if TYPE_CHECKING:
    from engine.kernels.scalar.descent import Law, Method

CELLS = 160
"""Starts along each axis."""
MOST = 300
"""Steps after which a start is given up."""
NEAR = 1e-6
"""Error at which a run has settled, in units of the target or 1."""
FAR = 1e3
"""A run that is so far, in units of the plane, does not come back."""


def basins(law: Law, reach: float) -> FloatArray:
    """Compute what is reached from every start of a square, for L = 2 and a fixed step size.

    The latest are kept: one with the same law and reach is the same array.

    Parameters
    ----------
    law : Law
    reach : float
        Both weights start from -reach to reach.

    Returns
    -------
    stability : ndarray, shape (CELLS, CELLS)
        Step size times sharpness over 2 at the minimum that is reached; where none is but the run
        stays bounded the largest that can be (`largest_stability`); NaN where it diverges. Row 0
        has the least second weight.

    Raises
    ------
    ValueError
        If there are not two weights.
    """
    if law.depth != 2:
        raise ValueError(f"basins are drawn of two weights, not of {law.depth}")
    return _basins(
        law.step, law.target, law.input_power, int(law.method), law.momentum, float(reach)
    )


def largest_stability(method: Method, momentum: float) -> float:
    """Return the largest step size times sharpness over 2 at which a minimum attracts.

    Half the optimiser's own limit, where an eigenvalue of the Jacobian at the minimum reaches -1.
    """
    names: tuple[theory.Optimiser, ...] = ("gradient-descent", "heavy-ball", "nesterov")
    return 0.5 * theory.stability_limit(names[method], momentum)


@lru_cache(maxsize=6)
def _basins(
    step: float, target: float, sigma: float, method: int, momentum: float, reach: float
) -> FloatArray:
    from engine.kernels.scalar.descent import Method
    from engine.kernels.scalar.maps import Motion, landings

    starts: FloatArray = (2.0 * np.arange(CELLS) + 1.0 - CELLS) * np.float64(reach / CELLS)
    stability = np.empty((CELLS, CELLS))
    near = NEAR * max(1.0, abs(target))
    law = Motion(target, sigma, 2, method, momentum, FAR * reach)
    landings(starts, step, law, MOST, near, stability)
    stability = np.minimum(stability, largest_stability(Method(method), momentum))
    stability.setflags(write=False)
    return stability
