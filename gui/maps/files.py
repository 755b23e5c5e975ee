"""Files of the map on screen, its zoom as a film, and the command that makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu

from engine.core.errors import LabError
from engine.maps.export import command
from engine.maps.shown import finest
from gui.maps import export
from gui.maps.history import History
from gui.maps.page import MapPage
from gui.maps.source import MapSource


class MapFiles(QObject):
    """Writes the map that a page shows.

    Parameters
    ----------
    page : MapPage
    source : MapSource
    history : callable
        Returns the parts of the map that were asked for.

    Attributes
    ----------
    message_requested : Signal(str)
        One sentence for the status bar.
    """

    message_requested = Signal(str)

    def __init__(
        self,
        page: MapPage,
        source: MapSource,
        history: Callable[[], History],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._page, self._source, self._history = page, source, history

    def fill(self, menu: QMenu) -> None:
        """Fill the menu of exports."""
        shown = self._page.shown
        for text, kind in (
            ("Figure (PNG, SVG, PDF)…", "figure"),
            ("Data (NPZ)…", "data"),
            ("Shares of the classes (CSV)…", "shares"),
        ):
            action = menu.addAction(text)
            action.setEnabled(shown is not None)
            action.triggered.connect(lambda checked=False, kind=kind: self._ask_file(kind))
        menu.actions()[-1].setVisible(shown is None or bool(shown.picture.swatches))
        film = menu.addAction("Animate the zoom…")
        film.setToolTip("A film of the way from all of the map to the part that is shown")
        film.setEnabled(shown is not None)
        film.triggered.connect(self.show_zoom)
        copy = menu.addAction("Copy the command")
        copy.setToolTip("The command that makes this map without a window")
        copy.setEnabled(shown is not None)
        copy.triggered.connect(self.copy_command)

    def _ask_file(self, kind: str) -> None:
        shown = self._page.shown
        if shown is None:
            return
        dialog = QFileDialog(self._page, "Export the map")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(export.FILTERS[kind]))
        dialog.setDefaultSuffix(export.SUFFIXES[kind])
        dialog.selectFile(f"{shown.spec.experiment}-{shown.spec.kind}.{export.SUFFIXES[kind]}")
        dialog.fileSelected.connect(lambda path: self.write(kind, Path(path)))
        dialog.open()

    def write(self, kind: str, path: Path) -> None:
        """Write the map to a file, beside the window's thread."""
        shown = self._page.shown
        if shown is None:
            return
        copy = finest(shown)

        def then(result: Exception | None) -> None:
            if isinstance(result, LabError):
                self.message_requested.emit(str(result))
            elif isinstance(result, Exception):
                self.message_requested.emit(f"{path.name} could not be written.")
            else:
                self.message_requested.emit(f"{path.name} is written.")

        self._source.ask(lambda: export.write(kind, path, copy), then)

    def show_zoom(self) -> None:
        """Offer the way from the whole map to the part that is shown as a film."""
        from gui.maps.zoom import ZoomDialog

        shown, history = self._page.shown, self._history()
        home, part = history.home, history.present
        if shown is None or home is None or part is None or part == home:
            self.message_requested.emit(
                "Zoom into the map first: the film goes from all of it to the part that is shown."
            )
            return
        spec = replace(shown.spec, x=home.x, y=home.y)
        ZoomDialog(spec, part, self._page.window()).show()

    def copy_command(self) -> None:
        """Copy the command that makes the part of the map that is asked for."""
        shown, part = self._page.shown, self._history().present
        if shown is not None:
            spec = shown.spec if part is None else replace(shown.spec, x=part.x, y=part.y)
            QGuiApplication.clipboard().setText(command(spec))
            self.message_requested.emit("The command is in the clipboard.")
