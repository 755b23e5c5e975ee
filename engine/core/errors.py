"""Errors that a user can cause, each in one sentence."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass
from typing import Any

from engine.text.numbers import THIN

LONGEST_VALUE = 80
"""Letters of a value that a sentence shows at most."""


class LabError(Exception):
    """A failure with a message fit to be shown to a user as it is."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was refused and why, apart from the exception: for other threads and for a form.

    Attributes
    ----------
    field : str
        Name of the parameter, option or file.
    value : object
        What was given.
    allowed : str
        What is allowed instead, as the end of a sentence ("give a finite number > 0").
    place : tuple of int, optional
        Where the fault is in a text: its first character, and the one after its last.
    """

    field: str
    value: object
    allowed: str
    place: tuple[int, int] | None = None

    def sentence(self, label: str = "", allowed: str = "") -> str:
        """Write it as one sentence, with other words for the field and the rule if given."""
        rule = allowed or self.allowed
        sentence = f"{label or self.field}: {shown(self.value)} is not allowed; {rule}."
        return sentence.encode("utf-8", "backslashreplace").decode()

    def __str__(self) -> str:
        """Write it as one sentence."""
        return self.sentence()


class InputError(LabError, ValueError):
    """A value given by the user that is not allowed.

    Parameters
    ----------
    field : str
        Name of the parameter, option or file.
    value : object
        What was given.
    allowed : str
        What is allowed instead, as the end of a sentence ("give a finite number > 0").

    Attributes
    ----------
    place : tuple of int, optional
        Where the fault is in a text, where that is known.
    """

    place: tuple[int, int] | None = None

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(str(self.refusal))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes it again in another process."""
        return type(self), (self.field, self.value, self.allowed), {"place": self.place}

    @property
    def refusal(self) -> Refusal:
        """What was refused, without the traceback that an exception holds on to."""
        return Refusal(self.field, self.value, self.allowed, self.place)


def refusal_of(error: Exception) -> Refusal | None:
    """Return what an error refuses; none where it refuses no value."""
    return error.refusal if isinstance(error, InputError) else None


class _Short(reprlib.Repr):
    """Writes values whose own `repr` fails: very long whole numbers, very deep lists."""

    def repr_int(self, x: int, level: int) -> str:
        """Return a whole number, or how many digits it has if it is very long."""
        if x.bit_length() <= 256:
            return repr(x)
        sign = "-" if x < 0 else ""
        return f"{sign}<{math.floor(x.bit_length() * math.log10(2)) + 1} digits>"


_short = _Short()


def shown(value: object) -> str:
    """Return a value as it stands in a sentence, at most `LONGEST_VALUE` characters long.

    A longer text keeps its two ends: the end of a path is the name of the file. A whole number of
    thousands of digits and lists within lists without end, which Python does not write, are
    abbreviated.
    """
    if isinstance(value, str):  # `repr` escapes the thin spaces of grouped numbers
        value = value.replace(THIN, " ")
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = _short.repr(value)
    if len(text) <= LONGEST_VALUE:
        return text
    head = LONGEST_VALUE // 2 - 3
    return f"{text[:head]}...{text[head + 3 - LONGEST_VALUE :]}"
