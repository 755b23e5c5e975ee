"""Below the form: the seed, a new one, and the way back to the defaults."""

from __future__ import annotations

import secrets

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from engine.core.errors import InputError
from engine.text.arithmetic import NumberError, read_whole
from gui.form.spin import NumberBox
from gui.style import scaling
from gui.style.ink import ink
from gui.widgets.focus import FieldLabel, mark
from gui.widgets.labels import InkLabel

LARGEST_SEED = 2**63 - 1


class FormFooter(QWidget):
    """Seed and reset.

    Attributes
    ----------
    seed_edited : Signal(object)
        The user gave another seed, an int that may exceed 32 bits.
    reset_requested : Signal
        The user wants the defaults.
    refused : Signal(str)
        One sentence on a text that is no seed.
    error_cleared : Signal(str)
        That sentence is no longer true.
    """

    seed_edited = Signal(object)
    reset_requested = Signal()
    refused = Signal(str)
    error_cleared = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._seed = 0
        self.box = NumberBox(whole=True)
        self.box.name("Seed", "Where all randomness of a run begins: the same seed, the same run.")
        self.box.setToolTip("The same seed and parameters give the same run, bit for bit.")
        self.box.show_text("0")
        self.new = self._button("New", "Take a seed at random and begin a new run")
        self.new.setAccessibleName("New seed")
        self.reset = self._button("Defaults", "Give every parameter its default")
        self.error = InkLabel("", "bad")
        self.error.setWordWrap(True)
        self.error.hide()
        layout = QGridLayout(self)
        scaling.margins(layout, 14, 8, 14, 8)
        scaling.across(layout, 8)
        scaling.down(layout, 6)
        layout.setColumnStretch(1, 1)
        layout.addWidget(FieldLabel("Seed", self.box), 0, 0)
        layout.addWidget(self.box, 0, 1)
        layout.addWidget(self.new, 0, 2)
        layout.addWidget(self.reset, 0, 3)
        layout.addWidget(self.error, 1, 0, 1, 4)
        self.box.entered.connect(self._on_entered)
        self.box.textEdited.connect(self._on_typed)
        self.box.abandoned.connect(self._on_abandoned)
        self.box.stepped.connect(self._on_stepped)
        self.new.clicked.connect(self._on_new)
        self.reset.clicked.connect(self.reset_requested)

    @property
    def seed(self) -> int:
        """The seed in force."""
        return self._seed

    def set_seed(self, seed: int) -> None:
        """Show a seed without a signal."""
        self._seed = seed
        self._mark("")
        self.box.show_text(str(seed))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line that parts it from the fields, which scroll."""
        painter = QPainter(self)
        painter.setPen(QPen(ink("border"), 1))
        painter.drawLine(0, 0, self.width(), 0)
        painter.end()

    def _button(self, text: str, tip: str) -> QPushButton:
        button = QPushButton(text)
        button.setToolTip(tip)
        button.setAccessibleName(text)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _mark(self, sentence: str) -> None:
        before = self.error.text()
        if before and before != sentence:
            self.error_cleared.emit(before)
        self.error.setText(sentence)
        self.error.setVisible(bool(sentence))
        mark(self.box, bool(sentence))

    def _give(self, seed: int) -> None:
        self._mark("")
        if seed != self._seed:
            self._seed = seed
            self.seed_edited.emit(seed)

    @staticmethod
    def _read(text: str) -> int | None:
        try:
            seed = read_whole(text)
        except NumberError:
            return None
        return seed if 0 <= seed <= LARGEST_SEED else None

    def _on_typed(self, text: str) -> None:
        if self._read(text) is not None:
            self._mark("")

    def _on_entered(self, text: str) -> None:
        seed = self._read(text)
        if seed is None:
            error = InputError("Seed", text, f"give a whole number from 0 to {LARGEST_SEED}")
            self._mark(str(error))
            self.refused.emit(str(error))
            return
        self.box.keep_text()
        self._give(seed)

    def _on_abandoned(self) -> None:
        self.set_seed(self._seed)

    def _on_stepped(self, count: int, exponent: int) -> None:
        seed = self._seed + count * 10 ** max(exponent, 0)
        seed = min(max(seed, 0), LARGEST_SEED)
        self.box.show_text(str(seed))
        self._give(seed)

    def _on_new(self) -> None:
        seed = secrets.randbelow(1_000_000)
        self.box.show_text(str(seed))
        self._give(seed)
