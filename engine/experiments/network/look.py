"""What one look at the Hessian found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray

Numbers = NDArray[np.floating[Any]]
"""An array of the numbers that a run computes with, of 32 or 64 bits."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of the Hessian at one step.

    Attributes
    ----------
    step : int
    eigenvalues : ndarray, shape (k,)
        The largest of the curvature that counts for the optimiser, in descending order.
    limit : float
        The largest stable curvature.
    vectors : ndarray, shape (n, k)
        Unit eigenvectors of the curvature.
    products, seconds : int, float
        What it cost.
    converged : bool
    """

    step: int
    eigenvalues: FloatArray
    limit: float
    vectors: Numbers
    products: int
    seconds: float
    converged: bool

    @property
    def ratio(self) -> float:
        """The curvature over its largest stable value; NaN where there is none."""
        return float(self.eigenvalues[0]) / self.limit if self.limit > 0.0 else float("nan")
