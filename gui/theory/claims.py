"""The paper's claims against the run: assumptions as lamps, prediction, measurement, verdict."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from engine.core.claims import Claim, Lamp
from engine.text.mathtext import to_plain
from gui.style import scaling
from gui.style.ink import ink
from gui.style.scaling import px
from gui.widgets.cards import Arrow, Card, Clickable
from gui.widgets.controls import tint
from gui.widgets.glyphs import LAMPS, VERDICTS, Badge, LampDot, LampRow
from gui.widgets.labels import InkLabel
from gui.widgets.words import SMALL, Words, bold, typeset


class LampLine(QWidget):
    """One assumption with its lamp and what was measured of it."""

    def __init__(self) -> None:
        super().__init__()
        self.dot = LampDot()
        self.text = Words()
        self.detail = Words("muted", fine=True)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        scaling.across(grid, 8)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.dot, 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.text, 0, 1)
        grid.addWidget(self.detail, 1, 1)

    def show_lamp(self, lamp: Lamp) -> None:
        """Show an assumption."""
        self.dot.show_lamp(lamp)
        self.text.say(lamp.name)
        self.text.name(f"{to_plain(lamp.name)}: {LAMPS[lamp.on][2]}")
        self.detail.say(lamp.detail)
        self.detail.setVisible(bool(lamp.detail))


class Note(QWidget):
    """A remark set apart: what the paper's statement needs to be right."""

    def __init__(self) -> None:
        super().__init__()
        self.words = Words(fine=True)
        layout = QVBoxLayout(self)
        scaling.margins(layout, 12, 6, 8, 6)
        layout.addWidget(self.words)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw a tint and a bar at the side."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint(0.08, "bound"))
        painter.drawRoundedRect(QRectF(self.rect()), px(4), px(4))
        painter.setBrush(ink("bound"))
        painter.drawRoundedRect(QRectF(0, 0, px(3), self.height()), px(1.5), px(1.5))
        painter.end()


class ClaimCard(Card):
    """One claim: title, source and verdict; on demand all the rest."""

    def __init__(self, claim: Claim, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._claim: Claim | None = None
        self.title = InkLabel()
        self.title.setWordWrap(True)
        self.title.setFont(bold(self.title.font()))
        self.badge = Badge()
        self.source = InkLabel("", "muted")
        self.source.setWordWrap(True)
        scaling.font(self.source, SMALL)
        self.lamps = LampRow()
        self.arrow = Arrow()
        self.body = QWidget()
        self.body.hide()
        self.arrow.toggled.connect(self.body.setVisible)
        self.statement = Words()
        self._lamp_column = QVBoxLayout()
        self.lines: list[LampLine] = []
        self.predicted, self.measured = Words(), Words()
        self.note = Note()
        self._lay_out_head()
        self._lay_out_body()
        self.show_claim(claim)

    def _lay_out_head(self) -> None:
        head = Clickable(self.arrow)
        grid = QGridLayout(head)
        grid.setContentsMargins(0, 0, 0, 0)
        scaling.across(grid, 8)
        scaling.down(grid, 4)
        grid.setColumnStretch(0, 1)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(self.title, 0, 0)
        grid.addWidget(self.arrow, 0, 1, top | Qt.AlignmentFlag.AlignRight)
        foot = QHBoxLayout()
        scaling.spacing(foot, 8)
        foot.addWidget(self.badge)
        foot.addWidget(self.lamps)
        foot.addStretch(1)
        grid.addWidget(self.source, 1, 0, 1, 2)
        grid.addLayout(foot, 2, 0, 1, 2)
        self.column.addWidget(head)

    def _lay_out_body(self) -> None:
        layout = QVBoxLayout(self.body)
        scaling.margins(layout, 0, 4, 0, 2)
        scaling.spacing(layout, 8)
        layout.addWidget(self.statement)
        scaling.spacing(self._lamp_column, 5)
        layout.addLayout(self._lamp_column)
        pair = QGridLayout()
        scaling.across(pair, 10)
        scaling.down(pair, 4)
        pair.setColumnStretch(1, 1)
        for row, (name, words) in enumerate(
            (("Predicted", self.predicted), ("Measured", self.measured))
        ):
            label = InkLabel(name, "muted")
            scaling.font(label, SMALL)
            label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
            label.setAlignment(Qt.AlignmentFlag.AlignTop)
            words.name(name)
            pair.addWidget(label, row, 0)
            pair.addWidget(words, row, 1)
        layout.addLayout(pair)
        layout.addWidget(self.note)
        self.column.addWidget(self.body)

    @property
    def claim(self) -> Claim | None:
        """The claim that is shown."""
        return self._claim

    def show_claim(self, claim: Claim) -> None:
        """Show a claim; only what differs is touched."""
        if claim == self._claim:
            return
        before, self._claim = self._claim, claim
        if before is None or before.title != claim.title:
            typeset(self.title, claim.title)
        if before is None or before.source != claim.source:
            typeset(self.source, claim.source)
        self.badge.show_word(str(claim.verdict), *VERDICTS[claim.verdict])
        self.lamps.show_lamps(claim.assumptions)
        self.arrow.setAccessibleName(f"{to_plain(claim.title)}: {claim.verdict}")
        self.arrow.setToolTip("Show assumptions, prediction and measurement")
        self.statement.say(claim.statement)
        self._show_lamps(claim.assumptions)
        self.predicted.say(claim.predicted)
        self.measured.say(claim.measured)
        self.note.words.say(claim.note)
        self.note.setVisible(bool(claim.note))

    def _show_lamps(self, lamps: Sequence[Lamp]) -> None:
        while len(self.lines) > len(lamps):
            line = self.lines.pop()
            self._lamp_column.removeWidget(line)
            line.hide()
            line.deleteLater()
        while len(self.lines) < len(lamps):
            self.lines.append(LampLine())
            self._lamp_column.addWidget(self.lines[-1])
        for line, lamp in zip(self.lines, lamps, strict=True):
            line.show_lamp(lamp)


class ClaimsColumn(QWidget):
    """All claims; cards are made for new claims only, and stay unfolded by id."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: dict[str, ClaimCard] = {}
        self._opened: set[str] = set()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        scaling.spacing(self._column, 8)

    def show_claims(self, claims: Sequence[Claim]) -> None:
        """Show claims."""
        if list(self.cards) != [claim.id for claim in claims]:
            self._rebuild(claims)
        for claim in claims:
            self.cards[claim.id].show_claim(claim)

    def _rebuild(self, claims: Sequence[Claim]) -> None:
        before, ids = self.cards, {claim.id for claim in claims}
        for key, card in before.items():
            if card.arrow.isChecked():
                self._opened.add(key)
            else:
                self._opened.discard(key)
            self._column.removeWidget(card)
            if key not in ids:
                card.hide()
                card.deleteLater()
        self.cards = {}
        for claim in claims:
            card = before.get(claim.id) or ClaimCard(claim)
            card.arrow.setChecked(claim.id in self._opened)
            self.cards[claim.id] = card
            self._column.addWidget(card)
            card.show()  # now, not when the layout gets to it: no empty frame between
