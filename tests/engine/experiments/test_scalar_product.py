"""The scalar product experiment: starts, outcomes of its presets, claims and their verdicts."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

import numpy as np
import pytest

from engine import theory
from engine.core.claims import Claim, Verdict
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind, Standing
from engine.core.params import build, update
from engine.core.registry import get
from engine.experiments.scalar_product import basins as basin
from engine.experiments.scalar_product import orbit_diagram as orbit
from engine.experiments.scalar_product.exponents import APART, EQUAL
from engine.experiments.scalar_product.parting import parting
from engine.kernels.scalar import maps
from engine.run.session import Session
from engine.storage.presets import preset, presets

EXPERIMENT = get("scalar-product")
HOLDS, VIOLATED = Verdict.HOLDS, Verdict.VIOLATED
P1, P1_MAX, P1_SPECTRUM = "proposition-1", "proposition-1-delta-max", "proposition-1-spectrum"
P2, P3, P3_TRUE = "proposition-2", "proposition-3", "proposition-3-corrected"
NOT, OPEN = Verdict.NOT_APPLICABLE, Verdict.UNDECIDED


def session(steps: int, seed: int = 0, **params: Any) -> Session:
    made = Session(EXPERIMENT, build(EXPERIMENT.parameters, params), seed)
    made.advance(steps, coarse=True)
    return made


def claims(run: Session) -> dict[str, Claim]:
    found = EXPERIMENT.claims(run.params, run.state, run.recent())
    return {claim.id: claim for claim in found}


def verdict(run: Session, claim: str) -> Verdict:
    return claims(run)[claim].verdict


def final(run: Session) -> dict[str, Any]:
    return dict(EXPERIMENT.final(run.state, run.recent()))


def bounds(run: Session) -> dict[str, Any]:
    return {bound.id: bound for bound in EXPERIMENT.theory(run.params, run.state)}


PRESETS = {
    "monotone": (OutcomeKind.CONVERGED, "converged (monotone)"),
    "oscillating": (OutcomeKind.CONVERGED, "converged (oscillating)"),
    "period-2": (OutcomeKind.OSCILLATING, "period 2"),
    "unstable-minimum": (OutcomeKind.CONVERGED, "on an unstable minimum"),
    "period-4": (OutcomeKind.OSCILLATING, "period 4"),
    "chaos": (OutcomeKind.APERIODIC, "aperiodic"),
    "period-3": (OutcomeKind.OSCILLATING, "period 3"),
    "sign-hopping": (OutcomeKind.APERIODIC, "aperiodic"),
    "divergence": (OutcomeKind.DIVERGED, "diverged at k = 7"),
    "period-2-l3": (OutcomeKind.OSCILLATING, "period 2"),
    "period-2-l5": (OutcomeKind.OSCILLATING, "period 2"),
    "escape": (OutcomeKind.CONVERGED, "converged (monotone)"),
    "self-balancing": (OutcomeKind.CONVERGED, "converged (oscillating)"),
    "balanced-cycle": (OutcomeKind.OSCILLATING, "period 2"),
    "minima-plane": (OutcomeKind.CONVERGED, "converged (oscillating)"),
    "negative-target": (OutcomeKind.CONVERGING, "converging to 0, sublinearly"),
    "odd-negatives": (OutcomeKind.CONVERGED, "converged (monotone)"),
    "broken-symmetry": (OutcomeKind.CONVERGED, "converged (monotone)"),
    "one-weight": (OutcomeKind.CONVERGED, "converged (monotone)"),
    "state-dependent": (OutcomeKind.CONVERGED, "converged (oscillating)"),
    "momentum": (OutcomeKind.CONVERGED, "converged (oscillating)"),
    "deep": (OutcomeKind.CONVERGED, "converged (monotone)"),
    "proved-region": (OutcomeKind.CONVERGED, "converged (monotone)"),
    "step-rules": (OutcomeKind.CONVERGED, "converged (oscillating)"),
    "proved-cycle": (OutcomeKind.OSCILLATING, "period 2"),
}


@pytest.fixture(scope="module")
def shown() -> dict[str, Session]:
    """Run every preset as long as it asks for."""
    made = {}
    for item in presets("scalar-product"):
        run = Session(EXPERIMENT, item.params, item.seed)
        run.advance(item.steps or EXPERIMENT.default_steps, coarse=True)
        made[item.id] = run
    return made


def test_every_preset_shows_its_effect(shown: dict[str, Session]) -> None:
    seen = {key: (run.outcome().kind, run.outcome().phase) for key, run in shown.items()}
    assert seen == PRESETS


def test_no_preset_contradicts_the_corrected_theory(shown: dict[str, Session]) -> None:
    """Only Proposition 3 as printed fails, and only for one weight."""
    violated = {
        (key, claim.id)
        for key, run in shown.items()
        for claim in claims(run).values()
        if claim.verdict is VIOLATED
    }
    assert violated == {("one-weight", "proposition-3")}


def test_the_self_balancing_numbers(shown: dict[str, Session]) -> None:
    run = shown["self-balancing"]
    start = EXPERIMENT.record(run.state_at(0))
    end = final(run)
    assert float(start["stability"]) == pytest.approx(1.61, abs=5e-3)
    assert end["stability"] == pytest.approx(0.993, abs=5e-4)
    assert float(start["gap"]) == pytest.approx(2.34, abs=5e-3)
    assert end["gap"] == pytest.approx(0.70, abs=5e-3)
    assert final(shown["balanced-cycle"])["gap"] <= 5e-14
    assert verdict(run, "proposition-1") is HOLDS
    assert final(shown["escape"])["sharpness"] == pytest.approx(9.264, abs=5e-4)


@pytest.mark.parametrize(
    ("key", "orbit"),
    [
        ("period-2", (1.15194996, 1.57835139)),
        ("period-4", (0.88014346, 1.11034681, 1.56767547, 1.65335675)),
        ("period-2-l3", (1.13482635, 1.33666362)),
        ("period-2-l5", (1.08957184, 1.18457023)),
    ],
)
def test_orbits_reach_run_json(
    shown: dict[str, Session], key: str, orbit: tuple[float, ...]
) -> None:
    outcome, end = shown[key].outcome(), final(shown[key])
    assert outcome.orbit == pytest.approx(orbit, abs=1.1e-8)
    assert end["orbit"] == list(outcome.orbit) and end["period"] == len(orbit)
    assert len(end["weights"]) == shown[key].params.model_dump()["depth"]
    assert min(abs(end["weights"][0] - point) for point in orbit) < 1.1e-8
    json.dumps(end, allow_nan=False)


def test_lyapunov_exponents(shown: dict[str, Session]) -> None:
    def exponent(key: str) -> float:
        value = shown[key].outcome().lyapunov
        assert value is not None
        return value

    def equal(key: str) -> float:
        found = shown[key].outcome().exponents
        return next(item.value for item in found if item.of == EQUAL)

    assert equal("period-2") == pytest.approx(math.log(0.18) / 2, abs=1e-6)
    assert equal("period-4") == pytest.approx(math.log(0.47087) / 4, abs=1e-5)
    assert exponent("chaos") > 0.3
    assert exponent("sign-hopping") > 0.5
    stability = final(shown["self-balancing"])["stability"]
    assert exponent("self-balancing") == pytest.approx(math.log(abs(1 - 2 * stability)), abs=1e-9)
    # The surface of minima is neutral; what is told is the direction across it.
    assert exponent("minima-plane") < -0.4
    assert exponent("momentum") == pytest.approx(math.log(math.sqrt(0.9)), abs=2e-3)


def test_just_above_1_two_weights_diverge() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step_size in (1.0 + 1e-9, 1.0 + 1e-3, 3.0, 1e9):
            run = session(5000, depth=2, target=2.0, step_size=step_size)
            outcome = run.outcome()
            assert outcome.kind is OutcomeKind.DIVERGED
            assert outcome.step == run.state.diverged_at == run.step + 1
            assert outcome.phase == f"diverged at k = {outcome.step}"
            assert all(
                np.all(np.isfinite(rows[:1])) or key == "envelope"
                for key, rows in run.recent().items()
            )
            assert not any(np.isinf(rows).any() for rows in run.recent().values())
            assert run.advance(10) == 0
            assert verdict(run, "proposition-1-delta-max") is HOLDS
    on_it = session(5000, depth=2, target=2.0, step_size=1.0)
    assert on_it.outcome().period == 2


@pytest.mark.parametrize(
    ("params", "proposition", "expected"),
    [
        ({"depth": 3, "target": 2.0, "step_size": 0.1}, P2, HOLDS),
        ({"depth": 3, "target": 0.5, "step_size": 0.2}, P2, HOLDS),
        ({"depth": 4, "target": 1.0, "step_size": 0.25}, P2, HOLDS),
        ({"depth": 1000, "target": 1e-3, "step_size": 1e-3}, P2, HOLDS),
        ({"depth": 3, "target": 2.0, "step_size": 0.14}, P2, NOT),
        ({"depth": 3, "target": -2.0, "step_size": 0.1}, P2, NOT),
        ({"depth": 3, "target": -2.0, "step_size": 0.1, "init": "odd-negatives"}, P2, HOLDS),
        ({"depth": 3, "target": 2.0, "step_size": 0.1, "init": "odd-negatives"}, P2, NOT),
        ({"depth": 3, "target": 2.0, "step_size": 0.1, "noise": 1e-6}, P2, NOT),
        ({"depth": 3, "target": 2.0, "step_size": 0.1, "optimiser": "nesterov"}, P2, NOT),
        ({"depth": 3, "step_size": 0.1, "init": "list", "weights": [1, 1, 1]}, P2, HOLDS),
        ({"depth": 3, "target": 2.0, "step_size": 0.27}, P1_MAX, HOLDS),
        ({"depth": 3, "target": 2.0, "step_size": 0.26}, P1_MAX, NOT),
        ({"depth": 3, "target": 1.0, "step_size": 0.8}, P1_MAX, NOT),
        ({"depth": 3, "target": 2.0, "step_size": 0.5}, P1_MAX, HOLDS),
        ({"depth": 3, "target": 2.0, "step_size": 0.2}, P1, HOLDS),
        ({"depth": 3, "target": 2.0, "step_size": 0.2}, P1_SPECTRUM, HOLDS),
        ({"depth": 3, "target": 2.0, "step_size": 0.3}, P1_SPECTRUM, NOT),
        ({"depth": 3, "target": 1.0, "step_size": 0.8}, P1, NOT),
        ({"depth": 1, "target": -1.0, "step_size": 0.25}, P3, VIOLATED),
        ({"depth": 1, "target": -1.0, "step_size": 0.25}, P3_TRUE, NOT),
        ({"depth": 2, "target": -1.0, "step_size": 0.25}, P3, HOLDS),
        ({"depth": 3, "target": -1.0, "step_size": 0.25}, P3, HOLDS),
        ({"depth": 20, "target": -1.0, "step_size": 0.25}, P3, HOLDS),
        ({"depth": 20, "target": -1.0, "step_size": 0.25}, P3_TRUE, HOLDS),
        ({"depth": 3, "target": -1.0, "step_size": 0.5}, P3, HOLDS),
        ({"depth": 4, "target": -1.0, "step_size": 0.75}, P3, NOT),
        ({"depth": 4, "target": -1.0, "step_size": 0.75}, P3_TRUE, HOLDS),
        ({"depth": 4, "target": -1.0, "step_size": 1.0}, P3_TRUE, NOT),
        ({"depth": 3, "target": -0.5, "step_size": 0.7}, P3, NOT),
        ({"depth": 3, "target": -1.0, "step_size": 0.25, "noise": 1e-3}, P3, NOT),
        ({"depth": 3, "target": 2.0, "step_size": 0.1}, P3, NOT),
    ],
)
def test_verdicts(params: dict[str, Any], proposition: str, expected: Verdict) -> None:
    assert verdict(session(3000, **params), proposition) is expected


def test_early_on_nothing_is_decided() -> None:
    run = session(3, depth=3, target=2.0, step_size=0.3)
    assert verdict(run, "proposition-1-delta-max") is OPEN
    assert verdict(run, "proposition-1") is OPEN


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 64, 65, 1000])
@pytest.mark.parametrize("init", ["ones", "random", "odd-negatives", "disproportionate"])
def test_all_depths_run(depth: int, init: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        step = 0.5 * theory.delta_max(-2.0, depth)
        kappa = 1.01 if depth > 5 else 2.0
        run = session(300, depth=depth, target=-2.0, init=init, step_size=step, kappa=kappa)
        observation = EXPERIMENT.observe(run.state, run.recent())
        assert len(observation["hessian_eigenvalues"]) == depth
        assert len(observation["jacobian_real"]) == depth
        assert EXPERIMENT.views(run.params)[0].shown
        json.dumps(final(run), allow_nan=False)
        claims(run)
        run.outcome()


def test_input_power_from_a_list() -> None:
    given = session(50, depth=3, step_size=0.1, input_power=7 / 4)
    listed = session(
        50, depth=3, step_size=0.1, power_from="inputs", inputs=[1.0, -2.0, 0.5, math.sqrt(1.75)]
    )
    assert listed.params.model_dump()["power_from"] == "inputs"
    np.testing.assert_allclose(listed.state.weights, given.state.weights, rtol=1e-14)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"target": 0.0}, "target"),
        ({"depth": 0}, "depth"),
        ({"depth": 1001}, "depth"),
        ({"step_size": math.nan}, "step_size"),
        ({"step_size": 0.0}, "step_size"),
        ({"init": "list", "weights": [1.0]}, "weights"),
        ({"init": "minimum", "weights": [0.0, 1.0]}, "weights"),
        ({"init": "minimum", "weights": [1.0, 1.0, 1.0, 1.0]}, "weights"),
        ({"init": "odd-negatives", "negatives": 2}, "negatives"),
        ({"init": "odd-negatives", "negatives": 5}, "negatives"),
        ({"init": "random", "random_low": 2.0, "random_high": 1.0}, "random_low"),
        ({"init": "disproportionate", "kappa": 1e6, "depth": 200}, "kappa"),
        ({"init": "disproportionate", "kappa": 1e6, "depth": 40}, "kappa"),
        ({"power_from": "inputs", "inputs": []}, "inputs"),
        ({"power_from": "inputs", "inputs": [0.0, 0.0]}, "inputs"),
        ({"momentum": 1.0}, "momentum"),
        ({"kapa": 1.0}, "parameter"),
    ],
)
def test_bad_input_is_one_sentence(params: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        session(1, **params)
    assert caught.value.field == field
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_the_chosen_minimum_is_completed() -> None:
    run = session(0, depth=3, target=2.0, init="minimum", weights=[3.0, 1.0], stretch=0.0)
    np.testing.assert_allclose(run.state.weights, [3.0, 1.0, 2 / 3], rtol=1e-15)
    run = session(0, depth=4, target=-16.0, init="disproportionate", kappa=2.0, stretch=0.0)
    np.testing.assert_allclose(run.state.weights, [4.0, 4.0, 4.0, -0.25], rtol=1e-15)


def test_seeds_make_the_random_start_and_the_noise() -> None:
    one, same, other = (session(0, seed=s, init="random").state.weights for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.all((one >= 0.5) & (one <= 1.5))
    noisy = session(0, seed=0, noise=0.01, depth=5).state.weights
    np.testing.assert_array_equal(noisy, 1 + 0.01 * np.random.default_rng(0).standard_normal(5))


def test_the_envelope_goes_on_at_a_changed_rate() -> None:
    run = session(20, depth=3, target=2.0, step_size=0.05)
    run.retune(build(EXPERIMENT.parameters, {"depth": 3, "target": 2.0, "step_size": 0.1}))
    run.advance(15)
    recent = run.recent()
    slow, fast = (theory.rate(step, 2.0, 3) for step in (0.05, 0.1))
    expected = (2 ** (1 / 3) - 1) * slow**20 * fast ** np.arange(16)
    np.testing.assert_allclose(recent["envelope"][20:], expected, rtol=1e-12)
    assert np.all(recent["distance"] <= recent["envelope"] + 1e-12)
    assert verdict(run, "proposition-2") is HOLDS
    run.retune(build(EXPERIMENT.parameters, {"depth": 3, "target": 2.0, "step_size": 0.2}))
    run.advance(5)
    assert np.all(np.isnan(run.recent()["envelope"][-5:]))
    run.retune(build(EXPERIMENT.parameters, {"depth": 3, "target": 2.0, "step_size": 0.1}))
    run.advance(5)
    assert verdict(run, "proposition-2") is NOT


def test_theory_stands_beside_measurements(shown: dict[str, Session]) -> None:
    found = bounds(shown["monotone"])
    assert found["delta_max"].value == pytest.approx(0.264566842, abs=1e-9)
    assert found["delta_max"].measured == pytest.approx(0.264566842, abs=1e-9)
    assert found["delta_c"].value == pytest.approx(0.132283421, abs=1e-9)
    assert found["rate"].value == pytest.approx(theory.rate(0.1, 2.0, 3))
    assert found["hessian_top"].measured == pytest.approx(found["sharpness_min"].value, rel=1e-9)
    assert found["stability"].measured == pytest.approx(0.1 / 0.264566842, rel=1e-8)
    assert found["delta_4"].value == pytest.approx(0.3292818474, abs=1e-9)
    negative = bounds(shown["negative-target"])
    assert negative["delta_zero"].value == 0.5
    assert negative["delta_c"].value is None and negative["delta_c"].note
    alone = bounds(shown["one-weight"])
    assert alone["delta_zero"].value is None
    snaps = {bound.id for bound in found.values() if bound.field == "step_size"}
    assert snaps == {"delta_max", "delta_c"}


def test_measured_spectra_agree_with_the_bound(shown: dict[str, Session]) -> None:
    run = shown["escape"]
    observation = EXPERIMENT.observe(run.state, run.recent())
    sharpness = final(run)["sharpness"]
    real = np.sort(observation["jacobian_real"])
    step = run.params.model_dump()["step_size"]
    np.testing.assert_allclose(real, [1 - step * sharpness, 1.0, 1.0], atol=1e-9)
    momentum = shown["momentum"]
    planes = EXPERIMENT.observe(momentum.state, momentum.recent())
    assert len(planes["jacobian_real"]) == 6 and np.any(planes["jacobian_imag"] > 0.1)


def test_the_cobweb_follows_the_map(shown: dict[str, Session]) -> None:
    for key in ("period-4", "odd-negatives", "chaos"):
        run = shown[key]
        seen = EXPERIMENT.observe(run.state, run.recent())
        x, y = seen["stairs_x"], seen["stairs_y"]
        np.testing.assert_array_equal(x[0::2], y[0::2])  # every other point on the diagonal
        expected = np.interp(x[1::2], seen["map_x"], seen["map_y"])
        np.testing.assert_allclose(y[1::2], expected, atol=2e-3)


def test_the_map_is_drawn_finely_where_it_bends_though_the_run_diverged() -> None:
    run = session(60, depth=3, target=2.0, step_size=0.6)
    assert run.outcome().kind is OutcomeKind.DIVERGED
    seen = EXPERIMENT.observe(run.state, run.recent())
    x = seen["map_x"]
    assert x[-1] - x[0] > 14.0
    assert (np.diff(x) > 0).all()
    near = x[np.abs(x) <= 2.0]
    assert np.diff(near).max() < 0.03


def test_the_minima_of_two_weights(shown: dict[str, Session]) -> None:
    run = shown["minima-plane"]
    seen = EXPERIMENT.observe(run.state, run.recent())
    x, y, limit = seen["minima_x"], seen["minima_y"], seen["minima_limit"]
    known = ~np.isnan(x)
    np.testing.assert_allclose(x[known] * y[known], 2.0)
    expected = [theory.equilibrium_bound([a, b]) for a, b in zip(x[known], y[known], strict=True)]
    np.testing.assert_allclose(limit[known], expected)
    stable = ~np.isnan(seen["stable_x"])
    np.testing.assert_array_equal(stable[known], limit[known] >= 0.4)
    moved = EXPERIMENT.drag(run.params, "start", 2.0, 0.5)
    assert moved.model_dump()["weights"] == (2.0, 0.5)
    np.testing.assert_array_equal(Session(EXPERIMENT, moved).state.weights, [2.0, 0.5])


def test_a_kink_in_the_step_size_is_replayed_to_the_same_bits() -> None:
    run = session(50, depth=5, target=2.0, step_size=0.06)
    run.retune(build(EXPERIMENT.parameters, {"depth": 5, "target": 2.0, "step_size": 0.145}))
    run.advance(4000, coarse=True)
    before = run.state_at(3000).weights
    run.rewind(3000)
    np.testing.assert_array_equal(run.state.weights, before)


def test_the_cap_of_a_state_dependent_step_is_reported() -> None:
    run = session(
        20,
        depth=3,
        target=2.0,
        init="list",
        weights=[0.0, 0.0, 1.0],
        step_rule="sharpness",
        step_cap=3.0,
    )
    assert final(run)["capped_steps"] == 20
    assert run.outcome().kind is OutcomeKind.CONVERGING
    assert "no minimum" in run.outcome().phase
    assert run.outcome().standing is Standing.AT_NO_MINIMUM


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball"])
@pytest.mark.parametrize(("depth", "target"), [(2, 2.0), (2, -1.5), (3, 2.0), (6, -1.5)])
def test_a_run_on_the_saddle_at_0_is_not_called_stable(
    depth: int, target: float, optimiser: str
) -> None:
    """The sharpness is 0 at 0; the Jacobian is 1 + δσ|λ| there for L = 2, the identity for more."""
    run = session(
        40,
        depth=depth,
        target=target,
        init="list",
        weights=[0.0] * depth,
        step_size=0.2,
        input_power=1.5,
        optimiser=optimiser,
    )
    outcome = run.outcome()
    assert (outcome.kind, outcome.phase) == (OutcomeKind.CONVERGED, "at rest at 0")
    assert outcome.standing is Standing.AT_SADDLE and outcome.standing.is_elsewhere
    measured = EXPERIMENT.record(run.state)
    assert float(measured["stability"]) == 0.0
    radius = theory.zero_radius(0.2, target, depth, 1.5)
    assert radius == (pytest.approx(1.0 + 0.3 * abs(target)) if depth == 2 else 1.0)
    assert "It is a saddle" in outcome.message
    assert ("Hessian, 0 there" in outcome.message) is (depth > 2)
    assert float(np.max(np.abs(measured["hessian"]))) == (1.5 * abs(target) if depth == 2 else 0.0)
    if optimiser == "gradient-descent":
        assert float(np.max(np.abs(measured["jacobian"]))) == pytest.approx(radius, rel=1e-12)
        assert (f"{radius:.6g}" in outcome.message) is (depth == 2)


def test_the_lyapunov_exponent_on_a_saddle_is_that_of_the_saddle() -> None:
    """It is not that across a minimum, log|1 - δS|, which is 0 where the sharpness is 0.

    Equal weights sink to 0 along the diagonal; their differences would grow: that is the largest.
    """
    run = session(40, depth=2, target=2.0, init="list", weights=[0.0, 0.0], step_size=0.2)
    assert run.outcome().lyapunov == pytest.approx(math.log(1.4), rel=1e-12)
    sunk = session(400, depth=2, target=-1.0, step_size=0.2)
    assert sunk.outcome().phase == "converging to 0, exponentially"
    for steps in (0, 5000):
        sunk.advance(steps)
        found = {item.of: item.value for item in sunk.outcome().exponents}
        assert found[EQUAL] == pytest.approx(math.log(0.8), rel=1e-9)
        assert found[APART] == sunk.outcome().lyapunov == pytest.approx(math.log(1.2), rel=1e-9)
    assert sunk.outcome().phase == "at rest at 0"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("depth", [2, 3])
def test_a_push_off_the_saddle_at_0_ends_at_a_minimum(depth: int, seed: int) -> None:
    run = session(
        20, seed, depth=depth, target=2.0, init="list", weights=[0.0] * depth, step_size=0.1
    )
    assert run.outcome().standing is Standing.AT_SADDLE
    run.nudge(0.1)
    run.advance(3000)
    assert run.outcome().standing is Standing.AT_MINIMUM
    assert abs(final(run)["error"]) < 1e-9


def test_presets_are_found_by_name() -> None:
    assert preset("scalar-product", "period-2").params.model_dump()["step_size"] == 0.55


def test_a_push_off_an_unstable_minimum_ends_on_the_cycle_and_off_a_stable_one_back_on_it() -> None:
    """Lyapunov stability, seen: the same push of 1e-6 is undone below delta_max, and above not."""
    values = preset("scalar-product", "unstable-minimum").params.model_dump()
    for step_size, phase in ((values["step_size"], "period 2"), (0.45, "converged")):
        run = session(50, **{**values, "step_size": step_size})
        outcome, stood = run.outcome(), run.state.weights
        assert outcome.kind is OutcomeKind.CONVERGED
        unstable = step_size > 0.5
        assert (outcome.phase == "on an unstable minimum") is unstable
        assert (outcome.standing is Standing.AT_UNSTABLE_MINIMUM) is unstable
        assert outcome.standing.is_precarious is unstable
        run.nudge(1e-6)
        moved = float(np.linalg.norm(run.state.weights - stood) / np.linalg.norm(stood))
        assert moved == pytest.approx(1e-6, rel=1e-9)
        run.advance(2000)
        assert run.outcome().phase.startswith(phase)
        assert not run.outcome().standing.is_precarious


def test_a_push_ends_what_was_claimed_of_the_start() -> None:
    """Proposition 2's envelope speaks of starts that a pushed run no longer has."""
    run = session(20, depth=3, target=2.0, step_size=0.1)
    assert verdict(run, P2) is HOLDS
    run.nudge(1e-3)
    run.advance(200)
    envelope = run.recent()["envelope"]
    assert np.isfinite(envelope[:21]).all() and np.isnan(envelope[21:]).all()
    assert verdict(run, P2) is NOT
    assert verdict(run, P1) is HOLDS


def test_all_kernels_of_pictures_are_there_once_the_experiment_is_warm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or the first picture of two weights would wait for a compiler, in a package too."""
    called = []

    def watched(name: str) -> None:
        kernel = getattr(maps, name)

        def call(*arguments: object) -> None:
            called.append(name)
            kernel(*arguments)

        monkeypatch.setattr(maps, name, call)

    for name in ("landings", "settled_orbits"):
        watched(name)
    basin._basins.cache_clear()
    orbit._diagram.cache_clear()
    EXPERIMENT.warm_up()
    assert set(called) == {"landings", "settled_orbits"}


def test_the_size_of_an_error_that_changes_sign_is_known_in_old_steps_too() -> None:
    """The ends of a signed error would hide a cycle's smallest: 0.5 of -0.7, 0.5, 1.1, -0.6."""
    run = session(6000, depth=2, target=2.0, step_size=0.6283)
    exact = session(0, depth=2, target=2.0, step_size=0.6283)
    exact.advance(600)
    sizes = np.abs(exact.recent()["error"][-64:])
    view = run.trace.view()
    assert view.stride > 1
    steps, values = view.line("error_size", None, 0, view.recent_first - 1)
    old = values[steps > 600]
    assert old.min() == pytest.approx(sizes.min(), rel=1e-6)
    assert old.max() == pytest.approx(sizes.max(), rel=1e-6)
    recent = run.recent()
    np.testing.assert_allclose(recent["error_size"], np.abs(recent["error"]), rtol=1e-13)


def test_the_flip_coefficient_is_told_with_its_amplitude() -> None:
    """c = 4(L - 1)(5L - 4)/(3Lλ^(2/L)), whatever σ and the momentum; the run is on that cycle."""
    for more in ({}, {"optimiser": "heavy-ball", "momentum": 0.3}, {"input_power": 1.7}):
        values = {"depth": 2, "target": 2.0, "step_size": 0.4, **more}
        params = build(EXPERIMENT.parameters, values)
        bounds = {bound.id: bound for bound in EXPERIMENT.theory(params, None)}
        assert bounds["flip"].value == pytest.approx(2.0, rel=1e-12)
        step = 1.001 * float(bounds["delta_max"].value or 0.0)
        session = Session(EXPERIMENT, update(params, step_size=step), 0)
        session.advance(20_000)
        half = 0.5 * float(np.linalg.norm(np.diff(session.recent()["weights"][-2:], axis=0)))
        assert half == pytest.approx(np.sqrt(0.002 / 2.0), rel=2e-3)


@pytest.mark.parametrize(("step_size", "verdict"), [(0.58, Verdict.HOLDS), (0.4, None)])
def test_unequal_weights_become_equal_where_equal_ones_attract(
    step_size: float, verdict: Verdict | None
) -> None:
    """Beyond δ_max = 0.5 the 2-cycle of equal weights is stable across."""
    experiment = get("scalar-product")
    params = experiment.parameters(
        depth=2, target=2.0, step_size=step_size, init="list", weights=(1.2, 1.3)
    )
    state, chunk = experiment.advance(experiment.init(params, 0), 2000)
    recent = {key: rows[-500:] for key, rows in chunk.low.items()}
    found = {each.id: each for each in experiment.claims(params, state, recent)}
    if verdict is None:
        assert "equal-weights" not in found
        return
    claim = found["equal-weights"]
    assert claim.verdict is verdict
    assert [lamp.name for lamp in claim.assumptions][-1] == "Transversally stable"


def test_nothing_is_claimed_of_equal_weights_that_diverge() -> None:
    experiment = get("scalar-product")
    params = experiment.parameters(
        depth=2, target=2.0, step_size=1.3, init="list", weights=(1.2, 1.0)
    )
    state, chunk = experiment.advance(experiment.init(params, 0), 200)
    found = {each.id: each for each in experiment.claims(params, state, chunk.low)}
    assert found["equal-weights"].verdict is Verdict.UNDECIDED


@pytest.mark.parametrize("rule", ["sharpness", "hessian"])
def test_thresholds_of_a_fixed_step_are_not_given_for_others(rule: str) -> None:
    experiment = get("scalar-product")
    values = {"depth": 2, "target": 2.0, "step_rule": rule}
    bounds = experiment.theory(build(experiment.parameters, values), None)
    assert not {"delta_4", "delta_sign", "flip"} & {bound.id for bound in bounds}


@pytest.mark.parametrize(("gain", "is_cycle"), [(1.16, True), (1.9, False)])
def test_an_aperiodic_orbit_of_equal_weights_proves_no_attraction(
    gain: float, is_cycle: bool
) -> None:
    found = parting(gain / 2.0, 2, 2.0)
    assert found is not None and found.is_cycle is is_cycle
