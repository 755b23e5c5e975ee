"""`main.py map branches`: equilibria and cycles over a parameter, with their bifurcations."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.cli.chosen import chosen_run, whole_number
from engine.cli.output import DONE, FIGURE_FORMATS, INTERRUPTED
from engine.cli.run_options import figure_formats
from engine.cli.terminal import Interrupt, progress_line
from engine.core.errors import InputError
from engine.maps.branches import Branches, BranchSpec, Special
from engine.maps.subject import subject_of
from engine.maps.tree import find
from engine.storage.columns import Line, Plot, write_rows
from engine.storage.files import make_folder, to_json, try_folder, write_json
from engine.text.arithmetic import NumberError, read_number
from engine.text.mathtext import to_plain

FORM = "give name=low:high, as in step_size=0.3:0.99"
MOST_PERIOD = 16
MOST_LINES = 24
"""Special points that are listed in the terminal."""
HELP = "Branches of equilibria and cycles over a parameter, with their bifurcations."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("what", metavar="EXPERIMENT|FILE", help="an experiment's id, or a run file")
    add("--x", metavar="NAME=LOW:HIGH", required=True, help="the parameter that varies")
    add("--y", metavar="COORDINATE", help="what the figure shows (default: the first)")
    add("--max-period", metavar="P", default="8", help="longest period (default: %(default)s)")
    add("--preset", metavar="NAME", help="begin from a preset of the experiment")
    add("--set", metavar="NAME=VALUE", action="append", default=[], help="give a parameter a value")
    add("--seed", metavar="S", help="seed of all random numbers")
    add("--out", metavar="DIR", required=True, help="folder for everything that is found")
    add("--json", action="store_true", help="print branches.json on standard output")
    add(
        "--figures",
        metavar="FORMATS",
        default=",".join(FIGURE_FORMATS),
        help="formats of the figure, of svg, png, pdf, or none (default: %(default)s)",
    )
    parser.set_defaults(device="auto", steps=None)


def execute(options: argparse.Namespace) -> int:
    """Find branches and write what comes out."""
    formats = figure_formats(options.figures)
    spec = _spec(options)
    place = _coordinate(spec, options.y)
    folder = Path(options.out)
    try_folder(folder, "--out")
    with Interrupt() as interrupt, progress_line(sys.stderr) as show:
        found = find(spec, lambda done, text: show(done, text) and interrupt.go_on)
    if found is None:
        print("stopped; nothing was written", file=sys.stderr)
        return INTERRUPTED
    names = _written(make_folder(folder), found, place, formats)
    print(to_json(found.as_table()) if options.json else _in_words(found))
    if not options.json:
        print(f"Written to {options.out}: {', '.join(names)}")
    return DONE


def _spec(options: argparse.Namespace) -> BranchSpec:
    run = chosen_run(options)
    name, equals, rest = options.x.partition("=")
    ends = rest.split(":")
    if not (equals and name.strip() and len(ends) == 2):
        raise InputError("--x", options.x, FORM)
    try:
        low, high = (read_number(end) for end in ends)
    except NumberError as error:
        raise InputError("--x", options.x, FORM) from error
    return BranchSpec(
        experiment=run.experiment,
        params=run.params,
        seed=run.seed,
        name=name.strip(),
        low=low,
        high=high,
        max_period=whole_number("--max-period", options.max_period, 1, MOST_PERIOD),
    )


def _coordinate(spec: BranchSpec, name: str | None) -> int:
    """Return the place of the coordinate that the figure shows; checks all else on the way."""
    ends = {spec.name: (spec.low, spec.high)}
    subject = subject_of(spec.experiment, spec.params, spec.seed, ends)
    if name is None:
        return 0
    for names in (subject.names, subject.coordinates):
        if name in names:
            return names.index(name)
    known = ", ".join(subject.names or subject.coordinates)
    raise InputError("--y", name, f"give one of {known}")


def _written(folder: Path, found: Branches, place: int, formats: tuple[str, ...]) -> list[str]:
    """Write everything and return the names of the files."""
    write_json(folder / "branches.json", found.as_table())
    rows = list(found.rows())
    names = ["branches.json", *write_rows(folder / "branches.csv", rows)]
    names += write_rows(folder / "branches.dat", rows, _plot(found, place, rows[1:]))
    if formats:
        from engine.maps import branch_sheet  # loads matplotlib

        make_folder(folder / "figures")
        page = branch_sheet.figure(found, place)
        for each in formats:
            branch_sheet.save(page, folder / "figures" / f"branches.{each}", found)
            names.append(f"figures/branches.{each}")
    return names


def _plot(found: Branches, place: int, rows: Sequence[Sequence[Any]]) -> Plot:
    """Return how branches are drawn: the points of each, over the parameter."""
    lines, first = [], 0
    for number, group in groupby(rows, key=lambda row: row[0]):
        last = first + len(list(group))
        name = f"branch {number}"
        lines.append(Line(x=2, y=7 + place, label=name, scatter=True, rows=(first, last)))
        first = last
    return Plot(lines=tuple(lines), x_label=found.spec.name, y_label=found.coordinates[place])


def _in_words(found: Branches) -> str:
    """Sum up branches for a person at a terminal."""
    spec = found.spec
    lines = [
        f"{len(found.curves)} branches of {spec.experiment} for {spec.name} from {spec.low:g} to "
        f"{spec.high:g}, up to period {spec.max_period}"
    ]
    if found.within:
        lines.append(f"  followed with {found.within}")
    ordered = sorted(found.specials, key=lambda each: (each.period, each.parameter))
    lines += [f"  {each.text}" for each in _distinct(ordered)[:MOST_LINES]]
    if len(_distinct(ordered)) > MOST_LINES:
        lines.append(f"  and {len(_distinct(ordered)) - MOST_LINES} more, see branches.json")
    for lamp in found.lamps:
        state = {True: "yes", False: "no", None: "not known"}[lamp.on]
        lines.append(f"  {lamp.name}: {state}{', ' if lamp.detail else ''}{lamp.detail}")
    return to_plain("\n".join([*lines, *(f"  {note}" for note in found.notes)]))


def _distinct(specials: list[Special]) -> list[Special]:
    """Return one of those that mirror one another."""
    kept: list[Special] = []
    for each in specials:
        known = any(
            each.event == one.event
            and each.period == one.period
            and abs(each.parameter - one.parameter) < 1e-8
            for one in kept
        )
        if not known:
            kept.append(each)
    return kept
