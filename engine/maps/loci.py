"""Curves of flips and folds over two parameters, to be drawn over a stability region."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from engine.analysis.branch import Event, Special
from engine.analysis.curves import BifurcationCurve, Sheet, follow_curve, is_on
from engine.core.arrays import FloatArray
from engine.core.ensemble import Progress
from engine.maps.branches import SOURCE
from engine.maps.kind import Overlay
from engine.maps.spec import MapSpec
from engine.maps.subject import subject_of
from engine.maps.tree import Search, StoppedError

LINES = (0.5, 0.2, 0.8)
"""Heights, as shares of the rectangle, at which flips and folds are looked for along x."""
VALUES = 16
"""Values of x at which cycles are looked for along each of them."""
COLORS = ("1", "2", "3", "4", "5", "6", "7", "8")


def find(
    spec: MapSpec, progress: Progress, max_period: int = 4
) -> tuple[BifurcationCurve, ...] | None:
    """Find curves of flips and folds over both axes of a map.

    Parameters
    ----------
    spec : MapSpec
        Both of whose axes are parameters that the experiment's map depends on.
    progress : callable
        Asked about every 50 ms.
    max_period : int
        Longest period of the cycles.

    Returns
    -------
    tuple of BifurcationCurve or None
        What was found; None if `progress` asked to stop. None of cycles that fill a manifold.

    Raises
    ------
    InputError
        If the experiment has no smooth step, or a parameter cannot be varied so.
    """
    ends = {axis.name: (axis.low, axis.high) for axis in (spec.x, spec.y)}
    subject = subject_of(spec.experiment, spec.params, spec.seed, ends)
    lows, highs = (np.array(each) for each in zip(*ends.values(), strict=True))
    sheet = Sheet(subject.carrier, lows, highs, subject.frame)
    curves: list[BifurcationCurve] = []

    def said(number: int, done: float, text: str) -> bool:
        return progress((number + done) / len(LINES), f"{text}, {len(curves)} curves")

    try:
        for number, share in enumerate(LINES):
            height = float(lows[1] + share * (highs[1] - lows[1]))
            family = sheet.along(0, height)
            search = Search(
                family, subject.start, max_period, spec.seed, partial(said, number), VALUES
            )
            search.run()
            for period, special in _flips_and_folds(search):
                values = np.array([special.parameter, height])
                if any(_is_same(each, special.event, period, values, sheet) for each in curves):
                    continue
                made = follow_curve(
                    sheet, special.event, special.at.x, values, period, go_on=search.go_on
                )
                if made is not None:
                    curves.append(made)
    except StoppedError:
        return None
    return tuple(curves)


def _flips_and_folds(search: Search) -> Iterator[tuple[int, Special]]:
    """Return those of isolated cycles, with their periods."""
    for each in search.found:
        if not each.branch.neutral:
            for special in each.branch.events:
                if special.event in (Event.FLIP, Event.FOLD):
                    yield each.branch.period, special


def _is_same(
    curve: BifurcationCurve, event: Event, period: int, values: FloatArray, sheet: Sheet
) -> bool:
    if curve.event is not event or curve.period != period:
        return False
    return is_on(curve, values, sheet.lows, sheet.highs)


def overlays(curves: tuple[BifurcationCurve, ...]) -> tuple[Overlay, ...]:
    """Return curves as overlays of a map: one a period, event and character."""
    made: dict[str, list[Overlay]] = {}
    for curve in curves:
        for part in _parts(curve):
            made.setdefault(part.label, []).append(part)
    return tuple(_joined(parts) for _, parts in sorted(made.items()))


def _joined(parts: list[Overlay]) -> Overlay:
    """Return one overlay for several, with gaps between them."""
    gap = np.array([np.nan])
    x = np.concatenate([piece for part in parts for piece in (part.x, gap)])
    y = np.concatenate([piece for part in parts for piece in (part.y, gap)])
    first = parts[0]
    return Overlay(
        x=x, y=y, label=first.label, color=first.color, dash=first.dash, source=first.source
    )


def _parts(curve: BifurcationCurve) -> Iterator[Overlay]:
    """Return the parts of a curve of one character each.

    A flip is soft or hard only where all other multipliers within the set are smaller than 1.
    """
    period = curve.period
    shade = COLORS[(period - 1) % len(COLORS)]
    if curve.event is Event.FOLD:
        x, y = curve.parameters.T
        label = f"fold, period {period}"
        yield Overlay(x=x, y=y, label=label, color=shade, dash="dot", source=SOURCE)
        return
    signs = np.where(curve.others < 1.0, np.sign(np.nan_to_num(curve.coefficients)), 0.0)
    edges = [0, *(np.flatnonzero(np.diff(signs)) + 1).tolist(), len(signs)]
    for first, last in pairwise(edges):
        x, y = curve.parameters[first : last + 1].T
        word = {1.0: "soft flip", -1.0: "hard flip", 0.0: "flip"}[float(signs[first])]
        dash = "dash" if word == "hard flip" else "solid"
        label = f"{word} {period} → {2 * period}"
        yield Overlay(x=x, y=y, label=label, color=shade, dash=dash, source=SOURCE)
