"""The options of `main.py map` that ask for the way into a map as MP4, GIF or WebP."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.chosen import picture_size, positive, whole_number
from engine.core.ensemble import Progress
from engine.core.errors import InputError
from engine.executors.executor import Executor
from engine.figures.animation.film import GIF_RATE, RATES, check_size, kind_of
from engine.maps.frames import Zoom, closer
from engine.maps.spec import MapSpec
from engine.storage.files import make_folder, try_folder, user_path

if TYPE_CHECKING:
    from engine.maps.zooming import ZoomFilm

_DEFAULTS = {"size": "1280x720", "rate": "30", "seconds": "10"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--film", metavar="FILE", help="the zoom as an animation that ends in .mp4, .gif or .webp")
    add("--size", metavar="WxH", help=f"of the film in pixels (default: {_DEFAULTS['size']})")
    add("--rate", metavar="N", help=f"its frames a second (default: {_DEFAULTS['rate']})")
    add("--seconds", metavar="S", help=f"how long it takes (default: {_DEFAULTS['seconds']})")


@dataclass(frozen=True, slots=True)
class WantedFilm:
    """An animation that was asked for: what it shows, and the file."""

    film: ZoomFilm
    path: Path

    def make(self, pool: Executor, progress: Progress) -> bool:
        """Make it; False if `progress` asked to stop, and nothing is written then."""
        from engine.maps.zooming import make  # loads matplotlib

        make_folder(self.path.parent, "--film")
        return make(self.film, self.path, pool, progress)


def wanted(options: argparse.Namespace, zoom: Zoom | None, spec: MapSpec) -> WantedFilm | None:
    """Read the options, everything checked; None where no film is asked for.

    Raises
    ------
    InputError
        For an option that is not allowed, or that only a film has.
    """
    given = {name: getattr(options, name) for name in _DEFAULTS}
    if options.film is None:
        for name, text in given.items():
            if text is not None:
                raise InputError(f"--{name}", text, "give --film, too")
        return None
    if zoom is None:
        raise InputError("--film", options.film, "give --zoom, too: where it ends")
    from engine.maps.zooming import ZoomFilm  # loads matplotlib

    read = {name: text or _DEFAULTS[name] for name, text in given.items()}
    path = user_path(options.film, "--film")
    rates = (RATES[0], GIF_RATE if kind_of(path) == "gif" else RATES[1])
    size = picture_size("--size", read["size"])
    check_size(size)
    share = 1.0 / zoom.factor
    film = ZoomFilm(
        whole=spec,
        x=closer(spec.x, zoom.x, share),
        y=closer(spec.y, zoom.y, share),
        size=size,
        rate=whole_number("--rate", read["rate"], *rates),
        seconds=positive("--seconds", read["seconds"]),
    )
    film.spec(film.frames - 1)  # raises where there are too many, or the end is too close
    try_folder(path.parent, "--film")
    return WantedFilm(film, path)
