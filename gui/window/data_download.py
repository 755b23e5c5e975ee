"""Fetching MNIST on request, beside whatever run there is, then used at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from engine.core.errors import LabError
from gui.run.control import RunControl
from gui.window.background import Background

if TYPE_CHECKING:
    from engine.core.ensemble import Progress

DATA_SETS = (("mnist", "&MNIST (11 MB)"), ("fashion-mnist", "&Fashion-MNIST (31 MB)"))
EXPERIMENT = "mnist"


class DataDownload(QObject):
    """Downloads of data sets, one at a time.

    Attributes
    ----------
    said, refused : Signal(str)
        One sentence on what was done, or could not be.
    """

    said = Signal(str)
    refused = Signal(str)

    def __init__(self, control: RunControl, window: QWidget) -> None:
        super().__init__(window)
        self._control = control
        self.background = Background(window)

    def fill(self, menu: QMenu) -> None:
        """List the data sets in a menu."""
        menu.setToolTipsVisible(True)
        for name, text in DATA_SETS:
            action = menu.addAction(text)
            action.setToolTip("Downloaded once, checked, and kept in your user folder")
            action.triggered.connect(lambda checked=False, name=name: self.begin(name))

    def begin(self, name: str) -> None:
        """Fetch a data set; it needs no run, and a run goes on meanwhile."""

        def fetch(progress: Progress) -> Path:
            from engine.experiments.mnist import datasets

            return datasets.download(name, progress=progress)

        self.said.emit("Downloading…")
        self.background.start("Downloading…", fetch, lambda result: self._on_done(name, result))

    def _on_done(self, name: str, result: Path | Exception) -> None:
        if isinstance(result, LabError):
            self.refused.emit(str(result))
            return
        if isinstance(result, Exception):
            raise result
        if self._control.has_experiment and self._control.experiment.id == EXPERIMENT:
            self._control.set_value("data", name)
        self.said.emit(f"{name} is here; the MNIST experiment finds it as the data “{name}”.")
