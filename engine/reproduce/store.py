"""The folder of a report: finished studies are kept, so that a broken-off report goes on.

A study's file is used again only if it is whole and was made by the same program and packages from
the same study with the same options.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.core.errors import InputError, LabError
from engine.core.versions import versions
from engine.reproduce.carry import Options
from engine.reproduce.findings import Findings
from engine.reproduce.study import Study
from engine.storage.documents import dumps
from engine.storage.files import (
    entries,
    is_file,
    is_folder,
    is_temporary,
    make_folder,
    parse_json,
    plain,
    read_text,
    try_folder,
    user_path,
    write_json,
)

FORMAT = 2
PARTS = "parts"
OWN = ("report.html", "report.md", "results.json", "figures", "runs", PARTS)
"""What a report's folder holds; one that holds only these is that of a former report."""
_SIZE_LIMIT = 64 * 2**20


def check(folder: Path) -> Path:
    """Return the folder of a report, not made yet, or that of a former one.

    Raises
    ------
    InputError
        If it cannot be written to, or holds something that is not of a report.
    """
    folder = user_path(folder, "--out")
    try_folder(folder, "--out")
    for path in entries(folder, "--out") if is_folder(folder, "--out") else []:
        if path.name not in OWN and not is_temporary(path):
            raise InputError("--out", str(folder), "give an empty folder or that of a report")
    return folder


def prepare(folder: Path) -> Path:
    """Make the folder of a report, or take that of a former one.

    Raises
    ------
    InputError
        As `check`.
    """
    folder = make_folder(check(folder))
    make_folder(folder / PARTS)
    return folder


def key_of(study: Study, options: Options) -> str:
    """Name all that the findings of a study depend on."""
    parts = [FORMAT, versions(), dumps(study), options.quick, options.pictures]
    if any(plan.from_data for plan in study.run):
        parts += [options.data, _content(options.data)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _content(data: str) -> list[tuple[str, int]]:
    """List the files of a folder of data with their sizes; empty where it is a name."""
    path = user_path(data, "--data")
    if not data or not is_folder(path, "--data"):
        return []
    return [(each.name, each.stat().st_size) for each in entries(path, "--data")]


def keep(folder: Path, key: str, findings: Findings) -> None:
    """Write the findings of a study.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    table = plain(findings.as_table())
    write_json(
        _path(folder, findings.id),
        {"format": FORMAT, "key": key, "sha256": _sum(table), "findings": table},
    )


def kept(folder: Path, study_id: str, key: str) -> Findings | None:
    """Return what was found before; None where there is nothing, or nothing whole of this key."""
    path = _path(folder, study_id)
    try:
        if not is_file(path, "part"):
            return None
        table = parse_json(read_text(path, _SIZE_LIMIT, "part"), "part")
        if table["key"] != key or table["sha256"] != _sum(table["findings"]):
            return None
        found = Findings.of_table(table["findings"])
    except (LabError, KeyError, TypeError, ValueError):
        return None
    return None if found.error else found


def _path(folder: Path, study_id: str) -> Path:
    return folder / PARTS / f"{study_id}.json"


def _sum(table: Any) -> str:
    return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()
