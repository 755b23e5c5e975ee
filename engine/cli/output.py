"""Printing: a parser of options, and one sentence where the output cannot be written.

Imports nothing that takes time, for the window's options are read before it shows.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
FIGURE_FORMATS = ("svg", "png", "pdf")


class Parser(argparse.ArgumentParser):
    """Reports what is wrong in one line, and an output that cannot be written as an `OSError`."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2."""
        text = " ".join(message.split())
        report(f"{self.prog}: {text}; see {self.prog} --help", BAD_INPUT)
        raise SystemExit(BAD_INPUT)

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse's own suppresses the error: help text lost on a full device would be a success.
        stream = sys.stdout if file is None else file
        if message and stream is not None:
            stream.write(message)


def report(sentence: str, status: int) -> int:
    """Print a sentence on standard error, if that is possible, and return the status."""
    with contextlib.suppress(OSError):
        print(sentence, file=sys.stderr)
    return status


def printed(command: Callable[[], int]) -> int:
    """Carry out a command that prints, and return its exit status.

    Returns
    -------
    int
        That of the command, or 1 where its output could not be written.
    """
    try:
        try:
            status = command()
        except SystemExit as leaving:  # argparse: --help, --version or an error already printed
            status = leaving.code if isinstance(leaving.code, int) else FAILED
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        return without_output(error)
    return status


def without_output(error: OSError) -> int:
    """Leave where nothing can be printed: a full device, a reader that went away."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        # the interpreter flushes once more at its end, and would show a traceback
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    if isinstance(error, BrokenPipeError):
        return FAILED
    reason = " ".join((error.strerror or str(error)).split()).rstrip(".")
    return report(f"The output could not be written: {reason}.", FAILED)
