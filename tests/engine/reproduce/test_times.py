"""Two reports on the same findings differ in their section on times alone."""

from __future__ import annotations

import dataclasses
import json

from hypothesis import given
from hypothesis import strategies as st

from engine.core.claims import Verdict
from engine.families.proofs.claims import _effort, without_time
from engine.reproduce.carry import Options
from engine.reproduce.catalogue import study
from engine.reproduce.findings import Findings, MadeRun, ShownClaim
from engine.reproduce.making import Made
from engine.reproduce.report import files, markdown, page

REGIONS = study("reproduce", "regions")
SECONDS = st.floats(1e-7, 1e5)


@given(boxes=st.integers(0, 10**7), seconds=SECONDS, after=st.sampled_from(["", "; more", "."]))
def test_the_time_of_a_proof_is_set_apart(boxes: int, seconds: float, after: str) -> None:
    before = "length 2 of 3 s, proved for V < 1; first doubtful box [1, 2]; "
    kept, (taken,) = without_time(f"{before}{_effort(boxes, seconds)}{after}")
    assert kept.startswith(before) and kept.endswith(f"box{'es' if boxes != 1 else ''}{after}")
    assert f"{taken} s" in _effort(boxes, seconds)
    assert without_time(before) == (before, ())


def report(seconds: float, proof: str) -> Made:
    claim = ShownClaim(
        title="The region is proved",
        source="here",
        statement="It is.",
        assumptions=(("smooth", True, ""),),
        predicted="",
        measured="1 box",
        verdict=str(Verdict.HOLDS),
    )
    run = MadeRun(
        name="a",
        title="A",
        experiment="own-loss",
        outcome="",
        file_name="runs/a.toml",
        file="",
        claims=(claim,),
    )
    times = ((f"A: {claim.title}", proof),)
    found = Findings(id="regions", seconds=seconds, proof_seconds=times, runs=(run,))
    return Made((REGIONS,), Options(), {"regions": found})


@given(SECONDS, SECONDS)
def test_reports_differ_in_their_times_alone(first: float, second: float) -> None:
    one, other = report(first, "1.5"), report(second, "2.5")
    for write in (page.report, markdown.report):
        texts = [write(made).partition("Versions and time") for made in (one, other)]
        assert texts[0][0] == texts[1][0]
        assert "1.5 s" in texts[0][2] and "2.5 s" in texts[1][2]
    same = dataclasses.replace(other.findings["regions"], seconds=0.0, proof_seconds=())
    assert same == dataclasses.replace(one.findings["regions"], seconds=0.0, proof_seconds=())
    table = json.loads(json.dumps(other.findings["regions"].as_table()))
    assert Findings.of_table(table) == other.findings["regions"]
    assert files.results(one)["studies"][0]["proof_seconds"] == (
        ("A: The region is proved", "1.5"),
    )
