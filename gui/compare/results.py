"""What came out of a pinned run, as the table of runs and the settings have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.run.snapshot import Snapshot
from engine.run.trace import TraceView
from engine.storage.comparison import Result


def result_of(snapshot: Snapshot) -> Result:
    """Return what came out of the run up to now."""
    outcome = snapshot.outcome
    return Result(
        outcome=str(outcome.kind),
        step=snapshot.cursor,
        message=outcome.message,
        period=outcome.period,
        final=_last(snapshot.trace, snapshot.cursor),
        verdicts={claim.title: str(claim.verdict) for claim in snapshot.claims},
    )


def _last(trace: TraceView, step: int) -> dict[str, float]:
    """Return the recorded numbers of a step."""
    rows = {key: trace.at(key, step) for key in trace.low}
    return {key: float(row) for key, row in rows.items() if row is not None and row.ndim == 0}


def from_table(table: Mapping[str, Any]) -> Result:
    """Read a result from the settings.

    Raises
    ------
    InputError
        If it is damaged.
    """
    return Result.of(table, "result")
