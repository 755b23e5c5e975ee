"""The way into a map as an animation: every frame is a map of its own, computed anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.core.ensemble import Progress
from engine.core.errors import InputError
from engine.core.interrupt import Interrupted
from engine.executors.executor import Executor
from engine.figures.animation.film import kind_of
from engine.figures.animation.making import encode
from engine.figures.animation.reel import Reel
from engine.figures.animation.stage import Pixels
from engine.maps.axis import Axis
from engine.maps.catalogue import kind
from engine.maps.frames import LEAST, frame
from engine.maps.making import made
from engine.maps.spec import MapSpec
from engine.storage.files import to_json, try_folder
from engine.text.numbers import whole

CELL = 2
"""Pixels of a cell along each side: half the cells are made four times as fast."""
MOST_FRAMES = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomFilm:
    """A zoom from a map to a part of it, each frame closer by the same factor.

    Attributes
    ----------
    whole : MapSpec
        Where it begins; the numbers of its cells do not matter.
    x, y : Axis
        The part that it ends with.
    size : (int, int)
        Width and height in pixels, each a multiple of `CELL`.
    rate : int
        Frames a second.
    seconds : float
    """

    whole: MapSpec
    x: Axis
    y: Axis
    size: tuple[int, int]
    rate: int
    seconds: float

    @property
    def frames(self) -> int:
        """The number of frames.

        Raises
        ------
        InputError
            If they are fewer than two or more than `MOST_FRAMES`.
        """
        count = round(self.seconds * self.rate) if 0.0 < self.seconds < 1e6 else 0
        if not 2 <= count <= MOST_FRAMES:
            least, most = 2 / self.rate, MOST_FRAMES / self.rate
            raise InputError("Seconds", self.seconds, f"give {least:.2g} to {most:g} seconds")
        return count

    def spec(self, number: int) -> MapSpec:
        """Return the map of a frame, counted from 0."""
        share = number / (self.frames - 1)
        width, height = (side // CELL for side in self.size)
        return replace(
            self.whole,
            x=between(self.whole.x, self.x, share, width),
            y=between(self.whole.y, self.y, share, height),
        )

    @property
    def about(self) -> str:
        """How it was made, for the file's metadata."""
        end = replace(self.whole, x=self.x, y=self.y)
        return to_json({"from": self.whole.as_table(), "to": end.as_table()}, indent=None)


def between(first: Axis, last: Axis, share: float, count: int) -> Axis:
    """Return an axis on the way from one to a part of it: of a length that shrinks evenly.

    Parameters
    ----------
    first, last : Axis
        Of one name, both measured alike; `last` need not lie within.
    share : float
        How far on the way, from 0 to 1.
    count : int
        Cells that it is to have.
    """
    low, high = (float(first.place(end)) / first.count for end in (last.low, last.high))
    length = high - low
    if abs(length - 1.0) < 1e-12:  # moved, or as it was
        begin, wide = low * share, 1.0
    else:
        still = low / (1.0 - length)  # this place stays where it is
        wide = length**share
        begin = still * (1.0 - wide)
    ends = (first.low, first.high) if share == 0.0 else (last.low, last.high)
    if 0.0 < share < 1.0:
        ends = (
            float(first.at(begin * first.count)),
            float(first.at((begin + wide) * first.count)),
        )
    return replace(first, low=ends[0], high=ends[1], count=count)


def make(film: ZoomFilm, path: Path, pool: Executor, progress: Progress) -> bool:
    """Make the animation, in the format that the name ends with.

    Returns
    -------
    bool
        False if `progress` asked to stop; nothing is written then.

    Raises
    ------
    InputError
        If the name, its folder, or the length cannot be used, or a map is closer than numbers
        can be told apart.
    FileError
        If the file cannot be written; no part of it is left.
    """
    kind_of(path)
    try_folder(path.parent, "--out")
    count = film.frames
    reel = Reel(
        size=film.size,
        rate=film.rate,
        lasting=[1] * count,
        title=f"{film.whole.experiment}: into the {film.whole.kind} map",
        about=film.about,
        pictures=_pictures(film, pool, progress),
    )
    try:
        encode(path, reel)
    except Interrupted:
        return False
    return True


class _Stopped(threading.Event):
    """Asks whether to stop, whenever the workers do."""

    def __init__(self, progress: Progress, share: float) -> None:
        super().__init__()
        self._progress, self._share = progress, share

    def is_set(self) -> bool:
        """Return whether the user has had enough."""
        return super().is_set() or not self._progress(self._share, "")


def _pictures(film: ZoomFilm, pool: Executor, progress: Progress) -> Iterator[Pixels]:
    chosen, count = kind(film.whole.kind), film.frames
    for number in range(count):
        text = f"frame {whole(number + 1)} of {whole(count)}"
        stop = _Stopped(progress, number / count)
        if not progress(number / count, text):
            raise Interrupted
        prepared = chosen.prepare(film.spec(number))
        arrays = made(prepared, pool, stop)
        if stop.is_set():
            raise Interrupted
        rgb = frame(prepared, arrays, 1)
        repeated = -(-LEAST // prepared.spec.x.count)
        cells = rgb[::-repeated, ::repeated]  # the greatest y at the top
        yield np.ascontiguousarray(cells.repeat(CELL, axis=0).repeat(CELL, axis=1))
