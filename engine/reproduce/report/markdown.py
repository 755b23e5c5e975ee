"""The report as Markdown, its pictures in files beside it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.versions import NAME, VERSION, versions
from engine.reproduce.findings import Checked, Findings
from engine.reproduce.making import Made
from engine.reproduce.report.words import (
    MEANING,
    PAPER,
    TITLE,
    WHOSE,
    WORDING,
    in_short,
    mark,
    proof_times,
    summary,
    verdicts,
)
from engine.reproduce.study import Study
from engine.text.mathtext import to_plain
from engine.text.numbers import duration


def report(made: Made) -> str:
    """Write the report as Markdown."""
    seconds = sum(found.seconds for found in made.findings.values())
    packages = ", ".join(f"{name} {number}" for name, number in versions().items())
    lines = [
        f"# {TITLE}",
        "",
        f"{PAPER}. Made by {NAME} {VERSION}.",
        "",
        summary(made),
        "",
        MEANING,
        "",
        "| Study | Verdict |",
        "|---|---|",
    ]
    for study in made.studies:
        found = made.findings[study.id]
        said = "; ".join(f"{whose}: {verdict}" for whose, verdict in verdicts(found))
        lines.append(f"| [{_cell(study.title)}](#{study.id}) | {said or found.error} |")
    for study in made.studies:
        lines += ["", *_study(study, made.findings[study.id])]
    lines += ["", "## Versions and time", "", f"{packages}.", ""]
    lines += [f"Elapsed time of all studies, added up: {duration(seconds)}.", ""]
    proofs = [f"- {each}" for each in proof_times(made)]
    lines += ["Of that, proofs:", "", *proofs, ""] if proofs else []
    return "\n".join(lines)


def _study(study: Study, found: Findings) -> Iterator[str]:
    yield f'<a id="{study.id}"></a>'
    yield ""
    yield f"## {to_plain(study.title)}"
    yield ""
    yield f"{study.place}."
    yield ""
    yield f"**{WORDING[study.wording]}:** {_text(study.says)}"
    if study.assumptions:
        yield ""
        yield "**Assumptions:** " + "; ".join(map(_text, study.assumptions)) + "."
    yield ""
    for whose, verdict in verdicts(found):
        yield f"- **{whose}: {verdict}**"
    if study.corrected:
        yield ""
        yield f"**Corrected:** {_text(study.corrected)}"
    if study.note:
        yield ""
        yield _text(study.note)
    if found.error:
        yield ""
        yield f"**It could not be carried out:** {found.error}"
    yield from _checks(found.checks)
    for place, picture in enumerate(found.pictures):
        yield ""
        yield f"![{_text(picture.title)}]({found.picture_file(place)})"
        yield ""
        yield f"*{_text(picture.caption)}*"
    for run in found.runs:
        yield ""
        yield f"**Run {_text(run.title)}** ({run.experiment}): {run.outcome}"
        yield f"Repeat it with `{run.command}`."
        for claim in run.claims:
            lamps = "; ".join(f"{mark(on)} {to_plain(name)}" for name, on, _ in claim.assumptions)
            yield f"- {_text(claim.title)}: **{claim.verdict}**. {_text(claim.measured)}. {lamps}"
    yield from _computed(found)


def _computed(found: Findings) -> Iterator[str]:
    if found.computed:
        yield ""
    for each in found.computed:
        yield f"- Computed {each.name}: {each.function} `{in_short(each.arguments)}`"


def _checks(checks: tuple[Checked, ...]) -> Iterator[str]:
    if not checks:
        return
    yield ""
    yield "| | Compared | Of the statement | Expected | Measured |"
    yield "|---|---|---|---|---|"
    for check in checks:
        measured = check.measured or check.why
        cells = (check.what, WHOSE[check.of], check.expected, measured)
        yield f"| {mark(check.holds)} | {' | '.join(map(_cell, cells))} |"


def _text(text: str) -> str:
    return " ".join(to_plain(text).split())


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")
