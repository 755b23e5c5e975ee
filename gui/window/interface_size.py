"""How large the interface is: what the keys choose, and larger type on the page for an audience."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from gui.style import scaling, theme

AUDIENCE = 1.4
"""How much larger the type of the page for an audience is."""


class InterfaceSize(QObject):
    """The scale that was chosen, and that in force.

    Attributes
    ----------
    changed : Signal(float)
        Another scale is in force.
    """

    changed = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._chosen = 1.0
        self._has_audience = False

    @property
    def chosen(self) -> float:
        """The scale that was chosen, 1 for the usual size."""
        return self._chosen

    def choose(self, scale: object) -> None:
        """Choose a scale, within what is allowed; what is no number is ignored."""
        if isinstance(scale, int | float) and not isinstance(scale, bool) and scale == scale:
            self._chosen = min(max(float(scale), scaling.LEAST), scaling.MOST)
            self._apply()

    def larger(self) -> None:
        """Choose the next larger scale."""
        self.choose(scaling.neighbour(self._chosen, 1))

    def smaller(self) -> None:
        """Choose the next smaller scale."""
        self.choose(scaling.neighbour(self._chosen, -1))

    def usual(self) -> None:
        """Choose the usual size."""
        self.choose(1.0)

    def set_audience(self, has_audience: bool) -> None:
        """Enlarge everything for an audience, or no longer."""
        self._has_audience = has_audience
        self._apply()

    def _apply(self) -> None:
        before = scaling.factor()
        scaling.set_factor(self._chosen * (AUDIENCE if self._has_audience else 1.0))
        app = QApplication.instance()
        if scaling.factor() == before or not isinstance(app, QApplication):
            return
        theme.apply_theme(app, theme.current_theme())
        self.changed.emit(scaling.factor())
