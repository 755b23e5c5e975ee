"""Notes of the user on plots: a text at a point, which goes with the run into files and figures."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.errors import InputError

MOST = 200
"""Notes of a run."""
LONGEST = 200
"""Letters of a note."""
_KEYS = ("view", "x", "y", "text")


@dataclass(frozen=True, slots=True)
class Note:
    """A text at a point of a plot.

    Attributes
    ----------
    view : str
        Id of the plot.
    x, y : float
        In values of its axes; along time the step.
    text : str
        One line, which may hold mathtext between dollars.
    """

    view: str
    x: float
    y: float
    text: str

    def to_table(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {key: getattr(self, key) for key in _KEYS}


def checked(note: Note, field: str = "notes") -> Note:
    """Return a note.

    Raises
    ------
    InputError
        If its text is empty, too long or has several lines, or it is at no finite place.
    """
    text = note.text
    if not text.strip() or len(text) > LONGEST or not text.isprintable():
        rule = f"give one line of 1 to {LONGEST} letters"
        raise InputError(f"{field}.text", text, rule)
    for name, value in (("x", note.x), ("y", note.y)):
        if not math.isfinite(value):
            raise InputError(f"{field}.{name}", value, "give a finite number")
    return note


def from_tables(entries: Any, field: str = "notes") -> tuple[Note, ...]:
    """Read notes that were written by `Note.to_table`.

    Raises
    ------
    InputError
        If one is of another form, or as `checked`.
    """
    rule = f"give a list of at most {MOST} tables with the keys {', '.join(_KEYS)}"
    if not isinstance(entries, list) or len(entries) > MOST:
        raise InputError(field, entries, rule)
    return tuple(_note(entry, field, rule) for entry in entries)


def _note(entry: Any, field: str, rule: str) -> Note:
    if not isinstance(entry, Mapping) or entry.keys() != set(_KEYS):
        raise InputError(field, entry, rule)
    for key in ("view", "text"):
        if not isinstance(entry[key], str) or len(entry[key]) > LONGEST:
            allowed = f"give a text of at most {LONGEST} letters"
            raise InputError(f"{field}.{key}", entry[key], allowed)
    for key in ("x", "y"):
        if type(entry[key]) not in (int, float) or not abs(entry[key]) <= sys.float_info.max:
            raise InputError(f"{field}.{key}", entry[key], "give a finite number")
    note = Note(entry["view"], float(entry["x"]), float(entry["y"]), entry["text"])
    return checked(note, field)
