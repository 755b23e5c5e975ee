"""Options that several commands have, and lists of formats.

Imports nothing that takes time: the processes that draw figures start as soon as options are read.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from engine.cli.output import FIGURE_FORMATS
from engine.core.errors import InputError

DEVICES = ("auto", "cpu", "cuda")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe a run."""
    add = parser.add_argument
    add(
        "what",
        metavar="EXPERIMENT|FILE",
        help="an experiment's id, a run file, a run's folder, or learned parameters to go on from",
    )
    add("--preset", metavar="NAME", help="begin from a preset of the experiment")
    add("--set", metavar="NAME=VALUE", action="append", default=[], help="give a parameter a value")
    add("--steps", metavar="N", help="number of steps")
    add("--seed", metavar="S", help="seed of all random numbers")
    add(
        "--device",
        choices=DEVICES,
        default="auto",
        help="where MNIST runs, and, only if it is cuda, matrix ensembles too",
    )
    configure_module(parser)


def configure_module(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a module of the user, and let it be executed."""
    parser.add_argument(
        "--module",
        metavar="FILE.py:FUNCTION",
        help="train the nn.Module that a function of your Python file returns; needs --trust",
    )
    configure_trust(parser)


def configure_trust(parser: argparse.ArgumentParser) -> None:
    """Add the option that lets a Python file of the user be executed."""
    parser.add_argument(
        "--trust",
        action="store_true",
        help="execute the Python file that the run names, with all your rights",
    )


def figure_formats(text: str) -> tuple[str, ...]:
    """Read a list of formats of figures.

    Raises
    ------
    InputError
        If one of them is unknown.
    """
    return some_of("--figures", text, FIGURE_FORMATS)


def some_of(field: str, text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Read a list of names, or `none`.

    Raises
    ------
    InputError
        If one of them is not known.
    """
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if names == ["none"]:
        return ()
    for name in names:
        if name not in known:
            raise InputError(field, name, f"give some of {', '.join(known)}, or none")
    return tuple(dict.fromkeys(names))
