"""Fonts where the system has none: letters would be boxes."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

BUNDLED = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-Oblique.ttf", "DejaVuSansMono.ttf")
"""Fonts that matplotlib brings along; the first is for everything that asks for no other."""


def bundled_fonts() -> list[Path]:
    """Return the files of `BUNDLED` that are there, without importing matplotlib."""
    found = find_spec("matplotlib")
    if found is None or not found.submodule_search_locations:
        return []
    folder = Path(next(iter(found.submodule_search_locations)), "mpl-data", "fonts", "ttf")
    return [folder / name for name in BUNDLED if (folder / name).is_file()]


def ensure_fonts(app: QApplication) -> bool:
    """Use bundled fonts where Qt's font database has none with Greek letters.

    Returns
    -------
    bool
        Whether they are in use.
    """
    from PySide6.QtGui import QFont, QFontDatabase

    if not sys.platform.startswith("linux"):
        return False  # the system brings its own
    if QFontDatabase.families(QFontDatabase.WritingSystem.Greek):
        return False
    names: list[str] = []
    for path in bundled_fonts():
        names += QFontDatabase.applicationFontFamilies(QFontDatabase.addApplicationFont(str(path)))
    if not names:
        return False
    font = QFont(app.font())
    font.setFamilies([names[0]])
    app.setFont(font)
    return True
