"""What is drawn on the screen and on paper has the same colours, levels and legend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from engine.core.views import Heat, ImageView, PlaneView, Tint, View
from engine.experiments.scalar_product.experiment import ScalarProduct
from engine.figures import style
from engine.figures.data import FigureData
from engine.figures.paper import draw
from engine.run.spec import RunSpec
from engine.run.trace import Trace
from gui.plots.canvas.layers import HeatLayer, picture_of
from gui.plots.panes.images import ImagePane
from gui.plots.panes.pane import Shown
from gui.plots.panes.plane import PlanePane
from gui.style.theme import LIGHT, apply_theme

RNG = np.random.default_rng(3)
IMAGES = {
    "positive": RNG.uniform(0.2, 1.0, (12, 16)),
    "holes": np.where(RNG.uniform(size=(12, 16)) < 0.3, np.nan, RNG.exponential(size=(12, 16))),
    "one value": np.full((12, 16), 0.7),
    "signed": RNG.normal(size=(12, 16)),
    "nothing": np.full((12, 16), np.nan),
}


def plane(view_id: str) -> PlaneView:
    experiment = ScalarProduct()
    params = experiment.parameters(depth=2)
    found: View = next(view for view in experiment.views(params) if view.id == view_id)
    assert isinstance(found, PlaneView)
    return found


def on_paper(view: View, observation: dict[str, Any]) -> FigureData:
    experiment = ScalarProduct()
    run = RunSpec(experiment=experiment.id, params=experiment.parameters(depth=2), seed=0, steps=1)
    trace = Trace({"w": np.zeros(2)}).view()
    return FigureData(title="", run=run, step=1, trace=trace, observation=observation)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("view_id", ["orbit-diagram", "basins"])
def test_an_image_has_the_same_colours_on_the_screen_and_on_paper(
    qtbot, view_id: str, name: str
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, LIGHT)
    view = plane(view_id)
    heat = next(item for item in view.items if isinstance(item, Heat))
    observation = {heat.key: IMAGES[name], heat.extent_key: np.array([0.0, 1.0, 0.0, 1.0])}
    pane = PlanePane(view)
    qtbot.addWidget(pane)
    pane.show_data(Shown(observation))
    layer = next(layer for layer in pane.canvas.layers if isinstance(layer, HeatLayer))
    picture = picture_of(layer.levels, LIGHT, layer.colormap)
    axes = draw(view, on_paper(view, observation)).axes[0]
    (artist,) = axes.images
    printed = artist.cmap(artist.norm(np.ma.masked_invalid(IMAGES[name])))
    for row, column in np.ndindex(IMAGES[name].shape):
        shown = picture.pixelColor(column, row)
        assert shown.alpha() == 255 * np.isfinite(IMAGES[name][row, column])
        if shown.alpha():
            wanted = 255 * printed[row, column, :3]
            assert np.abs(wanted - [shown.red(), shown.green(), shown.blue()]).max() < 6


def test_roles_have_the_colours_of_the_light_theme_on_paper() -> None:
    for role in (*map(str, range(1, 9)), "bound", "good", "bad", "muted", "text"):
        assert style.color(role) == LIGHT.color(role).name()
    for count in (1, 2, 7, 20):
        shown = LIGHT.line_colors("ramp", count)
        for printed, color in zip(style.ramp(count), shown, strict=True):
            wanted = 255 * np.array(to_rgb(printed))
            assert np.abs(wanted - [color.red(), color.green(), color.blue()]).max() < 6


def test_blank_cells_are_in_both_legends_and_under_the_pointer(qtbot) -> None:
    view = plane("basins")
    heat = next(item for item in view.items if isinstance(item, Heat))
    assert heat.missing
    image = np.array([[np.nan, 0.5], [0.25, 1.0]])
    observation = {heat.key: image, heat.extent_key: np.array([0.0, 1.0, 0.0, 1.0])}
    pane = PlanePane(view)
    qtbot.addWidget(pane)
    pane.resize(400, 300)
    pane.show_data(Shown(observation))
    assert heat.missing in [entry.text for entry in pane.entries()]
    legend = draw(view, on_paper(view, observation)).axes[0].get_legend()
    assert legend is not None
    assert heat.missing in [text.get_text() for text in legend.get_texts()]
    readings = []
    pane.reading_changed.connect(readings.append)
    for x, y in ((0.25, 0.25), (0.75, 0.75), (0.25, 0.75)):
        pane.canvas.hovered.emit(pane.canvas.frame.mapper.point(x, y))
    blank, top, middle = (reading.plain() for reading in readings)
    assert heat.missing in blank
    assert heat.at_top in top
    assert heat.missing not in middle and heat.at_top not in middle


def test_panels_of_areas_have_one_legend_and_the_same_axes_on_both(qtbot) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, LIGHT)
    tints = (
        Tint(value=1.0, label="proved", color="good"),
        Tint(value=0.4, label="seen", color="2"),
    )
    view = ImageView(
        id="panels",
        title="Panels",
        key="images",
        captions_key="names",
        extent_key="ends",
        x_label="x",
        y_label="y",
        missing="neither",
        tints=tints,
    )
    images = np.stack([np.array([[1.0, 0.4], [np.nan, 1.0]])] * 4)
    observation = {
        "images": images,
        "names": list("abcd"),
        "ends": np.array([-4.0, 3.0, -2.0, 5.0]),
    }
    pane = ImagePane(view)
    qtbot.addWidget(pane)
    pane.resize(400, 400)
    pane.show()
    qtbot.waitExposed(pane)
    pane.show_data(Shown(observation))
    assert len(pane.boxes) == 4
    assert [entry.text for entry in pane.entries()] == ["proved", "seen", "neither"]
    readings = []
    pane.reading_changed.connect(readings.append)
    for x, y in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75)):
        box = pane.boxes[3]
        at = QPointF(box.left() + x * box.width(), box.top() + y * box.height())
        qtbot.mouseMove(pane, at.toPoint())
    assert [each.items[0].text for each in readings] == ["proved", "seen", "neither"]
    assert readings[0].lead == "d (−2.25, 3.25)"
    axes = draw(view, on_paper(view, observation)).axes[0]
    written = [text.get_text() for text in axes.texts]
    assert all(written.count(name) == 1 for name in "abcd")
    assert [written.count(end) for end in ("−4", "3", "−2", "5", "x", "y")] == [2] * 6
    (artist,) = axes.images
    printed = artist.cmap(artist.norm(artist.get_array()))
    assert len({tuple(color) for color in printed.reshape(-1, 4) if color[3]}) == 2
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["neither", "proved", "seen"]
    assert len(draw(view, on_paper(view, observation)).axes) == 1  # no bar of colours
