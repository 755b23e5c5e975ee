"""Changes of live parameters and pushes of the state, as marks on the time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.core.params import describe
from engine.run.snapshot import Snapshot
from engine.text.numbers import short, whole
from gui.plots.canvas.rules import change_text


@dataclass(frozen=True, slots=True)
class ChangeMark:
    """A change at a step: what is written there, with mathtext between dollars.

    `name` is the symbol of the one parameter that it changes, from `before` to `after`; all three
    are empty for a push of the state and for several parameters at once.
    """

    step: int
    text: str
    name: str = ""
    before: str = ""
    after: str = ""


class ChangeLog:
    """The values that a run began with, so that a change can be written as old → new."""

    def __init__(self) -> None:
        self._run_id: int | None = None
        self._first: dict[str, Any] = {}

    def marks(self, snapshot: Snapshot) -> list[ChangeMark]:
        """Return the marks of a run's changes, in their order."""
        if snapshot.run_id != self._run_id:
            self._run_id, self._first = snapshot.run_id, {}
        retuned = (change.step for change in snapshot.changes if change.nudge is None)
        if not self._first and not any(at <= snapshot.cursor for at in retuned):
            self._first = dict(snapshot.params)
        symbols = {spec.name: _symbol(spec.symbol, spec.label) for spec in _specs(snapshot)}
        known = dict(self._first)
        result = []
        for change in snapshot.changes:
            if change.nudge is not None:
                result.append(ChangeMark(change.step, f"nudge {short(change.nudge.size)}"))
                continue
            parts: list[tuple[str, str, str]] = []
            for name, value in change.values.items():
                if name in known and known[name] == value:
                    continue
                before = _value(known[name]) if name in known else ""
                parts.append((symbols.get(name, name), before, _value(value)))
                known[name] = value
            if parts:
                text = ", ".join(change_text(*part) for part in parts)
                result.append(ChangeMark(change.step, text, *(parts[0] if len(parts) == 1 else ())))
        return result


def _specs(snapshot: Snapshot) -> Any:
    return describe(type(snapshot.params))


def _symbol(symbol: str, name: str) -> str:
    return f"${symbol}$" if symbol else name.lower()


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        return short(value)
    return str(value) if isinstance(value, str) else "new"
