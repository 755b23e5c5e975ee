"""A tape as a function with enclosures, for proofs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.analysis.regions.interval import Interval
from engine.core.arrays import FloatArray
from engine.expressions.tape import Tape
from engine.kernels.intervals.imaging import image_of
from engine.kernels.intervals.jets import coefficients, enclose

NO_DATA: FloatArray = np.zeros((0, 0))


@dataclass(frozen=True, eq=False)
class Enclosure:
    """A function with enclosures, as `engine.analysis.regions.maps.Jets` asks for.

    The numbers of the tape and the constants are taken as the floats that they are.

    Attributes
    ----------
    tape : Tape
    constants : ndarray, shape (c,)
        Values of ``tape.constants``.
    data : ndarray, shape (columns, N)
        Rows over which the function is averaged.
    root : int or None
        Place whose function this is: the result if None.
    """

    tape: Tape
    constants: FloatArray
    data: FloatArray = field(default_factory=lambda: NO_DATA)
    root: int | None = None

    @property
    def dimension(self) -> int:
        """Number of variables."""
        return len(self.tape.variables)

    def value(self, box: Interval) -> Interval:
        """Enclose the values over boxes, shape (m, n); returns shape (m,)."""
        return self._jets(box, 0)[:, 0]

    def slopes(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose values and gradients, shapes (m,) and (m, n)."""
        made = self._jets(box, 1)
        return made[:, 0], made[:, 1:]

    def curves(self, box: Interval) -> tuple[Interval, Interval, Interval]:
        """Enclose values, gradients and Hessians, shapes (m,), (m, n) and (m, n, n)."""
        n = self.dimension
        made = self._jets(box, 2)
        place = np.zeros((n, n), np.int64)
        place[np.triu_indices(n)] = np.arange(n * (n + 1) // 2)
        place = np.maximum(place, place.T) + 1 + n
        return made[:, 0], made[:, 1 : 1 + n], made[:, place]

    def image(
        self, box: Interval, step: tuple[Interval, Interval], change: Interval | None
    ) -> Interval:
        """Enclose images of boxes under descent; implements `engine.analysis.regions.maps.Imaging`.

        The step sizes are those over the boxes and at their middles.
        """
        jets, middle = self._jets(box, 2), self._jets(Interval.point(box.mid), 1)
        return image_of(jets, middle, step, change, box)

    def _jets(self, box: Interval, order: int) -> Interval:
        tape = self.tape
        lo, hi = (np.ascontiguousarray(end, np.float64) for end in (box.lo, box.hi))
        shape = (len(lo), coefficients(self.dimension, order))
        out_lo, out_hi = np.empty(shape), np.empty(shape)
        root = tape.root if self.root is None else self.root
        numbers = np.concatenate([self.constants, tape.numbers])
        data = np.ascontiguousarray(self.data)
        enclose(tape.shared, tape.rows, numbers, data, root, lo, hi, out_lo, out_hi)
        return Interval(out_lo, out_hi)
