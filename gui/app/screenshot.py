"""`main.py screenshot`: pictures of the window, made by the program itself."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.cli.output import BAD_INPUT, DONE, FAILED, Parser, printed, report
from engine.core.errors import InputError, LabError
from gui.app.application import application, problem_with_qt

if TYPE_CHECKING:
    from engine.maps.ready import ReadyMap
    from gui.app.drive import Driver
    from gui.run.control import RunControl
    from gui.window.main_window import MainWindow

SETTLE_SECONDS = 1.5
"""For formulas to be typeset."""
TYPESET_SECONDS = 30.0
"""For formulas that take longer, on a machine that is busy."""
ANALYSIS_SECONDS = 120.0
"""For what is computed in the background: equilibria, proofs."""
THEORY_SECONDS = 10.0
"""For the theory's curves over a map, which not every map has."""
PLOT_SECONDS = 60.0
"""For plots to show the last step, on a machine that is busy."""


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"{text} is not a size; give one such as 1280x800")
    if not (320 <= int(width) <= 7680 and 240 <= int(height) <= 4320):
        raise argparse.ArgumentTypeError(f"{text} is not allowed; give 320x240 to 7680x4320")
    return int(width), int(height)


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    made = Parser(prog="main.py screenshot", description="Draw the window into a PNG file.")
    made.add_argument("--out", type=Path, required=True, help="folder for the picture")
    made.add_argument("--size", type=_size, default=(1440, 900), help="such as 1280x800")
    made.add_argument("--theme", choices=("light", "dark"), default="light")
    made.add_argument("--experiment", default="scalar-product", help="id of an experiment")
    made.add_argument("--preset", default="", help="id of one of its presets")
    made.add_argument("--map", default="", help="id of one of its ready maps, shown large")
    made.add_argument("--steps", type=int, default=200, help="steps to make before the picture")
    made.add_argument("--name", default="", help="name of the file without .png")
    return made


def main(argv: Sequence[str] = ()) -> int:
    """Draw one picture and print its path; returns the exit code."""
    return printed(lambda: _drawn(argv))


def _drawn(argv: Sequence[str]) -> int:
    options = parser().parse_args(list(argv))
    problem = problem_with_qt(offscreen=True)
    if problem:
        return report(problem, 1)
    application()
    try:
        print(take(options))
    except InputError as error:
        return report(str(error), BAD_INPUT)
    except LabError as error:
        return report(str(error), FAILED)
    return DONE


def take(options: argparse.Namespace) -> Path:
    """Draw one picture and return its path.

    Raises
    ------
    InputError
        If the name is that of another folder, or there is no such ready map.
    LabError
        If experiment or preset are unknown, the run fails, or the file cannot be written.
    """
    from PySide6.QtCore import QBuffer, QIODevice

    from engine.core.registry import get
    from engine.maps.ready import ready_map
    from engine.storage.files import inside, make_folder, write_bytes
    from engine.storage.presets import preset
    from gui.app.drive import Driver, wait_until
    from gui.typeset.typesetter import typesetter
    from gui.window.hints import HANDLES, LIMIT

    experiment = get(options.experiment)
    chosen = preset(experiment.id, options.preset) if options.preset else None
    ready = ready_map(experiment.id, options.map) if options.map else None
    parts = (experiment.id, options.preset, options.map, options.theme)
    folder = make_folder(options.out)
    path = inside(folder, f"{options.name or '-'.join(part for part in parts if part)}.png")
    driver = Driver(*options.size)
    try:
        driver.window.theme_choice.set(options.theme)
        for hint in (LIMIT, HANDLES):
            driver.window.hints.follow(hint)
        driver.open(experiment.id)
        if chosen is not None:
            driver.choose(chosen)
        if ready is not None:
            _show_map(driver.window, ready)
        elif options.steps > 0:
            driver.run(options.steps)
        _raise_errors(driver)  # what failed will have no picture to wait for
        wait_until(lambda: _is_analysed(driver.window.control), ANALYSIS_SECONDS)
        driver.settle(SETTLE_SECONDS)
        panels = driver.window.panels
        if panels is not None:
            wait_until(lambda: not panels.plots.is_behind, PLOT_SECONDS)
        wait_until(lambda: not typesetter().is_busy, TYPESET_SECONDS)
        _raise_errors(driver)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        driver.window.grab().save(buffer, "PNG")
    finally:
        driver.close()
    write_bytes(path, bytes(buffer.data().data()))
    return path


def _raise_errors(driver: Driver) -> None:
    """Raise the first error that there was in the window, in one sentence."""
    errors = driver.take_errors()
    if errors:
        raise LabError(errors[0].strip().rpartition("\n")[2])


def _show_map(window: MainWindow, ready: ReadyMap) -> None:
    """Show a ready map, finished, with the theory's curves where it has any."""
    from gui.app.drive import wait_until

    panels = window.panels
    if panels is None:
        raise LabError("The window has no panels.")
    window.actions_by_name["maps"].trigger()
    page = panels.maps.page
    panels.maps.make_ready(ready)

    def is_done() -> bool:
        return page.shown is not None and page.shown.state == "done"

    wait_until(is_done, ANALYSIS_SECONDS)
    wait_until(lambda: page.shown is not None and bool(page.shown.overlays), THEORY_SECONDS)
    if not is_done():
        raise LabError(f"The map {ready.id} was not finished in {ANALYSIS_SECONDS:.0f} s.")


def _is_analysed(control: RunControl) -> bool:
    """Return whether nothing more of the run that is shown is computed in the background."""
    from engine.core.beside import recall

    shown = control.snapshot
    if shown is None:
        return True
    key = control.experiment.analysis_key(shown.params, shown.seed)
    return key is None or recall(key) is not None
