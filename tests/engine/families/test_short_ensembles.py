"""Ensembles that are too short to be judged: left open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.cli import headless
from engine.core.claims import Verdict
from engine.core.ensemble import Share
from engine.core.params import update
from engine.core.registry import get
from engine.experiments import EXPERIMENTS
from engine.storage.files import plain, to_json
from engine.storage.presets import presets

WITH_ENSEMBLE = [listed.id for listed in EXPERIMENTS if listed.load().has_ensemble]


@pytest.mark.parametrize("experiment_id", WITH_ENSEMBLE)
def test_five_steps_refute_only_what_stays_refuted(experiment_id: str) -> None:
    """Who learned first may be known after five steps; whether all will learn is not."""
    experiment: Any = get(experiment_id)
    default = (experiment.parameters(), experiment.default_steps)
    chosen = [(preset.params, preset.steps) for preset in presets(experiment_id)]
    judged = 0
    for params, steps in [default, *chosen]:
        fewer = {"searches": 4} if "searches" in experiment.parameters.model_fields else {}
        params = update(params, ensemble=10, **fewer)
        claims = experiment.ensemble(params, 0, 5, lambda *_: True).claims
        judged += len(claims)
        refuted = {claim.id for claim in claims if claim.verdict is Verdict.VIOLATED}
        if refuted:
            claims = experiment.ensemble(params, 0, steps, lambda *_: True).claims
            assert refuted <= {claim.id for claim in claims if claim.verdict is Verdict.VIOLATED}
    assert judged > len(chosen)


SHARES = {
    "least-squares": {"below_critical", "converged", "diverged"},
    "matrix-product": {"converged", "diverged"},
    "piecewise-fit": {
        "fit_fraction",
        "fit_fraction_other_weights",
        "same_end_with_other_weights",
        "diverged_fraction",
    },
}
SHARES["own-loss"] = {
    *("converged", "converging", "oscillating", "aperiodic", "diverged", "undecided"),
    *("minimum_1", "other_minima", "no_minimum", "reached_least"),
}
SHARES["network"] = {"diverged"}
BETTER = {f"double_better{at}" for at in ("", "_at_4", "_at_10", "_at_20")}
SHARES["double-matrix"] = BETTER | {
    "single_diverged",
    "double_diverged",
    "single_unstable",
    "double_unstable",
    "only_single_unstable",
}
SHARES["double-scalar"] = SHARES["double-matrix"] | {
    "single_learned",
    "double_learned",
    "double_first",
    "double_sharper",
}


@pytest.mark.parametrize("experiment_id", WITH_ENSEMBLE)
def test_no_share_is_taken_for_a_count(experiment_id: str) -> None:
    """What is a share says so in the table and at a terminal, and is a plain number in a file."""
    experiment: Any = get(experiment_id)
    params = update(experiment.parameters(), ensemble=4)
    made = experiment.ensemble(params, 0, 40, lambda *_: True)
    rows = made.summary.get("estimators", [made.summary])
    found = [{name for name, value in row.items() if isinstance(value, Share)} for row in rows]
    unknown = {name for name in SHARES[experiment_id] if rows[0][name] is None}  # of no runs
    assert all(names == SHARES[experiment_id] - unknown for names in found)
    result = {
        "experiment": experiment_id,
        "outcome": {"kind": "max_steps", "step": 40, "message": ""},
        "theory": [],
        "claims": [],
        "final": {"ensemble": plain(made.summary)},
    }
    told = headless.describe(result)
    written = json.loads(to_json(made.summary))
    rows_written = written.get("estimators", [written])
    cells = {text for row in made.observation["table"] for text in row}
    for row, plain_row in zip(rows, rows_written, strict=True):
        for name in SHARES[experiment_id] - unknown:
            assert row[name].words in cells and row[name].words in told
            assert row[name].words.endswith("of 4)") or name == "double_sharper"
            assert plain_row[name] == float(row[name])


def test_there_are_ensembles() -> None:
    assert {"matrix-product", "double-matrix", "piecewise-fit"} <= set(WITH_ENSEMBLE)
