"""Machine code of whole steps: the bits of the general kernel, and of any split."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.families.loss.loss import Data, Loss
from engine.kernels.optimisers import code
from engine.kernels.optimisers.descent import SCALARS, Ending, Recording, descend
from engine.theory.optimisers import OPTIMISERS, STEP_RULES, OptimiserId, Setting
from tests.engine.expressions.drawn import CONSTANTS, functions
from tests.engine.kernels.test_optimisers import SETTINGS

VARIABLES = ("x", "y", "z")
DATA = Data(np.linspace(-1.0, 1.0, 7)[:, None], np.sin(np.linspace(-2.0, 2.0, 7)))
MARKS = np.array([1, 2, 7, 130, 131, 299])


def run(loss: Loss, setting: Setting, start: FloatArray, *, fast: bool, **more: Any) -> Recording:
    made = code.compiled(loss.expression.tape, setting) if fast else None
    assert (made is not None) == fast
    moments = more.pop("moments", np.zeros((2, len(start))))
    return descend(loss.interpreted, loss.constants, start, moments, setting, code=made, **more)


def assert_same(one: Recording, other: Recording) -> None:
    """Compare everything that was recorded, to the last bit."""
    assert (one.made, one.ending) == (other.made, other.ending)
    assert one.weights.tobytes() == other.weights.tobytes()
    assert one.moments.tobytes() == other.moments.tobytes()
    for name in ("w", *SCALARS):
        assert one.low[name].tobytes() == other.low[name].tobytes(), name
        assert one.high[name].tobytes() == other.high[name].tobytes(), name
    assert one.marked.tolist() == other.marked.tolist()
    assert one.states.tobytes() == other.states.tobytes()


@given(
    drawn=functions(depth=3),
    setting=SETTINGS,
    seed=st.integers(0, 10**6),
    stride=st.sampled_from([1, 1, 7]),
)
@settings(max_examples=12, deadline=None)
def test_compiled_steps_have_the_bits_of_the_general_ones(
    drawn: tuple[str, Any], setting: Setting, seed: int, stride: int
) -> None:
    try:
        loss = Loss.of(drawn[0], VARIABLES, CONSTANTS)
    except InputError:
        assume(False)
    rng = np.random.default_rng(seed)
    setting = dataclasses.replace(setting, scales=tuple(rng.uniform(0.5, 2.0, 3)))
    start, more = rng.normal(size=3), {"n": 300, "stride": stride, "first": 0, "marks": MARKS}
    made = [run(loss, setting, start, fast=fast, **more) for fast in (False, True)]
    assert_same(made[0], made[1])


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_compiled_steps_over_data_have_the_bits_of_the_general_ones_however_they_are_split(
    optimiser: OptimiserId,
) -> None:
    loss = Loss.of("w1*tanh(w2*x + w3) + w4*exp(-x^2)", data=DATA)
    setting, start = Setting(optimiser=optimiser, step_size=0.02, step_cap=1.0), np.full(4, 0.5)
    whole = run(loss, setting, start, fast=False, n=200, first=0)
    first = run(loss, setting, start, fast=True, n=77, first=0)
    again = {"n": 123, "first": 77, "moments": first.moments}
    rest = run(loss, setting, first.weights, fast=True, **again)
    for name in ("w", *SCALARS):
        joined = np.concatenate([first.low[name], rest.low[name]])
        assert joined.tobytes() == whole.low[name].tobytes()
    assert rest.weights.tobytes() == whole.weights.tobytes()
    assert rest.moments.tobytes() == whole.moments.tobytes()


@pytest.mark.parametrize(
    ("text", "start", "ending"),
    [
        ("x^4", 3.0, Ending.DIVERGED),
        ("log(x) + x^2/2", 0.5, Ending.UNDEFINED),
        ("exp(x) - 1e300*x", 1.0, Ending.DIVERGED),
    ],
)
@pytest.mark.parametrize("optimiser", ["gradient-descent", "nesterov", "adam"])
def test_compiled_steps_end_as_the_general_ones_do(
    text: str, start: float, ending: Ending, optimiser: OptimiserId
) -> None:
    loss, setting = Loss.of(text), Setting(optimiser=optimiser, step_size=0.3)
    made = [
        run(loss, setting, np.array([start]), fast=fast, n=400, first=0) for fast in (False, True)
    ]
    assert_same(made[0], made[1])
    assert optimiser == "adam" or made[1].ending is ending


@pytest.mark.parametrize("text", ["x^2 + y^2 + x*y", "-x^2 - (y - x^2)^2", "100*(y - x^2)^2 + x"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_compiled_steps_keep_the_sign_of_zeros(text: str, optimiser: OptimiserId) -> None:
    loss, setting = Loss.of(text), Setting(optimiser=optimiser, step_size=0.01)
    for start in itertools.product([0.0, -0.0, 0.5], repeat=2):
        made = [
            run(loss, setting, np.array(start), fast=fast, n=9, first=0) for fast in (False, True)
        ]
        assert_same(made[0], made[1])


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("1.5e8*(1e300*(x - 1)^2)", 1.0),
        ("1.5e8*(1e300*(x - 1)^2) + x^2", 1.0),
        ("1.5e8*(1e300*(1e-300*x)^2)", 1e4),
        ("1e-300*(1e200*x)^2", 1.5e108),
        ("1e-300*(1e-300*(1e200*x)^2)", 1.5e108),
        ("1e-320*(x^2 + 3)^2", 1e70),
        ("tanh(1e-300*(1e200*x)^2) + x", 1.5e108),
        ("exp(-(1e200*x)^2) + 1e-9*x", 1.5e108),
        ("1/(1 + (1e200*x)^2) + (x - 1)^2", 1.5e108),
    ],
)
@pytest.mark.parametrize("optimiser", ["gradient-descent", "nesterov", "sam"])
def test_compiled_steps_have_the_general_bits_where_doubling_overflows(
    text: str, start: float, optimiser: OptimiserId
) -> None:
    loss, setting = Loss.of(text), Setting(optimiser=optimiser, step_size=1e-3)
    made = [
        run(loss, setting, np.array([start]), fast=fast, n=20, first=0, reach=abs(start))
        for fast in (False, True)
    ]
    assert_same(made[0], made[1])


def test_steps_that_the_curvature_decides_or_of_long_functions_are_not_compiled() -> None:
    tape = Loss.of("x^2 + y^2").expression.tape
    for rule in STEP_RULES:
        made = code.compiled(tape, Setting(rule=rule))
        assert (made is not None) == (rule == "fixed")
    long = Loss.of("sum(sin(i*x), i = 1..1000)").expression.tape
    assert code.started(long, Setting()) is None


def test_steps_are_compiled_beside_the_run() -> None:
    loss, setting = Loss.of("x^2 + cosh(y) + 0.125*x*y"), Setting(step_size=0.1)
    assert loss.steps(setting) is None
    for thread in threading.enumerate():
        if thread.name == "tape compiler":
            thread.join()
    assert loss.steps(setting) is not None
