"""Named arrays in files without pickles: NPZ, and safetensors, each with a JSON description.

What is read was perhaps made by someone else, so sizes, names, types and shapes are checked from
the headers before any array is made, and nothing in a file can run.
"""

from __future__ import annotations

import json
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError
from engine.storage.files import atomic, human_size, read_bytes, to_json

Arrays = Mapping[str, NDArray[Any]]

NPZ_LIMIT = 512 * 2**20
"""Bytes of arrays that an NPZ file from outside may unpack to, however small it is."""
SAFETENSORS_LIMIT = 4 * 2**30
"""Bytes of a safetensors file, which is not compressed."""
MEMBER_LIMIT = 4096
"""Arrays that a file may hold."""
CONFIG_KEY = "config.json"
"""Name under which the JSON description is kept in an NPZ file, and in safetensors' metadata."""
_HEADER_LIMIT = 4 * 2**20
_KINDS = "biufcU"
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
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "U16": 2,
    "I16": 2,
    "U32": 4,
    "I32": 4,
    "U64": 8,
    "I64": 8,
    "F16": 2,
    "F32": 4,
    "F64": 8,
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
        unpack to more than `limit` bytes.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(what, path.name, "give the name of a file that exists")
    if path.stat().st_size > limit:
        raise InputError(what, path.name, f"give a file of at most {human_size(limit)}")
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = _read_members(archive, path, limit, what)
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
    reader = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(np.lib.format.read_magic(file))
    if reader is None or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _damaged(path, what, "NPZ", "an array is in a form that this program does not read")
    shape, fortran, dtype = reader(file)
    if dtype.kind not in _KINDS or dtype.itemsize == 0:
        raise InputError(what, member.filename, "only arrays of numbers are read, never objects")
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or size != member.file_size - file.tell():
        raise _damaged(path, what, "NPZ", "an array's size differs from what its header says")
    data = file.read(size + 1)
    if len(data) != size:
        raise _damaged(path, what, "NPZ", "an array is cut short")
    values = np.frombuffer(bytearray(data), dtype=dtype) if size else np.empty(0, dtype)
    return values.reshape(shape, order="F" if fortran else "C")


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
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = Path(path)
    data = read_bytes(path, limit, what)
    header = _safetensors_header(data, path, what)
    metadata = header.pop("__metadata__", {})
    for name, entry in header.items():
        _check_tensor(name, entry, path, what)
    try:
        arrays: dict[str, NDArray[Any]] = load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path, what, "safetensors", error) from None
    text = metadata.get(CONFIG_KEY) if isinstance(metadata, dict) else None
    return arrays, {} if text is None else _config(path, what, str(text))


def _safetensors_header(data: bytes, path: Path, what: str) -> dict[str, Any]:
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else 0
    if not 2 <= length <= min(_HEADER_LIMIT, len(data) - 8):
        raise _damaged(path, what, "safetensors", "its header has an impossible length")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError) as error:
        raise _damaged(path, what, "safetensors", error) from None
    if not isinstance(header, dict) or len(header) > MEMBER_LIMIT:
        raise _damaged(path, what, "safetensors", "its header is not a list of arrays")
    return header


def _check_tensor(name: str, entry: Any, path: Path, what: str) -> None:
    if not _is_plain(name):
        raise InputError(what, name, "an array's name holds no folder")
    try:
        kind, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        sizes = [*shape, begin, end]
        fits = all(type(size) is int and size >= 0 for size in sizes)
        fits = fits and math.prod(shape) * _SAFE_TYPES[kind] == end - begin
    except (TypeError, KeyError, ValueError):
        fits = False
    if not fits:
        raise _damaged(path, what, "safetensors", f"{name} has an impossible type or shape")


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
        if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
            raise InputError(what, Path(path).name, f"{name} must hold finite numbers")
    return arrays, config


def _suffix(path: Path, what: str = "file") -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in (".npz", ".safetensors"):
        raise InputError(what, Path(path).name, "give a name that ends in .npz or .safetensors")
    return suffix


def _config(path: Path, what: str, text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, what, "model", error) from None
    if not isinstance(config, dict):
        raise _damaged(path, what, "model", "its description is not a JSON object")
    return config


def _damaged(path: Path, what: str, kind: str, reason: object) -> InputError:
    text = " ".join(str(reason).split()).rstrip(".") or "it ends too early"
    return InputError(what, path.name, f"give an undamaged {kind} file ({text[:120]})")
