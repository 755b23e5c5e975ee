"""Runs of one experiment under several settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from engine.core.params import build
from engine.core.registry import get
from engine.run import replay
from engine.run.analyst import complete
from engine.run.spec import RunSpec
from engine.storage import presets, runfolder

MOST_RUNS = 400


def sweep(
    experiment: str,
    cases: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_RUNS)],
    take: Annotated[list[str], Field(min_length=1)],
    preset: str = "",
    params: dict[str, Any] | None = None,
    steps: Annotated[int, Field(ge=0, le=10**9)] | None = None,
    analysed: bool = False,
) -> dict[str, Any]:
    """Run an experiment in several cases and take some values of each.

    Parameters
    ----------
    experiment, preset : str
        What to run; without a preset the experiment's defaults.
    cases : list of dict
        Parameters by case; a `seed` among them is that of the run.
    take : list of str
        Paths into `run.json`, such as ``outcome.kind``.
    params : dict, optional
        Parameters of all cases.
    steps : int, optional
    analysed : bool
        Whether its equilibria and what else takes long is computed, too.

    Returns
    -------
    dict
        By the number of the case from 0, a table of the values by the last name of their path;
        under ``count`` how often each text or truth value occurs, by the same name; under ``most``
        and ``least`` the extremes of the numbers.
    """
    from engine.reproduce.checking import look_up  # which knows no measure

    base: dict[str, Any] = dict(params or {})
    if preset:
        chosen = presets.preset(experiment, preset)
        base = chosen.params.model_dump() | base
        steps = chosen.steps if steps is None else steps
    made: dict[str, Any] = {}
    for place, case in enumerate(cases):
        values = {**base, **case}
        seed = values.pop("seed", 0)
        run = RunSpec(
            experiment=experiment,
            params=build(get(experiment).parameters, values),
            seed=seed,
            steps=steps,
        )
        result = _result(run, analysed=analysed)
        made[str(place)] = {_last(path): look_up(result, path) for path in take}
    return {**made, **_summed(list(made.values()))}


def _result(run: RunSpec, *, analysed: bool) -> dict[str, Any]:
    session = replay.begin(run)
    try:
        replay.carry_out(run, session)
        if analysed:
            complete(session.experiment, session.params, session.state, lambda *_: True)
        return runfolder.result_of(run, session, session.outcome())
    finally:
        session.close()


def _last(path: str) -> str:
    """Name a value: by its own key, or by the id of the bound or claim that it belongs to."""
    parts = path.split(".")
    return parts[-2] if parts[-1] in ("value", "verdict", "measured") else parts[-1]


def _summed(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    count: dict[str, dict[str, int]] = {}
    least: dict[str, float] = {}
    most: dict[str, float] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        texts = [str(value) for value in values if isinstance(value, str | bool)]
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        count[name] = {text: texts.count(text) for text in sorted(set(texts))}
        if numbers:
            least[name], most[name] = min(numbers), max(numbers)
    return {"count": count, "least": least, "most": most}


def number(value: float) -> dict[str, float]:
    """Return a number, for formulas."""
    return {"value": value}
