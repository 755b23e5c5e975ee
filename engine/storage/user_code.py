"""Python files of the user: executed here alone, and only where the user has trusted them.

Trust is for a path with what the file holds, by its SHA-256, and ends with the process: the command
line gives it by ``--trust``, the window after a question that shows the path. What is executed are
the very bytes whose hash was trusted.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.core.errors import InputError
from engine.storage.files import read_bytes, user_path

LIMIT = 2**20
"""Bytes of a file."""
LONGEST = 160
"""Characters of what an error of the user's code says of itself."""
_trusted: set[tuple[str, str]] = set()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class UserCode:
    """A Python file as it was read.

    Attributes
    ----------
    path : Path
        Absolute, with links followed.
    sha256 : str
        Of its bytes.
    parameter : str
        The parameter that names it.
    source : bytes
    """

    path: Path
    sha256: str
    parameter: str
    source: bytes = field(repr=False, compare=False)


class UntrustedError(InputError):
    """A Python file that the user has not trusted yet."""


class UserCodeError(InputError):
    """An error within a Python file of the user."""


def read(path: str | Path, field: str) -> UserCode:
    """Read a Python file without executing it.

    Raises
    ------
    InputError
        If there is no such file, its name does not end in .py, or it is too large.
    """
    found = user_path(path, field)
    if found.suffix != ".py":
        raise InputError(field, str(path), "give the name of a Python file, which ends in .py")
    source = read_bytes(found, LIMIT, field)
    return UserCode(found.resolve(), hashlib.sha256(source).hexdigest(), field, source)


def trust(code: UserCode) -> None:
    """Permit this process to execute a file for as long as it holds what it holds now."""
    with _lock:
        _trusted.add((str(code.path), code.sha256))


def is_trusted(code: UserCode) -> bool:
    """Return whether the user has trusted a file with this content."""
    with _lock:
        return (str(code.path), code.sha256) in _trusted


def check(code: UserCode) -> None:
    """Refuse a file that is not trusted.

    Raises
    ------
    UntrustedError
        If it is not.
    """
    if not is_trusted(code):
        rule = (
            "its code is executed with all your rights only after you trust it: in the window by "
            f"the answer to a question, in a command by --trust (SHA-256 {code.sha256[:12]}…)"
        )
        raise UntrustedError(code.parameter, str(code.path), rule)


def execute(code: UserCode) -> types.ModuleType:
    """Execute a trusted file and return what it defines.

    Raises
    ------
    UntrustedError
        If it is not trusted.
    UserCodeError
        If it cannot be compiled or fails.
    """
    check(code)
    module = types.ModuleType(f"lyapunov_lab_user_{code.sha256[:16]}")
    module.__file__ = str(code.path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    with explained(code):
        exec(compile(code.source, str(code.path), "exec"), module.__dict__)
    return module


def function(code: UserCode, module: types.ModuleType, name: str, name_field: str) -> Any:
    """Return a function that the file defines.

    Raises
    ------
    InputError
        If it defines none of this name.
    """
    with explained(code):
        found = getattr(module, name, None)
    if not callable(found):
        rule = f"give the name of a function that {code.path.name} defines"
        raise InputError(name_field, name, rule)
    return found


@contextlib.contextmanager
def explained(code: UserCode) -> Iterator[None]:
    """Put an error of the user's code in one sentence with its file and line.

    Raises
    ------
    UserCodeError
        For any error, an exit included.
    """
    try:
        yield
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:
        kind, text = type(error).__name__, _text_of(error)
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]}…"
        line = _line(error, str(code.path))
        where = f"line {line} of {code.path.name}" if line else code.path.name
        rule = f"mend {where} ({kind}{': ' if text else ''}{text.rstrip('.')})"
        raise UserCodeError(code.parameter, str(code.path), rule) from None


def _text_of(error: BaseException) -> str:
    """Return what an error says of itself, in one line; nothing where that fails, too."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return ""


def _line(error: BaseException, file: str) -> int | None:
    """Return the line of a file in which an error arose, the innermost one."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return error.lineno
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
