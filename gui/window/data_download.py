"""Downloads of data sets on request, beside whatever run there is; the data are used at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMenu, QWidget

from engine.core.errors import LabError
from engine.core.listing import DataSet
from engine.core.registry import Listed
from gui.run.control import RunControl
from gui.widgets.background import Background

if TYPE_CHECKING:
    from engine.core.ensemble import Progress


class DataDownload(QObject):
    """Downloads of data sets, one at a time.

    Parameters
    ----------
    experiments : sequence of Listed
        Whose data sets are offered.
    control, bridge
        Of the window.

    Attributes
    ----------
    message_requested, refused : Signal(str)
        One sentence on what was done, or could not be.
    """

    message_requested = Signal(str)
    refused = Signal(str)

    def __init__(self, experiments: Sequence[Listed], control: RunControl, window: QWidget) -> None:
        super().__init__(window)
        self._offers = [(item, data) for item in experiments for data in item.listing.data_sets]
        self._control = control
        self.background = Background(window)

    def fill(self, menu: QMenu) -> None:
        """List the data sets in a menu, which is hidden if there are none."""
        menu.setToolTipsVisible(True)
        menu.menuAction().setVisible(bool(self._offers))
        for listed, data in self._offers:
            action = menu.addAction(f"&{data.title} ({data.megabytes} MB)")
            action.setToolTip("Downloaded once, checked, and kept in your user folder")
            action.triggered.connect(
                lambda checked=False, listed=listed, data=data: self.begin(listed, data)
            )

    def begin(self, listed: Listed, data: DataSet) -> None:
        """Fetch a data set; it needs no run, and a run goes on meanwhile."""

        def fetch(progress: Progress) -> None:
            listed.load().download(data.name, progress)

        self.message_requested.emit("Downloading…")
        self.background.start(
            "Downloading…", fetch, lambda result: self._on_done(listed, data, result)
        )

    def _on_done(self, listed: Listed, data: DataSet, result: Exception | None) -> None:
        if isinstance(result, LabError):
            self.refused.emit(str(result))
            return
        if result is not None:
            raise result
        if self._control.has_experiment and self._control.experiment.id == listed.id:
            self._control.set_value("data", data.name)
        self.message_requested.emit(
            f"{data.title} is downloaded; the experiment {listed.title} offers it as the data "
            f"“{data.name}”."
        )
