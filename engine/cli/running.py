"""`main.py run`: a run by its options, and what is printed of it.

Imports nothing that takes time: the processes that draw the figures start first, and load beside
this one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.cli import run_options
from engine.cli.output import DONE, FAILED, FIGURE_FORMATS, INTERRUPTED
from engine.cli.run_options import figure_formats
from engine.core.errors import InputError
from engine.figures.painters import Painters


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `main.py run`."""
    run_options.configure(parser)
    add = parser.add_argument
    add("--scheduler", metavar="ADDRESS", default="", help="Dask cluster that makes the ensemble")
    add("--out", metavar="DIR", required=True, help="folder for everything that the run leaves")
    add("--prove", action="store_true", help="prove stability and regions with interval arithmetic")
    add(
        "--model",
        metavar="FORMAT",
        help="write the learned parameters, as npz or safetensors; own networks as pt or onnx, too",
    )
    add("--json", action="store_true", help="print run.json on standard output")
    add(
        "--figures",
        metavar="FORMATS",
        default=",".join(FIGURE_FORMATS),
        help="formats of the figures, of svg, png, pdf, or none (default: %(default)s)",
    )
    add(
        "--tables",
        metavar="FORMATS",
        default="csv",
        help="formats of the tables, of csv and dat, for pgfplots, or none (default: %(default)s)",
    )
    add(
        "--svg-text",
        action="store_true",
        help="keep letters in SVG figures as text that can be edited, not as outlines",
    )


def execute(options: argparse.Namespace) -> int:
    """Carry out a run, print what came out, and return the exit status."""
    figures = figure_formats(options.figures)
    with Painters.for_run() if figures else Painters(0) as painters:
        painters.start()
        return _execute(options, figures, painters)


def _execute(options: argparse.Namespace, figures: tuple[str, ...], painters: Painters) -> int:
    from engine.cli import headless
    from engine.cli.chosen import LEARNED_FORMATS, chosen_run, table_endings
    from engine.cli.terminal import Interrupt, progress_line
    from engine.core.registry import get
    from engine.storage.files import to_json

    run = chosen_run(options)
    job = headless.Job(
        run=run,
        folder=Path(options.out),
        figures=figures,
        model=_model_format(options.model, (*LEARNED_FORMATS, *get(run.experiment).model_endings)),
        svg_text=options.svg_text,
        tables=table_endings(options.tables),
        scheduler=options.scheduler,
    )
    with Interrupt() as interrupt, progress_line(sys.stderr) as show:
        result = headless.execute(
            job, lambda done, text: show(done, text) and interrupt.go_on, painters
        )
    print(to_json(result) if options.json else headless.describe(result))
    if not options.json:
        print(f"Written to {options.out}: {', '.join(_summary(result['files']))}")
    outcome = result["outcome"]
    if outcome["kind"] in ("failed", "cancelled"):
        print(f"{result['experiment']}: {outcome['message']}", file=sys.stderr)
        return FAILED if interrupt.go_on else INTERRUPTED
    if not interrupt.go_on:
        print("stopped; figures that were not drawn yet are left out", file=sys.stderr)
        return INTERRUPTED
    return DONE


def _summary(names: Sequence[str]) -> list[str]:
    plain = [name for name in names if "/" not in name]
    figures = len(names) - len(plain)
    return [*plain, f"{figures} figures"] if figures else plain


def _model_format(text: str | None, endings: Sequence[str]) -> str:
    """Return the ending of the file of learned parameters, or nothing where none is wanted."""
    ending = f".{text.lower()}" if text else ""
    if ending and ending not in endings:
        known = " or ".join(each.removeprefix(".") for each in endings)
        raise InputError("--model", text, f"give {known}")
    return ending
