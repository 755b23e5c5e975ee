"""Descent by every optimiser: against definitions, PyTorch, thresholds, and any split of a run."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.arrays import FloatArray
from engine.core.chunk import Chunk
from engine.expressions.reader import read
from engine.families.loss.loss import Loss
from engine.kernels.jit import kernel
from engine.kernels.optimisers.descent import SCALARS, Ending, Recording, descend
from engine.kernels.optimisers.eigenvalues import extremes
from engine.kernels.scalar import descent as scalar
from engine.kernels.tape.program import Program, program
from engine.theory import optimisers
from engine.theory.optimisers import OPTIMISERS, OptimiserId, Schedule, Setting, StepMap

PRODUCT = program(read("(w1*w2*w3 - 2)^2/2").tape)
PARABOLA = program(read("h*w1^2/2").tape)
BOWL = program(read("a*w1^2/2 + b*w2^2/2").tape)
NONE = np.zeros(0)


@kernel
def write_extremes(matrix: FloatArray, out: FloatArray) -> None:
    out[0], out[1] = extremes(matrix)


def run(
    loss: Program,
    start: FloatArray,
    setting: Setting,
    n: int,
    constants: FloatArray = NONE,
    **more: Any,
) -> Recording:
    moments = more.pop("moments", np.zeros((2, len(start))))
    return descend(
        loss, constants, start, moments, setting, first=more.pop("first", 0), n=n, **more
    )


def slope(w: FloatArray) -> FloatArray:
    return np.asarray((np.prod(w) - 2.0) * np.prod(w) / w)


def product_map(setting: Setting, age: int | None) -> StepMap:
    return StepMap(
        setting=setting,
        value=lambda w: 0.5 * (float(np.prod(w)) - 2.0) ** 2,
        gradient=slope,
        hessian=lambda w: np.zeros((len(w), len(w))),
        age=age,
    )


SETTINGS = st.builds(
    Setting,
    optimiser=st.sampled_from(list(OPTIMISERS)),
    step_size=st.floats(1e-4, 0.1),
    momentum=st.floats(0.0, 0.95),
    square_decay=st.floats(0.0, 0.999),
    epsilon=st.floats(1e-8, 1.0),
    weight_decay=st.floats(0.0, 0.1),
    radius=st.floats(0.001, 0.1),
    lowest_loss=st.floats(-0.1, 0.1),
    step_cap=st.floats(0.01, 10.0),
    schedule=st.builds(
        Schedule,
        kind=st.sampled_from(optimisers.SCHEDULES),
        warmup=st.integers(0, 10),
        length=st.integers(1, 60),
        end=st.floats(0.0, 1.0),
    ),
)
STARTS = st.lists(st.floats(0.5, 1.5), min_size=3, max_size=3).map(np.array)


@given(setting=SETTINGS, start=STARTS, seed=st.integers(0, 10**6), k=st.integers(0, 40))
def test_a_step_is_that_of_its_definition(
    setting: Setting, start: FloatArray, seed: int, k: int
) -> None:
    rng = np.random.default_rng(seed)
    setting = dataclasses.replace(setting, scales=tuple(rng.uniform(0.5, 2.0, 3)))
    moments = np.abs(rng.normal(0.0, 0.1, (2, 3)))
    carried = {"velocity": 0, "mean gradient": 0, "mean square": 1}
    rows = [carried[name] for name in OPTIMISERS[setting.optimiser].carried]
    z = np.concatenate([start, *(moments[row] for row in rows)])
    expected = product_map(setting.at(k), k).step(z).reshape(-1, 3)
    made = run(PRODUCT, start, setting, 1, moments=moments, first=k)
    assert made.made == 1
    found = np.stack([made.weights, *(made.moments[row] for row in rows)])
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-14)
    left = [row for row in (0, 1) if row not in rows]
    assert np.array_equal(made.moments[left], moments[left])


@given(setting=SETTINGS, start=STARTS, cuts=st.lists(st.integers(0, 60), max_size=4))
@settings(max_examples=60)
def test_a_run_has_the_same_bits_however_it_is_split(
    setting: Setting, start: FloatArray, cuts: list[int]
) -> None:
    whole = run(PRODUCT, start, setting, 60)
    w, moments, at = start, np.zeros((2, 3)), 0
    rows = []
    for stop in [*sorted(cuts), 60]:
        part = run(PRODUCT, w, setting, stop - at, moments=moments, first=at)
        w, moments, at = part.weights, part.moments, at + part.made
        rows.append(np.column_stack([part.low["w"], *(part.low[name] for name in SCALARS)]))
        if part.ending:
            break
    together = np.column_stack([whole.low["w"], *(whole.low[name] for name in SCALARS)])
    assert np.array_equal(np.concatenate(rows), together)
    assert np.array_equal(w, whole.weights) and np.array_equal(moments, whole.moments)


@pytest.mark.parametrize("rule", ["sharpness", "hessian"])
def test_a_run_with_a_step_size_of_the_state_has_the_same_bits_however_it_is_split(
    rule: optimisers.StepRule,
) -> None:
    setting = Setting(optimiser="nesterov", rule=rule, alpha=0.6, step_cap=1.0, momentum=0.3)
    whole = run(PRODUCT, np.array([1.3, 0.8, 1.1]), setting, 40)
    first = run(PRODUCT, np.array([1.3, 0.8, 1.1]), setting, 17)
    rest = run(PRODUCT, first.weights, setting, 23, moments=first.moments, first=17)
    assert np.array_equal(rest.weights, whole.weights)
    assert np.array_equal(rest.low["step_size"], whole.low["step_size"][17:])


@given(setting=SETTINGS, start=STARTS, stride=st.integers(2, 9))
@settings(max_examples=30)
def test_buckets_hold_the_least_and_the_largest(
    setting: Setting, start: FloatArray, stride: int
) -> None:
    exact, made = run(PRODUCT, start, setting, 40), run(PRODUCT, start, setting, 40, stride=stride)
    chunk = Chunk.exact(1, exact.low).bucketed(stride)
    assert made.made == exact.made
    for name in ("w", *SCALARS):
        assert np.array_equal(made.low[name], chunk.low[name])
        assert np.array_equal(made.high[name], chunk.high[name])


def test_states_are_kept_after_the_steps_asked_for() -> None:
    setting = Setting(optimiser="adam", step_size=0.01)
    marks = np.array([3, 10, 12, 40, 41], np.int64)
    exact = run(PRODUCT, np.ones(3), setting, 50)
    first = run(PRODUCT, np.ones(3), setting, 10, marks=marks)
    assert first.marked.tolist() == [3, 10]
    assert np.array_equal(first.states[:, 0], exact.low["w"][[2, 9]])
    assert np.array_equal(first.states[1, 1:], first.moments)
    rest = run(PRODUCT, first.weights, setting, 40, moments=first.moments, first=10, marks=marks)
    assert rest.marked.tolist() == [12, 40, 41]
    assert np.array_equal(rest.states[:, 0], exact.low["w"][[11, 39, 40]])


def test_what_is_recorded_belongs_to_the_weights_after_a_step() -> None:
    setting = Setting(step_size=0.1, schedule=Schedule(kind="cosine", length=20))
    start = np.array([1.0, 1.2, 0.9])
    made = run(PRODUCT, start, setting, 20)
    rows = np.vstack([start, made.low["w"]])
    for k in range(1, 21):
        assert made.low["loss"][k - 1] == pytest.approx(0.5 * (np.prod(rows[k]) - 2.0) ** 2)
        assert made.low["gradient_norm"][k - 1] == pytest.approx(np.linalg.norm(slope(rows[k])))
        assert made.low["step_size"][k - 1] == pytest.approx(setting.at(k).step_size, abs=1e-17)
        assert made.low["step_norm"][k - 1] == pytest.approx(np.linalg.norm(rows[k] - rows[k - 1]))


def test_gradient_descent_is_that_of_the_scalar_product_network() -> None:
    start = np.array([0.7, 1.4, 1.1])
    law = scalar.Law(target=2.0, depth=3, step=0.2)
    expected = scalar.advance(start, np.zeros(3), scalar.Ties.of(start), law, first=0, n=1000)
    made = run(PRODUCT, start, Setting(step_size=0.2), 1000)
    assert made.made == expected.made == 1000
    assert made.low["w"] == pytest.approx(expected.low["weights"], rel=1e-10)


TORCH: dict[OptimiserId, Callable[[list[torch.Tensor], Setting], torch.optim.Optimizer]] = {
    "gradient-descent": lambda w, s: torch.optim.SGD(w, s.step_size, weight_decay=s.weight_decay),
    "heavy-ball": lambda w, s: torch.optim.SGD(
        w, s.step_size, momentum=s.momentum, weight_decay=s.weight_decay
    ),
    "nesterov": lambda w, s: torch.optim.SGD(
        w, s.step_size, momentum=s.momentum, weight_decay=s.weight_decay, nesterov=True
    ),
    "rmsprop": lambda w, s: torch.optim.RMSprop(
        w, s.step_size, alpha=s.square_decay, eps=s.epsilon, weight_decay=s.weight_decay
    ),
    "adam": lambda w, s: torch.optim.Adam(
        w, s.step_size, (s.momentum, s.square_decay), s.epsilon, s.weight_decay
    ),
    "adamw": lambda w, s: torch.optim.AdamW(
        w, s.step_size, (s.momentum, s.square_decay), s.epsilon, s.weight_decay
    ),
}


@pytest.mark.parametrize("name", TORCH)
def test_fifty_steps_are_those_of_pytorch(name: OptimiserId) -> None:
    """PyTorch's velocity is ours over minus the step size, its weights are Nesterov's w + βv."""
    start = np.array([0.7, 1.4, 1.1])
    setting = Setting(optimiser=name, step_size=0.02, square_decay=0.98, weight_decay=0.05)
    made = run(PRODUCT, start, setting, 50, marks=np.arange(1, 51))
    weights = torch.tensor(start, requires_grad=True)
    other = TORCH[name]([weights], setting)
    ahead = setting.momentum if name == "nesterov" else 0.0
    for w, first, second in made.states:
        weights.grad = torch.tensor(slope(weights.detach().numpy()))
        other.step()
        assert w + ahead * first == pytest.approx(weights.detach().numpy(), rel=1e-12)
        state = other.state[weights]
        if "momentum_buffer" in state and state["momentum_buffer"] is not None:
            buffer = state["momentum_buffer"].numpy()
            assert first == pytest.approx(-setting.step_size * buffer, rel=1e-12)
        if "square_avg" in state:
            assert second == pytest.approx(state["square_avg"].numpy(), rel=1e-12)
        if "exp_avg" in state:
            assert first == pytest.approx(state["exp_avg"].numpy(), rel=1e-11)
            assert second == pytest.approx(state["exp_avg_sq"].numpy(), rel=1e-12)


def threshold(grows: Callable[[float], bool], low: float, high: float) -> float:
    """Find where runs begin to grow, by bisection."""
    assert not grows(low) and grows(high)
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if grows(middle) else (middle, high)
    return 0.5 * (low + high)


@pytest.mark.parametrize("name", ["gradient-descent", "heavy-ball", "nesterov"])
@pytest.mark.parametrize("momentum", [0.3, 0.9])
def test_runs_on_a_quadratic_lose_their_stability_at_the_limit(
    name: OptimiserId, momentum: float
) -> None:
    setting = Setting(optimiser=name, step_size=0.25, momentum=momentum)

    def grows(curvature: float) -> bool:
        made = run(PARABOLA, np.array([1.0]), setting, 3000, np.array([curvature]))
        size = np.abs(made.low["w"][:, 0])
        return made.ending is Ending.DIVERGED or bool(size[-2:].max() > size[300:302].max())

    limit = OPTIMISERS[name].sharpness_limit(setting)
    assert threshold(grows, 0.5 * limit, 1.5 * limit) == pytest.approx(limit, rel=1e-6)


@pytest.mark.parametrize("name", ["gradient-descent", "heavy-ball", "nesterov"])
def test_runs_at_the_balanced_minimum_lose_their_stability_at_the_limit(name: OptimiserId) -> None:
    root = 2.0 ** (1 / 3)
    sharpness = 3.0 * 2.0 ** (4 / 3)

    def grows(step_size: float) -> bool:
        setting = Setting(optimiser=name, step_size=step_size, momentum=0.5)
        made = run(PRODUCT, np.full(3, root + 1e-7), setting, 3000)
        size = np.abs(made.low["w"][:, 0] - root)
        return bool(size[-2:].max() > size[300:302].max())

    limit = OPTIMISERS[name].limit(Setting(optimiser=name, momentum=0.5))
    assert limit is not None
    expected = limit / sharpness
    assert threshold(grows, 0.999 * expected, 1.001 * expected) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "weight_decay", "expected"),
    [
        ("rmsprop", 0.0, 2.0),
        ("rmsprop", 0.7, 2.0),
        ("adam", 0.0, 38.0),
        ("adam", 0.7, 38.0),
        ("adamw", 0.0, 38.0),
        ("adamw", 3.0, 38.0 * (1.0 - 0.1 * 3.0 / 2.0)),
    ],
)
def test_adaptive_runs_with_a_frozen_mean_square_lose_their_stability_at_the_limit(
    name: OptimiserId, weight_decay: float, expected: float
) -> None:
    """The mean square is 4 and hardly changes, so that P = 2; the bias is that of late steps."""
    setting = Setting(
        optimiser=name, step_size=0.1, square_decay=1.0 - 1e-12, weight_decay=weight_decay
    )
    moments = np.array([[0.0], [4.0]])
    diagonal = optimisers.preconditioner(setting, 1, moments[1])
    assert diagonal == pytest.approx([2.0])

    def grows(hessian: float) -> bool:
        made = run(
            PARABOLA,
            np.array([1e-9]),
            setting,
            3000,
            np.array([hessian]),
            moments=moments,
            begun=-(10**15),
        )
        size = np.abs(made.low["w"][:, 0])
        return made.ending is Ending.DIVERGED or bool(size[-2:].max() > size[300:302].max())

    limit = OPTIMISERS[name].limit(setting)
    assert limit == pytest.approx(expected)
    decay = 0.0 if name == "adamw" else weight_decay
    at_limit = 20.0 * expected - decay  # beyond it a run grows until its mean square does
    found = threshold(grows, 0.9999 * at_limit, 1.0001 * at_limit)
    top = optimisers.curvature(np.array([[found]]), setting, diagonal)[0, 0]
    assert setting.step_size * top == pytest.approx(limit, rel=1e-5)


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_an_adaptive_run_stays_at_a_minimum_only_below_the_resting_limit(name: OptimiserId) -> None:
    """At a minimum the mean square sinks to 0, and epsilon alone is left to divide by."""
    setting = Setting(optimiser=name, step_size=0.1, square_decay=0.5, epsilon=0.3)
    limit = OPTIMISERS[name].resting_limit(setting)
    assert limit is not None
    for share, rests in ((0.99, True), (1.01, False)):
        made = run(
            PARABOLA, np.array([1e-9]), setting, 20_000, np.array([share * limit]), begun=-(10**15)
        )
        assert (abs(made.weights[0]) < 1e-12) == rests


@given(curvature=st.floats(0.5, 4.0), step_size=st.floats(0.01, 0.4), radius=st.floats(0.01, 0.5))
@settings(max_examples=20)
def test_sam_ends_on_a_2_cycle_about_the_minimum(
    curvature: float, step_size: float, radius: float
) -> None:
    setting = Setting(optimiser="sam", step_size=step_size, radius=radius)
    made = run(PARABOLA, np.array([1.0]), setting, 5000, np.array([curvature]))
    size = optimisers.sam_amplitude(setting, curvature)
    assert made.low["w"][-2:, 0] == pytest.approx(
        np.array([-1.0, 1.0]) * np.sign(made.weights[0]) * size, rel=1e-6
    )


def test_every_step_of_normalised_descent_has_the_same_length() -> None:
    setting = Setting(optimiser="normalised-gd", step_size=0.01)
    made = run(BOWL, np.array([1.0, -2.0]), setting, 2000, np.array([1.0, 3.0]))
    assert made.low["step_norm"] == pytest.approx(0.01, rel=1e-9)
    assert made.low["step_size"] == pytest.approx(0.01 / made.low["gradient_norm"], rel=1e-12)


def test_polyaks_step_reaches_the_minimum_however_sharp_it_is() -> None:
    setting = Setting(optimiser="polyak")
    made = run(BOWL, np.array([1.0, -2.0]), setting, 500, np.array([1e6, 3e5]))
    assert np.abs(made.weights).max() < 1e-30
    distances = np.linalg.norm(made.low["w"], axis=1)
    assert np.all(np.diff(distances) <= 0.0)


@pytest.mark.parametrize("rule", ["sharpness", "hessian"])
def test_a_step_size_of_the_state_divides_by_the_hessian(rule: optimisers.StepRule) -> None:
    loss = program(read("w1^4/4 - w1^2/2 + cos(w2*w1) + w3^2*w2").tape)
    setting = Setting(rule=rule, alpha=0.3, step_cap=0.15)
    made = run(loss, np.array([0.3, 0.8, -0.4]), setting, 30)
    for row, step in zip(made.low["w"], made.low["step_size"], strict=True):
        x, y, z = row
        c, s = math.cos(x * y), math.sin(x * y)
        mixed = -s - x * y * c
        hessian = np.array(
            [
                [3 * x * x - 1 - y * y * c, mixed, 0.0],
                [mixed, -x * x * c, 2 * z],
                [0.0, 2 * z, 2 * y],
            ]
        )
        values = np.linalg.eigvalsh(hessian)
        top = values[-1] if rule == "sharpness" else np.abs(values).max()
        assert step == pytest.approx(min(0.3 / top, 0.15) if top > 0 else 0.15, rel=1e-12)


def test_the_extreme_eigenvalues_are_those_of_lapack() -> None:
    rng = np.random.default_rng(3)
    for size in (1, 2, 3, 8, 20):
        for scale in (1e-200, 1.0, 1e150):
            matrix = rng.standard_normal((size, size))
            matrix = scale * (matrix + matrix.T)
            values = np.linalg.eigvalsh(matrix)
            found = np.zeros(2)
            write_extremes(matrix.copy(), found)
            top = np.abs(values).max()
            assert found == pytest.approx(values[[0, -1]], abs=1e-13 * top, rel=1e-12)
    write_extremes(np.array([[math.nan, 0.0], [0.0, 1.0]]), found)
    assert np.isnan(found).all()


@pytest.mark.parametrize("name", ["gradient-descent", "heavy-ball", "nesterov", "sam"])
def test_a_run_that_leaves_the_range_of_numbers_keeps_its_last_good_state(
    name: OptimiserId,
) -> None:
    setting = Setting(optimiser=name, step_size=2.0)
    made = run(PRODUCT, np.array([1.5, 1.2, 1.7]), setting, 1000)
    assert made.ending is Ending.DIVERGED
    assert 0 < made.made < 1000
    assert np.array_equal(made.weights, made.low["w"][-1])
    assert all(np.isfinite(made.low[key]).all() for key in ("w", *SCALARS))
    again = run(PRODUCT, made.weights, setting, 5, moments=made.moments, first=made.made)
    assert again.made == 0 and again.ending is Ending.DIVERGED
    assert np.array_equal(again.weights, made.weights)


def test_a_run_that_leaves_where_the_loss_is_defined_is_not_called_diverged() -> None:
    loss = program(read("log(w1) + w1^2/2").tape)
    made = run(loss, np.array([0.5]), Setting(step_size=0.1), 100)
    assert made.ending is Ending.UNDEFINED
    assert made.weights[0] > 0.0


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_compiled_loss_leads_to_the_bits_of_the_interpreted(name: OptimiserId) -> None:
    loss = Loss.of("(w1*w2*w3 - a)^2/2 + softplus(w1 - w2)", constants={"a": 2.0})
    setting, start = Setting(optimiser=name, step_size=0.01), np.array([0.7, 1.4, 1.1])
    programs = (loss.interpreted, loss.compiled())
    made = [run(each, start, setting, 200, loss.constants) for each in programs]
    assert made[0].made == made[1].made == 200
    assert np.array_equal(made[0].low["w"], made[1].low["w"])
    assert np.array_equal(made[0].moments, made[1].moments)
