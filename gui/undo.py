"""Undo and redo of parameters: one command per gesture of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from PySide6.QtGui import QUndoCommand, QUndoStack

if TYPE_CHECKING:
    from engine.params import Params, ParamSpec

_ID = 0x5AB
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run begins with."""

    params: Params
    seed: int


Apply = Callable[[Settings], None]
"""Puts settings in force: shows them in the form and tells the engine."""


def changed_fields(before: Params, after: Params) -> tuple[str, ...]:
    """List the fields that differ, in their order of declaration."""
    if type(before) is not type(after):
        return tuple(type(after).model_fields)
    return tuple(
        name for name in type(after).model_fields if getattr(before, name) != getattr(after, name)
    )


def change_text(before: Params, after: Params) -> str:
    """Name a change for the Edit menu: "Step size 0.5 → 0.55", or how many values it touches."""
    from engine.params import describe

    names = changed_fields(before, after)
    if len(names) != 1 or type(before) is not type(after):
        return f"{len(names)} parameters"
    spec = next(spec for spec in describe(type(after)) if spec.name == names[0])
    old, new = (_short(spec, getattr(params, names[0])) for params in (before, after))
    if len(old) + len(new) > _LONGEST:
        return spec.label
    return f"{spec.label} {old} → {new}"


def _short(spec: ParamSpec, value: Any) -> str:
    from engine.params import format_value

    if value is None:
        return "none"
    return f"{value:.6g}" if spec.kind == "float" else format_value(spec, value)


def settings_text(before: Settings, after: Settings) -> str:
    """Name a change of parameters and seed."""
    if before.seed == after.seed:
        return change_text(before.params, after.params)
    if before.params == after.params:
        return f"Seed {before.seed} → {after.seed}"
    return change_text(before.params, after.params) + " and seed"


class ParamsCommand(QUndoCommand):
    """A change of parameters, of the seed, or both, that can be undone.

    Pushing it puts `after` in force. Consecutive changes of the same fields with the same key
    become one command; one that leads back to its beginning is dropped.

    Parameters
    ----------
    before, after : Settings
        Settings of one experiment.
    apply : callable
        Called with the settings to be in force, by undo, redo and the first push; the object of a
        bound method is held weakly.
    key : str, optional
        What the edits of one drag have in common (`ParamForm.gesture`); without it nothing merges.
    text : str, optional
        What the Edit menu says; made from the change if empty.
    """

    def __init__(
        self, before: Settings, after: Settings, apply: Apply, key: str = "", text: str = ""
    ) -> None:
        super().__init__()
        self.before = before
        self.after = after
        self.key = key
        # A method keeps its object alive, and the object keeps the stack that keeps this command:
        # PySide crashes when such a ring is collected.
        self._apply = WeakMethod(apply) if isinstance(apply, MethodType) else (lambda: apply)
        self._title = text
        self._settle()

    @staticmethod
    def seal(stack: QUndoStack) -> None:
        """Let the newest command of a stack take in nothing more.

        Qt merges nothing into the command after which a stack is clean. Asking the stack for the
        command itself would be plainer, but PySide then frees it twice.
        """
        stack.setClean()

    @property
    def fields(self) -> tuple[str, ...]:
        """What the command changes."""
        seed = ("seed",) if self.before.seed != self.after.seed else ()
        return changed_fields(self.before.params, self.after.params) + seed

    def id(self) -> int:
        """Give the number by which Qt knows that commands may merge."""
        return _ID

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802
        """Take in a later change of the same fields with the same key."""
        if not isinstance(other, ParamsCommand) or not self.key or other.key != self.key:
            return False
        if other.fields != self.fields or other.before != self.after:
            return False
        self.after = other.after
        self._settle()
        return True

    def undo(self) -> None:
        """Put the earlier settings in force."""
        self._put(self.before)

    def redo(self) -> None:
        """Put the later settings in force."""
        self._put(self.after)

    def _put(self, settings: Settings) -> None:
        apply = self._apply()
        if apply is not None:
            apply(settings)

    def _settle(self) -> None:
        self.setObsolete(self.before == self.after)
        self.setText(self._title or settings_text(self.before, self.after))
