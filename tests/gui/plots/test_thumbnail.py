"""Pictures of plots without a word, and those of the presets drawn by the present program."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.core import registry
from engine.storage import presets, thumbnails
from gui.plots.thumbnail import SIZE, can_be_drawn, thumbnail
from gui.style import theme
from resources.thumbnails.make import png, run

SAME = 12.0
"""Mean difference of colours, 0 to 255, up to which two pictures are the same but for fonts."""


def pixels(image: QImage) -> NDArray[np.float64]:
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    packed = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return packed[:, : image.width(), :3].astype(np.float64)


@pytest.mark.parametrize("name", thumbnails.THEMES)
def test_the_pictures_are_those_of_the_present_program(qapp: QApplication, name: str) -> None:
    before = theme.current_theme()
    experiment_id, preset = "least-squares", presets.preset("least-squares", "figure-1")
    theme.apply_theme(qapp, theme.THEMES[name])
    try:
        view = next(v for v in registry.get(experiment_id).views(preset.params) if can_be_drawn(v))
        made = QImage.fromData(png(thumbnail(view, run(experiment_id, preset))))
    finally:
        theme.apply_theme(qapp, before)
    kept = QImage(str(thumbnails.path_of(experiment_id, preset.id, name)))
    assert made.size() == kept.size() == SIZE * 2
    assert np.abs(pixels(made) - pixels(kept)).mean() < SAME
    assert len(np.unique(pixels(kept).reshape(-1, 3), axis=0)) > 8, "something is drawn"


@pytest.mark.parametrize("experiment_id", ["least-squares", "double-scalar", "convex-shape"])
def test_a_first_plot_can_be_drawn(experiment_id: str) -> None:
    for preset in presets.presets(experiment_id):
        views = registry.get(experiment_id).views(preset.params)
        assert can_be_drawn(views[0])
