"""`main.py animate`: a run, or a sweep of one parameter, as MP4, GIF or WebP."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace

from engine.cli import chosen, run_options
from engine.cli.output import DONE, INTERRUPTED
from engine.cli.terminal import Interrupt, progress_line
from engine.core.errors import InputError
from engine.core.params import parse_value, spec_of
from engine.figures.animation.film import RATES, Film, Span, Sweep, film, kind_of, views_named
from engine.run.labels import named_bounds
from engine.run.replay import target_of
from engine.run.spec import RunSpec
from engine.storage import runfile
from engine.storage.files import user_path


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    run_options.configure(parser)
    add = parser.add_argument
    add(
        "--view",
        metavar="ID",
        action="append",
        default=[],
        help="a plot, or page for all that are shown at first (default); may be repeated",
    )
    add("--from", metavar="STEP", dest="first", help="step at which it begins (default: 0)")
    add("--to", metavar="STEP", dest="last", help="step at which it ends (default: the last)")
    add(
        "--sweep",
        metavar="NAME=LOW:HIGH[:log]",
        help="sweep a parameter instead, and show each run at its end; bounds may be named",
    )
    add("--size", metavar="WxH", default="1280x720", help="pixels (default: %(default)s)")
    add("--rate", metavar="N", default="30", help="frames a second (default: %(default)s)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--seconds", metavar="S", help="how long it takes")
    length.add_argument("--speed", metavar="N", help="steps a second, instead of seconds")
    add(
        "--out",
        metavar="FILE",
        required=True,
        help="name of the animation, which ends in .mp4, .gif or .webp",
    )


def execute(options: argparse.Namespace) -> int:
    """Make the animation."""
    from engine.figures.animation.making import make

    path = user_path(options.out, "--out")
    made = film_of(options)
    with Interrupt() as interrupt, progress_line(sys.stderr) as show:
        done = make(made, path, lambda share, text: show(share, text) and interrupt.go_on)
    if not done:
        print("stopped; nothing was written", file=sys.stderr)
        return INTERRUPTED
    print(f"{made.summary}, {made.frames} frames: written to {path}")
    return DONE


def film_of(options: argparse.Namespace) -> Film:
    """Return the animation that the options describe, everything checked.

    Raises
    ------
    InputError
        If a value is not allowed; the sentence names the option or the parameter.
    """
    kind = kind_of(user_path(options.out, "--out"))
    run = chosen.chosen_run(options)
    course = _course(options, run)
    if isinstance(course, Span) and course.last > target_of(run):
        run = replace(run, steps=course.last)  # asked for here and now
    return film(
        run,
        views_named(run, [name for name in options.view if name != "page"]),
        course,
        size=chosen.picture_size("--size", options.size),
        rate=chosen.whole_number("--rate", options.rate, *RATES),
        seconds=_seconds(options, course),
        kind=kind,
    )


def _course(options: argparse.Namespace, run: RunSpec) -> Span | Sweep:
    """Read what is gone through: steps, or values of a parameter."""
    if options.sweep is None:
        last = _step("--to", options.last, target_of(run), runfile.STEPS_LIMIT)
        return Span(_step("--from", options.first, 0, last), last)
    for name, given in (("--from", options.first), ("--to", options.last)):
        if given is not None:
            raise InputError(name, given, "leave it out with --sweep, or leave out --sweep")
    found = re.fullmatch(r"([^=]+)=([^:]+):([^:]+?)(:log)?", options.sweep)
    if found is None:
        raise InputError("--sweep", options.sweep, "write name=low:high or name=low:high:log")
    spec = spec_of(type(run.params), found[1].strip(), "--sweep")
    if spec.kind not in ("float", "int"):
        raise InputError("--sweep", spec.name, "give a parameter that is a number")
    names = named_bounds(run.experiment, run.params)
    low, high = (float(parse_value(spec, text.strip(), names)) for text in found.group(2, 3))
    return Sweep(spec.name, low, high, log=found[4] is not None)


def _step(field: str, text: str | None, default: int, most: int) -> int:
    return default if text is None else chosen.whole_number(field, text, 0, most)


def _seconds(options: argparse.Namespace, course: Span | Sweep) -> float | None:
    """Return the length that is asked for, in seconds or by a speed."""
    if options.seconds is not None:
        return chosen.positive("--seconds", options.seconds)
    if options.speed is None:
        return None
    if isinstance(course, Sweep):
        raise InputError("--speed", options.speed, "give --seconds, as a sweep has no steps")
    speed = chosen.positive("--speed", options.speed)
    return max((course.last - course.first) / speed, 0.1)
