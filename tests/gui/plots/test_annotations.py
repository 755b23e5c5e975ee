"""Notes on plots: written in place, dragged, removed, kept with the layout and seen in pictures."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from engine.run.notes import Note
from gui.plots.area import PlotArea
from gui.plots.panes.canvas_pane import CanvasPane
from tests.gui.plot_feed import COBWEB, ERROR, WEIGHTS, Feed

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def area(qtbot: QtBot) -> PlotArea:
    made = PlotArea()
    qtbot.addWidget(made)
    made.resize(1000, 700)
    made.set_views((ERROR, WEIGHTS, COBWEB))
    made.show()
    qtbot.waitExposed(made)
    made.show_snapshot(Feed().advance(100).snapshot())
    made._refresh_all()
    QApplication.processEvents()
    return made


def pane_of(area: PlotArea, view: str = "weights") -> CanvasPane[Any]:
    pane = area.docks[view].pane
    assert isinstance(pane, CanvasPane)
    return pane


def menu_at(pane: CanvasPane[Any], at: QPoint) -> dict[str, Any]:
    """Return the entries of a plot's menu, asked for with the mouse at a place."""
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, QPoint(0, 0))
    pane.canvas.contextMenuEvent(event)
    menu = QMenu(pane)
    pane.fill_menu(menu)
    return {action.text(): action for action in menu.actions()}


def middle(pane: CanvasPane[Any]) -> QPoint:
    return pane.canvas.frame.mapper.plot.center().toPoint()


def write(qtbot: QtBot, pane: CanvasPane[Any], text: str, end: Qt.Key = Qt.Key.Key_Return) -> None:
    fields = pane.canvas.viewport().findChildren(QLineEdit)
    (editor,) = [field for field in fields if not field.isHidden()]
    editor.setText(text)
    qtbot.keyClick(editor, end)
    QApplication.processEvents()


def added(qtbot: QtBot, area: PlotArea, text: str = "here $\\delta$") -> CanvasPane[Any]:
    pane = pane_of(area)
    menu_at(pane, middle(pane))["Add a note here"].trigger()
    write(qtbot, pane, text)
    return pane


def test_a_note_is_written_where_the_menu_was_asked_for(area: PlotArea, qtbot: QtBot) -> None:
    with qtbot.waitSignal(area.notes_changed):
        pane = added(qtbot, area)
    (note,) = area.notes
    mapper = pane.canvas.frame.mapper
    assert (note.view, note.text) == ("weights", "here $\\delta$")
    away = mapper.point(note.x, note.y) - QPointF(middle(pane))
    assert abs(away.x()) < 1 and abs(away.y()) < 1
    assert "Delete note" in menu_at(pane, middle(pane))


def test_a_note_without_a_text_is_none(area: PlotArea, qtbot: QtBot) -> None:
    added(qtbot, area, "  ")
    assert area.notes == ()
    pane = pane_of(area, "error")
    menu_at(pane, middle(pane))["Add a note here"].trigger()
    write(qtbot, pane, "given up", Qt.Key.Key_Escape)
    assert area.notes == () and pane.canvas.annotations.notes == ()


def test_a_note_is_dragged_edited_and_removed(area: PlotArea, qtbot: QtBot) -> None:
    pane = added(qtbot, area)
    before, at = area.notes[0], middle(pane)
    viewport, to = pane.canvas.viewport(), middle(pane) + QPoint(-60, 30)
    qtbot.mousePress(viewport, LEFT, pos=at)
    qtbot.mouseMove(viewport, to)
    qtbot.mouseRelease(viewport, LEFT, pos=to)
    after = area.notes[0]
    assert after.x < before.x and after.y < before.y and after.text == before.text
    qtbot.mouseDClick(viewport, LEFT, pos=to)
    write(qtbot, pane, "moved")
    assert area.notes[0].text == "moved" and area.notes[0].x == after.x
    qtbot.mouseClick(viewport, LEFT, pos=to)
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Right)
    assert area.notes[0].x > after.x
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Delete)
    assert area.notes == ()
    qtbot.keyClick(pane.canvas, Qt.Key.Key_Delete)  # nothing is chosen any more


def test_a_note_is_part_of_the_picture(area: PlotArea, qtbot: QtBot) -> None:
    pane = pane_of(area)
    without = pane.to_image()
    added(qtbot, area)
    assert pane.to_image() != without
    pane.canvas.annotations.remove(0)
    assert pane.to_image() == without


def test_notes_are_kept_with_the_layout(area: PlotArea, qtbot: QtBot) -> None:
    added(qtbot, area)
    kept, notes = area.save_layout(), area.notes
    area.set_notes(())
    assert area.notes == ()
    assert area.restore_layout(kept)
    assert area.notes == notes
    area.set_views((ERROR, WEIGHTS))  # other plots of the same run
    assert area.notes == notes
    area.forget()  # another experiment
    area.set_views((ERROR, WEIGHTS, COBWEB))
    assert area.notes == ()


def test_a_note_along_time_keeps_its_step_on_a_scaled_axis(area: PlotArea) -> None:
    note = Note("weights", 50.0, 0.5, "step 50")
    area.set_notes((note, Note("unknown", 1.0, 1.0, "nowhere")))
    area.set_axis_scaled(True)
    pane = pane_of(area)
    annotations = pane.canvas.annotations
    assert annotations.to_axis(50.0) != 50.0
    assert annotations.from_axis(annotations.to_axis(50.0)) == pytest.approx(50.0)
    assert area.notes == (note,)
