"""The button that pushes a run by a little, with a menu of how much."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu

from engine.core.change import Nudge
from engine.core.outcome import OutcomeKind
from engine.run.snapshot import Snapshot
from gui.style.icons import IconButton

SIZE = Nudge().size
SIZES = (1e-12, 1e-9, SIZE, 1e-4, 1e-2, 0.1)
"""Sizes that are offered, from far below what is seen to what is seen at once."""
_DIVERGED = "the run has diverged; begin it anew, or go back first"


class NudgeButton(IconButton):
    """Requests a nudge of the chosen size.

    Attributes
    ----------
    nudge_requested : Signal(float)
        The state is to be pushed by this share of its norm.
    reason_changed : Signal
        Whether, and why not, there is something to push.
    size_changed : Signal
        The user chose another size.
    """

    nudge_requested = Signal(float)
    reason_changed = Signal()
    size_changed = Signal()

    def __init__(self) -> None:
        super().__init__("nudge", "Nudge", "")
        self._why = self._why_now = ""
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(IconButton.ToolButtonPopupMode.MenuButtonPopup)
        self._sizes = QActionGroup(self)
        menu = QMenu("Size of the nudge", self)
        heading = menu.addAction("Share of the state's size")  # styles leave a section's text out
        heading.setEnabled(False)
        menu.addSeparator()
        for size in SIZES:
            action = QAction(Nudge(size).size_text, self._sizes)
            action.setData(size)
            action.setCheckable(True)
            action.setChecked(size == SIZE)
            menu.addAction(action)
        self._sizes.triggered.connect(self._show_tip)
        self._sizes.triggered.connect(self.size_changed)
        self.setMenu(menu)
        self.clicked.connect(lambda: self.nudge_requested.emit(self.size_chosen))
        self._show_tip()

    @property
    def size_chosen(self) -> float:
        """The push asked for, as a share of the state's norm."""
        size: float = self._sizes.checkedAction().data()
        return size

    def choose(self, size: object) -> None:
        """Set the size of pushes, if it is one that is offered."""
        for action in self._sizes.actions():
            if action.data() == size:
                action.setChecked(True)
                self._show_tip()

    @property
    def reason(self) -> str:
        """Why there is nothing to push, or nothing."""
        return self._why_now

    def set_reason(self, why: str) -> None:
        """Set why there are no pushes, as the end of a sentence; empty where there are."""
        self._why = why
        self._set_now(why)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Offer a push wherever the shown state can be pushed."""
        diverged = snapshot.outcome.kind is OutcomeKind.DIVERGED
        self._set_now(self._why or (_DIVERGED if diverged else ""))

    def forget_run(self) -> None:
        """Offer what the experiment offers: the run shown is over."""
        self._set_now(self._why)

    def _set_now(self, why: str) -> None:
        if why == self._why_now:
            return
        self._why_now = why
        self.setEnabled(not why)
        self._show_tip()
        self.reason_changed.emit()

    def _show_tip(self) -> None:
        if self._why_now:
            self.setToolTip(f"There is nothing to push: {self._why_now}")
            return
        self.setToolTip(
            f"Push the state in a random direction by {Nudge(self.size_chosen).size_text} of its "
            "size (U), to see whether the run comes back or leaves; the arrow chooses how far"
        )
