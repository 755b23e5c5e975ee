"""Time of all figures of a run, in three formats and in one, beside plain matplotlib.

The peer draws the same figures one after another and calls ``savefig`` for each format, as a script
would, in the same look.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from engine.core.params import build
from engine.core.registry import get
from engine.figures import paper
from engine.figures.album import save_sheets
from engine.figures.data import FigureData
from engine.figures.formats import DPI, FORMATS, Format
from engine.figures.painters import Painters
from engine.figures.sheets import Look, Sheet, sheets_of
from engine.figures.style import paper as paper_style
from engine.run.session import Session
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, median_ratio

EXPERIMENT, STEPS = "scalar-product", 100
PLAIN = "plain matplotlib, one process"


def made_sheets(quick: bool) -> list[Sheet]:
    """Return the sheets of a short run; some of them where it is to be quick."""
    experiment = get(EXPERIMENT)
    session = Session(experiment, build(experiment.parameters, {}), 0)
    session.advance(STEPS)
    sheets = sheets_of(FigureData.of(session), experiment)
    session.close()
    return sheets[:4] if quick else sheets


def ours(sheets: list[Sheet], formats: tuple[Format, ...]) -> None:
    """Write figures as the program does, the start of its processes included."""
    with tempfile.TemporaryDirectory() as folder, Painters.for_sheets(len(sheets)) as painters:
        save_sheets(Path(folder), sheets, Look(formats), painters=painters)


def plain(sheets: list[Sheet]) -> None:
    """Write figures in all formats one after another, each laid out for each format."""
    with tempfile.TemporaryDirectory() as folder, paper_style():
        for sheet in sheets:
            if sheet.is_page:
                figure = paper.draw_page(sheet.views, sheet.data)
            else:
                figure = Figure(figsize=(6.4, 3.6), layout="constrained")
                paper.draw_on(figure.subplots(), sheet.views[0], sheet.data)
            for kind in FORMATS:
                figure.savefig(Path(folder) / f"{sheet.stem}.{kind}", dpi=DPI)


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure all formats, one of them, and the peer in turns."""
    sheets = made_sheets(quick)
    count = f"{len(sheets)} figures"
    seconds = timer.in_turns(
        {
            f"{count}, {len(FORMATS)} formats": lambda: ours(sheets, FORMATS),
            f"{count}, SVG": lambda: ours(sheets, ("svg",)),
            PLAIN: lambda: plain(sheets),
        }
    )
    first = next(iter(seconds.values()))
    for name, samples in seconds.items():
        yield Measurement(
            name=name,
            unit="s",
            samples=tuple(samples),
            peer=name == PLAIN,
            times_as_fast=median_ratio(samples, first),
        )


BENCHMARK = Benchmark(
    name="figures",
    measures="figures of a run written to a folder",
    peers=(PLAIN,),
    run=measure,
)
