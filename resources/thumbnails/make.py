"""Draws the pictures of the presets: uv run python -m resources.thumbnails.make [ID[/PRESET]].

Pictures whose recipe has not changed are kept, unless they are named. In the folder there are then
two pictures a preset, for light and dark, and ``made.json`` with the recipe of each.
"""

from __future__ import annotations

import io
import json
import os
import sys

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.figures.data import FigureData
from engine.run import replay
from engine.run.analyst import complete
from engine.run.snapshot import Snapshot, Status
from engine.run.spec import RunSpec
from engine.storage import thumbnails
from engine.storage.files import write_bytes, write_text
from engine.storage.presets import Preset, presets
from gui.app.application import application
from gui.plots.thumbnail import can_be_drawn, thumbnail
from gui.style import theme

COLORS = 96
"""Colours of a picture."""


def draw(experiment_id: str, preset: Preset) -> None:
    """Run a preset and draw its first plot in both themes."""
    snapshot = run(experiment_id, preset)
    views = registry.get(experiment_id).views(preset.params)
    view = next(view for view in views if can_be_drawn(view))
    for name in thumbnails.THEMES:
        theme.apply_theme(application(), theme.THEMES[name])
        data = png(thumbnail(view, snapshot))
        write_bytes(thumbnails.path_of(experiment_id, preset.id, name), data)


def run(experiment_id: str, preset: Preset) -> Snapshot:
    """Make the steps that the picture of a preset shows."""
    spec = RunSpec(
        experiment=experiment_id,
        params=preset.params,
        seed=preset.seed,
        steps=thumbnails.steps_of(preset),
    )
    session = replay.begin(spec)
    replay.carry_out(spec, session)
    if getattr(preset.params, "prove", False):  # the first plot shows what is proved
        complete(session.experiment, session.params, session.state, lambda _done, _text: True)
    data = FigureData.of(session)
    snapshot = Snapshot(
        run_id=0,
        frame=0,
        status=Status.PAUSED,
        experiment=experiment_id,
        params=preset.params,
        seed=preset.seed,
        step=data.step,
        cursor=data.step,
        target=None,
        trace=data.trace,
        observation=data.observation,
        outcome=session.outcome(),
        theory=data.theory,
        claims=(),
        changes=data.changes,
        steps_per_second=0.0,
    )
    session.close()
    return snapshot


def png(image: QImage) -> bytes:
    """Write an image with a palette, which makes the file several times smaller."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    full = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
    small = io.BytesIO()
    full.quantize(COLORS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def main(named: list[str]) -> None:
    """Draw the pictures that are named, or else those that are missing or old."""
    application()
    made = dict(thumbnails.recipes())
    known = set()
    for listed in registry.entries():
        for preset in presets(listed.id):
            key = f"{listed.id}/{preset.id}"
            if thumbnails.needs_data(preset):
                continue
            known.add(key)
            recipe = thumbnails.recipe(listed.id, preset)
            wanted = key in named or listed.id in named if named else made.get(key) != recipe
            if wanted:
                print(key, flush=True)
                draw(listed.id, preset)
                made[key] = recipe
    kept = {key: made[key] for key in sorted(made) if key in known}
    write_text(thumbnails.list_path(), json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
