"""Where a run stands against the limit of its optimiser: below, beyond, at the edge of stability.

The ratio is that of the curvature that counts for the optimiser to its largest stable value. It is
looked at now and then; what is kept of all looks is small, and the same however a run is split.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from engine.core.arrays import FloatArray
from engine.text.numbers import short, whole

RISE = 1.01
"""Factor by which the loss rises above that at the first look before a catapult is seen.

A catapult is the loss rising above its start, at a step size beyond the limit at the start, before
the run lands where it is flatter (Lewkowycz et al. 2020). A loss that rises and falls at the edge
of stability, in a run that began below the limit, is none.
"""
HOVER = (0.85, 1.25)
"""Ratios between which a run is near the limit."""
STRETCH = 8
"""Looks near the limit, one after the other, before a run from beyond it is at the edge."""

LAST_LOOKS = 8
"""Looks whose mean tells whether a run is near the limit now."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What the looks since a run began, or since its last change, show.

    Attributes
    ----------
    begun : int
        The step from which on they count.
    looks : int
        How many there were.
    first, last : float or None
        The ratios of the first and the last.
    begun_loss : float or None
        The first loss that is known, of the first look unless it was not measured there.
    near_since, near_looks : int
        Where the present stretch of looks near the limit began, and how long it is.
    onset : int or None
        Step at which the edge began: of the first look at which the ratio was 1 or more after one
        below; of a run from beyond the limit, of the first of a stretch of looks near it while the
        loss was below that at the first look. It is dropped where the run leaves the limit.
    away_looks : int
        Looks away from the limit since the onset, less those near it that came after.
    left : int or None
        Step of the look at which the last onset was dropped, `STRETCH` more looks away than near.
    left_beyond : bool
        Whether the ratio was above the limit there.
    edge_looks, edge_total : int, float
        Looks from the onset on, and the sum of their ratios.
    returns : int
        How often the ratio fell below 1 again since the onset.
    catapult : int or None
        Step of the first look that found the loss risen, in a run that began beyond the limit.
    landed : int or None
        Step of the first look below the limit after that.
    """

    begun: int = 0
    looks: int = 0
    first: float | None = None
    last: float | None = None
    begun_loss: float | None = None
    near_since: int = 0
    near_looks: int = 0
    onset: int | None = None
    away_looks: int = 0
    left: int | None = None
    left_beyond: bool = False
    edge_looks: int = 0
    edge_total: float = 0.0
    returns: int = 0
    catapult: int | None = None
    landed: int | None = None

    def seen(self, step: int, ratio: float, loss: float) -> Edge:
        """Return it with another look; a loss that is not known is NaN, and compared with none."""
        known = None if math.isnan(loss) else loss
        if self.first is None or self.last is None:
            return replace(self, looks=1, first=ratio, last=ratio, begun_loss=known)
        begun_loss = known if self.begun_loss is None else self.begun_loss
        begun = math.nan if begun_loss is None else begun_loss  # NaN makes comparisons false
        made = self._near(step, ratio, loss < begun)
        made = replace(made, looks=self.looks + 1, last=ratio, begun_loss=begun_loss)
        if self.onset is None:
            if self.last < 1.0 <= ratio:
                made = replace(made, onset=step)
            elif (self.first >= 1.0 or self.left_beyond) and made.near_looks >= STRETCH:
                made = replace(made, onset=made.near_since)
        if made.onset is not None:
            return made.counted(step, ratio, returned=ratio < 1.0 <= self.last)
        if self.first > 1.0:
            if self.catapult is None and ratio > 1.0 and loss > RISE * begun:
                made = replace(made, catapult=step)
            elif self.catapult is not None and self.landed is None and ratio < 1.0:
                made = replace(made, landed=step)
        return made

    def counted(self, step: int, ratio: float, *, returned: bool) -> Edge:
        """Return it with a look since the onset counted, or without the onset if the run left."""
        is_near = HOVER[0] <= ratio <= HOVER[1]
        away = max(self.away_looks - 1, 0) if is_near else self.away_looks + 1
        if away >= STRETCH:
            return replace(
                self,
                onset=None,
                away_looks=0,
                edge_looks=0,
                edge_total=0.0,
                returns=0,
                left=step,
                left_beyond=ratio > HOVER[1],
            )
        return replace(
            self,
            away_looks=away,
            edge_looks=self.edge_looks + 1,
            edge_total=self.edge_total + ratio,
            returns=self.returns + (returned and self.edge_looks > 0),
        )

    def _near(self, step: int, ratio: float, falls: bool) -> Edge:
        """Return it with the present stretch of looks near the limit made longer, or ended."""
        if not (falls and HOVER[0] <= ratio <= HOVER[1]):
            return replace(self, near_looks=0)
        since = self.near_since if self.near_looks else step
        return replace(self, near_since=since, near_looks=self.near_looks + 1)

    @property
    def came_from_below(self) -> bool | None:
        """Whether the run was below the limit at first; None before the first look."""
        return None if self.first is None else self.first < 1.0

    @property
    def mean(self) -> float | None:
        """Mean of the ratios since the onset; None without one."""
        return self.edge_total / self.edge_looks if self.edge_looks else None


def is_at_edge(edge: Edge, ratios: FloatArray) -> bool:
    """Return whether the edge has begun and a run stays near the limit, by its last ratios."""
    if edge.onset is None:
        return False
    last = ratios[-LAST_LOOKS:]
    return bool(last.size and HOVER[0] <= float(last.mean()) <= HOVER[1])


def place(edge: Edge, ratios: FloatArray) -> tuple[str, str]:
    """Name where a run is against the limit, as badge and sentence; empty where it is not known.

    Parameters
    ----------
    edge : Edge
    ratios : ndarray, shape (m,)
        Of the last looks.
    """
    if edge.last is None or edge.first is None:
        return "", ""
    now = f"{short(edge.last, 3)} of the limit"
    if is_at_edge(edge, ratios):
        since = whole(edge.onset or 0)
        mean = "" if edge.mean is None else f", on average {short(edge.mean, 4)} of it"
        return f"edge of stability since k = {since}", (
            f"The sharpness is near the optimiser's limit since step {since}{mean}."
        )
    if edge.catapult is not None and edge.landed is None:
        return f"catapult since k = {whole(edge.catapult)}", (
            "The run began beyond the limit and the loss rose above its start; "
            f"the sharpness is {now}."
        )
    if edge.last >= 1.0:
        return "beyond the limit", f"The sharpness is {now}: a minimum as sharp would be unstable."
    if edge.landed is not None and edge.onset is None:
        landed = whole(edge.landed)
        return f"landed at k = {landed}", (
            f"A catapult brought the sharpness below the limit at step {landed}; it is {now}."
        )
    rises = ratios.size >= 4 and float(ratios[-1] - ratios[0]) > 0.02
    rises = rises and float(ratios[-2:].mean()) >= float(ratios[-4:-2].mean())  # and still does
    return "sharpening" if rises else "below the limit", f"The sharpness is {now}."
