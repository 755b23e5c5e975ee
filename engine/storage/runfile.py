"""Run files: a run as a TOML text that a person can read and edit, replayed to the same bits.

::

    format = 1
    experiment = "scalar-product"
    seed = 0
    steps = 2000

    [params]
    step_size = 0.55  # δ: ...

    [[changes]]       # parameters given new values while it ran
    step = 500
    values = { step_size = 0.6 }

    [[changes]]       # its state pushed in a random direction
    step = 800
    nudge = { size = 1e-6, seed = 0 }

    [[annotations]]   # the user's notes at points of plots
    view = "weights"
    x = 500.0
    y = 1.2
    text = "Here the period doubles"

A run that began from learned parameters has ``start = "run.start.npz"``, a file beside it. Paths
among the parameters are meant from the folder of the file, and the table ``sha256`` keeps what
those files held: the run is refused where one holds something else.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
from numpy.typing import NDArray
from pydantic import ValidationError

from engine.core.change import Change, Nudge, checked
from engine.core.effect import check_live
from engine.core.errors import InputError
from engine.core.params import P, Params, ParamSpec, build, describe, update
from engine.core.registry import get
from engine.run import inputs, notes
from engine.run.spec import RunSpec
from engine.storage.arrays import load_numbers, save_npz
from engine.storage.files import (
    inside,
    is_folder,
    is_temporary,
    parse_json,
    read_text,
    user_path,
    write_text,
)
from engine.storage.toml import parse_toml

FORMAT = 1
"""Version of the run file and of `run.json`; a newer one is refused by name."""
STEPS_LIMIT = 10**12
"""Steps that a run may be asked for."""
SEED_LIMIT = 2**63 - 1
SIZE_LIMIT = 16 * 2**20
"""Bytes of a run file: hours of dragging a slider are 300,000 changes."""
_START_SUFFIX = ".start.npz"
START = "run" + _START_SUFFIX
"""File beside a run file with the learned parameters that the run began from."""
ANNOTATIONS = "annotations"
"""Key of the notes on plots; ``notes`` of a run's folder are sentences of the program."""
_KEYS = (
    "format",
    "experiment",
    "seed",
    "steps",
    "start",
    "params",
    "sha256",
    "changes",
    ANNOTATIONS,
)


def from_table(
    table: Mapping[str, Any], what: str = "run file", folder: Path | None = None
) -> RunSpec:
    """Check a run that was read as a table of plain values.

    Parameters
    ----------
    table : mapping
        What the file says.
    what : str
        What the sentences call it.
    folder : Path, optional
        Where the learned parameters lie that it names, and where relative paths begin; without it
        no learned parameters may be named.

    Raises
    ------
    InputError
        For an unknown key, a newer format, an unknown experiment, or a value out of range.
    """
    for key in table:
        if key not in _KEYS:
            raise InputError(what, key, f"it has only the keys {', '.join(_KEYS)}")
    _check_format(table.get("format", FORMAT))
    if "experiment" not in table:
        raise InputError(what, "no experiment", "name one under the key experiment")
    experiment = get(table["experiment"])
    params = build(experiment.parameters, _table(table.get("params", {}), "params"))
    if folder is not None:
        params = inputs.resolved(params, folder)
    seed = whole("seed", table.get("seed", 0), 0, SEED_LIMIT)
    steps = table.get("steps")
    return RunSpec(
        experiment=experiment.id,
        params=params,
        seed=seed,
        steps=None if steps is None else whole("steps", steps, 0, STEPS_LIMIT),
        changes=_changes(table.get("changes", []), params, experiment.why_no_nudge),
        start=None if "start" not in table else _start(table["start"], folder),
        sha256=_sums(table.get("sha256", {}), params),
        notes=notes.from_tables(table.get(ANNOTATIONS, []), ANNOTATIONS),
    )


def _sums(table: Any, params: Params) -> dict[str, str]:
    sums = _table(table, "sha256")
    files = [spec.name for spec in describe(type(params)) if spec.widget in ("file", "folder")]
    for name, value in sums.items():
        if name not in files:
            raise InputError("sha256", name, "give names of parameters that name files")
        if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
            raise InputError(f"sha256.{name}", value, "give 64 hexadecimal digits, or leave it out")
    return sums


def _start(name: Any, folder: Path | None) -> dict[str, NDArray[Any]]:
    if not isinstance(name, str):
        raise InputError("start", name, "give the name of a file beside the run file")
    if folder is None:
        raise InputError("start", name, "open the run file that has these parameters beside it")
    return load_numbers(inside(folder, name), "start")[0]


def _check_format(number: Any) -> None:
    if type(number) is int and number > FORMAT:
        raise InputError(
            "format", number, f"this version reads format {FORMAT}; a newer program wrote the file"
        )
    if type(number) is not int or number < 1:
        raise InputError("format", number, f"give {FORMAT}")


def whole(field: str, value: Any, low: int, high: int) -> int:
    """Check a whole number.

    Raises
    ------
    InputError
        If it is none, or outside `low` to `high`.
    """
    if type(value) is not int or not low <= value <= high:
        raise InputError(field, value, f"give a whole number from {low} to {high}")
    return value


def _table(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(field, value, "give a table of names and values")
    return value


_CHANGE = "give tables with the key step and either values or nudge"


def _changes(entries: Any, params: Params, why_no_nudge: str) -> tuple[Change, ...]:
    if not isinstance(entries, list):
        raise InputError("changes", entries, f"give a list; {_CHANGE}")
    specs = {spec.name: spec for spec in describe(type(params))}
    changes: list[Change] = []
    for entry in entries:
        if not isinstance(entry, dict) or entry.keys() not in ({"step", "values"}, _PUSHED):
            raise InputError("changes", entry, _CHANGE)
        pushed = "nudge" in entry
        first = changes[-1].step if changes else 0
        if changes and not pushed and changes[-1].nudge is None:
            first += 1  # values of one step are one change
        step = whole("changes.step", entry["step"], first, STEPS_LIMIT)
        if pushed:
            changes.append(Change(step, nudge=_nudge(entry["nudge"], why_no_nudge)))
            continue
        values = _table(entry["values"], "changes.values")
        params = _updated(params, values, specs)
        check_live(type(params), values, prefix="changes.")
        changes.append(Change(step, {name: getattr(params, name) for name in values}))
    return tuple(changes)


def _updated(params: P, values: Mapping[str, Any], specs: Mapping[str, ParamSpec]) -> P:
    """Change parameters as `update` does, where only numbers change without checking all again."""
    if not all(name in specs and _is_sound(specs[name], value) for name, value in values.items()):
        return update(params, **values)
    try:
        return type(params).model_validate({**params.__dict__, **values})
    except ValidationError:  # a rule over several fields, which has a sentence of its own
        return update(params, **values)


def _is_sound(spec: ParamSpec, value: Any) -> bool:
    """Return whether a value is a number strictly within the limits of a field."""
    if type(value) is not (int if spec.kind == "int" else float) or not math.isfinite(value):
        return False
    above = spec.minimum is None or value > spec.minimum
    return above and (spec.maximum is None or value < spec.maximum)


_PUSHED = {"step", "nudge"}


def _nudge(entry: Any, why_no_nudge: str) -> Nudge:
    if why_no_nudge:
        raise InputError("changes.nudge", entry, why_no_nudge)
    table = _table(entry, "changes.nudge")
    if table.keys() != {"size", "seed"}:
        raise InputError("changes.nudge", entry, "give a table with the keys size and seed")
    size = table["size"]
    if type(size) not in (int, float):
        raise InputError("changes.nudge.size", size, "give a number")
    return checked(Nudge(float(size), whole("changes.nudge.seed", table["seed"], 0, SEED_LIMIT)))


def to_table(run: RunSpec, start: str = START, folder: Path | None = None) -> dict[str, Any]:
    """Return a run as plain values, as in `run.json`; parameters that are None are left out.

    `start` names the file of the learned parameters that it began from, if any; `folder` is that
    of the file which will hold the table, so that paths in it are relative where they can be.
    """
    table: dict[str, Any] = {"format": FORMAT, "experiment": run.experiment, "seed": run.seed}
    if run.steps is not None:
        table["steps"] = run.steps
    if run.start is not None:
        table["start"] = start
    table["params"] = _without_none(run.params.model_dump())
    if folder is not None:
        for spec in describe(type(run.params)):
            if spec.name in table["params"]:
                value = table["params"][spec.name]
                table["params"][spec.name] = inputs.as_written(spec, value, folder)
    if run.sha256:
        table["sha256"] = dict(run.sha256)
    table["changes"] = [_change_table(change) for change in run.changes]
    if run.notes:
        table[ANNOTATIONS] = [note.to_table() for note in run.notes]
    return table


def _change_table(change: Change) -> dict[str, Any]:
    if change.nudge is not None:
        return {"step": change.step, "nudge": dataclasses.asdict(change.nudge)}
    return {"step": change.step, "values": _without_none(change.values)}


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def dumps(run: RunSpec, start: str = START, folder: Path | None = None) -> str:
    """Write a run as TOML, each parameter with its meaning beside it (see `to_table`)."""
    experiment, table = get(run.experiment), to_table(run, start, folder)
    lines = [f"# {experiment.title} ({experiment.listing.section}): a run of Lyapunov Lab"]
    lines += [f"{key} = {_toml(table[key])}" for key in _KEYS[:5] if key in table]
    lines += ["", "[params]"]
    specs = {spec.name: spec for spec in describe(experiment.parameters)}
    for name, value in table["params"].items():
        lines.append(f"{name} = {_toml(value)}{_comment(specs[name])}")
    if "sha256" in table:
        lines += ["", "[sha256]  # of the files; without its line a file may hold anything"]
        lines += [f"{name} = {_toml(value)}" for name, value in table["sha256"].items()]
    for change in table["changes"]:
        lines += ["", "[[changes]]", f"step = {change['step']}"]
        for key in change.keys() - {"step"}:
            pairs = ", ".join(f"{name} = {_toml(value)}" for name, value in change[key].items())
            lines.append(f"{key} = {{ {pairs} }}")
    for note in table.get(ANNOTATIONS, ()):
        lines += [
            "",
            f"[[{ANNOTATIONS}]]",
            *(f"{key} = {_toml(value)}" for key, value in note.items()),
        ]
    return "\n".join(lines) + "\n"


def _comment(spec: ParamSpec) -> str:
    parts = [spec.symbol if spec.symbol and "\\" not in spec.symbol else "", spec.help]
    text = ": ".join(part for part in parts if part)
    return f"  # {' '.join(text.split())}" if text else ""


def _toml(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").rstrip("\n")


def loads(text: str, what: str = "run file", folder: Path | None = None) -> RunSpec:
    """Read a run from TOML; `folder` is where the file lies.

    Raises
    ------
    InputError
        If it is not TOML, or as `from_table`.
    """
    return from_table(parse_toml(text, what), what, folder)


def check_writable(run: RunSpec, folder: Path) -> None:
    """Check before a run is made that a file in `folder` can hold its parameters.

    Raises
    ------
    InputError
        If a text holds half a character, as a path does that is not UTF-8.
    """
    written = to_table(run, folder=folder)["params"]
    for name, value in run.params.model_dump().items():
        for text in (value, written.get(name)):
            if isinstance(text, str) and any("\ud800" <= letter <= "\udfff" for letter in text):
                raise InputError(name, text, "give a text or a path that is in UTF-8")


def home_of(path: Path) -> Path:
    """Return the folder in which a file will lie that is written now, perhaps aside."""
    folder = Path(path).parent
    return folder.parent if is_temporary(folder) else folder


def save(path: Path, run: RunSpec) -> None:
    """Write a run file, and beside it the learned parameters that it began from, if any.

    Those go with the run file's name, so that two runs in a folder keep theirs apart.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    start = Path(path).with_suffix(_START_SUFFIX)
    if run.start is not None:
        save_npz(start, run.start)
    write_text(path, dumps(run, start.name, home_of(path)))


def load(path: Path) -> RunSpec:
    """Read a run from a run file, from a `run.json`, or from the folder that holds one.

    Raises
    ------
    InputError
        If there is none, it is too large or damaged, or as `from_table`.
    FileError
        If it cannot be read.
    """
    path = user_path(path, "run file")
    if is_folder(path, "run file"):
        path = path / "run.json"
    if path.suffix.lower() not in (".toml", ".json"):
        raise InputError("run file", path.name, "give a .toml file, a run.json or its folder")
    text = read_text(path, SIZE_LIMIT, "run file")
    if path.suffix.lower() != ".json":
        return loads(text, path.name, path.parent)
    return from_result(parse_json(text, path.name), path.name, path.parent)


def from_result(
    result: Mapping[str, Any], what: str = "run.json", folder: Path | None = None
) -> RunSpec:
    """Find the run in what `run.json` holds.

    Raises
    ------
    InputError
        As `from_table`.
    """
    return from_table({key: result[key] for key in _KEYS if key in result}, what, folder)
