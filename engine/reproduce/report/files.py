"""Writing the files of a report into its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.core.versions import versions
from engine.reproduce.making import Made
from engine.reproduce.report import markdown, page
from engine.storage.files import make_folder, write_json, write_text

FORMAT = 1
PAGE, MARKDOWN, RESULTS = "report.html", "report.md", "results.json"


def write(folder: Path, made: Made) -> list[str]:
    """Write a report and return the names of its files at the top of the folder.

    Raises
    ------
    FileError
        If a file cannot be written.
    """
    for findings in made.findings.values():
        for run in findings.runs:
            path = folder / run.file_name
            make_folder(path.parent)
            write_text(path, run.file)
        for place, picture in enumerate(findings.pictures):
            path = folder / findings.picture_file(place)
            make_folder(path.parent)
            write_text(path, picture.svg + "\n")
    write_json(folder / RESULTS, results(made))
    write_text(folder / MARKDOWN, markdown.report(made))
    write_text(folder / PAGE, page.report(made))
    return [PAGE, MARKDOWN, RESULTS]


def results(made: Made) -> dict[str, Any]:
    """Return the content of `results.json`; its key names are a public contract."""
    return {
        "format": FORMAT,
        "quick": made.options.quick,
        "data": made.options.data,
        "versions": versions(),
        "surprises": made.surprises(),
        "seconds": sum(found.seconds for found in made.findings.values()),
        "studies": [_study(made, study.id) for study in made.studies],
    }


def _study(made: Made, study_id: str) -> dict[str, Any]:
    study = next(each for each in made.studies if each.id == study_id)
    found = made.findings[study_id]
    table = found.as_table()
    table["pictures"] = [found.picture_file(place) for place in range(len(found.pictures))]
    table["runs"] = [{**run, "file": made_run.file_name} for run, made_run in _pairs(table, found)]
    return {
        "id": study.id,
        "title": study.title,
        "section": study.section,
        "citation": study.citation,
        "wording": study.wording,
        "says": study.says,
        "assumptions": list(study.assumptions),
        "statement_corrected": study.corrected,
        "printed": str(found.verdict("paper")),
        "corrected": str(found.verdict("corrected")),
        "reference": str(found.verdict("reference")),
        **table,
    }


def _pairs(table: dict[str, Any], found: Any) -> list[tuple[dict[str, Any], Any]]:
    return list(zip(table["runs"], found.runs, strict=True))
