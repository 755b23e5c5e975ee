"""Ensembles of the double scalar network and of least squares, and what they share."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.claims import Verdict
from engine.core.errors import InputError
from engine.core.params import build
from engine.core.registry import get
from engine.experiments.least_squares.ensemble import rate_of
from engine.families.ensembles.runs import SIDES, Run, Track, Tracker, double_is_better
from engine.families.ensembles.views import agreement
from engine.run.session import Session
from engine.storage.presets import preset


def keep_going(done, text):
    return True


def ensemble_of(experiment_id, steps, seed=0, **values):
    experiment = get(experiment_id)
    return experiment.ensemble(build(experiment.parameters, values), seed, steps, keep_going)


def ensemble_of_preset(experiment_id, preset_id, **changes):
    chosen = preset(experiment_id, preset_id)
    values = {**chosen.params.model_dump(), **changes}
    return ensemble_of(experiment_id, chosen.steps, chosen.seed, **values)


def verdicts_of(made):
    return {claim.id: claim.verdict for claim in made.claims}


def test_a_tracker_keeps_the_checkpoints_however_the_errors_come():
    errors = np.array([0.5, 0.7, 0.2, 0.4, 1e-10, 2e-10])
    points = np.array([0, 2, 5, 6])
    for cuts in ([], [1], [2, 3, 5]):
        tracker = Tracker(points, 1.0)
        for part in np.split(errors, cuts):
            tracker.add(part, diverged=False)
        track = tracker.track()
        np.testing.assert_array_equal(track.errors, [1.0, 0.7, 1e-10, 2e-10])
        assert (track.rises, track.fate, tracker.missing) == (2, "converged", 0)


def test_a_tracker_ends_with_a_divergence():
    tracker = Tracker(np.array([0, 1, 2, 9]), 1.0)
    tracker.add(np.array([3.0, np.inf]), diverged=True)
    track = tracker.track()
    assert (track.diverged_at, track.fate, track.known, tracker.missing) == (2, "diverged", None, 0)
    np.testing.assert_array_equal(track.errors, [1.0, 3.0, np.nan, np.nan])


@pytest.mark.parametrize(
    ("single", "double", "better"),
    [
        (0.5, 0.1, True),
        (0.1, 0.5, False),
        (np.nan, 0.5, True),
        (1e-14, 1e-16, False),
        (np.nan, np.nan, False),
    ],
)
def test_better_is_neither_rounding_nor_a_divergence(single, double, better):
    tracks = tuple(Track(np.array([error]), error, None, 0) for error in (single, double))
    assert double_is_better(Run(0, {}, tracks, {}), 0) is better


def test_a_seed_of_an_ensemble_is_the_run_with_that_seed():
    values = {"depth": 4, "target": -0.7, "step_size": 0.1}
    made = ensemble_of("double-scalar", 150, 5, ensemble=4, spread=0.2, **values)
    experiment = get("double-scalar")
    session = Session(experiment, build(experiment.parameters, {**values, "noise": 0.2}), 7)
    session.advance(150)
    row = made.columns["seed"].index(7)
    for side in ("single", "double"):
        error = abs(session.recent()[f"error_{side}"][-1]) / 0.7
        assert made.columns[f"{side}_relative_error"][row] == error
        sharpness = session.recent()[f"sharpness_{side}"][-1]
        assert made.columns[f"{side}_sharpness"][row] == sharpness


def test_scattered_single_networks_leave_0_when_the_reference_says():
    """NUMERICS.md section 4: from within 0.001 of all ones, L = 3, seed 0 learns at step 505."""
    made = ensemble_of_preset("double-scalar", "symmetry-over-seeds", ensemble=20)
    assert made.columns["single_learned_at"][0] == 505
    assert verdicts_of(made)["symmetry-needed"] is Verdict.HOLDS
    assert made.summary["median_single_learned_at"] > 10 * made.summary["median_double_learned_at"]


def test_both_signs_over_seeds():
    made = ensemble_of_preset("double-scalar", "over-seeds", ensemble=20)
    rows = {row["target"]: row for row in made.summary["table"]}
    for target, row in rows.items():
        assert row["double_learned"] == 1.0
        assert row["single_learned"] == (1.0 if target > 0 else 0.0)
        assert row["double_first"] >= 0.9
    assert rows[1.5]["median_sharpness_ratio"] > 1.5
    verdicts = verdicts_of(made)
    assert verdicts.pop("symmetry-needed") is Verdict.UNDECIDED
    assert set(verdicts.values()) == {Verdict.HOLDS}
    assert len(made.columns["seed"]) == 120


def test_the_pair_is_unstable_first_where_it_is_the_sharper_one():
    made = ensemble_of_preset("double-scalar", "over-step-sizes", ensemble=20)
    rows = {row["step_size"]: row for row in made.summary["table"]}
    one_seed = 0.05 + 1e-9
    for step, single, double, first in (
        (0.01, 0.0, 0.0, 0.95),
        (0.02, 0.0, 0.0, 0.4),
        (0.03, 0.0, 0.4, 0.0),
        (0.04, 0.0, 0.85, 0.0),
        (0.05, 1.0, 0.9, 0.0),
    ):
        row = rows[step]
        assert row["single_unstable"] == single
        # In chaos a seed may end otherwise where a library rounds otherwise.
        assert row["double_unstable"] == pytest.approx(double, abs=one_seed if double else 0)
        assert row["double_first"] == pytest.approx(first, abs=one_seed)
        assert row["single_learned"] == (0.0 if step == 0.05 else 1.0)
    assert [rows[0.01][f"median_{side}_learned_at"] for side in SIDES] == [13.5, 7.5]
    assert [rows[0.02][f"median_{side}_learned_at"] for side in SIDES] == [5.5, 7.0]
    for step, ratio in ((0.01, 1.780), (0.02, 1.621), (0.03, 1.447), (0.04, 1.131)):
        assert rows[step]["median_sharpness_ratio"] == pytest.approx(ratio, abs=0.03)
    assert rows[0.03]["median_double_learned_at"] == pytest.approx(53, rel=0.3)
    assert rows[0.04]["median_double_learned_at"] > 500
    verdicts = verdicts_of(made)
    assert verdicts["minima-hold"] is Verdict.HOLDS
    assert verdicts["pair-first"] is Verdict.VIOLATED  # near its own, lower limit it is later


def test_one_network_goes_on_when_the_other_has_diverged():
    made = ensemble_of("double-scalar", 100, depth=1, step_size=1.5, ensemble=3)
    assert made.columns["double_outcome"] == ["diverged"] * 3
    assert made.columns["single_outcome"] == ["converged"] * 3


@pytest.mark.parametrize("factor", [0.5, 0.99, 1.05])
def test_a_rate_is_read_off_an_error(factor):
    steps = np.arange(3000)
    errors = factor**steps + 0.3 * (0.5 * factor) ** steps
    assert rate_of(np.maximum(errors[errors < 1e12], 1e-16)) == pytest.approx(factor, rel=1e-6)


def test_a_short_run_has_no_rate():
    assert rate_of(np.ones(10)) is None
    assert rate_of(1e-3 ** np.arange(50.0)) is None


def test_least_squares_over_seeds_keeps_to_its_theory():
    made = ensemble_of_preset("least-squares", "over-seeds", ensemble=20)
    assert set(verdicts_of(made).values()) == {Verdict.HOLDS}
    critical = np.array(made.columns["critical_step"])
    assert np.ptp(critical) > 0.2
    below = np.array(made.columns["step_size"]) < critical
    diverged = np.array([at is not None for at in made.columns["diverged_at"]])
    assert 0 < below.sum() < len(below)
    assert not (below & diverged).any()
    for row in made.summary["table"]:
        assert row["median_rate_gap"] < 1e-4
        assert row["converged"] + row["diverged"] <= 1.0


def test_heavy_ball_grows_as_far_as_computed_and_no_further():
    made = ensemble_of_preset("least-squares", "heavy-ball-over-seeds", ensemble=20)
    assert set(verdicts_of(made).values()) == {Verdict.HOLDS}
    growth = made.columns["growth"]
    bounds = made.columns["predicted_growth"]
    known = [(a, b) for a, b in zip(growth, bounds, strict=True) if b is not None]
    assert all(a <= b * (1 + 1e-9) for a, b in known)
    assert max(a / b for a, b in known) > 0.9


def test_a_file_keeps_its_data_and_turns_the_start(tmp_path):
    path = tmp_path / "points.csv"
    np.savetxt(path, np.random.default_rng(1).standard_normal((30, 4)), delimiter=",")
    made = ensemble_of(
        "least-squares", 40, data="file", data_file=str(path), step_size=0.01, ensemble=5
    )
    assert len(set(made.columns["critical_step"])) == 1
    assert len(set(made.columns["relative_error"])) == 5
    assert set(verdicts_of(made).values()) == {Verdict.HOLDS}


def test_few_normal_points_leave_a_subspace_of_minima():
    made = ensemble_of(
        "least-squares", 2000, data="normal", width=8, points=4, step_size=0.2, ensemble=10
    )
    assert made.summary["converged"] == 1.0
    assert max(made.columns["predicted_rate"]) < 1.0
    assert verdicts_of(made)["rates"] is Verdict.HOLDS


@pytest.mark.parametrize(
    ("experiment_id", "steps", "values", "claim"),
    [
        ("double-scalar", 50, {"step_size": 0.001}, "pair-learns-over-seeds"),
        ("matrix-product", 10, {"width": 3, "depth": 3}, "norm-decides"),
        ("least-squares", 10, {"step_size": 0.001}, "critical-decides"),
    ],
)
def test_a_run_that_is_not_finished_violates_nothing(experiment_id, steps, values, claim):
    made = ensemble_of(experiment_id, steps, ensemble=4, **values)
    assert verdicts_of(made)[claim] is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("answers", "verdict", "measured"),
    [
        ([True] * 9 + [False], Verdict.HOLDS, "9 of 10 runs"),
        ([True] * 8 + [False] * 2, Verdict.VIOLATED, "8 of 10 runs"),
        ([True] * 8 + [False, None], Verdict.UNDECIDED, "8 of 10 runs, 1 open"),
        ([None] * 8 + [False] * 2, Verdict.VIOLATED, "0 of 10 runs, 8 open"),
        ([], Verdict.NOT_APPLICABLE, "0 of 0 runs"),
    ],
)
def test_what_is_open_decides_nothing(answers, verdict, measured):
    claim = agreement("x", "", "", answers=answers, lamps=(), predicted="")
    assert (claim.verdict, claim.measured) == (verdict, measured)


@pytest.mark.parametrize("experiment_id", ["double-scalar", "least-squares"])
def test_they_can_be_cancelled_and_need_a_step(experiment_id):
    experiment = get(experiment_id)
    params = build(experiment.parameters, {"ensemble": 400})
    made = experiment.ensemble(params, 0, 2_000_000, lambda done, text: False)
    assert made.cancelled and len(made.columns["seed"]) < 400
    with pytest.raises(InputError, match="steps"):
        experiment.ensemble(params, 0, 0, keep_going)


@pytest.mark.parametrize(
    ("experiment_id", "values", "field"),
    [
        ("double-scalar", {"targets": (1.0, 0.0)}, "targets"),
        ("double-scalar", {"spread": 0.0}, "spread"),
        ("double-scalar", {"step_sizes": (-1.0,)}, "step_sizes"),
        ("least-squares", {"start": (), "ensemble": 3}, "start"),
        ("least-squares", {"points": 0}, "points"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(experiment_id, values, field):
    with pytest.raises(InputError, match=rf"^{field}.* is not allowed; .*\.$"):
        ensemble_of(experiment_id, 10, **values)
