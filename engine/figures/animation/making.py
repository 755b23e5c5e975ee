"""Animations made and written: what is shown is measured, drawn and encoded, with progress."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.core.ensemble import Progress
from engine.core.interrupt import Interrupted, watched
from engine.figures.animation.crew import Crew
from engine.figures.animation.film import Film, Kind, kind_of
from engine.figures.animation.gif import write_gif
from engine.figures.animation.mp4 import write_mp4
from engine.figures.animation.reel import Reel
from engine.figures.animation.stage import Pixels
from engine.figures.animation.webp import write_webp
from engine.figures.steady import shared
from engine.storage.files import try_folder
from engine.text.numbers import whole

MEASURING = 0.25
"""Share of the time that goes by until the ends of the axes are known."""

_WRITERS: Mapping[Kind, Callable[[Path, Reel], None]] = {
    "mp4": write_mp4,
    "gif": write_gif,
    "webp": write_webp,
}


def make(film: Film, path: Path, progress: Progress, workers: int | None = None) -> bool:
    """Make an animation and write it in the format that the name ends with.

    Returns
    -------
    bool
        False if `progress` asked to stop; nothing is written then.

    Raises
    ------
    InputError
        If a run cannot be made, or the name or its folder cannot be used.
    FileError
        If the file cannot be written; no part of it is left.
    """
    path = Path(path)
    kind_of(path)
    try_folder(path.parent, "--out")
    meter = _Meter(progress, len(film.shots))
    try:
        with watched(lambda inside, text: meter.go_on()), Crew(film, workers) as crew:
            encode(path, _reel(film, crew, meter))
    except Interrupted:
        return False
    return True


def encode(path: Path, reel: Reel) -> None:
    """Write pictures, whatever they show, in the format that the name ends with.

    Raises
    ------
    InputError
        If the name ends with none.
    FileError
        If the file cannot be written; no part of it is left.
    """
    _WRITERS[kind_of(path)](Path(path), reel)


def _reel(film: Film, crew: Crew, meter: _Meter) -> Reel:
    return Reel(
        size=film.size,
        rate=film.rate,
        lasting=[shot.frames for shot in film.shots],
        title=film.summary,
        about=film.about,
        pictures=_pictures(crew, meter),
    )


def _pictures(crew: Crew, meter: _Meter) -> Iterator[Pixels]:
    parts = []
    for part in crew.extents(meter.go_on):
        parts.append(part)
        meter.computed = len(parts)
    for picture in crew.pictures(shared(parts), meter.go_on):
        yield picture
        meter.drawn += 1


@dataclass(slots=True)
class _Meter:
    """How far an animation of `count` pictures is, and whether it should go on."""

    progress: Progress
    count: int
    computed: int = 0
    drawn: int = 0

    def go_on(self) -> bool:
        """Report, and return what is answered."""
        share = (MEASURING * self.computed + (1.0 - MEASURING) * self.drawn) / self.count
        done, what = (self.drawn, "drawn") if self.drawn else (self.computed, "computed")
        text = f"animation: {whole(done)} of {whole(self.count)} pictures {what}"
        return self.progress(share, text)
