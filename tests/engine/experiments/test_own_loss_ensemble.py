"""Ensembles on a typed loss: the same runs as single ones, raced, counted, and split at will."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.claims import Verdict
from engine.core.ensemble import Ensemble, Share
from engine.core.errors import InputError
from engine.core.params import build, update
from engine.experiments.own_loss import ensemble
from engine.experiments.own_loss.experiment import OwnLoss
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.problem import loss_of
from engine.experiments.own_loss.racers import customary, racers_of, read_racers
from engine.run.session import Session
from engine.theory.optimisers import OPTIMISERS

LAB = OwnLoss()
WELLS = {"function": "(x^2 - 1)^2 + y^2", "constants": "", "searches": 8, "reach": 2.0}
"""Minima (±1, 0) with the sharpness 8, a saddle between."""


def params(**values: Any) -> OwnLossParams:
    return build(OwnLossParams, {**WELLS, "step_size": 0.1, **values})


def made(steps: int = 200, seed: int = 3, **values: Any) -> Ensemble:
    return LAB.ensemble(params(**values), seed, steps, lambda *_: True)


def rows_of(found: Ensemble) -> list[dict[str, Any]]:
    names, columns = found.columns.keys(), found.columns.values()
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def test_a_row_is_what_the_single_run_ends_as() -> None:
    """From the same start, under every optimiser with its customary hyperparameters."""
    found = made(race="all", starts_from="noise", noise=0.3, start=(0.8, 0.5), ensemble=2)
    rows = rows_of(found)
    assert len(rows) == 2 * len(OPTIMISERS)
    for row in rows:
        own = params(noise=0.3, start=(0.8, 0.5))
        if row["optimiser"] != own.optimiser:
            own = update(own, optimiser=row["optimiser"], **customary(row["optimiser"]))
        session = Session(LAB, own, row["seed"])
        session.advance(200)
        outcome = session.outcome()
        assert (row["outcome"], row["phase"]) == (outcome.kind.value, outcome.phase)
        final = LAB.final(session.state, session.recent())
        assert row["loss"] == final["loss"]
        assert row["sharpness"] == pytest.approx(final["sharpness"], rel=1e-12)


def test_steps_to_the_least_loss_are_counted_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the whole loss of every run has it, whatever the chunk."""
    monkeypatch.setattr(ensemble, "CHUNK", 7)
    found = made(race="listed", starts_from="noise", start=(0.8, 0.5), steps=150)
    for row in rows_of(found):
        own = params(start=(0.8, 0.5))
        if row["optimiser"] != own.optimiser:
            own = update(own, optimiser=row["optimiser"], **customary(row["optimiser"]))
        session = Session(LAB, own, row["seed"])
        session.advance(150)
        close = session.recent()["loss"] <= found.summary["least_loss"] + ensemble.CLOSE
        expected = int(np.argmax(close)) if close.any() else None
        assert row["steps_to_least"] == expected
    assert any(row["steps_to_least"] for row in rows_of(found))


def test_the_result_depends_neither_on_workers_nor_on_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = params(race="all", ensemble=3)
    one = ensemble.run(own, 0, 90, lambda *_: True, workers=1)
    monkeypatch.setattr(ensemble, "CHUNK", 11)
    many = ensemble.run(own, 0, 90, lambda *_: True, workers=5)
    assert dict(one.columns) == dict(many.columns)
    assert repr(one.summary) == repr(many.summary)
    for key, value in one.observation.items():
        np.testing.assert_array_equal(value, many.observation[key])


def test_shares_say_which_minimum_was_reached() -> None:
    """Of a parabola in y and a double well in x the sign of the start decides."""
    found = made(ensemble=12, step_size=0.02, steps=600)
    own = params()
    signs = [ensemble.start_of(own, loss_of(own), seed)[0] > 0.0 for seed in range(3, 15)]
    assert found.summary["runs"] == 12
    numbers = [name for name in found.summary if name.startswith("minimum_")]
    shares = {found.summary[name].count for name in numbers}
    assert shares == {sum(signs), 12 - sum(signs)}
    assert all(isinstance(found.summary[name], Share) for name in numbers)
    assert found.summary["no_minimum"].count == found.summary["other_minima"].count == 0
    assert found.claims[0].verdict is Verdict.HOLDS


def test_any_point_of_a_manifold_is_the_listed_minimum() -> None:
    found = LAB.ensemble(
        build(OwnLossParams, {"ensemble": 4, "searches": 8}), 0, 80, lambda *_: True
    )
    assert found.summary["minimum_1"] == 1.0
    assert len(set(found.columns["sharpness"])) == 4


def test_each_races_at_a_part_of_its_own_critical_step() -> None:
    """2(1 + β)/S for the heavy ball and so on; what has no critical step keeps the given one."""
    found = made(race="all", race_steps="critical", race_part=0.5, ensemble=1, steps=50)
    by = {row["optimiser"]: row for row in rows_of(found)}
    beta = 0.9
    limits = {
        "gradient-descent": 2.0,
        "heavy-ball": 2 * (1 + beta),
        "nesterov": 2 * (1 + beta) / (1 + 2 * beta),
    }
    for optimiser, limit in limits.items():
        assert by[optimiser]["critical_step"] == pytest.approx(limit / 8.0)
        assert by[optimiser]["step_size"] == pytest.approx(0.5 * limit / 8.0)
        assert by[optimiser]["step_size_from"] == "0.5 of critical"
    for optimiser in set(by) - set(limits) - {"polyak"}:
        assert by[optimiser]["critical_step"] is None
        assert (by[optimiser]["step_size"], by[optimiser]["step_size_from"]) == (0.1, "given")


def test_starts_are_drawn_where_the_loss_is_defined() -> None:
    own = params(function="log(x)^2 + y^2")
    loss = loss_of(own)
    starts = np.array([ensemble.start_of(own, loss, seed) for seed in range(20)])
    assert (starts[:, 0] > 0.0).all() and (np.abs(starts) <= own.reach).all()
    assert len(np.unique(starts, axis=0)) == 20


def test_divergence_is_an_outcome_and_counts_for_nothing_else() -> None:
    found = made(ensemble=3, function="x^2 - y^2", step_size=1.5, steps=400)
    assert found.columns["outcome"] == ["diverged"] * 3
    assert found.columns["loss"] == found.columns["steps_to_least"] == [None] * 3
    assert found.summary["least_loss"] is None and found.summary["diverged"] == 1.0


def test_cancelled_it_keeps_what_was_made() -> None:
    seen: list[float] = []

    def progress(done: float, text: str) -> bool:
        seen.append(done)
        return done < 0.1

    found = LAB.ensemble(params(ensemble=200, race="all"), 0, 100_000, progress)
    assert found.cancelled and max(seen) < 1.0
    assert len(found.columns["seed"]) < 200 * len(OPTIMISERS)
    stopped = LAB.ensemble(params(ensemble=2, searches=9), 0, 10, lambda *_: False)
    assert stopped.cancelled and not stopped.views


def test_pictures_draw_what_there_is() -> None:
    found = made(race="all-smooth", ensemble=2, steps=30, step_size=0.005)
    assert [view.id for view in found.views] == ["race", "ends", "table"]
    assert found.observation["steps"][-1] == 30
    for optimiser in found.columns["optimiser"]:
        for name in ("low", "middle", "high"):
            assert found.observation[f"{name}_{optimiser}"].shape == (31,)
        assert found.observation[f"end_x_{optimiser}"].shape == (2,)
    line = made(function="x^2", ensemble=2, steps=30)
    assert [view.id for view in line.views] == ["race", "table"]


@pytest.mark.parametrize(
    ("values", "steps", "name"),
    [
        ({"racers": "adam, sgd"}, 5, "racers"),
        ({"racers": "adam, adam"}, 5, "racers"),
        ({"racers": " , "}, 5, "racers"),
        ({"scales": (1.0, 2.0, 3.0)}, 5, "scales"),
        ({"function": "x +"}, 5, "function"),
        ({}, 0, "steps"),
    ],
)
def test_what_cannot_be_raced_is_refused(values: dict[str, Any], steps: int, name: str) -> None:
    with pytest.raises(InputError) as caught:
        made(steps, **values)
    assert caught.value.refusal.field == name


@given(st.lists(st.sampled_from(list(OPTIMISERS)), min_size=1, unique=True))
def test_a_list_of_racers_is_read_as_it_is_written(names: list[Any]) -> None:
    assert read_racers(", ".join(names)) == tuple(names)
    assert set(racers_of("listed", "adam", ",".join(names))) == set(names)


@given(st.text(max_size=30))
def test_any_text_of_racers_is_read_or_refused(text: str) -> None:
    try:
        assert read_racers(text)
    except InputError as error:
        assert error.refusal.field == "racers"
