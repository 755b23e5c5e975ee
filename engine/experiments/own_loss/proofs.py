"""What is proved of descent on a typed loss: its law with enclosures, claims, pictures."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.beside import keep, recall
from engine.core.claims import Claim, Lamp
from engine.core.ensemble import Progress
from engine.core.experiment import Recent
from engine.core.outcome import OutcomeKind
from engine.core.views import View
from engine.experiments.own_loss import analysis as equilibria
from engine.experiments.own_loss import descent
from engine.experiments.own_loss.params import OwnLossParams, OwnLossState
from engine.experiments.own_loss.phase import SMOOTH
from engine.experiments.own_loss.problem import loss_of, starting_point, variables_of
from engine.experiments.own_loss.system import symbol_of
from engine.families.proofs import claims as statements
from engine.families.proofs import pictures, views
from engine.families.proofs.laws import Law, Rule, law_of, typed
from engine.families.proofs.proofs import MOST_DIMENSIONS, Proofs, prove
from engine.families.proofs.task import Task

SETTLING = 20_000
"""Steps after which a run is looked at for what it comes to."""
MOST_MINIMA = 6
"""Equilibria of which stability is proved."""
MOST_OPERATIONS = 5000
"""Operations, over all rows of data, of a loss of which something is proved."""


def key_of(params: OwnLossParams, seed: int) -> Hashable | None:
    """Name what the proofs depend on; None where none are asked for, or none can be made."""
    if not params.prove or not all(lamp.on for lamp in lamps(params)):
        return None
    start = starting_point(params, len(variables_of(params)), seed)
    shown = params.lyapunov_typed if params.lyapunov == "typed" else ""
    steps = (params.setting, start.tobytes())
    asked = (params.epsilon_ball, params.cells, shown)
    return ("own-loss proofs", equilibria.key_of(params, seed), steps, asked)


def proofs_of(params: OwnLossParams, seed: int) -> Proofs | None:
    """Return what is proved, None while it is not there."""
    key = key_of(params, seed)
    found = None if key is None else recall(key)
    return found if isinstance(found, Proofs) else None


def lamps(params: OwnLossParams) -> tuple[Lamp, ...]:
    """Return what a proof needs of the law of motion."""
    loss = loss_of(params)
    law = _law(params) if loss.dimension <= MOST_DIMENSIONS else None
    detail = ""
    if law is None:
        detail = (
            "Polyak's step is enclosed for the square of one residual with f* = 0"
            if params.optimiser == "polyak"
            else "fixed steps of gradient descent, heavy-ball or Nesterov's momentum are enclosed"
        )
    many = law is not None and law.operations > MOST_OPERATIONS
    size = "" if law is None else f"{law.operations} operations over all rows"
    return (
        Lamp(
            f"At most {MOST_DIMENSIONS} variables",
            loss.dimension <= MOST_DIMENSIONS,
            f"n = {loss.dimension}",
        ),
        Lamp("The step has enclosures", law is not None, detail),
        Lamp(f"At most {MOST_OPERATIONS} operations", not many, size),
    )


def _law(params: OwnLossParams) -> Law | None:
    """Return the law of motion with enclosures; None where it has none."""
    setting, loss = params.setting, loss_of(params)
    if setting.scales or not setting.schedule.is_constant:
        return None
    tape = loss.expression.tape
    data = None if loss.data is None else loss.data.columns(tape.columns)
    if setting.optimiser == "polyak":
        if setting.lowest_loss != 0.0:
            return None
        rule = Rule(alpha=0.5, cap=setting.step_cap)
        return law_of(tape, loss.constants, data, rule=rule)
    if setting.optimiser not in SMOOTH or setting.rule != "fixed":
        return None
    optimiser = setting.optimiser
    if optimiser not in ("gradient-descent", "heavy-ball", "nesterov"):
        return None
    return law_of(
        tape,
        loss.constants,
        data,
        step_size=setting.step_size,
        optimiser=optimiser,
        momentum=setting.momentum,
    )


def analyse(params: OwnLossParams, state: OwnLossState, progress: Progress) -> Proofs | None:
    """Look for equilibria unless they are known, and prove what can be."""
    found = equilibria.analysis_of(params, state.seed)
    if found is None:
        found = equilibria.analyse(params, state.seed, progress)
        if found is None:
            return None
        keep(equilibria.key_of(params, state.seed), found)
    law = _law(params)
    if law is None:
        raise ValueError("nothing is proved of this law")
    loss = loss_of(params)
    start = starting_point(params, loss.dimension, state.seed)
    velocities = law.descent.dimension - loss.dimension
    reach = _reach(params, state.seed)
    rest = np.zeros(velocities)
    listed = found.equilibria[:MOST_MINIMA]
    text = typed(params.lyapunov_typed, loss.variables) if params.lyapunov == "typed" else None
    task = Task(
        law=law,
        settled=_settled(params, start, state.seed, velocities, law.operations),
        low=np.full(law.descent.dimension, -reach),
        high=np.full(law.descent.dimension, reach),
        minima=tuple(np.concatenate([each.at.point, rest]) for each in listed),
        cells=params.cells,
        epsilon=params.epsilon_ball,
        typed=text,
        names=_coordinates(loss.variables, velocities),
        start=np.concatenate([start, rest]),
    )
    return prove(task, progress)


def _coordinates(variables: tuple[str, ...], velocities: int) -> tuple[str, ...]:
    """Return the names of the map's coordinates, as mathtext without dollars."""
    symbols = tuple(map(symbol_of, variables))
    return symbols + tuple(f"v({symbol})" for symbol in symbols[:velocities])


def _reach(params: OwnLossParams, seed: int) -> float:
    """Return half the width of the box in which regions are looked for."""
    start = starting_point(params, len(variables_of(params)), seed)
    return max(params.reach, 1.25 * float(np.abs(start).max()))


def _settled(
    params: OwnLossParams, start: FloatArray, seed: int, velocities: int, operations: int
) -> FloatArray | None:
    """Return where the run is after many steps, None where it diverges."""
    state = OwnLossState(
        params=params, seed=seed, weights=start, start=start, moments=np.zeros((2, len(start)))
    )
    steps = int(np.clip(4e6 / operations, 200, SETTLING))
    state, _ = descent.advance(state, steps, steps)
    if state.diverged_at is not None or state.is_undefined:
        return None
    return np.concatenate([state.weights, state.moments[0][:velocities]])


def claims(state: OwnLossState, kind: OutcomeKind) -> tuple[Claim, ...]:
    """Return what is proved, beside the run; nothing where it is not asked for."""
    params = state.params
    if not params.prove:
        return ()
    has_velocity = params.optimiser in ("heavy-ball", "nesterov")
    rest = np.zeros(len(state.start) if has_velocity else 0)
    seen = statements.Seen(
        start=np.concatenate([state.start, rest]),
        now=np.concatenate([state.weights, state.moments[0][: len(rest)]]),
        kind=kind,
        lamps=lamps(params),
        is_steady=state.changed_at is None,
        epsilon=params.epsilon_ball,
        function=params.lyapunov,
    )
    return statements.claims(proofs_of(params, state.seed), seen)


def observe(state: OwnLossState, recent: Recent) -> dict[str, Any]:
    """Compute the pictures of what is proved; nothing where it is not asked for."""
    params = state.params
    if not params.prove:
        return {}
    proofs = proofs_of(params, state.seed)
    path = recent["weights"]
    made = pictures.observe(proofs, path, params.lyapunov, params.epsilon_ball)
    return made | pictures.corners(_reach(params, state.seed))


def plots(params: OwnLossParams) -> tuple[View, ...]:
    """Describe the plots of what is proved."""
    if not params.prove:
        return ()
    names = variables_of(params)
    velocities = params.optimiser in ("heavy-ball", "nesterov")
    if len(names) != 2 or velocities:
        return views.views_of_any(len(names) * (2 if velocities else 1))
    first, second = (f"${symbol_of(name)}$" for name in names)
    return views.views(first, second)
