"""Limits stand beside the model: no instance of any experiment's parameters is out of range."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.core.errors import InputError
from engine.core.params import Params, ParamSpec, build, describe, update

MODELS = {entry.id: entry.load().parameters for entry in registry.entries()}
NOT_FINITE = (math.nan, math.inf, -math.inf)


def wrapped(spec: ParamSpec, number: float) -> Any:
    """Return a value of the field's kind that holds a number."""
    return {"floats": (number,), "matrix": ((number,),)}.get(spec.kind, number)


def beyond(spec: ParamSpec) -> st.SearchStrategy[float]:
    """Draw numbers that a field must not hold."""
    found: list[st.SearchStrategy[Any]] = [st.sampled_from(NOT_FINITE)]
    low, high = spec.minimum, spec.maximum
    if spec.kind == "int":
        if low is not None:
            found.append(st.integers(max_value=int(low) - (not spec.exclusive_minimum)))
        if high is not None:
            found.append(st.integers(min_value=int(high) + (not spec.exclusive_maximum)))
    else:
        finite: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}
        if low is not None:
            exclude = not spec.exclusive_minimum
            found.append(st.floats(max_value=low, exclude_max=exclude, **finite))
        if high is not None:
            exclude = not spec.exclusive_maximum
            found.append(st.floats(min_value=high, exclude_min=exclude, **finite))
    return st.one_of(found)


def bad_value(spec: ParamSpec) -> st.SearchStrategy[Any]:
    """Draw a value that a field must refuse."""
    if spec.kind == "choice":
        return st.text(max_size=8).filter(lambda text: text not in spec.choices)
    if spec.kind == "bool":
        return st.sampled_from(["maybe", 2, 0.5, None, ()])
    if spec.kind == "text":
        return st.sampled_from([None, 1, 0.5, ("a",)])
    return beyond(spec).map(lambda number: wrapped(spec, number))


def is_refused(model: type[Params], name: str, value: Any) -> None:
    """Assert that no way of making an instance takes a value."""
    default = model()
    for make in (
        lambda: model(**{name: value}),
        lambda: model.model_validate({name: value}),
        lambda: model.model_construct(**{name: value}),
        lambda: default.model_copy(update={name: value}),
    ):
        with pytest.raises(ValidationError):
            make()
    for refuse in (
        lambda: build(model, {name: value}),
        lambda: update(default, **{name: value}),
    ):
        with pytest.raises(InputError) as caught:
            refuse()
        assert caught.value.field == name


@pytest.mark.parametrize("experiment_id", MODELS)
@given(st.data())
def test_no_instance_is_out_of_range(experiment_id: str, data: st.DataObject) -> None:
    model = MODELS[experiment_id]
    spec = data.draw(st.sampled_from(describe(model)))
    is_refused(model, spec.name, data.draw(bad_value(spec)))


@pytest.mark.parametrize("experiment_id", MODELS)
def test_the_first_number_beyond_a_limit_is_refused(experiment_id: str) -> None:
    model = MODELS[experiment_id]
    for spec in describe(model):
        for limit, exclusive, away in (
            (spec.minimum, spec.exclusive_minimum, -math.inf),
            (spec.maximum, spec.exclusive_maximum, math.inf),
        ):
            if limit is None:
                continue
            number: float = limit if exclusive else math.nextafter(limit, away)
            if spec.kind == "int":
                number = int(limit) if exclusive else int(limit + math.copysign(1, away))
            is_refused(model, spec.name, wrapped(spec, number))


@pytest.mark.parametrize("experiment_id", MODELS)
def test_a_copy_without_changes_is_equal(experiment_id: str) -> None:
    params = MODELS[experiment_id]()
    assert params.model_copy() == params == params.model_copy(update={})
    assert type(params).model_construct(**params.model_dump()) == params


@pytest.mark.parametrize("values", [[], (), "", b"", None, 0, [["step_size", 0.1]]])
def test_parameters_are_made_of_a_mapping_only(values: Any) -> None:
    for model in MODELS.values():
        with pytest.raises(InputError, match="params"):
            build(model, values)
