"""Presets: named settings of an experiment, read from ``resources/presets/<experiment>.toml``.

Each file is a list of tables::

    [[preset]]
    id = "period-2"                  # kebab-case, unique within the file
    title = "Period 2"
    description = "δ just above δ_max: the minimum is left for a 2-cycle."
    seed = 0                         # optional, default 0
    steps = 2000                     # optional: steps of a headless run
    speed = 1.0                      # optional: steps per drawn frame in the window
    [preset.params]                  # only what differs from the defaults
    step_size = 0.55
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.core.errors import InputError
from engine.core.params import Params, build
from engine.core.paths import resource
from engine.core.registry import get


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named setting: parameters, seed, and how long and how fast to show it."""

    id: str
    title: str
    description: str
    params: Params
    seed: int = 0
    steps: int | None = None
    speed: float | None = None


@cache
def presets(experiment_id: str) -> tuple[Preset, ...]:
    """Read the presets of an experiment, in the order of its file; none if it has no file."""
    path = resource("presets", f"{experiment_id}.toml")
    if not path.is_file():
        return ()
    model = get(experiment_id).parameters
    tables: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["preset"]
    return tuple(
        Preset(**{**table, "params": build(model, table.get("params", {}))}) for table in tables
    )


def preset(experiment_id: str, preset_id: str) -> Preset:
    """Find a preset by its id.

    Raises
    ------
    InputError
        If there is none of that id; the sentence lists those there are.
    """
    for candidate in presets(experiment_id):
        if candidate.id == preset_id:
            return candidate
    known = ", ".join(candidate.id for candidate in presets(experiment_id)) or "none here"
    raise InputError("preset", preset_id, f"give one of {known}")
