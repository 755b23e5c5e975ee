"""The run that the options of a command describe: an experiment or a file, and what is changed."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.cli.run_options import some_of
from engine.core import registry
from engine.core.errors import InputError
from engine.core.params import Params, build, describe, parse_setting
from engine.core.registry import get
from engine.run import inputs, replay
from engine.run.labels import named_bounds
from engine.run.spec import RunSpec
from engine.storage import learned, presets, runfile, user_code
from engine.storage.columns import TABLES
from engine.text.arithmetic import NumberError, names_in, read_number, read_whole

LEARNED_FORMATS = (".npz", ".safetensors")


def chosen_run(options: argparse.Namespace) -> RunSpec:
    """Put together the run that the options describe, everything checked.

    Parameters
    ----------
    options : Namespace
        With `what`, `preset`, `set`, `steps`, `seed` and `device`.

    Raises
    ------
    InputError
        If a value is not allowed.
    """
    run = _base_run(options)
    values = _module(run, getattr(options, "module", None)) | _settings(run, options.set)
    values |= _device(run, options.device)
    values |= _proof(run, wanted=getattr(options, "prove", False))
    if "device" not in values:  # what is asked for here and now is refused where it is missing
        run, notice = replay.on_this_machine(run)
        if notice:
            print(notice, file=sys.stderr)
    params = (
        build(type(run.params), {**run.params.model_dump(), **values}) if values else run.params
    )
    params = inputs.resolved(params, Path())
    sha256 = {name: value for name, value in run.sha256.items() if name not in values}
    steps, seed = run.steps, run.seed
    if options.steps is not None:
        steps = whole_number("--steps", options.steps, 0, runfile.STEPS_LIMIT)
    if options.seed is not None:
        seed = whole_number("--seed", options.seed, 0, runfile.SEED_LIMIT)
    run = dataclasses.replace(run, params=params, seed=seed, steps=steps, sha256=sha256)
    if getattr(options, "trust", False):
        trust(run)
    return run


def trust(run: RunSpec) -> None:
    """Trust the Python files that a run executes, as they are now.

    Raises
    ------
    InputError
        If one cannot be read.
    """
    for name, path in get(run.experiment).code_files(run.params).items():
        user_code.trust(user_code.read(path, name))


def _module(run: RunSpec, text: str | None) -> dict[str, Any]:
    """Return the parameters that train the module of a file."""
    if text is None:
        return {}
    if "module_file" not in type(run.params).model_fields:
        raise InputError("--module", text, f"{run.experiment} trains no module; network does")
    path, _, function = text.rpartition(":")
    if not path or not function.isidentifier():  # C:\net.py has a colon of its own
        path, function = text, "make"
    return {"form": "module", "module_file": path, "module_function": function}


def _settings(run: RunSpec, settings: Sequence[str]) -> dict[str, Any]:
    """Read the settings; those that name bounds last, with the bounds of what the others give."""
    model = type(run.params)
    named = [setting for setting in settings if _names_bounds(model, setting)]
    values = dict(parse_setting(model, setting) for setting in settings if setting not in named)
    if named:
        params = build(model, {**run.params.model_dump(), **values})
        names = named_bounds(run.experiment, params)
        values |= dict(parse_setting(model, setting, names) for setting in named)
    return values


def _names_bounds(model: type[Params], setting: str) -> bool:
    name, _, text = setting.partition("=")
    kinds = {spec.name: spec.kind for spec in describe(model)}
    return kinds.get(name.strip()) in ("float", "int") and bool(names_in(text))


def _base_run(options: argparse.Namespace) -> RunSpec:
    path = Path(options.what)
    known = any(listed.id == options.what for listed in registry.entries())
    endings = (".toml", ".json", *LEARNED_FORMATS)
    looks_like_file = (
        path.suffix in endings
        or len(path.parts) > 1
        or options.what.startswith("~")
        or os.path.exists(path)  # unlike Path.exists it never raises
    )
    if not known and looks_like_file:
        if options.preset is not None:
            raise InputError("--preset", options.preset, "a run file has its own parameters")
        if path.suffix in LEARNED_FORMATS:
            return learned.to_run(learned.load_learned(path))
        return runfile.load(path)
    experiment = get(options.what)
    if options.preset is None:
        return RunSpec(experiment=experiment.id, params=build(experiment.parameters, {}))
    preset = presets.preset(experiment.id, options.preset)
    return RunSpec(
        experiment=experiment.id, params=preset.params, seed=preset.seed, steps=preset.steps
    )


def _proof(run: RunSpec, *, wanted: bool) -> dict[str, bool]:
    if not wanted:
        return {}
    if "prove" not in type(run.params).model_fields:
        provers = [
            listed.id
            for listed in registry.entries()
            if "prove" in listed.load().parameters.model_fields
        ]
        rule = f"nothing is proved of this experiment; of {', '.join(provers)} it is"
        raise InputError("--prove", run.experiment, rule)
    return {"prove": True}


def _device(run: RunSpec, device: str) -> dict[str, str]:
    if "device" in type(run.params).model_fields:
        return {} if device == "auto" else {"device": device}
    if device == "cuda":
        raise InputError("--device", device, f"{run.experiment} runs on the cpu; give auto or cpu")
    return {}


def whole_number(field: str, text: str, low: int, high: int) -> int:
    """Read the whole number of an option.

    Raises
    ------
    InputError
        If it is none, or outside `low` to `high`.
    """
    value: Any = text
    with contextlib.suppress(NumberError):
        value = read_whole(text)
    return runfile.whole(field, value, low, high)


def positive(field: str, text: str) -> float:
    """Read a number above 0.

    Raises
    ------
    InputError
        If it is none.
    """
    try:
        value = read_number(text)
    except NumberError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise InputError(field, text, "give a number above 0")
    return value


def picture_size(field: str, text: str) -> tuple[int, int]:
    """Read width and height in pixels, such as 1280x720.

    Raises
    ------
    InputError
        If it has another form.
    """
    found = re.fullmatch(r"\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*", text)
    if found is None:
        raise InputError(field, text, "write width x height in pixels, such as 1280x720")
    return int(found[1]), int(found[2])


def table_endings(text: str) -> tuple[str, ...]:
    """Read a list of formats of tables, and return the endings of their files.

    Raises
    ------
    InputError
        If one of them is unknown.
    """
    known = [ending.removeprefix(".") for ending in TABLES]
    return tuple(f".{name}" for name in some_of("--tables", text, known))
