"""The command line: `main.py list`, `main.py run` and what follows, without a window.

Exit status: 0 done, 2 bad input (one line on standard error that names the field and what is
allowed), 1 failure. Further commands join `COMMANDS`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import engine.experiments  # noqa: F401  registers the experiments
from engine.cli.output import BAD_INPUT, DONE, FAILED, INTERRUPTED, Parser, printed, report
from engine.core.errors import InputError, LabError
from engine.core.versions import NAME, VERSION

__all__ = ["BAD_INPUT", "COMMANDS", "DONE", "FAILED", "INTERRUPTED", "main"]

Parts = tuple[Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]
"""What adds a command's options to a parser, and what carries it out and returns the status."""


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: name, one line of help, and what imports its parts.

    The parts are imported when the command is given: those of all commands together would be half
    of what a short run imports.
    """

    name: str
    help: str
    load: Callable[[], Parts]


def main(argv: Sequence[str]) -> int:
    """Carry out a command line and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Greek letters on a terminal that lacks them
            stream.reconfigure(errors="replace")
    return printed(lambda: _status(argv))


def _status(argv: Sequence[str]) -> int:
    """Carry out a command line, and put every failure in one line."""
    try:
        options = _parser(argv).parse_args(argv)
        status: int = options.execute(options)
    except InputError as error:
        return report(" ".join(str(error).split()), BAD_INPUT)
    except LabError as error:
        return report(str(error), FAILED)
    except KeyboardInterrupt:
        return report("stopped", INTERRUPTED)
    except MemoryError:
        return report("The memory of this machine is too small for that.", FAILED)
    return status


def _parser(argv: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """Describe the commands; with a command line only those that it may name with their options."""
    parser = Parser(
        prog="main.py",
        description=f"{NAME}: without a command, the window opens.",
        epilog="Further: main.py smoke opens every panel offscreen; main.py screenshot draws one.",
    )
    parser.add_argument("--version", action="version", version=f"{NAME} {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name, help=command.help, description=command.help, allow_abbrev=False
        )
        if argv is None or command.name in argv:
            configure, execute = command.load()
            configure(sub)
            sub.set_defaults(execute=execute)
    return parser


def _list() -> Parts:
    from engine.cli import listed

    return listed.configure, listed.execute


def _run() -> Parts:
    from engine.cli import running

    return running.configure, running.execute


def _map() -> Parts:
    from engine.cli import maps

    return maps.configure, maps.execute


def _animate() -> Parts:
    from engine.cli import animate

    return animate.configure, animate.execute


def _page() -> Parts:
    from engine.cli import page

    return page.configure, page.execute


def _compare() -> Parts:
    from engine.cli import compare

    return compare.configure, compare.execute


def _eval() -> Parts:
    from engine.cli import models

    return models.configure_eval, models.evaluate


def _convert() -> Parts:
    from engine.cli import models

    return models.configure_convert, models.convert


def _download() -> Parts:
    from engine.cli import models

    return models.configure_download, models.download


def _reproduce() -> Parts:
    from engine.cli import reproduce

    return reproduce.configure_reproduce, reproduce.reproduce


def _atlas() -> Parts:
    from engine.cli import reproduce

    return reproduce.configure_atlas, reproduce.atlas


def _doctor() -> Parts:
    from engine.cli import doctor

    return doctor.configure, doctor.execute


COMMANDS: tuple[Command, ...] = (
    Command("list", "List the experiments, or the parameters of one.", _list),
    Command("run", "Run an experiment and write what comes out.", _run),
    Command(
        "map", "Make a map: what happens for every step size, start, or pair of parameters.", _map
    ),
    Command("animate", "Make an animation of a run, or of a parameter that is swept.", _animate),
    Command(
        "page",
        "Make a live page of a run: one HTML file with sliders, which computes its own steps.",
        _page,
    ),
    Command(
        "compare", "Compare runs: a table of what differs, and figures with all of them.", _compare
    ),
    Command("eval", "Evaluate a trained network.", _eval),
    Command("convert", "Write a trained network as a PyTorch state_dict or as ONNX.", _convert),
    Command("download", "Fetch MNIST or Fashion-MNIST.", _download),
    Command(
        "reproduce", "Recompute the paper and later literature, and write a report.", _reproduce
    ),
    Command("atlas", "List results of later literature, or recompute one.", _atlas),
    Command("doctor", "Check what this machine has of what is needed.", _doctor),
)
