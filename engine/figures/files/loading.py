"""matplotlib loaded without its documentation.

Most of the time that matplotlib takes to load goes into texts that describe the properties of every
artist, and into fontTools, which fonts that are cut here do without.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_LATER = "fontTools.subset"
"""A module that is loaded when it is first asked for something."""


def load_matplotlib() -> None:
    """Load what figures are drawn and written with, unless something loaded it before."""
    if "matplotlib.figure" not in sys.modules:
        logging.getLogger("matplotlib.font_manager").addFilter(is_no_waiting)
        if _LATER not in sys.modules:
            sys.modules[_LATER] = _Later(_LATER)
        with _without_documentation():
            importlib.import_module("matplotlib.figure")
            importlib.import_module("matplotlib.backends.backend_pdf")
            importlib.import_module("matplotlib.backends.backend_svg")
    importlib.import_module("engine.figures.paper")


def is_no_waiting(record: logging.LogRecord) -> bool:
    """Return False for the line that matplotlib prints while it looks for fonts the first time."""
    return not record.getMessage().startswith("Matplotlib is building the font cache")


class _Later(ModuleType):
    """Stands for a module until something of it is wanted."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def _without_documentation() -> Iterator[None]:
    docstring: Any = importlib.import_module("matplotlib._docstring")
    artist: Any = importlib.import_module("matplotlib.artist")

    def as_it_is(_: object, documented: Any) -> Any:
        return documented

    def nothing(*_: object) -> str:
        return ""

    replaced: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (artist.Artist, "_update_set_signature_and_docstring", nothing),
        (artist, "kwdoc", nothing),
        (docstring.Substitution, "__call__", as_it_is),
        (type(docstring.interpd), "__call__", as_it_is),
    )
    own = [(owner, name, vars(owner)[name]) for owner, name, _ in replaced]
    for owner, name, instead in replaced:
        setattr(owner, name, instead)
    try:
        yield
    finally:
        for owner, name, method in own:
            setattr(owner, name, method)
