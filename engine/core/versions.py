"""Name and version of the program, and of what it stands on."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution

NAME = "Lyapunov Lab"
"""The program's name as people read it."""

VERSION = "0.1.0"
"""The program's version; `pyproject.toml` repeats it, and a test compares the two."""

PACKAGES = ("numpy", "scipy", "numba", "torch", "matplotlib", "pydantic", "PySide6-Essentials")
"""Packages whose version may decide the bits or the look of a result."""


@cache
def versions() -> dict[str, str]:
    """List the versions of the program, Python, the system and the packages, importing none."""
    # The window needs the name only, and shows sooner without these.
    from importlib.metadata import PackageNotFoundError, distribution

    found = {
        "lyapunov-lab": VERSION,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    for package in PACKAGES:
        try:
            found[package] = _version(distribution(package))
        except PackageNotFoundError:
            continue
    return found


def _version(package: Distribution) -> str:
    """Return the version of a package; parsing all its metadata takes ten times as long."""
    for line in (package.read_text("METADATA") or "").splitlines():
        if line.startswith("Version: "):
            return line.removeprefix("Version: ").strip()
        if not line:  # the description follows
            break
    return package.version


@cache
def fingerprint() -> str:
    """Return a hash of all that decides the bits of a result: the engine's sources and packages."""
    found = hashlib.sha256(repr(sorted(versions().items())).encode())
    engine = Path(__file__).parents[1]
    for path in sorted(engine.rglob("*.py")):  # of a packaged program the kernels' alone
        found.update(path.relative_to(engine).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()
