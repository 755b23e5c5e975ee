"""The search for branches on an orbit diagram: beside the window, with its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.core.errors import LabError
from engine.maps.spec import MapSpec
from engine.text.numbers import whole
from gui.maps.source import MapSource

if TYPE_CHECKING:
    from engine.maps.branches import Branches, BranchSpec


class BranchSearch(QObject):
    """Searches for the branches over the horizontal axis of an orbit diagram, one at a time.

    Attributes
    ----------
    found : Signal(tuple of Overlay)
        What is to be drawn.
    said : Signal(str)
        How far the search is, or what came of it.
    """

    found = Signal(object)
    said = Signal(str)

    def __init__(self, source: MapSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self._number = 0
        self._wanted: BranchSpec | None = None
        self._branches: Branches | None = None

    def begin(self, spec: MapSpec) -> None:
        """Search over the axis of a map, unless that was done for the same already."""
        from engine.maps.branches import BranchSpec

        wanted = BranchSpec(
            experiment=spec.experiment,
            params=spec.params,
            seed=spec.seed,
            name=spec.x.name,
            low=spec.x.low,
            high=spec.x.high,
        )
        if wanted == self._wanted:
            if self._branches is not None:
                self._show(self._branches, spec.y.name)
            return
        self._number += 1
        number, self._wanted, self._branches = self._number, wanted, None
        self.said.emit("Searching for branches…")
        self._source.ask(
            lambda: self._find(wanted, number),
            lambda found: self._on_found(found, number, spec.y.name),
            is_long=True,
        )

    def stop(self) -> None:
        """Stop, and forget what was found."""
        self._number += 1
        self._wanted = self._branches = None
        self.said.emit("")
        self.found.emit(())

    def _find(self, wanted: BranchSpec, number: int) -> Branches | None:
        """Search, on a thread beside the window's."""
        from engine.maps.tree import find

        def progress(share: float, text: str) -> bool:
            self._source.tell(lambda: self._on_progress(number, share))
            return number == self._number

        return find(wanted, progress) if number == self._number else None

    def _on_progress(self, number: int, share: float) -> None:
        if number == self._number and self._branches is None:
            self.said.emit(f"Branches: {100 * share:.0f} %")

    def _on_found(self, found: Branches | Exception | None, number: int, observable: str) -> None:
        if number != self._number or found is None:
            return
        if isinstance(found, Exception):
            self._wanted = None
            is_known = isinstance(found, LabError)
            self.said.emit(str(found) if is_known else "The branches could not be found.")
            return
        self._branches = found
        self._show(found, observable)

    def _show(self, found: Branches, observable: str) -> None:
        coordinate = found.coordinate(observable)
        if coordinate is None:
            self.found.emit(())
            self.said.emit("Branches are drawn where a coordinate is the observable.")
            return
        self.found.emit(found.overlays(coordinate))
        count = len(found.curves)
        said = [f"{whole(count)} branch{'' if count == 1 else 'es'} of cycles up to period 8."]
        said += [
            f"{lamp.name}: {'no' if lamp.on is False else 'not known'}"
            + (f", {lamp.detail}." if lamp.detail else ".")
            for lamp in found.lamps
            if not lamp.on
        ]
        self.said.emit(" ".join([*said, *found.notes]))
