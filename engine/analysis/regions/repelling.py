r"""Proofs that an equilibrium of descent repels.

At an equilibrium the derivative of a step has, for every eigenvalue h of the Hessian, the
eigenvalues that the optimiser's characteristic polynomial :math:`p_h` has as roots. Its leading
coefficient is 1, so :math:`p_h(-1)<0` for a polynomial of degree 2, and :math:`-1-(1-sh)>0` for
plain descent, means a real root below -1. That is :math:`sh` above 2, 2(1 + β) for heavy-ball and
2(1 + β)/(1 + 2β) for Nesterov's momentum. The largest eigenvalue of a symmetric matrix is at least
:math:`v^\top Hv/v^\top v` for any v, so one direction v proves it. An eigenvalue outside the unit
circle makes an equilibrium of a smooth map unstable, whatever the others are: so it does on a
manifold of minima, where they are 1. In the same way :math:`h<0` gives a root above 1: a saddle.
"""

from __future__ import annotations

import numpy as np

from engine.analysis.regions.interval import Interval, applied, dot
from engine.analysis.regions.maps import Descent


def is_repelling(descent: Descent, box: Interval) -> bool:
    """Return whether every equilibrium in a box, shape (n,), is proved to repel.

    Parameters
    ----------
    descent : Descent
    box : Interval, shape (n,)
        Of weights.
    """
    curve = descent.loss.curves(box[None])[2][0]
    if not np.isfinite(curve.size).all():
        return False
    step = descent.step(box[None])[0]
    beta = Interval.point(descent.momentum if descent.has_velocity else 0.0)
    ahead = 1.0 + 2.0 * beta if descent.looks_ahead else Interval.point(1.0)
    vectors = np.linalg.eigh(curve.mid)[1]
    top, bottom = vectors[:, -1], vectors[:, 0]
    pull = step * ahead * dot(top, applied(curve, top))
    limit = 2.0 * (1.0 + beta) * dot(top, Interval.point(top))
    is_sharp = bool((pull - limit).lo > 0.0)
    is_saddle = bool(dot(bottom, applied(curve, bottom)).hi < 0.0 and step.lo > 0.0)
    return is_sharp or is_saddle
