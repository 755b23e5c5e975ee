"""The contract of a kind of map: what its cells hold, and how they are computed."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.core.views import Colormap
from engine.maps.axis import Axis
from engine.maps.spec import KindId, MapSpec

Cells = Mapping[str, NDArray[Any]]
"""Values of some cells by the name of the field, each of shape (m,) or (m, width)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellClass:
    """A class of cells: what a run of that cell does.

    Attributes
    ----------
    code : int
        Its number in the field of classes, 0 to 250; 255 is a cell that is not computed yet.
    name : str
        For the legend and the hover text; may hold mathtext between dollars.
    color : str
        A role of `engine.core.views`, ``"limit:i"`` for the i-th of several limits,
        ``"cycle:p"`` for cycles of period p, or ``"ramp"`` where the field `shade` colours the
        class.
    shade : str
        Name of the field that colours the cells of this class from light to dark; empty for one
        colour.
    """

    code: int
    name: str
    color: str
    shade: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellField:
    """What is known of every cell.

    Attributes
    ----------
    name : str
        Key in `map.npz`.
    label : str
        For people; may hold mathtext.
    dtype : str
        As numpy writes it: ``"u1"``, ``"i4"``, ``"f4"``, ``"f8"``.
    width : int
        Numbers a cell; 1 for one.
    colormap : {"sequential", "diverging", "gray"}
        How it is drawn when it is asked for alone.
    log : bool
        Whether its colours are spread by ratios.
    """

    name: str
    label: str
    dtype: str = "f8"
    width: int = 1
    colormap: Colormap = "sequential"
    log: bool = False

    def empty(self, *shape: int) -> NDArray[Any]:
        """Make an array for cells that are not computed yet: NaN, or the greatest integer."""
        dtype = np.dtype(self.dtype)
        full = shape if self.width == 1 else (*shape, self.width)
        return np.full(full, np.nan if dtype.kind == "f" else np.iinfo(dtype).max, dtype)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overlay:
    """A curve of the theory over a map, or points.

    Attributes
    ----------
    x, y : ndarray, shape (m,)
        In the units of the axes; NaN breaks a curve.
    label : str
        For the legend; may hold mathtext.
    color : str
        Role.
    dash : str
        "solid", "dash" or "dot"; "points" for markers.
    source : str
        Where the statement stands, for the hover text and the caption.
    """

    x: FloatArray
    y: FloatArray
    label: str
    color: str = "bound"
    dash: str = "solid"
    source: str = ""


class Prepared(ABC):
    """What computes the cells of one map; it can be pickled, and holds no run.

    Attributes
    ----------
    spec : MapSpec
    fields : tuple of CellField
        The first is ``outcome``, the codes of `classes` ("u1"), but in an orbit diagram.
    classes : tuple of CellClass
    cells_a_job : int
        As many cells take some 20 ms.
    has_threads : bool
        Whether threads serve, as `cells` releases the GIL or must stay in this process; processes
        otherwise.
    here_only : bool
        Whether no other process can compute the cells: they execute a file that is trusted here.
    """

    spec: MapSpec
    fields: tuple[CellField, ...]
    classes: tuple[CellClass, ...] = ()
    cells_a_job: int = 1000
    has_threads: bool = True
    here_only: bool = False

    @abstractmethod
    def cells(self, x: FloatArray, y: FloatArray, stop: threading.Event) -> Cells:
        """Compute cells at values of both axes, each shape (m,).

        The values of a cell depend on its x and y alone, never on what else is computed with it.
        For an orbit diagram `y` is empty and a cell is a column. Once `stop` is set what comes
        back is thrown away.
        """

    def call_kernels(self) -> None:  # noqa: B027  some kinds have none
        """Call kernels of the cells that `prepare` has not called, so that all are compiled."""

    def overlays(self) -> tuple[Overlay, ...]:
        """Return the theory's curves over the map's range."""
        return ()

    def found(self, arrays: Mapping[str, NDArray[Any]]) -> tuple[Overlay, ...]:
        """Return curves that the cells of a whole map show; arrays as in `engine.maps.making`."""
        return ()

    def hover(self, cell: Mapping[str, Any]) -> str:
        """Describe one cell in a sentence, from its values by field; may hold mathtext."""
        named = {each.code: each.name for each in self.classes}
        texts = [named.get(int(cell["outcome"]), "not computed yet")] if "outcome" in cell else []
        texts += [
            f"{each.label} {cell[each.name]:.6g}"
            for each in self.fields
            if each.name != "outcome" and each.width == 1 and np.isfinite(cell[each.name])
        ]
        return ", ".join(texts)

    @abstractmethod
    def start_at(self, x: float, y: float) -> dict[str, Any]:
        """Return the parameters that a live run at a cell has, by name: all that differ.

        Raises
        ------
        InputError
            If no run of the experiment begins there.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What a kind offers for an experiment at some parameters: what the dock's form shows.

    Attributes
    ----------
    x_names, y_names : tuple of str
        What each axis may vary: names and their labels, as `labels` has them.
    x, y : Axis
        Suggested axes.
    steps : int
        Suggested number of steps.
    labels : mapping of str to str
        Labels of the names, with mathtext.
    options : mapping of str to float
        Options with their usual values.
    """

    x_names: tuple[str, ...]
    y_names: tuple[str, ...]
    x: Axis
    y: Axis
    steps: int
    labels: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, float] = field(default_factory=dict)


class Kind(ABC):
    """A kind of map.

    Attributes
    ----------
    id : KindId
    title : str
        In the list of kinds.
    help : str
        One sentence: what a picture of it shows.
    """

    id: KindId
    title: str
    help: str

    @abstractmethod
    def offer(self, experiment: str, params: Any, seed: int) -> Offer | None:
        """Return what can be varied; None where the experiment has no map of this kind."""

    @abstractmethod
    def prepare(self, spec: MapSpec) -> Prepared:
        """Make ready to compute cells; takes at most some 100 ms.

        Raises
        ------
        InputError
            If the map cannot be made with these axes and parameters.
        """
