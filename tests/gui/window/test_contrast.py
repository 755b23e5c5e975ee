"""Contrast of all texts as they are rendered, in both themes, whatever the platform's colours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QTabBar,
    QToolButton,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from gui.style.theme import THEMES, Theme, apply_theme, current_theme
from tests.gui.fakes import FakeExperiment
from tests.gui.windows import open_window

quiet = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
"""The offscreen platform knows no stacking of windows."""
ICON_ONLY = Qt.ToolButtonStyle.ToolButtonIconOnly
ZOOM = 3
LEAST = 4.5
"""Contrast that WCAG 2 asks of texts, level AA."""


@pytest.fixture(params=THEMES.values(), ids=THEMES)
def theme(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[Theme]:
    """Dress the program over a platform whose own colours are unreadable together."""
    before = current_theme()
    hostile = QPalette()
    for role in (QPalette.ColorRole.ToolTipText, QPalette.ColorRole.ToolTipBase):
        hostile.setColor(role, QColor("white"))
    QToolTip.setPalette(hostile)
    apply_theme(qapp, request.param)
    yield request.param
    apply_theme(qapp, before)


def luminance(pixels: np.ndarray) -> np.ndarray:
    """Return the relative luminance of pixels, shape (..., 3), 0 to 255."""
    value = pixels / 255
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def contrast(image: QImage) -> float:
    """Return the contrast of the ground, its most frequent colour, with what stands out most."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    packed = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)
    colors, counts = np.unique(packed[:, : image.width()], return_counts=True)
    channels = np.stack([colors >> 16 & 255, colors >> 8 & 255, colors & 255], axis=-1)
    light = luminance(channels)
    ground = light[counts.argmax()]
    return float(((np.maximum(light, ground) + 0.05) / (np.minimum(light, ground) + 0.05)).max())


def magnified(widget: QWidget) -> QImage:
    """Render a widget larger, so that antialiasing leaves whole pixels of ink."""
    image = QImage(widget.size() * ZOOM, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ZOOM)
    widget.render(image, QPoint())
    image.setDevicePixelRatio(1)
    return image


def part_of(image: QImage, window: QWidget, widget: QWidget) -> QImage:
    """Cut what is seen of a widget out of the picture of its window."""
    seen = widget.visibleRegion().boundingRect()
    seen.translate(widget.mapTo(window, QPoint()))
    return image.copy(seen.x() * ZOOM, seen.y() * ZOOM, seen.width() * ZOOM, seen.height() * ZOOM)


def text_of(widget: QWidget) -> str:
    """Return the text that a widget shows; the name of a button that is an icon is not shown."""
    if isinstance(widget, QToolButton) and widget.toolButtonStyle() is ICON_ONLY:
        return ""
    if isinstance(widget, QLabel | QAbstractButton | QLineEdit):
        return widget.text()
    if isinstance(widget, QComboBox):
        return widget.currentText()
    if isinstance(widget, QTabBar):
        return widget.tabText(0) if widget.count() else ""
    return ""


@pytest.mark.parametrize(
    ("scale", "has_audience", "least"),
    [(1.0, False, 30), (0.8, False, 30), (2.0, False, 20), (1.0, True, 8)],
    ids=["usual size", "smallest", "double", "for an audience"],
)
def test_every_text_of_the_window_stands_out(
    qtbot: QtBot, theme: Theme, usual_size: None, scale: float, has_audience: bool, least: int
) -> None:
    window = open_window(qtbot, [FakeExperiment()])
    window.theme_choice.set(theme.name)
    window.size_chosen.choose(scale)
    window.actions_by_name["full_screen"].setChecked(has_audience)
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=20_000)
    picture = magnified(window)
    checked, faint = 0, []
    for widget in window.findChildren(QWidget):
        height = widget.visibleRegion().boundingRect().height()
        is_shown = widget.isEnabled() and height >= widget.fontMetrics().height()
        if is_shown and text_of(widget).strip():
            found = contrast(part_of(picture, window, widget))
            checked += 1
            if found < LEAST:
                faint.append((type(widget).__name__, text_of(widget), round(found, 2)))
    assert faint == []
    assert checked > least
    window.close()


@quiet
def test_tooltips_stand_out(qtbot: QtBot, theme: Theme) -> None:
    owner = QWidget()
    qtbot.addWidget(owner)
    owner.resize(200, 100)
    owner.show()
    for text in (
        "Play or pause (Space)",
        "<p><b>Step size</b> <code>step_size</code><br>Size.</p>",
    ):
        QToolTip.showText(owner.mapToGlobal(QPoint(20, 20)), text, owner)
        tips = [w for w in QApplication.topLevelWidgets() if w.inherits("QTipLabel")]
        assert tips, "no tooltip is shown"
        assert contrast(magnified(tips[-1])) >= LEAST
        QToolTip.hideText()
        for tip in tips:
            tip.close()
            tip.deleteLater()


@quiet
def test_menus_stand_out(qtbot: QtBot, theme: Theme) -> None:
    menu = QMenu()
    qtbot.addWidget(menu)
    menu.addAction("Open a run")
    menu.popup(QPoint(0, 0))
    assert contrast(magnified(menu)) >= LEAST
    menu.hide()


def test_a_text_that_is_hard_to_read_would_be_found(qtbot: QtBot) -> None:
    label = QLabel("white on near white")
    qtbot.addWidget(label)
    label.setStyleSheet("background: #f3f4f8; color: white")
    label.setFont(QFont(label.font()))
    label.resize(QSize(200, 30))
    assert contrast(magnified(label)) < 1.2
