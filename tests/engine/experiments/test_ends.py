"""Whatever the parameters allow can be computed, measured and written as strict JSON.

Every parameter of every experiment at both ends, and random combinations; warnings are errors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.core.errors import InputError
from engine.core.params import Params, ParamSpec, build, describe
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.storage.files import to_json
from engine.storage.runfolder import result_of

IDS = [entry.id for entry in registry.entries() if entry.id != "mnist"]
STEPS = 4
SMALL: dict[str, Any] = {"width": 3, "depth": 3, "points": 12, "starts": 3, "repeats": 1}
"""Sizes that cost time and are looked at elsewhere."""
MOST = 8
"""Largest size drawn at random."""


def refuse(constant: str) -> None:
    """Refuse the constants that JSON lacks."""
    raise ValueError(f"{constant} is no JSON")


def carries_out(experiment_id: str, params: Params) -> None:
    """Run a few steps and ask for everything there is; bad combinations are refused in words."""
    experiment = registry.get(experiment_id)
    try:
        session = Session(experiment, params, 1)
    except InputError as error:
        assert "\n" not in str(error)
        return
    try:
        experiment.theory(params, None)
        experiment.views(params)
        session.advance(STEPS)
        recent = session.recent()
        experiment.observe(session.state, recent)
        outcome = session.outcome()
        for name, values in recent.items():
            assert not np.isinf(values).any(), name
        result = result_of(RunSpec.of(session), session, outcome)
        json.loads(to_json(result), parse_constant=refuse)
        for claim in result["claims"]:
            if claim["verdict"] in ("holds", "violated"):
                assert "nan" not in claim["measured"].split(), claim
    finally:
        session.close()


def ends(spec: ParamSpec) -> Iterator[Any]:
    """Yield the least and the largest value of a field, and every choice."""
    if spec.kind == "choice":
        yield from spec.choices
    elif spec.kind == "bool":
        yield from (False, True)
    elif spec.kind in ("float", "int"):
        for limit, exclusive, inside in (
            (spec.minimum, spec.exclusive_minimum, math.inf),
            (spec.maximum, spec.exclusive_maximum, -math.inf),
        ):
            if limit is not None:
                number = math.nextafter(limit, inside) if exclusive else limit
                yield int(number) if spec.kind == "int" else number


def context(model: type[Params], spec: ParamSpec) -> dict[str, Any]:
    """Return values of other fields for which one has an effect, and small sizes."""
    specs = {other.name: other for other in describe(model)}
    values = {name: size for name, size in SMALL.items() if name in specs}
    waiting = [spec]
    while waiting:
        for name, allowed in waiting.pop().when.items():
            values[name] = allowed[0]
            waiting.append(specs[name])
    return values


@pytest.mark.parametrize("experiment_id", IDS)
def test_both_ends_of_every_parameter(experiment_id: str) -> None:
    model = registry.get(experiment_id).parameters
    for spec in describe(model):
        for value in ends(spec):
            if spec.name in SMALL and spec.kind == "int" and value > MOST:
                continue  # the largest sizes only cost time
            values = {**context(model, spec), spec.name: value}
            try:
                params = build(model, values)
            except InputError:
                continue
            carries_out(experiment_id, params)


def any_value(spec: ParamSpec) -> st.SearchStrategy[Any]:
    """Draw a value that a field allows, its ends more often than others."""
    if spec.kind in ("text", "floats", "matrix"):
        return st.just(spec.default)
    found = st.sampled_from(list(ends(spec)) or [spec.default])
    if spec.kind == "int":
        low = int(spec.minimum or 0)
        return st.integers(low, max(low, min(int(spec.maximum or MOST), MOST)))
    if spec.kind == "float":
        inner = st.floats(
            -1e6 if spec.minimum is None else spec.minimum,
            1e6 if spec.maximum is None else spec.maximum,
            exclude_min=spec.exclusive_minimum,
            exclude_max=spec.exclusive_maximum,
        )
        return st.one_of(inner, found, st.just(spec.default))
    return found


@pytest.mark.parametrize("experiment_id", IDS)
@settings(max_examples=40)
@given(data=st.data())
def test_random_combinations(experiment_id: str, data: st.DataObject) -> None:
    model = registry.get(experiment_id).parameters
    specs = {spec.name: spec for spec in describe(model)}
    chosen = sorted(data.draw(st.sets(st.sampled_from(sorted(specs)), max_size=8)))
    values = {name: size for name, size in SMALL.items() if name in model.model_fields}
    values |= {name: data.draw(any_value(specs[name]), label=name) for name in chosen}
    try:
        params = build(model, values)
    except InputError as error:
        assert "\n" not in str(error)
        return
    carries_out(experiment_id, params)


@pytest.mark.parametrize(
    ("experiment_id", "values"),
    [
        ("double-scalar", {"init": "typed", "depth": 100, "start_w": 0.0001}),
        ("double-scalar", {"init": "typed", "depth": 100, "start_w": 100.0}),
        ("scalar-product", {"init": "list", "weights": (0.0, 0.0, 1.0)}),
        ("scalar-product", {"init": "list", "weights": (0.0, 0.0, 0.0)}),
        ("scalar-product", {"init": "list", "weights": (1e-300, 1e-300, 1.0)}),
        ("matrix-product", {"target_source": "typed", "target": ((1e-300, 0), (0, 1e-300))}),
        ("piecewise-fit", {"function": "drawn", "drawn": ((0, 0), (5e-324, 1), (1, 0))}),
        ("least-squares", {"start": (5e-324, 0.0)}),
    ],
)
def test_values_that_once_overflowed(experiment_id: str, values: dict[str, Any]) -> None:
    carries_out(experiment_id, build(registry.get(experiment_id).parameters, values))


@pytest.mark.parametrize("least", [5e-324, 1e-300])
def test_eigenvalues_are_zero_or_can_be_divided_by(least: float) -> None:
    with pytest.raises(InputError, match="eigenvalues"):
        build(registry.get("least-squares").parameters, {"eigenvalues": (0.0, least)})
