"""A map in a folder: half-made, so that it can be gone on with after a kill, and finished.

A half-made map has a folder `unfinished` with an array file for each field and a journal that
names every tile that is in them, with its checksum: a tile that was cut off in the middle is not
named, and one that did not reach the disk before a power failure has another checksum. Both are
made again.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import shutil
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError, LabError
from engine.core.registry import get
from engine.core.versions import fingerprint
from engine.maps import making
from engine.maps.kind import CellField, Cells, Prepared
from engine.maps.tiles import Tile, tiles
from engine.run.inputs import fingerprints
from engine.storage.arrays import load_npz, save_npz
from engine.storage.files import (
    FileError,
    entries,
    is_file,
    is_folder,
    is_temporary,
    make_folder,
    parse_json,
    read_text,
    to_json,
    try_folder,
    user_path,
    write_json,
)
from engine.storage.npy import NpyError, read_header

RESULT, ARRAYS, PARTS = "map.json", "map.npz", "map"
"""Names of what a finished map has; `PARTS` is the folder of arrays too large for one file."""
UNFINISHED = "unfinished"
LARGEST = 2**28
"""Bytes of arrays up to which they are packed into one NPZ file; larger ones stay NPY files."""
SPEC, JOURNAL = "spec.json", "journal"
_RECORD = struct.Struct("<QI")  # number of a tile, checksum of its cells
_RELEASE = 64 * 2**20
"""Bytes written after which memory-mapped pages are given back."""
_JSON_LIMIT = 64 * 2**20


def checksum(prepared: Prepared) -> str:
    """Return the hash of all that the bits of a map depend on, the program's version included."""
    spec = prepared.spec
    depends_on = {
        "spec": spec.as_table(),
        "cells_a_job": prepared.cells_a_job,
        "fields": [[each.name, each.dtype, each.width] for each in prepared.fields],
        "inputs": fingerprints(get(spec.experiment), spec.params),
        "program": fingerprint(),
    }
    return hashlib.sha256(to_json(depends_on, indent=None).encode()).hexdigest()


class MapFolder:
    """The folder of one map, which is new, half-made or finished.

    It is made with the first array, so that what is refused before leaves none behind.

    Parameters
    ----------
    folder : Path
    prepared : Prepared

    Raises
    ------
    InputError
        If it cannot be written to, or holds another map or anything else.
    """

    def __init__(self, folder: Path, prepared: Prepared) -> None:
        self.path = user_path(folder, "--out")
        try_folder(self.path, "--out")
        self.prepared = prepared
        self.checksum = checksum(prepared)
        if self.path.exists():
            self._check()

    @property
    def is_finished(self) -> bool:
        """Whether the map is there, whole."""
        if not is_file(self.path / RESULT, "--out"):
            return False
        parts = [self.path / PARTS / f"{each.name}.npy" for each in self.prepared.fields]
        return is_file(self.path / ARRAYS, "--out") or all(is_file(path, "--out") for path in parts)

    def _check(self) -> None:
        """Refuse a folder that holds something else than this map."""
        half = self.path / UNFINISHED
        for path, state in ((self.path / RESULT, "the map"), (half / SPEC, "a part of the map")):
            if is_file(path, "--out"):
                found = parse_json(read_text(path, _JSON_LIMIT, "--out"), path.name)
                if found.get("checksum") != self.checksum:
                    raise self._taken(f"{state} of {_difference(found, self.prepared)}")
                return
        own = {UNFINISHED, PARTS, ARRAYS}
        held = {path.name for path in entries(self.path, "--out") if not is_temporary(path)}
        if held and not (own >= held and is_folder(half, "--out") and self._is_begun(half)):
            raise self._taken("something else")

    def _is_begun(self, half: Path) -> bool:
        """Whether a folder holds only what a program leaves that is killed as it begins a map."""
        own = {f"{each.name}.npy" for each in self.prepared.fields} | {JOURNAL}
        return all(path.name in own or is_temporary(path) for path in entries(half, "--out"))

    def _taken(self, what: str) -> InputError:
        rule = f"it holds {what}; give an empty folder, or that of this very map"
        return InputError("--out", str(self.path), rule)

    def half_made(self) -> HalfMade:
        """Open the arrays to be filled, with what is in them already.

        Raises
        ------
        InputError
            If another program is filling them.
        FileError
            If they cannot be made or are damaged.
        """
        return HalfMade(make_folder(self.path), self.prepared, self.checksum)

    def finish(self, half: HalfMade, table: Mapping[str, Any]) -> None:
        """Put the arrays and `map.json` in their places; until the latter is there, go on later.

        Raises
        ------
        FileError
            If they cannot be written.
        """
        if half.size <= LARGEST:
            spec = self.prepared.spec
            ends = {"x": spec.x.values, "y": spec.y.values}
            save_npz(self.path / ARRAYS, {**half.arrays, **ends})
        else:
            half.move(self.path / PARTS)
        write_json(self.path / RESULT, {**table, "checksum": self.checksum})
        half.close()
        shutil.rmtree(self.path / UNFINISHED, ignore_errors=True)

    def result(self) -> dict[str, Any]:
        """Read `map.json`."""
        return parse_json(read_text(self.path / RESULT, _JSON_LIMIT, "--out"), RESULT)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Open the arrays of the finished map; large ones are read from the disk when needed.

        Raises
        ------
        InputError
            If they are damaged.
        """
        packed = self.path / ARRAYS
        if is_file(packed, "--out"):
            held = load_npz(packed, 2 * LARGEST, ARRAYS)[0]
            return {each.name: held[each.name] for each in self.prepared.fields}
        shape, parts = making.shape_of(self.prepared), self.path / PARTS
        return {each.name: mapped(parts, each, shape, "r") for each in self.prepared.fields}


def _difference(found: Mapping[str, Any], prepared: Prepared) -> str:
    """Name what another map in the folder is of, as the end of a sentence."""
    mine = json.loads(to_json(prepared.spec.as_table()))
    theirs = found.get("spec")
    if not isinstance(theirs, Mapping) or theirs == mine:
        return "another version of the program, its packages or the input files"
    if (theirs.get("kind"), theirs.get("experiment")) != (mine["kind"], mine["experiment"]):
        return f"kind {theirs.get('kind')} of {theirs.get('experiment')}"
    changed = [key for key in mine if theirs.get(key) != mine[key]]
    return f"other values of {', '.join(changed)}"


class HalfMade:
    """The arrays of a map on the disk while its tiles are computed.

    Attributes
    ----------
    prepared : Prepared
    arrays : dict
        Memory-mapped, so that a map may be larger than the memory.
    done : int
        Cells that are there.
    """

    def __init__(self, folder: Path, prepared: Prepared, check: str) -> None:
        self.prepared = prepared
        self._half, self._parts = folder / UNFINISHED, folder / PARTS
        self._unreleased = 0
        self.done = 0
        try:
            self._half.mkdir(exist_ok=True)
            self._journal = (self._half / JOURNAL).open("a+b", buffering=0)
        except OSError as error:
            raise FileError(self._half, "written", error) from None
        try:
            _lock(self._journal, folder)
            if not (self._half / SPEC).is_file():
                self._begin(check)
            self.arrays = {each.name: self._opened(each) for each in prepared.fields}
            self._known = self._resumed()
        except OSError as error:
            self._journal.close()
            raise FileError(self._half, "written", error) from None
        except LabError:
            self._journal.close()
            raise

    def __enter__(self) -> HalfMade:
        """Return the half-made map itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the files."""
        self.close()

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(array.nbytes for array in self.arrays.values())

    @property
    def total(self) -> int:
        """Cells of the map."""
        return math.prod(making.shape_of(self.prepared))

    def missing(self) -> Iterator[Tile]:
        """Yield the tiles that are not there, the coarsest first."""
        for tile in self._tiles():
            if tile.number not in self._known:
                yield tile

    def add(self, tile: Tile, cells: Cells) -> None:
        """Write the cells of a tile, and then that they are there.

        Raises
        ------
        FileError
            If the disk does not take it.
        """
        making.put(self.arrays, tile, cells)
        try:
            self._journal.write(_RECORD.pack(tile.number, self._sum(tile)))
        except OSError as error:
            raise FileError(self._half / JOURNAL, "written", error) from None
        self.done += tile.count
        self._unreleased += sum(values.nbytes for values in cells.values())
        if self._unreleased > _RELEASE:
            self._unreleased = 0
            for array in self.arrays.values():
                release(array)

    def move(self, folder: Path) -> None:
        """Move the files of the arrays to another folder; what was moved before stays there."""
        try:
            folder.mkdir(exist_ok=True)
            for name, array in self.arrays.items():
                flush(array)
                if (self._half / f"{name}.npy").exists():
                    os.replace(self._half / f"{name}.npy", folder / f"{name}.npy")
        except OSError as error:
            raise FileError(folder, "written", error) from None

    def close(self) -> None:
        """Close the files; nothing else is needed to go on later."""
        self.arrays = {}
        self._journal.close()

    def _tiles(self) -> Iterator[Tile]:
        return tiles(self.prepared.spec, self.prepared.cells_a_job)

    def _begin(self, check: str) -> None:
        """Make the files, and then the one that says that they are made."""
        shape = making.shape_of(self.prepared)
        for each in self.prepared.fields:
            full = shape if each.width == 1 else (*shape, each.width)
            _make(self._half / f"{each.name}.npy", np.dtype(each.dtype), full)
        table = {"spec": self.prepared.spec.as_table(), "checksum": check}
        write_json(self._half / SPEC, table)

    def _opened(self, each: CellField) -> NDArray[Any]:
        is_here = (self._half / f"{each.name}.npy").exists()
        folder = self._half if is_here else self._parts
        return mapped(folder, each, making.shape_of(self.prepared), "r+")

    def _resumed(self) -> set[int]:
        """Read the journal, and return the numbers of the tiles that are there as they were."""
        self._journal.seek(0)
        records = self._journal.read()
        whole = len(records) - len(records) % _RECORD.size
        self._journal.truncate(whole)
        sums = dict(_RECORD.iter_unpack(records[:whole]))
        known = set()
        for tile in self._tiles() if sums else ():
            if tile.number in sums and sums[tile.number] == self._sum(tile):
                known.add(tile.number)
                self.done += tile.count
        return known

    def _sum(self, tile: Tile) -> int:
        """Return the checksum of the cells of a tile."""
        found = 0
        for each in self.prepared.fields:
            block = making.block_of(self.arrays[each.name], tile, 1 if each.width == 1 else 2)
            found = zlib.crc32(np.ascontiguousarray(block).data, found)
        return found


def _make(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Make the file of an array of zeros, for which there is room on the disk."""
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(file, {**header, "shape": shape})
        begin, size = file.tell(), math.prod(shape) * dtype.itemsize
        file.truncate(begin + size)
        if hasattr(os, "posix_fallocate"):  # a full disk would end the program later
            os.posix_fallocate(file.fileno(), begin, size)


def mapped(
    folder: Path, field: CellField, shape: tuple[int, ...], mode: Literal["r", "r+"]
) -> NDArray[Any]:
    """Open the file of a field, of which only those parts are in memory that are in use.

    Raises
    ------
    FileError
        If it is not there or not as it must be.
    """
    path = folder / f"{field.name}.npy"
    full = shape if field.width == 1 else (*shape, field.width)
    try:
        with path.open("rb") as file:
            header = read_header(file)
            begin, size = file.tell(), os.fstat(file.fileno()).st_size
        dtype = np.dtype(field.dtype)
        if (header.shape, header.dtype, size) != (full, dtype, begin + header.size):
            raise NpyError("it has another shape, type or size")
        return np.memmap(path, dtype, mode, begin, full)
    except OSError as error:
        raise FileError(path, "read", error) from None
    except NpyError as error:
        raise FileError(path, "read", f"{error}; remove the folder") from None


def flush(array: NDArray[Any]) -> None:
    """Write a memory-mapped array to its file."""
    if isinstance(array.base, mmap.mmap):
        array.base.flush()


def release(array: NDArray[Any]) -> None:
    """Release the memory of a memory-mapped array; its values stay in its file."""
    if hasattr(mmap, "MADV_DONTNEED") and isinstance(array.base, mmap.mmap):
        array.base.madvise(mmap.MADV_DONTNEED)


def _lock(journal: IO[bytes], folder: Path) -> None:
    """Refuse a half-made map that another program is making, where the system knows locks."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        rule = "another program is making this map; wait for it, or give another folder"
        raise InputError("--out", str(folder), rule) from None
