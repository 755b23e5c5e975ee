"""A half-made map goes on where a kill left it, and a folder never holds two maps."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.maps import making, store
from engine.maps.kind import Prepared
from engine.maps.store import HalfMade, MapFolder
from engine.maps.summary import shares, summary
from engine.storage.files import FileError
from tests.engine.maps import logistic
from tests.engine.maps.test_making import same, whole_runs


def region(columns: int = 40, rows: int = 30) -> Prepared:
    """Return a map of the logistic equation that calls itself one of least squares."""
    spec = replace(logistic.spec(columns=columns, rows=rows, steps=30), experiment="least-squares")
    made = logistic.Region(spec)
    made.cells_a_job = 50
    return made


def orbit() -> Prepared:
    spec = replace(logistic.spec("orbit", columns=90, steps=10), experiment="least-squares")
    made = logistic.Orbit(spec)
    made.cells_a_job = 7
    return made


def never() -> threading.Event:
    return threading.Event()


def fill(half: HalfMade, tiles: int | None = None) -> None:
    """Compute some tiles, or all that are missing."""
    for count, tile in enumerate(list(half.missing())):
        if count == tiles:
            return
        half.add(tile, making.compute(half.prepared, tile, never()))


def finish(folder: MapFolder) -> Any:
    half = folder.half_made()
    fill(half)
    folder.finish(half, summary(folder.prepared, half.arrays, 1.0))
    return folder.arrays()


@settings(max_examples=15)
@given(
    parts=st.lists(st.integers(0, 9), max_size=4),
    damage=st.randoms(use_true_random=False),
    is_orbit=st.booleans(),
)
def test_a_map_made_in_parts_is_that_made_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[int],
    damage: random.Random,
    is_orbit: bool,
) -> None:
    """Between the parts the journal is cut off anywhere and cells that it names are damaged."""
    prepared = orbit() if is_orbit else region()
    path = tmp_path_factory.mktemp("map")
    for tiles in parts:
        half = MapFolder(path, prepared).half_made()
        fill(half, tiles)
        half.close()
        journal = path / store.UNFINISHED / store.JOURNAL
        records = journal.read_bytes()
        journal.write_bytes(records[: damage.randint(0, len(records))])
        values = path / store.UNFINISHED / f"{prepared.fields[0].name}.npy"
        with values.open("r+b") as file:
            file.seek(damage.randint(128, values.stat().st_size - 1))
            file.write(b"\x07")
    assert same(
        finish(MapFolder(path, prepared)), making.made(prepared, logistic.Inline(), never())
    )
    assert not (path / store.UNFINISHED).exists()


def test_finished_tiles_are_not_made_again(tmp_path: Path) -> None:
    half = MapFolder(tmp_path, region()).half_made()
    fill(half, 5)
    half.close()
    again = MapFolder(tmp_path, region()).half_made()
    assert (again.done, again.total) == (half.done, 40 * 30)
    assert next(again.missing()).number == 5
    again.close()


@pytest.mark.parametrize("limit", [0, store.LARGEST])
def test_large_arrays_stay_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(store, "LARGEST", limit)
    monkeypatch.setattr(store, "_RELEASE", 100)
    folder = MapFolder(tmp_path, region())
    arrays = finish(folder)
    assert same(arrays, making.made(region(), logistic.Inline(), never()))
    assert (tmp_path / "map.npz").exists() == bool(limit)
    assert (tmp_path / "map" / "last.npy").exists() != bool(limit)
    assert MapFolder(tmp_path, region()).is_finished
    for values in arrays.values():
        assert isinstance(values, np.memmap) != bool(limit)


def test_a_move_that_was_cut_off_is_carried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LARGEST", 0)
    half = MapFolder(tmp_path, region()).half_made()
    fill(half)
    half.close()
    (tmp_path / "map").mkdir()
    (tmp_path / "unfinished" / "outcome.npy").rename(tmp_path / "map" / "outcome.npy")
    again = MapFolder(tmp_path, region())
    assert same(finish(again), making.made(region(), logistic.Inline(), never()))


def test_the_summary_is_strict_json_and_counts_the_classes(tmp_path: Path) -> None:
    arrays = finish(MapFolder(tmp_path, region()))

    def refuse(text: str) -> None:
        raise AssertionError(text)

    result = json.loads((tmp_path / "map.json").read_text(), parse_constant=refuse)
    for each in result["classes"]:
        assert each["cells"] == np.count_nonzero(arrays["outcome"] == each["code"])
    assert sum(each["share"] for each in result["classes"]) == pytest.approx(1.0)
    assert [each.share for each in shares(result)] == sorted(
        (each["share"] for each in result["classes"] if each["cells"]), reverse=True
    )
    assert result["spec"] == region().spec.as_table()
    assert result["overlays"][0]["source"] == "fixed point"


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_folder_of_another_map_is_refused_and_left_alone(
    tmp_path: Path, is_finished: bool
) -> None:
    folder = MapFolder(tmp_path, region())
    if is_finished:
        finish(folder)
    else:
        folder.half_made().close()
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="other values of x"):
        MapFolder(tmp_path, region(columns=41))
    with pytest.raises(InputError, match="stability of least-squares"):
        MapFolder(tmp_path, whole_runs())
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_another_version_of_the_program_does_not_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    MapFolder(tmp_path, region()).half_made().close()
    monkeypatch.setattr(store, "fingerprint", lambda: "of tomorrow")
    with pytest.raises(InputError, match="another version"):
        MapFolder(tmp_path, region())


@pytest.mark.parametrize("name", ["map.npz", "thesis.tex", "unfinished/thesis.tex", "map/own.npy"])
def test_a_folder_with_something_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"years of work")
    with pytest.raises(InputError, match="something else"):
        MapFolder(tmp_path, region())
    assert (tmp_path / name).read_bytes() == b"years of work"


def test_two_programs_do_not_make_one_map(tmp_path: Path) -> None:
    half = MapFolder(tmp_path, region()).half_made()
    with pytest.raises(InputError, match="another program"):
        MapFolder(tmp_path, region()).half_made()
    half.close()


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"nonsense" * 100])
def test_a_damaged_array_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    MapFolder(tmp_path, region()).half_made().close()
    (tmp_path / "unfinished" / "steps.npy").write_bytes(content)
    with pytest.raises(FileError, match=r"steps\.npy"):
        MapFolder(tmp_path, region()).half_made()


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "posix_fallocate", full)
    with pytest.raises(FileError, match="No space left"):
        MapFolder(tmp_path, region()).half_made()
