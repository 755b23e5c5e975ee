"""What is proved of the scalar product network: its law with enclosures, claims, pictures."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.beside import keep, recall
from engine.core.claims import Claim, Lamp
from engine.core.ensemble import Progress
from engine.core.experiment import Recent
from engine.core.outcome import OutcomeKind
from engine.core.views import Curve, Item, View
from engine.experiments.scalar_product.params import ScalarParams, ScalarState, law_of
from engine.experiments.scalar_product.start import starting_weights
from engine.expressions.reader import read
from engine.expressions.tape import constants_in_order
from engine.families.products import product_tape
from engine.families.proofs import claims as statements
from engine.families.proofs import pictures, views
from engine.families.proofs import rules as step_rules
from engine.families.proofs.laws import Law, Rule, typed
from engine.families.proofs.laws import law_of as descent_of
from engine.families.proofs.proofs import MOST_DIMENSIONS, Proofs, prove
from engine.families.proofs.rules import Candidate, StepRules, compare
from engine.families.proofs.task import Plane, Task
from engine.text.numbers import short

SETTLING = 50_000
"""Steps after which a run is looked at for what it comes to."""


def key_of(params: ScalarParams, seed: int) -> Hashable | None:
    """Name what the proofs depend on; None where none are asked for, or none can be made."""
    if not params.prove or not all(lamp.on for lamp in lamps(params)):
        return None
    start = starting_weights(params, seed)
    shown = params.lyapunov_typed if params.lyapunov == "typed" else ""
    law = (params.depth, params.target, params.power, params.optimiser, params.momentum)
    steps = (params.step_rule, params.step_size, params.alpha, params.step_cap)
    return ("scalar-product", law, steps, start.tobytes(), params.epsilon, params.cells, shown)


def analysis_key(params: ScalarParams, seed: int) -> Hashable | None:
    """Name what the analysis depends on: the proofs, or the step rules where they are compared."""
    key = key_of(params, seed)
    return ("step rules", key) if key is not None and compares_rules(params) else key


def compares_rules(params: ScalarParams) -> bool:
    """Return whether step rules are compared: of two weights under plain descent."""
    return params.compare_rules and params.depth == 2 and not params.has_momentum


def proofs_of(params: ScalarParams, seed: int) -> Proofs | None:
    """Return what is proved, None while it is not there."""
    key = key_of(params, seed)
    found = None if key is None else recall(key)
    return found if isinstance(found, Proofs) else None


def rules_of(params: ScalarParams, seed: int) -> StepRules | None:
    """Return what step rules do, of those that have been compared; None while there is none."""
    key = analysis_key(params, seed)
    found = recall(key) or recall(_part_of(key))
    return found if isinstance(found, StepRules) else None


def _part_of(key: Hashable) -> Hashable:
    """Name what is kept of an analysis while it is being made."""
    return ("part", key)


def lamps(params: ScalarParams) -> tuple[Lamp, ...]:
    """Return what a proof needs of the law of motion."""
    plain_rule = params.step_rule == "fixed"
    is_known = plain_rule or (
        not params.has_momentum and (params.step_rule == "sharpness" or params.depth == 2)
    )
    detail = "" if is_known else "this step size is enclosed without momentum, λ_max for L = 2"
    return (
        Lamp(
            f"At most {MOST_DIMENSIONS} weights",
            params.depth <= MOST_DIMENSIONS,
            f"L = {params.depth}",
        ),
        Lamp("The step size has enclosures", is_known, detail),
    )


def law(params: ScalarParams) -> Law:
    """Return the law of motion with enclosures.

    Raises
    ------
    InputError
        If the inputs, from which the input power is computed, are none or all zero.
    """
    tape = product_tape([1] * params.depth)
    values = {"sigma": params.power, "lambda": params.target}
    rule = None
    if params.step_rule != "fixed":
        curvature = ""
        if params.step_rule == "hessian":
            curvature = "sigma*((w1^2 + w2^2)/2 + sqrt((w1^2 - w2^2)^2/4 + (2*w1*w2 - lambda)^2))"
        rule = Rule(alpha=params.alpha, cap=params.step_cap, curvature=curvature)
    made = descent_of(
        tape,
        constants_in_order(tape, values),
        step_size=params.step_size,
        optimiser=params.optimiser,
        momentum=params.momentum,
        rule=rule,
    )
    if made is None:
        raise ValueError("the loss is the square of a residual")
    return made


def plane(params: ScalarParams, reach: float) -> Plane | None:
    """Return the sum and the difference of two weights, under plain descent or a step over S.

    In them the axes of the ellipse of bounded starts, and the directions across and along the
    balanced minima, are those of the boxes. Descent in w is descent in them with twice the step.
    """
    if params.depth != 2 or params.has_momentum or params.step_rule == "hessian":
        return None
    tape = read("sigma/2*((s^2 - d^2)/4 - lambda)^2", ("s", "d")).tape
    values = {"sigma": params.power, "lambda": params.target}
    rule = None
    if params.step_rule == "sharpness":
        rule = Rule(alpha=params.alpha, cap=2.0 * params.step_cap)
    made = descent_of(
        tape, constants_in_order(tape, values), step_size=2.0 * params.step_size, rule=rule
    )
    if made is None:
        raise ValueError("the loss is the square of a residual")
    high = np.full(2, 2.0 * reach)
    gain = params.step_size * params.power
    if params.is_plain and 0.0 < gain * abs(params.target) < 2.0:
        axes = np.array([2.0 / gain + params.target, 2.0 / gain - params.target])
        high = np.minimum(high, 2.02 * np.sqrt(axes))
    matrix = np.array([[1.0, 1.0], [1.0, -1.0]])
    return Plane(
        law=made,
        matrix=matrix,
        inverse=0.5 * matrix,
        low=-high,
        high=high,
        names=("w₁ + w₂", "w₁ − w₂"),
    )


def analyse(params: ScalarParams, seed: int, progress: Progress) -> Proofs | StepRules | None:
    """Prove what can be; where step rules are compared, prove first and keep that."""
    if not compares_rules(params):
        return _proved(params, seed, progress)
    if proofs_of(params, seed) is None:
        made, key = _proved(params, seed, progress), key_of(params, seed)
        if made is None or key is None:
            return None
        keep(key, made)
    return compare_step_rules(params, seed, progress)


def _proved(params: ScalarParams, seed: int, progress: Progress) -> Proofs | None:
    made, start = law(params), starting_weights(params, seed)
    text = typed(params.lyapunov_typed, names_of(params)) if params.lyapunov == "typed" else None
    reach = domain_of(params, seed)
    n = made.descent.dimension
    task = Task(
        law=made,
        settled=_settled(params, seed),
        low=np.full(n, -reach),
        high=np.full(n, reach),
        minima=_minima(params),
        cells=params.cells,
        epsilon=params.epsilon,
        plane=plane(params, reach),
        typed=text,
        names=coordinates(params),
        start=_point(params, start, np.zeros_like(start)),
    )
    return prove(task, progress)


def compare_step_rules(params: ScalarParams, seed: int, progress: Progress) -> StepRules | None:
    """Measure and prove what step rules do to the region of attraction of two weights.

    The fixed step, α/S and α/λ_max have the same rate at the balanced minima, that of the run,
    where the largest step allows it.
    Polyak's step is 1/(2S) on this loss, whose least value is 0. All are bounded by the largest
    step of the run's parameters, but for the fixed one.
    """
    sharpness = 2.0 * params.power * abs(params.target)
    alpha = params.step_size * sharpness if params.step_rule == "fixed" else params.alpha
    size = alpha / sharpness
    rules: tuple[tuple[str, float, dict[str, Any]], ...] = (
        (rf"$\delta = {short(size, 4)}$", alpha, {"step_rule": "fixed", "step_size": size}),
        (f"${short(alpha, 4)}/S$", alpha, {"step_rule": "sharpness", "alpha": alpha}),
        (rf"${short(alpha, 4)}/\lambda_{{\max}}$", alpha, {"step_rule": "hessian", "alpha": alpha}),
        ("Polyak, $1/(2S)$", 0.5, {"step_rule": "sharpness", "alpha": 0.5}),
    )
    reach = 4.0 * params.root
    high = np.full(2, reach)
    candidates = []
    for name, pull, values in rules:
        changed = params.model_copy(update=values)
        task = Task(
            law=law(changed),
            settled=_minima(changed)[0],
            low=-high,
            high=high,
            cells=params.cells,
            plane=plane(changed, reach),
        )
        if changed.step_rule != "fixed":
            pull = min(pull, changed.step_cap * sharpness)
        candidates.append(Candidate(name=name, rate=1.0 - pull, task=task))
    part = _part_of(analysis_key(params, seed))
    return compare(candidates, -high, high, progress, lambda rules: keep(part, rules))


def names_of(params: ScalarParams) -> tuple[str, ...]:
    """Return the names of the weights in a typed V."""
    return tuple(f"w{i + 1}" for i in range(params.depth))


def coordinates(params: ScalarParams) -> tuple[str, ...]:
    """Return the names of the map's coordinates, as mathtext without dollars."""
    letters = "wv" if params.has_momentum else "w"
    return tuple(rf"{letter}_{{{i + 1}}}" for letter in letters for i in range(params.depth))


def domain_of(params: ScalarParams, seed: int) -> float:
    """Return half the width of the box in which regions are looked for."""
    start = float(np.abs(starting_weights(params, seed)).max())
    reach = max(4.0 * params.root, 1.1 * start)
    gain = params.step_size * params.power * abs(params.target)
    if params.is_plain and params.depth == 2 and 0.0 < gain < 2.0:
        border = theory.bounded_ellipse(params.step_size, params.target, params.power)
        reach = min(reach, max(1.05 * float(np.abs(border).max()), 1.1 * start))
    return float(f"{reach:.4g}")


def _settled(params: ScalarParams, seed: int) -> FloatArray | None:
    """Return where the run is after many steps, None where it diverges."""
    from engine.kernels.scalar import descent as scalar

    start = starting_weights(params, seed)
    made = scalar.advance(
        start,
        np.zeros_like(start),
        scalar.Ties.of(start),
        law_of(params),
        first=0,
        n=SETTLING,
        stride=SETTLING,
        every=SETTLING,
    )
    if made.diverged:
        return None
    parts = [made.weights, made.velocity] if params.has_momentum else [made.weights]
    return np.concatenate(parts)


def _minima(params: ScalarParams) -> tuple[FloatArray, ...]:
    """Return the balanced minimum, with momentum at rest."""
    if params.target < 0.0 and params.depth % 2 == 0:
        weights = np.full(params.depth, params.root)
        weights[-1] *= -1.0
    else:
        weights = np.full(params.depth, np.copysign(params.root, params.target))
    rest = [np.zeros_like(weights)] if params.has_momentum else []
    return (np.concatenate([weights, *rest]),)


def claims(state: ScalarState, kind: OutcomeKind) -> tuple[Claim, ...]:
    """Return what is proved, beside the run; nothing where it is not asked for."""
    params = state.params
    if not params.prove:
        return ()
    seen = statements.Seen(
        start=_point(params, state.start, np.zeros_like(state.start)),
        now=_point(params, state.weights, state.velocity),
        kind=kind,
        lamps=lamps(params),
        is_steady=state.changed_at is None,
        epsilon=params.epsilon,
        function=params.lyapunov,
    )
    return statements.claims(proofs_of(params, state.seed), seen)


def _point(params: ScalarParams, weights: FloatArray, velocity: FloatArray) -> FloatArray:
    return np.concatenate([weights, velocity]) if params.has_momentum else weights


def observe(state: ScalarState, recent: Recent) -> dict[str, Any]:
    """Compute the pictures of what is proved; nothing where it is not asked for."""
    params = state.params
    if not params.prove or params.depth > MOST_DIMENSIONS:
        return {}
    proofs = proofs_of(params, state.seed)
    made = pictures.observe(proofs, recent["weights"], params.lyapunov, params.epsilon)
    gain = params.step_size * params.power * abs(params.target)
    made |= pictures.corners(domain_of(params, state.seed))
    if compares_rules(params):
        made |= step_rules.observe(rules_of(params, state.seed))
    if params.depth == 2 and params.is_plain and 0.0 < gain < 2.0:
        border = theory.bounded_ellipse(params.step_size, params.target, params.power)
        made |= {"proof_ellipse_x": border[:, 0], "proof_ellipse_y": border[:, 1]}
    return made


def plots(params: ScalarParams) -> tuple[View, ...]:
    """Describe the plots of what is proved."""
    if not params.prove or params.depth > MOST_DIMENSIONS:
        return ()
    if params.depth != 2 or params.has_momentum:
        return views.views_of_any(len(coordinates(params)))
    ellipse: tuple[Item, ...] = (
        Curve(
            x="proof_ellipse_x",
            y="proof_ellipse_y",
            label="bounded inside",
            color="bad",
            width=1.2,
            ground=True,
        ),
    )
    more = step_rules.views("$w_1$", "$w_2$") if compares_rules(params) else ()
    return (*views.views("$w_1$", "$w_2$", ellipse), *more)
