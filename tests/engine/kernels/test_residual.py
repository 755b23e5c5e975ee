"""The residual pair's kernel against autograd, against itself in parts, and its constraints."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.kernels.residual import descent as residual
from engine.kernels.residual.descent import COLUMNS, Rule

FUNCTION = ((0, 0.3, 0.5, 0.7, 1), (0, 0.3, -0.1, 0.1, -0.2))
RULES = {
    "gd": Rule(0.01, residual.GRADIENT),
    "heavy ball": Rule(0.01, residual.HEAVY_BALL),
    "nesterov": Rule(0.01),
    "ratio": Rule(0.005, schedule=residual.RATIO, floor=1e-3),
    "constant": Rule(0.02, schedule=residual.CONSTANT),
    "free": Rule(0.01, projected=False),
    "frozen": Rule(0.01, train_biases=False),
}


def paper_data(count=100):
    x = np.linspace(0, 1, count)
    return residual.prepare(x, np.interp(x, *FUNCTION))


def start(widest, seeds, depth=10, weight=0.1):
    b = np.stack([np.random.default_rng(seed).uniform(0, widest, (2, depth)) for seed in seeds])
    count = len(b)
    w = np.full((count, 2, depth), weight)
    return residual.start_pairs(w, b, np.ones((count, 2)), np.zeros(count))


def torch_outputs(theta, x):
    """The layers' inputs minus biases (2, L, N) and the pair's output (N,), written plainly."""
    depth = (theta.shape[0] - 3) // 4
    gaps, parts = [], []
    for net in range(2):
        h = x
        for layer in range(depth):
            gap = h - theta[(2 + net) * depth + layer]
            gaps.append(gap)
            h = h + theta[net * depth + layer] * torch.relu(gap)
        parts.append(theta[4 * depth + net] * h)
    return torch.stack(gaps), parts[0] - parts[1] + theta[4 * depth + 2]


@st.composite
def cases(draw):
    depth, count = draw(st.integers(1, 12)), draw(st.integers(1, 60))
    low = draw(st.sampled_from([0.0, -0.9, -3.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    theta = np.concatenate(
        [
            rng.uniform(low, 1.0, 2 * depth),
            rng.uniform(-0.2, 1.4, 2 * depth),
            rng.uniform(0.1, 2.0, 2),
            rng.standard_normal(1),
        ]
    )
    return theta, rng.uniform(0, 1, count), rng.standard_normal(count)


@given(cases())
def test_gradient_equals_autograd(case):
    theta, x, y = case
    parameters = torch.tensor(theta, requires_grad=True)
    gaps, output = torch_outputs(parameters, torch.tensor(x))
    assume(float(gaps.detach().abs().min()) > 1e-9)  # on a kink there is no one gradient
    loss = 0.5 * ((output - torch.tensor(y)) ** 2).mean()
    (expected,) = torch.autograd.grad(loss, parameters)
    scale = max(1.0, float(expected.abs().max()))
    found = residual.gradients(theta[None], residual.prepare(x, y))[0]
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-10 * scale, rtol=0)


@given(cases())
def test_measurements_equal_a_plain_evaluation(case):
    theta, x, y = case
    depth = (len(theta) - 3) // 4
    data = residual.prepare(x, y)
    pairs = residual.start_pairs(
        theta[None, : 2 * depth].reshape(1, 2, depth),
        theta[None, 2 * depth : 4 * depth].reshape(1, 2, depth),
        theta[None, 4 * depth : 4 * depth + 2],
        theta[None, -1],
    )
    row = dict(
        zip(COLUMNS, residual.measure(pairs, data, RULES["free"]).scalars[0, 0], strict=True)
    )
    _, output = torch_outputs(torch.tensor(theta), torch.tensor(x))
    assert row["mse"] == pytest.approx(np.mean((output.numpy() - y) ** 2), rel=1e-10, abs=1e-20)
    grad = residual.gradients(theta[None], data)[0]
    assert row["gradient_w"] == pytest.approx(np.linalg.norm(grad[: 2 * depth]))
    assert row["residual_12b"] == pytest.approx(len(x) * np.abs(grad[4 * depth : -1]).max())
    assert row["smallest"] == theta[:-1].min()
    if theta[: 2 * depth].min() > -1:
        fine = np.linspace(data.x[0], data.x[-1], 20001)
        _, values = torch_outputs(torch.tensor(theta), torch.tensor(fine))
        steepest = 0.0
        if len(x) > 1:
            steepest = np.abs(np.diff(values.numpy())).max() / (fine[1] - fine[0])
        assert row["lipschitz"] >= steepest * (1 - 1e-6) - 1e-9


def test_kinks_are_where_the_layers_switch():
    pairs = start(1.0, range(5))
    kinks = residual.measure(pairs, paper_data(), RULES["nesterov"]).kinks[0]
    for pair in range(5):
        theta = torch.tensor(pairs.theta[pair])
        for net in range(2):
            for layer in range(10):
                gaps, _ = torch_outputs(theta, torch.tensor(kinks[pair, net, layer : layer + 1]))
                assert abs(float(gaps[10 * net + layer, 0])) < 1e-14


@pytest.mark.parametrize("name", RULES)
def test_a_run_has_the_same_bits_in_any_chunks_and_strides(name):
    data, rule = paper_data(), RULES[name]
    whole, records = residual.advance(start(0.5, range(2)), data, rule, 300, keep_path=True)
    parts, rows = start(0.5, range(2)), []
    for steps in (1, 99, 2, 150, 48):
        parts, some = residual.advance(parts, data, rule, steps, keep_path=True)
        rows.append(some)
    sparse, few = residual.advance(start(0.5, range(2)), data, rule, 300, every=50)
    for other in (parts, sparse):
        np.testing.assert_array_equal(other.theta, whole.theta)
        np.testing.assert_array_equal(other.previous, whole.previous)
        assert (other.step, other.clock) == (300, whole.clock)
    np.testing.assert_array_equal(np.concatenate([r.scalars for r in rows]), records.scalars)
    np.testing.assert_array_equal(np.concatenate([r.path for r in rows]), records.path)
    np.testing.assert_array_equal(few.scalars, records.scalars[49::50])
    np.testing.assert_array_equal(records.path[-1], whole.theta)
    now = residual.measure(whole, data, rule)
    np.testing.assert_array_equal(now.scalars[0], records.scalars[-1])
    np.testing.assert_array_equal(now.kinks[0], records.kinks[-1])


def plain_run(theta, data, rule, steps):
    """The update rules of REFERENCE and of the paper written out with autograd."""
    x, y = torch.tensor(data.x), torch.tensor(data.y)
    depth = (len(theta) - 3) // 4
    now = past = torch.tensor(theta)
    t = 1.0
    for k in range(steps):
        t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
        if k == 0 or rule.method == residual.GRADIENT:
            carry, t_next = 0.0, t
        elif rule.method == residual.HEAVY_BALL or rule.schedule == residual.CONSTANT:
            carry = rule.momentum
        else:
            carry = k / (k + 3) if rule.schedule == residual.RATIO else (t - 1) / t_next
        t = t_next
        ahead = now + carry * (now - past) if rule.method == residual.NESTEROV else now
        ahead = ahead.clone().requires_grad_()
        loss = 0.5 * ((torch_outputs(ahead, x)[1] - y) ** 2).mean()
        (grad,) = torch.autograd.grad(loss, ahead)
        new = ahead.detach() - rule.step_size * grad
        if rule.method == residual.HEAVY_BALL:
            new += carry * (now - past)
        if rule.projected:
            new[: 4 * depth].clamp_(min=0)
            new[4 * depth : -1].clamp_(min=rule.floor)
        if not rule.train_biases:
            new[2 * depth : 4 * depth] = now[2 * depth : 4 * depth]
        past, now = now, new
    return now.numpy()


@pytest.mark.parametrize("name", RULES)
def test_the_update_rules_equal_a_plain_loop(name):
    data, rule = paper_data(), RULES[name]
    pairs = start(1.0, [3])
    expected = plain_run(pairs.theta[0], data, rule, 120)
    found, _ = residual.advance(pairs, data, rule, 120)
    np.testing.assert_allclose(found.theta[0], expected, atol=1e-12)


@pytest.mark.parametrize("step_size", [0.01, 0.1, 0.5])
def test_projection_keeps_every_constrained_parameter_feasible_at_every_step(step_size):
    rule = Rule(step_size, floor=1e-6)
    _, records = residual.advance(start(1.0, range(4)), paper_data(), rule, 3000, keep_path=True)
    w, b, c, _ = residual.unpack(records.path)
    assert min(w.min(), b.min()) >= 0
    assert c.min() >= 1e-6
    assert records.scalars[..., COLUMNS.index("smallest")].min() >= 0


@pytest.mark.parametrize("step_size", [0.2, 0.5, 5.0, 1e6])
def test_divergence_is_an_outcome_without_infinities(step_size):
    rule, data = Rule(step_size, residual.GRADIENT, projected=False), paper_data()
    begun = start(1.0, range(3), weight=0.5)
    pairs, records = residual.advance(begun, data, rule, 400, keep_path=True)
    assert (pairs.diverged > 0).all()
    for values in (pairs.theta, records.scalars, records.path):
        assert np.isfinite(values).all()
    for pair, at in enumerate(pairs.diverged):
        last = records.path[at - 2, pair] if at > 1 else begun.theta[pair]
        np.testing.assert_array_equal(pairs.theta[pair], last)
        assert (records.scalars[at - 1 :, pair] == records.scalars[-1, pair]).all()
    again, more = residual.advance(pairs, data, rule, 50)
    np.testing.assert_array_equal(more.scalars, records.scalars[-50:])
    np.testing.assert_array_equal(again.theta, pairs.theta)
    np.testing.assert_array_equal(again.diverged, pairs.diverged)
    parts = begun
    for _ in range(40):
        parts, _ = residual.advance(parts, data, rule, 10)
    np.testing.assert_array_equal(parts.theta, pairs.theta)
    np.testing.assert_array_equal(parts.diverged, pairs.diverged)


def test_weights_below_minus_one_are_followed_too():
    data = paper_data()
    pairs = start(1.0, range(3), weight=0.2)
    pairs.theta[:, 2] = -1.5
    rule = Rule(0.003, projected=False)
    expected = plain_run(pairs.theta[1], data, rule, 60)
    found, records = residual.advance(pairs, data, rule, 60)
    np.testing.assert_allclose(found.theta[1], expected, atol=1e-12)
    assert np.isfinite(records.scalars).all()


def test_figure_4_on_a_few_seeds():
    rule = Rule(0.01)
    narrow, wide = (
        residual.advance(start(widest, range(20)), paper_data(), rule, 10_000, every=10_000)[1]
        for widest in (0.5, 1.0)
    )
    mse, lipschitz = COLUMNS.index("mse"), COLUMNS.index("lipschitz")
    assert narrow.scalars[0, :, mse] == pytest.approx(0.0027228, rel=1e-3)
    assert wide.scalars[0, :, mse].max() < 1e-6
    assert np.median(narrow.scalars[0, :, lipschitz]) == pytest.approx(2.0, rel=0.05)
    assert np.median(wide.scalars[0, :, lipschitz]) == pytest.approx(2.0, rel=0.05)
