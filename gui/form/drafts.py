"""What the user gave and is not in force: values that wait, and texts that could not be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.core.errors import InputError
from engine.core.params import Params, update


class Drafts:
    """Values by field that wait to be put in force, and which fields are marked for what.

    Attributes
    ----------
    values : dict
        The newest value given to a field and not yet in force.
    moving : set of str
        Fields whose control is still being moved.
    """

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.moving: set[str] = set()
        self._unread: set[str] = set()
        self._blamed: dict[str, str] = {}

    @property
    def marked(self) -> set[str]:
        """Fields that must stay marked."""
        return self._unread | set(self._blamed.values())

    def give(self, name: str, value: Any, moving: bool) -> None:
        """Hold a value until it can be put in force."""
        self.values[name] = value
        self._unread.discard(name)
        if moving:
            self.moving.add(name)

    def misread(self, name: str) -> None:
        """Note that a field holds a text that is no value."""
        self.forget({name})
        self._unread.add(name)

    def blame(self, names: Iterable[str], field: str) -> None:
        """Note that the values of some fields were refused because of one, which is marked."""
        self._blamed |= dict.fromkeys(names, field)

    def freed_by(self, name: str) -> set[str]:
        """Return the fields whose marks go when a field gets a value that fits all that waits."""
        return {name, *self._blamed.values()} - (self._unread - {name})

    def forget(self, names: Iterable[str]) -> None:
        """Drop what waits in some fields."""
        for name in names:
            self.values.pop(name, None)
            self._blamed.pop(name, None)
            self._unread.discard(name)
            self.moving.discard(name)

    def attempt(self, params: Params, newest: Iterable[str]) -> tuple[Params, tuple[str, ...]]:
        """Make parameters of all that waits, or if that does not go together, of the newest.

        Returns
        -------
        Params, tuple of str
            The new parameters, and the fields whose values they took in.

        Raises
        ------
        InputError
            If the newest values are not allowed either.
        """
        everything, alone = tuple(self.values), tuple(newest)
        try:
            return update(params, **self.values), everything
        except InputError:
            return update(params, **{name: self.values[name] for name in alone}), alone
