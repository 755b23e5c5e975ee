"""The room of the window: what is left out where it is small, and the page for an audience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from gui.story.player import StoryPlayer
from gui.style import scaling
from gui.window.docks import HIGH, WIDE, Docks, Fit
from gui.window.header import Header
from gui.window.hints import HintBar
from gui.window.interface_size import InterfaceSize
from gui.window.status import StatusBar

if TYPE_CHECKING:
    from gui.window.panels import Panels


class Room(QObject):
    """Fits the parts of the window into its size.

    Parameters
    ----------
    window : QMainWindow
    docks, header, hint_bar, status, story, size
        Its parts.

    Attributes
    ----------
    panels : Panels or None
        Set by the window once it has them.
    has_audience : bool
        Whether the page for an audience is shown.
    """

    def __init__(
        self,
        window: QMainWindow,
        *,
        docks: Docks,
        header: Header,
        hint_bar: HintBar,
        status: StatusBar,
        story: StoryPlayer,
        size: InterfaceSize,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._header = header
        self._hint_bar = hint_bar
        self._status = status
        self._story = story
        self._size = size
        self.panels: Panels | None = None
        self.has_audience = False
        story.playing_changed.connect(lambda playing: self.fit())

    def fit(self) -> None:
        """Hide or stack docks where the window is small at its scale, or before an audience."""
        factor = scaling.factor()
        width, height = self._window.width() / factor, self._window.height() / factor
        fit = Fit(width < WIDE, height < HIGH, self.has_audience)
        self._docks.make_room(fit)
        self._header.show_experiments_button(fit.is_narrow or fit.has_audience)
        self._header.set_short(fit.is_short and not fit.has_audience)
        self._hint_bar.set_room(not fit.is_short and not self._story.is_playing)

    def rescale(self) -> None:
        """Follow a new size of the interface."""
        self._docks.rescale()
        self.fit()
        if self.panels is not None and not self.has_audience:
            self.panels.rescale()

    def set_audience(self, on: bool) -> None:
        """Show the page for an audience on the whole screen, or go back to a window.

        It has the plots, the transport and the step size in large type, and nothing else.
        """
        if on == self.has_audience:
            return
        self.has_audience = on
        if self.panels is not None:
            self.panels.show_audience_layout(on)
        for part in (self._window.menuBar(), self._status):
            part.setVisible(not on)
        if self.panels is not None:
            self.panels.step_bar.setVisible(on)
        self._size.set_audience(on)
        self.fit()
        if on:
            self._window.showFullScreen()
        else:
            self._window.showNormal()
        self._window.setFocus()
