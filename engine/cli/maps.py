"""`main.py map`: maps of an experiment without a window, on this machine or a cluster."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.cli import branches, zoom_film
from engine.cli.chosen import chosen_run, whole_number
from engine.cli.output import DONE, FIGURE_FORMATS, INTERRUPTED
from engine.cli.run_options import configure_module, figure_formats
from engine.cli.terminal import Interrupt, progress_line
from engine.cli.zoom_film import WantedFilm
from engine.core.ensemble import Progress
from engine.core.errors import InputError
from engine.core.registry import get
from engine.executors.executor import Executor
from engine.maps import frames
from engine.maps.axis import Axis
from engine.maps.catalogue import KINDS, kind, offered
from engine.maps.frames import Zoom
from engine.maps.kind import Cells, Offer, Prepared
from engine.maps.making import made, make, pool_for
from engine.maps.spec import KindId, MapSpec
from engine.maps.store import ARRAYS, PARTS, RESULT, HalfMade, MapFolder
from engine.maps.summary import shares, summary
from engine.maps.tiles import Tile
from engine.run.spec import RunSpec
from engine.storage import user_code
from engine.storage.files import make_folder, to_json
from engine.storage.runfile import STEPS_LIMIT
from engine.text.arithmetic import NumberError, read_number
from engine.text.mathtext import to_plain
from engine.text.numbers import whole

_HELP: Mapping[KindId, str] = {  # those of the kinds would import all of them
    "orbit": "Where the runs end for every value of a parameter.",
    "basin": "Which minimum or cycle is reached from every start.",
    "stability": "What the run does for every pair of parameters, beside the bounds of the theory.",
    "trainability": "How a whole run of any experiment ends for every pair of parameters.",
}
MOST_WORKERS = 1024
MOST_FRAMES, MOST_ZOOMED = 12, 10_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the kinds of maps and their options."""
    kinds = parser.add_subparsers(required=True, metavar="KIND", parser_class=type(parser))
    for known in KINDS:
        sub = kinds.add_parser(
            known, help=_HELP[known], description=_HELP[known], allow_abbrev=False
        )
        _configure_kind(sub)
        sub.set_defaults(execute=execute, kind=known)
    sub = kinds.add_parser(
        "branches", help=branches.HELP, description=branches.HELP, allow_abbrev=False
    )
    branches.configure(sub)
    sub.set_defaults(execute=branches.execute)


def _configure_kind(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("what", metavar="EXPERIMENT|FILE", help="an experiment's id, or a run file")
    form = "NAME=LOW:HIGH:CELLS[:log]"
    configure_module(parser)
    add("--x", metavar=form, help="what varies from left to right (default: as in the window)")
    add("--y", metavar=form, help="what varies from bottom to top")
    add("--preset", metavar="NAME", help="begin from a preset of the experiment")
    add("--set", metavar="NAME=VALUE", action="append", default=[], help="give a parameter a value")
    add("--seed", metavar="S", help="seed of all random numbers")
    add("--steps", metavar="N", help="steps of a run after which it is left undecided")
    add(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="what only this kind of map has; main.py list EXPERIMENT names them",
    )
    add("--out", metavar="DIR", required=True, help="folder of the map; a half-made one goes on")
    add("--scheduler", metavar="ADDRESS", default="", help="of a Dask cluster, as tcp://host:8786")
    add("--workers", metavar="N", help="threads or processes on this machine (default: its cores)")
    add("--json", action="store_true", help=f"print {RESULT} on standard output")
    add(
        "--figures",
        metavar="FORMATS",
        default=",".join(FIGURE_FORMATS),
        help="formats of the figures, of svg, png, pdf, or none (default: %(default)s)",
    )
    add("--frames", metavar="N", help="also pictures from coarse to fine, for an animation")
    add("--zoom", metavar="X:Y:FACTOR", help="let the frames come closer to a point instead")
    zoom_film.configure(parser)
    parser.set_defaults(device="auto")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is drawn of a map, and who makes it."""

    formats: tuple[str, ...]
    frames: int
    zoom: Zoom | None
    scheduler: str
    workers: int | None
    fit: bool

    @classmethod
    def of(cls, options: argparse.Namespace) -> _Wanted:
        """Read the options; raise `InputError` for one that is not allowed."""
        count, workers = 0, None
        zoom = None if options.zoom is None else Zoom.parse(options.zoom)
        if options.frames is not None:
            most = MOST_FRAMES if zoom is None else MOST_ZOOMED
            count = whole_number("--frames", options.frames, 1, most)
        elif zoom is not None and options.film is None:
            raise InputError("--zoom", options.zoom, "give --film or --frames, too")
        if options.workers is not None:
            workers = whole_number("--workers", options.workers, 1, MOST_WORKERS)
        formats, fit = figure_formats(options.figures), options.y is None
        return cls(formats, count, zoom, options.scheduler, workers, fit)

    def pool(self, prepared: Prepared) -> Executor:
        """Start the workers."""
        return pool_for(prepared, self.scheduler, self.workers)


def execute(options: argparse.Namespace) -> int:
    """Make a map, or go on with one, and write what comes out."""
    wanted = _Wanted.of(options)
    prepared = prepare(options.kind, chosen_run(options), options)
    if wanted.zoom is not None:
        wanted.zoom.check(prepared.spec)
    film = zoom_film.wanted(options, wanted.zoom, prepared.spec)
    folder = MapFolder(Path(options.out), prepared)
    with Interrupt() as interrupt, progress_line(sys.stderr) as show:
        if not folder.is_finished and not _make(folder, wanted, interrupt, show):
            return INTERRUPTED
        names = _pictures(folder, wanted, interrupt, show)
        if film is not None and not _filmed(film, wanted, prepared, interrupt, show):
            print("stopped; the film was not written", file=sys.stderr)
            return INTERRUPTED
    result = folder.result()
    print(to_json(result) if options.json else _in_words(prepared, result))
    if not options.json:
        arrays = ARRAYS if (folder.path / ARRAYS).is_file() else f"{PARTS}/"
        print(f"Written to {options.out}: {', '.join([RESULT, arrays, *_short(names)])}")
        if film is not None:
            print(f"{whole(film.film.frames)} frames of the zoom: written to {film.path}")
    if not interrupt.go_on:
        print("stopped; figures that were not drawn yet are left out", file=sys.stderr)
        return INTERRUPTED
    return DONE


def _short(names: list[str]) -> list[str]:
    """Return names of files, many frames as their number."""
    few = [name for name in names if not name.startswith("frames/")]
    count = len(names) - len(few)
    return names if count <= MOST_FRAMES else [*few, f"{count} frames"]


class _Asked(threading.Event):
    """Is set once the program was asked to stop; a handler of a signal must not set an event."""

    def __init__(self, interrupt: Interrupt) -> None:
        super().__init__()
        self._interrupt = interrupt

    def is_set(self) -> bool:
        """Return whether the program was asked to stop."""
        return not self._interrupt.go_on


def prepare(kind_id: KindId, run: RunSpec, options: argparse.Namespace) -> Prepared:
    """Put together the map that the options describe, everything checked.

    Raises
    ------
    InputError
        If the experiment has no such map, or an axis or option cannot be used.
    """
    for name, path in get(run.experiment).code_files(run.params).items():
        user_code.check(user_code.read(path, name))
    chosen = kind(kind_id)
    offer = chosen.offer(run.experiment, run.params, run.seed)
    if offer is None:
        known = ", ".join(each.id for each in offered(run.experiment, run.params, run.seed))
        rule = f"at these parameters it has {known or 'no map'}"
        raise InputError(f"{kind_id} map", run.experiment, rule)
    spec = MapSpec(
        kind=kind_id,
        experiment=run.experiment,
        params=run.params,
        seed=run.seed,
        x=offer.x if options.x is None else Axis.parse(options.x),
        y=offer.y if options.y is None else Axis.parse(options.y),
        steps=offer.steps
        if options.steps is None
        else whole_number("--steps", options.steps, 1, STEPS_LIMIT),
        options=_options(offer, options.option),
    )
    return chosen.prepare(spec)


def _options(offer: Offer, given: list[str]) -> dict[str, float]:
    """Read what only a kind of map has; what is not given has its usual value."""
    values = dict(offer.options)
    for text in given:
        name, equals, number = text.partition("=")
        if not equals:
            raise InputError("--option", text, "write name=value")
        if name.strip() not in offer.options:
            known = f"give one of {', '.join(values)}" if values else "this kind of map has none"
            raise InputError("--option", name.strip(), known)
        try:
            values[name.strip()] = read_number(number)
        except NumberError:
            raise InputError(name.strip(), number, "give a finite number") from None
    return values


def _make(folder: MapFolder, wanted: _Wanted, interrupt: Interrupt, show: Progress) -> bool:
    """Make the tiles that are missing and finish the map; False if it was interrupted."""
    prepared, stop, begin = folder.prepared, _Asked(interrupt), time.monotonic()
    with wanted.pool(prepared) as pool, folder.half_made() as half:
        _fill(half, make(prepared, pool, stop, half.missing()), show)
        if half.done < half.total:
            there = f"{whole(half.done)} of {whole(half.total)} cells are there"
            print(f"stopped; {there}, and the same command makes the others", file=sys.stderr)
            return False
        folder.finish(half, summary(prepared, half.arrays, time.monotonic() - begin))
    return True


def _fill(half: HalfMade, made: Iterator[tuple[Tile, Cells]], show: Progress) -> None:
    """Write tiles as they are made, and report the share that is there of those missing."""
    total, begun = half.total, half.done
    for tile, cells in made:
        half.add(tile, cells)
        share = (half.done - begun) / max(total - begun, 1)
        show(share, f"{whole(half.done)} of {whole(total)} cells")


def _pictures(
    folder: MapFolder, wanted: _Wanted, interrupt: Interrupt, show: Progress
) -> list[str]:
    """Draw the figures and the frames, and return the names of their files.

    Cancelling leaves out those not drawn yet.
    """
    if not (wanted.formats or wanted.frames):
        return []

    def progress(done: float, text: str) -> bool:
        return show(done, text) and interrupt.go_on

    prepared, formats = folder.prepared, wanted.formats
    arrays = frames.thinned(prepared, folder.arrays())
    names: list[str] = []
    if formats:
        from engine.maps import sheet  # loads matplotlib

        make_folder(folder.path / "figures")
        page = sheet.figure(prepared, arrays, fit=wanted.fit)
        for number, each in enumerate(formats):
            if not progress(number / len(formats), f"drawing {each.upper()}"):
                return names
            sheet.save(page, folder.path / "figures" / f"map.{each}", prepared)
            names.append(f"figures/map.{each}")
    place = folder.path / "frames"
    if wanted.zoom is not None and wanted.frames:
        return names + _zoomed(place, prepared, wanted, wanted.zoom, _Asked(interrupt), progress)
    return names + frames.save(place, prepared, arrays, wanted.frames, progress)


def _zoomed(
    place: Path,
    prepared: Prepared,
    wanted: _Wanted,
    zoom: Zoom,
    stop: threading.Event,
    progress: Progress,
) -> list[str]:
    """Make a map for every frame, and return the names of their files."""
    make_folder(place)
    names: list[str] = []
    chosen = kind(prepared.spec.kind)
    with wanted.pool(prepared) as pool:
        for number, spec in enumerate(zoom.specs(prepared.spec, wanted.frames)):
            text = f"frame {number + 1} of {wanted.frames}"
            if not progress(number / wanted.frames, text):
                break
            closer = chosen.prepare(spec)
            arrays = made(closer, pool, stop)
            if not stop.is_set():
                names.append(frames.save_frame(place, number, frames.frame(closer, arrays, 1)))
    return names


def _filmed(
    film: WantedFilm, wanted: _Wanted, prepared: Prepared, interrupt: Interrupt, show: Progress
) -> bool:
    """Make the film of a zoom; False if the program was asked to stop."""
    with wanted.pool(prepared) as pool:
        return film.make(pool, lambda share, text: show(share, text) and interrupt.go_on)


def _in_words(prepared: Prepared, result: Mapping[str, Any]) -> str:
    """Sum up a map for a person at a terminal."""
    spec = prepared.spec
    lines = [f"{spec.kind} map of {spec.experiment}: {spec.x.name} by {spec.y.name}"]
    lines += [f"  {each.name}: {each.words}" for each in shares(result)]
    lines += [f"  {each['label']} ({each['source']})" for each in result["overlays"]]
    return to_plain("\n".join(lines))


def described(experiment_id: str) -> list[dict[str, Any]]:
    """List the maps that an experiment has at its usual parameters, JSON-ready."""
    params = get(experiment_id).parameters()
    found = []
    for each in offered(experiment_id, params):
        offer = each.offer(experiment_id, params, 0)
        if offer is not None:
            found.append(
                {
                    "kind": each.id,
                    "title": each.title,
                    "help": each.help,
                    "x": list(offer.x_names),
                    "y": list(offer.y_names),
                    "steps": offer.steps,
                    "options": dict(offer.options),
                }
            )
    return found
