"""Pictures of a map from coarse to fine, as it was made: frames of an animation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.ensemble import Progress
from engine.maps.colors import PAPER
from engine.maps.kind import Prepared
from engine.maps.picture import CLASSES, POINTS, Rgba, picture_of_classes, picture_of_points
from engine.storage.files import atomic, make_folder

MOST = 2000
"""Rows and columns of a picture at most; of a larger map every so many-th cell is drawn."""

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
    from matplotlib.image import imsave

    names: list[str] = []
    if count:
        make_folder(folder)
    for place in range(count):
        if not progress(place / count, f"drawing frame {place + 1} of {count}"):
            break
        rgba = frame(prepared, arrays, 2 ** (count - 1 - place))
        name = f"frame-{place:04}.png"
        with atomic(folder / name) as file:
            imsave(file, rgba, origin="lower", format="png")
        names.append(f"{folder.name}/{name}")
    return names


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
