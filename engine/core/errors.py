"""Errors that a user can cause, each said in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

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
    """

    field: str
    value: object
    allowed: str

    def sentence(self, label: str = "", allowed: str = "") -> str:
        """Write it as one sentence, with other words for the field and the rule if given."""
        shown = repr(self.value)
        if len(shown) > LONGEST_VALUE:
            shown = shown[: LONGEST_VALUE - 3] + "..."
        return f"{label or self.field}: {shown} is not allowed; {allowed or self.allowed}."

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
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(str(self.refusal))

    @property
    def refusal(self) -> Refusal:
        """What was refused, without the traceback that an exception holds on to."""
        return Refusal(self.field, self.value, self.allowed)
