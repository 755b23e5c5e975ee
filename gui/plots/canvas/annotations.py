"""Notes of the user on a plot: drawn, dragged, written in place and taken away."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import QLineEdit

from engine.run.notes import LONGEST, MOST
from gui.plots.canvas.paint import Scene, line_pen
from gui.plots.canvas.view import PlotView
from gui.style import scaling
from gui.typeset.rich_text import Label, fitting_label, label

AWAY = 12.0
"""Pixels from the point of a note to its text, across and up."""
PAD = QSizeF(12.0, 6.0)
WIDEST, SHARE = 230.0, 0.6
"""Pixels, and share of the plot, that a note may be wide."""
REACH = 8.0
"""Pixels from the point of a note within which a press takes it."""
EDITOR = 220.0
_WORD = re.compile(r"(?:\$[^$]*\$|[^ ])+")
"""A word, or a formula between dollars with what adjoins it."""
_MOVES = {
    Qt.Key.Key_Left: QPointF(-1, 0),
    Qt.Key.Key_Right: QPointF(1, 0),
    Qt.Key.Key_Up: QPointF(0, -1),
    Qt.Key.Key_Down: QPointF(0, 1),
}


@dataclass(frozen=True, slots=True)
class Placed:
    """A note where it stands, in values; along time the step."""

    x: float
    y: float
    text: str


class Annotations(QObject):
    """The notes of one plot.

    Parameters
    ----------
    view : PlotView
        On which they are drawn.

    Attributes
    ----------
    to_axis, from_axis : callable
        From the x of a note to that of the axis, and back.
    changed : Signal
        The user wrote, moved or removed a note.
    """

    changed = Signal()

    def __init__(self, view: PlotView) -> None:
        super().__init__(view)
        self._view = view
        self._notes: list[Placed] = []
        self._chosen = -1
        self._dragged = -1
        self._has_moved = False
        self._offset = QPointF()
        self._editor: QLineEdit | None = None
        self._edited: Placed | None = None
        self.to_axis: Callable[[float], float] = float
        self.from_axis: Callable[[float], float] = float

    @property
    def notes(self) -> tuple[Placed, ...]:
        """The notes, in the order in which they were written."""
        return tuple(self._notes)

    def set_notes(self, notes: Sequence[Placed]) -> None:
        """Show other notes."""
        self._close_editor()
        self._notes, self._chosen, self._dragged = list(notes), -1, -1
        self._view.refresh_overlays()

    # Drawing.

    def paint(self, painter: QPainter, scene: Scene) -> None:
        """Draw the notes whose points are within the axes."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, note in enumerate(self._notes):
            point = self._pixel(note)
            if note is self._edited or not scene.plot.contains(point):
                continue
            lines, box = self._laid_out(note, point, scene.plot)
            is_chosen = number in (self._chosen, self._dragged)
            edge = scene.theme.color("accent" if is_chosen else "muted")
            painter.setPen(line_pen(edge, 1.0))
            painter.drawLine(point, _nearest(box, point))
            ground = scene.theme.color("raised")
            ground.setAlphaF(0.93)
            painter.setBrush(ground)
            painter.drawRoundedRect(box, 4.0, 4.0)
            painter.setPen(line_pen(scene.theme.color("surface"), 1.4))
            painter.setBrush(scene.theme.color("text"))
            painter.drawEllipse(point, 4.0, 4.0)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inside = QPointF(box.left() + PAD.width() / 2, box.top() + PAD.height() / 2)
            for line in lines:
                line.draw(painter, inside, scene.theme.color("text"))
                inside += QPointF(0.0, line.size.height())

    def _laid_out(self, note: Placed, point: QPointF, plot: QRectF) -> tuple[list[Label], QRectF]:
        """Return the lines of a note and its box, on that side of its point where there is room."""
        widest = max(min(WIDEST, SHARE * plot.width()), 40.0)
        lines = _lines(note.text, self._view.small_font, widest)
        width = max(line.size.width() for line in lines)
        size = QSizeF(width, sum(line.size.height() for line in lines)) + PAD
        left = point.x() + AWAY
        if left + size.width() > plot.right():
            left = point.x() - AWAY - size.width()
        top = point.y() - AWAY - size.height()
        if top < plot.top():
            top = point.y() + AWAY
        left = min(max(left, plot.left() + 2), max(plot.right() - 2 - size.width(), plot.left()))
        return lines, QRectF(QPointF(left, top), size)

    def at(self, place: QPointF) -> int:
        """Return the number of the note at a place, the uppermost; -1 where there is none."""
        plot = self._view.frame.mapper.plot
        for number in range(len(self._notes) - 1, -1, -1):
            note = self._notes[number]
            point = self._pixel(note)
            if not plot.contains(point):
                continue
            away = point - place
            is_near = math.hypot(away.x(), away.y()) <= REACH
            if is_near or self._laid_out(note, point, plot)[1].contains(place):
                return number
        return -1

    def _pixel(self, note: Placed) -> QPointF:
        return self._view.frame.mapper.point(self.to_axis(note.x), note.y)

    # The pointer and the keyboard.

    def press(self, place: QPointF) -> bool:
        """Take the note at a place; returns whether there is one."""
        self._dragged = self._chosen = self.at(place)
        self._has_moved = False
        self._view.refresh_overlays()
        if self._dragged < 0:
            return False
        self._offset = self._pixel(self._notes[self._dragged]) - place
        return True

    def move(self, place: QPointF) -> bool:
        """Drag the note that was taken; returns whether one was."""
        if self._dragged < 0:
            return False
        self._put(self._dragged, place + self._offset)
        self._has_moved = True
        return True

    def release(self) -> bool:
        """Leave the note where it is; returns whether one was dragged."""
        was_dragged, self._dragged = self._dragged >= 0, -1
        if was_dragged and self._has_moved:
            self.changed.emit()
        return was_dragged

    def wants(self, key: int) -> bool:
        """Return whether a key moves, removes or releases the chosen note."""
        is_ours = key in _MOVES or key in (
            Qt.Key.Key_Delete,
            Qt.Key.Key_Backspace,
            Qt.Key.Key_Escape,
            Qt.Key.Key_F2,
        )
        return 0 <= self._chosen < len(self._notes) and is_ours

    def key(self, key: int, modifiers: Qt.KeyboardModifier) -> bool:
        """Move the chosen note a pixel (Shift: ten), remove it, write in it, or let it go."""
        if not self.wants(key):
            return False
        if key == Qt.Key.Key_Escape:
            self._chosen = -1
        elif key == Qt.Key.Key_F2:
            self.edit(self._chosen)
        elif key in _MOVES:
            far = 10.0 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0
            self._put(
                self._chosen, self._pixel(self._notes[self._chosen]) + _MOVES[Qt.Key(key)] * far
            )
            self.changed.emit()
        else:
            self.remove(self._chosen)
        self._view.refresh_overlays()
        return True

    def _put(self, number: int, to: QPointF) -> None:
        """Place a note's point at a pixel, within the axes."""
        mapper = self._view.frame.mapper
        x = min(max(to.x(), mapper.plot.left() + 1), mapper.plot.right() - 1)
        y = min(max(to.y(), mapper.plot.top() + 1), mapper.plot.bottom() - 1)
        place = self.from_axis(mapper.x_at(x)), mapper.y_at(y)
        if all(map(math.isfinite, place)):
            self._notes[number] = replace(self._notes[number], x=place[0], y=place[1])
        self._view.refresh_overlays()

    # Writing.

    @property
    def has_room(self) -> bool:
        """Whether there may be one more."""
        return len(self._notes) < MOST

    def add(self, place: QPointF) -> None:
        """Begin a note at a place within the axes."""
        self._close_editor()
        self._notes.append(Placed(0.0, 0.0, ""))
        self._put(len(self._notes) - 1, place)
        self.edit(len(self._notes) - 1)

    def edit(self, number: int) -> None:
        """Write in a note in its place: Enter ends it, Escape leaves it as it was."""
        self._close_editor()
        note = self._edited = self._notes[number]
        editor = self._editor = QLineEdit(note.text, self._view.viewport())
        editor.setMaxLength(LONGEST)
        editor.setAccessibleName("Note")
        editor.setPlaceholderText("Note, with $formulas$")
        factor, point = scaling.factor(), self._pixel(note)
        width, height = round(EDITOR * factor), editor.sizeHint().height()
        room = self._view.viewport().size()
        left = min(max(round(point.x() * factor), 0), max(room.width() - width, 0))
        top = min(max(round(point.y() * factor) - height, 0), max(room.height() - height, 0))
        editor.setGeometry(left, top, min(width, room.width()), height)
        editor.installEventFilter(self)
        editor.editingFinished.connect(self._on_written)
        editor.show()
        editor.setFocus()
        self._view.refresh_overlays()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the note as it was on Escape."""
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride):
            if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
                event.accept()
                if event.type() == QEvent.Type.KeyPress:
                    self._close_editor()
                return True
        return super().eventFilter(watched, event)

    def _on_written(self) -> None:
        editor, note = self._editor, self._edited
        if editor is None or note is None:
            return
        text = "".join(letter for letter in editor.text() if letter.isprintable()).strip()
        number = self._notes.index(note)
        if text:
            self._notes[number] = replace(note, text=text)
        self._close_editor(keep=bool(text))
        if not text and note.text:
            self.remove(number)
        elif text != note.text:
            self.changed.emit()

    def _close_editor(self, *, keep: bool = False) -> None:
        """Take the field away; a new note that has no text goes with it."""
        editor, note = self._editor, self._edited
        self._editor = self._edited = None
        if editor is None or note is None:
            return
        editor.blockSignals(True)
        had_focus = editor.hasFocus()
        editor.hide()
        editor.deleteLater()
        if had_focus:
            self._view.setFocus()
        if not keep and not note.text and note in self._notes:
            self._notes.remove(note)
        self._view.refresh_overlays()

    def remove(self, number: int) -> None:
        """Remove a note."""
        self._close_editor()
        if 0 <= number < len(self._notes):
            del self._notes[number]
            self._chosen = self._dragged = -1
            self._view.refresh_overlays()
            self.changed.emit()


def _lines(text: str, font: QFont, width: float) -> list[Label]:
    """Lay a text out in lines of at most a width, broken between words and never in a formula."""
    made: list[str] = []
    for word in _WORD.findall(text) or [text]:
        longer = f"{made[-1]} {word}" if made else word
        if made and label(longer, font).size.width() <= width:
            made[-1] = longer
        else:
            made.append(word)
    return [fitting_label(line, font, width) for line in made]


def _nearest(box: QRectF, point: QPointF) -> QPointF:
    """Return the point of a box that is nearest to another."""
    return QPointF(
        min(max(point.x(), box.left()), box.right()), min(max(point.y(), box.top()), box.bottom())
    )
