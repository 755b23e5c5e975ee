"""The report as one page: no script, nothing from elsewhere, light and dark, narrow and printed."""

from __future__ import annotations

import html
from collections.abc import Iterator

from engine.core.palette import DARK_ROLES, DARK_SERIES, ROLES, SERIES, css_variables
from engine.core.versions import NAME, VERSION, versions
from engine.reproduce.findings import Checked, Findings, MadeRun
from engine.reproduce.making import Made
from engine.reproduce.report import words
from engine.reproduce.report.words import (
    LATER,
    MEANING,
    PAPER,
    TITLE,
    WHOSE,
    WORDING,
    mark,
    proof_times,
    summary,
    verdicts,
)
from engine.reproduce.study import Study
from engine.text.mathtext import to_html
from engine.text.numbers import duration

KINDS = {"holds": "good", "violated": "bad"}


def report(made: Made) -> str:
    """Write the report as one HTML page."""
    body = "\n".join(_body(made))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{TITLE}</title>\n<style>\n{style()}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def style() -> str:
    """Return the style of the page, its colours those of the program's figures."""
    return (
        f":root {{ {css_variables(SERIES, ROLES)} --axis: #55555a; --grid: #e6e6ea; "
        "--page: #ffffff; --card: #f6f7fa; --line: #d9dde5; }\n"
        "@media screen and (prefers-color-scheme: dark) { :root { "
        f"{css_variables(DARK_SERIES, DARK_ROLES)} --axis: #8b95a6; --grid: #2b3240; "
        "--page: #14171e; --card: #1c2029; --line: #333b49; } }\n" + _STYLE
    )


_STYLE = """
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1.5rem 1rem 4rem; background: var(--page);
  color: var(--text); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 0 0 .2rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p { margin: .5rem 0; }
a { color: var(--series-1); }
.muted { color: var(--muted); }
section { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: 1.5rem; }
blockquote { margin: .8rem 0; padding: .6rem 1rem; background: var(--card);
  border-left: 3px solid var(--bound); border-radius: 0 6px 6px 0; }
blockquote p { margin: .2rem 0; }
.badge { display: inline-block; border: 1px solid currentColor; border-radius: 1rem;
  padding: .05rem .65rem; margin: .15rem .35rem .15rem 0; font-size: .85rem; color: var(--muted); }
.good { color: var(--good); }
.bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .8rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--muted); font-weight: 600; overflow-wrap: normal; }
td.number { font-variant-numeric: tabular-nums; min-width: 8.6rem; }
table.overview td:not(:first-child) { white-space: nowrap; }
td.mark { width: 1.4rem; font-weight: 700; }
figure { margin: 1.2rem 0; break-inside: avoid; }
figure svg { width: 100%; max-width: 46rem; height: auto; display: block; }
figure svg * { stroke-linejoin: round; stroke-linecap: butt; }
figcaption { color: var(--muted); font-size: .9rem; }
code { font: .85em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.run { background: var(--card); border-radius: 6px; padding: .7rem 1rem; margin: .7rem 0;
  break-inside: avoid; }
.run ul { margin: .3rem 0 0; padding-left: 1.1rem; }
.lamps { color: var(--muted); font-size: .88rem; }
i { font-family: "STIX Two Text", "Times New Roman", serif; }
@media (max-width: 40rem) {
  h1 { font-size: 1.5rem; }
  table.overview { font-size: .8rem; }
  table.overview th, table.overview td { padding-right: .35rem; }
  table.checks thead { display: none; }
  table.checks tr { display: block; position: relative; padding: .5rem 0;
    border-bottom: 1px solid var(--line); }
  table.checks td { display: block; border: 0; padding: .1rem 0 .1rem 1.6rem; }
  table.checks td.mark { position: absolute; left: 0; padding: .1rem 0; }
  figure { overflow-x: auto; }
  figure svg { min-width: 34rem; }
  table.checks td[data-label]::before { content: attr(data-label) ": "; color: var(--muted); }
}
@media print {
  body { max-width: none; font-size: 10pt; padding: 0; }
  section { break-inside: auto; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
  a { color: inherit; text-decoration: none; }
}
"""


def _body(made: Made) -> Iterator[str]:
    seconds = sum(found.seconds for found in made.findings.values())
    yield f"<header><h1>{TITLE}</h1>"
    yield f'<p class="muted">{html.escape(PAPER)}. Made by {NAME} {VERSION}.</p>'
    yield f"<p>{html.escape(summary(made))}</p>"
    yield f'<p class="muted">{MEANING}</p>'
    begun = False
    heads = "".join(
        f"<th>{whose.removeprefix('as ').capitalize()}</th>" for whose in WHOSE.values()
    )
    yield f'<table class="overview"><thead><tr><th>Study</th>{heads}</tr></thead><tbody>'
    for study in made.studies:
        if study.citation and not begun:
            begun = True
            yield f'<tr><th colspan="{len(WHOSE) + 1}">{LATER}</th></tr>'
        link = f'<a href="#{study.id}">{to_html(study.title)}</a>'
        yield f"<tr><td>{link}</td>{_cells(made.findings[study.id])}</tr>"
    yield "</tbody></table></header><main>"
    for study in made.studies:
        yield from _study(study, made.findings[study.id])
    packages = ", ".join(f"{name} {number}" for name, number in versions().items())
    yield "</main><section><h2>Versions and time</h2>"
    yield f"<p>{html.escape(packages)}.</p>"
    yield f"<p>Elapsed time of all studies, added up: {duration(seconds)}.</p>"
    proofs = list(proof_times(made))
    if proofs:
        items = "".join(f"<li>{to_html(each)}</li>" for each in proofs)
        yield f"<p>Of that, proofs:</p><ul>{items}</ul>"
    yield "</section>"


def _cells(found: Findings) -> str:
    """Write the verdicts of a study as cells of the overview."""
    if found.error:
        return f'<td class="bad" colspan="{len(WHOSE)}">failed</td>'
    said = dict(verdicts(found))
    return "".join(
        f'<td class="{KINDS.get(str(said.get(whose)), "muted")}">{said.get(whose, "")}</td>'
        for whose in WHOSE.values()
    )


def _badges(found: Findings) -> str:
    if found.error:
        return f'<span class="badge bad">failed: {html.escape(found.error)}</span>'
    return "".join(
        f'<span class="badge {KINDS.get(str(verdict), "")}">{whose}: {verdict}</span>'
        for whose, verdict in verdicts(found)
    )


def _study(study: Study, found: Findings) -> Iterator[str]:
    yield f'<section id="{study.id}"><h2>{to_html(study.title)}</h2>'
    yield f'<p class="muted">{to_html(study.place)}</p><p>{_badges(found)}</p>'
    yield f'<blockquote><p class="muted">{WORDING[study.wording]}</p>'
    yield f"<p>{to_html(study.says.strip())}</p></blockquote>"
    if study.assumptions:
        listed = "; ".join(map(to_html, study.assumptions))
        yield f"<p><b>Assumptions:</b> {listed}.</p>"
    if study.corrected:
        yield f"<p><b>Corrected:</b> {to_html(study.corrected.strip())}</p>"
    if study.note:
        yield f"<p>{to_html(study.note.strip())}</p>"
    yield from _checks(found.checks)
    for picture in found.pictures:
        label = html.escape(" ".join(picture.title.split()), quote=True)
        svg = picture.svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
        yield f"<figure>{svg}<figcaption>{to_html(picture.caption)}</figcaption></figure>"
    if found.runs:
        yield "<h3>Runs</h3>"
    for run in found.runs:
        yield from _run(run)
    if found.computed:
        yield "<h3>Computations</h3><ul>"
    for each in found.computed:
        arguments = words.in_short(each.arguments)
        yield f"<li>{html.escape(each.name)}: {html.escape(each.function)}"
        yield f" <code>{html.escape(arguments)}</code></li>"
    if found.computed:
        yield "</ul>"
    yield "</section>"


def _checks(checks: tuple[Checked, ...]) -> Iterator[str]:
    if not checks:
        return
    yield '<table class="checks"><thead><tr><th></th><th>Compared</th><th>Statement</th>'
    yield "<th>Expected</th><th>Measured</th></tr></thead><tbody>"
    for check in checks:
        kind = {True: "good", False: "bad", None: "muted"}[check.holds]
        measured = check.measured or check.why
        yield (
            f'<tr><td class="mark {kind}">{mark(check.holds)}</td><td>{to_html(check.what)}</td>'
            f'<td class="muted">{WHOSE[check.of]}</td>'
            f'<td class="number" data-label="expected">{to_html(check.expected)}</td>'
            f'<td class="number" data-label="measured">{to_html(measured)}</td></tr>'
        )
    yield "</tbody></table>"


def _run(run: MadeRun) -> Iterator[str]:
    yield f'<div class="run"><b>{to_html(run.title)}</b>'
    yield f' <span class="muted">({html.escape(run.experiment)})</span>'
    yield f"<br>{html.escape(run.outcome)}"
    yield f"<br><code>{html.escape(run.command)}</code>"
    if run.claims:
        yield "<ul>"
    for claim in run.claims:
        kind = KINDS.get(claim.verdict, "muted")
        lamps = "; ".join(
            f"{mark(on)} {to_html(name)}{f' ({to_html(detail)})' if detail else ''}"
            for name, on, detail in claim.assumptions
        )
        yield (
            f'<li>{to_html(claim.title)}: <b class="{kind}">{claim.verdict}</b>. '
            f"Predicted: {to_html(claim.predicted)}. Measured: {to_html(claim.measured)}."
            f'<br><span class="lamps">{lamps}</span></li>'
        )
    if run.claims:
        yield "</ul>"
    yield "</div>"
