"""Lyapunov Lab: the window without arguments, else the command line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

# Looking for plugins of pydantic, of which there are none, would read the metadata of all packages.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

YOUNG = 20_000
"""New objects after which a command looks for garbage, of which imports make next to none."""
DRAWING = ("smoke", "screenshot")
"""Commands that open a window which nobody sees."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments and arguments[0] in DRAWING:
        from gui.app.ending import interrupted_at_once

        with interrupted_at_once():
            return _drawn(arguments[0], arguments[1:])
    if arguments and arguments[0] == "doctor":  # also where a package is missing
        from engine.cli.doctor import main as doctor

        return doctor(arguments[1:])
    from gui.app.options import is_window_option

    if not arguments or is_window_option(arguments[0]):
        from gui.app.application import run as window

        return window(arguments)
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG)
    try:
        from engine.cli.commands import main as command_line

        return command_line(arguments)
    finally:
        gc.set_threshold(*usual)


def _drawn(command: str, arguments: Sequence[str]) -> int:
    if command == "smoke":
        from gui.app.smoke import main as smoke

        return smoke(arguments)
    from gui.app.screenshot import main as screenshot

    return screenshot(arguments)


if __name__ == "__main__":
    if not sys.warnoptions:  # a warning of a library is for who asks for it by python -W
        import warnings

        warnings.simplefilter("ignore")
    if getattr(sys, "frozen", False):  # in a packaged program a worker process starts here, too
        import multiprocessing

        multiprocessing.freeze_support()
    try:
        ended = main()
        if sys.argv[1:] and sys.argv[1] in DRAWING:
            from gui.app.ending import leave

            leave(ended)
        sys.exit(ended)
    finally:
        if "PySide6.QtWidgets" not in sys.modules:
            gc.freeze()  # or Python would look through all objects before it drops them
