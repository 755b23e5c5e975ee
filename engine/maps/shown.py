"""A map as far as it is made, as a window shows it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import LabError
from engine.maps.colors import Palette, hexadecimal
from engine.maps.kind import Overlay, Prepared
from engine.maps.picture import Picture, layers_of
from engine.maps.spec import MapSpec

State = Literal["making", "done", "cancelled"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a map is to be drawn.

    Attributes
    ----------
    palette : Palette
    layer : str
        Name of the field that is drawn; the map's usual one if there is none of that name.
    ends : tuple of float or None
        Ends of the observable's axis of an orbit diagram; those of the map if None.
    rows : int
        Rows of the picture of an orbit diagram.
    """

    palette: Palette
    layer: str = ""
    ends: tuple[float, float] | None = None
    rows: int = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MapShown:
    """A map as far as it is made.

    Attributes
    ----------
    number : int
        Of the request.
    spec : MapSpec
    prepared : Prepared
    stride : int
        Cells of the map that a cell of the arrays stands for; 1 at the end.
    arrays : mapping of str to ndarray
        Fields by name, shape (rows, columns) or (rows, columns, width); one row in an orbit
        diagram.
    known : ndarray of bool, shape (rows, columns)
        Cells that are computed; the others repeat a neighbour.
    look : Look
        How `picture` is drawn.
    picture : Picture
    overlays : tuple of Overlay
        The theory's curves.
    found : tuple of Overlay
        Curves that the cells show, once all are computed.
    done : float
        Share of the cells, 0 to 1.
    seconds : float
        Spent on its cells.
    seconds_left : float or None
        None where that is not known.
    state : {"making", "done", "cancelled"}
    drawn : object
        What whoever asked for the map made of it on the thread that makes maps; None for nothing.
    """

    number: int
    spec: MapSpec
    prepared: Prepared
    stride: int
    arrays: Mapping[str, NDArray[Any]]
    known: NDArray[np.bool_]
    look: Look
    picture: Picture
    overlays: tuple[Overlay, ...]
    done: float
    seconds: float
    seconds_left: float | None
    state: State
    found: tuple[Overlay, ...] = ()
    drawn: object = None

    @property
    def layer(self) -> str:
        """Name of the field that is drawn."""
        return shown_layer(self.prepared, self.look.layer)

    def cell(self, x: float, y: float) -> dict[str, Any] | None:
        """Return the values by field of the cell at a point, or of the nearest that is computed.

        None outside the map.
        """
        at = self._at(x, y)
        return None if at is None else {name: values[at] for name, values in self.arrays.items()}

    def is_computed(self, x: float, y: float) -> bool:
        """Return whether the cell at a point is computed itself."""
        at = self._at(x, y)
        if at is None or not self.known[at]:
            return False
        places = (_cell(self.spec.y, y), _cell(self.spec.x, x))
        exact = [place is None or place % self.stride == 0 for place in places]
        return exact[1] and (exact[0] or self.spec.kind == "orbit")

    def color_at(self, x: float, y: float) -> str:
        """Return the colour of the cell at a point, ``#rrggbb``; empty where it has none."""
        at, rgba = self._at(x, y), self.picture.rgba
        if at is None or rgba.shape[:2] != self.known.shape or not rgba[at][3]:
            return ""
        return hexadecimal(rgba[at][:3])

    def _at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the row and column of the nearest cell in the arrays."""
        column, row = _cell(self.spec.x, x), _cell(self.spec.y, y)
        if self.spec.kind == "orbit":
            row = 0
        if column is None or row is None:
            return None
        rows, columns = self.known.shape
        return (
            min(math.floor(row / self.stride + 0.5), rows - 1),
            min(math.floor(column / self.stride + 0.5), columns - 1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MapWaits:
    """A map of which nothing is made, while its kernels are compiled or after it was cancelled.

    `compiled` is how many of them are by now.
    """

    number: int
    spec: MapSpec
    compiled: int = 0
    state: State = "making"

    @property
    def sentence(self) -> str:
        """What is awaited, or that nothing is."""
        if self.state != "making":
            return "Cancelled; nothing was made."
        done = f": {self.compiled} kernels done" if self.compiled > 1 else ""
        return f"Compiling what maps need, once on this machine{done}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFailed:
    """A map that cannot be made: what the user gave is refused, or there is a traceback."""

    number: int
    spec: MapSpec
    error: LabError | None
    traceback: str = ""


def shown_layer(prepared: Prepared, wanted: str) -> str:
    """Return the layer that is drawn where one is wanted: that one if the map has it."""
    layers = layers_of(prepared.fields)
    return wanted if wanted in layers else next(iter(layers), "")


def _cell(axis: Any, value: float) -> int | None:
    place = float(axis.place(value))
    return int(place) if 0 <= place < axis.count else None


def finest(shown: MapShown) -> MapShown:
    """Return a copy of a map whose arrays nothing changes any more, for a file."""
    arrays = {name: values.copy() for name, values in shown.arrays.items()}
    return replace(shown, arrays=arrays, known=shown.known.copy())
