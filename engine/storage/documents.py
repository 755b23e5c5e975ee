"""Documents that people write as TOML: models that check every key, and one sentence for a fault.

A document is declared as a pydantic model. Its fields say in their descriptions what is allowed,
as the end of a sentence; unknown keys, other kinds of values, inf and nan are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError

from engine.core.errors import InputError
from engine.storage.files import read_text
from engine.storage.toml import parse_toml

SIZE_LIMIT = 2**20
"""Bytes of a document: one of the program's own has a few thousand."""


class Document(BaseModel):
    """Base of all documents and of the tables within them."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True
    )


DocumentT = TypeVar("DocumentT", bound=Document)


def read(model: type[DocumentT], table: Mapping[str, Any], what: str) -> DocumentT:
    """Check a document that was read as plain values.

    Raises
    ------
    InputError
        Naming the first key that is missing, unknown, or has a value that is not allowed.
    """
    try:
        text = json.dumps(table, allow_nan=False)
    except (TypeError, ValueError):
        rule = "give texts, finite numbers, true, false, lists and tables only"
        raise InputError(what, "a date, inf or nan", rule) from None
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _as_input_error(model, error, what) from None


def loads(model: type[DocumentT], text: str, what: str) -> DocumentT:
    """Read a document from TOML.

    Raises
    ------
    InputError
        As `engine.storage.toml.parse_toml` and `read`.
    """
    return read(model, parse_toml(text, what), what)


def load(model: type[DocumentT], path: Path, what: str) -> DocumentT:
    """Read a document from a file; `what` names its kind.

    Raises
    ------
    InputError
        If there is no such file, it is too large, or as `loads`.
    FileError
        If it cannot be read.
    """
    return loads(model, read_text(path, SIZE_LIMIT, what), path.name)


def dumps(document: Document) -> str:
    """Write a document as TOML, without what is as by default; reading it gives an equal one."""
    return tomli_w.dumps(document.model_dump(mode="json", exclude_defaults=True))


def _as_input_error(model: type[Document], error: ValidationError, what: str) -> InputError:
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    place = tuple(first["loc"])
    if isinstance(cause, InputError):
        return InputError(_named(what, (*place, cause.field)), cause.value, cause.allowed)
    owner, rule = _rule_of(model, place)
    if first["type"] == "extra_forbidden":
        keys = ", ".join(owner.model_fields)
        return InputError(_named(what, place[:-1]), place[-1], f"it has only the keys {keys}")
    if first["type"] == "missing":
        key = str(place[-1])
        return InputError(_named(what, place[:-1]), f"no {key}", f"add the key {key}; {rule}")
    return InputError(_named(what, place), first["input"], rule)


def _named(what: str, place: tuple[Any, ...]) -> str:
    """Name a place in a document: "tour.toml, scene 2, title"."""
    words = [what]
    for part in place:
        if isinstance(part, int) and len(words) > 1:
            words[-1] += f" {part + 1}"
        else:
            words.append(str(part))
    return ", ".join(words)


def _rule_of(model: type[Document], place: tuple[Any, ...]) -> tuple[type[Document], str]:
    """Find the table that a place is in, and what its key allows."""
    owner, rule = model, "give what its documentation says"
    inner: type[Document] | None = model
    for part in place:
        if inner is None or part not in inner.model_fields:
            continue
        owner, field = inner, inner.model_fields[part]
        rule = field.description or rule
        inner = _table_in(field.annotation)
    return (inner or owner) if place and isinstance(place[-1], int) else owner, rule


def _table_in(annotation: Any) -> type[Document] | None:
    """Return the document that a field holds, in a list or alone; None where it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, Document):
        return annotation
    found = (_table_in(part) for part in get_args(annotation))
    return next((each for each in found if each is not None), None)
