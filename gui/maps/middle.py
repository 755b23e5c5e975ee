"""The middle of the window: the plots of a run, a map, or both beside each other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from gui.maps.dock import BOTH, MAP, PLOTS
from gui.style import scaling

WIDE = 760
"""Width from which the two stand side by side rather than one above the other, at a scale of 1."""
SHARE = (11, 9)
"""Room of the map and of the plots at first, in proportion to each other."""


class Middle(QSplitter):
    """Holds the map and the plots; shows one of them or both.

    Parameters
    ----------
    plots, page : QWidget
    """

    def __init__(self, plots: QWidget, page: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._plots, self._page = plots, page
        self._mode = PLOTS
        self.setChildrenCollapsible(False)
        for part in (page, plots):
            size = part.size()
            self.addWidget(part)
            part.resize(size)  # a splitter gives no room before it is shown
        self.set_mode(PLOTS)

    @property
    def mode(self) -> str:
        """What is shown: "plots", "map" or "both"."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Show the plots, the map or both."""
        self._mode = mode
        self._turn()
        self._page.setVisible(mode in (MAP, BOTH))
        self._plots.setVisible(mode in (PLOTS, BOTH))
        if mode == BOTH:
            whole = (
                self.width() if self.orientation() == Qt.Orientation.Horizontal else self.height()
            )
            self.setSizes([whole * share // sum(SHARE) for share in SHARE])

    def _turn(self) -> None:
        """Place the two as the room allows."""
        wide = self.width() >= scaling.px(WIDE) or self.width() > 1.6 * self.height()
        self.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follow the room."""
        super().resizeEvent(event)
        self._turn()
