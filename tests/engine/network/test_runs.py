"""Runs of own networks: the linear one, the edge of stability, phases, what is learnt from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.edge import Edge, place
from engine.core.claims import Claim, Verdict
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind
from engine.core.params import build, update
from engine.core.registry import get
from engine.experiments.network.experiment import Network
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.phase import tendency, trend_of
from engine.families.edges import edge_claim
from engine.run.session import Session
from engine.theory.optimisers.setting import Setting

NETWORK = Network()


def params_of(**changes: Any) -> NetworkParams:
    values = {"data": "moons", "points": 60, "width": 6, "precision": "float64", **changes}
    return build(NetworkParams, values)


def test_a_linear_network_is_the_matrix_product(tmp_path: Path) -> None:
    """Inputs whose second moment is I, targets R x: the run of `matrix-product`, step by step."""
    matrices = get("matrix-product")
    n, depth, step_size = 3, 4, 0.02
    product = matrices.init(
        matrices.parameters(width=n, depth=depth, step_size=step_size, hessian_every=20), 5
    )
    target = product.problem.target.matrix
    x = np.sqrt(n) * np.eye(n)
    np.savez(tmp_path / "own.npz", x=x, y=x @ target.T)
    params = params_of(
        data="file",
        data_file=str(tmp_path / "own.npz"),
        held_out=0.0,
        scaling="none",
        activation="linear",
        biases=False,
        start="identity",
        width=n,
        depth=depth,
        step_size=step_size,
        sharpness_every=20,
    )
    own = NETWORK.init(params, 0)
    product, rows = matrices.advance(product, 200)
    own, chunk = NETWORK.advance(own, 200)
    learned = matrices.arrays(product)
    found = NETWORK.arrays(own)
    for layer, matrix in enumerate(np.stack(list(learned.values())).reshape(-1, n, n), start=1):
        np.testing.assert_allclose(found[f"W{layer}"], matrix, rtol=0, atol=1e-8)
    tops = rows.low["hessian"][:, 0]
    seen = ~np.isnan(tops) & ~np.isnan(chunk.low["sharpness"])
    assert seen.sum() >= 9
    np.testing.assert_allclose(chunk.low["sharpness"][seen], tops[seen], rtol=1e-6)
    largest = next(b for b in NETWORK.theory(params, own) if b.id == "linear").value
    assert largest == pytest.approx(
        2 / (depth * np.linalg.norm(target, 2) ** (2 * (1 - 1 / depth)))
    )


@pytest.mark.parametrize(("width", "own"), [(1, False), (2, True)])
def test_a_narrow_linear_network_has_no_largest_step_of_its_own(width: int, own: bool) -> None:
    """Two outputs of two inputs do not pass through one unit: its minima are others."""
    values = {"activation": "linear", "biases": False, "loss": "squared-error", "depth": 2}
    (bound,) = NETWORK.step_limits(params_of(**values, width=width), 0)
    assert ("of this network" in bound.name) is own
    assert ("as many plain linear layers" in bound.name) is not own


@pytest.mark.parametrize("optimiser", ["heavy-ball", "nesterov", "adam", "adamw", "rmsprop", "sam"])
def test_steps_are_those_of_the_theory(optimiser: str) -> None:
    """The same steps as `StepMap`, which is written as the optimisers are defined."""
    import torch

    from engine.experiments.network.nets.network import Trainer
    from engine.theory.optimisers import StepMap

    decay = 0.02 if optimiser != "sam" else 0.0
    params = params_of(optimiser=optimiser, step_size=0.03, weight_decay=decay, sharpness_every=0)
    state = NETWORK.init(params, 1)
    problem = state.problem
    w, slope = torch.zeros(len(state.weights)).double(), torch.zeros(len(state.weights)).double()
    trainer = Trainer(problem.architecture, problem.loss, w, slope)

    def gradient(at: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            w.copy_(torch.from_numpy(at))
            trainer.step(problem.train.x, problem.train.y)
        return slope.numpy().copy()

    z = np.concatenate([state.weights, *state.moments])
    for age in range(12):
        step = StepMap(
            setting=params.setting,
            value=lambda at: 0.0,
            gradient=gradient,
            hessian=lambda at: np.zeros((0, 0)),
            age=age,
        )
        z = step.step(z)
    state, _ = NETWORK.advance(state, 12)
    np.testing.assert_allclose(
        np.concatenate([state.weights, *state.moments]), z, rtol=1e-10, atol=1e-13
    )


def test_batches_visit_every_sample_once_an_epoch() -> None:
    from engine.experiments.network.problem import batch_of

    params = params_of(batch_size=7)
    state = NETWORK.init(params, 4)
    count = state.problem.train.count
    per_epoch = -(-count // 7)
    epochs = []
    for epoch in range(2):
        seen = [
            batch_of(state.problem, params, 4, epoch * per_epoch + step)
            for step in range(per_epoch)
        ]
        epochs.append(np.concatenate([each.numpy() for each in seen if each is not None]))
        assert sorted(epochs[-1]) == list(range(count))
    assert (epochs[0] != epochs[1]).any()


def test_the_edge_is_reached_from_below_and_averaged_from_there() -> None:
    edge = Edge()
    for step, ratio in enumerate([0.5, 0.9, 1.1, 0.9, 1.0]):
        edge = edge.seen(step, ratio, 1.0)
    assert (edge.onset, edge.edge_looks, edge.catapult) == (2, 3, None)
    assert edge.mean == pytest.approx(1.0)


def test_a_catapult_begins_beyond_the_limit_and_lands() -> None:
    edge = Edge()
    for step, (ratio, loss) in enumerate([(1.5, 1.0), (1.6, 0.9), (1.4, 2.0), (0.8, 1.5)]):
        edge = edge.seen(step, ratio, loss)
    assert (edge.catapult, edge.landed, edge.onset) == (2, 3, None)


def test_a_spike_of_a_run_begun_below_the_limit_is_no_catapult() -> None:
    edge = Edge()
    for step, (ratio, loss) in enumerate([(0.6, 1.0), (1.2, 0.5), (1.3, 3.0), (0.8, 0.6)]):
        edge = edge.seen(step, ratio, loss)
    assert (edge.catapult, edge.landed, edge.onset) == (None, None, 1)


@pytest.mark.parametrize(("last", "is_rising"), [([0.7, 0.75], True), ([0.6, 0.55], False)])
def test_a_sharpness_that_has_just_fallen_is_not_sharpening(
    last: list[float], is_rising: bool
) -> None:
    ratios, edge = np.array([0.3, 0.4, 0.5, 0.65, 0.68, *last]), Edge()
    for step, ratio in enumerate(ratios.tolist()):
        edge = edge.seen(step, ratio, 1.0)
    assert (place(edge, ratios)[0] == "sharpening") == is_rising


@pytest.mark.parametrize(
    ("tail", "has", "no"),
    [
        (np.linspace(0.5, 0.4, 12), "loss falls", "rises"),
        (np.linspace(0.5, 0.8, 12), "rises now", "loss falls"),
        (np.full(12, 0.5), "stays", "falls"),
        (np.tile([0.5, 0.6], 6) * 0.99 ** np.arange(12), "loss falls", "rises"),
    ],
)
def test_a_loss_that_has_just_risen_is_not_said_to_fall(
    tail: np.ndarray, has: str, no: str
) -> None:
    losses = np.concatenate([np.linspace(2.0, 0.6, 24), tail])
    trend = trend_of(losses)
    assert trend is not None and trend < 0.0
    sentence = tendency(losses)[2]
    assert has in sentence and no not in sentence


def claim_of(session: Session, name: str) -> Claim:
    state = session.state
    return {c.id: c for c in NETWORK.claims(state.params, state, session.recent())}[name]


def test_the_rest_of_another_step_size_says_nothing_of_the_present_one() -> None:
    params = params_of(data="digits", points=8, width=16, depth=2, step_size=0.3)
    session = Session(NETWORK, params, 0)
    session.advance(600)
    assert claim_of(session, "threshold").verdict is Verdict.HOLDS
    ratio = session.state.edge.last or 0.0
    session.retune(update(params, step_size=0.3 * 1.6 / ratio))
    for _ in range(20):
        session.advance(1)
        assert claim_of(session, "threshold").verdict is Verdict.UNDECIDED


def test_a_run_at_rest_is_not_called_converged_right_after_a_change() -> None:
    """The rest is that of the step size before; at 2.5 times the limit rounding drives it away."""
    params = params_of(data="line", points=10, width=4, depth=1)
    session = Session(NETWORK, params, 0)
    session.advance(600)
    assert session.outcome().kind is OutcomeKind.CONVERGED
    ratio = session.state.edge.last or 0.0
    session.retune(update(params, step_size=0.3 * 2.5 / ratio))
    for _ in range(60):
        assert session.outcome().kind is not OutcomeKind.CONVERGED
        session.advance(1)
    assert session.state.diverged_at is not None
    session.rewind(600)
    session.retune(update(params, step_size=0.29))
    assert session.outcome().kind is not OutcomeKind.CONVERGED
    session.advance(20)
    assert session.outcome().kind is OutcomeKind.CONVERGED
    session.close()


def test_a_catapult_is_claimed_of_wide_networks_without_biases() -> None:
    for width, biases, on in ((8, False, None), (16, False, True), (16, True, True)):
        params = params_of(activation="linear", depth=2, width=width, biases=biases)
        session = Session(NETWORK, params, 0)
        lamps = {lamp.name: lamp.on for lamp in claim_of(session, "catapult").assumptions}
        assert lamps["wide"] is on and lamps["no biases"] is not biases


@settings(max_examples=10)
@given(st.booleans(), st.floats(1.1, 1.9))
def test_a_narrow_network_never_violates_the_catapult(diverged: bool, ratio: float) -> None:
    params = params_of(activation="linear", depth=2, width=8, biases=False)
    state = dataclasses.replace(
        NETWORK.init(params, 0),
        edge=Edge().seen(0, ratio, 1.0),
        diverged_at=5 if diverged else None,
    )
    recent = {key: rows[None] for key, rows in NETWORK.record(state).items()}
    found = {claim.id: claim for claim in NETWORK.claims(params, state, recent)}
    assert found["catapult"].verdict is not Verdict.VIOLATED


def test_a_live_change_looks_for_the_edge_anew() -> None:
    session = Session(NETWORK, params_of(sharpness_every=2), 0)
    session.advance(10)
    assert session.state.edge.looks
    session.retune(update(session.params, step_size=0.1))
    assert session.state.edge == Edge(begun=10)
    session.close()


def test_a_run_ends_at_its_goal_and_goes_on_to_another() -> None:
    session = Session(NETWORK, params_of(step_size=1.0, goal=0.15), 0)
    session.advance(2000)
    assert session.finished and session.outcome().kind is OutcomeKind.CONVERGED
    losses = session.recent()["loss"]
    assert losses[-1] <= 0.15 < losses[-2]
    session.retune(update(session.params, goal=0.0))
    assert session.advance(3) == 3
    session.close()


@pytest.mark.slow
@pytest.mark.parametrize("step_size", [0.3, 0.4])
def test_the_sharpness_hovers_at_the_limit_of_gradient_descent(step_size: float) -> None:
    check_edge(0.03, step_size=step_size)


@pytest.mark.slow
def test_the_sharpness_hovers_at_the_limit_of_the_heavy_ball() -> None:
    check_edge(0.04, step_size=0.6, optimiser="heavy-ball", momentum=0.5)


@pytest.mark.slow
def test_the_preconditioned_sharpness_hovers_at_the_limit_of_adam() -> None:
    check_edge(0.06, step_size=0.01, optimiser="adam", epsilon=1e-7)


def check_edge(tolerance: float, **changes: Any) -> None:
    """Train on 1,000 digits and compare the mean since the onset with the limit."""
    values = {"data": "digits", "points": 1000, "sharpness_every": 11, **changes}
    params = build(NetworkParams, values)
    state, chunk = NETWORK.advance(NETWORK.init(params, 0), 1000)
    ratios = chunk.low["stability"]
    ratios = ratios[~np.isnan(ratios)]
    onset = int(np.argmax(ratios >= 1.0))
    assert ratios[0] < 0.95 and len(ratios) - onset >= 40
    assert float(ratios[onset:].mean()) == pytest.approx(1.0, abs=tolerance)
    assert state.edge.mean == pytest.approx(float(ratios[onset:].mean()))
    claim = NETWORK.claims(params, state, chunk.low)[0]
    assert claim.id == "edge" and claim.verdict is Verdict.HOLDS
    assert "edge of stability" in NETWORK.outcome(state, chunk.low).phase


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"loss": "cross-entropy", "data": "line"}, "loss"),
        ({"loss": "logistic", "data": "digits"}, "loss"),
        ({"start": "zero-branch"}, "start"),
        ({"widths": "8, x"}, "widths"),
        ({"widths": "0"}, "widths"),
        ({"width": 4096, "depth": 128}, "width"),
    ],
)
def test_what_is_no_network_is_refused_in_the_form(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as found:
        params_of(**changes)
    assert found.value.field == field


def test_too_many_digits_are_refused() -> None:
    with pytest.raises(InputError, match="points"):
        NETWORK.init(params_of(data="digits", points=5000), 0)


def test_the_gradient_flow_is_that_of_small_steps() -> None:
    """A run of steps a hundred times as small is near the flow at the same time."""
    params = params_of(data="sines", points=40, step_size=0.05, flow=True, sharpness_every=0)
    state, chunk = NETWORK.advance(NETWORK.init(params, 0), 40)
    small = update(params, step_size=0.0005, flow=False)
    fine, _ = NETWORK.advance(NETWORK.init(small, 0), 4000)
    gap = np.linalg.norm(fine.weights - state.flow)
    assert gap < 1e-3 * np.linalg.norm(state.flow)
    assert gap < 0.2 * np.linalg.norm(state.weights - state.flow)
    assert chunk.low["flow_distance"][-1] == pytest.approx(
        np.linalg.norm(state.weights - state.flow)
    )
    split = NETWORK.init(params, 0)
    for _ in range(40):
        split, _ = NETWORK.advance(split, 1)
    np.testing.assert_array_equal(split.flow, state.flow)


@pytest.mark.parametrize(("first", "beyond"), [(0.5, False), (1.3, True)])
def test_a_run_from_beyond_the_limit_is_not_said_to_be_below(first: float, beyond: bool) -> None:
    claim = edge_claim(Setting(optimiser="gradient-descent"), Edge().seen(0, first, 1.0), ())
    assert ("began beyond" in claim.measured) is beyond
    assert ("not reached" in claim.measured) is not beyond
