"""Pictures, tables and claims of an ensemble over seeds and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.core import ensemble
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.ensemble import Ensemble
from engine.core.views import Curve, PlaneView, TableView, View
from engine.families.ensembles.runs import Batch, Setting

SHOWN = 6
"""Settings whose bands are drawn."""
NEARLY_ALL = 0.9
"""Share of the runs that must agree with a claim about all of them."""


def assemble(
    batch: Batch,
    rows: Sequence[Mapping[str, Any]],
    sides: Sequence[str],
    claims: tuple[Claim, ...],
    *,
    columns: Mapping[str, list[Any]] | None = None,
    arrays: Mapping[str, Any] | None = None,
    pictures: tuple[View, ...] = (),
) -> Ensemble:
    """Make what an experiment gives of a batch of runs and the rows that sum it up.

    Parameters
    ----------
    sides : sequence of str
        Names of the tracks.
    columns, arrays, pictures : optional
        What is to stand in the table of runs, and to be drawn, beside what all ensembles have.
    """
    return Ensemble(
        columns={**batch.columns(sides), **(columns or {})},
        summary=batch.summary(rows),
        observation={**_observation(batch, rows, sides), **(arrays or {})},
        views=(*pictures, *_bands(batch, sides), _table(batch)) if rows else (),
        claims=claims if batch.runs else (),
        cancelled=batch.cancelled,
    )


def _observation(
    batch: Batch, rows: Sequence[Mapping[str, Any]], sides: Sequence[str]
) -> dict[str, Any]:
    """Compute the bands of every setting that is drawn, and the cells of the table."""
    arrays: dict[str, Any] = {
        "steps": batch.points.astype(np.float64),
        "table": _cells(batch, rows),
    }
    for place, (_, runs) in enumerate(batch.groups()[:SHOWN]):
        for index, side in enumerate(sides):
            quantiles, alive = ensemble.bands(np.stack([run.tracks[index].errors for run in runs]))
            for name, values in zip(("low", "middle", "high"), quantiles, strict=True):
                arrays[f"{side}_{name}_{place}"] = values
            arrays[f"{side}_alive_{place}"] = alive
    return arrays


def _cells(batch: Batch, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a line per quantity and a column per setting: there are more of the former."""
    if not rows:
        return []
    shared = batch.groups()[0][0]
    return [
        [name.replace("_", " "), *(_cell(row[name]) for row in rows)]
        for name in rows[0]
        if name not in shared
    ]


def _where(setting: Setting) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in setting.items())


def _cell(value: Any) -> str:
    if isinstance(value, ensemble.Share):
        return value.words
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def _bands(batch: Batch, sides: Sequence[str]) -> tuple[View, ...]:
    """Describe the error over seeds, a picture per setting."""
    return tuple(
        _band(place, setting, sides) for place, (setting, _) in enumerate(batch.groups()[:SHOWN])
    )


def _band(place: int, setting: Setting, sides: Sequence[str]) -> PlaneView:
    items = []
    for side in sides:
        color = "1" if side == sides[-1] else "2"
        low, middle, high = (f"{side}_{name}_{place}" for name in ("low", "middle", "high"))
        items += [
            Curve(x="steps", y=low, color=color, width=0.8, fill_to=high),
            Curve(x="steps", y=high, color=color, width=0.8),
            Curve(x="steps", y=middle, label=f"{side}, median", color=color, width=2.0),
        ]
    return PlaneView(
        id=f"bands-{place}",
        title=f"Relative error over seeds, {_where(setting)}",
        help="Median and the band from 10 % to 90 % of the seeds; a diverged run counts as "
        "infinite, and the band ends where it reaches that.",
        x_label="k",
        y_label="relative error",
        items=tuple(items),
        log_y=True,
    )


def _table(batch: Batch) -> TableView:
    return TableView(
        id="table",
        title="Shares and medians",
        help="The share of runs with each fate and the medians of those in which nothing "
        "diverged, for every setting.",
        key="table",
        headings=("quantity", *(_where(setting) for setting, _ in batch.groups())),
    )


def agreement(
    id_: str,
    title: str,
    statement: str,
    *,
    answers: Sequence[bool | None],
    lamps: tuple[Lamp, ...],
    predicted: str,
    source: str = "Measured over seeds",
    note: str = "",
    share: float = NEARLY_ALL,
) -> Claim:
    """Judge a claim about all runs by whether a share of them agrees with it.

    Parameters
    ----------
    answers : sequence of bool or None
        Of every run whether it agrees; None where that is open, as in a run that is not finished.
        It is violated only if too many disagree for the open ones to make up for.
    """
    runs, agree, disagree = len(answers), answers.count(True), answers.count(False)
    verdict = Verdict.UNDECIDED
    if not runs or not all(lamp.on for lamp in lamps):
        verdict = Verdict.NOT_APPLICABLE
    elif agree >= share * runs:
        verdict = Verdict.HOLDS
    elif disagree > runs - share * runs:
        verdict = Verdict.VIOLATED
    still = runs - agree - disagree
    return Claim(
        id=id_,
        title=title,
        source=source,
        statement=statement,
        assumptions=lamps,
        predicted=predicted,
        measured=f"{agree} of {runs} runs" + (f", {still} open" if still else ""),
        verdict=verdict,
        note=note,
    )
