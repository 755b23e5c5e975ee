"""The optimisers that race, and the hyperparameters that each brings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from engine.core.errors import InputError
from engine.theory.optimisers import OPTIMISERS, OptimiserId, describe

Race = Literal["this-optimiser", "all-smooth", "all", "listed"]
"""Who races: the optimiser of the form, it and all with a smooth step, all, or those of a list."""


def read_racers(text: str, field: str = "racers") -> tuple[OptimiserId, ...]:
    """Read ids of optimisers with commas between them.

    Raises
    ------
    InputError
        If there is none, one is not known, or one occurs twice.
    """
    found: list[OptimiserId] = []
    for part in filter(None, (part.strip().lower() for part in text.split(","))):
        known = next((each for each in OPTIMISERS if each == part), None)
        if known is None:
            rule = "give names with commas between them, each one of " + ", ".join(OPTIMISERS)
            raise InputError(field, part, rule)
        if known in found:
            raise InputError(field, part, "name every optimiser once")
        found.append(known)
    if not found:
        rule = "give names with commas between them, such as gradient-descent, adam"
        raise InputError(field, text, rule)
    return tuple(found)


def racers_of(race: Race, chosen: OptimiserId, listed: str) -> tuple[OptimiserId, ...]:
    """Return the optimisers of a race in the order of the catalogue, each once."""
    if race == "this-optimiser":
        return (chosen,)
    if race == "listed":
        entered = set(read_racers(listed))
    elif race == "all-smooth":
        entered = {chosen} | {each.id for each in OPTIMISERS.values() if each.is_smooth}
    else:
        entered = set(OPTIMISERS)
    return tuple(each for each in OPTIMISERS if each in entered)


def customary(optimiser: OptimiserId) -> Mapping[str, float]:
    """Return the customary hyperparameters of an optimiser by their fields.

    The lowest loss is not among them: it belongs to the loss.
    """
    own = describe(optimiser).hyperparameters
    return {each.name: each.default for each in own if each.name != "lowest_loss"}
