"""The figures of a run written to a folder, with progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.core.ensemble import Progress
from engine.figures.painters import Painters
from engine.figures.sheets import Look, Sheet, files_of
from engine.storage.files import make_folder, write_bytes


def save_sheets(
    folder: Path,
    sheets: Sequence[Sheet],
    look: Look,
    progress: Progress = lambda fraction, text: True,
    painters: Painters | None = None,
) -> list[str]:
    """Write figures and return the names of their files, in the order of the sheets.

    Where `progress` returns False, the sheets that are not drawn yet are left out.

    Parameters
    ----------
    folder : Path
    sheets : sequence of Sheet
    look : Look
    progress : callable
    painters : Painters or None
        Processes to draw in; what they do not draw is drawn in this process.

    Raises
    ------
    InputError
        If the folder cannot be used.
    FileError
        If a file cannot be written.
    """
    make_folder(folder)
    names: dict[int, list[str]] = {}

    def go_on() -> bool:
        count = len(names)
        return progress(count / max(len(sheets), 1), f"figures: {count} of {len(sheets)} drawn")

    for place, files in _drawn(sheets, look, go_on, painters):
        names[place] = [f"{sheets[place].stem}.{kind}" for kind in look.formats]
        for name, content in zip(names[place], files, strict=True):
            write_bytes(folder / name, content)
    return [name for place in sorted(names) for name in names[place]]


def _drawn(
    sheets: Sequence[Sheet], look: Look, go_on: Callable[[], bool], painters: Painters | None
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the place and the files of each sheet as it is drawn."""
    left = set(range(len(sheets)))
    if painters is not None:
        for place, files in painters.draw(sheets, look, go_on):
            left.discard(place)
            yield place, files
    for place in sorted(left):
        if not go_on():
            return
        yield place, files_of(sheets[place], look)
