"""Frames of an animation: a map from coarse to fine, as it was made, or closer and closer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.ensemble import Progress
from engine.core.errors import InputError
from engine.maps.axis import Axis
from engine.maps.colors import PAPER
from engine.maps.kind import Prepared
from engine.maps.picture import CLASSES, POINTS, Rgba, picture_of_classes, picture_of_points
from engine.maps.spec import MapSpec
from engine.storage.files import atomic, make_folder
from engine.text.arithmetic import read_number

MOST = 2000
"""Rows and columns of a picture at most; of a larger map every so many-th cell is drawn."""

DEEPEST = 1e12
LEAST = 960
"""Columns of a frame at least: those of a smaller map are repeated."""

Arrays = Mapping[str, NDArray[Any]]


def thinned(prepared: Prepared, arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return every so many-th cell of a map that is larger than a picture of it can show."""
    step = -(-max(next(iter(arrays.values())).shape[: _sides(prepared)]) // MOST)
    return _every(prepared, arrays, step)


def save(
    folder: Path, prepared: Prepared, arrays: Arrays, count: int, progress: Progress
) -> list[str]:
    """Write PNG files of one size, each twice as fine as the one before, the last one whole.

    Returns
    -------
    list of str
        Names of the files from the folder of the map.

    Raises
    ------
    FileError
        If they cannot be written.
    """
    names: list[str] = []
    if count:
        make_folder(folder)
    for place in range(count):
        if not progress(place / count, f"drawing frame {place + 1} of {count}"):
            break
        rgb = frame(prepared, arrays, 2 ** (count - 1 - place))
        names.append(save_frame(folder, place, rgb))
    return names


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom:
    """The way to a point of a map.

    Attributes
    ----------
    x, y : float
        The point, which keeps its place in the picture.
    factor : float
        How many times as close the last picture is, more than 1.
    """

    x: float
    y: float
    factor: float

    @classmethod
    def parse(cls, text: str) -> Zoom:
        """Read ``x:y:factor``.

        Raises
        ------
        InputError
            If it has another form, or the factor is not above 1.
        """
        try:
            x, y, factor = (read_number(part) for part in text.split(":"))
        except ValueError:
            rule = "give x:y:factor, as in 0.9:1.5:100"
            raise InputError("--zoom", text, rule) from None
        if not 1.0 < factor <= DEEPEST:
            raise InputError("--zoom", factor, f"give a factor above 1, at most {DEEPEST:g}")
        return cls(x=x, y=y, factor=factor)

    def check(self, spec: MapSpec) -> None:
        """Check that the point is one of a map.

        Raises
        ------
        InputError
            If it is not.
        """
        for name, axis, value in (("x", spec.x, self.x), ("y", spec.y, self.y)):
            if not axis.low <= value <= axis.high:
                rule = f"give a point of the map, {name} from {axis.low:g} to {axis.high:g}"
                raise InputError("--zoom", value, rule)

    def specs(self, spec: MapSpec, count: int) -> Iterator[MapSpec]:
        """Yield maps of which each is closer than the one before by the same factor."""
        for place in range(count):
            share = self.factor ** (-place / max(count - 1, 1))
            x, y = closer(spec.x, self.x, share), closer(spec.y, self.y, share)
            yield replace(spec, x=x, y=y)


def closer(axis: Axis, value: float, share: float) -> Axis:
    """Return a part of an axis in which a value has the place that it has in the whole."""
    count = min(axis.count, MOST)
    if share == 1.0:
        return replace(axis, count=count)
    place = float(axis.place(value))
    low, high = place - place * share, place + (axis.count - place) * share
    ends = float(axis.at(low)), float(axis.at(high))
    return replace(axis, low=ends[0], high=ends[1], count=count)


def save_frame(folder: Path, number: int, rgb: Rgba) -> str:
    """Write a picture and return its name from the folder of the map.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    from matplotlib.image import imsave

    name = f"frame-{number:04}.png"
    with atomic(folder / name) as file:
        imsave(file, rgb, origin="lower", format="png")
    return f"{folder.name}/{name}"


def frame(prepared: Prepared, arrays: Arrays, scale: int) -> Rgba:
    """Draw a map of which a cell in `scale` × `scale` is known, on the ground of paper.

    Returns
    -------
    ndarray, shape (rows, columns, 3)
        Row 0 has the least y; of a small map each cell is repeated.
    """
    coarse = _every(prepared, arrays, scale)
    full = {name: _spread(prepared, values, arrays[name], scale) for name, values in coarse.items()}
    if CLASSES in full:
        known = np.ones(full[CLASSES].shape, np.bool_)
        rgba = picture_of_classes(prepared.classes, prepared.fields, full, known, PAPER).rgba
    else:
        y = prepared.spec.y
        rgba = picture_of_points(full[POINTS], y.low, y.high, min(y.count, MOST), PAPER).rgba
    opacity = rgba[..., 3:] / 255.0
    larger = -(-LEAST // rgba.shape[1])
    flat = np.rint(rgba[..., :3] * opacity + 255.0 * (1.0 - opacity)).astype(np.uint8)
    return flat.repeat(larger, axis=0).repeat(larger, axis=1)


def _sides(prepared: Prepared) -> int:
    """Return how many axes of an array are those of the map."""
    return 1 if prepared.spec.kind == "orbit" else 2


def _every(prepared: Prepared, arrays: Arrays, step: int) -> dict[str, NDArray[Any]]:
    block = (slice(None, None, step),) * _sides(prepared)
    return {name: values[block] for name, values in arrays.items()}


def _spread(
    prepared: Prepared, values: NDArray[Any], full: NDArray[Any], scale: int
) -> NDArray[Any]:
    """Repeat coarse cells so that there are as many as in the whole map."""
    for side in range(_sides(prepared)):
        values = np.repeat(values, scale, axis=side)
    return values[tuple(slice(full.shape[side]) for side in range(_sides(prepared)))]
