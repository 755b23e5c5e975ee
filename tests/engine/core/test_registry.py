"""Every experiment of the registry keeps the contract of `engine.core.experiment`."""

from __future__ import annotations

import dataclasses
import itertools
import re
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import registry
from engine.core.change import Change, Nudge
from engine.core.chunk import Chunk
from engine.core.claims import Verdict
from engine.core.errors import InputError
from engine.core.experiment import AbstractExperiment, State
from engine.core.outcome import Outcome
from engine.core.params import (
    Params,
    ParamSpec,
    build,
    describe,
    format_value,
    parse_value,
    spec_of,
    update,
)
from engine.core.system import System
from engine.core.views import PlaneView, Rule, TimeView
from engine.experiments import EXPERIMENTS
from engine.run import replay
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage import runfile
from engine.storage.files import plain, to_json
from engine.storage.presets import Preset, presets
from engine.storage.view_data import view_keys
from tests.ninth import ENTRY as NINTH

Experiment = AbstractExperiment[Any, Any]

STEPS = 24
ROLES = {*"12345678", "ramp", "bound", "good", "bad", "muted", "text"}


def _name(value: object) -> str:
    return getattr(value, "id", str(value))


LOADED: tuple[Experiment, ...] = tuple(entry.load() for entry in (*EXPERIMENTS, NINTH))
each = pytest.mark.parametrize("experiment", LOADED, ids=_name)
each_preset = pytest.mark.parametrize(
    ("experiment", "preset"),
    [(experiment, preset) for experiment in LOADED for preset in presets(experiment.id)],
    ids=_name,
)


def small(experiment: Experiment) -> Params:
    """Return the default parameters; of MNIST a small network on the bundled digits."""
    if experiment.id == "mnist":
        values = {"data": "digits", "filters": 3, "width": 4, "depth": 2, "batch_size": 50}
        values["hessian_images"] = 20
        return build(experiment.parameters, values)
    return experiment.parameters()


@pytest.fixture(scope="module")
def sessions() -> Iterator[dict[str, Session]]:
    """Run every experiment once for a few steps."""
    made: dict[str, Session] = {}
    yield made
    for session in made.values():
        session.close()


def run_of(experiment: Experiment, sessions: dict[str, Session]) -> Session:
    if experiment.id not in sessions:
        sessions[experiment.id] = Session(experiment, small(experiment), 1)
        sessions[experiment.id].advance(STEPS)
    return sessions[experiment.id]


def arrays_of(state: State[Any]) -> dict[str, np.ndarray[Any, Any]]:
    values = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return {key: value for key, value in values.items() if isinstance(value, np.ndarray)}


def test_ids_are_unique_and_public() -> None:
    ids = [experiment.id for experiment in EXPERIMENTS]
    assert len(set(ids)) == len(ids)
    known = "least-squares scalar-product matrix-product double-scalar double-matrix".split()
    assert set(ids) <= {
        *known,
        "convex-shape",
        "piecewise-fit",
        "mnist",
        "own-loss",
        "network",
        "trace",
    }


def test_an_experiment_stands_under_the_listing_that_it_is_registered_with() -> None:
    assert all(entry.listing is entry.load().listing for entry in registry.entries())


@each
def test_it_introduces_itself(experiment: Experiment) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", experiment.id)
    assert experiment.title and experiment.listing.section
    assert experiment.listing.summary.endswith(".") and "\n" not in experiment.listing.summary
    assert experiment.default_steps > 0 and experiment.listing.cadence > 0
    assert type(experiment).__doc__ and vars(type(experiment)).get("__final__")
    assert not vars(experiment), "an experiment holds no data of its own"
    fields = experiment.parameters.model_fields
    assert ("ensemble" in fields) == experiment.has_ensemble


@each
def test_parameters_are_described(experiment: Experiment) -> None:
    names = set(experiment.parameters.model_fields)
    for spec in describe(experiment.parameters):
        assert spec.help.endswith("."), spec.name
        assert "\n" not in spec.help, spec.name
        if spec.log:
            assert spec.minimum is not None and spec.minimum >= 0, spec.name
        assert set(spec.when) <= names, spec.name
        if spec.default is None:
            continue
        text = format_value(spec, spec.default)
        again = build(experiment.parameters, {spec.name: parse_value(spec, text)})
        assert getattr(again, spec.name) == spec.default, spec.name
    optional = [spec for spec in describe(experiment.parameters) if _may_be_none(experiment, spec)]
    assert all(spec.default is None for spec in optional), "a run file cannot say None"


def _may_be_none(experiment: Experiment, spec: ParamSpec) -> bool:
    try:
        values = {spec.name: None}
        return getattr(experiment.parameters.model_validate(values), spec.name) is None
    except ValueError:
        return False


@each
def test_the_defaults_make_a_run(experiment: Experiment, sessions: dict[str, Session]) -> None:
    session = run_of(experiment, sessions)
    assert session.step > 0
    assert session.params == small(experiment)


@each
def test_recorded_series_keep_their_shape(
    experiment: Experiment, sessions: dict[str, Session]
) -> None:
    session = run_of(experiment, sessions)
    record = experiment.record(session.state)
    recent = session.recent()
    assert set(record) == set(recent)
    for key, value in record.items():
        rows = recent[key]
        assert rows.dtype == np.float64 and np.ndim(value) <= 1, key
        assert rows.shape == (session.step + 1, *np.shape(value)), key
        assert not np.isinf(rows).any(), key


@each
def test_a_step_records_what_record_measures(
    experiment: Experiment, sessions: dict[str, Session]
) -> None:
    """`record` of the state after a step is the step's own row, wherever both were measured."""
    session = run_of(experiment, sessions)
    record, recent = experiment.record(session.state), session.recent()
    for key, value in record.items():
        row = recent[key][-1]
        both = ~np.isnan(row) & ~np.isnan(value)
        np.testing.assert_allclose(
            np.asarray(value)[both], row[both], rtol=1e-6, atol=1e-12, err_msg=key
        )


@each
def test_divergence_step_by_step_is_the_same_as_at_once(experiment: Experiment) -> None:
    """The step that diverges may be the first of its call, which then has no rows but its end."""
    params = small(experiment)
    if "step_size" not in type(params).model_fields:
        pytest.skip("has no step size")
    params = update(params, step_size=50.0)
    whole, chunk = experiment.advance(experiment.init(params, 3), STEPS)
    parts, low = experiment.init(params, 3), []
    for _ in range(STEPS):
        parts, part = experiment.advance(parts, 1)
        if part.count:
            low.append(part.low)
    assert (whole.step, whole.diverged_at) == (parts.step, parts.diverged_at)
    for key, rows in chunk.low.items():
        np.testing.assert_array_equal(np.concatenate([p[key] for p in low]), rows, err_msg=key)


@dataclasses.dataclass(frozen=True)
class Whole:
    """A run that was made by one call."""

    step: int
    diverged_at: int | None
    arrays: dict[str, np.ndarray[Any, Any]]
    learned: dict[str, np.ndarray[Any, Any]]
    chunk: Chunk


@cache
def whole(experiment: Experiment) -> Whole:
    """Make the steps of an experiment by one call, once for all that is compared with it."""
    state, chunk = experiment.advance(experiment.init(small(experiment), 3), STEPS)
    made = Whole(
        step=state.step,
        diverged_at=state.diverged_at,
        arrays={key: value.copy() for key, value in arrays_of(state).items()},
        learned={key: np.array(value) for key, value in experiment.arrays(state).items()},
        chunk=chunk,
    )
    experiment.close(state)
    return made


def _check_bits(experiment: Experiment, state: State[Any]) -> None:
    expected = whole(experiment)
    assert (state.step, state.diverged_at) == (expected.step, expected.diverged_at)
    for key, value in expected.arrays.items():
        np.testing.assert_array_equal(arrays_of(state)[key], value, err_msg=key)
    for key, value in experiment.arrays(state).items():
        np.testing.assert_array_equal(value, expected.learned[key], err_msg=key)
    experiment.close(state)


@each
@settings(max_examples=6)
@given(cuts=st.sets(st.integers(1, STEPS - 1), max_size=5))
def test_chunks_do_not_change_the_bits(experiment: Experiment, cuts: set[int]) -> None:
    """The state, and what is recorded, are the same however the steps are split."""
    chunk = whole(experiment).chunk
    state, low = experiment.init(small(experiment), 3), []
    for stop in (*sorted(cuts), STEPS):
        state, part = experiment.advance(state, stop - state.step)
        low.append(part.low)
        assert part.count == len(next(iter(part.low.values())))
    assert state.step == chunk.count
    _check_bits(experiment, state)
    for key, rows in chunk.low.items():
        np.testing.assert_array_equal(np.concatenate([p[key] for p in low]), rows, err_msg=key)


@each
@pytest.mark.parametrize("stride", [2, 3, 7, 9])
def test_buckets_do_not_change_the_bits(experiment: Experiment, stride: int) -> None:
    """The state is the same, and what is recorded are the extremes of what would be."""
    chunk = whole(experiment).chunk
    state, coarse = experiment.advance(experiment.init(small(experiment), 3), STEPS, stride)
    _check_bits(experiment, state)
    expected = chunk.bucketed(stride)
    assert coarse.count == chunk.count  # fewer than asked for where the run ends
    for key in expected.low:
        np.testing.assert_array_equal(coarse.bucketed(stride).low[key], expected.low[key], key)
        np.testing.assert_array_equal(coarse.bucketed(stride).high[key], expected.high[key], key)


@each
def test_advance_leaves_the_old_state(experiment: Experiment) -> None:
    if not experiment.rewindable:
        state = experiment.init(small(experiment), 2)
        experiment.close(state)
        return
    state = experiment.init(small(experiment), 2)
    before = {key: value.copy() for key, value in arrays_of(state).items()}
    experiment.advance(state, 5)
    assert state.step == 0 and state.diverged_at is None
    for key, value in arrays_of(state).items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)


@each
def test_going_back_has_the_same_bits(experiment: Experiment, sessions: dict[str, Session]) -> None:
    session = run_of(experiment, sessions)
    if not experiment.rewindable:
        with pytest.raises(InputError):
            session.state_at(1)
        return
    stop = session.step // 2
    stopped = Session(experiment, small(experiment), 1)
    stopped.advance(stop)
    for key, value in arrays_of(session.state_at(stop)).items():
        np.testing.assert_array_equal(value, arrays_of(stopped.state)[key], err_msg=key)


@each
def test_a_pushed_run_has_the_same_bits_again(experiment: Experiment, tmp_path: Path) -> None:
    """Step back, scrub, run file: all of them come to the bits of the run that was pushed."""
    session = Session(experiment, small(experiment), 1)
    if experiment.why_no_nudge:
        with pytest.raises(InputError, match=re.escape(experiment.why_no_nudge)):
            session.nudge()
        assert session.changes == ()
        session.close()
        return
    session.advance(8)
    before = experiment.record(session.state)
    session.nudge(1e-3)
    pushed = session.state
    session.advance(8)
    assert session.changes == (Change(8, nudge=Nudge(1e-3, 1)),)
    assert session.state.params == small(experiment)
    again = session.state_at(8)
    for key, value in arrays_of(again).items():
        np.testing.assert_array_equal(value, arrays_of(pushed)[key], err_msg=key)
    for key, value in experiment.record(session.arrival(8)).items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)
    path = tmp_path / "run.toml"
    runfile.save(path, RunSpec.of(session))
    run = runfile.load(path)
    replayed = replay.begin(run)
    replay.carry_out(run, replayed, lambda n: replayed.advance(min(n, 3)))
    assert replayed.changes == session.changes
    for key, value in experiment.arrays(session.state).items():
        np.testing.assert_array_equal(experiment.arrays(replayed.state)[key], value, err_msg=key)
    rows, same = session.recent(), replayed.recent()
    for state in (pushed, session.state):  # all that is said of a run can be said of a pushed one
        experiment.observe(state, rows)
        experiment.theory(state.params, state)
        experiment.claims(state.params, state, rows)
        to_json(experiment.final(state, rows))
        _check_outcome(experiment.outcome(state, rows), state)
    for key in rows:
        np.testing.assert_array_equal(same[key], rows[key], err_msg=key)


@each
def test_a_push_alone_breaks_no_claim(experiment: Experiment) -> None:
    """What is judged at a pushed step is the state that was pushed, not the row before it."""
    if experiment.why_no_nudge:
        pytest.skip("has no pushes")

    def violated(session: Session) -> set[str]:
        found = experiment.claims(session.params, session.state, session.recent())
        return {claim.id for claim in found if claim.verdict is Verdict.VIOLATED}

    steps = {"network": 12, "matrix-product": STEPS, "double-matrix": STEPS}  # each takes long
    for chosen, size in zip(presets(experiment.id), itertools.cycle((1e-6, 0.1))):
        session = Session(experiment, chosen.params, chosen.seed)
        session.advance(steps.get(experiment.id, 60))
        if session.state.diverged_at is None:
            before = violated(session)
            session.nudge(size)
            assert violated(session) <= before, (chosen.id, size)
            last = {key: rows[-1] for key, rows in session.look(session.step)[1].items()}
            for key, value in experiment.record(session.state).items():
                np.testing.assert_array_equal(last[key], value, err_msg=key)
        session.close()


@each
@settings(max_examples=8)
@given(size=st.floats(1e-8, 1e-1), seed=st.integers(0, 2**63 - 1))
def test_a_push_has_the_size_asked_for(experiment: Experiment, size: float, seed: int) -> None:
    if experiment.why_no_nudge:
        pytest.skip("has no pushes")
    params = small(experiment)
    if "projected" in type(params).model_fields:  # a projection takes from a push
        params = update(params, projected=False)
    state = experiment.init(params, 2)
    before = {key: value.copy() for key, value in arrays_of(state).items()}
    pushed, same = (experiment.nudge(state, Nudge(size, seed)) for _ in range(2))
    other = experiment.nudge(state, Nudge(size, seed // 2 + 1))
    for key, value in arrays_of(state).items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)
    new = experiment.arrays(pushed)
    old = {key: np.broadcast_to(v, new[key].shape) for key, v in experiment.arrays(state).items()}
    gaps = [np.linalg.norm(new[key] - old[key]) for key in old]
    sizes = [np.linalg.norm(old[key]) for key in old]
    assert 0.3 * size < np.linalg.norm(gaps) / np.linalg.norm(sizes) < 3 * size
    for key, value in new.items():
        np.testing.assert_array_equal(experiment.arrays(same)[key], value, err_msg=key)
    if seed // 2 + 1 != seed:
        assert any(not np.array_equal(experiment.arrays(other)[key], new[key]) for key in new)


@cache
def systems_of(experiment: Experiment) -> list[tuple[Params, int, System[Any]]]:
    """Return the systems of an experiment's defaults and presets, where they have one."""
    runs = [(small(experiment), 3), *((p.params, p.seed) for p in presets(experiment.id))]
    made = [(params, seed, experiment.system(params, seed)) for params, seed in runs]
    return [(params, seed, system) for params, seed, system in made if system is not None]


WITH_SYSTEM = [experiment for experiment in LOADED if systems_of(experiment)]
each_with_system = pytest.mark.parametrize("experiment", WITH_SYSTEM, ids=_name)


def test_the_experiments_of_smooth_maps_have_a_system() -> None:
    ids = {experiment.id for experiment in WITH_SYSTEM}
    assert ids == {"least-squares", "scalar-product", "double-scalar", "own-loss", NINTH.id}


@each_with_system
def test_a_system_makes_the_steps_of_the_run(experiment: Experiment) -> None:
    """A step agrees to rounding from every state; those with the same bits are tested apart."""
    for params, seed, system in systems_of(experiment):
        state = experiment.init(params, seed)
        np.testing.assert_array_equal(system.start(seed), system.point(state))
        for _ in range(STEPS):
            after, _ = experiment.advance(state, 1)
            if after.diverged_at is not None:
                break
            here, there = system.point(state), system.point(after)
            assert here.shape == there.shape == (system.dimension,)
            # a sum in another order errs like the square root of the number of its terms
            atol = np.finfo(float).eps * (4 + np.sqrt(system.dimension))
            atol *= max(float(np.abs(here).max()), float(np.abs(there).max()))
            np.testing.assert_allclose(system.step(here), there, rtol=0, atol=atol)
            state = after


@each_with_system
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_jacobian_is_the_slope_of_the_step(experiment: Experiment, seed: int) -> None:
    """Central differences at two widths, extrapolated, in a random direction near the start."""
    random = np.random.default_rng(seed)
    for _, of, system in systems_of(experiment):
        start = system.start(of)
        size = float(np.linalg.norm(start)) or 1.0
        z = start + 0.1 * size * random.standard_normal(start.size) / np.sqrt(start.size)
        v = random.standard_normal(start.size)
        v /= np.linalg.norm(v)
        wide, narrow = (
            (system.step(z + h * v) - system.step(z - h * v)) / (2 * h)
            for h in (2e-4 * size, 1e-4 * size)
        )
        slope = system.jacobian(z) @ v
        scale = max(1.0, float(np.abs(slope).max()))
        np.testing.assert_allclose((4 * narrow - wide) / 3, slope, rtol=0, atol=1e-7 * scale)


@each_with_system
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_orbit_leaves_an_invariant_set(experiment: Experiment, seed: int) -> None:
    random = np.random.default_rng(seed)
    for _, of, system in systems_of(experiment):
        for each_set in system.invariant_sets:
            basis = each_set.basis
            np.testing.assert_allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-14)
            z = each_set.project(system.start(of) + 0.1 * random.standard_normal(system.dimension))
            after = system.step(z)
            scale = max(1.0, float(np.abs(z).max()), float(np.abs(after).max()))
            gap = after - each_set.project(after)
            np.testing.assert_allclose(gap, 0, atol=1e-13 * scale, err_msg=each_set.name)


@each_with_system
def test_a_system_varies_with_its_parameters(experiment: Experiment) -> None:
    for params, seed, system in systems_of(experiment):
        assert len(set(system.coordinates)) == system.dimension
        z = system.start(seed) * 1.01
        for spec in system.varied:
            value = getattr(params, spec.name)
            assert spec.kind == "float" and spec.includes(value)
            other = experiment.system(update(params, **{spec.name: 0.5 * value}), seed)
            assert other is not None
            moved = not np.array_equal(other.step(z), system.step(z))
            assert moved or spec.name == "momentum", spec.name  # at rest momentum is without effect


@each
def test_seeds_give_the_same_start(experiment: Experiment) -> None:
    first, second = (experiment.init(small(experiment), 5) for _ in range(2))
    for key, value in experiment.arrays(first).items():
        np.testing.assert_array_equal(value, experiment.arrays(second)[key], err_msg=key)
    for state in (first, second):
        experiment.close(state)


@each
def test_what_is_said_is_sound(experiment: Experiment, sessions: dict[str, Session]) -> None:
    session = run_of(experiment, sessions)
    state, recent = session.state, session.recent()
    _check_outcome(session.outcome(), state)
    for bounds in (
        experiment.theory(session.params, None),
        experiment.theory(session.params, state),
    ):
        ids = [bound.id for bound in bounds]
        assert len(set(ids)) == len(ids)
        for bound in bounds:
            assert bound.name and bound.symbol and bound.source, bound.id
            assert bound.value is None or np.isfinite(bound.value), bound.id
            assert bound.value is not None or bound.note, f"{bound.id} does not say why"
            assert bound.measured is None or np.isfinite(bound.measured), bound.id
            assert "$" not in bound.symbol + bound.formula + bound.measured_symbol, bound.id
            assert not bound.field or bound.field in experiment.parameters.model_fields, bound.id
    claims = experiment.claims(session.params, state, recent)
    assert len({claim.id for claim in claims}) == len(claims)
    for claim in claims:
        assert claim.title and claim.source and claim.statement and claim.predicted, claim.id
        assert claim.measured and isinstance(claim.verdict, Verdict), claim.id
        if any(lamp.on is False for lamp in claim.assumptions):
            assert claim.verdict is not Verdict.VIOLATED, f"{claim.id}: an assumption is off"
    final = experiment.final(state, recent)
    assert plain(final) == final, "final is not JSON-ready, or not finite"


@each
def test_the_form_knows_which_fields_are_bounded(
    experiment: Experiment, sessions: dict[str, Session]
) -> None:
    session = run_of(experiment, sessions)
    params = session.params
    for bound in experiment.theory(params, session.state):
        if bound.field:
            assert spec_of(type(params), bound.field).is_bounded(params.model_dump())


def _check_outcome(outcome: Outcome, state: State[Any]) -> None:
    assert outcome.message and "\n" not in outcome.message
    assert outcome.step <= max(state.step, state.diverged_at or 0)
    assert all(np.isfinite(outcome.orbit))
    assert outcome.lyapunov is None or np.isfinite(outcome.lyapunov)
    to_json(dataclasses.asdict(outcome))


@each
def test_views_draw_what_is_recorded_and_observed(
    experiment: Experiment, sessions: dict[str, Session]
) -> None:
    session = run_of(experiment, sessions)
    _check_views(experiment, session)


def _check_views(experiment: Experiment, session: Session) -> None:
    record = experiment.record(session.state)
    observation = experiment.observe(session.state, session.recent())
    bounds = {bound.id for bound in experiment.theory(session.params, session.state)}
    views = experiment.views(session.params)
    assert len({view.id for view in views}) == len(views)
    assert views[0].shown
    for view in views:
        assert view.title and view.help, view.id
        if isinstance(view, TimeView):
            for series in view.series:
                assert series.key in record, f"{view.id} draws {series.key}, never recorded"
                width = np.size(record[series.key])
                assert series.component is None or series.component < width, view.id
                assert series.color in ROLES, view.id
        else:
            keys = view_keys(view)
            missing = [key for key in keys if key not in observation]
            assert keys != tuple(missing), f"{view.id} has nothing to draw of {missing}"
        rules = view.rules if isinstance(view, TimeView) else ()
        if isinstance(view, PlaneView):
            rules = tuple(item for item in view.items if isinstance(item, Rule))
        for rule in rules:
            given_ways = (rule.value is not None) + bool(rule.bound) + bool(rule.key)
            assert given_ways == 1, f"{view.id}: {rule.label}"
            assert not rule.bound or rule.bound in bounds, f"{view.id}: {rule.bound}"
    for key, value in observation.items():
        array = np.asarray(value) if isinstance(value, np.ndarray | float | int) else None
        if array is not None and array.dtype.kind == "f":
            assert not np.isinf(array).any(), f"{key} holds inf"


@each
def test_learned_parameters_go_out_and_come_back(experiment: Experiment) -> None:
    params = small(experiment)
    state, _ = experiment.advance(experiment.init(params, 4), 7)
    arrays = {key: np.array(value) for key, value in experiment.arrays(state).items()}
    assert arrays and all(np.isfinite(value).all() for value in arrays.values())
    fresh = experiment.init(params, 9)
    try:
        loaded = experiment.with_arrays(fresh, arrays)
    except InputError as error:
        pytest.fail(f"{experiment.id} cannot load what it learned: {error}")
    for key, value in experiment.arrays(loaded).items():
        np.testing.assert_array_equal(value, arrays[key], err_msg=key)
    first = next(iter(arrays))
    for wrong in (
        {},
        {**arrays, first: np.full_like(arrays[first], np.nan)},
        {**arrays, first: np.zeros((2, 3, 5, 7))},
    ):
        with pytest.raises(InputError):
            experiment.with_arrays(fresh, wrong)
    for used in (state, fresh, loaded):
        experiment.close(used)


@each
def test_live_parameters_change_without_a_restart(experiment: Experiment) -> None:
    params = small(experiment)
    for spec in describe(experiment.parameters):
        if not spec.live or spec.kind not in ("float", "int"):
            continue
        value = getattr(params, spec.name)
        if value is None:
            continue
        other = value / 2 if spec.kind == "float" else value
        try:
            changed = build(experiment.parameters, {**params.model_dump(), spec.name: other})
        except InputError:
            continue
        session = Session(experiment, params, 1)
        session.advance(3)
        session.retune(changed)
        session.advance(3)
        assert getattr(session.params, spec.name) == other
        assert session.step == 6 or session.finished
        session.close()


@each
def test_only_an_ensemble_reads_the_number_of_its_runs(experiment: Experiment) -> None:
    specs = {spec.name: spec for spec in describe(experiment.parameters)}
    assert ("ensemble" in specs) == experiment.has_ensemble
    if experiment.has_ensemble:
        assert specs["ensemble"].for_ensemble


@each
def test_the_largest_steps_are_outcomes(experiment: Experiment) -> None:
    """At the limits of the step size there is no warning, exception, inf or nan."""
    spec = next((s for s in describe(experiment.parameters) if s.name == "step_size"), None)
    if spec is None:
        return
    for factor in (1.0, 10.0, 1e3, 1e6):
        value = small(experiment).model_dump()["step_size"] * factor
        if spec.maximum is not None:
            value = min(value, spec.maximum)
        params = build(
            experiment.parameters, {**small(experiment).model_dump(), "step_size": value}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            session = Session(experiment, params, 1)
            session.advance(200 if experiment.rewindable else 5)
            _check_views(experiment, session)
            _check_outcome(session.outcome(), session.state)
            final = experiment.final(session.state, session.recent())
            assert plain(final) == final
            experiment.claims(params, session.state, session.recent())
            experiment.theory(params, session.state)
        assert not any(np.isinf(rows).any() for rows in session.recent().values())
        session.close()


@each_preset
def test_presets_are_sound(experiment: Experiment, preset: Preset) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", preset.id)
    assert preset.title and preset.description.endswith(".")
    assert preset.steps is None or preset.steps > 0
    views = experiment.views(preset.params)
    assert len({view.id for view in views}) == len(views)
    bounds = experiment.theory(preset.params, None)
    assert all(bound.value is None or np.isfinite(bound.value) for bound in bounds)


@each
def test_what_is_the_same_as_in_a_preset_stands_below_it(experiment: Experiment) -> None:
    """A description that begins with "The same at" or "with" speaks of the preset before it."""
    for before, preset in pairwise(presets(experiment.id)):
        if re.match(r"The same (around|as|at|for|in|with) ", preset.description):
            own, other = preset.params.model_dump(), before.params.model_dump()
            usual = experiment.parameters().model_dump()
            chosen = [name for name in own if own[name] != usual[name]]
            kept = [name for name in chosen if own[name] == other[name]]
            assert len(kept) >= len(chosen) / 3, f"{preset.id} after {before.id}"


def test_preset_ids_are_unique() -> None:
    for experiment in EXPERIMENTS:
        ids = [preset.id for preset in presets(experiment.id)]
        assert len(set(ids)) == len(ids)


def values_of(spec: ParamSpec) -> st.SearchStrategy[Any]:
    """Draw values within the limits of a field."""
    low = -1e6 if spec.minimum is None else spec.minimum
    high = 1e6 if spec.maximum is None else min(spec.maximum, 1e12)
    if spec.kind == "float":
        return st.floats(
            low, high, exclude_min=spec.exclusive_minimum, exclude_max=spec.exclusive_maximum
        )
    if spec.kind == "int":
        return st.integers(int(low), int(high))
    if spec.kind == "bool":
        return st.booleans()
    if spec.kind == "choice":
        return st.sampled_from(spec.choices)
    return st.just(spec.default)


@each
@settings(max_examples=30)
@given(data=st.data())
def test_runs_come_back_from_their_file(experiment: Experiment, data: st.DataObject) -> None:
    """Any parameters that the model takes are saved and opened unchanged."""
    specs = [spec for spec in describe(experiment.parameters) if spec.default is not None]
    chosen = data.draw(st.sets(st.sampled_from([spec.name for spec in specs]), max_size=5))
    values: Mapping[str, Any] = {
        spec.name: data.draw(values_of(spec), label=spec.name)
        for spec in specs
        if spec.name in chosen
    }
    try:
        params = build(experiment.parameters, values)
    except InputError as error:
        assert "\n" not in str(error)
        return
    live = [spec for spec in specs if spec.live and spec.kind == "float"]
    changes: tuple[Change, ...] = ()
    if live:
        value = data.draw(values_of(live[0]))
        try:
            build(experiment.parameters, {**params.model_dump(), live[0].name: value})
            changes = (Change(data.draw(st.integers(0, 100)), {live[0].name: value}),)
        except InputError:
            pass
    run = RunSpec(experiment=experiment.id, params=params, seed=1, steps=5, changes=changes)
    assert runfile.loads(runfile.dumps(run)) == run


@each
def test_save_open_run_gives_the_same_bits(experiment: Experiment, tmp_path: Path) -> None:
    first = Session(experiment, small(experiment), 6)
    first.advance(5)
    live = [s for s in describe(experiment.parameters) if s.live and s.kind == "float"]
    for spec in live[:1]:
        value = getattr(first.params, spec.name)
        if value is not None:
            first.retune(
                build(experiment.parameters, {**first.params.model_dump(), spec.name: value / 2})
            )
    first.advance(6)
    runfile.save(tmp_path / "run.toml", RunSpec.of(first))
    run = runfile.load(tmp_path / "run.toml")
    again = replay.begin(run)
    replay.carry_out(run, again)
    assert again.step == first.step
    arrays = experiment.arrays(first.state)
    for key, value in experiment.arrays(again.state).items():
        np.testing.assert_array_equal(value, arrays[key], err_msg=key)
    for key, rows in first.recent().items():
        np.testing.assert_array_equal(again.recent()[key], rows, err_msg=key)
    for session in (first, again):
        session.close()
