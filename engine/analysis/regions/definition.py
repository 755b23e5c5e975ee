r"""Lyapunov's definition of stability with numbers: a δ for an ε, proved.

Let V(w) = (w - w*)ᵀP(w - w*) fall within the ellipsoid V <= γ² (`cycles.Core`), and let
:math:`\ell|x|^2\leq x^\top Px\leq u|x|^2`, which is proved by P - ℓ and u - P being positive
definite. A start closer than δ to w* has :math:`V\leq u\delta^2`. If that is at most γ² and ℓε²,
then V stays at most so, and the run within ε of w*. So δ may be the lesser of
:math:`\gamma/\sqrt u` and :math:`\epsilon\sqrt{\ell/u}`.
"""

from __future__ import annotations

import numpy as np

from engine.analysis.regions.cycles import Core
from engine.analysis.regions.definite import is_positive_definite
from engine.analysis.regions.interval import Interval


def ball_within(core: Core, epsilon: float) -> float | None:
    """Return δ such that runs from within δ of the centre are proved to stay within `epsilon`.

    Parameters
    ----------
    core : Core
        Of an equilibrium.
    epsilon : float

    Returns
    -------
    float or None
        None where nothing is proved. Distances are Euclidean, from the equilibrium itself.
    """
    values, one = np.linalg.eigvalsh(core.weight), np.eye(len(core.weight))
    low, high = float(values[0]) * (1.0 - 1e-6), float(values[-1]) * (1.0 + 1e-6)
    is_between = is_positive_definite(core.weight - Interval.point(one) * low) & (
        is_positive_definite(Interval.point(one) * high - core.weight)
    )
    if low <= 0.0 or not bool(is_between):
        return None
    over = Interval.point(high).inverse()
    of_core = Interval.point(core.level) * over
    of_radius = Interval.point(epsilon).squared() * low * over
    least = max(min(float(of_core.lo), float(of_radius.lo)), 0.0)
    made = float(np.sqrt(least)) * (1.0 - 1e-15)
    return made if made > 0.0 else None
