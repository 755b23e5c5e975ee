"""Where the pictures of the presets are, and what each was made from."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core.paths import resource

if TYPE_CHECKING:
    from engine.storage.presets import Preset

FRAMES, LEAST_STEPS = 240, 100
"""A picture shows a run as it is after so many frames at its speed, or so many steps."""
FOLDER = "thumbnails"
THEMES = ("light", "dark")
VERSION = 1
"""Raised when pictures are drawn otherwise, so that all are to be made again."""
_LIST = "made.json"


def path_of(experiment_id: str, preset_id: str, theme: str) -> Path:
    """Return the file of a preset's picture, which may be missing."""
    return resource(FOLDER, f"{experiment_id}-{preset_id}-{theme}.png")


def list_path() -> Path:
    """Return the file that says what each picture was made from."""
    return resource(FOLDER, _LIST)


def needs_data(preset: Preset) -> bool:
    """Return whether a preset needs data that do not come with the program."""
    return getattr(preset.params, "data", "") == "mnist"


def steps_of(preset: Preset) -> int:
    """Return how many steps the picture of a preset shows."""
    watched = max(LEAST_STEPS, round(FRAMES * (preset.speed or 1.0)))
    return watched if preset.steps is None else min(preset.steps, watched)


def recipe(experiment_id: str, preset: Preset) -> str:
    """Return a short text that differs where another picture would be drawn."""
    values = preset.params.model_dump(mode="json", exclude_defaults=True)
    made_of = [VERSION, experiment_id, preset.id, values, preset.seed, steps_of(preset)]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


@cache
def recipes() -> dict[str, str]:
    """Read what the pictures were made from, by ``experiment/preset``; empty without a list."""
    try:
        found = json.loads(list_path().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()}
