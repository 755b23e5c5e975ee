"""Looking up a value among the results of a study, and comparing it with what is expected."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.core.errors import InputError
from engine.reproduce.findings import Checked
from engine.reproduce.study import Check, Quantity
from engine.text.arithmetic import NumberError, read_number
from engine.text.numbers import short

DIGITS = 10
"""Significant digits of a number in a report."""
MISSING = object()
"""Stands for the result of a run that was not made."""


def look_up(results: Mapping[str, Any], path: str) -> Any:
    """Return the value that a path leads to; None where a run of it was not made.

    Raises
    ------
    InputError
        If it leads nowhere; the sentence lists what there is.
    """
    value: Any = results
    for part in path.split("."):
        if value is MISSING:
            return None
        found = _step(value, part)
        if found is None:
            there = ", ".join(_keys(value)) or "nothing"
            raise InputError(f"path {path}", part, f"give one of {there[:200]}")
        value = found[0]
    return None if value is MISSING else value


def _step(value: Any, part: str) -> tuple[Any] | None:
    if isinstance(value, Mapping):
        return (value[part],) if part in value else None
    if isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            if isinstance(item, Mapping) and item.get("id") == part:
                return (item,)
        if part.isdecimal() and int(part) < len(value):
            return (value[int(part)],)
    return None


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from map(str, value)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for place, item in enumerate(value):
            yield str(item.get("id", place) if isinstance(item, Mapping) else place)


def quantity(results: Mapping[str, Any], plan: Quantity) -> Any:
    """Compute a quantity; `MISSING` where one of its values was not measured.

    Raises
    ------
    InputError
        If a path leads nowhere or to no number, or the formula is none.
    """
    names = {}
    for name, path in plan.of.items():
        value = look_up(results, path)
        if value is None:
            return MISSING
        names[name] = _number(value, path)
    try:
        return read_number(plan.formula, names)
    except NumberError as error:
        rule = f"give a formula with the names {', '.join(names) or 'none'} ({error})"
        raise InputError(plan.name, plan.formula, rule) from None


def check(results: Mapping[str, Any], plan: Check, *, quick: bool) -> Iterator[Checked]:
    """Carry out a check: one line, or one a row.

    Raises
    ------
    InputError
        As `look_up`, or if what should be a number is none.
    """
    rows = plan.rows or ((plan.what, plan.value, plan.expected),)
    for label, path, expected in rows:
        what = f"{plan.what}: {label}" if plan.rows else label
        if quick and plan.full_only:
            yield _open(plan, what, expected, "left out of a quick report")
            continue
        value = look_up(results, path)
        if value is None:
            yield _open(plan, what, expected, "not measured")
        elif expected is not None:
            yield _close(plan, what, path, value, expected)
        else:
            yield _compared(plan, what, path, value)


def _open(plan: Check, what: str, expected: float | str | None, why: str) -> Checked:
    return Checked(
        what=what,
        of=plan.of,
        expected=_wanted(plan) if expected is None else _shown(expected),
        measured="",
        value=None,
        holds=None,
        why=why,
    )


def _close(plan: Check, what: str, path: str, value: Any, expected: float | str) -> Checked:
    """Compare a number with one that it should be near."""
    number, wanted = _number(value, path), _wanted_number(expected)
    allowed = plan.tolerance if plan.relative is None else plan.relative * abs(wanted)
    holds = abs(number - wanted) <= (allowed or 0.0)
    spread = f" ± {short(allowed, 2)}" if allowed else ""
    formula = f"{expected} = " if isinstance(expected, str) else ""
    return Checked(
        what=what,
        of=plan.of,
        expected=f"{formula}{short(wanted, DIGITS)}{spread}",
        measured=short(number, DIGITS),
        value=number,
        holds=holds,
    )


def _compared(plan: Check, what: str, path: str, value: Any) -> Checked:
    """Compare a value with another, or a number with limits."""
    if plan.equals is not None:
        holds = value == plan.equals and isinstance(value, bool) == isinstance(plan.equals, bool)
    elif plan.differs is not None:
        holds = value != plan.differs
    else:
        value = _number(value, path)
        low = -math.inf if plan.at_least is None else plan.at_least
        high = math.inf if plan.at_most is None else plan.at_most
        holds = low <= value <= high
    return Checked(
        what=what,
        of=plan.of,
        expected=_wanted(plan),
        measured=_shown(value),
        value=value,
        holds=holds,
    )


def _wanted(plan: Check) -> str:
    """Write what a check asks for."""
    if plan.equals is not None:
        return _shown(plan.equals)
    if plan.differs is not None:
        return f"not {_shown(plan.differs)}"
    limits = []
    if plan.at_least is not None:
        limits.append(f"at least {_shown(plan.at_least)}")
    if plan.at_most is not None:
        limits.append(f"at most {_shown(plan.at_most)}")
    return " and ".join(limits)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return short(float(value), DIGITS)
    return str(value)


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"path {path}", value, "let it lead to a finite number")
    return float(value)


def _wanted_number(expected: float | str) -> float:
    if not isinstance(expected, str):
        return expected
    try:
        return read_number(expected)
    except NumberError as error:
        raise InputError("expected", expected, f"give a number or a formula ({error})") from None
