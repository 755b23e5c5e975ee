"""`main.py page`: a run as one HTML file that computes its own steps."""

from __future__ import annotations

import argparse

from engine.cli import chosen, run_options
from engine.cli.output import DONE
from engine.storage.files import user_path
from engine.text.numbers import whole


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    run_options.configure(parser)
    parser.add_argument(
        "--out", metavar="FILE", required=True, help="name of the page, which ends in .html"
    )


def execute(options: argparse.Namespace) -> int:
    """Make the page."""
    from engine.pages.subject import subject_of
    from engine.pages.writing import write

    path = user_path(options.out, "--out")
    subject = subject_of(chosen.chosen_run(options))
    size = write(subject, path)
    print(f"{subject.title}: {whole(size)} bytes written to {path}")
    for remark in subject.remarks:
        print(remark)
    return DONE
