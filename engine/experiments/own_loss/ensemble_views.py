"""Tables, pictures and the claim of an ensemble on a typed loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.analysis.equilibria import Nature
from engine.core import ensemble
from engine.core.claims import Claim, Lamp
from engine.core.ensemble import Ensemble
from engine.core.outcome import OutcomeKind
from engine.core.views import Curve, Item, PlaneView, Points, TableView, View
from engine.experiments.own_loss import plane
from engine.experiments.own_loss.analysis import Listed
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.phase import SMOOTH
from engine.experiments.own_loss.problem import loss_of
from engine.experiments.own_loss.raced import Batch, Raced
from engine.experiments.own_loss.system import symbol_of
from engine.experiments.own_loss.theory import place_of
from engine.experiments.own_loss.views import GROUND, axes_of
from engine.families.ensembles.views import agreement
from engine.theory.optimisers import OPTIMISERS, OptimiserId, describe

BANDED = 3
"""Optimisers up to which the picture of the loss shows bands."""
COUNTED = 8
"""Minima whose shares are listed, those with the most runs first."""
EXACT = 1e-6
"""Part of the limit by which a curvature may be above it for rounding."""
_OUTCOMES = {
    "converged": OutcomeKind.CONVERGED,
    "converging": OutcomeKind.CONVERGING,
    "oscillating": OutcomeKind.OSCILLATING,
    "aperiodic": OutcomeKind.APERIODIC,
    "diverged": OutcomeKind.DIVERGED,
    "undecided": OutcomeKind.MAX_STEPS,
}
_COLORS: Mapping[OptimiserId, str] = dict(
    zip(OPTIMISERS, [*map(str, range(1, 9)), "muted"], strict=True)
)


def assemble(batch: Batch) -> Ensemble:
    """Make the table of runs, what sums it up, and the pictures."""
    rows = [_row(batch, runs) for _, runs in batch.groups()]
    head = {
        "first_seed": batch.seed,
        "steps": int(batch.points[-1]),
        "least_loss": batch.least,
        "listed_minima": _listed(batch.found.minima),
    }
    ends, ends_view = _ends(batch)
    return Ensemble(
        columns=_columns(batch),
        summary={**head, **rows[0]} if len(rows) == 1 else {**head, "table": rows},
        observation={**_losses(batch), **ends, "table": _cells(rows)},
        views=(_race_view(batch), *ends_view, _table(batch)) if rows else (),
        claims=(_threshold(batch.runs),) if batch.runs else (),
        cancelled=batch.cancelled,
    )


def _columns(batch: Batch) -> dict[str, list[Any]]:
    """Return the table of runs."""
    runs = batch.runs
    return {
        "optimiser": [run.optimiser for run in runs],
        "seed": [run.entry.seed for run in runs],
        "outcome": [run.phase.kind.value for run in runs],
        "steps_to_least": [run.first_close for run in runs],
        "loss": [run.loss for run in runs],
        "minimum": [_minimum(batch, run) for run in runs],
        "sharpness": [run.sharpness for run in runs],
        "step_size": [_step(run) for run in runs],
        "step_size_from": [run.entry.chosen_by for run in runs],
        "critical_step": [run.entry.critical for run in runs],
        "phase": [run.phase.text for run in runs],
        "diverged_at": [run.diverged_at for run in runs],
    }


def _step(run: Raced) -> float | None:
    """Return the step size of a run that has one."""
    setting = run.entry.params.setting
    return None if setting.rule != "fixed" or run.optimiser == "polyak" else setting.step_size


def _minimum(batch: Batch, run: Raced) -> str:
    """Write what the end of a run is near."""
    number, here = run.minimum(batch.found), run.equilibrium
    if number:
        return f"{number}: {_name(batch.found.minima[number - 1])}"
    if number == 0:
        return "one that is not listed"
    if here is None:
        return "none"
    return (
        "none, a degenerate point" if here.nature is Nature.DEGENERATE else f"none, a {here.nature}"
    )


def _name(listed: Listed) -> str:
    """Name a listed minimum."""
    return f"manifold of {place_of(listed)}" if listed.at.manifold else place_of(listed)


def _listed(minima: Sequence[Listed]) -> str:
    """Name the first listed minima with their numbers."""
    shown = [f"{number}: {_name(each)}" for number, each in enumerate(minima[:COUNTED], 1)]
    more = f"; {len(minima) - COUNTED} more" if len(minima) > COUNTED else ""
    return "; ".join(shown) + more if shown else "none was found"


def _row(batch: Batch, runs: Sequence[Raced]) -> dict[str, Any]:
    """Sum up the runs of an optimiser."""
    kinds = [run.phase.kind for run in runs]
    near = [run.minimum(batch.found) for run in runs]
    reached = Counter(filter(None, (run.minimum(batch.found) for run in batch.runs)))
    counted = sorted(number for number, _ in reached.most_common(COUNTED))
    origins = sorted({run.entry.chosen_by for run in runs})
    return {
        "optimiser": runs[0].optimiser,
        "step_size_from": ", ".join(origins),
        "median_step_size": _median([_step(run) for run in runs]),
        "runs": len(runs),
        **{
            name: ensemble.fraction([each is kind for each in kinds])
            for name, kind in _OUTCOMES.items()
        },
        **{f"minimum_{n}": ensemble.fraction([each == n for each in near]) for n in counted},
        "other_minima": ensemble.fraction(
            [each is not None and each not in counted for each in near]
        ),
        "no_minimum": ensemble.fraction([each is None for each in near]),
        "reached_least": ensemble.fraction([run.first_close is not None for run in runs]),
        "median_steps_to_least": _median([run.first_close for run in runs]),
        "median_loss": _median([run.loss for run in runs]),
        "median_sharpness": _median([run.sharpness for run in runs]),
    }


def _median(values: Sequence[float | None]) -> float | None:
    return ensemble.median([np.nan if value is None else float(value) for value in values])


def _cells(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return a line per quantity and a column per optimiser."""
    names = [name for name in rows[0] if name != "optimiser"] if rows else []
    return [[name.replace("_", " "), *(_cell(row[name]) for row in rows)] for name in names]


def _cell(value: Any) -> str:
    if isinstance(value, ensemble.Share):
        return value.words
    if isinstance(value, float):
        return f"{value:.4g}"
    return "none" if value is None else str(value)


def _table(batch: Batch) -> TableView:
    return TableView(
        id="table",
        title="Shares and medians",
        help="For every optimiser the shares of its runs by outcome and by the minimum that they "
        "end near, and medians; the steps are those to a loss within 10⁻⁶ of the least of all "
        "runs, of the runs that met it.",
        key="table",
        headings=("quantity", *(optimiser for optimiser, _ in batch.groups())),
    )


def _losses(batch: Batch) -> dict[str, Any]:
    """Compute the quantiles of the loss above the least of all, for every optimiser."""
    arrays: dict[str, Any] = {"steps": batch.points.astype(np.float64)}
    base = 0.0 if batch.least is None else batch.least
    for optimiser, runs in batch.groups():
        above = np.stack([run.losses for run in runs]) - base
        low, middle, high = ensemble.bands(above)[0]
        arrays |= {
            f"low_{optimiser}": low,
            f"middle_{optimiser}": middle,
            f"high_{optimiser}": high,
        }
    return arrays


def _race_view(batch: Batch) -> PlaneView:
    groups = batch.groups()
    items: list[Item] = []
    for optimiser, runs in groups:
        color = _COLORS[optimiser]
        low, middle, high = (f"{name}_{optimiser}" for name in ("low", "middle", "high"))
        if len(groups) <= BANDED and len(runs) > 1:
            items.append(Curve(x="steps", y=low, color=color, width=0.6, fill_to=high))
            items.append(Curve(x="steps", y=high, color=color, width=0.6))
        items.append(Curve(x="steps", y=middle, label=optimiser, color=color, width=2.0))
    band = ", with the band from 10 % to 90 % of them" if len(groups) <= BANDED else ""
    return PlaneView(
        id="race",
        title="Loss above the least of all",
        help=f"The median over starts{band}; a diverged run counts as infinite, and a line ends "
        "where it reaches that.",
        x_label="k",
        y_label=r"$f-\min f$",
        items=tuple(items),
        log_y=True,
    )


def _ends(batch: Batch) -> tuple[dict[str, Any], tuple[View, ...]]:
    """Compute where the runs ended in the plane; nothing in one dimension."""
    params, loss = batch.params, loss_of(batch.params)
    frame = plane.frame_of(params, loss.dimension, batch.seed)
    if frame is None:
        return {}, ()
    arrays = plane.ground(params, frame, batch.found)
    for optimiser, runs in batch.groups():
        ends = [run.end for run in runs if run.diverged_at is None]
        seen = frame.seen(np.array(ends).reshape(-1, loss.dimension))
        seen = np.clip(seen, -plane.FAR, plane.FAR)
        arrays |= {f"end_x_{optimiser}": seen[:, 0], f"end_y_{optimiser}": seen[:, 1]}
    return arrays, (_ends_view(params, loss.variables, [each for each, _ in batch.groups()]),)


def _ends_view(
    params: OwnLossParams, variables: Sequence[str], optimisers: Sequence[OptimiserId]
) -> PlaneView:
    x, y = axes_of(params, [symbol_of(name) for name in variables])
    ends = [
        Points(
            x=f"end_x_{optimiser}",
            y=f"end_y_{optimiser}",
            label=optimiser,
            color=_COLORS[optimiser],
            size=5.0 + 3.0 * place,  # rings of their own, so that none hides another
            hollow=True,
        )
        for place, optimiser in enumerate(optimisers)
    ]
    return PlaneView(
        id="ends",
        title="Ends of all runs",
        help="Where the runs are after the last step, those that diverged left out, over level "
        "curves of the loss and the equilibria that were found."
        + (" The ends are projected into the plane." if len(variables) > 2 else ""),
        x_label=x,
        y_label=y,
        items=(
            *GROUND,
            *ends,
        ),
        equal=True,
    )


def _threshold(runs: Sequence[Raced]) -> Claim:
    """Claim that runs converge only to minima below their optimiser's threshold."""
    own = [run for run in runs if _has_threshold(run) and run.diverged_at is None]
    return agreement(
        "threshold",
        "Runs converge only to minima below their optimiser's threshold",
        "A minimum whose sharpness times the step size is above the limit of the optimiser "
        "attracts no run but from a set of starts of measure 0.",
        answers=[_is_below(run) for run in own],
        lamps=(
            Lamp(
                "a linear threshold and a fixed step size",
                bool(own),
                f"{len(own)} of {len(runs)} runs",
            ),
        ),
        predicted="in all runs that converge",
        source="each optimiser's threshold, over starts",
        note="Runs that diverged are left out, and those that have not converged to a minimum are "
        "open.",
        share=1.0,
    )


def _has_threshold(run: Raced) -> bool:
    params = run.entry.params
    return run.optimiser in SMOOTH and params.has_fixed_step and not params.scales


def _is_below(run: Raced) -> bool | None:
    """Return whether a run converged below the limit; None where it converged to no minimum."""
    setting, here = run.entry.params.setting, run.equilibrium
    limit = describe(setting.optimiser).limit(setting)
    is_open = run.phase.kind is not OutcomeKind.CONVERGED or run.phase.standing.is_precarious
    if here is None or here.nature is not Nature.MINIMUM or limit is None or is_open:
        return None
    return setting.step_size * here.sharpness <= limit * (1.0 + EXACT)
