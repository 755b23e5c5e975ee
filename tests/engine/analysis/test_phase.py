"""Phases of series whose behaviour is known, and of maps at their thresholds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import theory
from engine.analysis.phase import Phase, classify
from engine.analysis.window import Window
from engine.core.outcome import OutcomeKind, Standing
from engine.core.params import build
from engine.core.registry import get
from engine.experiments.scalar_product import period_doubling as cascade
from engine.kernels.scalar.descent import Law, Ties, advance
from engine.run.session import Session

M = 600


def look(error: np.ndarray, **more: Any) -> Phase:
    error = np.asarray(error, dtype=np.float64)
    given_more: dict[str, Any] = {"step": error.size - 1, **more}
    return classify(Window(error=error, **{"states": error[:, None] + 1.0, **given_more}))


def noisy(values: np.ndarray, size: float = 2e-16) -> np.ndarray:
    """Add rounding noise of a few units in the last place of 1."""
    return values + size * np.random.default_rng(0).standard_normal(values.shape)


def test_too_few_steps_say_nothing() -> None:
    phase = look(np.ones(4))
    assert (phase.kind, phase.text) == (OutcomeKind.MAX_STEPS, "starting")


def test_divergence_is_said_first() -> None:
    phase = look(np.ones(M), diverged_at=41)
    assert (phase.kind, phase.text) == (OutcomeKind.DIVERGED, "diverged at k = 41")


@pytest.mark.parametrize(
    ("factor", "manner"), [(0.99, "monotone"), (-0.99, "oscillating"), (0.97, "monotone")]
)
def test_exponential_decay(factor: float, manner: str) -> None:
    phase = look(noisy(0.5 * factor ** np.arange(M)))
    assert (phase.kind, phase.text) == (OutcomeKind.CONVERGING, manner)
    assert not phase.sublinear
    assert phase.rate == pytest.approx(abs(factor), abs=2e-4)


def test_convergence_is_seen_through_rounding() -> None:
    for factor, manner in ((0.9, "monotone"), (-0.9, "oscillating")):
        phase = look(noisy(0.5 * factor ** np.arange(M)), multiplier=factor)
        assert (phase.kind, phase.text) == (OutcomeKind.CONVERGED, f"converged ({manner})")


@pytest.mark.parametrize("factor", [0.9, -0.9, 1.0, 0.0])
@pytest.mark.parametrize("is_long", [False, True])
def test_a_run_that_never_moved_has_no_manner_of_coming(factor: float, is_long: bool) -> None:
    states = np.full((M, 2), 0.7)
    step = 10 * M if is_long else M - 1
    begun = {"start": states[0]} if is_long else {}
    phase = look(np.zeros(M), states=states, step=step, multiplier=factor, **begun)
    assert phase.kind is OutcomeKind.CONVERGED
    assert "oscillating" not in phase.text and "monotone" not in phase.text
    assert phase.message.startswith("The run began at a minimum and stays there.")
    came = look(np.zeros(M), states=states, step=step, multiplier=factor, start=np.zeros(2))
    assert came.message.startswith("The run has reached a minimum.")


@pytest.mark.parametrize("power", [0.5, 1.0])
def test_slow_decay_is_called_sublinear(power: float) -> None:
    k = np.arange(10**6 - M + 1, 10**6 + 1)
    error = np.where(k % 2, 1, -1) * k**-power
    phase = look(error, step=10**6, ahead=1.0)
    assert (phase.kind, phase.text) == (OutcomeKind.CONVERGING, "oscillating, sublinear")
    assert phase.sublinear
    assert look(error, step=10**6).kind is OutcomeKind.MAX_STEPS, "it may end on a small cycle"


def test_sinking_to_a_saddle() -> None:
    k = np.arange(10**5 - M + 1, 10**5 + 1, dtype=np.float64)
    rest = k ** (-1 / 3)
    phase = look(1 + rest**5, step=10**5, rest=rest)
    assert (phase.kind, phase.text) == (OutcomeKind.CONVERGING, "converging to 0, sublinearly")
    rest = 0.99 ** np.arange(M, dtype=np.float64)
    phase = look(1 + rest**2, rest=rest, rest_name="the saddle")
    assert phase.text == "converging to the saddle, exponentially"
    assert not phase.sublinear


def test_resting_where_no_minimum_is() -> None:
    still = np.ones(M)
    phase = look(still, rest=np.zeros(M))
    assert (phase.kind, phase.text) == (OutcomeKind.CONVERGED, "at rest at 0")
    assert phase.standing is Standing.AT_SADDLE
    phase = look(still)
    assert phase.standing is Standing.AT_NO_MINIMUM
    assert (phase.kind, phase.text) == (
        OutcomeKind.CONVERGING,
        "at rest at a point that is no minimum",
    )


def test_an_unstable_minimum_is_not_a_success() -> None:
    phase = look(np.zeros(M), multiplier=-1.2)
    assert phase.text == "on an unstable minimum"
    assert phase.standing is Standing.AT_UNSTABLE_MINIMUM
    leaving = look(1e-13 * 1.05 ** np.arange(100), multiplier=1.05)
    assert leaving.kind is not OutcomeKind.CONVERGED


KINDS = {
    Standing.OPEN: {
        OutcomeKind.MAX_STEPS,
        OutcomeKind.OSCILLATING,
        OutcomeKind.APERIODIC,
        OutcomeKind.DIVERGED,
    },
    Standing.NEARING_MINIMUM: {OutcomeKind.CONVERGING},
    Standing.AT_MINIMUM: {OutcomeKind.CONVERGED},
    Standing.AT_UNSTABLE_MINIMUM: {OutcomeKind.CONVERGED},
    Standing.NEARING_SADDLE: {OutcomeKind.CONVERGING},
    Standing.AT_SADDLE: {OutcomeKind.CONVERGED},
    Standing.AT_NO_MINIMUM: {OutcomeKind.CONVERGING},
}
"""Kinds of outcome that go with what is said of rest."""


@st.composite
def windows(draw: st.DrawFn) -> Window:
    """Draw a window: an error that shrinks, grows, stays or jumps, near a saddle or not."""
    k = np.arange(draw(st.sampled_from([4, 40, 256])), dtype=np.float64)
    factor = draw(st.sampled_from([0.0, 0.5, -0.9, 0.999, 1.0, -1.0, 1.01]))
    shape = draw(st.sampled_from(["power", "slow", "jumps"]))
    jumps = np.random.default_rng(draw(st.integers(0, 9))).uniform(-1.0, 1.0, k.size)
    size = draw(st.sampled_from([0.0, 1e-13, 1.0]))
    moves = {"power": factor**k, "slow": (k + 1) ** -0.5, "jumps": jumps}[shape]
    error = size * moves + draw(st.sampled_from([0.0, 1.0]))
    rest = draw(st.sampled_from([None, 0.0 * k, 0.99**k, 1.0 + 0.0 * k]))
    return Window(
        step=k.size - 1,
        error=error,
        states=error[:, None] + 1.0,
        diverged_at=draw(st.sampled_from([None, None, None, 9])),
        multiplier=draw(st.sampled_from([None, 0.0, 0.5, -0.9, -1.2])),
        rest=rest,
        rest_name=draw(st.sampled_from(["0", "a saddle"])),
    )


@given(windows())
def test_what_is_said_of_rest_is_what_the_texts_say(window: Window) -> None:
    """Everything that asks for the standing relies on it; the texts are for reading."""
    phase = classify(window)
    standing = phase.standing
    assert phase.kind in KINDS[standing]
    rests = standing in (Standing.AT_SADDLE, Standing.AT_NO_MINIMUM)
    assert phase.text.startswith("at rest at ") is rests
    assert phase.text.startswith("converging to ") is (standing is Standing.NEARING_SADDLE)
    assert (phase.text == "on an unstable minimum") is (standing is Standing.AT_UNSTABLE_MINIMUM)
    assert phase.text.startswith("converged") is (standing is Standing.AT_MINIMUM)
    if standing in (Standing.NEARING_SADDLE, Standing.AT_SADDLE):
        assert window.rest_name in phase.text and window.rest_name in phase.message
    outcome = phase.outcome(window.step, phase.points(), "the state")
    for name in ("kind", "standing", "message", "period", "lyapunov"):
        assert getattr(outcome, name) == getattr(phase, name)
    assert (outcome.phase, outcome.step) == (phase.text, window.step)
    assert len(outcome.orbit) == (phase.period or 0)
    assert outcome.orbit_of == ("the state" if outcome.orbit else "")


def test_every_standing_is_at_a_minimum_elsewhere_or_undecided() -> None:
    for standing in Standing:
        undecided = standing in (Standing.OPEN, Standing.SETTLING)
        assert standing.is_by_minimum + standing.is_elsewhere + undecided == 1
        assert standing.is_precarious is (
            str(standing).startswith("at ") and standing is not Standing.AT_MINIMUM
        )
    assert set(KINDS) == set(Standing) - {Standing.SETTLING}


@pytest.mark.parametrize("period", [2, 3, 4, 6, 16, 64])
def test_periods_with_their_points(period: int) -> None:
    points = np.random.default_rng(period).uniform(-1, 1, period)
    phase = look(noisy(np.resize(points, M)))
    assert (phase.kind, phase.period) == (OutcomeKind.OSCILLATING, period)
    assert phase.text == f"period {period}"
    assert phase.orbit is not None
    np.testing.assert_allclose(
        np.sort(phase.orbit[:, 0]), np.sort(points) + 1.0, rtol=0, atol=1e-12
    )


@given(st.integers(2, 20), st.floats(0.3, 0.93), st.sampled_from([-1, 1]))
def test_a_cycle_is_seen_while_it_is_approached(period: int, factor: float, sign: int) -> None:
    points = np.arange(period) * 0.6180339887 % 1 + 0.2
    k = np.arange(M)
    turns = k // period
    phase = look(np.resize(points, M) + 0.05 * (sign * factor ** (1 / period)) ** (turns * period))
    assert phase.period == period


def test_a_slow_approach_to_period_2_is_not_period_4() -> None:
    k = np.arange(M)
    base = np.where(k % 2, 0.4, 0.9)
    phase = look(base + 1e-3 * (-0.998) ** (k // 2))
    assert phase.period == 2


def test_a_small_split_of_a_cycle_counts() -> None:
    points = np.array([0.4, 0.9, 0.4 + 1e-6, 0.9 - 1e-6])
    assert look(np.resize(points, M)).period == 4


def logistic(a: float, n: int) -> np.ndarray:
    x, rows = 0.3, []
    for _ in range(n + 500):
        x = a * x * (1 - x)
        rows.append(x)
    return np.array(rows[500:])


def test_chaos_is_aperiodic() -> None:
    orbit = logistic(3.9, 1500)
    growth = np.log(np.abs(3.9 * (1 - 2 * orbit)))
    phase = look(orbit, growth=growth)
    assert (phase.kind, phase.text) == (OutcomeKind.APERIODIC, "aperiodic")
    assert phase.lyapunov == pytest.approx(0.4945, abs=0.05)
    assert phase.exponents[0].error == pytest.approx(0.01, abs=0.009)
    assert look(logistic(3.83, 1500), growth=np.log(abs(3.83 * (1 - 2 * orbit)))).period == 3
    assert look(orbit).kind is OutcomeKind.MAX_STEPS, "a slow approach may look like this"


@pytest.mark.parametrize("step", [0.66, 0.71, 0.725, 0.755, 0.775, 0.79, 0.9, 0.925])
def test_chaos_that_passes_by_a_cycle_has_no_period(step: float) -> None:
    """At every k; near a window of a period the run lingers by its cycle for many laps."""
    law, start = Law(target=2.0, depth=2, step=step), np.ones(2)
    made = advance(start, np.zeros(2), Ties.of(start), law, first=0, n=1500, every=10**6)
    rows, error = made.low["weights"], made.low["error"]
    for k in range(20, 1500, 1 if step == 0.9 else 3):
        first = max(0, k - 512)
        phase = classify(Window(step=k, error=error[first:k], states=rows[first:k], scale=2.0))
        assert phase.period is None, k


@pytest.mark.parametrize("steps", [149, 185, 410, 586])
def test_a_lap_that_closes_by_chance_is_no_cycle(steps: int) -> None:
    experiment = get("scalar-product")
    settings = {"depth": 2, "target": 2.0, "step_size": 0.9}
    session = Session(experiment, build(experiment.parameters, settings), seed=0)
    session.advance(steps)
    outcome = session.outcome()
    assert outcome.period is None
    assert "repeats itself every" not in outcome.message
    assert outcome.orbit == ()


@pytest.mark.parametrize(
    ("multiplier", "laps"), [(0.5, 12), (-0.7, 20), (0.9, 60), (0.99, 500), (-0.98, 300)]
)
def test_a_cycle_that_is_approached_is_claimed_when_little_is_left(
    multiplier: float, laps: int
) -> None:
    points, k = np.array([0.4, 1.3, 0.9]), np.arange(3 * laps)
    approach = look(np.resize(points, k.size) + 0.1 * multiplier ** (k // 3))
    assert approach.period == 3
    assert "unstable" not in approach.message


def test_a_cycle_left_again_is_not_claimed() -> None:
    k = np.arange(300)
    leaving = np.resize([0.4, 1.3, 0.9], 300) + 1e-6 * 1.1 ** (k // 3)
    assert look(leaving, growth=np.full(299, math.log(1.1) / 3)).period is None
    assert look(leaving).period is None


def test_an_orbit_says_what_it_is_of_and_is_that_of_w_where_the_weights_agree() -> None:
    experiment = get("scalar-product")
    settings = {"depth": 2, "target": 2.0, "step_size": 0.55}
    session = Session(experiment, build(experiment.parameters, settings), seed=0)
    session.advance(400)
    before = session.outcome()
    session.nudge(1e-6, seed=0)
    session.advance(600)
    after = session.outcome()
    assert before.orbit_of == after.orbit_of == "w"
    assert after.orbit == pytest.approx(before.orbit, abs=1e-6)
    assert before.message.endswith("Its orbit is that of w.")


def test_vector_states_are_compared_whole() -> None:
    """A norm that stays the same hides a cycle of the vector; the states show it."""
    k = np.arange(M)
    states = np.column_stack([np.cos(np.pi * k / 2), np.sin(np.pi * k / 2)])
    phase = classify(Window(step=M, error=np.ones(M), states=states))
    assert phase.period == 4


PERIODS = (1, 2, 4, 8)


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("index", [0, 1, 2])
def test_periods_change_at_the_thresholds(depth: int, index: int) -> None:
    """A thousandth of a window below a threshold and above it, runs have the two periods."""
    unit = theory.delta_max(2.0, depth)
    x = cascade.doublings(depth)
    width = x[index + 1] - x[index]
    for sign, period in ((-1, PERIODS[index]), (1, PERIODS[index + 1])):
        step = unit * (x[index] + sign * 0.02 * width)
        law, start = Law(target=2.0, depth=depth, step=step), np.ones(depth)
        made = advance(start, np.zeros(depth), Ties.of(start), law, first=0, n=60_000, every=10**6)
        phase = classify(
            Window(
                step=60_000,
                error=made.low["error"][-2000:],
                states=made.low["weights"][-2000:],
                scale=2.0,
                multiplier=1 - 2 * float(made.low["stability"][-1]),
            )
        )
        if period == 1:
            assert phase.kind is OutcomeKind.CONVERGED
        else:
            assert phase.period == period


@pytest.mark.parametrize(
    ("depth", "inside"), [(2, (0.7253, 0.7304)), (3, (0.39180, 0.39571)), (5, (0.19717, 0.19941))]
)
def test_the_period_3_windows(depth: int, inside: tuple[float, float]) -> None:
    low, high = inside
    width = high - low
    for step, period in (
        (low + 0.1 * width, 3),
        (high - 0.5 * width, 3),
        (low - 0.1 * width, None),
    ):
        law, start = Law(target=2.0, depth=depth, step=step), np.ones(depth)
        made = advance(start, np.zeros(depth), Ties.of(start), law, first=0, n=30_000, every=10**6)
        rows = made.low["weights"][-2000:]
        phase = classify(Window(step=30_000, error=made.low["error"][-2000:], states=rows))
        if period is None:
            assert phase.period != 3
        else:
            assert phase.period == period and math.isfinite(float(rows[-1, 0]))
