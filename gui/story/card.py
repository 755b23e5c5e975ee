"""The card of a scene: what it says, what to do, a question, and the way to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.style import scaling
from gui.style.icons import IconButton
from gui.typeset.sentence import Sentence

if TYPE_CHECKING:
    from engine.storage.story import Scene  # which takes longer to load than the window

SIDE_BY_SIDE = 900
"""Width, at a scale of 1, from which the text and what to do stand side by side."""


class StoryCard(QFrame):
    """One scene of a story; hidden while none is played.

    Attributes
    ----------
    next_requested, back_requested, close_requested : Signal
        A button was pressed.
    reveal_requested : Signal
        The answer to the scene's question is wanted.
    """

    next_requested = Signal()
    back_requested = Signal()
    reveal_requested = Signal()
    close_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("storyCard")
        self.heading = QLabel()
        self.heading.setObjectName("heading")
        self.place = QLabel()
        self.place.setObjectName("hint")
        self.text, self.do = Sentence("text"), Sentence("accent")
        self.ask, self.answer = Sentence("text"), Sentence("text")
        self.reveal_button = QPushButton("Reveal")
        self.reveal_button.setToolTip("Show the answer (Page down)")
        self.back_button = QPushButton("Back")
        self.back_button.setToolTip("The scene before (Page up)")
        self.next_button = QPushButton("Next")
        self.next_button.setToolTip("The next scene (Page down)")
        self.close_button = IconButton("close", "Leave the story", "Leave the story", size=16)
        self.reveal_button.clicked.connect(self.reveal_requested)
        self.back_button.clicked.connect(self.back_requested)
        self.next_button.clicked.connect(self.next_requested)
        self.close_button.clicked.connect(self.close_requested)
        for button in (self.reveal_button, self.back_button, self.next_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the run
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        scaling.spacing(head, 10)
        head.addWidget(self.heading)
        head.addWidget(self.place)
        head.addStretch(1)
        for button in (self.back_button, self.next_button, self.close_button):
            head.addWidget(button)
        question = QHBoxLayout()
        scaling.spacing(question, 8)
        question.addWidget(self.ask, 1)
        question.addWidget(self.reveal_button, 0, Qt.AlignmentFlag.AlignTop)
        aside = QVBoxLayout()
        scaling.spacing(aside, 6)
        aside.addWidget(self.do)
        aside.addLayout(question)
        aside.addWidget(self.answer)
        aside.addStretch(1)
        said = QVBoxLayout()
        said.addWidget(self.text)
        said.addStretch(1)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        scaling.spacing(self._body, 24)
        self._body.addLayout(said, 3)
        self._body.addLayout(aside, 2)
        column = QVBoxLayout(self)
        scaling.margins(column, 14, 8, 10, 10)
        scaling.spacing(column, 6)
        column.addLayout(head)
        column.addLayout(self._body)

    def show_scene(self, scene: Scene, number: int, count: int, *, revealed: bool) -> None:
        """Show a scene, the `number`-th of `count` counted from 1."""
        self.heading.setText(scene.title)
        self.place.setText(f"{number} of {count}")
        self.text.say(scene.text)
        self.do.say(scene.do)
        self.do.setVisible(bool(scene.do))
        asks = bool(scene.ask)
        self.ask.say(scene.ask)
        self.answer.say(scene.reveal)
        self.ask.setVisible(asks)
        self.reveal_button.setVisible(asks and not revealed)
        self.answer.setVisible(asks and revealed)
        self.back_button.setEnabled(number > 1)
        self.next_button.setText("Next" if number < count else "Finish")
        self.setAccessibleName(f"{scene.title}, scene {number} of {count}")
        self.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the two parts where there is no room side by side."""
        super().resizeEvent(event)
        wide = self.width() >= scaling.px(SIDE_BY_SIDE)
        way = QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom
        if self._body.direction() != way:
            self._body.setDirection(way)
            scaling.spacing(self._body, 24 if wide else 6)
