"""The scalar network's kernels against plain loops, autograd, and the reference values."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import theory
from engine.kernels.scalar import descent as scalar
from engine.kernels.scalar.descent import Law, Method, StepRule, Ties

SERIES = (
    "weights",
    "product",
    "error",
    "loss",
    "gap",
    "sharpness",
    "stability",
    "step_size",
    "distance",
)


def loop(weights: np.ndarray, law: Law, n: int) -> np.ndarray:
    """Iterate equation (2), or its variants, in the plainest way."""
    w, v, rows = weights.copy(), np.zeros_like(weights), []
    for _ in range(n):
        at = w + law.momentum * v if law.method is Method.NESTEROV else w
        g = np.array([np.prod(np.delete(at, i)) for i in range(w.size)])
        error = np.prod(at) - law.target
        step = law.step
        if law.rule is StepRule.SHARPNESS:
            step = min(law.step / (law.input_power * float(g @ g)), law.cap)
        elif law.rule is StepRule.HESSIAN:
            values = np.linalg.eigvalsh(dense_hessian(at, law.target, law.input_power))
            step = min(law.step / float(np.max(np.abs(values))), law.cap)
        v = law.momentum * v - step * law.input_power * error * g
        w = w + v
        rows.append(w)
    return np.array(rows)


def dense_hessian(w: np.ndarray, target: float, power: float) -> np.ndarray:
    n = w.size
    g = np.array([np.prod(np.delete(w, i)) for i in range(n)])
    error = np.prod(w) - target
    made = np.outer(g, g)
    for i in range(n):
        for j in range(i):
            made[i, j] = made[j, i] = g[i] * g[j] + error * np.prod(np.delete(w, [i, j]))
    return power * made


def run(weights: np.ndarray, law: Law, n: int, stride: int | None = None) -> scalar.Recording:
    return scalar.advance(
        weights,
        np.zeros_like(weights),
        Ties.of(weights),
        law,
        first=0,
        n=n,
        stride=stride or 1,
        every=1000,
    )


def descent(target: float, depth: int, step: float, power: float = 1.0) -> Law:
    return Law(target=target, depth=depth, step=step, input_power=power)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 8, 20, 64, 65])
@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("rule", list(StepRule))
def test_the_kernel_is_the_iteration(depth: int, method: Method, rule: StepRule) -> None:
    if rule is StepRule.HESSIAN and depth > 20:
        depth = 13  # the dense reference takes too long
    start = np.random.default_rng(depth).uniform(0.7, 1.3, depth)
    bound = theory.delta_max(2.0, depth, 1.7)
    law = Law(
        target=2.0,
        depth=depth,
        step=0.2 * bound if rule is StepRule.FIXED else 0.5,
        input_power=1.7,
        method=method,
        rule=rule,
        momentum=0.0 if method is Method.GRADIENT_DESCENT else 0.4,
        cap=0.6,
    )
    made = run(start, law, 20)
    expected = loop(start, law, 20)
    np.testing.assert_allclose(made.weights, expected[-1], rtol=0, atol=1e-12)
    shown = expected if depth <= 64 else np.quantile(expected, scalar.QUANTILES, axis=1).T
    np.testing.assert_allclose(made.low["weights"], shown, rtol=0, atol=1e-12)
    error = np.prod(expected, axis=1) - 2.0
    np.testing.assert_allclose(made.low["error"], error, atol=1e-11)
    np.testing.assert_allclose(made.low["loss"], 0.85 * error**2, atol=1e-11)
    sharpness = [theory.sharpness(w, 1.7) for w in expected]
    np.testing.assert_allclose(made.low["sharpness"], sharpness, rtol=1e-10)
    sizes = np.abs(expected)
    np.testing.assert_allclose(made.low["gap"], np.ptp(sizes, axis=1), atol=1e-12)
    np.testing.assert_allclose(
        made.low["distance"], np.max(np.abs(sizes - 2.0 ** (1 / depth)), axis=1), atol=1e-12
    )
    np.testing.assert_allclose(
        made.low["stability"], made.low["step_size"] * made.low["sharpness"] / 2, rtol=1e-14
    )


@pytest.mark.parametrize("depth", [1, 2, 3, 7, 20])
def test_the_gradient_is_autograds(depth: int) -> None:
    import torch

    random = np.random.default_rng(depth)
    for case in range(10):
        start, target = random.uniform(-1.5, 1.5, depth), random.uniform(-3, 3)
        start[: case // 4] = 0.0  # up to two weights are zero
        w = torch.tensor(start, requires_grad=True)
        product = math.prod(w.unbind())  # torch.prod would divide by the weights
        (0.5 * 1.3 * (product - target) ** 2).backward()
        law = descent(target, depth, 0.25, 1.3)
        made = scalar.advance(start, np.zeros(depth), Ties.none(depth), law, first=0, n=1)
        assert w.grad is not None
        expected = start - 0.25 * w.grad.numpy()
        np.testing.assert_allclose(made.weights, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("zeros", [1, 2, 3])
def test_a_weight_may_be_zero(zeros: int) -> None:
    start = np.array([0.0] * zeros + [0.9, 1.2, 1.1, 0.8])
    law = descent(2.0, start.size, 0.05)
    np.testing.assert_allclose(run(start, law, 40).weights, loop(start, law, 40)[-1], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(
    cuts=st.sets(st.integers(1, 199), max_size=6),
    stride=st.integers(1, 60),
    depth=st.sampled_from([1, 2, 3, 7, 20, 70]),
    tied=st.booleans(),
    method=st.sampled_from(list(Method)),
    seed=st.integers(0, 9),
)
@example(cuts={1}, stride=7, depth=20, tied=True, method=Method.GRADIENT_DESCENT, seed=0)
def test_splitting_a_run_changes_no_bit(
    cuts: set[int], stride: int, depth: int, tied: bool, method: Method, seed: int
) -> None:
    random = np.random.default_rng(seed)
    start = np.ones(depth) if tied else random.uniform(0.5, 1.5, depth)
    factor = 1.1 if method is Method.GRADIENT_DESCENT else 0.3
    law = Law(
        target=2.0,
        depth=depth,
        step=factor * theory.delta_max(2.0, depth),
        method=method,
        momentum=0.6,
    )
    ties, still = Ties.of(start), np.zeros(depth)
    whole = scalar.advance(start, still, ties, law, first=0, n=200, every=8)
    w, v, low, high = start, still, [], []
    for begin, end in pairwise((0, *sorted(cuts), 200)):
        part = scalar.advance(w, v, ties, law, first=begin, n=end - begin, stride=stride, every=8)
        w, v = part.weights, part.velocity
        starts = np.arange(begin, min(end, whole.made), stride)
        for key in (*SERIES, "hessian", "jacobian", "edge"):
            rows = whole.low[key][begin:end]
            if len(rows):
                np.testing.assert_array_equal(
                    part.low[key], np.fmin.reduceat(rows, starts - begin, axis=0), key
                )
                np.testing.assert_array_equal(
                    part.high[key], np.fmax.reduceat(rows, starts - begin, axis=0), key
                )
        low.append(part.low)
        high.append(part.high)
        if part.diverged:
            break
    np.testing.assert_array_equal(w, whole.weights)
    np.testing.assert_array_equal(v, whole.velocity)


@pytest.mark.parametrize("depth", [1, 3, 4, 20, 130])
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_the_lean_kernel_has_the_same_bits(depth: int, tied: bool, factor: float) -> None:
    start = np.random.default_rng(5).uniform(0.9, 1.1, depth)
    if tied:
        start[:] = 1.0
    law = descent(2.0, depth, factor * theory.delta_max(2.0, depth))
    made = run(start, law, 500)
    for first in (0, 123):
        from_here = scalar.advance(start, np.zeros(depth), Ties.of(start), law, first=first, n=500)
        errors = np.full(500, np.nan)
        weights, count = scalar.errors(start, Ties.of(start), law, first=first, out=errors)
        assert count == from_here.made
        np.testing.assert_array_equal(errors[:count], from_here.low["error"])
        np.testing.assert_array_equal(weights, from_here.weights)
    assert made.made > 0
    with pytest.raises(ValueError, match="plain gradient"):
        scalar.errors(
            start,
            Ties.of(start),
            Law(target=2.0, depth=depth, step=1.0, rule=StepRule.HESSIAN),
            first=0,
            out=np.zeros(1),
        )


@pytest.mark.parametrize("depth", [2, 3, 5, 6, 7, 20, 97, 1000])
@pytest.mark.parametrize("negatives", [0, 1, 3])
def test_equal_weights_stay_equal_to_the_last_bit(depth: int, negatives: int) -> None:
    start, negatives = np.ones(depth), min(negatives, depth)
    start[:negatives] = -1.0
    target = 1.7 if negatives % 2 == 0 else -1.7
    law = descent(target, depth, 1.3 * theory.delta_max(target, depth))
    made = run(start, law, 300)
    assert made.made == 300 and not made.diverged
    assert np.ptp(np.abs(made.weights)) == 0.0
    assert np.max(made.low["gap"]) == 0.0


def test_ties_are_classes_of_equal_magnitude() -> None:
    ties = Ties.of(np.array([2.0, -1.0, 1.0, -2.0, 0.5]))
    np.testing.assert_array_equal(ties.leader[:5], [0, 1, 1, 0, 4])
    np.testing.assert_array_equal(ties.sign[:5], [1, 1, -1, -1, 1])
    assert ties.any and not Ties.none(5).any
    assert not Ties.of(np.array([1.0, 2.0])).any


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 20, 66])
@pytest.mark.parametrize("stride", [1, 3])
def test_divergence_stops_at_the_last_good_step(depth: int, stride: int) -> None:
    start = np.random.default_rng(2).uniform(0.9, 1.1, depth)
    law = descent(2.0, depth, 6.0 * theory.delta_max(2.0, depth))
    made = run(start, law, 200, stride)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = loop(start, law, made.made + 1)
    good = rows[:-1]
    assert made.diverged and made.made < 200
    assert np.all(np.abs(good) <= 1e12) and np.all(np.abs(np.prod(good, axis=1)) <= 1e12)
    last = np.prod(rows[-1])
    assert not (abs(last) <= 1e12 and np.all(np.abs(rows[-1]) <= 1e12))
    assert all(np.all(np.isfinite(made.high[key])) for key in SERIES)
    assert len(made.low["error"]) == -(-made.made // stride)


@pytest.mark.parametrize(
    ("depth", "step", "orbit", "multiplier"),
    [
        (2, 0.55, (1.15194996, 1.57835139), 0.18),
        (2, 0.6375, (0.88014346, 1.11034681, 1.56767547, 1.65335675), -0.47087),
        (3, 0.29102353, (1.13482635, 1.33666362), 0.19277),
        (5, 0.14514587, (1.08957184, 1.18457023), 0.19800),
    ],
)
def test_reference_orbits(
    depth: int, step: float, orbit: tuple[float, ...], multiplier: float
) -> None:
    law, start = descent(2.0, depth, step), np.ones(depth)
    made = run(start, law, 20000)
    period = len(orbit)
    np.testing.assert_allclose(np.sort(made.low["weights"][-period:, 0]), orbit, atol=1.1e-8)
    logs = scalar.growth_logs(
        made.low["weights"][-200:], made.low["step_size"][-200:], Ties.of(start), law
    )
    assert math.exp(logs[-period:].sum()) == pytest.approx(abs(multiplier), abs=6e-6)


@pytest.mark.parametrize(("depth", "factor"), [(2, 0.55 / 0.5), (3, 1.1), (5, 1.1)])
def test_the_diagonal_attracts(depth: int, factor: float) -> None:
    start = 1 + 0.01 * np.random.default_rng(0).standard_normal(depth)
    law = descent(2.0, depth, factor * theory.delta_max(2.0, depth))
    assert run(start, law, 20000, 1000).high["gap"][-1] <= 1e-13


@pytest.mark.parametrize(
    ("depth", "after"),
    [
        (2, {0.98: 8.51, 1.1: 6.948, 1.3: 4.784, 1.6: 4.264}),
        (3, {0.98: 41.7, 1.1: 33.65, 1.3: 20.84, 1.6: 9.264, 2.0: 7.56, 3.0: 13.79}),
        (5, {0.98: 785, 1.1: 624.3, 1.3: 367.5, 1.6: 119.3, 2.0: 17.56, 3.0: 19.37}),
    ],
)
def test_catapults_end_at_flatter_minima(depth: int, after: dict[float, float]) -> None:
    root = 2.0 ** (1 / depth)
    sharp = np.array([2 * root] * (depth - 1) + [2.0 ** (1 - depth) * root])
    start = 1.001 * sharp
    for factor, sharpness in after.items():
        law = descent(2.0, depth, factor * theory.equilibrium_bound(sharp))
        made = scalar.advance(
            start, np.zeros(depth), Ties.of(start), law, first=0, n=30000, stride=3000
        )
        assert abs(made.low["error"][-1]) < 1e-9
        assert made.high["sharpness"][-1] == pytest.approx(sharpness, rel=1e-3)
        assert made.high["stability"][-1] < 1.0
    if depth == 2:
        for factor in (2.0, 3.0):
            law = descent(2.0, depth, factor * theory.equilibrium_bound(sharp))
            assert run(start, law, 1000).diverged == (law.step > 0.3)


@given(st.floats(0.05, 0.45), st.floats(0.6, 1.6), st.floats(0.6, 1.6))
def test_two_weights_balance_by_their_invariant(step: float, a: float, b: float) -> None:
    """w1^2 - w2^2 is multiplied by 1 - (step sigma e)^2 at every step."""
    start = np.array([a, b])
    made = scalar.advance(
        start, np.zeros(2), Ties.none(2), descent(2.0, 2, step, 0.9), first=0, n=60
    )
    rows = np.vstack([start, made.low["weights"]])
    error = np.concatenate([[a * b - 2.0], made.low["error"]])
    gap = rows[:, 0] ** 2 - rows[:, 1] ** 2
    np.testing.assert_allclose(
        gap[1:], gap[:-1] * (1 - (step * 0.9 * error[:-1]) ** 2), rtol=1e-9, atol=1e-12
    )


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-6, 6),
    st.sampled_from([1, 2, 3, 5, 10, 20, 100]),
    st.floats(0.01, 1.0),
    st.sampled_from([1.0, 3.7]),
)
@example(0.0, 5, 1.0, 1.0)
@example(4.3e-10, 20, 0.5, 1.0)
def test_proposition_2(power_of_ten: float, depth: int, part: float, power: float) -> None:
    target = 10.0**power_of_ten
    step = part * theory.delta_c(target, depth, power)
    law, start = descent(target, depth, step, power), np.ones(depth)
    distance = run(start, law, 1500).low["distance"]
    envelope = theory.envelope(np.arange(1, 1501), step, target, depth, power)
    assert np.all(distance <= envelope + 1e-12 * max(1.0, law.root))


@pytest.mark.parametrize("target", [2.0, 0.5, 10.0])
@pytest.mark.parametrize("depth", [2, 5, 20])
def test_delta_c_is_tight(target: float, depth: int) -> None:
    """Two per cent above it the weights overshoot the root."""
    law = descent(target, depth, 1.02 * theory.delta_c(target, depth))
    root = target ** (1 / depth)
    rows = run(np.ones(depth), law, 5000).low["weights"][:, 0] - root
    assert np.any(rows * np.sign(root - 1.0) > 1e-13)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_proposition_1_on_both_sides(depth: int) -> None:
    """From near a minimum the error dies out below its bound and grows above it."""
    root = 2.0 ** (1 / depth)
    for kappa in (1.0, 1.5, 2.0):
        minimum = np.array([kappa * root] * (depth - 1) + [kappa ** (1 - depth) * root])
        bound = theory.equilibrium_bound(minimum)
        start = minimum * (1 + 1e-7)
        for factor in (0.97, 1.03):
            made = run(start, descent(2.0, depth, factor * bound), 300)
            first, last = abs(made.low["error"][0]), abs(made.low["error"][-1])
            assert (last < first) == (factor < 1), (kappa, factor)


@pytest.mark.parametrize(
    ("depth", "weight"), [(3, 4.0e-6), (5, 0.011006), (10, 0.16307), (20, 0.42561)]
)
def test_proposition_3_sinks_sublinearly(depth: int, weight: float) -> None:
    made = run(np.ones(depth), descent(-1.0, depth, 0.25), 10**6, 10**6)
    assert made.weights[0] == pytest.approx(weight, rel=2e-4)
    assert np.ptp(made.weights) == 0.0


def test_proposition_3_at_and_beyond_its_threshold() -> None:
    for depth in (2, 3, 8):
        at_once = run(np.ones(depth), descent(-1.0, depth, 0.5), 1)
        np.testing.assert_array_equal(at_once.weights, 0.0)
    alone = run(np.ones(1), descent(-1.0, 1, 0.25), 300)
    assert alone.weights[0] == pytest.approx(-1.0)
    for depth in (2, 4, 20):  # even: on to 0 with changing signs, a cycle, divergence
        sizes = np.abs(run(np.ones(depth), descent(-1.0, depth, 0.9), 3000).low["weights"][:, 0])
        assert np.all(np.diff(sizes) <= 0) and sizes[-1] < 0.9
        cycle = run(np.ones(depth), descent(-1.0, depth, 1.0), 50).low["weights"][:, 0]
        np.testing.assert_array_equal(np.abs(cycle), 1.0)
        assert run(np.ones(depth), descent(-1.0, depth, 1.05), 500).diverged
    for factor, settles in ((1.02, True), (1.5, True), (2.0, True)):
        law = descent(-0.5, 3, factor / 1.5)
        error = run(np.ones(3), law, 4000).low["error"][-1]
        assert (abs(error) < 1e-9) == settles
    assert run(np.ones(3), descent(-0.5, 3, 2.2 / 1.5), 4000).diverged
    assert run(np.ones(5), descent(-2.0, 5, 1.02 / 3.0), 200_000, 1000).diverged


@pytest.mark.parametrize(
    ("depth", "noise", "step"),
    [(2, 1e-12, 142), (2, 1e-6, 80), (2, 1e-3, 50), (3, 1e-6, 16084), (3, 1e-3, 505)],
)
def test_noise_leaves_the_saddle(depth: int, noise: float, step: int) -> None:
    start = 1 + noise * np.random.default_rng(0).standard_normal(depth)
    error = np.abs(run(start, descent(-1.0, depth, 0.25), 20000).low["error"])
    first = int(np.argmax(error < 1e-3)) + 1
    assert first == pytest.approx(step, abs=1 + step // 1000)


@pytest.mark.parametrize(
    ("depth", "low", "high", "alpha", "rule", "median"),
    [
        (3, 0.5, 1.5, 1.0, StepRule.SHARPNESS, 4),
        (5, -2.0, 2.0, 1.0, StepRule.SHARPNESS, 6),
        (5, -2.0, 2.0, 0.5, StepRule.SHARPNESS, 28),
        (5, -2.0, 2.0, 1.0, StepRule.HESSIAN, 8),
        (10, -2.0, 2.0, 1.0, StepRule.HESSIAN, 10),
    ],
)
def test_state_dependent_steps(
    depth: int, low: float, high: float, alpha: float, rule: StepRule, median: int
) -> None:
    random = np.random.default_rng(11)
    law = Law(target=2.0, depth=depth, step=alpha, rule=rule, cap=1e9)
    needed, largest = [], 0.0
    for _ in range(100):
        made = run(random.uniform(low, high, depth), law, 300)
        good = np.abs(made.low["error"]) < 1e-8
        assert good.any() and not made.diverged
        needed.append(int(np.argmax(good)) + 1)
        largest = max(largest, float(np.max(np.abs(made.low["weights"]))))
    assert np.median(needed) == pytest.approx(median, abs=1)
    if rule is StepRule.HESSIAN:
        assert largest < 5.0


def test_a_vanishing_sharpness_is_capped_and_counted() -> None:
    start = np.array([0.0, 0.0, 1.0])
    law = Law(target=2.0, depth=3, step=1.0, rule=StepRule.SHARPNESS, cap=2.5)
    made = run(start, law, 10)
    assert made.capped == 10
    np.testing.assert_array_equal(made.low["step_size"], 2.5)


def hard_points() -> list[tuple[np.ndarray, float]]:
    random = np.random.default_rng(3)
    points: list[tuple[np.ndarray, float]] = []
    for n in (1, 2, 3, 5, 9):
        for target in (-2.0, 0.5, 2.0, 100.0):
            w = random.uniform(-2, 2, n)
            points.append((w, target))
            points.append((np.ones(n), target))
            points.append((np.where(np.arange(n) == 0, 0.0, w), target))
            points.append((np.where(np.arange(n) < 2, 0.0, w), target))
            points.append((np.where(np.arange(n) < 3, 0.0, w), target))
            points.append((np.where(np.arange(n) % 2, w, w[0]), target))
            points.append((np.sign(w) * (1 + 1e-13 * random.standard_normal(n)), target))
            points.append((w * (abs(target / 2) / abs(np.prod(w))) ** (1 / n), target))
            points.append((w * (abs(target) / abs(np.prod(w))) ** (1 / n), target))
    return points


@pytest.mark.parametrize("power", [1.0, 3.7])
def test_the_spectrum_is_the_dense_one(power: float) -> None:
    for w, target in hard_points():
        expected = np.linalg.eigvalsh(dense_hessian(w, target, power))
        scale = float(np.max(np.abs(expected))) + 1e-300
        found = scalar.hessian_eigenvalues(w, target, power)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11 * scale)
        ends = scalar.hessian_extremes(w, target, power)
        np.testing.assert_allclose(ends, expected[[0, -1]], rtol=0, atol=1e-11 * scale)


@pytest.mark.parametrize("tiny", [1e-14, 1e-9, 1e-8, 2e-8, 1e-6])
def test_the_spectrum_beside_a_nearly_zero_weight(tiny: float) -> None:
    w = np.array([tiny, 0.7, -1.3, 1.9])
    expected = np.linalg.eigvalsh(dense_hessian(w, 2.0, 1.0))
    found = scalar.hessian_eigenvalues(w, 2.0, 1.0)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7 * np.max(np.abs(expected)))


def test_at_a_minimum_the_hessian_has_rank_one() -> None:
    random = np.random.default_rng(8)
    for n in (2, 3, 7, 40, 1000):
        w = random.uniform(0.8, 1.25, n)
        w[-1] = 2.0 / np.prod(w[:-1])
        values = scalar.hessian_eigenvalues(w, 2.0, 1.3)
        sharpness = theory.sharpness(w, 1.3)
        assert values[-1] == pytest.approx(sharpness, rel=1e-10)
        assert np.max(np.abs(values[:-1])) <= 1e-9 * sharpness


def test_eigenvalues_are_recorded_by_the_steps_number() -> None:
    law = descent(2.0, 3, 0.2)
    start = np.array([0.9, 1.0, 1.2])
    made = scalar.advance(start, np.zeros(3), Ties.of(start), law, first=0, n=2600, every=50)
    measured = ~np.isnan(made.low["hessian"][:, 0])
    steps = np.arange(1, 2601)
    np.testing.assert_array_equal(measured, (steps <= scalar.EARLY) | (steps % 50 < 2))
    for row in (0, 99, 2549):
        w = made.low["weights"][row]
        values = np.linalg.eigvalsh(dense_hessian(w, 2.0, 1.0))
        np.testing.assert_allclose(made.low["hessian"][row], values, atol=1e-12)
        np.testing.assert_allclose(made.low["jacobian"][row], 1 - 0.2 * values, atol=1e-12)
        assert made.low["edge"][row] == pytest.approx(0.1 * values[-1])


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("rule", [StepRule.FIXED, StepRule.SHARPNESS])
def test_growth_is_that_of_a_nearby_run(method: Method, rule: StepRule) -> None:
    start = np.array([1.3, 0.8, 1.1, 1.2])
    law = Law(
        target=2.0,
        depth=4,
        step=0.15 if rule is StepRule.FIXED else 1.4,
        method=method,
        rule=rule,
        momentum=0.0 if method is Method.GRADIENT_DESCENT else 0.3,
        cap=10.0,
    )
    made = run(start, law, 400)
    rows, steps = made.low["weights"], made.low["step_size"]
    logs = scalar.growth_logs(rows, steps, Ties.none(4), law)[1:]

    def pair(w: np.ndarray, v: np.ndarray) -> np.ndarray:
        after = scalar.advance(w, v, Ties.none(4), law, first=0, n=1)
        return np.concatenate([after.weights, after.velocity])

    # Numerical Jacobian products along the same orbit, started along the gradient.
    g = theory.cofactors(rows[0])
    begin = 0 if method is Method.GRADIENT_DESCENT else 1
    tangent = np.concatenate([g / np.linalg.norm(g), np.zeros(4)])
    expected = []
    for k in range(begin, 120):
        v = rows[k] - rows[k - 1] if k else np.zeros(4)
        state, h = np.concatenate([rows[k], v]), 1e-6
        ahead = pair(*np.split(state + h * tangent, 2))
        behind = pair(*np.split(state - h * tangent, 2))
        tangent = (ahead - behind) / (2 * h)
        if method is Method.GRADIENT_DESCENT:
            tangent[4:] = 0.0
        size = float(np.linalg.norm(tangent))
        expected.append(math.log(size))
        tangent /= size
    got = scalar.growth_logs(rows, steps, Ties.none(4), law)[begin:120]
    np.testing.assert_allclose(got, expected, atol=2e-6)
    assert np.all(np.isfinite(logs))
