"""Everything larger or smaller: the keys, what is scaled, and what gives way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gui.settings import Settings
from gui.style import scaling, theme
from gui.window.docks import WIDE
from gui.window.main_window import MainWindow
from tests.gui.fakes import FakeExperiment
from tests.gui.windows import open_window

pytestmark = pytest.mark.usefixtures("usual_size")
CONTROL = Qt.KeyboardModifier.ControlModifier


def shown(qtbot: QtBot, settings: Settings | None = None) -> MainWindow:
    """Return a window with a picture of a run."""
    window = open_window(qtbot, [FakeExperiment()], settings)
    qtbot.waitUntil(lambda: window.control.snapshot is not None, timeout=20_000)
    return window


def resized(window: MainWindow, scale: float) -> None:
    """Choose a scale and let all be laid out."""
    window.size_chosen.choose(scale)
    for _ in range(5):
        QApplication.processEvents()


def canvas_of(window: MainWindow) -> QWidget:
    return next(iter(window.panels.plots.panes.values())).canvas


def test_the_keys_step_through_the_sizes(qtbot: QtBot) -> None:
    window = shown(qtbot)
    QTest.keyClick(window, Qt.Key.Key_Plus, CONTROL)
    assert scaling.factor() == 1.1
    QTest.keyClick(window, Qt.Key.Key_Equal, CONTROL)
    assert scaling.factor() == 1.25
    QTest.keyClick(window, Qt.Key.Key_Minus, CONTROL)
    assert scaling.factor() == 1.1
    QTest.keyClick(window, Qt.Key.Key_0, CONTROL)
    assert scaling.factor() == 1.0
    for end, beside, key in (
        (scaling.LEAST, scaling.SCALES[1], Qt.Key.Key_Minus),
        (scaling.MOST, scaling.SCALES[-2], Qt.Key.Key_Plus),
    ):
        window.size_chosen.choose(beside)
        for _ in range(2):  # not beyond
            QTest.keyClick(window, key, CONTROL)
            assert scaling.factor() == end
    window.close()


def test_fonts_fields_icons_and_plots_grow_together_and_come_back(qtbot: QtBot) -> None:
    window = shown(qtbot)
    canvas = canvas_of(window)
    measured = {
        "font": lambda: QApplication.font().pointSizeF(),
        "button": lambda: float(window.transport.play_button.sizeHint().height()),
        "icon": lambda: float(window.transport.play_button.iconSize().height()),
        "step": lambda: float(window.transport.run_steps.width()),
        "slider": lambda: float(window.panels.form.row("step_size").slider.sizeHint().height()),
        "title": lambda: float(window.header.title.fontMetrics().height()),
        "plot": lambda: canvas.transform().m11(),
        "rows": lambda: float(window.panels.form.row("step_size").grid.horizontalSpacing()),
    }
    before = {name: read() for name, read in measured.items()}
    window.size_chosen.choose(2.0)
    grown = {name: read() / before[name] for name, read in measured.items()}
    assert grown == pytest.approx(dict.fromkeys(grown, 2.0), rel=0.12)
    window.size_chosen.choose(1.0)
    assert {name: read() for name, read in measured.items()} == before
    window.close()


def test_a_place_on_a_plot_is_the_same_at_every_scale(qtbot: QtBot) -> None:
    window = shown(qtbot)
    canvas = canvas_of(window)
    seen: list[Any] = []
    canvas.hovered.connect(seen.append)
    for scale in scaling.SCALES:
        resized(window, scale)
        seen.clear()
        plot = canvas.frame.mapper.plot
        corner = QPoint(round(plot.center().x() * scale), round(plot.center().y() * scale))
        QTest.mouseMove(canvas.viewport(), corner + QPoint(3, 3))
        QTest.mouseMove(canvas.viewport(), corner)
        qtbot.waitUntil(lambda: bool(seen) and seen[-1] is not None)
        assert (seen[-1] - plot.center()).manhattanLength() <= 2 / scale + 1e-6, scale
        assert plot.right() <= canvas.unit_size.width() and plot.left() > 0, scale
    window.close()


def test_the_size_is_kept_for_the_next_start(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "settings.ini"
    window = shown(qtbot, Settings(path))
    window.size_chosen.larger()
    window.close()
    scaling.set_factor(1.0)
    again = shown(qtbot, Settings(path))
    assert again.size_chosen.chosen == scaling.factor() == 1.1
    again.close()


@pytest.mark.parametrize("stored", ["2", "9", '"large"', "null", "[1]", "true", "NaN", "-1"])
def test_what_is_kept_of_the_size_may_be_anything(
    qtbot: QtBot, tmp_path: Path, stored: str
) -> None:
    settings = Settings(tmp_path / "settings.ini")
    settings.set_text("scale", stored)
    window = shown(qtbot, settings)
    assert scaling.LEAST <= scaling.factor() <= scaling.MOST
    window.close()


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # grabbing for a menu
def test_docks_give_way_to_the_plots_and_come_back(qtbot: QtBot) -> None:
    window = shown(qtbot)
    docks = window.docks
    assert docks.experiments.isVisible() and not window.header.experiments_button.isVisible()
    window.size_chosen.choose(1.5)
    assert window.width() / 1.5 < WIDE
    qtbot.waitUntil(lambda: not docks.experiments.isVisible())
    assert window.header.experiments_button.isVisible()
    window.header.experiments_button.click()
    menu = window.actions_by_name.experiments_menu
    assert menu.isVisible() and menu.actions()
    menu.close()
    window.size_chosen.choose(2.0)
    assert docks.fit.is_short and not window.header.title.isVisible()
    window.size_chosen.usual()
    qtbot.waitUntil(docks.experiments.isVisible)
    assert docks.parameters.isVisible() and docks.theory.isVisible()
    assert docks.parameters.y() != docks.theory.y(), "one above the other again"
    window.close()


def test_what_gave_way_is_kept_as_it_was(qtbot: QtBot) -> None:
    window = shown(qtbot)
    window.size_chosen.choose(2.0)
    kept = window.docks.save()
    window.size_chosen.choose(1.0)
    window.docks.reset()
    assert window.docks.restore(kept)
    assert window.docks.experiments.isVisible()
    window.close()


def test_no_control_of_the_transport_covers_another(qtbot: QtBot) -> None:
    window = shown(qtbot)
    transport = window.transport
    parts = [
        transport.reset_button,
        transport.play_button,
        transport.run_steps,
        transport.run_button,
        transport.nudge_button,
        transport.cursor_box,
        transport.scrub,
        transport.live_button,
        transport.speed_control,
    ]
    for scale in (0.8, 1.0, 1.5, 2.0):
        resized(window, scale)
        qtbot.waitUntil(lambda: transport.width() >= transport.minimumSizeHint().width())
        places = [part.rect().translated(part.mapTo(transport, QPoint())) for part in parts]
        for index, place in enumerate(places):
            assert transport.rect().contains(place), scale
            assert not any(place.intersects(other) for other in places[:index]), scale
    window.close()


def test_a_style_sheet_is_scaled_with_round_corners(qapp: QApplication) -> None:
    sheet = "a { margin: -5px 0; width: 10px; border-radius: 7px; font-size: 15pt; color: #123456 }"
    assert scaling.scaled_sheet(sheet) == sheet
    scaling.set_factor(1.1)
    assert scaling.scaled_sheet(sheet) == (
        "a { margin: -6px 0; width: 11px; border-radius: 7px; font-size: 16.5pt; color: #123456 }"
    )


def test_a_button_made_at_another_scale_is_as_large_as_the_others(qtbot: QtBot) -> None:
    button = QPushButton("Run")
    qtbot.addWidget(button)
    theme.apply_theme(QApplication.instance(), theme.LIGHT)
    usual = button.sizeHint().height()
    scaling.set_factor(2.0)
    theme.apply_theme(QApplication.instance(), theme.LIGHT)
    other = QPushButton("Run")
    qtbot.addWidget(other)
    assert (
        other.sizeHint().height() == button.sizeHint().height() == pytest.approx(2 * usual, abs=3)
    )


def test_the_list_of_experiments_has_the_room_that_pins_do_not_need(qtbot: QtBot) -> None:
    window = MainWindow(Settings(None))
    qtbot.addWidget(window)
    window.restore()
    window.resize(1280, 800)
    window.show()
    docks = window.docks
    qtbot.waitUntil(lambda: docks.experiments.height() > 4 * docks.pins.height())
    window.close()
