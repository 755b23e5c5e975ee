"""The quick report: its verdicts on the paper and on later literature, study by study."""

from __future__ import annotations

import re
import threading

import pytest

from engine.core.claims import Verdict
from engine.core.packages import is_installed
from engine.reproduce.carry import Options, carry_out
from engine.reproduce.catalogue import studies, study

HOLDS, VIOLATED = Verdict.HOLDS, Verdict.VIOLATED
UNDECIDED, NONE = Verdict.UNDECIDED, Verdict.NOT_APPLICABLE
PAPER = {
    "figure-1": (VIOLATED, HOLDS),
    "proposition-1": (HOLDS, HOLDS),
    "catapult": (HOLDS, NONE),
    "regions": (HOLDS, NONE),
    "period-doubling": (HOLDS, NONE),
    "borders": (NONE, NONE),
    "windows": (HOLDS, NONE),
    "proposition-2": (HOLDS, HOLDS),
    "theorem-1": (HOLDS, HOLDS),
    "theorem-2": (VIOLATED, HOLDS),
    "equation-5": (VIOLATED, HOLDS),
    "transverse": (HOLDS, HOLDS),
    "theorem-3": (VIOLATED, HOLDS),
    "figure-2": (VIOLATED, HOLDS),
    "decomposition": (HOLDS, NONE),
    "proposition-3": (VIOLATED, HOLDS),
    "equations-9": (HOLDS, HOLDS),
    "figure-3": (VIOLATED, HOLDS),
    "figure-4": (VIOLATED, HOLDS),
    "depth": (HOLDS, NONE),
    "networks": (HOLDS, NONE),
    "figure-5": (UNDECIDED, HOLDS),
    "state-dependent": (NONE, NONE),
}
"""Verdicts of the statements as printed, and as corrected."""
QUICK = Options(quick=True, pictures=False)  # figures have tests of their own
ATLAS = [each.id for each in studies("atlas")]


def test_every_study_has_a_verdict_here() -> None:
    assert [each.id for each in studies("reproduce")] == list(PAPER)
    assert len(ATLAS) >= 20


@pytest.mark.parametrize("study_id", PAPER)
def test_the_paper_has_the_verdicts_on_record(study_id: str) -> None:
    chosen = study("reproduce", study_id)
    if not all(map(is_installed, chosen.needs)):
        pytest.skip(f"needs {', '.join(chosen.needs)}")
    found = carry_out(QUICK, chosen, threading.Event())
    assert found is not None
    assert found.error == ""
    assert (found.verdict("paper"), found.verdict("corrected")) == PAPER[study_id]
    off_record = [check for check in found.checks if check.of == "reference"]
    assert [check for check in off_record if check.holds is False] == []
    texts = [
        text for run in found.runs for claim in run.claims for text in (claim.measured, claim.note)
    ]
    assert [text for text in texts if re.search(r"\d s\b", text)] == []  # times are apart


@pytest.mark.parametrize("study_id", ATLAS)
def test_the_atlas_holds(study_id: str) -> None:
    found = carry_out(QUICK, study("atlas", study_id), threading.Event())
    assert found is not None
    assert found.error == ""
    assert [check for check in found.checks if check.holds is not True] == []
