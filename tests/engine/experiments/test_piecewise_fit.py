"""The piecewise fit as an experiment: the table of Figure 4, its presets, handles and data."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.core.claims import Verdict
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind, Standing
from engine.core.params import build, update
from engine.experiments.piecewise_fit.experiment import PiecewiseFit
from engine.experiments.piecewise_fit.params import (
    STREAM_ROWS,
    FitParams,
    largest_sharpness,
    starts,
)
from engine.kernels.residual import descent as residual
from engine.run.session import Session
from engine.storage.presets import preset

EXPERIMENT = PiecewiseFit()


def run(params, seed=0, steps=3000):
    session = Session(EXPERIMENT, params, seed)
    session.advance(steps)
    return session


def claims_of(session):
    found = EXPERIMENT.claims(session.params, session.state, session.recent())
    return {claim.id: claim for claim in found}


def keep_going(done, text):
    return True


@pytest.fixture(scope="module")
def figure_4():
    chosen = preset("piecewise-fit", "figure-4")
    return run(chosen.params, chosen.seed, chosen.steps)


def test_figure_4_in_one_run(figure_4):
    final = EXPERIMENT.final(figure_4.state, figure_4.recent())
    assert final["fits"] == [False, True]
    assert final["mse"][0] == pytest.approx(0.0027228, rel=1e-3)
    assert final["mse"][1] < 1e-6
    assert min(final["smallest"]) >= 0
    assert figure_4.recent()["smallest"].min() >= 0
    assert figure_4.outcome().kind is OutcomeKind.CONVERGING
    assert "estimate 2 fits" in figure_4.outcome().message


def test_a_fit_that_falls_no_more_settles_wherever_that_is():
    session = run(FitParams(depth=1, points=3), steps=235)
    assert (session.outcome().phase, session.outcome().standing) == ("falling", Standing.OPEN)
    session.advance(7000)
    assert (session.outcome().phase, session.outcome().standing) == ("settling", Standing.SETTLING)


def test_the_claims_of_section_4_on_figure_4(figure_4):
    found = claims_of(figure_4)
    assert all(lamp.on for claim in found.values() for lamp in claim.assumptions)
    violated = {name for name, claim in found.items() if claim.verdict is Verdict.VIOLATED}
    assert violated == {"biases-change-little"}
    others = [claim for name, claim in found.items() if name not in violated]
    assert all(claim.verdict is Verdict.HOLDS for claim in others)


def test_the_table_of_figure_4_over_seeds():
    chosen = preset("piecewise-fit", "figure-4")
    params = update(chosen.params, ensemble=20)
    told = []

    def progress(done, text):
        told.append((done, text))
        return True

    found = EXPERIMENT.ensemble(params, chosen.seed, 10_000, progress)
    first, second = found.summary["estimators"]
    assert (first["fit_fraction"], second["fit_fraction"]) == (0.05, 1)  # one seed of 20 fits
    for quantile in ("q10", "median", "q90"):
        assert first["mse"][quantile] == pytest.approx(0.002723, rel=1e-3)
        assert second["mse"][quantile] < 1e-6
    for estimator, lipschitz, bias, weight in (
        (first, 2.002, 0.32, 1.15),
        (second, 2.009, 0.24, 1.74),
    ):
        # The table's Lipschitz constants are slopes between data points; ours see every piece.
        assert estimator["lipschitz"]["median"] == pytest.approx(lipschitz, rel=0.05)
        assert estimator["bias_movement"]["median"] == pytest.approx(bias, rel=0.01)
        assert estimator["weight_movement"]["median"] == pytest.approx(weight, rel=0.01)
    assert told[-1][0] == 1.0
    assert len(found.columns["seed"]) == 20
    assert {len(column) for column in found.columns.values()} == {20}
    verdicts = {claim.id: claim.verdict for claim in found.claims}
    assert verdicts["figure-4-over-seeds"] is Verdict.HOLDS
    assert not found.cancelled


def test_a_seed_of_an_ensemble_is_the_run_with_that_seed():
    params = build(FitParams, {"depth": 4, "points": 30, "ensemble": 6})
    found = EXPERIMENT.ensemble(params, 5, 400, keep_going)
    session = run(params, 8, 400)
    row = found.columns["seed"].index(8)
    mse = session.recent()["mse"][-1]
    assert [found.columns["mse_1"][row], found.columns["mse_2"][row]] == mse.tolist()
    movement = session.recent()["bias_movement"][-1]
    assert found.columns["bias_movement_2"][row] == pytest.approx(movement[1], rel=1e-14)


def test_a_short_ensemble_is_undecided():
    params = update(preset("piecewise-fit", "figure-4").params, ensemble=10)
    found = EXPERIMENT.ensemble(params, 0, 5, keep_going)
    assert {claim.verdict for claim in found.claims} == {Verdict.UNDECIDED}
    assert all("after 5 steps of at least 2\u2009000" in claim.measured for claim in found.claims)


def test_an_ensemble_can_be_cancelled():
    params = build(FitParams, {"ensemble": 200})
    found = EXPERIMENT.ensemble(params, 0, 1_000_000, lambda done, text: False)
    assert found.cancelled
    assert found.summary["runs"] < 200


def test_the_step_size_matters():
    chosen = preset("piecewise-fit", "large-step")
    final = run(chosen.params, 0, 3000).recent()["mse"][-1]
    assert (final > 1e-3).all()


def test_frozen_biases_stay_and_fit_worse():
    chosen = preset("piecewise-fit", "frozen-biases")
    session = run(chosen.params, 1, 5000)
    assert (session.recent()["bias_movement"] == 0).all()
    assert claims_of(session)["biases-change-little"].verdict is Verdict.NOT_APPLICABLE
    trained = run(FitParams(), 1, 5000)
    assert (session.recent()["mse"][-1] > trained.recent()["mse"][-1]).any()


def test_plain_descent_is_too_slow():
    chosen = preset("piecewise-fit", "plain-descent")
    final = run(chosen.params, 0, chosen.steps).recent()["mse"][-1]
    assert (final > 1e-3).all()


def test_divergence_stops_both_estimators():
    params = build(
        FitParams,
        {"step_size": 50, "projected": False, "optimiser": "gradient-descent", "init_weight": 1},
    )
    session = run(params, 0, 500)
    assert session.outcome().kind is OutcomeKind.DIVERGED
    assert session.state.diverged_at == session.step + 1
    assert all(np.isfinite(rows).all() for rows in (session.recent()["mse"], session.state.theta))
    _, chunk = EXPERIMENT.advance(session.state, 10)
    assert chunk.count == 0


def test_eigenvalues_are_recorded_when_due_and_bound_by_the_method():
    params = build(FitParams, {"hessian_every": 7, "optimiser": "gradient-descent"})
    rows = run(params, 0, 30).recent()["eigenvalues_1"]
    known = np.flatnonzero(~np.isnan(rows[:, 0]))
    assert known.tolist() == [0, 7, 14, 21, 28]
    assert (np.diff(rows[known], axis=1) <= 0).all()
    assert largest_sharpness(params, 10) == 2 / params.step_size
    heavy = update(params, optimiser="heavy-ball", momentum=0.5)
    assert largest_sharpness(heavy, 10) == pytest.approx(3 / params.step_size)
    nesterov = update(params, optimiser="nesterov", schedule="constant", momentum=0.5)
    assert largest_sharpness(nesterov, 10) == pytest.approx(1.5 / params.step_size)


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
def test_the_stable_sharpness_is_that_of_a_quadratic(optimiser):
    """One weightless layer: the loss is quadratic in d, whose curvature is 1."""
    for factor, diverges in ((0.98, False), (1.02, True)):
        params = build(
            FitParams,
            {
                "optimiser": optimiser,
                "schedule": "constant",
                "momentum": 0.6,
                "step_size": 1,
            },
        )
        step = factor * largest_sharpness(params, 5)  # curvature 1 in place of 1 / step
        now, past = 1.0, 1.0
        for k in range(400):
            carry = params.momentum if optimiser != "gradient-descent" and k else 0.0
            base = now + carry * (now - past) if optimiser == "nesterov" else now
            new = base - step * base + (carry * (now - past) if optimiser == "heavy-ball" else 0.0)
            past, now = now, new
        assert (abs(now) > 1) == diverges


def test_live_changes_go_on_from_where_the_run_is():
    session = run(FitParams(), 0, 50)
    session.retune(update(session.params, step_size=0.002, projected=False))
    session.advance(50)
    limits = session.recent()["limit"]
    assert limits[-1] == largest_sharpness(session.params, 100)
    assert limits[10] == largest_sharpness(FitParams(), 10) == pytest.approx(200 * 23 / 33)
    again = session.state_at(80)
    fresh = Session(EXPERIMENT, FitParams(), 0)
    fresh.advance(50)
    fresh.retune(update(fresh.params, step_size=0.002, projected=False))
    fresh.advance(30)
    np.testing.assert_array_equal(again.theta, fresh.state.theta)


def test_a_dragged_kink_begins_where_it_was_put():
    params = FitParams()
    for handle, x in (("start2:13", 0.62), ("start2:3", 0.4), ("start2:13", 0.66)):
        params = EXPERIMENT.drag(params, handle, x, 3.0)
    assert params.moved_kinks == ((2, 3, 0.4), (2, 13, 0.66))
    state = EXPERIMENT.init(params, 0)
    seen = EXPERIMENT.observe(state, {})
    assert seen["start_2_x"][13] == pytest.approx(0.66, abs=1e-12)
    assert seen["start_2_x"][3] == pytest.approx(0.4, abs=1e-12)
    np.testing.assert_array_equal(
        seen["start_1_x"], EXPERIMENT.observe(EXPERIMENT.init(FitParams(), 0), {})["start_1_x"]
    )
    for rows in (((3, 0, 0.5),), ((1, 20, 0.5),), ((1, 0),)):
        with pytest.raises(InputError, match="moved_kinks"):
            EXPERIMENT.init(build(FitParams, {"moved_kinks": rows}), 0)


def test_other_start_weights_leave_the_biases():
    depth = FitParams().depth
    one, other = starts(FitParams(), 3), starts(FitParams(init="uniform"), 3)
    np.testing.assert_array_equal(one[:, 2 * depth : 4 * depth], other[:, 2 * depth : 4 * depth])
    assert (one[:, : 2 * depth] == 0.1).all()
    assert np.ptp(other[:, : 2 * depth]) > 0.1


def test_one_stream_is_that_of_torch_and_the_same_for_both_estimators():
    depth, seeds = 4, range(7)
    params = build(FitParams, {"depth": depth, "draws": "one-stream", "bias_range_2": 0.9})
    torch.manual_seed(0)
    stream = torch.rand(len(seeds), 2 * depth, dtype=torch.float64).numpy()
    for seed in seeds:
        for init in ("constant", "uniform"):
            first, second = starts(update(params, init=init), seed)
            np.testing.assert_array_equal(first[2 * depth : 4 * depth], 0.5 * stream[seed])
            np.testing.assert_array_equal(second[2 * depth : 4 * depth], 0.9 * stream[seed])
    torch.manual_seed(3)
    stream = torch.rand(2, 2 * depth, dtype=torch.float64).numpy()
    later = starts(params, 3 * STREAM_ROWS + 1)[0]
    np.testing.assert_array_equal(later[2 * depth : 4 * depth], 0.5 * stream[1])
    assert (starts(params, 2**63 - 1001) >= 0).all()


def test_drawn_points_typed_functions_and_files(tmp_path):
    drawn = build(FitParams, {"function": "drawn", "drawn": [[0, 0], [0.4, 1], [1, 0]]})
    assert EXPERIMENT.init(drawn, 0).samples.x.tolist() == [0, 0.4, 1]
    typed = build(FitParams, {"function": "typed", "expression": "x**2"})
    assert EXPERIMENT.init(typed, 0).samples.lipschitz == pytest.approx(2, rel=1e-12)
    path = tmp_path / "points.csv"
    path.write_text("x,y\n" + "\n".join(f"{i},{i * i % 11}" for i in range(30_000)))
    state = EXPERIMENT.init(build(FitParams, {"function": "file", "file": str(path)}), 0)
    assert state.samples.x.size == 2000
    notes = [bound.note for bound in EXPERIMENT.theory(state.params, state) if bound.id == "points"]
    assert "2\u2009000 of 30\u2009000 rows were taken" in notes[0]
    for values in (
        {"function": "file"},
        {"function": "file", "file": str(tmp_path / "absent.csv")},
        {"function": "typed", "expression": "import os"},
        {"function": "drawn", "drawn": [[0, 0]]},
    ):
        with pytest.raises(InputError):
            EXPERIMENT.init(build(FitParams, values), 0)


def test_learned_parameters_are_kept_by_a_fresh_run():
    session = run(FitParams(depth=3), 0, 20)
    arrays = {key: np.array(value) for key, value in EXPERIMENT.arrays(session.state).items()}
    fresh = EXPERIMENT.with_arrays(EXPERIMENT.init(FitParams(depth=3), 5), arrays)
    np.testing.assert_array_equal(fresh.theta, session.state.theta)
    assert EXPERIMENT.record(fresh)["bias_movement"].tolist() == [0, 0]


def test_settings_of_the_numerics_table():
    """N = 101, momentum k/(k + 3), step 0.005, c >= 1e-3 over 20,000 steps, a few seeds."""
    params = build(
        FitParams, {"points": 101, "schedule": "ratio", "step_size": 0.005, "scale_floor": 1e-3}
    )
    state = EXPERIMENT.init(params, 0)
    theta = np.concatenate([starts(params, seed) for seed in range(6)])
    pairs = residual.Pairs(theta, theta.copy(), theta.copy(), np.full(12, -1))
    rule = residual.Rule(0.005, schedule=residual.RATIO, floor=1e-3)
    _, records = residual.advance(pairs, state.data, rule, 20_000, every=20_000)
    rows = dict(zip(residual.COLUMNS, records.scalars[0].T, strict=True))
    assert np.median(rows["mse"][0::2]) == pytest.approx(2.74e-3, rel=0.01)
    assert rows["mse"][1::2].max() < 1e-6
    assert rows["residual_12a"].max() < 1e-3
    assert np.median(rows["lipschitz"]) == pytest.approx(2.02, rel=0.05)


def test_states_are_not_written_to(figure_4):
    state = figure_4.state
    copies = {f.name: getattr(state, f.name) for f in dataclasses.fields(state)}
    arrays = {key: v.copy() for key, v in copies.items() if isinstance(v, np.ndarray)}
    EXPERIMENT.advance(state, 3)
    EXPERIMENT.observe(state, figure_4.recent())
    for key, value in arrays.items():
        np.testing.assert_array_equal(getattr(state, key), value)
