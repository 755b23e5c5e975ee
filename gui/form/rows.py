"""Which row of the form a field gets."""

from __future__ import annotations

import types
from typing import Union, get_args, get_origin

from engine.core.params import PATHS, Params, ParamSpec
from gui.form.matrix import MatrixRow
from gui.form.number import NumberRow
from gui.form.row import FieldRow
from gui.form.texts import BoolRow, ChoiceRow, PathRow, TextRow


def make_row(spec: ParamSpec, optional: bool) -> FieldRow:
    """Choose the row for a field."""
    if spec.widget in PATHS:
        return PathRow(spec, optional)
    rows: dict[str, type[FieldRow]] = {
        "float": NumberRow,
        "int": NumberRow,
        "bool": BoolRow,
        "choice": ChoiceRow,
        "matrix": MatrixRow,
    }
    return rows.get(spec.kind, TextRow)(spec, optional)


def is_optional(model: type[Params], name: str) -> bool:
    """Return whether a field may be None."""
    annotation = model.model_fields[name].annotation
    union = get_origin(annotation) in (Union, types.UnionType)
    return union and type(None) in get_args(annotation)
