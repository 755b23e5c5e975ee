"""The parts of a map that were looked at, to go back to and forward again."""

from __future__ import annotations

from dataclasses import dataclass

from engine.maps.axis import Axis

MOST = 100
"""Parts that are kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a map: what both axes show."""

    x: Axis
    y: Axis


class History:
    """Parts in the order in which they were looked at, as in a browser."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._at = -1

    @property
    def present(self) -> Part | None:
        """The part that is shown."""
        return self._parts[self._at] if self._parts else None

    @property
    def home(self) -> Part | None:
        """The first part."""
        return self._parts[0] if self._parts else None

    @property
    def can_go_back(self) -> bool:
        """Whether there is a part before the present one."""
        return self._at > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a part after the present one."""
        return self._at + 1 < len(self._parts)

    def begin(self, part: Part) -> None:
        """Begin anew with a part."""
        self._parts, self._at = [part], 0

    def go_to(self, part: Part, *, moves_on: bool = False) -> None:
        """Add a part after the present one in place of those that followed.

        Parameters
        ----------
        part : Part
        moves_on : bool
            Whether it continues the movement that led to the present part, which it replaces.
        """
        if part == self.present:
            return
        del self._parts[self._at + 1 :]
        if moves_on and self._at > 0:
            self._parts[self._at] = part
            return
        self._parts.append(part)
        if len(self._parts) > MOST:
            del self._parts[1]  # the first is where Home goes
        self._at = len(self._parts) - 1

    def back(self) -> Part | None:
        """Go to the part before, and return it; None if there is none."""
        if not self.can_go_back:
            return None
        self._at -= 1
        return self._parts[self._at]

    def forward(self) -> Part | None:
        """Go to the part after, and return it; None if there is none."""
        if not self.can_go_forward:
            return None
        self._at += 1
        return self._parts[self._at]
