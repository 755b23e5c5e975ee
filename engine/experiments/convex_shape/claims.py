"""The statements of Section 3.1, confronted with what is built, and its bounds."""

from __future__ import annotations

import math

import numpy as np

from engine.core.claims import Bound, Claim, Lamp, Verdict
from engine.experiments.convex_shape import convexity
from engine.experiments.convex_shape.network import cells, normals
from engine.experiments.convex_shape.observe import kinks_of, pieces_of, weights_and_biases
from engine.experiments.convex_shape.params import Problem, ShapeParams, ShapeState, problem_of
from engine.text.numbers import whole

ROUNDING = 1e-9
CLOSE = 0.02
"""Error relative to the range of a function below which a network approximates it."""


def bounds(params: ShapeParams, state: ShapeState | None) -> tuple[Bound, ...]:
    """List what the paper predicts, with what is measured at a state."""
    problem = problem_of(params) if state is None else state.problem
    if params.picture == "decomposition":
        return _decomposition_bounds(params, problem, state)
    if params.picture == "level-curves":
        return _line_bounds(state)
    return _build_up_bounds(params, state)


def _build_up_bounds(params: ShapeParams, state: ShapeState | None) -> tuple[Bound, ...]:
    slope, end = None, None
    if state is not None:
        network = state.networks[0]
        w, _ = weights_and_biases(network)
        slope = float(network.c[0]) * float(np.prod(1.0 + w))
        end = float(pieces_of(network, params.width).slopes[-1])
    depth = params.depth if params.placement != "typed" else len(params.biases)
    rate = math.log(depth) / depth
    return (
        Bound(
            id="end-slope",
            name="Slope to which the estimate rises",
            symbol=r"(1+w_L)\cdots(1+w_1)f'(0)",
            value=slope,
            source="Section 3.1",
            measured=end,
            measured_symbol=r"\hat f'(M)",
            note="Reached where every kink lies before the end of the domain."
            if slope is not None
            else "It depends on the weights; there is no network yet.",
        ),
        Bound(
            id="theorem-3",
            name="Rate of Theorem 3",
            symbol=r"\log L / L",
            value=rate,
            source="Theorem 3",
            measured=None if state is None else float(state.facts["identity_distance"][0]),
            measured_symbol=r"\max_i \|h_i - \mathrm{Id}\|_L",
            note="The theorem bounds the distance of the layers from the identity by a constant "
            "times this; the constant is not given, and for one layer the rate is 0. It needs "
            "f strongly convex with a Lipschitz second derivative.",
        ),
    )


def _line_bounds(state: ShapeState | None) -> tuple[Bound, ...]:
    if state is None:
        return ()
    layer = state.networks[0].layers[0]
    found = []
    for unit, normal in enumerate(normals(layer)):
        found.append(
            Bound(
                id=f"distance-{unit + 1}",
                name=f"Distance of kink line {unit + 1} from the origin",
                symbol=rf"b_{unit + 1}/\|v_{unit + 1}\|",
                value=None if normal is None else normal.distance,
                source="Section 3.1",
                measured=float(layer.b[unit]),
                measured_symbol=f"b_{unit + 1}",
                note="The paper's words, b is the distance, hold for columns of length one."
                if normal is not None
                else "The column of V is zero: there is no line.",
            )
        )
    return tuple(found)


def _decomposition_bounds(
    params: ShapeParams, problem: Problem, state: ShapeState | None
) -> tuple[Bound, ...]:
    assert problem.parts is not None and problem.curvature is not None
    least = problem.smallest_alpha
    known = math.isfinite(least)
    where = ", ".join(f"{value:.4g}" for value in problem.curvature.point)
    found = [
        Bound(
            id="alpha",
            name="Smallest alpha",
            symbol=r"\alpha_{\min}",
            value=least if known else None,
            source="Section 3.1",
            formula=r"\alpha_{\min} = \max(0, -\min_x \lambda_{\min}(\nabla^2 f(x)))",
            field="alpha" if known and params.alpha_from == "typed" else "",
            measured=problem.parts.alpha,
            measured_symbol=r"\alpha",
            note=f"f curves least at ({where})."
            if known
            else f"f bends down without bound at ({where}): no alpha makes r convex.",
        )
    ]
    for index, value in enumerate(problem.smallest_beta):
        found.append(
            Bound(
                id=f"beta-{index + 1}",
                name=f"Smallest entry {index + 1} of beta",
                symbol=rf"\beta_{{\min,{index + 1}}}",
                value=float(value),
                source="Section 3.1",
                measured=float(problem.parts.beta[index]),
                measured_symbol=rf"\beta_{index + 1}",
                note="Below it the gradient of r at the origin is not positive.",
            )
        )
    if params.dimensions == 2:
        mixed = problem.curvature.mixed
        found.append(
            Bound(
                id="mixed",
                name="Least mixed derivative of what nonnegative networks can approximate",
                symbol=r"\partial^2 r/\partial x\,\partial y",
                value=0.0,
                source="follows from (7a)-(7c)",
                measured=mixed if math.isfinite(mixed) else None,
                measured_symbol=r"\min\,\partial^2 r/\partial x\,\partial y",
                note="Nonnegative sums, positive parts and increasing images keep increasing "
                "differences, so (7a)-(7c) with W, V >= 0 cannot approach a function without.",
            )
        )
    return tuple(found)


def all_claims(params: ShapeParams, state: ShapeState) -> tuple[Claim, ...]:
    """Confront every statement with the networks."""
    claims = [_convexity(state)]
    if params.picture == "level-curves":
        return (*claims, _figure_2(params, state), _distances(state))
    if params.picture == "build-up":
        return (*claims, _underestimate(state), _rising(params, state))
    return (*claims, _decomposes(params, state), _approximates(params, state))


def judged(lamps: tuple[Lamp, ...], holds: bool) -> Verdict:
    """Return the verdict: not applicable unless all lamps are on."""
    if any(lamp.on is False for lamp in lamps):
        return Verdict.NOT_APPLICABLE
    if any(lamp.on is None for lamp in lamps):
        return Verdict.UNDECIDED
    return Verdict.HOLDS if holds else Verdict.VIOLATED


def _nonnegative(state: ShapeState) -> tuple[Lamp, ...]:
    lamps = []
    for name, value in zip(("W", "V", "b", "c"), state.facts["smallest"], strict=True):
        on = bool(value > 0) if name == "c" else bool(value >= 0)
        sign = ">" if name == "c" else ">="
        lamps.append(Lamp(f"{name} {sign} 0", on, f"smallest {value:.3g}"))
    return tuple(lamps)


def _convexity(state: ShapeState) -> Claim:
    lamps = _nonnegative(state)
    worst = float(state.violation.max())
    tried = state.params.chords * max(state.step, 1)
    return Claim(
        id="convex",
        title="Nonnegative parameters make it convex",
        source="Section 3.1, eqs. (7a)-(7c)",
        statement="With W, V, b >= 0 and c > 0 the network is convex.",
        assumptions=lamps,
        predicted="no chord lies below the function",
        measured="no chord was tried yet"
        if state.step == 0
        else f"worst of up to {whole(tried)} random chords: {worst:.3g} below",
        verdict=Verdict.UNDECIDED
        if state.step == 0 and all(lamp.on for lamp in lamps)
        else judged(lamps, worst == 0.0),
        note="b may be negative without harm: it is only added within the positive part.",
    )


def _figure_2(params: ShapeParams, state: ShapeState) -> Claim:
    identity = ((1.0, 0.0), (0.0, 1.0))
    lamps = (
        Lamp("V = W = I, one layer", params.V == params.W == identity and params.repeats == 1),
        Lamp("c = (1, 1)", params.c == (1.0, 1.0)),
        Lamp("b > 0", min(params.b) > 0, ", ".join(f"{value:g}" for value in params.b)),
    )
    found, _ = cells(state.networks[0], params.upper)
    slopes = sorted(
        {round(-cell.gradient[0] / cell.gradient[1], 9) for cell in found if cell.gradient[1] != 0}
    )
    gradients = sorted({tuple(np.round(cell.gradient, 9).tolist()) for cell in found})
    expected = {(1.0, 1.0), (2.0, 1.0), (1.0, 2.0), (2.0, 2.0)}
    return Claim(
        id="figure-2",
        title="The gradient gains a column beyond each line",
        source="Section 3.1, eqs. (8a), (8b), Figure 2",
        statement="Near the origin the gradient is (1, 1); beyond x1 = b1 it gains (1, 0), beyond "
        "x2 = b2 it gains (0, 1), and the level curves look like those of a bowl.",
        assumptions=lamps,
        predicted="slopes -1, -2, -1/2 and -1 of the level curves",
        measured="slopes "
        + ", ".join(f"{slope:g}" for slope in slopes)
        + f" in {len(found)} cells",
        verdict=judged(lamps, set(gradients) <= expected),
    )


def _distances(state: ShapeState) -> Claim:
    layer = state.networks[0].layers[0]
    found = [normal for normal in normals(layer) if normal is not None]
    lengths = np.linalg.norm(layer.V, axis=0)
    kept = np.array([normal.distance for normal in found])
    given = layer.b[lengths > 0]
    worst = float(np.abs(kept - given).max()) if kept.size else 0.0
    lamps = (Lamp("no column of V is zero", bool((lengths > 0).all())),)
    return Claim(
        id="normals",
        title="V gives the normals, b the distances",
        source="Section 3.1",
        statement="The columns of V determine the normals of the lines beyond which the gradient "
        "gains, the elements of b their distances to the origin.",
        assumptions=lamps,
        predicted="distances equal to b",
        measured="distances "
        + ", ".join(f"{value:.4g}" for value in kept)
        + " for b = "
        + ", ".join(f"{value:.4g}" for value in given),
        verdict=judged(lamps, worst <= ROUNDING),
        note="The distance is b divided by the length of the column of V; lines of a second "
        "layer are bent.",
    )


def _underestimate(state: ShapeState) -> Claim:
    problem = state.problem
    assert problem.curvature is not None
    x = problem.points[:, 0]
    first = problem.targets[0][0] + problem.slopes[0][0] * x
    gap = problem.targets[0] - first
    lamps = (_is_convex(problem),)
    return Claim(
        id="underestimates",
        title="The first-order estimate underestimates",
        source="Section 3.1, eq. (6)",
        statement="A strictly convex f lies above f(0) + f'(0) x, the more the larger x is.",
        assumptions=lamps,
        predicted="f minus the estimate at least 0, largest at the end",
        measured=f"from {gap.min():.3g} to {gap.max():.3g}, at the end {gap[-1]:.3g}",
        verdict=judged(lamps, bool(gap.min() >= -ROUNDING and gap[-1] >= gap.max() - ROUNDING)),
    )


def _is_convex(problem: Problem) -> Lamp:
    assert problem.curvature is not None
    least = problem.curvature.value
    return Lamp("f convex on the domain", least >= -ROUNDING, f"least curvature {least:.4g}")


def _rising(params: ShapeParams, state: ShapeState) -> Claim:
    network = state.networks[0]
    slopes = pieces_of(network, params.width).slopes
    w, b = weights_and_biases(network)
    kinks = kinks_of(network)
    inside = bool((kinks < params.width).all())
    lamps = (
        Lamp("w, b > 0", bool((w > 0).all() and (b > 0).all())),
        Lamp("all kinks before the end", inside),
    )
    product = float(network.c[0]) * float(np.prod(1.0 + w))
    return Claim(
        id="rising-slope",
        title="The slope rises to the product of all factors",
        source="Section 3.1",
        statement="The estimate is strictly increasing, and its slope rises gradually to "
        "(1 + w_L) ... (1 + w_1) f'(0).",
        assumptions=lamps,
        predicted=f"slopes rise from {float(network.c[0]):.4g} to {product:.4g}",
        measured=f"from {slopes[0]:.4g} to {slopes[-1]:.4g}",
        verdict=judged(
            lamps,
            bool((np.diff(slopes) >= -ROUNDING).all())
            and abs(slopes[-1] - product) <= ROUNDING * product,
        ),
    )


def _decomposes(params: ShapeParams, state: ShapeState) -> Claim:
    problem = state.problem
    assert problem.parts is not None and problem.curvature is not None
    function = problem.parts.function
    generator = np.random.default_rng([state.seed, 1])
    chord = convexity.worst_chord(problem.parts.r, params.upper, generator, 4000)
    alpha, least = problem.parts.alpha, problem.smallest_alpha
    lamps = (
        Lamp("f is built of smooth functions", function.smooth),
        Lamp("alpha at least the smallest", alpha >= least, f"{alpha:.4g} against {least:.4g}"),
    )
    curvature = problem.curvature.value + alpha
    shown = f"{curvature:.4g}" if math.isfinite(curvature) else "not bounded"
    return Claim(
        id="decomposition",
        title="f is the difference of two convex functions",
        source="Section 3.1",
        statement="With alpha large enough, r = alpha/2 x'x + beta'x + f and s = alpha/2 x'x + "
        "beta'x are strictly convex.",
        assumptions=lamps,
        predicted="least curvature of r above 0, no chord below it",
        measured=f"least curvature of r {shown}; worst of 4\u2009000 random chords "
        f"{chord.amount:.3g} below",
        verdict=judged(lamps, curvature > -ROUNDING * max(alpha, 1.0) and chord.amount < ROUNDING),
    )


def _approximates(params: ShapeParams, state: ShapeState) -> Claim:
    """Judge the errors by the range of f, which alpha does not inflate as it does those of r, s."""
    problem = state.problem
    assert problem.curvature is not None and problem.parts is not None
    span = float(np.ptp(problem.parts.f(problem.points)))
    errors = [float(error) for error in state.facts["error"]]
    relative = [error / span if span > 0 else math.inf for error in errors]
    mixed = problem.curvature.mixed
    lamps = (
        Lamp("all layers built", state.step >= params.depth, f"{state.step} of {params.depth}"),
        Lamp("r convex", problem.parts.alpha >= problem.smallest_alpha),
        Lamp("f is not constant", span > 0, f"range {span:.3g}"),
        Lamp("V >= 0 asked for", not params.signed),
    )
    verdict = judged(lamps, holds=True)
    if verdict is Verdict.HOLDS and not max(relative) < CLOSE:
        is_impossible = params.dimensions == 2 and mixed < 0
        verdict = Verdict.VIOLATED if is_impossible else Verdict.UNDECIDED
    return Claim(
        id="approximation",
        title="Residual networks approximate both parts",
        source="Section 3.1",
        statement="A strictly convex function whose gradient at the origin is positive can be "
        "approximated by (7a)-(7c) with nonnegative parameters.",
        assumptions=lamps,
        predicted=f"root mean square errors of r, s and r - s below {CLOSE:.0%} of the range of f",
        measured=", ".join(f"{value:.2%}" for value in relative)
        + (f"; least mixed derivative of r {mixed:.3g}" if params.dimensions == 2 else ""),
        verdict=verdict,
        note=_approximation_note(params, verdict),
    )


def _approximation_note(params: ShapeParams, verdict: Verdict) -> str:
    notes = []
    if verdict is Verdict.UNDECIDED:
        notes.append("These networks are not close enough; deeper ones may be.")
    if params.dimensions == 2:
        notes.append(
            "For two inputs it fails for parts with a negative mixed derivative: W, V >= 0 keep "
            "increasing differences. Normals with negative entries avoid that, for one layer."
        )
    return " ".join(notes)
