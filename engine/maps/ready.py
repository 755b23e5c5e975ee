"""Ready maps: maps worth a look, read from ``resources/maps/<experiment>.toml``.

Each file is a list of tables::

    [[map]]
    id = "orbit"                      # kebab-case, unique within the file
    title = "Orbit diagram"
    description = "Period doubling to chaos."
    kind = "orbit"
    x = "step_size=0.4:1.01:900"      # name=low:high:cells, with :log for equal ratios
    y = "w_1=-2:2:400"
    steps = 2000
    seed = 0                          # optional, default 0
    [map.params]                      # only what differs from the defaults
    depth = 2
    [map.options]                     # optional
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.core.errors import InputError
from engine.core.params import build
from engine.core.paths import resource
from engine.core.registry import get
from engine.maps.axis import Axis
from engine.maps.spec import MapSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyMap:
    """A map worth a look.

    Attributes
    ----------
    id, title : str
    description : str
        One sentence: what is to be seen; may hold mathtext.
    spec : MapSpec
    """

    id: str
    title: str
    description: str
    spec: MapSpec


@cache
def ready_maps(experiment_id: str) -> tuple[ReadyMap, ...]:
    """Read the ready maps of an experiment, in the order of its file; none if it has no file."""
    path = resource("maps", f"{experiment_id}.toml")
    if not path.is_file():
        return ()
    tables: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["map"]
    return tuple(_ready(experiment_id, table) for table in tables)


def ready_map(experiment_id: str, map_id: str) -> ReadyMap:
    """Find a ready map by its id.

    Raises
    ------
    InputError
        If there is none of that id; the sentence lists those there are.
    """
    for each in ready_maps(experiment_id):
        if each.id == map_id:
            return each
    known = ", ".join(each.id for each in ready_maps(experiment_id)) or "none here"
    raise InputError("map", map_id, f"give one of {known}")


def _ready(experiment_id: str, table: dict[str, Any]) -> ReadyMap:
    spec = MapSpec(
        kind=table["kind"],
        experiment=experiment_id,
        params=build(get(experiment_id).parameters, table.get("params", {})),
        seed=table.get("seed", 0),
        x=Axis.parse(table["x"]),
        y=Axis.parse(table["y"]),
        steps=table["steps"],
        options=table.get("options", {}),
    )
    texts = {key: table[key] for key in ("id", "title", "description")}
    return ReadyMap(**texts, spec=spec)
