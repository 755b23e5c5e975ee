"""The studies that come with the program: the paper's own, and the atlas of later literature."""

from __future__ import annotations

from functools import cache
from typing import Literal

from engine.core.errors import InputError
from engine.core.paths import resource
from engine.reproduce.study import Study
from engine.storage.documents import load

Collection = Literal["reproduce", "atlas"]


@cache
def studies(collection: Collection) -> tuple[Study, ...]:
    """Read the studies of a collection, in their order."""
    found = [load(Study, path, "study") for path in sorted(resource(collection).glob("*.toml"))]
    return tuple(sorted(found, key=lambda study: (study.order, study.id)))


def study(collection: Collection, study_id: str) -> Study:
    """Find a study by its id.

    Raises
    ------
    InputError
        If there is none of that id; the sentence lists those there are.
    """
    for candidate in studies(collection):
        if candidate.id == study_id:
            return candidate
    known = ", ".join(candidate.id for candidate in studies(collection))
    raise InputError("study", study_id, f"give one of {known}")
