"""Files that leave and enter the program: written whole or not at all, checked before use."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from engine.core.errors import InputError, LabError
from engine.text.numbers import whole

STALE_AFTER = 3600.0
"""Seconds after which a temporary file that a killed program left behind is swept away."""

DEPTH_LIMIT = 32
"""Lists and tables within one another that a file may hold; the program's own have 6 at most."""
NUMBER_BITS = 1023
"""Bits of a whole number in a file: a larger one is no float."""

_RESERVED = {"con", "prn", "aux", "nul"} | {
    f"{port}{number}" for port in ("com", "lpt") for number in range(10)
}


class FileError(LabError):
    """A file that could not be written or read, said in one sentence.

    Parameters
    ----------
    path : Path
        The file; only its name is shown.
    doing : str
        "written" or "read".
    cause : OSError or str
        What the system answered.
    """

    def __init__(self, path: Path, doing: str, cause: OSError | str) -> None:
        self.path = path
        reason = (cause.strerror or str(cause)) if isinstance(cause, OSError) else cause
        super().__init__(f"{path.name} could not be {doing}: {reason}.")


def user_path(text: str | Path, what: str) -> Path:
    """Return the path that a person gave, with ``~`` for a home folder.

    Raises
    ------
    InputError
        If it names the home of a user that there is not.
    """
    try:
        return Path(text).expanduser()
    except (RuntimeError, ValueError):
        rule = "give a path that begins with the home of a user of this machine"
        raise InputError(what, str(text), rule) from None


def is_file(path: Path, what: str) -> bool:
    """Return whether a path is that of a file.

    Raises
    ------
    InputError
        If the system answers anything but yes or no: a name too long, a folder that may not be
        entered, links that lead to one another.
    """
    mode = _mode(path, what)
    return mode is not None and stat.S_ISREG(mode)


def is_folder(path: Path, what: str) -> bool:
    """Return whether a path is that of a folder (raises as `is_file`)."""
    mode = _mode(path, what)
    return mode is not None and stat.S_ISDIR(mode)


def _mode(path: Path, what: str) -> int | None:
    """Return the kind of what is at a path, None where nothing is."""
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # a ValueError for characters that no path can have
        raise unreachable(path, what, error) from None


def unreachable(path: Path, what: str, error: Exception) -> InputError:
    """Make the sentence for a path that the system does not let the program reach."""
    return InputError(what, Path(path).name, f"give a path that can be read ({reason_of(error)})")


def reason_of(error: Exception) -> str:
    """Return what the system answered, in its own words and without the path."""
    if isinstance(error, UnicodeError):
        return "it holds characters that no name of a file has"
    text = (error.strerror if isinstance(error, OSError) else "") or str(error)
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def entries(folder: Path, what: str) -> list[Path]:
    """List what is in a folder, by name.

    Raises
    ------
    InputError
        If it cannot be listed.
    """
    try:
        return sorted(Path(folder).iterdir())
    except (OSError, ValueError) as error:
        raise unreachable(folder, what, error) from None


@contextlib.contextmanager
def opened(path: Path, what: str) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Raises
    ------
    InputError
        If there is none; a pipe or a device, which may never end, is none.
    FileError
        If it cannot be read.
    """
    if not is_file(path, what):
        raise InputError(what, Path(path).name, "give the name of a file that exists")
    try:
        with Path(path).open("rb") as file:
            yield file
    except OSError as error:
        raise FileError(Path(path), "read", error) from None


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes its name only when all of it is safely on the disk.

    The bytes go to a temporary file in the same folder, which is flushed, synchronised and renamed
    when the block ends well. If it raises, or the program is killed, an older file stays as it was.

    Raises
    ------
    FileError
        If the folder or the disk does not take the file.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield file


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield an empty temporary file, for another program to write, that takes a name as `atomic`.

    Raises
    ------
    FileError
        If the folder or the disk does not take the file.
    """
    path = Path(path)
    temporary = path.with_name(temporary_name(path.name))
    with contextlib.suppress(OSError):
        _sweep(path)
    try:
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise FileError(path, "written", error) from None
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        raise FileError(path, "written", error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system lets a folder be synchronised."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def temporary_name(name: str = "") -> str:
    """Make a name for what is being written, to be renamed when it is whole."""
    return f".{name}.{secrets.token_hex(6)}.tmp" if name else f".{secrets.token_hex(6)}.tmp"


def is_temporary(path: Path, name: str | None = None) -> bool:
    """Return whether `temporary_name` made a path's name, of this name if one is given."""
    whose = r"(.+\.)?" if name is None else re.escape(f"{name}.")
    return re.fullmatch(rf"\.{whose}[0-9a-f]{{12}}\.tmp", path.name) is not None


def is_stale(path: Path) -> bool:
    """Return whether a killed program left something temporary; a recent one may be in use."""
    return time.time() - path.stat().st_mtime > STALE_AFTER


def _sweep(path: Path) -> None:
    """Remove what killed programs left of this file."""
    for old in path.parent.iterdir():
        if is_temporary(old, path.name) and is_stale(old):
            old.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically.

    Raises
    ------
    FileError
        If the folder or the disk does not take the file.
    """
    with atomic(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text atomically, with the line ends it has (see `write_bytes`)."""
    write_bytes(path, encoded(text, path))


def encoded(text: str, path: Path) -> bytes:
    """Return the bytes of a text for a file.

    Raises
    ------
    FileError
        If it holds half a character, as names of files do that are not UTF-8.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        part = error.object[error.start : error.end]
        raise FileError(path, "written", f"{part!a} is not a character") from None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON text atomically; numbers that JSON lacks become null (see `plain`)."""
    write_text(path, to_json(value) + "\n")


def to_json(value: Any, *, indent: int | None = 2) -> str:
    """Return the JSON text of a value that may hold NumPy numbers and arrays."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Turn NumPy values, tuples and paths into what JSON knows; inf and nan become None.

    A float that knows more, such as a share of runs, stays what it is: JSON writes its number.

    Raises
    ------
    TypeError
        If a value has no plain counterpart.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float) and not isinstance(value, np.generic):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, complex):
        return [plain(value.real), plain(value.imag)]
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def read_bytes(path: Path, limit: int, what: str) -> bytes:
    """Read a whole file that must be no larger than `limit` bytes.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, or it is too large; `what` names it.
    """
    with opened(path, what) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(limit + 1) if size <= limit else b""
    if max(size, len(data)) > limit:
        raise InputError(what, Path(path).name, f"give a file of at most {human_size(limit)}")
    return data


def read_text(path: Path, limit: int, what: str) -> str:
    """Read a UTF-8 text of at most `limit` bytes.

    Raises
    ------
    InputError
        As `read_bytes`, or if the bytes are not UTF-8.
    """
    try:
        return read_bytes(path, limit, what).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(what, Path(path).name, "give a text file in UTF-8") from None


def parse_json(text: str, what: str) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    InputError
        If the text is something else, or as `check_values`.
    """
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            what, faulty_line(text, error), f"give a JSON text ({fault(error)})"
        ) from None
    if not isinstance(table, dict):
        raise InputError(what, first_line(text), "give a JSON object")
    check_values(table, what)
    return table


def check_values(value: Any, what: str) -> None:
    """Check that plain values are not nested too deep and hold no whole number beyond a float.

    Raises
    ------
    InputError
        If they do: everything that walks through them later may count on it.
    """
    layer = [value]
    for _ in range(DEPTH_LIMIT + 1):
        within: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                within.extend(item.values())
            elif isinstance(item, list | tuple):
                within.extend(item)
            elif isinstance(item, int) and item.bit_length() > NUMBER_BITS:
                size = f"a whole number of {whole(item.bit_length())} bits"
                raise InputError(what, size, "give whole numbers that are below 1e307")
        layer = within
        if not layer:
            return
    raise InputError(
        what, "lists within lists", f"nest lists and tables at most {DEPTH_LIMIT} deep"
    )


def first_line(text: str) -> str:
    """Return the beginning of a text, to name it in a sentence."""
    return text.strip().partition("\n")[0][:40]


def faulty_line(text: str, error: Exception) -> str:
    """Return the beginning of the line that an error of a parser names, else of the text."""
    found = re.search(r"\bline (\d+)", str(error))
    lines = text.splitlines()
    number = int(found[1]) if found else 0
    return lines[number - 1].strip()[:40] if 1 <= number <= len(lines) else first_line(text)


def fault(error: Exception) -> str:
    """Return in one short sentence what a parser of texts found wrong."""
    if isinstance(error, RecursionError):
        return "lists are nested too deep"
    if "integer string conversion" in str(error):
        return "a whole number has too many digits"
    return " ".join(str(error).split())[:120]


def human_size(size: float) -> str:
    """Write a number of bytes for people ("3.2 MB")."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def safe_name(text: str, default: str = "file") -> str:
    """Make a name that every system takes for a file, without folders, from any text."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:80].rstrip("-._")
    if not name:
        return default
    return f"{name}-" if name.split(".")[0].lower() in _RESERVED else name


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file named by someone else, which must lie within `folder`.

    Raises
    ------
    InputError
        If the name is absolute, empty, climbs out of the folder or leaves it by a link.
    """
    root = Path(folder).resolve()
    parts = re.split(r"[\\/]", name)
    if not name or "\0" in name or ":" in name or any(part in ("", "..", ".") for part in parts):
        raise InputError("file name", name, "give a name within its folder")
    path = root.joinpath(*parts).resolve()
    if root not in path.parents:
        raise InputError("file name", name, "give a name within its folder")
    return path


def make_folder(path: Path, field: str = "--out") -> Path:
    """Make a folder, with those above it, unless it is there; it must take files.

    Raises
    ------
    InputError
        If it cannot be made, is a file, or cannot be written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / temporary_name()
        probe.touch(exist_ok=False)
        probe.unlink()
    except (OSError, ValueError) as error:
        rule = f"give a folder that can be written to ({reason_of(error)})"
        raise InputError(field, str(path), rule) from None
    return path


def try_folder(path: Path, field: str) -> None:
    """Check that a folder could be made and written to, and leave nothing behind.

    Raises
    ------
    InputError
        As `make_folder`.
    """
    path = Path(path).absolute()
    new: list[Path] = []
    for folder in (path, *path.parents):
        try:
            os.lstat(folder)
            break
        except (OSError, ValueError):
            new.append(folder)
    try:
        make_folder(path, field)
    finally:
        for folder in new:
            with contextlib.suppress(OSError, ValueError):
                folder.rmdir()
