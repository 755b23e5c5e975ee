"""Where files were written last, which the next dialog begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Folders(Protocol):
    """Knows the folder of the file that was opened or saved last."""

    def folder(self) -> str:
        """Return the folder in which a dialog begins."""

    def keep_folder(self, path: Path) -> None:
        """Remember the folder of this file, where the next dialog begins."""
