"""The exponent of a run that only nears a minimum is that of the minimum."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.core.outcome import Standing
from engine.core.params import build
from engine.core.registry import get
from engine.run.session import Session

EXPERIMENT = get("scalar-product")


def run(steps: int, **values: object) -> Session:
    """Make a run of so many steps."""
    session = Session(EXPERIMENT, build(EXPERIMENT.parameters, values))
    session.advance(steps, coarse=True)
    return session


@given(st.integers(2, 7), st.floats(-7.0, -1.0), st.integers(30, 3000))
def test_of_equal_weights_it_is_exact_however_slow_the_way(
    depth: int, below: float, steps: int
) -> None:
    """The flattest minimum has the factor 1 - 2 δ/δ_max, in the paper's words (Proposition 1)."""
    target, share = 2.0, 1.0 - 10.0**below
    limit = 2.0 / (depth * target ** (2.0 - 2.0 / depth))
    outcome = run(steps, depth=depth, target=target, step_size=share * limit).outcome()
    if outcome.standing is Standing.NEARING_MINIMUM:
        assert outcome.lyapunov is not None
        assert math.isclose(outcome.lyapunov, math.log(2.0 * share - 1.0), rel_tol=1e-6)


@given(
    st.lists(st.floats(0.7, 1.6), min_size=2, max_size=4),
    st.floats(0.1, 0.9),
    st.integers(20, 400),
)
def test_of_unequal_weights_it_is_within_its_error(
    weights: list[float], share: float, steps: int
) -> None:
    """A longer run is at the minimum, whose factor is 1 - δ Σ (f/w_i)²."""
    depth, target = len(weights), 2.0
    step = share * 2.0 / (depth * target ** (2.0 - 2.0 / depth))
    values = {"depth": depth, "target": target, "init": "list", "weights": weights}
    outcome = run(steps, **values, step_size=step).outcome()
    if outcome.standing is not Standing.NEARING_MINIMUM:
        return
    w = np.array(weights)
    for _ in range(100_000):
        f = np.prod(w)
        w = w - step * (f - target) * f / w
        if abs(f - target) < 1e-14:
            break
    else:
        return
    factor = abs(1.0 - step * float(np.sum((np.prod(w) / w) ** 2)))
    (found,) = outcome.exponents
    tolerance = 3.0 * (found.error or 0.0) + 1e-3 * abs(found.value)
    assert abs(found.value - math.log(max(factor, 1e-300))) <= tolerance
