"""A run with its history: chunks, live changes, going back, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.change import Change, Nudge
from engine.core.chunk import Chunk
from engine.core.errors import InputError
from engine.core.params import build, update
from engine.core.registry import get
from engine.run.keyframes import Keyframes, state_bytes
from engine.run.session import Session
from engine.run.trace import WINDOW
from tests.engine.linear_map import LinearMap, LinearParams, LinearState


def _session(**values: float) -> Session:
    return Session(LinearMap(), LinearParams(**values), seed=3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.floats(0.01, 1.9), st.none() | st.floats(1e-9, 1.0)),
        min_size=1,
        max_size=6,
    ),
    st.data(),
)
def test_any_step_of_a_retuned_and_pushed_run_is_recomputed_to_the_same_bits(
    legs: list[tuple[int, float, float | None]], data: st.DataObject
) -> None:
    session = _session()
    arrived = {0: session.state.weights}
    seen = dict(arrived)
    for steps, step_size, size in legs:
        session.retune(update(session.params, step_size=step_size))
        if size is not None:
            session.nudge(size)
        seen[session.step] = session.state.weights
        for _ in range(steps):
            session.advance(1)
            arrived[session.step] = seen[session.step] = session.state.weights
    k = data.draw(st.integers(0, session.step))
    np.testing.assert_array_equal(session.state_at(k).weights, seen[k])
    np.testing.assert_array_equal(session.arrival(k).weights, arrived[k])
    state, recent = session.look(k)
    np.testing.assert_array_equal(state.weights, seen[k])
    rows = np.stack([arrived[step] for step in range(k + 1)])
    pushed = any(change.step == k and change.nudge is not None for change in session.changes)
    np.testing.assert_array_equal(recent["weights"][:-1], rows[:-1])
    np.testing.assert_array_equal(recent["weights"][-1], seen[k] if pushed else rows[-1])
    session.rewind(k)
    assert session.step == session.trace.last == k
    np.testing.assert_array_equal(session.state.weights, seen[k])
    np.testing.assert_array_equal(session.trace.view().recent["weights"], rows)
    assert all(change.step <= k for change in session.changes)
    session.advance(5)
    assert session.step == k + 5


def test_coarse_and_exact_runs_end_in_the_same_bits() -> None:
    one, two = _session(), _session()
    one.advance(10_000, coarse=True)
    for _ in range(10):
        two.advance(1000)
    np.testing.assert_array_equal(one.state.weights, two.state.weights)
    a, b = one.trace.view(), two.trace.view()
    assert len(a.recent["error"]) == len(b.recent["error"]) == WINDOW
    np.testing.assert_array_equal(a.recent["error"], b.recent["error"])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 3 * WINDOW), min_size=1, max_size=4), st.data())
def test_verdicts_see_the_same_rows_however_the_steps_were_made(
    parts: list[int], data: st.DataObject
) -> None:
    session, exact = _session(step_size=1e-4), _session(step_size=1e-4)
    for n in parts:
        session.advance(n, coarse=True)
    exact.advance(sum(parts))
    rows = exact.recent()["weights"]
    assert len(rows) == min(sum(parts) + 1, WINDOW)
    np.testing.assert_array_equal(session.recent()["weights"], rows)
    k = data.draw(st.integers(0, session.step))
    stopped = _session(step_size=1e-4)
    stopped.advance(k)
    np.testing.assert_array_equal(session.look(k)[1]["error"], stopped.recent()["error"])
    session.rewind(k)
    np.testing.assert_array_equal(session.recent()["error"], stopped.recent()["error"])


def test_divergence_among_coarse_steps_leaves_the_last_steps_exact() -> None:
    session = _session(step_size=2.2)
    session.advance(5, coarse=True)
    session.advance(100_000, coarse=True)
    assert session.finished
    assert session.state.diverged_at == session.step < 1000
    assert len(session.recent()["error"]) > 10
    assert np.isfinite(session.recent()["error"]).all()
    assert session.advance(10) == 0


def test_a_structural_parameter_cannot_change_during_a_run() -> None:
    session = _session()
    with pytest.raises(InputError, match=r"target: 3\.0 is not allowed; it can only be set before"):
        session.retune(update(session.params, target=3.0))
    assert session.changes == ()


def test_what_only_an_ensemble_reads_is_no_change_of_the_run() -> None:
    session = _session()
    session.advance(4)
    session.retune(update(session.params, step_size=0.2))
    session.advance(4)
    assert session.prepare(update(session.params, ensemble=9))
    assert not session.prepare(update(session.params, step_size=0.3))
    session.retune(update(session.params, step_size=0.3, ensemble=8))
    assert [dict(change.values) for change in session.changes] == [
        {"step_size": 0.2},
        {"step_size": 0.3},
    ]
    session.rewind(2)
    assert session.params == LinearParams(step_size=0.1, ensemble=8)
    assert session.initial_params == LinearParams(ensemble=8)


def test_changes_at_one_step_are_one_change() -> None:
    session = _session()
    session.advance(4)
    for step_size in (0.2, 0.3, 0.4):
        session.retune(update(session.params, step_size=step_size))
    assert [(change.step, dict(change.values)) for change in session.changes] == [
        (4, {"step_size": 0.4})
    ]


def test_a_push_is_noted_with_size_and_seed() -> None:
    session = _session(target=0.0)
    session.advance(4)
    before = session.state.weights
    session.nudge(1e-3)
    session.retune(update(session.params, step_size=0.2))
    session.nudge(0.5)
    assert session.changes == (
        Change(4, nudge=Nudge(1e-3, 3)),  # the run's seed, counted on
        Change(4, {"step_size": 0.2}),
        Change(4, nudge=Nudge(0.5, 4)),
    )
    moved = session.state_at(4).weights
    np.testing.assert_array_equal(moved, session.state.weights)
    assert not np.array_equal(moved, before)
    np.testing.assert_array_equal(session.trace.view().recent["weights"][-1], before)


def test_a_rewind_before_a_push_forgets_it() -> None:
    session = _session()
    plain = _session()
    for one in (session, plain):
        one.advance(10)
    session.nudge()
    session.advance(5)
    session.rewind(9)
    session.advance(20)
    plain.advance(19)
    assert session.changes == ()
    np.testing.assert_array_equal(session.state.weights, plain.state.weights)


@pytest.mark.parametrize(
    ("size", "seed", "sentence"),
    [
        (0.0, None, r"nudge\.size: 0\.0 is not allowed; give a number from 10⁻¹⁴ to 1"),
        (2.0, None, r"nudge\.size: 2\.0 is not allowed; give a number from 10⁻¹⁴ to 1"),
        (np.nan, None, r"nudge\.size: nan is not allowed"),
        (0.1, -1, r"nudge\.seed: -1 is not allowed; give a whole number of at least 0"),
    ],
)
def test_a_push_out_of_range_is_refused(size: float, seed: int | None, sentence: str) -> None:
    session = _session()
    with pytest.raises(InputError, match=sentence):
        session.nudge(size, seed)
    assert session.changes == ()


def test_a_diverged_run_is_not_pushed() -> None:
    session = _session(step_size=9.0)
    session.advance(100)
    with pytest.raises(InputError, match="the run has diverged"):
        session.nudge()
    assert session.finished and session.changes == ()


def test_keyframes_stay_few_and_keep_the_first() -> None:
    session = _session()
    frames: Keyframes = Keyframes(session.state, most=16)
    for _ in range(5000):
        session.advance(1)
        frames.offer(session.state)
    assert len(frames) <= 16
    assert frames.nearest(0).step == 0
    for step in (1, 777, 4999):
        assert frames.nearest(step).step <= step
        assert step - frames.nearest(step).step <= 1024


@pytest.mark.parametrize("experiment_id", ["matrix-product", "double-matrix", "scalar-product"])
def test_what_a_kept_state_takes_is_counted(experiment_id: str) -> None:
    """Arrays within the parts of a state count: of large matrices they are nearly all of it."""
    experiment = get(experiment_id)
    shape = {"width": 32, "depth": 16}
    values = {name: n for name, n in shape.items() if name in experiment.parameters.model_fields}
    state = Session(experiment, build(experiment.parameters, values)).state
    learned = sum(np.asarray(array).nbytes for array in experiment.arrays(state).values())
    assert learned <= state_bytes(state) <= 8 * learned + 2**20


def test_unreached_step_is_refused() -> None:
    session = _session()
    session.advance(3)
    with pytest.raises(InputError, match="give a step from 0 to 3"):
        session.state_at(4)


def test_a_long_coarse_stretch_is_recorded_in_few_buckets() -> None:
    strides: list[int] = []

    class Watched(LinearMap):
        def advance(self, state: LinearState, n: int, stride: int = 1) -> tuple[LinearState, Chunk]:
            strides.append(stride)
            return super().advance(state, n, stride)

    session = Session(Watched(), LinearParams(step_size=1e-4))
    session.advance(100_000, coarse=True)
    assert strides[0] == 128 == session.trace.stride
    view = session.trace.view()
    everything = Session(LinearMap(), LinearParams(step_size=1e-4))
    everything.advance(100_000)
    exact = everything.trace.view()
    assert view.stride == exact.stride
    # A bucket may lend its neighbour the few steps by which the coarse ones are out of line.
    np.testing.assert_allclose(view.low["error"], exact.low["error"], rtol=0.02)


class _Counted(int):
    """A step that counts how often it is compared."""

    compared = 0

    def _count(self) -> None:
        _Counted.compared += 1

    def __eq__(self, other: object) -> bool:
        self._count()
        return int.__eq__(self, other)  # type: ignore[arg-type]

    def __lt__(self, other: int) -> bool:
        self._count()
        return int.__lt__(self, other)

    def __gt__(self, other: int) -> bool:
        self._count()
        return int.__gt__(self, other)

    __hash__ = int.__hash__


def test_a_run_of_many_changes_is_replayed_in_time_that_grows_with_them() -> None:
    """A tuple made anew for each change, or all changes asked for their step, is the square."""
    compared = []
    for count in (500, 2000):
        session = _session()
        session._changes = [
            Change(_Counted(k), {"step_size": 0.1 + 1e-6 * (k % 7)}) for k in range(count)
        ]
        session.advance(count)
        _Counted.compared = 0
        for k in range(count):
            session._changes_at(k)
        session.recent()
        compared.append(_Counted.compared)
    assert compared[1] <= 8 * compared[0]


def test_changes_are_copied_once_for_all_who_ask_between_two() -> None:
    session = _session()
    session.retune(update(session.params, step_size=0.2))
    first = session.changes
    assert session.changes is first
    session.advance(1)
    session.nudge()
    assert session.changes[:1] == first and len(session.changes) == 2
