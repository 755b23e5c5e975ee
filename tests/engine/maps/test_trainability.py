"""Whole runs of any experiment over two of its parameters."""

from __future__ import annotations

import contextlib
import math
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from engine import experiments
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind
from engine.core.params import ParamSpec, build, describe, update
from engine.core.registry import get
from engine.maps.axis import Axis
from engine.maps.catalogue import kind
from engine.maps.kinds import trainability
from engine.maps.spec import MapSpec
from engine.run.session import Session

EXPERIMENTS = [each.id for each in experiments.EXPERIMENTS if each.id != "mnist"]


def spec_of(experiment: str, x: Axis, y: Axis, steps: int = 50, **values: Any) -> MapSpec:
    params = build(get(experiment).parameters, values)
    return MapSpec(kind="trainability", experiment=experiment, params=params, x=x, y=y, steps=steps)


def axis(name: str, low: float, high: float, count: int = 2) -> Axis:
    return Axis(name=name, low=low, high=high, count=count)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_has_a_map(experiment: str) -> None:
    """The suggested axes can be used, and every cell gets a class."""
    params = get(experiment).parameters()
    offer = kind("trainability").offer(experiment, params, 0)
    assert offer is not None
    x, y = (
        Axis(name=a.name, low=a.low, high=a.high, count=2, log=a.log) for a in (offer.x, offer.y)
    )
    prepared = pickle.loads(
        pickle.dumps(kind("trainability").prepare(spec_of(experiment, x, y, 5)))
    )
    cells = prepared.cells(np.repeat(x.values, 2), np.tile(y.values, 2), threading.Event())
    assert set(cells) == {"outcome", "error", "steps"}
    assert set(cells["outcome"].tolist()) <= {each.code for each in prepared.classes}
    assert (cells["steps"] <= max(5, get(experiment).steps(params))).all()


def trace_of(experiment: str, params: Any) -> str:
    """Return what a short run records that its steps alone decide."""
    session = Session(get(experiment), params, 0)
    try:
        rows = [get(experiment).record(session.state)]
        while len(rows) < 6 and session.advance(1):
            rows.append(get(experiment).record(session.state))
    finally:
        session.close()
    return repr([{key: row[key] for key in trainability._ERRORS if key in row} for row in rows])


def nearby(spec: ParamSpec, value: float) -> list[float]:
    """Return values of a parameter to put in the place of one: two of one that measures."""
    most = 1.0 if spec.maximum is None else spec.maximum
    others = (2 * value, value / 2, value + 1, value + 7, value - 0.01, 0.9 * value, 1e9, most)
    fits = [round(other) if spec.kind == "int" else other for other in others]
    found = [each for each in dict.fromkeys(fits) if each != value and spec.includes(each)]
    return found[:2] if spec.measures else found


@pytest.mark.parametrize("experiment", [each for each in EXPERIMENTS if each != "trace"])
def test_an_axis_changes_steps_and_a_measurement_none(experiment: str) -> None:
    params = get(experiment).parameters()
    usual, offered = trace_of(experiment, params), trainability.varied(params)
    for spec in describe(type(params)):
        if not (spec.measures or spec in offered):
            continue
        changes = False
        for value in nearby(spec, getattr(params, spec.name)):
            with contextlib.suppress(InputError):
                changes = (
                    changes or trace_of(experiment, update(params, **{spec.name: value})) != usual
                )
            if changes:
                break
        assert changes != spec.measures, spec.name


@pytest.mark.parametrize(
    ("step_size", "expected"),
    [(0.3, OutcomeKind.CONVERGED), (0.55, OutcomeKind.OSCILLATING), (1.2, OutcomeKind.DIVERGED)],
)
def test_a_cell_is_what_its_run_is(step_size: float, expected: OutcomeKind) -> None:
    """Two weights and target 2: minima are stable below 0.5, the 2-cycle up to 0.618."""
    spec = spec_of(
        "scalar-product",
        axis("step_size", 0.1, 2.0),
        axis("target", 1.0, 3.0),
        steps=3000,
        depth=2,
        weights=[1.0, 1.2],
        init="list",
    )
    prepared = kind("trainability").prepare(spec)
    cells = prepared.cells(np.array([step_size]), np.array([2.0]), threading.Event())
    started = prepared.start_at(step_size, 2.0)
    session = Session(get("scalar-product"), update(spec.params, **started), spec.seed)
    session.advance(spec.steps)
    outcome = session.outcome()
    assert outcome.kind is expected
    names = {each.code: each.name for each in prepared.classes}
    assert names[int(cells["outcome"][0])] == expected.value
    error = abs(float(session.experiment.record(session.state)["error"]))
    assert cells["error"][0] == error
    if expected is OutcomeKind.CONVERGED:
        assert 0 < cells["steps"][0] < spec.steps
    else:
        assert cells["steps"][0] == session.step


def test_a_shape_whose_layers_are_all_built_is_complete() -> None:
    spec = spec_of("convex-shape", axis("width", 0.5, 1.5), axis("depth", 1.0, 4.0))
    prepared = kind("trainability").prepare(spec)
    cells = prepared.cells(np.array([1.0]), np.array([3.0]), threading.Event())
    names = {each.code: each.name for each in prepared.classes}
    assert names[int(cells["outcome"][0])] == "complete"


def test_a_run_that_comes_to_rest_at_a_saddle_has_not_converged() -> None:
    """Three weights of 1 and target 3.5 are thrown to 0, which is no minimum, by δ = 0.25."""
    spec = spec_of(
        "scalar-product", axis("step_size", 0.1, 0.4), axis("target", 3.0, 4.0), steps=1000
    )
    prepared = kind("trainability").prepare(spec)
    cells = prepared.cells(np.array([0.25]), np.array([3.5]), threading.Event())
    assert cells["outcome"].tolist() == [trainability.ELSEWHERE]


def test_a_cell_where_no_run_begins_has_a_class_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = spec_of("least-squares", axis("step_size", 0.1, 0.2), axis("noise", 0.0, 1.0))
    prepared = kind("trainability").prepare(spec)

    def refuse(run: object) -> Session:
        raise InputError("noise", 1, "give less")

    monkeypatch.setattr(trainability.replay, "begin", refuse)
    cells = prepared.cells(np.array([0.1]), np.array([0.5]), threading.Event())
    assert cells["outcome"].tolist() == [trainability.NO_RUN]
    assert math.isnan(cells["error"][0])


def test_whole_numbers_are_rounded_in_each_cell() -> None:
    spec = spec_of("scalar-product", axis("step_size", 0.1, 0.2), axis("depth", 1.0, 5.0, 9))
    prepared = kind("trainability").prepare(spec)
    assert prepared.start_at(0.15, 2.6) == {"step_size": 0.15, "depth": 3}


def test_stopped_runs_are_not_computed() -> None:
    spec = spec_of("least-squares", axis("step_size", 0.1, 0.2), axis("noise", 0.0, 1.0))
    stop = threading.Event()
    stop.set()
    cells = kind("trainability").prepare(spec).cells(np.ones(3) / 10, np.ones(3) / 10, stop)
    assert (cells["outcome"] == 255).all()


@pytest.mark.parametrize(
    ("x", "y", "options", "field", "value"),
    [
        (axis("nothing", 0, 1), axis("noise", 0, 1), {}, "x", "nothing"),
        (axis("step_size", 0.1, 1), axis("optimiser", 0, 1), {}, "y", "optimiser"),
        (axis("step_size", 0.1, 1), axis("ensemble", 1, 9), {}, "y", "ensemble"),
        (axis("step_size", 0.1, 1), axis("momentum", 0.1, 0.9), {}, "y", "momentum"),
        (axis("step_size", 0.1, 1), axis("step_size", 0.1, 1), {}, "y", "step_size"),
        (axis("step_size", -1, 1), axis("noise", 0, 1), {}, "step_size", -0.5),
        (axis("step_size", 0.1, 1), axis("noise", 0, 1), {"window": 3.0}, "option", "window"),
    ],
)
def test_what_cannot_be_used_is_named(
    x: Axis, y: Axis, options: dict[str, float], field: str, value: object
) -> None:
    params = get("least-squares").parameters()
    spec = MapSpec(
        kind="trainability",
        experiment="least-squares",
        params=params,
        x=x,
        y=y,
        steps=5,
        options=options,
    )
    with pytest.raises(InputError) as caught:
        kind("trainability").prepare(spec)
    assert (caught.value.field, caught.value.value) == (field, value)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(InputError, match="trainability"):
        kind("horoscope")


def test_a_map_of_networks_tells_the_edge_from_what_learns_and_what_does_not() -> None:
    """Over depth, with the step size of linear layers and the largest below all that diverge."""
    steps = Axis(name="step_size", low=1e-4, high=1e4, count=4, log=True)
    depths = Axis(name="depth", low=1.5, high=3.5, count=2)
    values = {"data": "moons", "points": 40, "width": 5, "sharpness_every": 4, "goal": 0.05}
    spec = spec_of("network", steps, depths, 40, **values)
    prepared = kind("trainability").prepare(spec)
    names = {each.code: each.name for each in prepared.classes}
    x, y = np.tile(steps.values, 2), np.repeat(depths.values, 4)
    found = prepared.cells(x, y, threading.Event())
    cells = {name: values.reshape(2, 4) for name, values in found.items()}
    outcome = [[names[code] for code in row] for row in cells["outcome"].tolist()]
    assert [row[0] for row in outcome] == ["stalled", "stalled"]
    assert [row[-1] for row in outcome] == ["diverged", "diverged"]
    (curve,) = prepared.overlays()
    assert np.isfinite(curve.x).all() and curve.x[0] > 0.0
    (largest,) = prepared.found(cells)
    first = [row.index("diverged") for row in outcome]
    np.testing.assert_allclose(largest.x, [steps.at(float(place)) for place in first])
    code = cells["outcome"][0, first[0]]
    from_the_first = {"outcome": np.full_like(cells["outcome"], code)}
    assert prepared.found(from_the_first) == ()  # of no step size is it known that it is safe
    cells["outcome"][0] = cells["outcome"][0, -1]
    (largest,) = prepared.found(cells)
    assert np.isnan(largest.x).tolist() == [True, False], "it lies below all that were tried"
    assert pickle.loads(pickle.dumps(prepared)).classes == prepared.classes
