"""The pictures of the presets: there is one for each, made from what the preset is now."""

from __future__ import annotations

from dataclasses import replace

import pytest

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.core.params import update
from engine.storage import thumbnails
from engine.storage.presets import Preset, presets

ALL = [(listed.id, preset) for listed in registry.entries() for preset in presets(listed.id)]
DRAWN = [item for item in ALL if not thumbnails.needs_data(item[1])]


def test_every_preset_has_its_pictures() -> None:
    """If this fails: uv run python -m resources.thumbnails.make."""
    expected = {f"{name}/{preset.id}": thumbnails.recipe(name, preset) for name, preset in DRAWN}
    assert thumbnails.recipes() == expected
    wanted = {
        thumbnails.path_of(name, preset.id, theme)
        for name, preset in DRAWN
        for theme in thumbnails.THEMES
    }
    assert set(thumbnails.list_path().parent.glob("*.png")) == wanted
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in wanted)
    assert sum(path.stat().st_size for path in wanted) < 2_000_000


def test_only_what_needs_a_download_has_none() -> None:
    without = [preset.params.data for _, preset in ALL if thumbnails.needs_data(preset)]
    assert set(without) == {"mnist"}


@pytest.mark.parametrize("change", ["params", "seed", "steps", "speed"])
def test_another_run_is_another_recipe(change: str) -> None:
    preset = presets("scalar-product")[0]
    others: dict[str, Preset] = {
        "params": replace(preset, params=update(preset.params, step_size=0.11)),
        "seed": replace(preset, seed=7),
        "steps": replace(preset, steps=50),
        "speed": replace(preset, speed=10.0, steps=None),
    }
    recipe = thumbnails.recipe("scalar-product", preset)
    assert thumbnails.recipe("scalar-product", others[change]) != recipe
    assert thumbnails.recipe("scalar-product", replace(preset, title="Another")) == recipe
