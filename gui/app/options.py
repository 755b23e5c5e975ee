"""The options of the window, which the command line asks about before anything else is imported."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from engine.cli.output import Parser

RUN_ENDINGS = (".toml", ".json", ".npz", ".safetensors", ".lyapunov")
"""Suffixes of files that a desktop may pass to the program."""


def parser() -> argparse.ArgumentParser:
    """Describe the options of the window."""
    made = Parser(prog="main.py", description="Open the window.", add_help=False)
    made.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a run or a session")
    made.add_argument("--fresh", action="store_true", help="ignore and keep no settings")
    made.add_argument("--theme", choices=("system", "light", "dark"), help="theme of the window")
    made.add_argument("--open", type=Path, metavar="FILE", help="the same")
    made.add_argument(
        "--startup-time",
        action="store_true",
        help="print the seconds from the start of the process until the window shows, and exit",
    )
    return made


def is_window_option(argument: str) -> bool:
    """Return whether a first argument asks for the window: its options, or a file to open."""
    if argument.partition("=")[0] in ("--fresh", "--theme", "--open", "--startup-time"):
        return True
    return argument.lower().endswith(RUN_ENDINGS) and os.path.isfile(argument)
