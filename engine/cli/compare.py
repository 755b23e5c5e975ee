"""`main.py compare`: runs beside one another, as tables and as figures with all of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.cli.output import DONE, FIGURE_FORMATS, INTERRUPTED
from engine.cli.run_options import figure_formats
from engine.cli.terminal import Interrupt, progress_line
from engine.core.ensemble import Progress
from engine.core.errors import InputError
from engine.core.interrupt import Interrupted, watched
from engine.figures.formats import Format, formats
from engine.storage import comparing
from engine.storage.columns import Plot, write_rows
from engine.storage.comparison import Compared, Comparison, compare
from engine.storage.files import (
    entries,
    is_file,
    is_folder,
    is_temporary,
    make_folder,
    to_json,
    try_folder,
    user_path,
    write_bytes,
    write_json,
    write_text,
)

RESULT = "comparison.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("runs", metavar="RUN", nargs="+", help="a run's folder, run.json, run file, or a folder of")
    add("--out", metavar="DIR", required=True, help="folder for tables and figures")
    add(
        "--figures",
        metavar="FORMATS",
        default=",".join(FIGURE_FORMATS),
        help="formats of the figures, of svg, png, pdf, or none (default: %(default)s)",
    )
    add("--json", action="store_true", help="print comparison.json on standard output")


def execute(options: argparse.Namespace) -> int:
    """Compare the runs."""
    wanted = formats(figure_formats(options.figures))
    folder = _free(options.out)
    with Interrupt() as interrupt, progress_line(sys.stderr) as show:

        def progress(share: float, text: str) -> bool:
            return show(share, text) and interrupt.go_on

        try:
            runs = _runs(options.runs, progress)
            table = compare(runs)
            make_folder(folder)
            names = _write(folder, runs, table, wanted, progress)
        except Interrupted:
            print("stopped", file=sys.stderr)
            return INTERRUPTED
    print(to_json(table.to_table()) if options.json else table.to_text(), end="")
    if not options.json:
        print(f"\nWritten to {options.out}: {', '.join(names)}")
    return DONE


def _runs(paths: Sequence[str], progress: Progress) -> list[Compared]:
    found = comparing.sources(paths)
    if len(found) < 2:
        raise InputError("RUN", ", ".join(paths), "give two or more runs to compare")
    runs = []
    for number, source in enumerate(found):

        def within(share: float, text: str, number: int = number) -> bool:
            return progress((number + share) / len(found), text)

        with watched(within):
            if not within(0.0, f"run {number + 1} of {len(found)}"):
                raise Interrupted
            runs.append(comparing.read(source, within))
    return comparing.labelled(runs)


def _free(name: str) -> Path:
    """Return the folder of a comparison, not made yet; one that holds something else is refused."""
    folder = user_path(name, "--out")
    try_folder(folder, "--out")
    inside = entries(folder, "--out") if is_folder(folder, "--out") else []
    held = [path for path in inside if not is_temporary(path)]
    if held and not is_file(folder / RESULT, "--out"):
        raise InputError("--out", name, "give an empty folder or that of a former comparison")
    return folder


def _write(
    folder: Path,
    runs: Sequence[Compared],
    table: Comparison,
    wanted: tuple[Format, ...],
    progress: Progress,
) -> list[str]:
    """Write tables and figures, and return the names of their files."""
    write_text(folder / "comparison.csv", table.to_csv())
    write_text(folder / "comparison.md", table.to_text())
    for_tex = write_rows(folder / "comparison.dat", table.to_rows(), Plot(typeset=True))
    figures = _figures(folder / "figures", runs, wanted, progress) if wanted else []
    write_json(folder / RESULT, table.to_table())
    names = ["comparison.csv", "comparison.md", *for_tex, RESULT]
    return [*names, f"{len(figures)} figures"] if figures else names


def _figures(
    folder: Path, runs: Sequence[Compared], wanted: tuple[Format, ...], progress: Progress
) -> list[str]:
    from engine.figures.overlay import overlays as overlays_of  # loads matplotlib

    make_folder(folder)
    overlays, names = list(overlays_of(runs)), []
    for number, overlay in enumerate(overlays):
        if not progress(number / len(overlays), f"figures: {number} of {len(overlays)} drawn"):
            raise Interrupted
        for kind, content in zip(wanted, overlay.files(wanted), strict=True):
            names.append(f"{overlay.stem}.{kind}")
            write_bytes(folder / names[-1], content)
    return names
