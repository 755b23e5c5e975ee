"""What a change of parameters means for a run, asked in one place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.effect import (
    Effect,
    changed_fields,
    check_live,
    effect_of,
    effect_of_field,
    effect_of_fields,
    fields_with,
)
from engine.core.errors import InputError
from engine.core.params import Params, describe, param
from engine.run.session import Session
from tests.engine.linear_map import LinearMap, LinearParams


class Mixed(Params):
    """A field of every effect."""

    depth: int = param(3, "Layers.")
    step_size: float = param(0.1, "Step size.", live=True)
    momentum: float = param(0.9, "Momentum.", live=True)
    runs: int = param(20, "Runs of an ensemble.", for_ensemble=True)


EFFECTS = {
    "depth": Effect.RESTART,
    "step_size": Effect.RETUNE,
    "momentum": Effect.RETUNE,
    "runs": Effect.NONE,
}


def test_fields_have_the_effect_of_their_declaration() -> None:
    assert {spec.name: effect_of_field(spec) for spec in describe(Mixed)} == EFFECTS
    for effect in Effect:
        assert fields_with(Mixed, effect) == tuple(k for k, v in EFFECTS.items() if v is effect)


@given(names=st.sets(st.sampled_from(sorted(EFFECTS))))
def test_a_change_of_several_fields_has_the_strongest_of_their_effects(names: set[str]) -> None:
    before = Mixed()
    after = before.model_copy(update={name: getattr(before, name) + 1 for name in names})
    expected = max((EFFECTS[name] for name in names), default=Effect.NONE)
    assert effect_of(before, after) is effect_of_fields(Mixed, names) is expected
    assert set(changed_fields(before, after)) == names


def test_other_parameters_begin_a_new_run() -> None:
    assert effect_of(Mixed(), LinearParams()) is Effect.RESTART
    assert changed_fields(Mixed(), LinearParams()) == tuple(LinearParams.model_fields)


@given(names=st.sets(st.sampled_from(sorted(EFFECTS)), min_size=1))
def test_only_live_fields_may_change_during_a_run(names: set[str]) -> None:
    values: dict[str, Any] = dict.fromkeys(names, 1)
    refused = {name for name in names if EFFECTS[name] is not Effect.RETUNE}
    if not refused:
        check_live(Mixed, values)
        return
    with pytest.raises(InputError) as error:
        check_live(Mixed, values, prefix="changes.")
    assert error.value.field.removeprefix("changes.") in refused


@given(
    names=st.sets(st.sampled_from(sorted(LinearParams.model_fields))),
    factor=st.sampled_from([2.0, 3.0]),
)
def test_a_session_refuses_what_would_restart_it(names: set[str], factor: float) -> None:
    before = LinearParams()
    values = {name: type(old)(old * factor) for name, old in before if name in names}
    after = before.model_copy(update=values)
    session = Session(LinearMap(), before, 0)
    if effect_of(before, after) is Effect.RESTART:
        with pytest.raises(InputError, match="can only be set before a run starts"):
            session.retune(after)
        assert session.changes == ()
    else:
        session.retune(after)
        assert session.params == after
