"""Draws the pictures of the help texts from presets: uv run python -m resources.help.make [ID]."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import engine.experiments  # noqa: F401  registers them
from engine.core.registry import get
from engine.figures import paper as figures
from engine.figures.data import FigureData
from engine.run import replay
from engine.run.analyst import complete
from engine.run.spec import RunSpec
from engine.storage import presets

FOLDER = Path(__file__).resolve().parent
DPI = 160
PICTURES = {  # experiment: preset, steps (None for the preset's), view
    "least-squares": ("figure-1", None, "portrait"),
    "scalar-product": ("period-2", 200, "cobweb"),
    "matrix-product": ("negative-eigenvalues", None, "tracks"),
    "double-scalar": ("negative-target", None, "plane"),
    "double-matrix": ("figure-3", 8_000, "error"),
    "convex-shape": ("decompose-sine", None, "parts"),
    "piecewise-fit": ("figure-4", None, "fit"),
    "mnist": ("tiny", None, "parts"),
    "own-loss": ("drift", None, "landscape"),
    "network": ("edge", None, "sharpness"),
    "trace": ("edge", None, "stability"),
}


def draw(experiment_id: str) -> None:
    """Run a preset and write the picture of one of its views beside the text."""
    name, steps, view_id = PICTURES[experiment_id]
    preset, experiment = presets.preset(experiment_id, name), get(experiment_id)
    run = RunSpec(
        experiment=experiment_id,
        params=preset.params,
        seed=preset.seed,
        steps=steps or preset.steps,
    )
    session = replay.begin(run)
    replay.carry_out(run, session)
    complete(experiment, session.params, session.state, lambda fraction, text: True)
    data = dataclasses.replace(FigureData.of(session), run=run)
    view = next(view for view in experiment.views(run.params) if view.id == view_id)
    figures.save(figures.draw(view, data), FOLDER / f"{experiment_id}.png", data, dpi=DPI)
    session.close()


if __name__ == "__main__":
    for chosen in sys.argv[1:] or PICTURES:
        draw(chosen)
