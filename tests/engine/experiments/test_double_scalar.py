"""The double scalar network: its numbers, claims and pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import theory
from engine.core.errors import InputError
from engine.core.outcome import Outcome, OutcomeKind
from engine.core.params import build
from engine.core.views import TimeView
from engine.experiments.double_scalar.experiment import DoubleScalar
from engine.experiments.double_scalar.measure import SIGNED, hessian, read
from engine.experiments.double_scalar.params import DoubleScalarParams, DoubleScalarState
from engine.experiments.double_scalar.theory import claims
from engine.run.session import Session
from engine.storage.presets import Preset, preset, presets

LIMITS = [  # depth, target, z and w of gradient descent at half of 2/H, steps to |e| < 1e-12
    (2, -1, 1.265753, 0.775971, 42),
    (2, -2, 1.542203, 0.615135, 44),
    (3, -1, 1.177678, 0.858779, 42),
    (5, -1, 1.106281, 0.919422, 43),
    (20, -1, 1.026341, 0.981049, 43),
    (20, -2, 1.048515, 0.973066, 47),
]


def run(steps: int = 1000, seed: int = 0, **values: object) -> Session:
    session = Session(DoubleScalar(), build(DoubleScalarParams, values), seed)
    session.advance(steps)
    return session


@pytest.mark.parametrize(("depth", "target", "z", "w", "steps"), LIMITS)
def test_the_pair_ends_at_the_reference_minima(
    depth: int, target: float, z: float, w: float, steps: int
) -> None:
    step_size = 0.25 * theory.double_bound(target, depth)
    session = run(200, depth=depth, target=target, step_size=step_size)
    weights = session.state.weights[:, 0]
    np.testing.assert_allclose(weights[:2], [w, z], atol=2e-6)
    error = np.abs(session.recent()["error_double"])
    assert abs(int(np.argmax(error < 1e-12)) - steps) <= 1


def claims_of(session: Session) -> dict[str, str]:
    made = session.experiment.claims(session.params, session.state, session.recent())
    return {claim.id: claim.verdict.value for claim in made}


def test_claims_of_a_negative_target() -> None:
    session = run(4000, depth=2, target=-1.0, step_size=0.1)
    verdicts = claims_of(session)
    assert verdicts["prop-3-single"] == "holds"
    assert verdicts["pair-learns"] == "holds"
    assert verdicts["origin-unstable"] == "holds"
    assert verdicts["flow-invariant"] == "does not apply"
    assert verdicts["pair-has-a-limit"] == "does not apply"


def test_claims_beyond_the_limit_and_for_one_layer() -> None:
    beyond = claims_of(run(4000, depth=3, target=-1.0, step_size=0.35))
    assert beyond["pair-learns"] == "does not apply"
    assert beyond["pair-has-a-limit"] == "holds"
    creeps = run(4000, depth=3, target=-1.0, step_size=0.45)  # to the origin, as a power of k
    assert claims_of(creeps)["pair-has-a-limit"] == "undecided"
    one = claims_of(run(500, depth=1, target=-1.0, step_size=0.1))
    assert one["prop-3-single"] == one["origin-unstable"] == "does not apply"


@pytest.mark.parametrize("chosen", presets("double-scalar"), ids=lambda chosen: chosen.id)
def test_no_claim_of_a_preset_is_violated(chosen: Preset) -> None:
    session = Session(DoubleScalar(), chosen.params, chosen.seed)
    session.advance(chosen.steps)
    assert "violated" not in claims_of(session).values()


@pytest.mark.parametrize("depth", [2, 3, 20])
@pytest.mark.parametrize("target", [-100.0, -1.0, 1.5])
def test_small_steps_keep_to_the_invariant_and_other_runs_do_not(depth: int, target: float) -> None:
    step_size = 0.05 * theory.double_bound(target, depth)
    session = run(1000, depth=depth, target=target, step_size=step_size)
    assert claims_of(session)["flow-invariant"] == "holds"
    session.state = replace(session.state, weights=session.state.weights * 1.2)
    assert claims_of(session)["flow-invariant"] == "violated"


def test_a_flatter_minimum_than_the_flows_breaks_no_limit() -> None:
    chosen = preset("double-scalar", "over-step-sizes")
    session = Session(DoubleScalar(), chosen.params, chosen.seed)
    session.advance(2000)
    end = session.state.weights[:2, 0]
    flow = theory.double_flow_limit(chosen.params.target, chosen.params.depth)
    assert np.all(end < [flow.w - 0.005, flow.z - 0.02])
    assert 0.9 < session.recent()["stability"][-1] < 1
    (claim,) = (
        one
        for one in session.experiment.claims(session.params, session.state, session.recent())
        if one.id == "pair-has-a-limit"
    )
    assert (claim.verdict.value, claim.measured[:23]) == ("holds", "found a flatter minimum")


def test_a_run_that_stays_at_the_flows_minimum_breaks_the_limit() -> None:
    """No run does: one is made up, which ends exactly where it cannot stay."""
    params = DoubleScalarParams(depth=3, target=-1.0, step_size=0.6)
    flow = theory.double_flow_limit(params.target, params.depth)
    weights = np.array([[flow.w], [flow.z], [0.0]])
    state = DoubleScalarState(params=params, seed=0, weights=weights, flow=np.empty((0, 0)))
    outcome = Outcome(kind=OutcomeKind.CONVERGED, step=9, message="")
    verdicts = {one.id: one.verdict for one in claims(params, state, read(state), outcome)}
    assert verdicts["pair-has-a-limit"] == "violated"


@pytest.mark.parametrize(("depth", "steps"), [(2, 42), (3, 985)])
def test_the_origin_is_left_as_slowly_as_the_reference_says(depth: int, steps: int) -> None:
    session = run(
        steps + 50,
        depth=depth,
        target=-1.0,
        step_size=0.1,
        init="typed",
        start_w=0.01,
        start_z=0.01,
    )
    recent = session.recent()
    size = np.maximum(np.abs(recent["w"]), np.abs(recent["z"]))
    assert abs(int(np.argmax(size >= 0.5)) - steps) <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(0, 999), st.floats(0.2, 3.0), st.booleans())
def test_step_and_hessian_agree_with_autograd(
    depth: int, seed: int, magnitude: float, negative: bool
) -> None:
    target = -magnitude if negative else magnitude
    params = DoubleScalarParams(
        depth=depth, target=target, step_size=1e-3, input_power=1.7, noise=0.3
    )
    experiment = DoubleScalar()
    state = experiment.init(params, seed)

    def loss(flat: torch.Tensor) -> torch.Tensor:
        w, z = flat[:depth], flat[depth:]
        return 0.5 * 1.7 * (w.prod() - z.prod() - target) ** 2

    flat = torch.tensor(state.weights[:2].ravel(), requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(flat), flat)
    new, _ = experiment.advance(state, 1)
    expected = state.weights[:2].ravel() - 1e-3 * gradient.numpy()
    np.testing.assert_allclose(new.weights[:2].ravel(), expected, rtol=0, atol=1e-12)
    expected = torch.autograd.functional.hessian(loss, flat.detach()).numpy()
    np.testing.assert_allclose(hessian(state), expected, atol=1e-10)


def test_the_start_is_dragged_and_a_zero_target_refused() -> None:
    experiment = DoubleScalar()
    moved = experiment.drag(DoubleScalarParams(), "start", 0.5, -0.25)
    assert (moved.init, moved.start_w, moved.start_z) == ("typed", 0.5, -0.25)
    with pytest.raises(InputError, match=r"target: 0 is not allowed"):
        build(DoubleScalarParams, {"target": 0})


def test_the_curves_are_those_of_the_minima_and_the_invariant() -> None:
    for depth in (2, 3, 4):
        session = run(20, depth=depth, target=-1.0, step_size=0.05)
        seen = session.experiment.observe(session.state, session.recent())
        on = np.isfinite(seen["minima_z"])
        assert on.any()
        values = seen["minima_w"][on] ** depth - seen["minima_z"][on] ** depth
        np.testing.assert_allclose(values, -1.0, atol=1e-9)
        on = np.isfinite(seen["invariant_z"])
        w, z = seen["invariant_w"][on], seen["invariant_z"][on]
        kept = w * z if depth == 2 else w ** (2 - depth) + z ** (2 - depth)
        np.testing.assert_allclose(kept, 1.0 if depth == 2 else 2.0, atol=1e-9)


def test_divergence_is_an_outcome() -> None:
    session = run(2000, depth=3, target=-2.0, step_size=5.0)
    assert session.outcome().kind is OutcomeKind.DIVERGED
    assert np.isfinite(session.recent()["error_double"]).all()


@pytest.mark.parametrize("share", [1.5, 1.55])
def test_the_size_of_an_error_that_changes_sign_is_known_in_old_steps_too(share: float) -> None:
    """The ends of a signed error in a bucket would hide a cycle's smallest error."""
    whole = run(6000, depth=2, target=2.0, step_size=share * theory.double_bound(2.0, 2))
    recent, view = whole.recent(), whole.trace.view()
    signed = recent["error_double"][-64:]
    assert signed.min() < 0.0 < signed.max() and view.stride > 1
    steps, values = view.line("error_size_double", None, 0, view.recent_first - 1)
    old, sizes = values[steps > 3000], np.abs(signed)
    assert old.min() == pytest.approx(sizes.min(), rel=1e-6)
    assert old.max() == pytest.approx(sizes.max(), rel=1e-6)
    for key, size in SIGNED.items():
        np.testing.assert_array_equal(recent[size], np.abs(recent[key]))
        assert whole.experiment.record(whole.state)[size] == pytest.approx(
            recent[size][-1], nan_ok=True
        )


def test_no_plot_draws_a_signed_error_on_a_logarithmic_axis() -> None:
    for view in DoubleScalar().views(DoubleScalarParams(flow=True)):
        if isinstance(view, TimeView) and view.log_y:
            assert not {series.key for series in view.series} & set(SIGNED)
