"""The contract of experiments that classify what is drawn with the mouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class DrawingClassifier(Protocol):
    """An experiment whose networks answer a drawing of a digit."""

    def answer_drawing(
        self, state: Any, ink: NDArray[np.floating[Any]]
    ) -> Mapping[str, NDArray[np.floating[Any]]]:
        """Return the answer of a run's networks; may be called from any thread while it goes on.

        Parameters
        ----------
        state : State
            A state of the run.
        ink : ndarray, shape (rows, columns)
            Ink from 0 (none) to 1, in any size.

        Returns
        -------
        mapping of str to ndarray, each of shape (10,)
            ``convex`` and ``concave`` parts of the scores, and ``probabilities``.
        """
        ...
