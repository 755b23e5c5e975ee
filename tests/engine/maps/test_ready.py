"""Ready maps: each can be made, and its sentence is fit to be shown."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import engine.experiments  # noqa: F401  registers the experiments
from engine.core.errors import InputError
from engine.core.paths import resource
from engine.core.registry import get
from engine.maps.catalogue import kind
from engine.maps.ready import ready_map, ready_maps
from engine.text.mathtext import to_plain

FILES = sorted(Path(resource("maps")).glob("*.toml"))
MAPS = [(path.stem, table["id"]) for path in FILES for table in tomllib.loads(
    path.read_text("utf-8"))["map"]]  # fmt: skip


@pytest.mark.parametrize(("experiment", "name"), MAPS)
def test_a_ready_map_can_be_made(experiment: str, name: str) -> None:
    ready = next(each for each in ready_maps(experiment) if each.id == name)
    spec = ready.spec
    prepared = kind(spec.kind).prepare(spec)
    assert prepared.spec == spec
    offer = kind(spec.kind).offer(experiment, spec.params, spec.seed)
    assert offer is not None
    assert spec.x.name in offer.x_names and spec.y.name in offer.y_names
    assert set(spec.options) <= set(offer.options)
    middle = (float(axis.at(axis.count / 2)) for axis in (spec.x, spec.y))
    assert prepared.start_at(*middle)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_texts_and_ids(path: Path) -> None:
    maps = ready_maps(path.stem)
    assert get(path.stem).id == path.stem
    assert len({each.id for each in maps}) == len(maps)
    for each in maps:
        assert each.description.endswith(".") and "$" not in to_plain(each.description)
        assert 0 < len(to_plain(each.title)) < 48


def test_an_unknown_map_is_refused_with_those_that_there_are() -> None:
    assert ready_map("scalar-product", "ellipse").id == "ellipse"
    with pytest.raises(InputError, match="orbit, region"):
        ready_map("scalar-product", "none")


def test_an_experiment_without_a_file_has_none() -> None:
    assert ready_maps("mnist") == ()
