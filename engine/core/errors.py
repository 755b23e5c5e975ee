"""Errors that a user can cause, each said in one sentence."""

from __future__ import annotations

import math
import reprlib


class LabError(Exception):
    """A failure with a message fit to be shown to a user as it is."""


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
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        sentence = f"{field}: {shown(value)} is not allowed; {allowed}."
        super().__init__(sentence.encode("utf-8", "backslashreplace").decode())


class _Short(reprlib.Repr):
    """Writes values whose own `repr` fails: very long whole numbers, very deep lists."""

    def repr_int(self, x: int, level: int) -> str:
        """Return a whole number, or how many digits it has if it is very long."""
        if x.bit_length() <= 256:
            return repr(x)
        sign = "-" if x < 0 else ""
        return f"{sign}<{math.floor(x.bit_length() * math.log10(2)) + 1} digits>"


_short = _Short()
_LONGEST = 80


def shown(value: object) -> str:
    """Return a value as it stands in a sentence, at most 80 characters long.

    A whole number of thousands of digits and lists within lists without end, which Python does
    not write, are abbreviated.
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = _short.repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
