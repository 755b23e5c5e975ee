"""Runs beside one another: what differs between them, and what came out, as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.core.errors import InputError
from engine.core.params import Params, ParamSpec, describe
from engine.run.trace import TraceView
from engine.storage.columns import cell
from engine.storage.files import plain
from engine.text.mathtext import plain_math, to_plain
from engine.text.numbers import NONE, short, whole

Group = Literal["run", "settings", "outcome", "final", "verdicts"]
"""What a column is about."""

LONGEST = 60
"""Letters of a value in a table for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came out of a run, in the words and numbers of `run.json`.

    Attributes
    ----------
    outcome : str
        Its kind, such as "converged".
    step : int
        Where the run stands.
    message : str
    period : int or None
    final : mapping
        Numbers and texts by name.
    verdicts : mapping of str to str
        By the title of a claim.
    """

    outcome: str
    step: int
    message: str = ""
    period: int | None = None
    final: Mapping[str, Any]
    verdicts: Mapping[str, str]

    @classmethod
    def of(cls, table: Mapping[str, Any], what: str = "run.json") -> Result:
        """Read it from what `run.json` holds.

        Raises
        ------
        InputError
            If something is not as this program writes it.
        """
        outcome = _part(table, "outcome", dict, what)
        kind, step = _part(outcome, "kind", str, what), _part(outcome, "step", int, what)
        period = outcome.get("period")
        claims = table.get("claims", [])
        if not isinstance(claims, list) or not all(isinstance(claim, dict) for claim in claims):
            raise InputError(what, "claims", "give a list of tables")
        return cls(
            outcome=kind,
            step=step,
            message=str(outcome.get("message", "")),
            period=period if type(period) is int else None,
            final={
                str(name): value
                for name, value in _part(table, "final", dict, what).items()
                if value is None or isinstance(value, bool | int | float | str)
            },
            verdicts={
                str(claim.get("title", claim.get("id", ""))): str(claim.get("verdict", ""))
                for claim in claims
            },
        )

    def to_table(self) -> dict[str, Any]:
        """Return plain values, as `of` reads them."""
        return {
            "outcome": {
                "kind": self.outcome,
                "step": self.step,
                "message": self.message,
                "period": self.period,
            },
            "final": dict(self.final),
            "claims": [
                {"title": title, "verdict": verdict} for title, verdict in self.verdicts.items()
            ],
        }


def _part(table: Mapping[str, Any], key: str, kind: type, what: str) -> Any:
    value = table.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InputError(what, key, "give a run.json that this program wrote")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A run among others: its name, its settings, what came out if known, and its history.

    `params` are those in force at its end, after so many `changes` made while it ran.
    """

    label: str
    experiment: str
    params: Params
    seed: int
    result: Result | None
    trace: TraceView
    changes: int = 0


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its name for programs and for people, and a value for every run."""

    name: str
    heading: str
    group: Group
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A table with a row for every run."""

    columns: tuple[Column, ...]

    @property
    def settings_differ(self) -> bool:
        """Whether the runs are of several experiments, or differ in a parameter or the seed."""
        return any(
            column.group == "settings" or (column.group == "run" and column.name == "experiment")
            for column in self.columns
        )

    def to_csv(self) -> str:
        """Write it as CSV with all digits; the headings are the names of parameters and results."""
        lines = [[_key(column) for column in self.columns], *self._rows()]
        return "\n".join(",".join(cell(_flat(value)) for value in line) for line in lines) + "\n"

    def to_rows(self) -> list[list[Any]]:
        """Return the rows of a table for pgfplots, its headings first."""
        return [[_key(column) for column in self.columns]] + [
            [_flat(value) for value in row] for row in self._rows()
        ]

    def to_markdown(self) -> str:
        """Write it as a table in Markdown, numbers as one reads them."""
        head = [escaped(column.heading) for column in self.columns]
        rule = [
            "---:" if any(_is_number(value) for value in column.values) else "---"
            for column in self.columns
        ]
        lines = [head, rule, *([escaped(text(value)) for value in row] for row in self._rows())]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def to_text(self) -> str:
        """Write the table in Markdown, and say so where no parameter differs."""
        note = "" if self.settings_differ else "\nNo parameter differs between these runs.\n"
        return self.to_markdown() + note

    def to_table(self) -> list[dict[str, Any]]:
        """Return plain values for JSON: a table for every run, its columns by group."""
        found = []
        for number in range(len(self.columns[0].values) if self.columns else 0):
            groups: dict[str, Any] = {}
            for column in self.columns:
                value = plain(column.values[number])
                if column.group == "run":
                    groups[column.name] = value
                else:
                    groups.setdefault(column.group, {})[column.name] = value
            found.append(groups)
        return found

    def _rows(self) -> Iterable[tuple[Any, ...]]:
        return zip(*(column.values for column in self.columns), strict=True)


def compare(runs: Sequence[Compared]) -> Comparison:
    """Return what differs between runs and what came out of them.

    Parameters that are the same in all runs are left out, and so are results that no run has.
    """
    columns = [Column("run", "run", "run", tuple(run.label for run in runs))]
    if len({run.experiment for run in runs}) > 1:
        names = tuple(run.experiment for run in runs)
        columns.append(Column("experiment", "experiment", "run", names))
    columns += _settings(runs)
    results = [run.result for run in runs]
    if any(result is not None for result in results):
        columns += _outcomes(results)
        columns += _named(results, "final", lambda result: result.final)
        columns += _named(results, "verdicts", lambda result: result.verdicts)
    return Comparison(tuple(columns))


def _settings(runs: Sequence[Compared]) -> list[Column]:
    """Return the parameters and the seed, where they differ, and whether any were changed."""
    specs: dict[str, ParamSpec] = {}
    rows = []
    for run in runs:
        own = {spec.name: spec for spec in describe(type(run.params))}
        values = run.params.model_dump()
        specs |= {name: spec for name, spec in own.items() if name not in specs}
        rows.append({name: values[name] for name in own if own[name].is_active(values)})
    columns = []
    for name, spec in specs.items():
        given = tuple(row.get(name) for row in rows)
        if _differ(given):
            heading = plain_math(spec.symbol) or spec.label
            columns.append(Column(name, heading, "settings", given))
    seeds = tuple(run.seed for run in runs)
    if _differ(seeds):
        columns.append(Column("seed", "seed", "settings", seeds))
    changes = tuple(run.changes for run in runs)
    if any(changes):  # they had other settings before
        columns.append(Column("changes", "changed while it ran", "settings", changes))
    return columns


def _differ(values: Sequence[Any]) -> bool:
    return any(value != values[0] for value in values)


def _outcomes(results: Sequence[Result | None]) -> list[Column]:
    columns = [
        Column("kind", "outcome", "outcome", _each(results, lambda result: result.outcome)),
        Column("step", "at step", "outcome", _each(results, lambda result: result.step)),
    ]
    periods = _each(results, lambda result: result.period)
    is_known = any(result is not None and "period" in result.final for result in results)
    if any(period is not None for period in periods) and not is_known:
        columns.append(Column("period", "period", "outcome", periods))
    return columns


def _named(results: Sequence[Result | None], group: Group, part: Any) -> list[Column]:
    names = dict.fromkeys(name for result in results if result for name in part(result))
    columns = []
    for name in names:
        values = _each(results, lambda result, name=name: part(result).get(name))
        if any(value is not None for value in values):
            heading = to_plain(name if group == "verdicts" else name.replace("_", " "))
            columns.append(Column(name, heading, group, values))
    return columns


def _each(results: Sequence[Result | None], value: Any) -> tuple[Any, ...]:
    return tuple(None if result is None else value(result) for result in results)


def text(value: Any) -> str:
    """Write a value of the table for people."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return whole(value)
    if isinstance(value, float):
        return short(value, 6)
    written = to_plain(str(value))
    return written if len(written) <= LONGEST else written[: LONGEST - 1] + "…"


def escaped(words: str) -> str:
    """Write a text so that it is one cell of a table in Markdown."""
    return " ".join(words.replace("\\", "\\\\").replace("|", "\\|").split()) or " "


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _key(column: Column) -> str:
    """Name a column for programs: a parameter may be called as a result is."""
    return column.name if column.group in ("run", "settings") else f"{column.group}.{column.name}"


def _flat(value: Any) -> Any:
    """Return a value that one cell can hold: a list as its text."""
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
