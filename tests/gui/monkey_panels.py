"""What the random user does with ensembles, digits and plots; each action says what it did."""

from __future__ import annotations

from random import Random

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from gui.window.main_window import MainWindow
from gui.window.panels import DRAWING, ENSEMBLE, THEORY
from tests.gui.monkey_hands import MODIFIERS, Eyes, Hands


class PanelActs:
    """Random actions with the panels.

    Attributes
    ----------
    window : MainWindow
    random : Random
        Of the present action.
    hands, eyes
        Of the user.
    """

    window: MainWindow
    random: Random
    hands: Hands
    eyes: Eyes

    def use_ensemble(self) -> str:
        """Make a small ensemble, or cancel one."""
        panel, tabs = self.window.panels.ensemble, self.window.docks.tabs
        if not self._is_offered(ENSEMBLE):
            return "no ensemble"
        tabs.show_page(ENSEMBLE)
        for field, most in ((panel.runs, 40), (panel.steps, 3000)):
            if self.random.random() < 0.5 and field.isVisible():
                self.hands.click(field, field.rect().center())
                self.hands.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
                self.hands.type(str(self.random.randint(0, most)))
        button = panel.cancel if panel.cancel.isEnabled() else panel.run
        if button.isVisible():
            self.hands.click(button, button.rect().center())
        if self.random.random() < 0.3:
            tabs.show_page(THEORY)
        return f"ensemble {button.text()} of {panel.runs.text()} to {panel.steps.text()}"

    def draw_digit(self) -> str:
        """Draw on the sheet, or erase."""
        if not self._is_offered(DRAWING):
            return "no sheet"
        self.window.docks.tabs.show_page(DRAWING)
        canvas = self.window.panels.digits.pad.canvas
        if not canvas.isVisible() or canvas.visibleRegion().isEmpty():
            return "the sheet is hidden"
        path = [self.eyes.point(canvas.rect()) for _ in range(self.random.randint(1, 8))]
        button = self.random.choice((Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton))
        self.hands.drag(canvas, path, button)
        return f"draw {len(path)} strokes, {button.name}"

    def _is_offered(self, name: str) -> bool:
        tabs = self.window.docks.tabs
        free = QApplication.activeModalWidget() is None
        return free and tabs.bar.isTabVisible(tabs._names.index(name))

    def use_plot(self) -> str:
        """Float, dock, hide, show, tab, zoom, or move the curve of a plot."""
        docks = list(self.window.panels.plots.docks.values())
        if not docks or QApplication.activeModalWidget() is not None:
            return "no plot"
        dock = self.random.choice(docks)
        pane, name = dock.pane, dock.objectName()  # a curve that is drawn may build others
        what = self.random.choice(("float", "hide", "show", "tab", "zoom", "pan", "show", "pan"))
        if what == "float":
            dock.set_afloat(not dock.is_afloat)
        elif what == "hide":
            dock.hide_plot()
        elif what == "show":
            dock.show()
        elif what == "tab":
            other = self.random.choice(docks)
            if other is not dock and not dock.is_afloat and not other.is_afloat:
                self.window.panels.plots._inner.tabifyDockWidget(other, dock)
        elif pane.isVisible() and not pane.visibleRegion().isEmpty():
            box = pane.visibleRegion().boundingRect()
            if what == "zoom":
                turn = self.random.choice((120, -120, 1200, -1200, -12000))
                self.hands.wheel(pane, self.eyes.point(box), turn, self.random.choice(MODIFIERS))
            else:
                self.hands.drag(pane, [self.eyes.point(box) for _ in range(4)])
        return f"{what} plot {name}"
