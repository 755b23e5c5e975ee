"""The central flow beside a run, and the loss along the first eigenvector of the Hessian."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.claims import Claim, Verdict
from engine.core.errors import InputError
from engine.core.params import build, update
from engine.experiments.network.central import complementary
from engine.experiments.network.descent import last_expansion
from engine.experiments.network.experiment import Network
from engine.experiments.network.nets.higher import Doubles, Higher
from engine.experiments.network.params import NetworkParams
from engine.run.session import Session

NETWORK = Network()


def params_of(**changes: Any) -> NetworkParams:
    values = {"data": "moons", "points": 60, "width": 6, "precision": "float64", **changes}
    return build(NetworkParams, values)


def claim_of(session: Session, name: str) -> Claim:
    state = session.state
    return {c.id: c for c in NETWORK.claims(state.params, state, session.recent())}[name]


@pytest.mark.parametrize(
    ("activation", "form", "layer_norm", "loss"),
    [
        ("tanh", "plain", False, "squared-error"),
        ("gelu", "residual", True, "logistic"),
        ("silu", "pair", True, "cross-entropy"),
        ("softplus", "plain", False, "cross-entropy"),
        ("linear", "residual", False, "squared-error"),
        ("relu", "pair", False, "logistic"),
    ],
)
def test_higher_derivatives_are_those_of_the_gradient(
    activation: str, form: str, layer_norm: bool, loss: str
) -> None:
    params = params_of(
        activation=activation, form=form, layer_norm=layer_norm, loss=loss, points=12, width=4
    )
    state = NETWORK.init(params, 0)
    problem, w = state.problem, torch.from_numpy(state.weights)
    given_to = problem.architecture, problem.loss
    samples = problem.train.x, problem.train.y
    doubles = Doubles(*given_to, *samples, decay=0.1)
    generator = torch.Generator().manual_seed(0)
    u, v = torch.randn((2, len(w)), generator=generator, dtype=torch.float64)
    u, v = u / u.norm(), v / v.norm()
    higher = Higher(*given_to, w, *samples, decay=0.1)
    third, fourth = higher.third_and_fourth(v)
    torch.testing.assert_close(higher.gradient, doubles.gradient(w))
    torch.testing.assert_close(
        doubles.third(w, doubles.gradient(w), v), third, rtol=1e-4, atol=1e-4
    )
    both, e = u + v, 1e-3
    mixed = (higher.third(both, both) - higher.third(u, u) - third) / 2
    torch.testing.assert_close(higher.third(u, v), mixed)
    ends = [Higher(*given_to, w + s * e * v, *samples).third(v, v) @ v for s in (1, -1)]
    assert fourth == pytest.approx(float(ends[0] - ends[1]) / (2 * e), rel=1e-4, abs=1e-5)


def linear_unit(**changes: Any) -> NetworkParams:
    """A product of two numbers that learns a line: the two stay equal."""
    return params_of(
        data="line",
        points=20,
        depth=2,
        width=1,
        activation="linear",
        biases=False,
        start="identity",
        eigenvalues=2,
        sharpness_every=10,
        expansion_every=10,
        held_out=0.0,
        **changes,
    )


def test_the_flip_coefficient_of_two_weights_is_that_of_the_product() -> None:
    """At u = v = √λ of ½m(uv − λ)² with step 2/S: S = 2mλ, T = 3m√(2λ)v, ∇⁴f = 3m."""
    session = Session(NETWORK, linear_unit(step_size=0.3), 0)
    session.advance(100)
    state = session.state
    found = last_expansion(state)
    assert found is not None and found.smooth
    x = state.problem.train.x.numpy()
    m, u = float(np.mean(x**2)), float(state.weights[0])
    lam = u * u
    assert found.sharpness == pytest.approx(2 * m * lam, rel=1e-6)
    third = 3 * m * np.sqrt(2 * lam)
    assert abs(found.third) == pytest.approx(third, rel=1e-6)
    assert found.fourth == pytest.approx(3 * m, rel=1e-6)
    assert found.solved == pytest.approx(third**2 / found.sharpness, rel=1e-6)
    assert found.flat < 1e-12 and found.negative == 0.0
    assert NETWORK.observe(state, session.recent())["held_x"].size == 0
    step = 2 / found.sharpness
    assert found.flip(step)[0] == pytest.approx(step / 6 * (3 * third**2 / found.sharpness - 3 * m))
    session.close()


def test_a_swing_beyond_the_limit_is_that_of_the_flip() -> None:
    session = Session(NETWORK, linear_unit(step_size=0.3), 0)
    session.advance(100)
    assert claim_of(session, "flip").verdict is Verdict.NOT_APPLICABLE  # not beyond the limit
    rest = session.state.rest
    assert rest is not None
    session.retune(update(session.params, step_size=2.02 / rest.sharpness))
    session.nudge(1e-3)
    session.advance(500)
    claim = claim_of(session, "flip")
    assert claim.verdict is Verdict.HOLDS, claim
    swing = rest.sharpness * np.sqrt(0.02 / rest.flip(session.params.step_size)[0])
    assert session.recent()["gradient"][-2:].mean() == pytest.approx(swing, rel=0.1)
    session.close()


def test_the_flip_is_claimed_where_one_eigenvalue_alone_is_beyond_the_limit() -> None:
    """With two of them the swing along the first is no attractor, whatever its coefficient."""
    session = Session(NETWORK, linear_unit(step_size=0.3), 0)
    session.advance(100)
    state = session.state
    rest = state.rest
    assert rest is not None
    params = update(session.params, step_size=2.02 / rest.sharpness)
    for gap, on in ((0.5, True), (0.005, False), (math.nan, None)):
        seen = dataclasses.replace(state, rest=dataclasses.replace(rest, gap=gap))
        claims = {each.id: each for each in NETWORK.claims(params, seen, session.recent())}
        lamps = {lamp.name: lamp.on for lamp in claims["flip"].assumptions}
        assert lamps["one eigenvalue beyond the limit"] is on
    session.close()


def test_a_kink_is_found_by_differences() -> None:
    params = params_of(activation="relu", points=60, width=12, expansion_every=1, sharpness_every=5)
    session = Session(NETWORK, params, 0)
    found = []
    for _ in range(12):
        session.advance(5)
        made = last_expansion(session.state)
        found.append(made is not None and made.smooth)
    lamps = {lamp.name: lamp.on for lamp in claim_of(session, "flip").assumptions}
    assert not all(found)
    assert lamps["smooth activation"] is False
    session.close()


def small(**changes: Any) -> NetworkParams:
    """Two sines and a small network, whose sharpness comes to the limit by step 130."""
    values = {"data": "sines", "points": 60, "noise": 0.0, "width": 12, "step_size": 0.6}
    return params_of(**{**values, "sharpness_every": 5, "central_flow": True, **changes})


def test_the_central_flow_is_the_gradient_flow_below_the_limit() -> None:
    params = small(step_size=0.05, flow=True)
    state, chunk = NETWORK.advance(NETWORK.init(params, 0), 30)
    assert state.central is not None and state.central.onset is None
    np.testing.assert_allclose(state.central.weights, state.flow, rtol=0, atol=1e-4)
    assert chunk.low["central_mean_loss"] == pytest.approx(chunk.low["central_loss"], rel=0)


def test_the_central_flow_stays_at_the_limit_and_is_the_mean_of_descent() -> None:
    params = small()
    session = Session(NETWORK, params, 0)
    session.advance(190)
    rows, flow = session.recent(), session.state.central
    assert flow is not None and flow.onset is not None and flow.onset < 150
    held = rows["central_sharpness"][flow.onset + 4 :] * params.step_size / 2
    np.testing.assert_allclose(held, 1.0, rtol=0, atol=1e-3)
    assert flow.run_total / flow.loss_total == pytest.approx(1.0, abs=0.1)
    means, losses = rows["central_mean_loss"], rows["central_loss"]
    assert (np.diff(losses[1:]) < 0.0).all() and (means[flow.onset :] > losses[flow.onset :]).all()
    assert flow.looks and claim_of(session, "central-flow").verdict is Verdict.UNDECIDED
    again = NETWORK.init(params, 0)
    for _ in range(3):
        again, _ = NETWORK.advance(again, 1)
    assert again.central is not None
    state, _ = NETWORK.advance(NETWORK.init(params, 0), 3)
    np.testing.assert_array_equal(again.central.weights, state.central.weights)
    session.retune(update(params, step_size=0.3))
    assert session.state.central.onset is None and session.state.central.begun == 190
    session.close()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_the_covariance_is_complementary(seed: int, k: int) -> None:
    """X ⪰ 0, Y = α + B[X] ⪰ 0 and ⟨X, Y⟩ = 0."""
    generator = np.random.default_rng(seed)
    alpha = generator.normal(size=(k, k))
    alpha = alpha + alpha.T
    slopes = generator.normal(size=(k, k, 30))
    slopes = (slopes + slopes.transpose(1, 0, 2)).reshape(k * k, 30)
    gram = slopes @ slopes.T
    x = complementary(alpha, gram)
    y = alpha + (gram @ x.ravel()).reshape(k, k)
    size = max(1.0, np.abs(gram).max() * np.abs(x).max())
    assert np.linalg.eigvalsh(x)[0] >= -1e-9
    assert np.linalg.eigvalsh(y)[0] >= -1e-5 * size
    assert abs(np.sum(x * y)) <= 1e-5 * size


def test_a_large_network_has_no_central_flow() -> None:
    with pytest.raises(InputError, match="central_flow"):
        NETWORK.init(small(width=300), 0)
