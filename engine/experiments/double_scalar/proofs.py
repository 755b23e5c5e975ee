"""What is proved of the double scalar network: its law with enclosures, claims, pictures."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.beside import recall
from engine.core.claims import Claim, Lamp
from engine.core.ensemble import Progress
from engine.core.experiment import Recent
from engine.core.outcome import OutcomeKind
from engine.core.views import View
from engine.experiments.double_scalar.measure import full
from engine.experiments.double_scalar.params import (
    DoubleScalarParams,
    DoubleScalarState,
    make_start,
)
from engine.expressions.reader import read
from engine.expressions.tape import constants_in_order
from engine.families.proofs import claims as statements
from engine.families.proofs import pictures, views
from engine.families.proofs.laws import Law, law_of, typed
from engine.families.proofs.proofs import MOST_DIMENSIONS, Proofs, prove
from engine.families.proofs.task import Task


def key_of(params: DoubleScalarParams, seed: int) -> Hashable | None:
    """Name what the proofs depend on; None where none are asked for, or none can be made."""
    if not params.prove or not all(lamp.on for lamp in lamps(params)):
        return None
    shown = params.lyapunov_typed if params.lyapunov == "typed" else ""
    law = (params.depth, params.target, params.input_power, params.step_size)
    start = make_start(params, seed).tobytes()
    return ("double-scalar", law, start, params.epsilon, params.cells, shown)


def proofs_of(params: DoubleScalarParams, seed: int) -> Proofs | None:
    """Return what is proved, None while it is not there."""
    key = key_of(params, seed)
    found = None if key is None else recall(key)
    return found if isinstance(found, Proofs) else None


def lamps(params: DoubleScalarParams) -> tuple[Lamp, ...]:
    """Return what a proof needs of the law of motion."""
    count = 2 * params.depth
    detail = f"2L = {count}"
    return (Lamp(f"At most {MOST_DIMENSIONS} weights", count <= MOST_DIMENSIONS, detail),)


def names_of(params: DoubleScalarParams) -> tuple[str, ...]:
    """Return the names of w and then z in a typed V."""
    return tuple(f"{letter}{i + 1}" for letter in "wz" for i in range(params.depth))


def law(params: DoubleScalarParams) -> Law:
    """Return the law of motion with enclosures."""
    names = names_of(params)
    w, z = "*".join(names[: params.depth]), "*".join(names[params.depth :])
    tape = read(f"sigma/2*({w} - {z} - lambda)^2", names).tape
    values = {"sigma": params.input_power, "lambda": params.target}
    made = law_of(tape, constants_in_order(tape, values), step_size=params.step_size)
    if made is None:
        raise ValueError("plain gradient descent always has enclosures")
    return made


def analyse(
    params: DoubleScalarParams, settled: DoubleScalarState, progress: Progress
) -> Proofs | None:
    """Prove what can be, given a state after many steps."""
    text = typed(params.lyapunov_typed, names_of(params)) if params.lyapunov == "typed" else None
    count = 2 * params.depth
    start = np.abs(make_start(params, settled.seed)[:2])
    reach = max(2.0 * abs(params.target) ** (1.0 / params.depth), 1.25 * float(start.max()), 1.0)
    task = Task(
        law=law(params),
        settled=None if settled.diverged_at is not None else full(settled)[:2].ravel(),
        low=np.full(count, -reach),
        high=np.full(count, reach),
        cells=params.cells,
        epsilon=params.epsilon,
        typed=text,
        names=tuple(f"{name[0]}_{{{name[1:]}}}" for name in names_of(params)),
        start=_start(params, settled.seed),
    )
    return prove(task, progress)


def _start(params: DoubleScalarParams, seed: int) -> FloatArray:
    """Return the start of all w and then of all z."""
    return np.broadcast_to(make_start(params, seed)[:2], (2, params.depth)).ravel()


def claims(state: DoubleScalarState, kind: OutcomeKind) -> tuple[Claim, ...]:
    """Return what is proved, beside the run; nothing where it is not asked for."""
    params = state.params
    if not params.prove:
        return ()
    seen = statements.Seen(
        start=_start(params, state.seed),
        now=full(state)[:2].ravel(),
        kind=kind,
        lamps=lamps(params),
        is_steady=state.changed_at is None and not state.pushed,
        epsilon=params.epsilon,
        function=params.lyapunov,
    )
    return statements.claims(proofs_of(params, state.seed), seen)


def observe(state: DoubleScalarState, recent: Recent) -> dict[str, Any]:
    """Compute the pictures of what is proved; nothing where it is not asked for."""
    params = state.params
    if not params.prove:
        return {}
    path = full(state)[:2].ravel()[None]
    if state.weights.shape[1] == 1:  # all w are equal, and all z
        parts = [np.repeat(recent[key][:, None], params.depth, axis=1) for key in ("w", "z")]
        path = np.concatenate(parts, axis=1)
    proofs = proofs_of(params, state.seed)
    return pictures.observe(proofs, path, params.lyapunov, params.epsilon)


def plots(params: DoubleScalarParams) -> tuple[View, ...]:
    """Describe the plots of what is proved."""
    return views.views_of_any(2 * params.depth) if params.prove else ()
