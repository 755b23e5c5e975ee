"""Ensembles that are too short to be judged: left open."""

from __future__ import annotations

from typing import Any

import pytest

from engine.experiment import Verdict
from engine.experiments import EXPERIMENTS, get
from engine.params import update
from engine.presets import presets

WITH_ENSEMBLE = [listed.id for listed in EXPERIMENTS if listed.load().has_ensemble]


@pytest.mark.parametrize("experiment_id", WITH_ENSEMBLE)
def test_five_steps_refute_only_what_stays_refuted(experiment_id: str) -> None:
    """Who learned first may be known after five steps; whether all will learn is not."""
    experiment: Any = get(experiment_id)
    default = (experiment.parameters(), experiment.default_steps)
    chosen = [(preset.params, preset.steps) for preset in presets(experiment_id)]
    judged = 0
    for params, steps in [default, *chosen]:
        params = update(params, ensemble=10)
        claims = experiment.ensemble(params, 0, 5, lambda *_: True).claims
        judged += len(claims)
        refuted = {claim.id for claim in claims if claim.verdict is Verdict.VIOLATED}
        if refuted:
            claims = experiment.ensemble(params, 0, steps, lambda *_: True).claims
            assert refuted <= {claim.id for claim in claims if claim.verdict is Verdict.VIOLATED}
    assert judged > len(chosen)


def test_there_are_ensembles() -> None:
    assert {"matrix-product", "double-matrix", "piecewise-fit"} <= set(WITH_ENSEMBLE)
