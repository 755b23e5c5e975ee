"""What is searched for on a map, beside the window: branches, or curves of flips and folds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from engine.core.errors import LabError
from engine.maps.kind import Overlay
from engine.maps.spec import MapSpec
from engine.text.numbers import whole
from gui.maps.source import MapSource

if TYPE_CHECKING:
    from engine.analysis.curves import BifurcationCurve
    from engine.maps.branches import Branches

SEARCHED = {"orbit": "Branches", "stability": "Flips and folds"}
"""What is searched for on which kinds of map."""


class CurveSearch(QObject):
    """Searches on one map at a time: in an orbit diagram for the branches over its horizontal axis.

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
        self._wanted: MapSpec | None = None
        self._branches: Branches | None = None

    def begin(self, spec: MapSpec) -> None:
        """Search on a map, unless that was done for the same already."""
        wanted = replace(spec, y=spec.x) if spec.kind == "orbit" else spec
        if wanted == self._wanted:
            if self._branches is not None:
                self._show(self._branches, spec.y.name)
            return
        self._number += 1
        number, self._wanted, self._branches = self._number, wanted, None
        self.said.emit(f"{SEARCHED[spec.kind]}: searching…")
        self._source.ask(
            lambda: self._find(spec, number),
            lambda found: self._on_found(found, number, spec),
            is_long=True,
        )

    def stop(self) -> None:
        """Stop, and forget what was found."""
        if self._wanted is None:
            return
        self._number += 1
        self._wanted = self._branches = None
        self.said.emit("")
        self.found.emit(())

    def _find(self, spec: MapSpec, number: int) -> Branches | tuple[BifurcationCurve, ...] | None:
        """Search, on a thread beside the window's."""
        from engine.maps import loci, tree
        from engine.maps.branches import BranchSpec

        def progress(share: float, text: str) -> bool:
            self._source.tell(lambda: self._on_progress(number, spec, share))
            return number == self._number

        def partly(branches: Branches) -> None:
            self._source.tell(lambda: self._on_part(number, spec, branches))

        if number != self._number:
            return None
        if spec.kind == "orbit":
            return tree.find(BranchSpec.of(spec), progress, partly)
        return loci.find(spec, progress)

    def _on_progress(self, number: int, spec: MapSpec, share: float) -> None:
        if number == self._number:
            self.said.emit(f"{SEARCHED[spec.kind]}: {100 * share:.0f} %")

    def _on_part(self, number: int, spec: MapSpec, branches: Branches) -> None:
        coordinate = branches.coordinate(spec.y.name)
        if number == self._number and coordinate is not None:
            self.found.emit(branches.overlays(coordinate))

    def _on_found(
        self,
        found: Branches | tuple[BifurcationCurve, ...] | Exception | None,
        number: int,
        spec: MapSpec,
    ) -> None:
        if number != self._number or found is None:
            return
        if isinstance(found, Exception):
            self._wanted = None
            is_known = isinstance(found, LabError)
            self.said.emit(str(found) if is_known else "The search failed.")
        elif isinstance(found, tuple):
            self._show_loci(found)
        else:
            self._branches = found
            self._show(found, spec.y.name)

    def _show_loci(self, found: tuple[BifurcationCurve, ...]) -> None:
        from engine.maps import loci

        overlays: tuple[Overlay, ...] = loci.overlays(found)
        self.found.emit(overlays)
        count = len(found)
        self.said.emit(
            f"{whole(count)} curve{'' if count == 1 else 's'} of flips and folds of cycles up to "
            "period 4."
        )

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
