"""Undo and redo of parameters, one command per gesture, and of steps that were given up."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

from PySide6.QtGui import QUndoCommand

from engine.core.effect import changed_fields
from engine.text.numbers import short, whole
from gui.run.resolve import Settings
from gui.widgets.shortcuts import keys_of, native_text

if TYPE_CHECKING:
    from engine.core.params import Params, ParamSpec
    from engine.run.branches import DroppedSteps, Fork

_ID = 0x5AB
_LONGEST = 40


SwitchBranch = Callable[["Fork"], None]
"""Puts the other branch of the run in force, with its settings."""
Apply = Callable[[Settings], None]
"""Puts settings in force, in the form and in the run."""


def change_text(before: Params, after: Params) -> str:
    """Name a change for the Edit menu: "Step size 0.5 → 0.55", or how many values it touches."""
    from engine.core.params import describe

    names = changed_fields(before, after)
    if len(names) != 1 or type(before) is not type(after):
        return f"{len(names)} parameters"
    spec = next(spec for spec in describe(type(after)) if spec.name == names[0])
    old, new = (_short(spec, getattr(params, names[0])) for params in (before, after))
    if len(old) + len(new) > _LONGEST:
        return spec.label
    return f"{spec.label} {old} → {new}"


def _short(spec: ParamSpec, value: Any) -> str:
    from engine.core.params import format_value

    if value is None:
        return "none"
    return short(value, 6) if spec.kind == "float" else format_value(spec, value)


def settings_text(before: Settings, after: Settings) -> str:
    """Name a change of parameters and seed."""
    if before.seed == after.seed:
        return change_text(before.params, after.params)
    if before.params == after.params:
        return f"Seed {before.seed} → {after.seed}"
    return change_text(before.params, after.params) + " and seed"


def steps_text(first: int, last: int) -> str:
    """Name some steps: "step 5", "steps 51 to 582"."""
    if first == last:
        return f"step {whole(first)}"
    return f"steps {whole(first)} to {whole(last)}"


def dropped_sentence(first: int, last: int) -> str:
    """Write that steps were dropped, and how to bring them back."""
    shortcut = keys_of("undo")
    keys = native_text(shortcut.keys) if shortcut is not None else "Undo"
    was, them = ("was", "it") if first == last else ("were", "them")
    steps = steps_text(first, last)
    return f"{steps[0].upper()}{steps[1:]} {was} dropped: {keys} brings {them} back."


def _held(method: Callable[..., Any]) -> Callable[[], Callable[..., Any] | None]:
    """Hold a callable, that of a bound method weakly.

    A method keeps its object alive, and the object keeps the stack that keeps the command: PySide
    crashes when such a ring is collected.
    """
    return WeakMethod(method) if isinstance(method, MethodType) else (lambda: method)


class DropCommand(QUndoCommand):
    """Steps that were given up when a run went on from a scrubbed one: undo brings them back.

    Pushing it does nothing, since the steps are gone already. Where a change of live parameters was
    the reason, the command of that change takes it in.

    Parameters
    ----------
    dropped : DroppedSteps
    switch : callable
        Called with the fork by undo and by every redo but the first; held as `apply` of
        `ParamsCommand` is.
    """

    def __init__(self, dropped: DroppedSteps, switch: SwitchBranch) -> None:
        super().__init__(f"drop of {steps_text(dropped.first, dropped.last)}")
        self.dropped = dropped
        self.switch = _held(switch)
        self._happened = False

    def id(self) -> int:
        """Return the number of `ParamsCommand`, which may take this in."""
        return _ID

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802
        """Take in nothing."""
        return False

    def undo(self) -> None:
        """Bring the steps back."""
        _switch(self.dropped.fork, self.switch)

    def redo(self) -> None:
        """Go back to the run that went on without them."""
        if self._happened:
            _switch(self.dropped.fork, self.switch)
        self._happened = True


def _switch(fork: Fork, held: Callable[[], SwitchBranch | None]) -> None:
    switch = held()
    if switch is not None:
        switch(fork)


class ParamsCommand(QUndoCommand):
    """A change of parameters, of the seed, or both, that can be undone.

    Pushing it does nothing: who pushes it puts `after` in force. Consecutive changes of the same
    fields with the same key become one command; one that leads back to its beginning is dropped.

    Parameters
    ----------
    before, after : Settings
        Settings of one experiment.
    apply : callable
        Called with the settings to be in force by undo and by every redo but the first; the object
        of a bound method is held weakly.
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
        self._apply: Callable[[], Apply | None] = _held(apply)
        self._fork: Fork | None = None
        self._switch: Callable[[], SwitchBranch | None] = lambda: None
        self._title = text
        self._happened = False
        self._settle()

    @property
    def fields(self) -> tuple[str, ...]:
        """What the command changes."""
        seed = ("seed",) if self.before.seed != self.after.seed else ()
        return changed_fields(self.before.params, self.after.params) + seed

    def id(self) -> int:
        """Return the number by which Qt knows that commands may merge."""
        return _ID

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802
        """Take in a later change of the same fields with the same key, or what it made drop."""
        if isinstance(other, DropCommand):
            return self._take_in(other)
        if not isinstance(other, ParamsCommand) or not self.key or other.key != self.key:
            return False
        if other.fields != self.fields or other.before != self.after:
            return False
        self.after = other.after
        self._settle()
        return True

    def _take_in(self, drop: DropCommand) -> bool:
        params = drop.dropped.params
        if params is None or self._fork is not None or type(params) is not type(self.after.params):
            return False
        if not set(changed_fields(self.before.params, params)) <= set(self.fields):
            return False
        self._fork, self._switch = drop.dropped.fork, drop.switch
        return True

    def undo(self) -> None:
        """Put the earlier settings in force, and the steps that were dropped for the later ones."""
        if self._fork is not None:
            _switch(self._fork, self._switch)
        else:
            self._put(self.before)

    def redo(self) -> None:
        """Put the later settings in force again."""
        if not self._happened:
            self._happened = True
        elif self._fork is not None:
            _switch(self._fork, self._switch)
        else:
            self._put(self.after)

    def _put(self, settings: Settings) -> None:
        apply = self._apply()
        if apply is not None:
            apply(settings)

    def _settle(self) -> None:
        self.setObsolete(self.before == self.after and self._fork is None)
        self.setText(self._title or settings_text(self.before, self.after))
