"""The themes: complete, readable, distinct for everyone, and reaching every widget."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.core.paths import resource
from gui.style import theme as themes
from gui.style.theme import DARK, LIGHT, THEMES, Theme, color_table

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_CONE = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(color: str) -> np.ndarray:
    value = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def luminance(color: str) -> float:
    return float(linear(color) @ np.array([0.2126, 0.7152, 0.0722]))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def seen(color: str, vision: str) -> np.ndarray:
    """Return OKLab coordinates of a colour as seen with a kind of vision."""
    light = np.clip(VISION[vision] @ linear(color), 0, 1)
    return TO_LAB @ np.cbrt(TO_CONE @ light)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("vision", VISION)
def test_series_and_bound_are_distinct_with_every_kind_of_vision(theme: Theme, vision: str) -> None:
    colors = [*theme.series, theme.bound]
    for one, other in itertools.combinations(colors, 2):
        distance = np.linalg.norm(seen(one, vision) - seen(other, vision))
        assert distance > 0.05, (one, other)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_texts_and_lines_stand_out(theme: Theme) -> None:
    for ground in (theme.background, theme.surface, theme.raised):
        assert contrast(theme.text, ground) > 10
        assert contrast(theme.muted, ground) > 4.5
    assert contrast(theme.on_accent, theme.accent) > 4.5
    assert contrast(theme.text, theme.soft_accent) > 7
    for color in (*theme.series, theme.bound, theme.good, theme.bad):
        assert contrast(color, theme.surface) > 2.7
    assert contrast(theme.warning, theme.surface) > 4.5
    for stop in theme.ramp:
        assert contrast(stop, theme.surface) > 2.2


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_maps_change_lightness_steadily(theme: Theme) -> None:
    for stops in (theme.ramp, theme.sequential, theme.gray):
        table = color_table(stops)
        light = np.array([luminance("#" + bytes(row).hex()) for row in table[::17]])
        assert (np.diff(light) > 0).all() or (np.diff(light) < 0).all()
    light = np.array([luminance(stop) for stop in theme.diverging])
    middle = len(light) // 2
    for half in (light[: middle + 1], light[: middle - 1 : -1]):
        assert (np.diff(half) > 0).all() or (np.diff(half) < 0).all()


def test_color_table_ends_at_its_stops_and_cannot_be_changed() -> None:
    table = color_table(LIGHT.ramp)
    assert table.shape == (256, 3)
    assert QColor(*map(int, table[0])).name() == LIGHT.ramp[0]
    assert QColor(*map(int, table[-1])).name() == LIGHT.ramp[-1]
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 0


def test_roles_and_literals_give_colors() -> None:
    assert LIGHT.color("1").name() == LIGHT.series[0]
    assert LIGHT.color("9").name() == LIGHT.series[0]
    assert LIGHT.color("bound").name() == LIGHT.bound
    assert LIGHT.color("#123456").name() == "#123456"
    assert LIGHT.color("no such role").name() == LIGHT.text
    assert LIGHT.line_colors("ramp", 20)[0].name() == LIGHT.ramp[0]
    assert LIGHT.line_colors("ramp", 20)[-1].name() == LIGHT.ramp[-1]
    assert [color.name() for color in LIGHT.line_colors("3", 2)] == [LIGHT.series[2]] * 2


def test_style_sheet_has_all_colors_filled_in_and_all_icons_exist() -> None:
    for theme in THEMES.values():
        sheet = themes.style_sheet(theme)
        body = sheet.split("*/", 1)[1]
        assert "$" not in body
        assert theme.accent in body
        paths = set(re.findall(r'url\("([^"]+)"\)', body))
        folder = resource("themes", theme.name)
        assert {path.rsplit("/", 1)[1] for path in paths} == {p.name for p in folder.iterdir()}


class _Painted(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.told.append(themes.current_theme().name)


def test_a_change_of_theme_reaches_widgets_and_listeners(qapp: QApplication, qtbot) -> None:
    themes.apply_theme(qapp, LIGHT)
    widget = _Painted()
    qtbot.addWidget(widget)
    widget.show()
    widget.told.clear()
    with qtbot.waitSignal(themes.theme_signals().changed) as heard:
        themes.apply_theme(qapp, DARK)
    assert heard.args == [DARK]
    assert widget.told[-1:] == ["dark"]
    assert widget.palette().color(QPalette.ColorRole.Window).name() == DARK.background
    themes.apply_theme(qapp, LIGHT)
    assert widget.told[-1] == "light"
    assert themes.current_theme() is LIGHT


def test_another_theme_styles_a_widget_once(qapp: QApplication, qtbot: QtBot) -> None:
    """Styling all widgets of a window is what a change of theme or scale takes its time for."""
    themes.apply_theme(qapp, LIGHT)
    told: list[QEvent.Type] = []

    class Styled(QWidget):
        def changeEvent(self, event: QEvent) -> None:
            super().changeEvent(event)
            told.append(event.type())

    widget = Styled()
    qtbot.addWidget(widget)
    widget.show()
    for theme in (DARK, LIGHT):
        told.clear()
        themes.apply_theme(qapp, theme)
        assert told.count(QEvent.Type.StyleChange) == 1
