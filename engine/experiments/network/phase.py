"""How a training run stands, read off its losses and the looks at the Hessian."""

from __future__ import annotations

import math

import numpy as np

from engine.analysis.edge import is_at_edge, place
from engine.core.arrays import FloatArray
from engine.core.experiment import Recent
from engine.core.outcome import CONVERGED, Ending, Outcome, OutcomeKind, Standing
from engine.experiments.network.state import NetworkState
from engine.text.numbers import short, whole

LAST_LOOKS = 8
FEW = 12
"""Steps with a known loss below which a trend is not read."""
LATELY = 4
"""Last steps whose mean loss is compared with that of as many before them."""
STILL = 1e-9
"""Largest relative change over the last steps that is none."""
TREND = 1e-3
"""Least relative change of the loss over the steps seen that is called a trend."""
MANY_E_FOLDS = 100.0
"""Growth, in e-foldings, after which a displacement from an unstable minimum would show: rounding
errors of 64-bit numbers take 37."""
ROUNDING = 0.01
"""Relative excess over the limit, where a run rests, that the samples of a look explain."""

CONVERGES, EDGE, LEARNS, STALLS, DIVERGES = (
    "converged", "edge of stability", "learning", "stalled", "diverged"
)  # fmt: skip
ENDINGS = (
    Ending(CONVERGES, "ramp"),
    Ending(EDGE, "5"),
    Ending(LEARNS, "6"),
    Ending(STALLS, "4"),
    Ending(DIVERGES, "bad"),
)
"""How runs end on a map: at the goal or fitted; near the limit or beyond it, with a loss that has
fallen; below the limit, or where it was not looked at, with one that has fallen; with one that has
not; diverged."""
FALLEN = 0.1
"""Least relative fall of the loss from the start that counts as learning."""


def ending_of(state: NetworkState, recent: Recent) -> str:
    """Name which of `ENDINGS` a run has come to."""
    if state.diverged_at is not None:
        return DIVERGES
    if outcome_of(state, recent).kind is OutcomeKind.CONVERGED:
        return CONVERGES
    losses = known(recent["loss"])
    lately = losses[-FEW:].mean() if losses.size else state.first_loss
    if lately > (1.0 - FALLEN) * state.first_loss:
        return STALLS
    ratios = known(recent["stability"])
    last = state.edge.last
    at_edge = is_at_edge(state.edge, ratios) or (last is not None and last >= 1.0)
    return EDGE if at_edge else LEARNS


def outcome_of(state: NetworkState, recent: Recent) -> Outcome:
    """Describe a run by its recent steps since its last change."""
    recent = state.evidence(recent)
    since = state.changed_at or None
    if state.diverged_at is not None:
        at = whole(state.diverged_at)
        return Outcome(
            kind=OutcomeKind.DIVERGED,
            step=state.diverged_at,
            message=f"The loss left the range of useful numbers at step {at}.",
            phase=f"diverged at k = {at}",
            since=since,
        )
    kind, text, message, standing = _standing(state, recent)
    if since is not None:
        message += f" Judged since k = {whole(since)}."
    return Outcome(
        kind=kind, step=state.step, message=message, phase=text, standing=standing, since=since
    )


def _standing(state: NetworkState, recent: Recent) -> tuple[OutcomeKind, str, str, Standing]:
    params = state.params
    losses = known(recent["loss"])
    loss = float(losses[-1]) if losses.size else state.first_loss
    right = known(recent["accuracy"]) if "accuracy" in recent else np.zeros(0)
    accuracy = float(right[-1]) if right.size else math.nan
    if params.has_reached(loss, accuracy):
        reached = f"The training loss has reached its goal, {short(params.goal, 4)}."
        if not loss <= params.goal > 0.0:
            goal = short(params.accuracy_goal, 4)
            reached = f"The training accuracy has reached its goal, {goal} %."
        return OutcomeKind.CONVERGED, "goal reached", reached, Standing.OPEN
    settled = has_settled(state, len(recent["loss"]))
    if loss <= CONVERGED * state.first_loss and settled:
        fitted = "The network fits the samples: the training loss is 0 to ten digits."
        return OutcomeKind.CONVERGED, "converged", fitted, Standing.AT_MINIMUM
    if settled and is_at_rest(state, recent):
        rest = "The gradient vanishes, and the loss does not: the run rests."
        return OutcomeKind.CONVERGED, "at rest", rest, Standing.SETTLING
    where, sentence = place(state.edge, known(recent["stability"]))
    kind, badge, words = tendency(losses)
    return kind, where or badge, _joined(words, sentence), Standing.OPEN


def has_settled(state: NetworkState, rows: int) -> bool:
    """Return whether so many rows show that a run stays where its gradient vanishes.

    After a change the point of rest is that of the settings before it. Beyond the limit what
    rounding adds grows, by 2 × ratio − 1 a step, and has to have had the time to show.
    """
    needed = 0 if state.changed_at is None else FEW
    ratio = state.edge.last
    if ratio is not None and ratio > 1.0 + ROUNDING:
        needed = max(needed, math.ceil(MANY_E_FOLDS / math.log(2.0 * ratio - 1.0)))
    return rows >= needed


def tendency(losses: FloatArray) -> tuple[OutcomeKind, str, str]:
    """Describe where the loss goes, over the rows seen and lately, as badge and sentence."""
    trend = trend_of(losses)
    if trend is None:
        return OutcomeKind.MAX_STEPS, "starting", "Too few steps to tell how the loss goes."
    loss, now = short(float(losses[-1]), 4), lately(losses)
    if trend < -TREND:
        words = f"The training loss falls, {loss} now."
        if now > STILL:
            words = f"The training loss has fallen on the whole, and rises now: {loss}."
        elif now >= -STILL:
            words = f"The training loss has fallen on the whole, and stays now: {loss}."
        return OutcomeKind.CONVERGING, "learning", words
    if trend > TREND:
        words = f"The training loss rises, {loss} now."
        if now < -STILL:
            words = f"The training loss has risen on the whole, and falls now: {loss}."
        elif now <= STILL:
            words = f"The training loss has risen on the whole, and stays now: {loss}."
        return OutcomeKind.MAX_STEPS, "loss rising", words
    return OutcomeKind.MAX_STEPS, "stalled", f"The training loss stays at about {loss}."


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def known(rows: FloatArray) -> FloatArray:
    """Return the rows at which a number was measured."""
    return np.asarray(rows[~np.isnan(rows)])


def trend_of(losses: FloatArray) -> float | None:
    """Return the relative change of the mean loss from the first to the last third of the rows."""
    if losses.size < FEW:
        return None
    first, _, last = np.array_split(losses, 3)
    before, after = float(first.mean()), float(last.mean())
    return (after - before) / before if before > 0.0 else None


def lately(losses: FloatArray) -> float:
    """Return the relative change of the mean of the last `LATELY` rows from as many before.

    The number is even, so that a swing of period two is no change.
    """
    before, after = losses[-2 * LATELY : -LATELY].mean(), losses[-LATELY:].mean()
    return float((after - before) / before) if before > 0.0 else 0.0


def is_at_rest(state: NetworkState, recent: Recent) -> bool:
    """Return whether no step changes the loss any more to ten digits: ‖∇f‖‖w‖ against f[0]."""
    if state.is_minibatch or state.params.optimiser in (
        "sam",
        "normalised-gd",
    ):
        return False
    size = float(np.linalg.norm(state.weights))
    slopes = recent["gradient"][-LAST_LOOKS:]
    return bool(slopes.size and np.nanmax(slopes) * size <= CONVERGED * state.first_loss)
