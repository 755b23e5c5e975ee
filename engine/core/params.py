"""Parameters of experiments: pydantic models whose fields say how to be shown and checked.

A field is declared once, with `param`; the form, the command line, the run file and the error
sentences all read that declaration through `describe`, `build` and `parse_setting`.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, Self, TypeVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from engine.core.errors import InputError
from engine.text.arithmetic import NumberError, read_number, read_whole
from engine.text.numbers import short

Kind = Literal["float", "int", "bool", "choice", "text", "floats", "matrix"]
"""How a value is edited: `floats` is a tuple of numbers, `matrix` a tuple of rows."""

Widget = Literal["", "path", "file", "folder", "expression", "constants", "points"]
"""A hint for the form where the kind alone does not say enough.

An `expression` is a typed function; `constants` are values of its named numbers, as
`engine.expressions.constants` reads them. A `file` or `folder` is read, and its content kept in
mind with a run; a `path` may be written to.
"""
PATHS = ("path", "file", "folder")
"""Widgets of texts that name a place on a disk."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What the values of the other fields say about one.

    Attributes
    ----------
    note : str
        A remark that stands below the field, such as how many numbers are needed.
    placeholder : str
        What an empty text stands for.
    names : tuple of str
        Keys of the constants that the function uses, for a field whose widget is `constants`.
    """

    note: str = ""
    placeholder: str = ""
    names: tuple[str, ...] = ()


NO_HINT = Hint()


class Params(BaseModel):
    """Base of every experiment's parameters: frozen, unknown names forbidden, no inf or nan.

    Every way of making one checks the limits that `param` declares, a constructor called from
    Python and `model_copy` included; pydantic then raises its `ValidationError`. `build` and
    `update` raise an `InputError` instead.

    Attributes
    ----------
    folded : tuple of str
        Groups of fields that a form shows folded at first.
    """

    folded: ClassVar[tuple[str, ...]] = ()

    @property
    def unused(self) -> frozenset[str]:
        """Names of fields that no step reads at these values, beyond what their `when` says."""
        return frozenset()

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_default=True,
        defer_build=True,
    )

    @field_validator("*", mode="after")
    @classmethod
    def _is_within_limits(cls, value: Any, info: ValidationInfo) -> Any:
        spec = _specs(cls)[info.field_name or ""]
        if not all(spec.includes(number) for number in _numbers(value)):
            raise InputError(spec.name, _as_lists(value), spec.allowed)
        return value

    def hint(self, name: str) -> Hint:
        """Return what these values say about one field; must be cheap."""
        return NO_HINT

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, with some fields changed and everything checked again."""
        if not update:
            return super().model_copy(deep=deep)
        return self.model_validate({**self.model_dump(), **update})

    @classmethod
    def model_construct(  # type: ignore[override]  # the plugin of mypy writes one of its own
        cls, _fields_set: set[str] | None = None, **values: Any
    ) -> Self:
        """Make a checked instance: an unchecked one must not exist."""
        return cls.model_validate(values)


P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamSpec:
    """One field as the form and the command line see it.

    `minimum` and `maximum` are None where there is no limit; `exclusive_*` says the limit itself
    is not allowed. `when` maps another field's name to the values for which this one has an effect.
    `bounds` maps such values likewise, for which the theory bounds this field; it is None for a
    field that it never bounds. `live` fields may change during a run; `for_ensemble` fields are no
    part of it, since only an ensemble reads them; all others start a new one. `measures` fields
    change what is recorded, searched for or drawn, and no step of the run. `keywords` are texts of
    a path that name no place.
    """

    name: str
    label: str
    kind: Kind
    default: Any
    symbol: str
    unit: str
    help: str
    group: str
    minimum: float | None
    maximum: float | None
    exclusive_minimum: bool
    exclusive_maximum: bool
    log: bool
    live: bool
    for_ensemble: bool
    measures: bool
    choices: tuple[str, ...]
    when: Mapping[str, tuple[Any, ...]]
    widget: Widget
    bounds: Mapping[str, tuple[Any, ...]] | None
    keywords: tuple[str, ...] = ()

    def is_path(self, value: object) -> bool:
        """Return whether a value of this field names a file or a folder."""
        named = isinstance(value, str) and bool(value) and value not in self.keywords
        return self.widget in PATHS and named

    @property
    def allowed(self) -> str:
        """What may be given, as the end of a sentence."""
        if self.kind == "choice":
            return "give one of " + ", ".join(self.choices)
        if self.kind == "bool":
            return "give true or false"
        if self.kind == "text":
            return "give a text"
        noun = {
            "float": "a finite number",
            "int": "a whole number",
            "floats": "a list of finite numbers such as [1, 2.5], each",
            "matrix": "rows of finite numbers such as [[1, 0], [0, 1]], each",
        }[self.kind]
        limits = []
        if self.minimum is not None:
            limits.append(f"{'>' if self.exclusive_minimum else '>='} {short(self.minimum)}")
        if self.maximum is not None:
            limits.append(f"{'<' if self.exclusive_maximum else '<='} {short(self.maximum)}")
        if not limits and noun.endswith(", each"):
            noun = noun.removesuffix(", each")
        return " ".join(["give", noun, " and ".join(limits)]).rstrip()

    def includes(self, number: float) -> bool:
        """Return whether a number is finite and within the limits."""
        if not isinstance(number, int) and not math.isfinite(number):  # ints may exceed floats
            return False
        if self.minimum is not None:
            if number < self.minimum or (self.exclusive_minimum and number == self.minimum):
                return False
        if self.maximum is not None:
            if number > self.maximum or (self.exclusive_maximum and number == self.maximum):
                return False
        return True

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Return whether this field has an effect given the values of the others."""
        return all(values.get(name) in allowed for name, allowed in self.when.items())

    def is_bounded(self, values: Mapping[str, Any]) -> bool:
        """Return whether the theory may bound this field, given the values of the others."""
        if self.bounds is None:
            return False
        return all(values.get(name) in allowed for name, allowed in self.bounds.items())


def param(
    default: Any,
    help: str,
    *,
    label: str = "",
    symbol: str = "",
    unit: str = "",
    group: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    log: bool = False,
    live: bool = False,
    for_ensemble: bool = False,
    measures: bool = False,
    when: Mapping[str, Sequence[Any]] | None = None,
    widget: Widget = "",
    bounds: Mapping[str, Sequence[Any]] | None = None,
    keywords: Sequence[str] = (),
) -> Any:
    """Declare a parameter with its default, limits and presentation.

    Parameters
    ----------
    default : object
        Value used when none is given; checked like any other.
    help : str
        One sentence for the tooltip and the documentation.
    label, symbol, unit, group : str
        Name in words (made from the field's name if empty), mathematical symbol (plain or mathtext
        without dollars), unit, and the heading under which the form puts the field.
    ge, gt, le, lt : float, optional
        Limits of a number, or of each number in a list or matrix.
    log : bool
        Whether a slider should be logarithmic; needs a positive range.
    live : bool
        Whether the value may change during a run without a restart.
    for_ensemble : bool
        Whether only an ensemble reads the value, so that a run goes on untouched.
    measures : bool
        Whether the value changes only what is recorded, searched for or drawn, and no step.
    when : mapping, optional
        Other fields' values for which this one has an effect.
    widget : str
        Hint for the form.
    bounds : mapping, optional
        Other fields' values, if it takes any, for which the theory has bounds for this one, so
        that the form keeps room for them before a run has found them.
    keywords : sequence of str
        Texts that name no place where the widget is one of `PATHS`.
    """
    extra: dict[str, Any] = {
        "label": label,
        "symbol": symbol,
        "unit": unit,
        "group": group,
        "limits": [ge, gt, le, lt],
        "log": log,
        "live": live,
        "for_ensemble": for_ensemble,
        "measures": measures,
        "when": {key: list(values) for key, values in (when or {}).items()},
        "widget": widget,
        "bounds": None if bounds is None else {key: list(of) for key, of in bounds.items()},
        "keywords": list(keywords),
    }
    return Field(default=default, description=help, json_schema_extra={"lab": extra})


@cache
def describe(model: type[Params]) -> tuple[ParamSpec, ...]:
    """List the fields of a model in their order of declaration."""
    return tuple(_spec(name, info) for name, info in model.model_fields.items())


@cache
def _specs(model: type[Params]) -> Mapping[str, ParamSpec]:
    return {spec.name: spec for spec in describe(model)}


def _spec(name: str, info: Any) -> ParamSpec:
    extra = info.json_schema_extra["lab"]
    ge, gt, le, lt = extra["limits"]
    bounds = extra["bounds"]
    kind, choices = _kind(info.annotation)
    return ParamSpec(
        name=name,
        label=extra["label"] or name.replace("_", " ").capitalize(),
        kind=kind,
        default=info.default,
        symbol=extra["symbol"],
        unit=extra["unit"],
        help=info.description or "",
        group=extra["group"],
        minimum=gt if gt is not None else ge,
        maximum=lt if lt is not None else le,
        exclusive_minimum=gt is not None,
        exclusive_maximum=lt is not None,
        log=extra["log"],
        live=extra["live"],
        for_ensemble=extra["for_ensemble"],
        measures=extra["measures"],
        choices=choices,
        when={key: tuple(values) for key, values in extra["when"].items()},
        widget=extra["widget"],
        bounds=None if bounds is None else {key: tuple(of) for key, of in bounds.items()},
        keywords=tuple(extra["keywords"]),
    )


def _kind(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return _kind(next(arg for arg in args if arg is not type(None)))
    if origin is Literal:
        return "choice", tuple(str(arg) for arg in args)
    if origin is tuple:
        return ("matrix" if get_origin(args[0]) is tuple else "floats"), ()
    simple: dict[Any, Kind] = {float: "float", int: "int", bool: "bool", str: "text"}
    return simple[annotation], ()


def spec_of(model: type[Params], name: str, where: str = "parameter") -> ParamSpec:
    """Find a field by name; `where` is what a refusal names, such as an option.

    Raises
    ------
    InputError
        If the model has no such field; the sentence lists those it has.
    """
    spec = _specs(model).get(name)
    if spec is not None:
        return spec
    known = ", ".join(model.model_fields)
    raise InputError(where, name, f"this experiment has {known}")


def build(model: type[P], values: Mapping[str, Any]) -> P:
    """Make a checked parameter object from names and values.

    Raises
    ------
    InputError
        For an unknown name or a value out of range, naming the first offending field; for anything
        but a mapping, as a damaged file may hold, also an empty one.
    """
    if not isinstance(values, Mapping):
        raise InputError("params", values, "give a table of names and values")
    for name in values:
        spec_of(model, name)
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise _as_input_error(model, values, error) from None


def update(params: P, **changes: Any) -> P:
    """Copy parameters with some fields changed and everything checked again.

    Raises
    ------
    InputError
        As `build` does.
    """
    return build(type(params), {**params.model_dump(), **changes})


def _numbers(value: Any) -> Iterator[float]:
    """Find the numbers in a value and in its lists, however deep they are."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list | tuple):
            waiting += reversed(item)
        elif isinstance(item, int | float) and not isinstance(item, bool):
            yield item


def _as_lists(value: Any) -> Any:
    """Write tuples as the lists that people type."""
    return [_as_lists(item) for item in value] if isinstance(value, tuple) else value


def _as_input_error(
    model: type[Params], values: Mapping[str, Any], error: ValidationError
) -> InputError:
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        given = values.get(cause.field, cause.value)
        if cause.place is not None:  # of the very text that was given
            return cause
        if given == cause.value:  # as it was given: 0 rather than the 0.0 that it became
            return InputError(cause.field, given, cause.allowed)
        return cause
    if not first["loc"]:  # a rule over several fields, raised by the model itself
        return InputError("parameters", dict(values), first["msg"])
    name = str(first["loc"][0])
    return InputError(name, values.get(name), spec_of(model, name).allowed)


def parse_setting(
    model: type[Params], setting: str, names: Mapping[str, float] | None = None
) -> tuple[str, Any]:
    """Read one `name=value` of the command line.

    Numbers are read as `parse_value` does, true/false by their words, everything else stays a
    text; a list may be written without brackets ("1, 2, 3") and a matrix as "1 4; 0 1.1".

    Raises
    ------
    InputError
        If there is no `=`, the name is unknown or the text does not have the field's form.
    """
    name, equals, text = setting.partition("=")
    if not equals:
        raise InputError("--set", setting, "write name=value")
    spec = spec_of(model, name.strip())
    return spec.name, parse_value(spec, text.strip(), names)


def parse_value(spec: ParamSpec, text: str, names: Mapping[str, float] | None = None) -> Any:
    """Return what a person typed as a value of the field's kind (limits are checked by `build`).

    Numbers may be written as `engine.text.arithmetic` reads them: 1/3, 10^-3, 1.1*delta_max.

    Parameters
    ----------
    spec : ParamSpec
        The field.
    text : str
        What was typed.
    names : mapping, optional
        Values of names that may occur in a single number: the bounds of the theory.

    Raises
    ------
    InputError
        If the text does not have the field's form.
    """
    if spec.kind in ("text", "choice"):
        return text
    try:
        if spec.kind == "bool":
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if spec.kind == "int":
            return read_whole(text, names)
        if spec.kind == "float":
            return read_number(text, names)
        return _parse_list(spec, text)
    except NumberError as error:
        raise InputError(spec.name, text, error.hint or spec.allowed) from None
    except (ValueError, KeyError, RecursionError):
        raise InputError(spec.name, text, spec.allowed) from None


def _parse_list(spec: ParamSpec, text: str) -> Any:
    """Return the numbers of a list or matrix; a list may be parted by semicolons."""
    if text.startswith("["):
        return json.loads(text.replace("−", "-"))
    rows = [row for row in text.split(";") if row.strip()]
    if spec.kind == "floats":
        if len(rows) > 1:
            return [read_number(item) for item in rows]
        return [read_number(item) for item in text.replace(",", " ").replace(";", " ").split()]
    return [[read_number(item) for item in row.replace(",", " ").split()] for row in rows]


def format_value(spec: ParamSpec, value: Any) -> str:
    """Return a value as `parse_value` reads it."""
    if spec.kind == "bool":
        return "true" if value else "false"
    if spec.kind == "floats":
        return ", ".join(f"{number:.17g}" for number in value)
    if spec.kind == "matrix":
        return "; ".join(" ".join(f"{number:.17g}" for number in row) for row in value)
    if spec.kind == "float":
        return repr(float(value))
    return str(value)
