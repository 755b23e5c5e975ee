"""What was asked for last, as the settings keep it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.maps.axis import Axis
from gui.maps.form import Wanted


def table_of(wanted: Wanted, layer: str) -> dict[str, Any]:
    """Return what is kept of a map that was asked for, and of the layer that was drawn."""
    return {
        "kind": wanted.kind,
        "x": _table(wanted.x),
        "y": _table(wanted.y),
        "steps": wanted.steps,
        "options": dict(wanted.options),
        "layer": layer,
    }


def wanted_of(kept: Any) -> tuple[Wanted | None, str]:
    """Return what was kept, map and layer; anything unexpected is as if it were not there."""
    try:
        wanted = Wanted(
            kind=str(kept["kind"]),
            x=_axis(kept["x"]),
            y=_axis(kept["y"]),
            steps=int(kept["steps"]),
            options={str(key): float(value) for key, value in kept["options"].items()},
        )
        return wanted, str(kept["layer"])
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError):
        return None, ""


def _table(axis: Axis) -> dict[str, Any]:
    return {
        "name": axis.name,
        "low": axis.low,
        "high": axis.high,
        "count": axis.count,
        "log": axis.log,
    }


def _axis(kept: Mapping[str, Any]) -> Axis:
    return Axis(
        name=str(kept["name"]),
        low=float(kept["low"]),
        high=float(kept["high"]),
        count=int(kept["count"]),
        log=bool(kept["log"]),
    )
