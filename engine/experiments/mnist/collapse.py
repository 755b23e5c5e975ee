"""Whether a training has become unstable or collapsed to chance, by its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.experiments.mnist.history import History

BLOWN_UP = 10.0
"""Rise of the loss above its start that no noise of batches explains."""
ABOVE_START = 2.0
"""Rise of the recent loss above its start from which on a training is unstable."""
NOT_FALLEN = 0.95
"""Share of the loss at the start that is left where nothing was learned."""
RECENT = 20
"""Batches whose median is the recent loss."""
CHANCE = 10.0
"""Percent of ten classes that a guess hits."""
NEAR_CHANCE = 1.5 * CHANCE
"""Percent of the test images below which a network does no better than chance."""


def trouble(history: History) -> tuple[str, str]:
    """Return a phase and a sentence for a training that has gone wrong; empty if it has not.

    It is unstable while the loss is far above its start after a blow-up, and has collapsed to
    chance where the last look at the test images, after the first step, shows no more than
    chance while the loss is not below its start or has blown up.
    """
    _, losses = history.measured("loss")
    if len(losses) == 0:
        return "", ""
    start, top, recent = losses[0], losses.max(), float(np.median(losses[-RECENT:]))
    tested, accuracies = history.measured("test_accuracy")
    blown = top > BLOWN_UP * start
    lost = blown or recent > NOT_FALLEN * start
    rise = f"the loss rose from {start:.4g} to {top:.4g} and is {recent:.4g}"
    if lost and tested[-1] > 0 and accuracies[-1] <= NEAR_CHANCE:
        after = f": {rise}" if blown else ""
        return "collapsed to chance", f"the test accuracy is no better than chance{after}"
    if blown and recent > ABOVE_START * start:
        return "unstable", f"the training is unstable: {rise}"
    return "", ""
