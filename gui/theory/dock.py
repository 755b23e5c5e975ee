"""The theory panel: what the paper predicts, what is measured, and whether assumptions hold."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine.run.snapshot import Snapshot
from gui.style import scaling
from gui.theory.bounds import BoundsCard
from gui.theory.claims import ClaimsColumn
from gui.theory.header import TheoryHeader
from gui.widgets.controls import QuietScrollArea
from gui.widgets.labels import InkLabel
from gui.widgets.words import heading

UPDATE_MS = 200
"""Texts are set at most this often; a picture that is not replaced is always shown."""
EMPTY_MS = 400
"""After `clear`, the last run stays this long, so that a restart does not flicker."""


class TheoryPanel(QWidget):
    """Phase, stability meter, bounds and claims of the run that is shown.

    Snapshots may come at the screen's rate: they are kept, and the newest is shown a few times a
    second, and only while the panel can be seen.

    Attributes
    ----------
    value_wanted : Signal(str, float)
        The user wants the parameter of this name to have this value.
    """

    value_wanted = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waiting: Snapshot | None = None
        self._shown: Snapshot | None = None
        self._stale = True
        self.header = TheoryHeader()
        self.bounds_heading = heading("Bounds")
        self.bounds = BoundsCard()
        self.bounds.value_wanted.connect(self.value_wanted)
        self.claims_heading = heading("Claims")
        self.claims = ClaimsColumn()
        self.empty = InkLabel("Bounds and claims appear with the first run.", "muted")
        self.empty.setWordWrap(True)
        body = QWidget()
        column = QVBoxLayout(body)
        scaling.margins(column, 10, 10, 10, 12)
        scaling.spacing(column, 8)
        for part in (
            self.header,
            self.bounds_heading,
            self.bounds,
            self.claims_heading,
            self.claims,
            self.empty,
        ):
            column.addWidget(part)
        column.addStretch(1)
        self._body = body
        self.area = QuietScrollArea()
        self.area.setWidget(body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.area)
        self._pace = self._timer(UPDATE_MS, self._on_pace)
        self._soon = self._timer(0, self._on_pace)
        self._emptying = self._timer(EMPTY_MS, self._wipe)
        scaling.least(self, width=280)
        self._wipe()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a picture of the run, now or with the next update."""
        self._emptying.stop()
        if self._stale or (self._shown is not None and self._shown.run_id != snapshot.run_id):
            self._stale = False
            self.header.begin_run()
        self._waiting = snapshot
        if self._pace.isActive() or self._soon.isActive() or not self.isVisible():
            return
        if self._shown is not None and self._is_laid_out_anew(snapshot):
            self._soon.start()  # the plots are drawn first
            return
        self._show_waiting()
        self._pace.start()

    def clear(self) -> None:
        """Note that the run shown is over; its texts go unless another run follows at once."""
        self._stale = True
        self._waiting = None
        self._pace.stop()
        self._soon.stop()
        self._emptying.start()

    def forget(self) -> None:
        """Show no run at once: its texts are not true of what comes next."""
        self.clear()
        self._emptying.stop()
        self._wipe()

    def flush(self) -> None:
        """Show the newest picture now."""
        if self._waiting is not None:
            self._show_waiting()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the panel was hidden."""
        super().showEvent(event)
        self.flush()

    def _timer(self, interval: int, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval)
        timer.timeout.connect(slot)
        return timer

    def _on_pace(self) -> None:
        if self._waiting is not None and self.isVisible():
            self._show_waiting()
            self._pace.start()

    def _show_waiting(self) -> None:
        snapshot, self._waiting = self._waiting, None
        assert snapshot is not None
        relaid = self._is_laid_out_anew(snapshot)
        self._shown = snapshot
        if relaid:
            self._body.setUpdatesEnabled(False)
        self.header.show_snapshot(snapshot)
        self.bounds.show_bounds(snapshot.theory)
        self.claims.show_claims(snapshot.claims)
        if relaid:
            self._show_parts(bool(snapshot.theory), bool(snapshot.claims))
            self._body.setUpdatesEnabled(True)

    def _is_laid_out_anew(self, snapshot: Snapshot) -> bool:
        """Return whether other bounds or claims are to be shown than those that are."""
        before = self._shown
        return before is None or (
            [bound.id for bound in before.theory] != [bound.id for bound in snapshot.theory]
            or [claim.id for claim in before.claims] != [claim.id for claim in snapshot.claims]
        )

    def _show_parts(self, bounds: bool, claims: bool) -> None:
        self.bounds_heading.setVisible(bounds)
        self.bounds.setVisible(bounds)
        self.claims_heading.setVisible(claims)
        self.claims.setVisible(claims)
        self.empty.setVisible(not bounds and not claims)

    def _wipe(self) -> None:
        self._shown = None
        self.header.wipe()
        self.bounds.show_bounds(())
        self.claims.show_claims(())
        self._show_parts(False, False)
