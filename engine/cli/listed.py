"""`main.py list`: the experiments, or the parameters, presets and maps of one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from engine.cli import maps as cli_maps
from engine.cli.output import DONE
from engine.core import registry
from engine.core.experiment import AbstractExperiment
from engine.core.params import ParamSpec, describe, format_value
from engine.core.registry import get
from engine.storage import presets
from engine.storage.files import to_json
from engine.text.mathtext import to_plain


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `main.py list`."""
    parser.add_argument("experiment", nargs="?", help="show the parameters and presets of this one")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(options: argparse.Namespace) -> int:
    """Print what there is and return the exit status."""
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
