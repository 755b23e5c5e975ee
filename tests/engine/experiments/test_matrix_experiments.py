"""The matrix experiments: theorems where they hold and fail, claims, ensembles, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.core.claims import Verdict
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind, Standing
from engine.core.params import build
from engine.core.registry import get
from engine.run.session import Session
from engine.storage.presets import preset

RARE = {"measure_every": 500, "hessian_every": 1000}


def session_of(experiment_id, preset_id="", seed=0, **settings):
    experiment = get(experiment_id)
    given = preset(experiment_id, preset_id).params.model_dump() if preset_id else {}
    return Session(experiment, build(experiment.parameters, {**given, **settings}), seed)


def claims_of(session):
    found = session.experiment.claims(session.params, session.state, session.recent())
    return {claim.id: claim for claim in found}


def final_of(session):
    return session.experiment.final(session.state, session.recent())


def test_theorem_2_with_symmetric_r_reaches_the_root_to_1e_12():
    session = session_of("matrix-product", "theorem-2", **RARE)
    session.advance(1000)
    final = final_of(session)
    assert final["root_distance"] < 1e-12
    assert final["commutator"] < 1e-14
    assert session.outcome().kind is OutcomeKind.CONVERGED
    assert claims_of(session)["theorem-2"].verdict is Verdict.HOLDS
    assert final["hessian"][0] >= session.state.problem.sharpness_bound * (1 - 1e-9)


def test_a_run_and_its_ensemble_measure_the_distance_from_the_root_alike():
    settings = {"width": 3, "ensemble": 2, "measure_every": 50, "hessian_every": 1000}
    session = session_of("matrix-product", "theorem-2", **settings)
    session.advance(50)
    found = session.experiment.ensemble(session.params, 0, 50, lambda done, text: True)
    assert found.columns["root_distance"][0] == pytest.approx(
        final_of(session)["root_distance"], rel=1e-9, abs=1e-15
    )


def test_the_counterexample_is_flagged():
    session = session_of("matrix-product", "counterexample")
    session.advance(100)
    assert session.state.diverged_at == session.step == 8
    assert session.outcome().kind is OutcomeKind.DIVERGED
    claim = claims_of(session)["theorem-2"]
    assert claim.verdict is Verdict.NOT_APPLICABLE
    assert [lamp.name for lamp in claim.assumptions if not lamp.on] == [
        "Eigenvectors of R are orthogonal (needed by the proof)"
    ]
    assert "counterexample" in claim.note
    assert claims_of(session)["theorem-1-norm"].verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("preset_id", "steps", "claim", "verdict"),
    [
        ("theorem-1-above", 1500, "theorem-1", Verdict.HOLDS),
        ("theorem-1-below", 1500, "theorem-1", Verdict.NOT_APPLICABLE),
        ("counterexample-oscillates", 1000, "theorem-1-norm", Verdict.HOLDS),
        ("beyond-the-edge", 3000, "balancing", Verdict.HOLDS),
        ("negative-eigenvalues", 1500, "proposition-3", Verdict.HOLDS),
    ],
)
def test_presets_show_what_they_say(preset_id, steps, claim, verdict):
    session = session_of("matrix-product", preset_id, **RARE)
    session.advance(steps)
    assert claims_of(session)[claim].verdict is verdict


def test_wrong_determinant_stalls_at_the_least_singular_value():
    session = session_of("matrix-product", "unitary-wrong-sign", **RARE)
    session.advance(3000)
    least = np.linalg.svd(session.state.problem.target.matrix, compute_uv=False)[-1]
    assert final_of(session)["loss"] == pytest.approx(0.5 * least**2, rel=1e-3)


def test_orthonormal_batches_are_the_full_run():
    runs = []
    for batch in ("orthonormal", "full"):
        session = session_of("matrix-product", "orthonormal-batches", batch=batch, **RARE)
        session.advance(120)
        runs.append(session.recent()["error"])
    np.testing.assert_allclose(runs[0], runs[1], atol=1e-12)


def test_networks_keep_their_bits_however_they_are_split():
    for settings in (
        {"batch": "random", "inputs": "data"},
        {"step_rule": "hessian"},
        {"optimiser": "nesterov", "flow": True},
    ):
        one = session_of("matrix-product", **settings)
        two = session_of("matrix-product", **settings)
        one.advance(70)
        for part in (1, 12, 57):
            two.advance(part)
        for name in ("weights", "previous", "direction"):
            np.testing.assert_array_equal(
                getattr(one.state.network, name), getattr(two.state.network, name)
            )
        np.testing.assert_array_equal(one.state.flow, two.state.flow)


def test_figure_3_single_oscillates_and_double_converges():
    session = session_of(
        "double-matrix", "figure-3", hessian_count=0, measure_every=1000, hessian_every=1000
    )
    session.advance(600)
    final = final_of(session)
    assert final["relative_error"] < 1e-3 < final["relative_error_single"]
    claims = claims_of(session)
    assert claims["figure-3"].verdict is Verdict.HOLDS
    assert claims["figure-3-stability"].verdict is Verdict.HOLDS


@pytest.mark.parametrize(
    ("preset_id", "kind", "begins"),
    [
        ("negative-eigenvalues", OutcomeKind.MAX_STEPS, "near"),  # rounding leaves it
        ("unitary-wrong-sign", OutcomeKind.CONVERGING, "converging to"),
    ],
)
def test_a_run_that_nears_a_saddle_says_so(preset_id, kind, begins):
    session = session_of("matrix-product", preset_id, **RARE)
    session.advance(300)
    outcome = session.outcome()
    assert outcome.kind is kind
    assert outcome.phase.startswith(f"{begins} the saddle without the ")
    assert outcome.standing is Standing.NEARING_SADDLE


def test_two_networks_stand_as_the_double_one_does():
    """Both rest on the saddle at 0 from there; else the double one reaches what it sought."""
    session = session_of("double-matrix", "tiny")
    session.advance(300)
    outcome = session.outcome()
    assert outcome.phase.startswith("double converged")
    assert outcome.standing is Standing.AT_MINIMUM
    experiment = session.experiment
    zeros = {key: np.zeros_like(array) for key, array in experiment.arrays(session.state).items()}
    session = Session(experiment, session.params, 0, start=zeros)
    session.advance(40)
    outcome = session.outcome()
    assert outcome.phase.startswith("double at rest at a point that is no minimum")
    assert outcome.standing is Standing.AT_NO_MINIMUM


def test_one_network_goes_on_when_the_other_has_diverged():
    session = session_of("double-matrix", "tiny", step_size=1e3, init="near-identity")
    session.advance(300)
    assert session.state.diverged_at is not None
    assert session.outcome().kind is OutcomeKind.DIVERGED
    assert final_of(session)["diverged_at"]["single"] <= session.step


def test_ensembles_give_the_fractions_of_theorem_2():
    experiment = get("matrix-product")
    for eigenvectors, converged in (("orthogonal", 1.0), ("normal", 0.8)):
        values = {
            **preset("matrix-product", "table-normal-2").params.model_dump(),
            "eigenvectors": eigenvectors,
            "ensemble": 30,
        }
        made = experiment.ensemble(build(experiment.parameters, values), 0, 1500, lambda *_: True)
        assert made.summary["converged"] == pytest.approx(converged, abs=0.15)
        assert len(made.columns["seed"]) == 30
        assert {claim.id: claim.verdict for claim in made.claims} == {"norm-decides": Verdict.HOLDS}
        low, high = (made.observation[f"single_{name}_0"] for name in ("low", "high"))
        known = np.isfinite(low) & np.isfinite(high)
        assert (low[known] <= high[known]).all()


def test_from_a_start_sharper_than_the_minimum_the_norm_decides_nothing():
    experiment = get("matrix-product")
    values = {
        "width": 3,
        "depth": 5,
        "eigenvalue_low": 0.05,
        "eigenvalue_high": 0.2,
        "step_unit": "norm",
        "step_size": 0.5,
        "ensemble": 10,
    }
    made = experiment.ensemble(build(experiment.parameters, values), 0, 500, lambda *_: True)
    assert made.summary["diverged"] == 1.0
    assert made.claims[0].verdict is Verdict.NOT_APPLICABLE


def test_ensembles_over_step_sizes_make_a_table_and_can_be_cancelled():
    experiment = get("double-matrix")
    values = {"width": 4, "depth": 6, "ensemble": 6, "step_sizes": (0.5, 1.5)}
    params = build(experiment.parameters, values)
    made = experiment.ensemble(params, 0, 400, lambda *_: True)
    assert [row["step_size"] for row in made.summary["table"]] == [0.5, 1.5]
    assert made.summary["table"][0]["double_better"] >= 0.5
    assert len({len(column) for column in made.columns.values()}) == 1
    stopped = experiment.ensemble(params, 0, 400, lambda *_: False)
    assert stopped.cancelled
    assert len(stopped.columns["seed"]) < 12


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"target_source": "typed", "target": [[0, 0], [0, 0]]}, "target"),
        (
            {"target_source": "typed", "target": [[0, 1], [0, 0]], "step_unit": "radius"},
            "step_unit",
        ),
        ({"target_source": "typed", "target": [[1, 1]]}, "target"),
        ({"target_source": "typed", "target": [[1, 1], [1]]}, "target"),
        ({"target_source": "file", "target_file": "nowhere.csv"}, "target_file"),
        ({"eigenvalues": [1.0, 2.0]}, "eigenvalues"),
        ({"eigenvalue_low": 4.0}, "eigenvalue_high"),
        ({"batch": "orthonormal", "inputs": "rotated"}, "batch"),
        ({"inputs": "data", "points_file": "nowhere.npy"}, "points_file"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(settings, field):
    experiment = get("matrix-product")
    with pytest.raises(InputError, match=rf"^{field}: .* is not allowed; .*\.$"):
        experiment.init(build(experiment.parameters, settings), 0)


def test_r_and_points_come_from_files(tmp_path):
    (tmp_path / "r.csv").write_text("1,0.5\n0.5,2\n", "utf-8")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((40, 2)))
    session = session_of(
        "matrix-product",
        target_source="file",
        target_file=str(tmp_path / "r.csv"),
        inputs="data",
        points_file=str(tmp_path / "x.npy"),
        batch="random",
        batch_size=4,
    )
    session.advance(50)
    np.testing.assert_array_equal(session.state.problem.target.matrix, [[1, 0.5], [0.5, 2]])
    assert final_of(session)["error"] < session.state.first_error


def test_least_squares_balls_and_dragging():
    session = session_of("least-squares", "heavy-ball")
    session.advance(200)
    ball = final_of(session)["stable_ball"]
    assert 0 < ball < session.params.epsilon
    assert claims_of(session)["lyapunov-stability"].verdict is Verdict.HOLDS
    inside = session_of("least-squares", "heavy-ball", start=(0.999 * ball, 0.0), starts=32)
    inside.advance(200)
    assert inside.state.farthest.max() <= session.params.epsilon
    dragged = session.experiment.drag(session.params, "epsilon", 3.0, 4.0)
    assert dragged.epsilon == 5.0
    assert session.experiment.drag(session.params, "start", -1.0, 0.5).start[:2] == (-1.0, 0.5)
    above = session_of("least-squares", "just-above")
    above.advance(2000)
    assert above.state.diverged_at == above.step
    assert final_of(above)["stable_ball"] is None


@pytest.mark.parametrize("other", [{"optimiser": "heavy-ball"}, {"inputs": "rotated"}, {}])
def test_figure_3_over_seeds_asks_for_what_the_paper_assumes(other: dict[str, Any]) -> None:
    experiment = get("double-matrix")
    values = {"width": 3, "depth": 3, "ensemble": 2, "step_unit": "norm", "step_size": 0.5, **other}
    made = experiment.ensemble(build(experiment.parameters, values), 0, 200, lambda *_: True)
    (claim,) = made.claims
    assert (claim.verdict is Verdict.NOT_APPLICABLE) == bool(other)


@pytest.mark.parametrize(
    "target",
    [
        [[1.0, 1.0], [0.0, 1.0]],
        [[1.0, 2.0], [2.0, 4.0]],
        [[0.0, 1.0], [0.0, 0.0]],
        [[1.0, 1.0], [0.0, 1.000000001]],
        [[3.0, 1.0], [-1.0, 1.0]],
    ],
)
@pytest.mark.parametrize("init", ["identity", "orthogonal", "commuting", "balanced", "minimum"])
@pytest.mark.parametrize("name", ["matrix-product", "double-matrix"])
def test_defective_and_singular_targets_are_descended_to(name, init, target):
    """The norm form of Theorem 1 asks nothing of R; what the printed theorem asks is a lamp."""
    experiment = get(name)
    values = {"target_source": "typed", "target": target, "init": init, "depth": 3}
    values |= {"step_unit": "norm", "step_size": 0.4, "flow": False}
    session = Session(experiment, build(experiment.parameters, values), 0)
    session.advance(50)
    assert session.state.diverged_at is None
    experiment.observe(session.state, session.recent())
    bounds = {b.id: b for b in experiment.theory(session.params, session.state)}
    assert np.isfinite(bounds["delta_max"].value)
    claims = experiment.claims(session.params, session.state, session.recent())
    printed = [claim for claim in claims if claim.id in ("theorem-1", "theorem-2")]
    is_normal = np.allclose(np.array(target), np.array(target).T)
    for claim in printed:
        lamp = next(lamp for lamp in claim.assumptions if "diagonalisable" in lamp.name)
        assert lamp.on is True or not is_normal
        assert is_normal or claim.verdict is Verdict.NOT_APPLICABLE


def test_starts_that_commute_with_a_multiple_of_the_identity_need_not_with_one_another():
    """Everything commutes with R = cI, which is not what Theorem 1 asks."""
    experiment = get("matrix-product")
    values = {"target_source": "typed", "target": [[2.0, 0.0], [0.0, 2.0]], "depth": 3}

    def lamp(init):
        params = build(experiment.parameters, {**values, "init": init})
        session = Session(experiment, params, 0)
        claims = experiment.claims(session.params, session.state, session.recent())
        theorem = next(claim for claim in claims if claim.id == "theorem-1")
        return next(lamp for lamp in theorem.assumptions if "one another" in lamp.name).on

    assert lamp("identity") is True
    assert lamp("commuting") is True
    assert lamp("near-identity") is False
    assert lamp("orthogonal") is False


HIDDEN = {
    "width": 3,
    "depth": 6,
    "step_unit": "norm",
    "step_size": 0.825,
    "optimiser": "nesterov",
    "momentum": 0.5,
}


@pytest.mark.parametrize(("seed", "holds"), [(0, False), (1, True)])
def test_a_cycle_that_repels_is_no_fate_though_the_error_repeats(seed: int, holds: bool) -> None:
    """A displacement that grows from rounding shows in the error to second order only."""
    experiment = get("matrix-product")
    session = Session(experiment, build(experiment.parameters, HIDDEN), seed)
    for step in (100, 200, 400):
        session.advance(step - session.step)
        error = session.recent()["error"]
        assert abs(error[-1] - error[-3]) < 1e-5 * abs(error[-1] - error[-2])
        assert session.outcome().period == (2 if holds else None)
    before = session.recent()["error"][-2:].copy()
    session.nudge(1e-6)
    session.advance(1000)
    after = session.recent()["error"][-2:]
    assert (float(np.max(np.abs(np.sort(after) - np.sort(before)))) < 1e-3) == holds


def test_a_saddle_that_rounding_leaves_is_no_fate() -> None:
    """From the identity exact numbers keep all matrices equal; rounded ones part in the end."""
    experiment = get("matrix-product")
    values = {"width": 5, "depth": 5, "step_unit": "radius", "step_size": 0.999999999}
    spread = {"eigenvalue_low": -1.5, "eigenvalue_high": 1.5, "hessian_count": 0}
    session = Session(experiment, build(experiment.parameters, {**values, **spread}), 501)
    session.advance(106)
    outcome = session.outcome()
    assert (outcome.kind, outcome.standing) == (OutcomeKind.MAX_STEPS, Standing.NEARING_SADDLE)
    assert outcome.phase == "near the saddle without the negative eigenvalues"
    session.advance(500)
    assert not session.outcome().standing.is_elsewhere
    claims = experiment.claims(session.params, session.state, session.recent())
    verdicts = {claim.id: claim.verdict for claim in claims}
    assert verdicts["proposition-3"] is Verdict.NOT_APPLICABLE


def test_bounds_of_two_networks_stand_beside_measurements_of_the_same_one() -> None:
    experiment = get("double-matrix")
    values = {"width": 3, "depth": 4, "step_unit": "norm", "step_size": 0.5}
    session = Session(experiment, build(experiment.parameters, values), 2)
    session.advance(2000)
    bounds = {bound.id: bound for bound in experiment.theory(session.params, session.state)}
    single, pair = bounds["sharpness_single"], bounds["sharpness"]
    for least, limit in ((single, "delta_max"), (pair, "delta_double")):
        assert least.value == pytest.approx(2.0 / bounds[limit].value)
        assert least.measured == pytest.approx(2.0 / bounds[limit].measured)
        assert least.measured >= least.value * (1.0 - 1e-6)
    assert single.measured != pytest.approx(pair.measured)
