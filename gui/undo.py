"""Undo and redo of parameters: one command per gesture of the user."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QUndoCommand

from engine.params import Params, describe, format_value

_ID = 0x5AB
_LONGEST = 40

Apply = Callable[[Params, int], None]
"""Puts parameters and a seed in force: shows them in the form and tells the engine."""


def changed_fields(before: Params, after: Params) -> tuple[str, ...]:
    """List the fields that differ, in their order of declaration."""
    if type(before) is not type(after):
        return tuple(type(after).model_fields)
    return tuple(
        name for name in type(after).model_fields if getattr(before, name) != getattr(after, name)
    )


def change_text(before: Params, after: Params) -> str:
    """Name a change for the Edit menu: "Step size 0.5 → 0.55", or how many values it touches."""
    names = changed_fields(before, after)
    if len(names) != 1 or type(before) is not type(after):
        return f"{len(names)} parameters"
    spec = next(spec for spec in describe(type(after)) if spec.name == names[0])
    values = (getattr(before, names[0]), getattr(after, names[0]))
    old, new = ("none" if value is None else format_value(spec, value) for value in values)
    if len(old) + len(new) > _LONGEST:
        return spec.label
    return f"{spec.label} {old} → {new}"


class ParamsCommand(QUndoCommand):
    """A change of parameters, of the seed, or both, that can be undone.

    Pushing it puts the new settings in force. Consecutive changes of the same fields become one
    command if they belong to the same gesture; one that leads back to its beginning is dropped.

    Parameters
    ----------
    before, after : Params
        Parameters of one experiment.
    apply : callable
        Called with parameters and seed to be in force, by undo, redo and the first push.
    seeds : tuple of int
        Seed before and after.
    gesture : object, optional
        What edits of one drag have in common (`ParamForm.gesture`); without it all consecutive
        changes of the same fields are merged.
    text : str, optional
        What the Edit menu says; made from the change if empty.
    """

    def __init__(
        self,
        before: Params,
        after: Params,
        apply: Apply,
        *,
        seeds: tuple[int, int] = (0, 0),
        gesture: object = None,
        text: str = "",
    ) -> None:
        super().__init__()
        self.before = before
        self.after = after
        self.seeds = seeds
        self.gesture = gesture
        self._apply = apply
        self._title = text
        self._settle()

    @property
    def fields(self) -> tuple[str, ...]:
        """What the command changes."""
        seed = ("seed",) if self.seeds[0] != self.seeds[1] else ()
        return changed_fields(self.before, self.after) + seed

    def id(self) -> int:
        """Give the number by which Qt knows that commands may merge."""
        return _ID

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802
        """Take in a later change of the same fields within the same gesture."""
        if (
            not isinstance(other, ParamsCommand)
            or other.gesture != self.gesture
            or other.fields != self.fields
            or (other.before, other.seeds[0]) != (self.after, self.seeds[1])
            or bool(self._title)
        ):
            return False
        self.after = other.after
        self.seeds = (self.seeds[0], other.seeds[1])
        self._settle()
        return True

    def undo(self) -> None:
        """Put the earlier settings in force."""
        self._apply(self.before, self.seeds[0])

    def redo(self) -> None:
        """Put the later settings in force."""
        self._apply(self.after, self.seeds[1])

    def _settle(self) -> None:
        self.setObsolete(not self.fields)
        text = change_text(self.before, self.after)
        if self.seeds[0] != self.seeds[1]:
            alone = self.before == self.after
            text = f"Seed {self.seeds[0]} → {self.seeds[1]}" if alone else text + " and seed"
        self.setText(self._title or text)
