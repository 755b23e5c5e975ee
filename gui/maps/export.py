"""What of a map can be written to a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.maps.shown import MapShown

FILTERS: Mapping[str, tuple[str, ...]] = {
    "figure": ("PNG image (*.png)", "SVG drawing (*.svg)", "PDF document (*.pdf)"),
    "data": ("NumPy arrays (*.npz)",),
    "shares": ("Comma-separated values (*.csv)",),
}
SUFFIXES: Mapping[str, str] = {"figure": "png", "data": "npz", "shares": "csv"}


def write(kind: str, path: Path, shown: MapShown) -> None:
    """Write a map: a figure, its data, or the shares of its classes.

    Raises
    ------
    LabError
        If the name ends in no known format, or the file cannot be written.
    """
    from engine.maps import export, sheet

    if kind == "figure":
        figure = sheet.figure(
            shown.prepared, shown.arrays, shown.layer, shown.overlays, known=shown.known
        )
        sheet.save(figure, path, shown.prepared)
    elif kind == "data":
        export.save_arrays(path, shown.prepared, shown.arrays)
    else:
        export.save_shares(path, shown.picture.swatches)
