"""The theme that was chosen, which may be that of the system."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from gui.style import theme

SYSTEM = "system"


class ThemeChoice(QObject):
    """Applies the theme that is chosen, and follows the system where that is the choice.

    Attributes
    ----------
    chosen : Signal(str)
        Name of the choice: "light", "dark" or "system".
    """

    chosen = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = SYSTEM
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._on_scheme_changed)

    def set(self, name: str) -> None:
        """Apply a theme: "light", "dark" or "system"."""
        self._name = name
        self.chosen.emit(name)
        app = QApplication.instance()
        found = theme.THEMES.get(name) or theme.system_theme()
        is_styled = isinstance(app, QApplication) and bool(app.styleSheet())
        if isinstance(app, QApplication) and not (is_styled and found is theme.current_theme()):
            theme.apply_theme(app, found)

    def _on_scheme_changed(self) -> None:
        if self._name == SYSTEM:
            # Not within the system's own signal: Qt is still changing its palette.
            QTimer.singleShot(0, self, lambda: self.set(SYSTEM))
