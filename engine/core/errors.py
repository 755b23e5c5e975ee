"""Errors that a user can cause, each said in one sentence."""

from __future__ import annotations


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
        shown = repr(value)
        if len(shown) > 80:
            shown = shown[:77] + "..."
        super().__init__(f"{field}: {shown} is not allowed; {allowed}.")
