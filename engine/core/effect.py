"""What a change of parameters means for a run: nothing, a live change, or a new run.

This is the only place that decides it; session, run files and window all ask here. The module loads
without pydantic, which the window does not wait for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from engine.core.errors import InputError

if TYPE_CHECKING:
    from engine.core.params import Params, ParamSpec


class Effect(IntEnum):
    """What a change of parameters means for a run that has begun, the mildest first."""

    NONE = 0
    """Only an ensemble reads them."""
    RETUNE = 1
    """The run goes on with them."""
    RESTART = 2
    """A new run begins."""


def effect_of_field(spec: ParamSpec) -> Effect:
    """Return what a change of one field means for a run."""
    if spec.for_ensemble:
        return Effect.NONE
    return Effect.RETUNE if spec.live else Effect.RESTART


def effect_of_fields(model: type[Params], names: Iterable[str]) -> Effect:
    """Return what a change of these fields means for a run: the strongest of their effects."""
    from engine.core.params import describe

    changed = set(names)
    effects = (effect_of_field(spec) for spec in describe(model) if spec.name in changed)
    return max(effects, default=Effect.NONE)


def effect_of(before: Params, after: Params) -> Effect:
    """Return whether a run can go on from one set of parameters to another."""
    if type(before) is not type(after):
        return Effect.RESTART
    return effect_of_fields(type(after), changed_fields(before, after))


def changed_fields(before: Params, after: Params) -> tuple[str, ...]:
    """List the fields that differ, in their order of declaration."""
    if type(before) is not type(after):
        return tuple(type(after).model_fields)
    return tuple(
        name for name in type(after).model_fields if getattr(before, name) != getattr(after, name)
    )


def fields_with(model: type[Params], effect: Effect) -> tuple[str, ...]:
    """List the fields of a model whose change has this effect, in their order of declaration."""
    from engine.core.params import describe

    return tuple(spec.name for spec in describe(model) if effect_of_field(spec) is effect)


def check_live(model: type[Params], values: Mapping[str, Any], prefix: str = "") -> None:
    """Check that fields may be given new values during a run.

    Parameters
    ----------
    model : type of Params
        Whose fields they are.
    values : mapping of str to object
        New values by field.
    prefix : str, optional
        What the error sentence puts before the name of a field.

    Raises
    ------
    InputError
        For the first field whose change is not a live one.
    """
    live = fields_with(model, Effect.RETUNE)
    for name, value in values.items():
        if name not in live:
            raise InputError(f"{prefix}{name}", value, "it can only be set before a run starts")
