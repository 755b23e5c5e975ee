"""Packages that only a part of the program needs, and what to say where they are missing."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from engine.core.errors import LabError

INSTALL = "uv sync"
"""The command that adds torch and torchvision to an environment without them."""


class MissingPackageError(LabError):
    """A package is not installed that is needed for what was asked."""


def is_installed(package: str) -> bool:
    """Return whether a package can be found, without importing it."""
    if package in sys.modules:
        return sys.modules[package] is not None
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def require(*packages: str, what: str, install: str = INSTALL) -> None:
    """Refuse what cannot be done without some packages.

    Parameters
    ----------
    *packages : str
        Names of the packages.
    what : str
        What needs it, as the subject of a sentence.
    install : str, optional
        The command that installs them.

    Raises
    ------
    MissingPackageError
        If one of them is not installed.
    """
    missing = [package for package in packages if not is_installed(package)]
    if not missing:
        return
    if getattr(sys, "frozen", False):
        remedy = "which this small package leaves out; use the full one"
    else:
        remedy = f"which is not installed; install it with: {install}"
    raise MissingPackageError(f"{what} needs {missing[0]}, {remedy}.")
