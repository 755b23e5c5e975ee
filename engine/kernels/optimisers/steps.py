"""One step of each optimiser, on arrays.

The state of a run is its weights, shape (n,), and its moments, shape (2, n): the velocity or the
mean gradient, and the mean square. An optimiser leaves alone what it does not carry. Whatever else
a step depends on is in a `Rule` and the number of steps made, so that the bits of a run do not
depend on how it is split.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from engine.kernels.jit import inner
from engine.theory.optimisers import OPTIMISERS, SCHEDULES, STEP_RULES, Setting
from engine.theory.optimisers.curvature import gradient_decay

METHODS = tuple(OPTIMISERS)
"""Ids of the optimisers by the numbers that kernels know them by."""
GRADIENT_DESCENT, HEAVY_BALL = METHODS.index("gradient-descent"), METHODS.index("heavy-ball")
NESTEROV, RMSPROP = METHODS.index("nesterov"), METHODS.index("rmsprop")
ADAM, ADAMW = METHODS.index("adam"), METHODS.index("adamw")
NORMALISED, SAM, POLYAK = (METHODS.index(name) for name in ("normalised-gd", "sam", "polyak"))
FIXED, SHARPNESS, HESSIAN = (STEP_RULES.index(name) for name in ("fixed", "sharpness", "hessian"))
LINEAR, COSINE = SCHEDULES.index("linear"), SCHEDULES.index("cosine")

SCALARS = ("loss", "gradient_norm", "step_size", "step_norm")
"""What is recorded besides the weights."""
HUGE = 1e300
"""Magnitude of the loss or of its gradient beyond which a run has diverged."""


class Rule(NamedTuple):
    """An optimiser for kernels: `engine.theory.optimisers.Setting` as numbers.

    `penalty` is the decay that is a term of the gradient, `decay` the decoupled one; `begun` is the
    number of steps after which the moments were 0, from which Adam's bias is counted.
    """

    method: int
    rule: int
    step_size: float
    alpha: float
    cap: float
    momentum: float
    square_decay: float
    epsilon: float
    penalty: float
    decay: float
    radius: float
    lowest: float
    schedule: int
    warmup: float
    length: float
    end: float
    begun: int


def rule_of(setting: Setting, begun: int = 0) -> Rule:
    """Translate a setting for kernels.

    Parameters
    ----------
    setting : Setting
    begun : int
        Number of steps after which the moments were 0.
    """
    schedule = setting.schedule
    return Rule(
        METHODS.index(setting.optimiser),
        STEP_RULES.index(setting.rule),
        float(setting.step_size),
        float(setting.alpha),
        float(setting.step_cap),
        float(setting.momentum),
        float(setting.square_decay),
        float(setting.epsilon),
        float(gradient_decay(setting)),
        float(setting.weight_decay if setting.optimiser == "adamw" else 0.0),
        float(setting.radius),
        float(setting.lowest_loss),
        SCHEDULES.index(schedule.kind),
        float(schedule.warmup),
        float(schedule.length),
        float(schedule.end),
        int(begun),
    )


@inner
def length(x: Any) -> float:
    """Return the Euclidean norm of a vector, without overflow or underflow."""
    top, total = 0.0, 0.0
    for i in range(x.size):
        total += x[i]
        top = max(top, abs(x[i]))
    if total != total or top == 0.0 or top == math.inf:
        return top if total == total else total
    total = 0.0
    for i in range(x.size):
        part = x[i] / top
        total += part * part
    return top * math.sqrt(total)


@inner
def step_size(rule: Rule, k: int, loss: float, size: float, curvature: float) -> float:
    """Return what a step multiplies the gradient by; of adaptive optimisers, what they divide.

    Parameters
    ----------
    rule : Rule
    k : int
        Number of steps made before.
    loss, size : float
        The loss, and the gradient's norm, before the step.
    curvature : float
        That by which the step size is to be divided, where the rule asks for one.
    """
    if rule.method == POLYAK:
        wanted = (loss - rule.lowest) / size / size if size > 0.0 else 0.0
        return min(max(wanted, 0.0), rule.cap)
    step = rule.cap
    if rule.rule == FIXED:
        step = rule.step_size * min((k + 1.0) / (rule.warmup + 1.0), 1.0)
        gone = min(max((k - rule.warmup) / rule.length, 0.0), 1.0)
        if rule.schedule == LINEAR:
            step *= 1.0 + (rule.end - 1.0) * gone
        elif rule.schedule == COSINE:
            step *= rule.end + (1.0 - rule.end) * 0.5 * (1.0 + math.cos(math.pi * gone))
    elif rule.alpha < rule.cap * curvature:
        step = rule.alpha / curvature
    if rule.method == NORMALISED:
        return step / size if size > 0.0 else 0.0
    return step


@inner
def look_ahead(rule: Rule, w: Any, moments: Any, slope: Any, size: float, point: Any) -> bool:
    """Write the point at which the gradient for a step is taken; return whether it is another.

    Parameters
    ----------
    rule : Rule
    w, moments, slope : ndarray, shapes (n,), (2, n), (n,)
        Weights, moments, and the gradient at the weights, of norm `size`.
    size : float
    point : ndarray, shape (n,)
    """
    scale = rule.radius / size if rule.method == SAM and size > 0.0 else 0.0
    for i in range(w.size):
        point[i] = w[i]
        if rule.method == NESTEROV:
            point[i] += rule.momentum * moments[0, i]
        elif rule.method == SAM:
            point[i] += scale * slope[i]
    return rule.method == NESTEROV or rule.method == SAM


@inner
def corrections(rule: Rule, k: int) -> tuple[float, float]:
    """Return Adam's corrections of the bias of mean and root in the step that follows `k` others.

    1 for optimisers that correct nothing.
    """
    age = k + 1 - rule.begun
    if rule.method == ADAM or rule.method == ADAMW:
        return 1.0 - rule.momentum**age, math.sqrt(1.0 - rule.square_decay**age)
    return 1.0, 1.0


@inner
def move(
    rule: Rule, k: int, step: float, w: Any, moments: Any, slope: Any, point: Any, scales: Any
) -> None:
    """Make the step that follows `k` others; overwrite weights and moments.

    Parameters
    ----------
    rule : Rule
    k : int
    step : float
        As `step_size` returns it.
    w, moments : ndarray, shapes (n,), (2, n)
    slope, point : ndarray, shape (n,)
        The gradient for the step, and where it was taken.
    scales : ndarray, shape (n,)
        Factors of the coordinates' step sizes.
    """
    method, beta, keep = rule.method, rule.momentum, rule.square_decay
    mean_known, root_known = corrections(rule, k)
    for i in range(w.size):
        g = slope[i]
        if rule.penalty != 0.0:
            g += rule.penalty * point[i]
        rate = step * scales[i]
        if method == HEAVY_BALL or method == NESTEROV:
            moments[0, i] = beta * moments[0, i] - rate * g
            w[i] += moments[0, i]
        elif method == RMSPROP or method == ADAM or method == ADAMW:
            moments[1, i] = keep * moments[1, i] + (1.0 - keep) * g * g
            if method != RMSPROP:
                moments[0, i] = beta * moments[0, i] + (1.0 - beta) * g
                g = moments[0, i] / mean_known
            root = math.sqrt(moments[1, i]) / root_known + rule.epsilon
            w[i] = (1.0 - rate * rule.decay) * w[i] - rate * g / root
        else:
            w[i] -= rate * g
