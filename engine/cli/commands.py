"""The command line: `main.py list`, `main.py run` and what follows, without a window.

Exit status: 0 done, 2 bad input (one line on standard error that names the field and what is
allowed), 1 failure. Further commands join `COMMANDS`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import engine.experiments  # noqa: F401  registers the experiments
from engine.cli import animate, chosen, compare, doctor, page
from engine.cli import maps as cli_maps
from engine.cli import models as cli_models
from engine.cli import reproduce as cli_reproduce
from engine.cli.chosen import LEARNED_FORMATS, chosen_run, figure_formats
from engine.cli.output import (
    BAD_INPUT,
    DONE,
    FAILED,
    FIGURE_FORMATS,
    INTERRUPTED,
    Parser,
    printed,
    report,
)
from engine.cli.terminal import Interrupt, progress_line
from engine.core import registry
from engine.core.errors import InputError, LabError
from engine.core.experiment import AbstractExperiment
from engine.core.params import ParamSpec, describe, format_value
from engine.core.registry import get
from engine.core.versions import NAME, VERSION
from engine.storage import presets
from engine.storage.files import to_json
from engine.text.mathtext import to_plain


@dataclass(frozen=True, slots=True)
class Command:
    """A subcommand: name, one line of help, its options, and what carries it out."""

    name: str
    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace], int]


def main(argv: Sequence[str]) -> int:
    """Carry out a command line and return the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # Greek letters on a terminal that lacks them
            stream.reconfigure(errors="replace")
    return printed(lambda: _status(argv))


def _status(argv: Sequence[str]) -> int:
    """Carry out a command line, and put every failure in one line."""
    try:
        options = _parser().parse_args(argv)
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


def _parser() -> argparse.ArgumentParser:
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
        command.configure(sub)
        sub.set_defaults(execute=command.execute)
    return parser


# list


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("experiment", nargs="?", help="show the parameters and presets of this one")
    parser.add_argument("--json", action="store_true", help="print JSON")


def _list(options: argparse.Namespace) -> int:
    listed = registry.entries() if options.experiment is None else (get(options.experiment),)
    if options.json:
        print(to_json([_as_table(each.load()) for each in listed]))
    elif options.experiment is None:
        width = max((len(each.id) for each in listed), default=0)
        for each in listed:
            print(f"{each.id:{width}}  {each.title} ({each.listing.section})")
    else:
        print(_in_words(listed[0].load()))
    return DONE


def _as_table(experiment: AbstractExperiment[Any, Any]) -> dict[str, Any]:
    return {
        "id": experiment.id,
        "title": experiment.title,
        "section": experiment.listing.section,
        "summary": experiment.listing.summary,
        "steps": experiment.default_steps,
        "params": [
            {
                "name": spec.name,
                "kind": spec.kind,
                "default": spec.default,
                "symbol": spec.symbol,
                "unit": spec.unit,
                "allowed": spec.allowed,
                "minimum": spec.minimum,
                "maximum": spec.maximum,
                "choices": spec.choices,
                "live": spec.live,
                "for_ensemble": spec.for_ensemble,
                "help": spec.help,
            }
            for spec in describe(experiment.parameters)
        ],
        "presets": [
            {"id": preset.id, "title": preset.title, "description": to_plain(preset.description)}
            for preset in presets.presets(experiment.id)
        ],
        "maps": cli_maps.described(experiment.id),
    }


def _in_words(experiment: AbstractExperiment[Any, Any]) -> str:
    lines = [
        f"{experiment.id}: {experiment.title} ({experiment.listing.section})",
        experiment.listing.summary,
        "",
    ]
    lines.append("Parameters (--set name=value)")
    lines += [_parameter_line(spec) for spec in describe(experiment.parameters)]
    found = presets.presets(experiment.id)
    if found:
        lines += ["", "Presets (--preset name)"]
        lines += [f"  {preset.id}: {to_plain(preset.description)}" for preset in found]
    maps = cli_maps.described(experiment.id)
    if maps:
        lines += ["", "Maps (main.py map KIND)"]
        lines += [_map_line(each) for each in maps]
    return "\n".join(lines)


def _parameter_line(spec: ParamSpec) -> str:
    default = "none" if spec.default is None else format_value(spec, spec.default) or '""'
    allowed = spec.allowed.removeprefix("give ")
    return f"  {spec.name} = {default}  {to_plain(spec.help)} ({allowed})"


def _map_line(each: Mapping[str, Any]) -> str:
    axes = [", ".join(dict.fromkeys((*each["x"], *each["y"])))]
    options = [f"{name} = {value:g}" for name, value in each["options"].items()]
    more = f"; --option {', '.join(options)}" if options else ""
    return f"  {each['kind']}: {to_plain(each['help'])} (--x, --y of {axes[0]}{more})"


# run


def _configure_run(parser: argparse.ArgumentParser) -> None:
    chosen.configure(parser)
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
        "--svg-text",
        action="store_true",
        help="keep letters in SVG figures as text that can be edited, not as outlines",
    )


def _run(options: argparse.Namespace) -> int:
    from engine.cli import headless

    run = chosen_run(options)
    job = headless.Job(
        run=run,
        folder=Path(options.out),
        figures=figure_formats(options.figures),
        model=_model_format(options.model, (*LEARNED_FORMATS, *get(run.experiment).model_endings)),
        svg_text=options.svg_text,
        scheduler=options.scheduler,
    )
    with Interrupt() as interrupt, progress_line(sys.stderr) as show:
        result = headless.execute(job, lambda done, text: show(done, text) and interrupt.go_on)
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


COMMANDS: tuple[Command, ...] = (
    Command("list", "List the experiments, or the parameters of one.", _configure_list, _list),
    Command("run", "Run an experiment and write what comes out.", _configure_run, _run),
    Command(
        "map",
        "Make a map: what happens for every step size, start, or pair of parameters.",
        cli_maps.configure,
        cli_maps.execute,
    ),
    Command("animate", animate.HELP, animate.configure, animate.execute),
    Command("page", page.HELP, page.configure, page.execute),
    Command("compare", compare.HELP, compare.configure, compare.execute),
    Command("eval", "Evaluate a trained network.", cli_models.configure_eval, cli_models.evaluate),
    Command(
        "convert",
        "Write a trained network as a PyTorch state_dict or as ONNX.",
        cli_models.configure_convert,
        cli_models.convert,
    ),
    Command(
        "download",
        "Fetch MNIST or Fashion-MNIST.",
        cli_models.configure_download,
        cli_models.download,
    ),
    Command(
        "reproduce",
        "Recompute the paper and later literature, and write a report.",
        cli_reproduce.configure_reproduce,
        cli_reproduce.reproduce,
    ),
    Command(
        "atlas",
        "List results of later literature, or recompute one.",
        cli_reproduce.configure_atlas,
        cli_reproduce.atlas,
    ),
    Command(
        "doctor", "Check what this machine has of what is needed.", doctor.configure, doctor.execute
    ),
)
