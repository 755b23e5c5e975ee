"""PyTorch's ``state_dict`` files (.pt): read with ``weights_only``, the archive checked before."""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.core.errors import InputError
from engine.storage.arrays import SAFETENSORS_LIMIT
from engine.storage.files import read_bytes, write_bytes

EXTRA = "_extra_state"
"""The key under which a module keeps what is no tensor."""
_ZIP = b"PK\x03\x04"
_GLOBALS = re.compile(
    r"collections OrderedDict|torch (?!Untyped|Typed)\w+Storage"
    r"|torch\._utils _rebuild_(tensor_v2|parameter)"
)
"""What the description of tensors may name. PyTorch lets it call more, such as ``bytearray`` with
any number, which would fill the memory."""


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a ``state_dict``.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    import torch

    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    write_bytes(path, buffer.getvalue())


def load(path: Path, what: str, rule: str) -> tuple[dict[str, Any], Any]:
    """Read the tensors of a ``state_dict`` by name, and its extra state; None where it has none.

    Raises
    ------
    InputError
        If the file is missing, damaged, compressed, holds other objects than dense tensors of
        floating-point numbers, or would take more memory than its size; `rule` is the end of the
        sentence.
    """
    import torch

    data = read_bytes(path, SAFETENSORS_LIMIT, what)
    refusal = InputError(what, path.name, rule)
    try:
        if not _is_archive_of_tensors(data):
            raise refusal
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about forms of tensors that are refused below
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        extra = state.pop(EXTRA, None)
        dense = _is_dense(state, len(data))
    except (
        zipfile.BadZipFile,
        pickle.UnpicklingError,
        RuntimeError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        EOFError,
        OverflowError,
        IndexError,
        NotImplementedError,
        AssertionError,
        MemoryError,
    ):
        raise refusal from None
    if not dense:
        raise refusal
    return dict(state), extra


def _is_archive_of_tensors(data: bytes) -> bool:
    """Return whether bytes are an archive that unpacks to its own size and describes tensors."""
    if not data.startswith(_ZIP):  # PyTorch would read an older form
        return False
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        stored = all(member.compress_type == zipfile.ZIP_STORED for member in members)
        if not stored or sum(member.file_size for member in members) > len(data):
            return False  # compressed, or members that overlap: either may unpack to any size
        described = [each for each in members if each.filename.lower().endswith(".pkl")]
        return all(_is_plain(archive.read(member)) for member in described)


def _is_dense(state: Mapping[Any, Any], size: int) -> bool:
    """Return whether all values are dense tensors of floats, which fill no more than a size."""
    import torch

    dense = all(
        type(v) is torch.Tensor
        and v.layout is torch.strided
        and v.is_floating_point()
        and v.is_contiguous()
        for v in state.values()
    )
    # a view may repeat the few numbers that the file holds any number of times
    dense = dense and sum(v.numel() * v.element_size() for v in state.values()) <= size
    return dense and all(type(name) is str for name in state)


def _is_plain(description: bytes) -> bool:
    """Return whether a pickle names nothing but what makes tensors of the numbers in the file."""
    for operation, argument, _ in pickletools.genops(description):
        if operation.name in ("STACK_GLOBAL", "INST", "OBJ"):
            return False
        if operation.name == "GLOBAL" and not _GLOBALS.fullmatch(str(argument)):
            return False
    return True
