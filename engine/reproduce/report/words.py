"""Words that both forms of a report use."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.claims import Verdict
from engine.reproduce.findings import Findings
from engine.reproduce.making import Made

TITLE = "The paper, recomputed"
PAPER = "K. Nar and S. Sastry, Residual Networks: Lyapunov Stability and Convex Decomposition, 2018"
LONGEST = 300
"""Letters of the arguments of a computation; `results.json` has all of them."""
LATER = "Later literature"
WHOSE = {
    "paper": "as printed",
    "corrected": "as corrected",
    "reference": "on record",
}
MEANING = (
    "As printed: the publication's statement. As corrected: with the correction that its study "
    "gives. On record: numbers that were measured before, by other code."
)
WORDING = {
    "stated": "It states",
    "recomputed": "Recomputed here; the publication's wording is not quoted",
}


def verdicts(found: Findings) -> list[tuple[str, Verdict]]:
    """List the verdicts of a study that say something, each with whose statement it is of."""
    listed = ((WHOSE[of], found.verdict(of)) for of in WHOSE)
    return [(whose, verdict) for whose, verdict in listed if verdict != Verdict.NOT_APPLICABLE]


def summary(made: Made) -> str:
    """Sum up a report in one sentence."""
    count = len(made.studies)
    surprises = made.surprises()
    kind = "quick" if made.options.quick else "full"
    if not surprises:
        return f"All {count} studies of this {kind} report have the verdicts that are on record."
    named = ", ".join(surprises)
    return (
        f"{count - len(surprises)} of {count} studies of this {kind} report have the verdicts that "
        f"are on record; others: {named}."
    )


def proof_times(made: Made) -> Iterator[str]:
    """Yield how long each proof took, by the claim that tells of it."""
    for study in made.studies:
        for claim, seconds in made.findings[study.id].proof_seconds:
            yield f"{study.title}; {claim}: {seconds} s"


def in_short(arguments: str) -> str:
    """Write the arguments of a computation on one line, the end of a long one left out."""
    line = " ".join(arguments.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def mark(holds: bool | None) -> str:
    """Return the sign of a check."""
    return {True: "✓", False: "✗", None: "–"}[holds]
