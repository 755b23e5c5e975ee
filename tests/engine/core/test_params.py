"""Parameters: one declaration, read the same by form, command line, run file and error."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import model_validator

from engine.core.errors import InputError
from engine.core.params import (
    Params,
    build,
    describe,
    format_value,
    param,
    parse_setting,
    parse_value,
    spec_of,
    update,
)


class Sample(Params):
    """A field of every kind, with limits."""

    step_size: float = param(0.1, "Step size.", symbol=r"\delta", gt=0, le=10, log=True, live=True)
    depth: int = param(2, "Depth.", ge=1, le=1000)
    momentum: float = param(0.0, "Momentum.", ge=0, lt=1)
    target: float = param(2.0, "Any number.")
    projected: bool = param(False, "Keep weights nonnegative.")
    start: Literal["identity", "random"] = param("identity", "Start.")
    note: str = param("", "A text.")
    weights: tuple[float, ...] = param((), "Weights.", when={"start": ["random"]})
    matrix: tuple[tuple[float, ...], ...] = param((), "Rows.", ge=-5, le=5)
    power: float | None = param(None, "A number or nothing.", ge=0)

    @model_validator(mode="after")
    def _check(self) -> Sample:
        if self.depth > 500 and self.step_size > 1:
            raise InputError("step_size", self.step_size, "give a number <= 1 for depth > 500")
        return self


REALS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "step_size": st.floats(0, 10, exclude_min=True),
    "depth": st.integers(1, 1000),
    "momentum": st.floats(0, 1, exclude_max=True),
    "target": REALS,
    "projected": st.booleans(),
    "start": st.sampled_from(["identity", "random"]),
    "note": st.text(st.characters(exclude_categories=["Cs", "Z", "C"])),
    "weights": st.lists(REALS, max_size=5).map(tuple),
    "matrix": st.lists(st.lists(st.floats(-5, 5), min_size=1, max_size=3).map(tuple)).map(tuple),
}


@given(st.data(), st.sampled_from(sorted(VALUES)))
def test_what_is_written_is_read_back(data: st.DataObject, name: str) -> None:
    value = data.draw(VALUES[name])
    spec = spec_of(Sample, name)
    text = format_value(spec, value)
    _, read = parse_setting(Sample, f"{name} = {text}")
    assert getattr(build(Sample, {name: read}), name) == value


@given(st.fixed_dictionaries({}, optional=VALUES))
def test_build_keeps_every_allowed_value(values: dict[str, Any]) -> None:
    if values.get("depth", 0) > 500 and values.get("step_size", 0) > 1:
        with pytest.raises(InputError, match=r"step_size.*depth > 500"):
            build(Sample, values)
        return
    params = build(Sample, values)
    assert {name: getattr(params, name) for name in values} == values
    assert build(Sample, params.model_dump()) == params


@given(
    st.sampled_from(["step_size", "momentum", "depth", "target"]),
    st.floats() | st.integers() | st.text(max_size=5) | st.none() | st.booleans(),
)
def test_build_refuses_in_one_sentence_or_obeys_the_limits(name: str, value: Any) -> None:
    try:
        params = build(Sample, {name: value})
    except InputError as error:
        assert error.field == name
        assert "\n" not in str(error) and "is not allowed; give" in str(error)
        return
    assert 0 < params.step_size <= 10
    assert 0 <= params.momentum < 1
    assert 1 <= params.depth <= 1000
    assert abs(params.target) < float("inf")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("depth=0", "depth: 0 is not allowed; give a whole number >= 1 and <= 1\u2009000."),
        ("depth=2.5", "depth: '2.5' is not allowed; give a whole number >= 1 and <= 1\u2009000."),
        ("step_size=nan", "step_size: 'nan' is not allowed; give a finite number > 0 and <= 10."),
        ("step_size=inf", "step_size: 'inf' is not allowed; give a finite number > 0 and <= 10."),
        ("step_size=x", "step_size: 'x' is not allowed; give a finite number > 0 and <= 10."),
        ("momentum=1", "momentum: 1.0 is not allowed; give a finite number >= 0 and < 1."),
        ("projected=maybe", "projected: 'maybe' is not allowed; give true or false."),
        ("start=zeros", "start: 'zeros' is not allowed; give one of identity, random."),
        ("weights=1,x", "weights: '1,x' is not allowed; give a list of finite numbers"),
        ("weights=[NaN]", "weights: [nan] is not allowed; give a list of finite numbers"),
        ("matrix=9", "matrix: [[9.0]] is not allowed; give rows of finite numbers"),
        ("colour=red", "parameter: 'colour' is not allowed; this experiment has step_size, depth"),
        ("depth", "--set: 'depth' is not allowed; write name=value."),
    ],
)
def test_bad_settings_are_named_with_what_is_allowed(setting: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        build(Sample, dict([parse_setting(Sample, setting)]))
    assert str(caught.value).startswith(sentence)


def test_people_may_write_numbers_their_way() -> None:
    assert parse_setting(Sample, "depth=1e2") == ("depth", 100)
    assert parse_setting(Sample, "weights=1 2,3") == ("weights", [1.0, 2.0, 3.0])
    assert parse_setting(Sample, "weights=[1, 2]") == ("weights", [1, 2])
    assert parse_setting(Sample, "matrix=1 4; 0 1.1") == ("matrix", [[1.0, 4.0], [0.0, 1.1]])
    assert parse_setting(Sample, "note=a=b") == ("note", "a=b")
    assert parse_value(spec_of(Sample, "projected"), "TRUE") is True


def test_update_checks_again_and_leaves_the_old() -> None:
    old = Sample()
    new = update(old, step_size=0.5)
    assert (old.step_size, new.step_size) == (0.1, 0.5)
    with pytest.raises(InputError, match="depth"):
        update(old, depth=10**6)


def test_describe_tells_all() -> None:
    specs = {spec.name: spec for spec in describe(Sample)}
    assert [spec.kind for spec in specs.values()] == [
        "float",
        "int",
        "float",
        "float",
        "bool",
        "choice",
        "text",
        "floats",
        "matrix",
        "float",
    ]
    assert specs["step_size"].exclusive_minimum and specs["step_size"].live
    assert specs["weights"].is_active({"start": "random"})
    assert not specs["weights"].is_active({"start": "identity"})
    assert specs["start"].choices == ("identity", "random")
    assert specs["depth"].label == "Depth"
