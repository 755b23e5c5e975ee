"""Which experiment a run's file names, found without loading or checking anything else."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

LARGEST = 4 * 2**20
"""Bytes of a file that is looked at while a window starts."""


def experiment_named_by(path: Path) -> str:
    """Return the id in a run file, a ``run.json`` or its folder; empty where none is found.

    What is wrong with the file is said by who reads it whole (`engine.storage.runfile.load`).
    """
    try:
        file = path / "run.json" if path.is_dir() else path
        if file.suffix.lower() not in (".toml", ".json") or file.stat().st_size > LARGEST:
            return ""
        text = file.read_text("utf-8")
        table = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
        name = table.get("experiment", "")
    except (OSError, ValueError, AttributeError, RecursionError):
        return ""
    return name if isinstance(name, str) else ""
