"""What a change of parameters means for a run: nothing, a change on the way, or a new beginning."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from gui.run.undo import changed_fields

if TYPE_CHECKING:
    from engine.core.params import Params


class Effect(Enum):
    """What a change of parameters means for a run that has begun, the mildest first."""

    NONE = auto()
    """Only an ensemble reads them."""
    RETUNE = auto()
    """It goes on with them."""
    RESTART = auto()
    """It begins anew."""


def effect_of(old: Params, new: Params) -> Effect:
    """Return whether a run can go on from one setting to another."""
    from engine.core.params import describe

    if type(old) is not type(new):
        return Effect.RESTART
    names = set(changed_fields(old, new))
    changed = [spec for spec in describe(type(new)) if spec.name in names]
    if all(spec.for_ensemble for spec in changed):
        return Effect.NONE
    if all(spec.live or spec.for_ensemble for spec in changed):
        return Effect.RETUNE
    return Effect.RESTART
