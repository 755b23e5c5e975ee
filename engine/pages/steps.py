"""A step of an optimiser as functions for a page, as `engine.kernels.optimisers.steps` makes it.

``p`` holds the numbers of `NUMBERS`; ``w``, ``m``, ``g`` and ``q`` the weights, both moments one
after the other, a gradient, and the point where it was taken.
"""

from __future__ import annotations

from engine.pages.lines import Function, Writer, number, product
from engine.theory.optimisers import Setting
from engine.theory.optimisers.law import SettingField

NUMBERS: tuple[SettingField, ...] = (
    "step_size",
    "momentum",
    "square_decay",
    "epsilon",
    "weight_decay",
    "radius",
    "lowest_loss",
    "step_cap",
)
"""The fields of a setting that a page may change, in the order of ``p``."""
LOOKS_AHEAD = ("nesterov", "sam")
MEMORYLESS = ("gradient-descent", "normalised-gd", "sam", "polyak")
"""Optimisers whose step depends on the weights only."""


def _p(field: SettingField) -> str:
    return f"p[{NUMBERS.index(field)}]"


def functions_of(setting: Setting, size: int) -> tuple[Function, ...]:
    """Return `stepSize(k, loss, size, p)`, `lookAhead(…)` and `move(…)` for so many weights."""
    return _step_size(setting), _look_ahead(setting, size), _move(setting, size)


def _step_size(setting: Setting) -> Function:
    write = Writer()
    arguments = ("k", "loss", "size", "p")
    if setting.optimiser == "polyak":
        made = f"polyak(loss, {_p('lowest_loss')}, size, {_p('step_cap')})"
        return Function("stepSize", arguments, (), result=made)
    step, schedule = _p("step_size"), setting.schedule
    if not schedule.is_constant:
        warmup, length = number(float(schedule.warmup)), number(float(schedule.length))
        step = write.value(f"{step} * min((k + 1.0) / ({warmup} + 1.0), 1.0)")
        gone = write.value(f"min(max((k - {warmup}) / {length}, 0.0), 1.0)")
        end = number(schedule.end)
        if schedule.kind == "linear":
            step = write.value(f"{step} * (1.0 + ({end} - 1.0) * {gone})")
        elif schedule.kind == "cosine":
            turn = f"0.5 * (1.0 + cos(PI * {gone}))"
            step = write.value(f"{step} * ({end} + (1.0 - {end}) * {turn})")
    if setting.optimiser == "normalised-gd":
        step = f"over({step}, size)"
    return Function("stepSize", arguments, write.take(), result=step)


def _look_ahead(setting: Setting, size: int) -> Function:
    """Write the point at which the gradient for a step is taken."""
    write = Writer()
    is_sam = setting.optimiser == "sam"
    scale = write.value(f"over({_p('radius')}, size)") if is_sam else ""
    for i in range(size):
        if is_sam:
            write.set(f"q[{i}]", f"w[{i}] + {scale} * g[{i}]")
        elif setting.optimiser == "nesterov":
            write.set(f"q[{i}]", f"w[{i}] + {_p('momentum')} * m[{i}]")
        else:
            write.set(f"q[{i}]", f"w[{i}]")
    return Function("lookAhead", ("w", "m", "g", "size", "p", "q"), write.take())


def _move(setting: Setting, size: int) -> Function:
    write, method = Writer(), setting.optimiser
    beta, keep = _p("momentum"), _p("square_decay")
    known, root = "1.0", "1.0"
    if method in ("adam", "adamw"):
        known = write.value(f"1.0 - power({beta}, k + 1.0)")
        root = write.value(f"sqrt(1.0 - power({keep}, k + 1.0))")
    for i in range(size):
        scale = number(setting.scales[i]) if setting.scales else "1.0"
        rate, first, second = product("step", scale), f"m[{i}]", f"m[{i + size}]"
        if method in ("heavy-ball", "nesterov"):
            write.set(first, f"{beta} * {first} - {rate} * g[{i}]")
            write.set(f"w[{i}]", f"w[{i}] + {first}")
        elif method in ("rmsprop", "adam", "adamw"):
            write.set(second, f"{keep} * {second} + (1.0 - {keep}) * g[{i}] * g[{i}]")
            mean = f"g[{i}]"
            if method != "rmsprop":
                write.set(first, f"{beta} * {first} + (1.0 - {beta}) * g[{i}]")
                mean = f"{first} / {known}"
            part = f"{rate} * ({mean}) / (sqrt({second}) / {root} + {_p('epsilon')})"
            rest = f"(1.0 - {rate} * {_p('weight_decay')}) * " if method == "adamw" else ""
            write.set(f"w[{i}]", f"{rest}w[{i}] - {part}")
        else:
            write.set(f"w[{i}]", f"w[{i}] - {rate} * g[{i}]")
    return Function("move", ("k", "step", "w", "m", "g", "p"), write.take())
