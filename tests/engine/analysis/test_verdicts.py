"""No verdict is wrong: thousands of windows of orbits whose fate an independent oracle knows."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cache

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analysis.phase import Phase, classify
from engine.analysis.window import Window
from engine.core.outcome import Outcome, OutcomeKind, Standing
from engine.core.params import build
from engine.core.registry import get
from engine.run.session import Session
from tests.engine.analysis.orbits import Case, Fate, fates, rows_from_start

EXPERIMENT = get("scalar-product")
CASES = round(1.5 * hypothesis.settings().max_examples)
"""Orbits: 60, and ten times as many with `--hypothesis-profile deep`."""
PEEKS = 12
FOUR = {2: 1.23607, 3: 1.24461, 4: 1.24717, 5: 1.2484}
"""Where period 2 becomes period 4, over the largest stable step size."""


@cache
def known() -> list[tuple[Case, Fate]]:
    """Draw orbits below and above the limit, at thresholds, and in chaos; find their fates."""
    random = np.random.default_rng(0)
    cases = []
    for index in range(CASES):
        depth = int(random.choice([2, 3, 4, 5]))
        target = float(random.choice([2.0, 0.7, 5.0, -1.0 if depth % 2 == 0 else -2.0]))
        beside = 1.0 + random.choice([-1, 1]) * 10.0 ** random.uniform(-6, -2)
        times = (
            random.uniform(0.05, 2.1),
            random.uniform(1.25, 1.6),
            beside,
            FOUR[depth] * beside,
        )[(0, 0, 0, 1, 1, 2, 3)[index % 7]]
        start = 1.0 if index % 2 else float(random.uniform(0.3, 1.4))
        unit = Case(depth, target, 1.0).flattest
        cases.append(Case(depth, target, times * unit, start))
    return list(zip(cases, fates(cases), strict=True))


def growth_in(case: Case, w: np.ndarray) -> float:
    """Return the log growth of a displacement over a window, by the map's slope."""
    power = w ** (case.depth - 2)
    bend = (2 * case.depth - 1) * (power * w) ** 2 - (case.depth - 1) * case.target * power
    return float(np.sum(np.log(np.maximum(np.abs(1.0 - case.step * bend), 1e-300))))


def wrong(case: Case, fate: Fate, said: Outcome, w: np.ndarray) -> str:
    """Return what is false in a verdict, empty where nothing is."""
    above = case.step > case.flattest * (1.0 + 1e-12)
    standing = said.standing
    if standing is Standing.AT_UNSTABLE_MINIMUM:
        return "" if above else "a minimum called unstable"
    if standing.is_by_minimum and (above or fate.kind not in ("minimum", "slow")):
        return f"{fate.kind} called a minimum"
    if standing in (Standing.NEARING_SADDLE, Standing.AT_SADDLE) and fate.kind != "saddle":
        return f"{fate.kind} called a saddle"
    if said.period is not None and (fate.kind, fate.period) != ("cycle", said.period):
        return f"{fate.kind} {fate.period} called period {said.period}"
    if said.kind is OutcomeKind.OSCILLATING and fate.kind == "minimum":
        return "a minimum called an oscillation"
    # A run may wander for long before it finds its cycle; the window must show that it does.
    if said.kind is OutcomeKind.APERIODIC and fate.kind != "chaos" and growth_in(case, w) < 4.0:
        return f"{fate.kind} called chaos"
    if said.kind is OutcomeKind.DIVERGED and fate.kind != "diverged":
        return f"{fate.kind} called diverged"
    if "sublinear" in said.phase and fate.kind == "minimum" and fate.exponent < -1e-7:
        return "an exponential called a power law"
    return ""


def steps_of(random: np.random.Generator, last: float) -> list[int]:
    return sorted({int(10.0**power) for power in random.uniform(1.0, last, PEEKS)})


def test_no_outcome_of_an_orbit_is_wrong() -> None:
    random, found, said = np.random.default_rng(1), Counter[str](), Counter[str]()
    for case, fate in known():
        settings = {
            "depth": case.depth,
            "target": case.target,
            "step_size": case.step,
            "init": "list",
            "weights": [case.start] * case.depth,
        }
        run = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
        for step in steps_of(random, 4.2):
            run.advance(step - run.step, coarse=bool(random.uniform() < 0.3))
            outcome = run.outcome()
            found[wrong(case, fate, outcome, run.recent()["weights"][:, 0])] += 1
            said[outcome.kind] += 1
            if run.finished:
                break
    assert set(found) == {""}, found
    assert sum(found.values()) > 8 * CASES
    undecided = said[OutcomeKind.MAX_STEPS] / sum(said.values())
    assert undecided < 0.25, "what never says anything is never wrong"


def test_no_verdict_on_an_error_alone_is_wrong() -> None:
    """Windows of any length, of which nothing but the error is known, as of matrices."""
    random, found = np.random.default_rng(2), Counter[str]()
    rows_of_all = rows_from_start([case for case, _ in known()], 12_000)
    for (case, fate), w in zip(known(), rows_of_all, strict=True):
        error = w**case.depth - case.target
        error[np.abs(error) < 1e-11 * abs(case.target)] = 0.0
        for end in steps_of(random, 4.0):
            rows = slice(max(0, end - int(2 ** random.uniform(3, 11))), min(end, w.size))
            if rows.stop - rows.start < 8:
                continue
            signed = error[rows]
            window = Window(
                step=end,
                error=np.abs(signed),
                states=np.column_stack([np.abs(signed), signed]),
                scale=abs(case.target),
            )
            phase = classify(window)
            found[wrong(case, fate, phase.outcome(end, (), ""), w[rows])] += 1
    assert set(found) == {""}, found
    assert sum(found.values()) > 8 * CASES


def look(error: np.ndarray, **known_of: object) -> Phase:
    return classify(
        Window(
            step=10_000,
            error=error,
            states=error[:, None] + 1.0,
            **known_of,  # type: ignore[arg-type]
        )
    )


@given(
    st.sampled_from([8, 40, 200, 512, 2048]),
    st.floats(-1.05, 1.05).filter(lambda factor: abs(factor) > 0.5),
    st.floats(1e-9, 1e9),
)
def test_a_linear_map_is_decided_by_its_factor(m: int, factor: float, size: float) -> None:
    with np.errstate(over="ignore", under="ignore"):
        error = size * factor ** np.arange(m, dtype=np.float64)
    phase = classify(
        Window(
            step=m,
            error=error,
            states=error[:, None],
            scale=size,
            multiplier=factor,
            is_linear=True,
        )
    )
    if abs(factor) > 1.0 + 1e-12:
        assert not phase.standing.is_by_minimum and phase.kind is OutcomeKind.MAX_STEPS
        assert "growing" in phase.text
    elif abs(factor) < 1.0 - 1e-12:
        assert phase.standing.is_by_minimum and not phase.sublinear
    assert phase.kind is not OutcomeKind.APERIODIC


@pytest.mark.parametrize("beside", [0.0, 1e-9, -1e-9, 1e-6, -1e-6])
def test_a_factor_beside_minus_1_is_told_from_it(beside: float) -> None:
    error = (-1.0 - beside) ** np.arange(600)
    phase = look(error, multiplier=-1.0 - beside, is_linear=True)
    expected = {0.0: "period 2"}.get(beside, "unstable, growing" if beside > 0 else "oscillating")
    assert phase.text == expected


@given(
    st.floats(0.4, 6.0),
    st.integers(10, 10**6),
    st.sampled_from([32, 100, 512, 2048]),
    st.sampled_from([1.0, -1.0]),
)
def test_a_power_law_is_never_called_exponential(
    power: float, begin: int, m: int, sign: float
) -> None:
    k = np.arange(begin, begin + m, dtype=np.float64)
    values = sign ** np.arange(m) * (k / begin) ** -power
    for scale in (1.0, 1e6):
        assert " per step" not in look(values, scale=scale).message
    sinking = look(np.full(m, 2.0) + np.abs(values), rest=np.abs(values))
    assert "exponentially" not in sinking.text
    decided = look(np.full(m, 2.0) + np.abs(values), rest=np.abs(values), rest_is_neutral=True)
    assert decided.text == "converging to 0, sublinearly"


@given(st.floats(0.7, 0.9999), st.sampled_from([64, 512, 2048]), st.sampled_from([1.0, -1.0]))
def test_an_exponential_is_never_called_a_power_law(factor: float, m: int, sign: float) -> None:
    rest = factor ** np.arange(m, dtype=np.float64)
    phase = look(2.0 + rest, rest=rest)
    assert "sublinearly" not in phase.text
    assert not look(sign ** np.arange(m) * rest, scale=100.0).sublinear


@dataclass(frozen=True)
class Known:
    """A run of the scalar product network, its verdict, and its exponent where that is known."""

    steps: int
    settings: dict[str, object]
    phase: str
    exponent: float = math.nan
    within: float = 0.0


RUNS = {
    "weak chaos after long": Known(
        20_000, {"depth": 5, "step_size": 0.1745}, "aperiodic", 0.0430, 0.02
    ),
    "escape from the saddle": Known(2000, {"depth": 50, "step_size": 0.0308}, "transient"),
    "creep from the saddle": Known(2000, {"depth": 5, "step_size": 0.2786}, "transient"),
    "equal weights typed": Known(
        50_000,
        {"depth": 2, "init": "list", "weights": (1, 1), "step_size": 0.665},
        "aperiodic",
        0.2100,
        0.04,
    ),
    "slow transient": Known(
        200_000, {"depth": 2, "step_size": 0.618035}, "oscillating, no period found"
    ),
    "threshold": Known(20_000, {"depth": 2, "step_size": 0.5}, "oscillating, sublinear"),
    "just below": Known(2000, {"depth": 2, "step_size": 0.5 * (1 - 1e-6)}, "oscillating"),
    "just above": Known(
        8000, {"depth": 2, "step_size": 0.5 * (1 + 1e-6)}, "oscillating, no period found"
    ),
    "neutral, with a velocity": Known(
        36,
        {
            "depth": 2,
            "target": 1.0,
            "input_power": 3.7,
            "step_size": 0.1833976833976834,
            "optimiser": "nesterov",
            "momentum": 0.9,
            "noise": 8.674379697958555e-07,
        },
        "transient",
    ),
    "one weight above": Known(500, {"depth": 1, "step_size": 2.0001}, "unstable, growing"),
    "steps below rounding": Known(
        31,
        {"depth": 6, "target": -0.5, "step_size": 0.6666673333333333},
        "converging to 0, sublinearly",
    ),
    "zeros": Known(
        30,
        {"depth": 3, "init": "list", "weights": (0, 0, 1)},
        "at rest at a point that is no minimum",
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_runs_that_were_misjudged(name: str) -> None:
    run = RUNS[name]
    session = Session(EXPERIMENT, build(EXPERIMENT.parameters, run.settings))
    session.advance(run.steps, coarse=True)
    outcome = session.outcome()
    assert outcome.phase == run.phase
    if not math.isnan(run.exponent):
        assert outcome.lyapunov == pytest.approx(run.exponent, abs=run.within)


@pytest.mark.parametrize(
    ("step", "exponent"),
    [(0.66, 0.1849), (0.7, 0.3427), (0.75, 0.4910), (0.8, 0.6821), (0.95, 0.8780), (1.0, 1.0986)],
)
def test_exponents_of_chaos_come_with_their_error(step: float, exponent: float) -> None:
    start = (1.0, 1.0) if step < 1.0 else (0.7, 0.7)
    settings = {"depth": 2, "step_size": step, "init": "list", "weights": start}
    session = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    session.advance(8000)
    outcome = session.outcome()
    largest = outcome.exponents[0]
    assert outcome.kind is OutcomeKind.APERIODIC and outcome.lyapunov == largest.value
    assert largest.error is not None and 0.0 < largest.error < 0.02
    assert abs(largest.value - exponent) < 4.0 * largest.error + 1e-3


@pytest.mark.parametrize(
    ("settings", "exponent"),
    [
        ({"step_size": 0.56, "weights": (1.8, 0.9)}, -0.13722),
        ({"step_size": 0.57, "weights": (1.8, 0.9)}, -0.16425),
        ({"step_size": 0.58, "weights": (1.8, 0.9)}, -0.19283),
        ({"step_size": 0.57, "weights": (1.0, 1.0)}, -0.16425),
        (
            {
                "step_size": 0.36,
                "weights": (1.0, 1.0),
                "optimiser": "nesterov",
                "momentum": 0.9,
            },
            -0.0707,
        ),
    ],
)
def test_the_exponent_is_the_largest_whatever_the_last_bit_of_the_weights(
    settings: dict[str, object], exponent: float
) -> None:
    made = build(EXPERIMENT.parameters, {"depth": 2, "init": "list", **settings})
    session = Session(EXPERIMENT, made)
    session.advance(20_000, coarse=True)
    assert session.outcome().lyapunov == pytest.approx(exponent, abs=2e-5)


@pytest.mark.parametrize(
    ("settings", "exponent"),
    [
        ({"depth": 9, "target": 2.0, "step_size": 0.08100904209063585}, -0.0003276),
        (
            {
                "depth": 10,
                "target": 0.7,
                "input_power": 3.7,
                "step_size": 0.12842986626352557,
                "noise": 0.0014397460755618632,
            },
            -0.000280175,
        ),
        (
            {
                "depth": 6,
                "target": 2.0,
                "step_size": 0.13059647412507247,
                "optimiser": "heavy-ball",
                "momentum": 0.4821178439424131,
                "init": "list",
                "weights": (
                    0.8489092343299436,
                    1.0832241689444881,
                    0.6364579715379067,
                    1.4876682987707972,
                    0.5084524717298113,
                    1.1411457122656847,
                ),
            },
            -0.0350423,
        ),
    ],
)
def test_the_exponent_of_a_cycle_that_is_neared_is_that_of_the_cycle_within_its_error(
    settings: dict[str, object], exponent: float
) -> None:
    session = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    shown = 0
    for step in (700, 1500, 2800, 5000, 9000, 20_000):
        session.advance(step - session.step)
        outcome = session.outcome()
        if outcome.period is not None:
            found = max(outcome.exponents, key=lambda each: each.value)
            assert abs(found.value - exponent) <= (found.error or 0.0) + 1e-3 * abs(exponent)
            shown += 1
    assert shown >= 2


def test_an_exact_hit_of_an_unstable_minimum_contradicts_no_claim() -> None:
    """At a larger step the run stays where it had converged, to the last bit."""
    settings = {"depth": 3, "target": 2.0, "step_size": 0.13}
    session = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    session.advance(2000)
    assert session.recent()["error"][-1] == 0.0
    session.retune(build(EXPERIMENT.parameters, {**settings, "step_size": 0.4}))  # type: ignore[arg-type]
    session.advance(50)
    assert session.outcome().standing is Standing.AT_UNSTABLE_MINIMUM
    claims = EXPERIMENT.claims(session.params, session.state, session.recent())
    assert not [claim.id for claim in claims if claim.verdict == "violated"]


@pytest.mark.parametrize("calls", [(20_000,), (100, 900, 6000, 13_000)])
def test_a_long_run_has_an_exponent_as_sure_as_a_watched_one(calls: tuple[int, ...]) -> None:
    settings = {"depth": 5, "target": 2.0, "step_size": 0.1745}
    session = Session(EXPERIMENT, build(EXPERIMENT.parameters, settings))
    for n in calls:
        session.advance(n, coarse=True)
    outcome = session.outcome()
    assert outcome.kind is OutcomeKind.APERIODIC
    (found, *_) = outcome.exponents
    assert found.error is not None and abs(found.value - 0.0430) < 3 * found.error < 0.02


def test_evidence_ends_at_a_change_and_the_outcome_says_so() -> None:
    """What the run did at another step size says nothing of what it does now."""

    def tuned(step_size: float) -> object:
        return build(EXPERIMENT.parameters, {"depth": 3, "step_size": step_size})

    session = Session(EXPERIMENT, tuned(0.46))  # type: ignore[arg-type]
    session.advance(600)
    assert session.outcome().since is None
    assert session.outcome().kind is OutcomeKind.APERIODIC
    session.retune(tuned(0.581))  # type: ignore[arg-type]
    assert session.outcome().phase == "starting"
    for _ in range(10):
        session.advance(50)
        outcome = session.outcome()
        assert outcome.kind is not OutcomeKind.APERIODIC
        if not session.finished:
            assert outcome.since == 600 and "since k = 600" in outcome.message
    assert session.look(500)[0].changed_at is None
    session.rewind(400)
    assert session.outcome().since is None


def test_a_push_begins_the_evidence_anew() -> None:
    session = Session(EXPERIMENT, build(EXPERIMENT.parameters, {"depth": 2, "step_size": 0.55}))
    session.advance(500)
    assert session.outcome().period == 2
    session.nudge(1e-2)
    assert session.outcome().period is None
    session.advance(500)
    assert session.outcome().period == 2 and session.outcome().since == 500
