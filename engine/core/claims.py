"""What the theory predicts for a run, and what the run says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    r"""One number that the theory predicts, with what was measured beside it.

    Attributes
    ----------
    id, name, symbol : str
        Stable key, words, and mathtext (without dollars), for example ``\\delta_{\\max}``.
    value : float or None
        The prediction; None where the formula does not apply (the note says why).
    source : str
        "Proposition 1, eq. (1)".
    formula : str
        Mathtext of the defining formula, without dollars.
    field : str
        Parameter that the value can be given to (snap buttons, "× δ_max" unit), or empty.
    measured, measured_symbol : float or None, str
        The measured counterpart and its mathtext.
    note : str
        When it holds, an erratum, or what the number means, one or two sentences.
    """

    id: str
    name: str
    symbol: str
    value: float | None
    source: str
    formula: str = ""
    field: str = ""
    measured: float | None = None
    measured_symbol: str = ""
    note: str = ""


class Verdict(StrEnum):
    """What a measurement says of a claim."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_APPLICABLE = "does not apply"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Lamp:
    """An assumption of a claim: on, off or unknown (None); `detail` gives the measured number."""

    name: str
    on: bool | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A statement of the paper, its assumptions, and what this run says of it."""

    id: str
    title: str
    source: str
    statement: str
    assumptions: tuple[Lamp, ...]
    predicted: str
    measured: str
    verdict: Verdict
    note: str = ""
