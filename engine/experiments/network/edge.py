"""Where a run stands against the limit of its optimiser: below, beyond, at the edge of stability.

The ratio is that of the curvature that counts for the optimiser to its largest stable value. It is
looked at now and then; what is kept of all looks is small, and the same however a run is split.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

RISE = 1.01
"""Factor by which the loss rises above that at the first look before a catapult is seen."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the looks since a run began, or since its last change, show.

    Attributes
    ----------
    looks : int
        How many there were.
    first, last : float or None
        The ratios of the first and the last.
    begun_loss : float or None
        The loss at the first.
    onset : int or None
        Step of the first look at which the ratio was 1 or more after one below: the edge begins.
    edge_looks, edge_total : int, float
        Looks from the onset on, and the sum of their ratios.
    catapult : int or None
        Step of the first look that found the loss risen, in a run that began beyond the limit.
    landed : int or None
        Step of the first look below the limit after that.
    """

    looks: int = 0
    first: float | None = None
    last: float | None = None
    begun_loss: float | None = None
    onset: int | None = None
    edge_looks: int = 0
    edge_total: float = 0.0
    catapult: int | None = None
    landed: int | None = None

    def seen(self, step: int, ratio: float, loss: float) -> Edge:
        """Return it with another look."""
        if self.first is None or self.last is None or self.begun_loss is None:
            return replace(self, looks=1, first=ratio, last=ratio, begun_loss=loss)
        made = replace(self, looks=self.looks + 1, last=ratio)
        if self.onset is None and self.last < 1.0 <= ratio:
            made = replace(made, onset=step)
        if made.onset is not None:
            made = replace(made, edge_looks=self.edge_looks + 1, edge_total=self.edge_total + ratio)
        if self.first > 1.0 and self.onset is None:
            if self.catapult is None and ratio > 1.0 and loss > RISE * self.begun_loss:
                made = replace(made, catapult=step)
            elif self.catapult is not None and self.landed is None and ratio < 1.0:
                made = replace(made, landed=step)
        return made

    @property
    def mean(self) -> float | None:
        """Mean of the ratios since the onset; None without one."""
        return self.edge_total / self.edge_looks if self.edge_looks else None
