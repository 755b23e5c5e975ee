"""What came out of a study: checked values, claims, pictures and the run files that repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.core.claims import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A check carried out.

    Attributes
    ----------
    what, of : str
        As the study has it.
    expected, measured : str
        What it was compared with, and what was found, for people.
    value : float or str or bool or None
        What was found, for programs; None where nothing was measured.
    holds : bool or None
        None where nothing was measured; `why` then says why.
    """

    what: str
    of: str
    expected: str
    measured: str
    value: float | str | bool | None
    holds: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClaim:
    """A claim of an experiment with its assumptions, each with on, off or unknown, and a detail."""

    title: str
    source: str
    statement: str
    assumptions: tuple[tuple[str, bool | None, str], ...]
    predicted: str
    measured: str
    verdict: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRun:
    """A run that a study made: how it stands, what it claims, and the file that repeats it."""

    name: str
    title: str
    experiment: str
    outcome: str
    file_name: str
    file: str
    claims: tuple[ShownClaim, ...] = ()

    @property
    def command(self) -> str:
        """The command that repeats it, in the folder of the report."""
        return f"main.py run {self.file_name} --out {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A computation that is no single run: the measure, and its arguments as TOML."""

    name: str
    function: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure of a run as SVG, whose colours follow the page."""

    title: str
    caption: str
    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that came out of a study.

    Attributes
    ----------
    id : str
        That of the study.
    seconds : float
        How long it took. This and the next are all that differs from time to time.
    proof_seconds : tuple of (str, str)
        Seconds that proofs took, by the claim that tells of them.
    error : str
        One sentence where it could not be carried out; empty else.
    """

    id: str
    seconds: float = 0.0
    proof_seconds: tuple[tuple[str, str], ...] = ()
    error: str = ""
    checks: tuple[Checked, ...] = ()
    runs: tuple[MadeRun, ...] = ()
    computed: tuple[Computed, ...] = ()
    pictures: tuple[Picture, ...] = ()

    def verdict(self, of: str) -> Verdict:
        """Sum up the checks of one statement: "paper", "corrected" or "reference"."""
        found = [check.holds for check in self.checks if check.of == of]
        if not found:
            return Verdict.NOT_APPLICABLE
        if any(holds is False for holds in found):
            return Verdict.VIOLATED
        known = [holds for holds in found if holds is not None]
        return Verdict.HOLDS if known else Verdict.UNDECIDED

    def picture_file(self, place: int) -> str:
        """Name the file of a picture in the folder of the report."""
        return f"figures/{self.id}-{place + 1}.svg"

    def as_table(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def of_table(cls, table: Mapping[str, Any]) -> Findings:
        """Make it from plain values that `as_table` wrote.

        Raises
        ------
        TypeError, ValueError, KeyError
            If they are something else.
        """
        return cls(
            id=str(table["id"]),
            seconds=float(table["seconds"]),
            proof_seconds=tuple((str(a), str(b)) for a, b in table["proof_seconds"]),
            error=str(table["error"]),
            checks=tuple(Checked(**check) for check in table["checks"]),
            runs=tuple(_run(run) for run in table["runs"]),
            computed=tuple(Computed(**each) for each in table["computed"]),
            pictures=tuple(Picture(**picture) for picture in table["pictures"]),
        )


def _run(table: Mapping[str, Any]) -> MadeRun:
    claims = tuple(
        ShownClaim(**{**claim, "assumptions": tuple(map(tuple, claim["assumptions"]))})
        for claim in table["claims"]
    )
    return MadeRun(**{**table, "claims": claims})
