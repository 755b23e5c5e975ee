"""What is recorded while a run advances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was recorded while a state advanced: buckets of `stride` consecutive steps.

    `low` and `high` hold, per series, the smallest and largest value within each bucket, shape
    (buckets,) or (buckets, width). With stride 1 both are the same exact values. The first bucket
    begins at step `first`; `count` steps are covered, so the last bucket may be shorter.
    """

    first: int
    count: int
    stride: int
    low: Mapping[str, FloatArray]
    high: Mapping[str, FloatArray]

    @classmethod
    def exact(cls, first: int, series: Mapping[str, FloatArray]) -> Chunk:
        """Wrap series recorded at every step from `first` on."""
        count = len(next(iter(series.values()))) if series else 0
        return cls(first, count, 1, series, series)

    def bucketed(self, stride: int) -> Chunk:
        """Reduce an exact chunk to the minimum and maximum of every `stride` steps."""
        if stride == self.stride or self.count == 0:
            return self
        starts = np.arange(0, self.count, stride)
        low = {key: np.fmin.reduceat(values, starts, axis=0) for key, values in self.low.items()}
        high = {key: np.fmax.reduceat(values, starts, axis=0) for key, values in self.high.items()}
        return Chunk(self.first, self.count, stride, low, high)
