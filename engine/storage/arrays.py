"""Named arrays in files without pickles: NPZ, and safetensors, each with a JSON description.

What is read was perhaps made by someone else, so sizes, names, types and shapes are checked from
the headers before any array is made, and nothing in a file can run.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.storage.files import atomic, check_values, fault, human_size, opened, to_json
from engine.storage.npy import (
    Header,
    NotNumbersError,
    NpyError,
    fill,
    read_entries,
    read_header,
    shaped,
)

Arrays = Mapping[str, NDArray[Any]]

NPZ_LIMIT = 2**30
"""Bytes of arrays that an NPZ file from outside may unpack to; the paper's network has 0.6 GB."""
NPZ_FREE = 64 * 2**20
"""Bytes to which even the smallest NPZ file may unpack: twice a recorded trace at its largest."""
NPZ_RATIO = 16
"""Bytes to which each byte of a larger one may unpack; learned numbers hardly shrink at all."""
SAFETENSORS_LIMIT = 4 * 2**30
"""Bytes of a safetensors file: a checkpoint of the paper's network with Adam's moments has 1.9 GB.
It is not compressed, so that it takes as much memory as it takes on the disk."""
HOLES_FREE = 64 * 2**20
"""Bytes up to which a file may be full of holes, which take no room on the disk."""
MEMBER_LIMIT = 4096
"""Arrays that a file may hold."""
CONFIG_KEY = "config.json"
"""Name under which the JSON description is kept in an NPZ file, and in safetensors' metadata."""
_HEADER_LIMIT = 4 * 2**20
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same arrays give the same file
_SAFE_TYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "BF16": "<u2",  # widened to float32 when it is read
}


def save_npz(path: Path, arrays: Arrays, config: Mapping[str, Any] | None = None) -> None:
    """Write arrays, and a description that is JSON-ready, to a compressed NPZ file.

    ``numpy.load`` reads it; the description is the text array ``config.json``.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    members = dict(arrays)
    if config is not None:
        members[CONFIG_KEY] = np.array(to_json(config, indent=None))
    with atomic(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in members.items():
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(values), allow_pickle=False)


def load_npz(
    path: Path, limit: int = NPZ_LIMIT, what: str = "file"
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read an NPZ file after checking it, and return its arrays and its description.

    Raises
    ------
    InputError
        If it is no NPZ file, is damaged, holds pickled objects or names with folders, or would
        unpack to more than `limit` bytes, or to far more than its size warrants.
    FileError
        If it cannot be read.
    """
    path = Path(path)
    with opened(path, what) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise InputError(what, path.name, f"give a file of at most {human_size(limit)}")
        try:
            with zipfile.ZipFile(file) as archive:
                most = min(limit, max(NPZ_FREE, NPZ_RATIO * size))
                arrays = _read_members(archive, path, most, what)
        except InputError:
            raise
        except _DAMAGE as error:
            raise _damaged(path, what, "NPZ", error) from None
    config = arrays.pop(CONFIG_KEY, None)
    return arrays, {} if config is None else _config(path, what, str(config))


def _read_members(
    archive: zipfile.ZipFile, path: Path, limit: int, what: str
) -> dict[str, NDArray[Any]]:
    members = archive.infolist()
    if len(members) > MEMBER_LIMIT:
        raise InputError(what, path.name, f"give a file of at most {MEMBER_LIMIT} arrays")
    if sum(member.file_size for member in members) > limit:
        raise InputError(what, path.name, f"give arrays of at most {human_size(limit)} in all")
    arrays = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name == member.filename or not _is_plain(name) or name in arrays:
            raise InputError(what, member.filename, "an array's name holds no folder, ends in .npy")
        with archive.open(member) as file:
            arrays[name] = _read_array(file, member, path, what)
    return arrays


def _is_plain(name: str) -> bool:
    return bool(name) and not any(mark in name for mark in "/\\\0:") and name not in (".", "..")


def _read_array(file: Any, member: zipfile.ZipInfo, path: Path, what: str) -> NDArray[Any]:
    """Read one array whose header must agree with the size that the archive states."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged(path, what, "NPZ", "an array is packed in a way that is not read")
    try:
        header = read_header(file)
        _check_size(header, member.file_size - file.tell())
        return read_entries(file, header)
    except NotNumbersError:
        rule = "only arrays of numbers are read, never objects"
        raise InputError(what, member.filename, rule) from None
    except NpyError as error:
        raise _damaged(path, what, "NPZ", f"{member.filename}: {error}") from None


def _check_size(header: Header, held: int) -> None:
    if header.size > held:
        raise NpyError("it is cut short")
    if header.size < held:
        raise NpyError("it is longer than its header says")


def save_safetensors(path: Path, arrays: Arrays, config: Mapping[str, Any] | None = None) -> None:
    """Write arrays to a safetensors file, its metadata holding the description.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    from safetensors.numpy import save

    tensors = {name: np.asarray(values, order="C") for name, values in arrays.items()}
    metadata = None if config is None else {CONFIG_KEY: to_json(config, indent=None)}
    with atomic(path) as file:
        file.write(save(tensors, metadata=metadata))


def load_safetensors(
    path: Path, limit: int = SAFETENSORS_LIMIT, what: str = "file"
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read a safetensors file after checking it, and return its arrays and its description.

    Raises
    ------
    InputError
        If it is no safetensors file, is damaged, or is larger than `limit` bytes.
    FileError
        If it cannot be read.
    """
    path = Path(path)
    with opened(path, what) as file:
        status = os.fstat(file.fileno())
        if status.st_size > limit:
            raise InputError(what, path.name, f"give a file of at most {human_size(limit)}")
        if _is_hollow(status):
            raise _damaged(path, what, "safetensors", "most of it is holes")
        header = _safetensors_header(file, status.st_size, path, what)
        metadata = header.pop("__metadata__", {})
        entries = [_checked(name, entry, path, what) for name, entry in header.items()]
        _check_places(entries, status.st_size - file.tell(), path, what)
        try:
            arrays = {entry.name: _read_tensor(file, entry) for entry in sorted(entries)}
        except NpyError as error:
            raise _damaged(path, what, "safetensors", error) from None
    text = metadata.get(CONFIG_KEY) if isinstance(metadata, dict) else None
    return arrays, {} if text is None else _config(path, what, str(text))


def _is_hollow(status: os.stat_result) -> bool:
    """Return whether a file would take far more memory than it takes room on the disk."""
    blocks = getattr(status, "st_blocks", None)  # of 512 bytes, whatever the disk's own are
    held = status.st_size if blocks is None else 512 * blocks
    return status.st_size > HOLES_FREE and NPZ_RATIO * held < status.st_size


def _safetensors_header(file: BinaryIO, size: int, path: Path, what: str) -> dict[str, Any]:
    start = file.read(8)
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 2 <= length <= min(_HEADER_LIMIT, size - 8):
        raise _damaged(path, what, "safetensors", "its header has an impossible length")
    try:
        header = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, what, "safetensors", fault(error)) from None
    if not isinstance(header, dict) or len(header) > MEMBER_LIMIT:
        raise _damaged(path, what, "safetensors", "its header is not a list of arrays")
    return header


@dataclass(frozen=True, slots=True, order=True)
class _Tensor:
    """Where an array lies among the bytes after the header."""

    begin: int
    end: int
    name: str
    kind: str
    shape: tuple[int, ...]


def _checked(name: str, entry: Any, path: Path, what: str) -> _Tensor:
    if not _is_plain(name):
        raise InputError(what, name, "an array's name holds no folder")
    try:
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        sizes = [*shape, begin, end]
        fits = all(type(size) is int and 0 <= size < 2**63 for size in sizes) and len(shape) <= 32
    except (TypeError, KeyError, ValueError):
        fits = False
    if not fits or not isinstance(kind, str):
        raise _damaged(path, what, "safetensors", f"{name[:40]} has an impossible type or shape")
    if kind not in _SAFE_TYPES:
        raise _damaged(path, what, "safetensors", f"{name[:40]} has the type {kind[:20]}, not read")
    if math.prod(shape) * np.dtype(_SAFE_TYPES[kind]).itemsize != end - begin:
        raise _damaged(path, what, "safetensors", f"{name[:40]} has an impossible type or shape")
    return _Tensor(begin, end, name, kind, tuple(shape))


def _check_places(entries: list[_Tensor], held: int, path: Path, what: str) -> None:
    """Check that arrays follow one another to the end of the file, so that none is read twice."""
    end = 0
    for entry in sorted(entries):
        if entry.begin != end:
            raise _damaged(path, what, "safetensors", f"{entry.name[:40]} is misplaced")
        end = entry.end
    if end > held:
        raise _damaged(path, what, "safetensors", "it is cut short")
    if end < held:
        raise _damaged(path, what, "safetensors", "it is longer than its header says")


def _read_tensor(file: BinaryIO, entry: _Tensor) -> NDArray[Any]:
    values: NDArray[Any] = np.empty(math.prod(entry.shape), _SAFE_TYPES[entry.kind])
    fill(file, values)
    if entry.kind == "BF16":  # the upper half of a float32
        values = (values.astype("<u4") << 16).view("<f4")
    return shaped(values.astype(values.dtype.newbyteorder("="), copy=False), entry.shape)


def save_arrays(path: Path, arrays: Arrays, config: Mapping[str, Any] | None = None) -> None:
    """Write arrays in the format that the name ends with, ``.npz`` or ``.safetensors``.

    Raises
    ------
    InputError
        If the name ends otherwise.
    FileError
        If the file cannot be written.
    """
    {".npz": save_npz, ".safetensors": save_safetensors}[_suffix(path)](path, arrays, config)


def load_arrays(path: Path, what: str = "file") -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read arrays and their description from an ``.npz`` or ``.safetensors`` file.

    Raises
    ------
    InputError
        If the name ends otherwise (a pickled ``.pt`` is never opened), or the file is not sound.
    """
    reader = {".npz": load_npz, ".safetensors": load_safetensors}[_suffix(path, what)]
    return reader(path, what=what)


def load_numbers(path: Path, what: str = "file") -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read arrays that all hold finite numbers, and their description.

    Raises
    ------
    InputError
        As `load_arrays`, and for texts, inf or nan among the arrays.
    """
    arrays, config = load_arrays(path, what)
    for name, values in arrays.items():
        if values.dtype.kind not in "biuf" or not _is_finite(values):
            raise InputError(what, Path(path).name, f"{name} must hold finite numbers")
    return arrays, config


def _is_finite(values: NDArray[Any]) -> bool:
    """Return whether all numbers are finite, a few million at a time."""
    flat = values.reshape(-1)
    return all(bool(np.isfinite(flat[i : i + 2**22]).all()) for i in range(0, flat.size, 2**22))


def _suffix(path: Path, what: str = "file") -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in (".npz", ".safetensors"):
        raise InputError(what, Path(path).name, "give a name that ends in .npz or .safetensors")
    return suffix


def _config(path: Path, what: str, text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, what, "model", fault(error)) from None
    if not isinstance(config, dict):
        raise _damaged(path, what, "model", "its description is not a JSON object")
    check_values(config, what)
    return config


def _damaged(path: Path, what: str, kind: str, reason: object) -> InputError:
    text = " ".join(str(reason).split()).rstrip(".") or "it ends too early"
    return InputError(what, path.name, f"give an undamaged {kind} file ({text[:120]})")
