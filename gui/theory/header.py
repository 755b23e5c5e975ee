"""The head of the theory panel: phase, period, Lyapunov exponent, and the stability meter."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from engine.core.outcome import Outcome, Standing
from engine.run.snapshot import Snapshot, Status
from engine.text.numbers import short, whole
from gui.style import scaling
from gui.theory.meter import StabilityMeter
from gui.theory.stability import optimiser_of, stability_of
from gui.widgets.cards import Card
from gui.widgets.glyphs import OUTCOMES, STANDINGS, Badge
from gui.widgets.labels import InkLabel, Line
from gui.widgets.words import SMALL, Words

_NOT_STARTED = ("not started", "muted", "dash")
MOST_POINTS = 8
"""Points of a cycle that are listed."""


def style_of(outcome: Outcome) -> tuple[str, str]:
    """Choose colour and shape of a phase: green is kept for what approaches the target."""
    return STANDINGS.get(outcome.standing) or OUTCOMES[outcome.kind]


class TheoryHeader(Card):
    """What the recent steps show, in one glance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.badge = Badge()
        self.badge.show_word(*_NOT_STARTED)
        self.step = Line("muted", "right")
        scaling.font(self.step, SMALL)
        self.message = Words("muted", steady=True)
        self.meter = StabilityMeter()
        self.meter.hide()
        self._facts = QWidget()
        self._grid = QGridLayout(self._facts)
        self._grid.setContentsMargins(0, 0, 0, 0)
        scaling.across(self._grid, 12)
        scaling.down(self._grid, 2)
        self._grid.setColumnStretch(1, 1)
        self._names: dict[Words, InkLabel] = {}
        self.lyapunov = self._fact(0, "Lyapunov exponent")
        self.period = self._fact(1, "Period")
        self.orbit = self._fact(2, "Orbit")
        self._show_cycle(False)
        self._show_exponent(False)
        line = QHBoxLayout()
        line.addWidget(self.badge)
        line.addStretch(1)
        line.addWidget(self.step, 0, Qt.AlignmentFlag.AlignTop)
        self.column.addLayout(line)
        self.column.addWidget(self.message)
        self.column.addWidget(self._facts)
        self.column.addWidget(self.meter)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show how the run stands."""
        outcome = snapshot.outcome
        ended = snapshot.status in (Status.FINISHED, Status.FAILED)
        begun = snapshot.step > 0 or ended or outcome.standing.is_precarious
        if begun:
            role, glyph = style_of(outcome)
            word = outcome.phase or str(outcome.kind).replace("_", " ")
            self.badge.show_word(word, role, glyph)
        else:  # whatever the experiment says of its start: nothing has converged yet
            self.badge.show_word(*_NOT_STARTED)
        self.step.say(f"k = {whole(snapshot.cursor)}")
        unstable = outcome.standing is Standing.AT_UNSTABLE_MINIMUM
        hint = " Nudge it (U) to see it leave." if unstable else ""
        self.message.say(outcome.message + hint)
        self._show_facts(outcome)
        measured, predicted, spread = stability_of(snapshot)
        self.meter.setVisible(measured is not None or predicted is not None)
        self.meter.show_optimiser(optimiser_of(snapshot))
        self.meter.show_values(measured, predicted, spread, begun, outcome.standing)

    def begin_run(self) -> None:
        """Forget what the texts of the last run needed."""
        self.message.forget_height()
        self._show_cycle(False)

    def wipe(self) -> None:
        """Show that there is no run."""
        self.badge.show_word(*_NOT_STARTED)
        self.step.say("", forget=True)
        self.message.say("")
        for label in (self.period, self.lyapunov, self.orbit):
            label.say("—")
        self._show_exponent(False)
        self.meter.hide()

    def _show_facts(self, outcome: Outcome) -> None:
        self.period.say("—" if outcome.period is None else str(outcome.period))
        exponent = outcome.lyapunov
        if exponent is not None:
            self._show_exponent(True)  # and from now on, so that nothing jumps
        error = outcome.exponents[0].error if outcome.exponents else None
        spread = "" if not error else f" ± {short(error, 2)}"
        self.lyapunov.say("—" if exponent is None else f"{short(exponent, 4)}{spread} per step")
        self.lyapunov.setToolTip("\n".join(str(item) for item in outcome.exponents))
        points = ", ".join(short(point, 6) for point in outcome.orbit[:MOST_POINTS])
        more = ", …" if len(outcome.orbit) > MOST_POINTS else ""
        self.orbit.say(points + more if points else "—")
        name = f"Orbit of {outcome.orbit_of}" if points else "Orbit"
        if self._names[self.orbit].text() != name:
            self._names[self.orbit].setText(name)
        if outcome.period is not None or points:
            self._show_cycle(True)  # and until the next run, so that nothing jumps

    def _show_exponent(self, shown: bool) -> None:
        """Show the exponent where the experiment has one."""
        self.lyapunov.setVisible(shown)
        self._names[self.lyapunov].setVisible(shown)

    def _show_cycle(self, shown: bool) -> None:
        for words in (self.period, self.orbit):
            words.setVisible(shown)
            self._names[words].setVisible(shown)

    def _fact(self, row: int, name: str) -> Words:
        label = InkLabel(name, "muted")
        scaling.font(label, SMALL)
        label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        value = Words(fine=True, steady=True)
        value.say("—")
        value.name(name)
        self._names[value] = label
        self._grid.addWidget(label, row, 0)
        self._grid.addWidget(value, row, 1)
        return value
