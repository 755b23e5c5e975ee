"""What going back to the first converged step costs, in steps made again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.params import update
from engine.run import keyframes
from engine.run.convergence import first_converged
from engine.run.session import Session
from engine.run.trace import WINDOW
from tests.engine.linear_map import LinearMap, LinearParams


class Counting(LinearMap):  # type: ignore[misc]
    """Counts the steps that are made."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def advance(self, state: Any, n: int, stride: int = 1) -> Any:
        self.made += n
        return super().advance(state, n, stride)


@settings(max_examples=5, deadline=None)
@given(rate=st.floats(0.01, 0.1), extra=st.integers(0, 3000), changed_at=st.integers(1, 300))
def test_the_ways_back_add_up_to_about_one(rate: float, extra: int, changed_at: int) -> None:
    """The longer part of a run of few kept states would be made again for every step tried."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes, "MEMORY", 1)  # the fewest states: those of large matrices
        patch.setattr(keyframes.Keyframes.__init__, "__defaults__", (4, 1))
        fake = Counting()
        session = Session(fake, LinearParams(step_size=0.5 * rate), 3)
        session.advance(changed_at)
        session.retune(update(session.params, step_size=rate))
        while session.outcome().kind != "converged":
            session.advance(100)
        session.advance(extra)
        fake.made = 0
        found = first_converged(session, changed_at)
    span = session.step - changed_at
    probes = math.ceil(math.log2(span)) + 1
    # to the last step but one, to the first one tried, to all others together, and each one's rows
    assert fake.made <= 3 * session.step + probes * WINDOW
    errors = [float(fake.record(session.state_at(k))["error"]) for k in (found - 1, found)]
    assert errors[1] < 1e-12 <= errors[0]


@settings(max_examples=20, deadline=None)
@given(rate=st.floats(0.05, 0.5), extra=st.integers(0, 40))
def test_no_row_that_is_known_is_made_again(rate: float, extra: int) -> None:
    """Of large matrices a step takes long, and the rows of a whole run are known."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyframes.Keyframes.__init__, "__defaults__", (4, 1))
        fake = Counting()
        session = Session(fake, LinearParams(step_size=rate), 3)
        while session.outcome().kind != "converged":
            unsettled = session.step
            session.advance(1)
        first = session.step
        session.advance(extra)
        fake.made = 0
        assert first_converged(session, unsettled) == first
        assert fake.made <= 3 * session.step
        fake.made = 0
        session.rewind(first)
    assert fake.made <= session.step
    assert session.outcome().kind == "converged"


@settings(max_examples=30, deadline=None)
@given(data=st.data(), known=st.integers(0, 2 * WINDOW))
def test_rows_that_are_known_have_the_bits_of_those_made_again(
    data: st.DataObject, known: int
) -> None:
    session = Session(LinearMap(), LinearParams(), 3)
    for _ in range(data.draw(st.integers(1, 4))):
        session.advance(data.draw(st.integers(1, 2 * WINDOW)), coarse=data.draw(st.booleans()))
        session.nudge(1e-3)
        session.retune(update(session.params, step_size=data.draw(st.floats(0.01, 1.0))))
    session.advance(known)
    step = data.draw(st.integers(0, session.step))
    state, recent = session.look(step)
    session.trace.refill({key: rows[-1:] for key, rows in session.trace.recent().items()})
    again, made = session.look(step)
    np.testing.assert_array_equal(state.weights, again.weights)
    if step < session.step:
        for key in recent:
            np.testing.assert_array_equal(recent[key], made[key])


@settings(max_examples=20, deadline=None)
@given(step=st.integers(0, 400), near=st.integers(0, 400))
def test_a_state_has_the_same_bits_wherever_it_is_computed_from(step: int, near: int) -> None:
    session = Session(LinearMap(), LinearParams(), 3)
    session.advance(150)
    session.nudge(1e-3)
    session.advance(50)
    session.retune(update(session.params, step_size=0.2))
    session.advance(200)
    known = session.state_at(near)
    np.testing.assert_array_equal(
        session.state_at(step, known).weights, session.state_at(step).weights
    )
    for a, b in zip(session.look(step, known), session.look(step), strict=True):
        if isinstance(a, dict):
            np.testing.assert_array_equal(a["weights"], b["weights"])
