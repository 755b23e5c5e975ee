"""Programs for a page: lines of plain arithmetic in the words that JavaScript and Python share.

A line holds names, numbers, places of arrays, the four operations and calls of known functions.
Nothing that a user typed occurs in it: names are made here, numbers are written by `repr`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["const", "let", "set", "add"]
"""A new value, a new sum, an assignment to a place, an addition to a sum."""


@dataclass(frozen=True, slots=True)
class Line:
    """One statement.

    Attributes
    ----------
    kind : {"const", "let", "set", "add"}
    target, value : str
        A name or a place of an array, and an expression.
    """

    kind: Kind
    target: str
    value: str

    def __str__(self) -> str:
        """Write the statement as JavaScript."""
        if self.kind == "add":
            return f"{self.target} += {self.value};"
        return f"{'' if self.kind == 'set' else self.kind + ' '}{self.target} = {self.value};"


@dataclass(frozen=True, slots=True)
class Function:
    """A function: lines before a loop over rows of data, within it, and after it.

    Attributes
    ----------
    name : str
    arguments : tuple of str
    before, rows, after : tuple of Line
    result : str
        What is returned; nothing where it is empty.
    """

    name: str
    arguments: tuple[str, ...]
    before: tuple[Line, ...]
    rows: tuple[Line, ...] = ()
    after: tuple[Line, ...] = ()
    result: str = ""

    def __str__(self) -> str:
        """Write the function as JavaScript."""
        made = [f"function {self.name}({', '.join(self.arguments)}) {{", *map(str, self.before)]
        if self.rows:
            made += ["for (let r = 0; r < ROWS; r += 1) {", *map(str, self.rows), "}"]
        made += map(str, self.after)
        return "\n".join([*made, f"return {self.result};" if self.result else "", "}"])


class Writer:
    """Collects lines, with a name for every value."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._count = 0
        self._known: dict[str, str] = {}

    def value(self, expression: str) -> str:
        """Return the name of a value, which is computed once."""
        found = self._known.get(expression)
        if found is None:
            found = self._known[expression] = f"v{self._count}"
            self._count += 1
            self.lines.append(Line("const", found, expression))
        return found

    def set(self, place: str, expression: str) -> None:
        """Assign to a place of an array."""
        self.lines.append(Line("set", place, expression))

    def sum(self, name: str) -> str:
        """Begin a sum with 0."""
        self.lines.append(Line("let", name, "0.0"))
        return name

    def add(self, name: str, expression: str) -> None:
        """Add to a sum."""
        self.lines.append(Line("add", name, expression))

    def take(self) -> tuple[Line, ...]:
        """Return the lines so far and go on with none; their values stay known."""
        made, self.lines = tuple(self.lines), []
        return made

    def forget(self, known: dict[str, str]) -> None:
        """Know only the values that were known before a loop."""
        self._known = known

    def known(self) -> dict[str, str]:
        """Return the values that are known now."""
        return dict(self._known)


def number(value: float) -> str:
    """Write a number with all its digits; in brackets where it is negative."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "(-Infinity)"
    return repr(value) if math.copysign(1.0, value) > 0 else f"({value!r})"


def product(a: str, b: str) -> str:
    """Write a product; a factor 1 is left out."""
    return b if a == "1.0" else a if b == "1.0" else f"{a} * {b}"
