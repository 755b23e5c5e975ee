"""Propositions 1 to 3 confronted with a run of the scalar product network.

Each claim is the paper's statement with its own assumptions as lamps, and what the statement needs
besides is a claim of its own ("corrected"), so that neither hides the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import theory
from engine.analysis.phase import Phase
from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.experiment import Recent
from engine.core.outcome import OutcomeKind, Standing
from engine.experiments.scalar_product.params import ScalarParams, ScalarState
from engine.experiments.scalar_product.parting import parting

SLACK = 1e-9
"""Relative margin in comparisons with a bound: on the bound itself nothing is claimed."""
DRAWN_TOGETHER = 1e-6
"""Relative difference of the weights' magnitudes up to which they count as equal."""
ROUNDING = 1e-12
"""Absolute tolerance of Proposition 2's envelope, in units of the root if that is larger."""

_RESTLESS = (OutcomeKind.OSCILLATING, OutcomeKind.APERIODIC, OutcomeKind.DIVERGED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run as the claims see it."""

    params: ScalarParams
    state: ScalarState
    recent: Recent
    phase: Phase
    eigenvalues: FloatArray

    @property
    def converged(self) -> bool:
        """Whether the run has reached a minimum, other than by an exact hit of an unstable one."""
        if self.phase.standing is Standing.AT_UNSTABLE_MINIMUM:
            return False
        error = abs(float(self.recent["error"][-1]))
        return self.phase.kind is OutcomeKind.CONVERGED and error <= 1e-6 * abs(self.params.target)

    @property
    def stays_away(self) -> bool:
        """Whether the run moves on for ever, leaves, or ends where no minimum is."""
        return self.phase.kind in _RESTLESS or self.sinks

    @property
    def sinks(self) -> bool:
        """Whether the weights go to 0."""
        return self.phase.standing in (Standing.NEARING_SADDLE, Standing.AT_SADDLE)

    @property
    def began_at_minimum(self) -> bool:
        """Whether the run started on a minimum, to rounding."""
        with np.errstate(over="ignore", under="ignore"):
            product = float(np.prod(self.state.start))
        return abs(product - self.params.target) <= 1e-14 * abs(self.params.target)

    @property
    def measured(self) -> str:
        """The phase in words."""
        diverged = self.phase.kind is OutcomeKind.DIVERGED
        return self.phase.text if diverged else f"{self.phase.text} at k = {self.state.step}"


def claims(evidence: Evidence) -> tuple[Claim, ...]:
    """Confront all propositions with the run."""
    made = [_bound_1(evidence), _delta_max(evidence), _spectrum(evidence), _rate(evidence)]
    made += [_sinking(evidence), _sinking_corrected(evidence), *_ellipse(evidence)]
    return (*made, *_equal_weights(evidence))


def _equal_weights(run: Evidence) -> tuple[Claim, ...]:
    """Confront the thresholds of equal weights with a run of unequal ones."""
    params, state = run.params, run.state
    limit = theory.delta_max(params.target, params.depth, params.power)
    ratio = state.smallest_step / limit
    if params.depth < 2 or state.is_symmetric or not ratio > 1.0 + SLACK:
        return ()
    lamps = [
        _plain(params),
        Lamp("λ > 0", params.target > 0, f"λ = {params.target:g}"),
        Lamp("δ > δ_max", True, f"δ/δ_max = {ratio:.6g}"),
    ]
    typically = ""
    if all(lamp.on for lamp in lamps):
        found = parting(params.step_size * params.power, params.depth, params.target)
        lamps.append(
            Lamp(
                "Transversally stable",
                None if found is None else found.is_stable,
                "equal weights diverge" if found is None else f"exponent {found.exponent}",
            )
        )
        if found is not None and not found.is_cycle:
            typically = "typically, as the orbit of equal weights is aperiodic: "
    sizes = np.abs(state.weights)
    spread = float(np.ptp(sizes)) / max(float(np.max(sizes)), 1e-300)
    bounded = run.phase.kind is not OutcomeKind.DIVERGED
    holds = True if bounded and spread <= DRAWN_TOGETHER else None
    return (
        Claim(
            id="equal-weights",
            title="Whether unequal weights become equal beyond δ_max",
            source="derived for this program",
            statement="For λ > 0 and δ > δ_max a cycle of equal weights attracts weights that "
            "differ a little if its transverse exponent is negative; an aperiodic orbit of equal "
            "weights attracts typically.",
            assumptions=tuple(lamps),
            predicted=f"{typically}the weights draw together, if they ever come near one another",
            measured=f"they differ by {spread:.3g} of the largest; {run.measured}",
            verdict=_verdict(tuple(lamps), holds),
            note="Period 2, period 4 and the crisis of equal weights hold for this run only if it "
            "draws its weights together; if displacements across grow, they do not.",
        ),
    )


def _ellipse(run: Evidence) -> tuple[Claim, ...]:
    """Confront the ellipse of bounded starts with a run of two weights."""
    params, state = run.params, run.state
    if params.depth != 2:
        return ()
    gain = params.step_size * params.power * abs(params.target)
    is_steady = state.smallest_step == state.largest_step
    lamps = (
        _plain(params),
        Lamp("0 < δσ|λ| < 2", 0.0 < gain < 2.0, f"δσ|λ| = {gain:.6g}"),
        Lamp("δ was the same all along", is_steady),
    )
    predicted, measured, holds = "", run.measured, None
    if all(lamp.on for lamp in lamps):
        before, now = (
            float(theory.bounded_level(w, params.step_size, params.target, params.power))
            for w in (state.start, state.weights)
        )
        is_inside = before < 1.0
        predicted = f"u stays {'below' if is_inside else 'above'} 1, from {before:.6g}"
        measured = f"u = {now:.6g}, {run.measured}"
        if abs(before - 1.0) > SLACK:  # on the ellipse itself rounding decides
            diverged = run.phase.kind is OutcomeKind.DIVERGED
            holds = (
                not diverged and now < 1.0 + SLACK if is_inside else diverged or now > 1.0 - SLACK
            )
    return (
        Claim(
            id="bounded-ellipse",
            title="Which starts of two weights stay bounded",
            source="derived for this program",
            statement="For 0 < δσ|λ| < 2 no step crosses the ellipse u = (s²/(2/δσ + λ) + "
            "d²/(2/δσ − λ))/4 = 1 with s = w₁ + w₂, d = w₁ − w₂.",
            assumptions=lamps,
            predicted=predicted or "u stays on its side of 1",
            measured=measured,
            verdict=_verdict(lamps, holds),
            note="A start inside stays bounded for ever. One outside never comes in; random ones "
            "were all seen to diverge, but that all do is not proved.",
        ),
    )


def _plain(params: ScalarParams) -> Lamp:
    detail = "" if params.is_plain else f"{params.optimiser}, {params.step_rule} step"
    return Lamp("Gradient descent with a fixed step size", params.is_plain, detail)


def _verdict(lamps: tuple[Lamp, ...], holds: bool | None) -> Verdict:
    if any(lamp.on is False for lamp in lamps):
        return Verdict.NOT_APPLICABLE
    if holds is None or any(lamp.on is None for lamp in lamps):
        return Verdict.UNDECIDED
    return Verdict.HOLDS if holds else Verdict.VIOLATED


def _bound_1(run: Evidence) -> Claim:
    params, state = run.params, run.state
    ratio = 0.5 * params.curvature_limit * float(run.recent["stability"][-1])
    lamps = (
        _plain(params),
        Lamp("The run did not start on a minimum", not run.began_at_minimum),
        Lamp("A minimum was reached", True if run.converged else None, run.phase.text),
    )
    holds = ratio <= 1.0 + SLACK if run.converged else None
    measured = f"δS/2 = {ratio:.6g} at the limit" if run.converged else run.measured
    start = 0.5 * params.step_size * theory.sharpness(state.start, params.power)
    if run.converged and params.is_plain and start > 1.0 + SLACK:
        measured += f", from {start:.6g} at the start"
    return Claim(
        id="proposition-1",
        title="Where gradient descent can stay",
        source="Proposition 1, eq. (1)",
        statement="A minimum w* can be the limit only if δ ≤ 2/(σ Σ_i Π_{j≠i} w*_j²) = 2/S.",
        assumptions=lamps,
        predicted="δS/2 ≤ 1 at the limit",
        measured=measured,
        verdict=_verdict(lamps, holds),
        note="The paper says asymptotically stable. For L ≥ 2 the minima form a surface along "
        "which nothing pulls back, so none is asymptotically stable: read Lyapunov stable, with "
        "the error going to 0.",
    )


def _delta_max(run: Evidence) -> Claim:
    params = run.params
    limit = theory.delta_max(params.target, params.depth, params.power)
    above = run.state.smallest_step > limit * (1.0 + SLACK)
    lamps = (
        _plain(params),
        Lamp("δ > δ_max", above, f"δ/δ_max = {params.step_size / limit:.6g}"),
        Lamp("The run did not start on a minimum", not run.began_at_minimum),
    )
    holds = True if run.stays_away else False if run.converged else None
    return Claim(
        id="proposition-1-delta-max",
        title="No minimum above the largest step size",
        source="Proposition 1, remark",
        statement="For δ > δ_max = 2/(σL|λ|^{2(L-1)/L}) gradient descent cannot converge to any "
        "minimum.",
        assumptions=lamps,
        predicted="a cycle, chaos or divergence, but no convergence to a minimum",
        measured=run.measured,
        verdict=_verdict(lamps, holds),
        note="A run that starts exactly on a minimum stays there, and for odd L a run may creep "
        "to 0, which is an equilibrium but no minimum.",
    )


def _spectrum(run: Evidence) -> Claim:
    params, state = run.params, run.state
    sharpness = theory.sharpness(state.weights, params.power)
    scale = max(sharpness, 1e-300)
    others = float(np.max(np.abs(run.eigenvalues[:-1]), initial=0.0)) / scale
    top = abs(float(run.eigenvalues[-1]) - sharpness) / scale
    relative = abs(float(run.recent["error"][-1])) / abs(params.target)
    lamps = (
        Lamp(
            "At a minimum",
            relative <= 1e-9,
            f"relative error {relative:.2g}",
        ),
    )
    imbalance = float(np.max(np.abs(state.weights))) / max(
        float(np.min(np.abs(state.weights))), 1e-300
    )
    tolerance = 1e-6 + 10.0 * relative * min(imbalance, 1e150) ** 2
    return Claim(
        id="proposition-1-spectrum",
        title="One nonzero eigenvalue",
        source="Proof of Proposition 1",
        statement="At a minimum the Hessian is σ g gᵀ: one eigenvalue S, the other L - 1 are 0, "
        "and the Jacobian I - δH has 1 - δS once and 1 otherwise.",
        assumptions=lamps,
        predicted="greatest eigenvalue S, all others 0",
        measured=f"greatest differs from S by {top:.2g} S, others at most {others:.2g} S",
        verdict=_verdict(lamps, top <= tolerance and others <= tolerance),
    )


def _rate(run: Evidence) -> Claim:
    params, state, recent = run.params, run.state, run.recent
    limit = theory.delta_c(params.target, params.depth, params.power)
    ones = bool(np.all(np.abs(state.start) == 1.0))
    negative = int(np.sum(state.start < 0.0))
    signs = negative == 0 if params.target > 0 else negative % 2 == 1
    within = 0.0 < state.largest_step <= limit * (1.0 + ROUNDING)
    lamps = (
        _plain(params),
        Lamp(
            "λ > 0, or λ < 0 with an odd number of -1",
            signs,
            f"λ = {params.target:g}, {negative} at -1",
        ),
        Lamp("|w_i[0]| = 1 for all i", ones),
        Lamp("0 < δ ≤ δ_c", within, f"δ/δ_c = {state.largest_step / limit:.6g}"),
    )
    predicted = "the envelope ρ(δ)^k |1 - |λ|^{1/L}|"
    measured, holds = run.measured, None
    if all(lamp.on for lamp in lamps) and "envelope" in recent:
        rho = theory.rate(params.step_size, params.target, params.depth, params.power)
        predicted += f", ρ = {max(rho, 0.0):.9g}"
        excess = recent["distance"] - recent["envelope"]
        worst = float(np.max(excess))
        tolerance = ROUNDING * max(1.0, params.root)
        holds = worst <= tolerance
        first = state.step - len(excess) + 1
        measured = (
            f"the largest distance minus envelope over k = {first} to {state.step} is {worst:.3g}"
        )
    return Claim(
        id="proposition-2",
        title="Exponential convergence from the identity",
        source="Proposition 2",
        statement="With w_i[0] = 1 and δ ≤ δ_c, |w_i[k] - λ^{1/L}| ≤ ρ(δ)^k |1 - λ^{1/L}|.",
        assumptions=lamps,
        predicted=predicted,
        measured=measured,
        verdict=_verdict(lamps, holds),
        note="At λ = 1 the rate is 1 - δσL, which the paper leaves out. For λ < 0 magnitudes are "
        "compared: as printed, λ^{1/L} does not exist for even L.",
    )


def _sinking_lamps(run: Evidence) -> tuple[Lamp, ...]:
    params, state = run.params, run.state
    equal = bool(np.all(state.start == 1.0))
    return (
        _plain(params),
        Lamp("λ < 0", params.target < 0, f"λ = {params.target:g}"),
        Lamp("w_i[0] = 1 for all i", equal, "" if equal else "not exactly"),
    )


def _has_sunk(run: Evidence) -> bool | None:
    """Return whether the run goes to 0 (True), went elsewhere (False), or cannot be judged yet."""
    # At 0 to the last bit, an equilibrium, the run stays, whatever earlier rows show.
    is_at_zero = bool(np.all(np.abs(run.state.weights) < np.finfo(np.float64).tiny))
    if run.sinks or (is_at_zero and run.params.depth > 1):
        return True
    if run.converged or run.phase.kind in _RESTLESS:
        return False
    product = run.recent["product"] * np.sign(run.params.target)
    return False if run.params.depth == 1 and float(product[-1]) > 0.0 else None


def _size(run: Evidence) -> str:
    return f"max |w_i| = {float(np.max(np.abs(run.state.weights))):.6g}; {run.measured}"


def _sinking(run: Evidence) -> Claim:
    params, state = run.params, run.state
    lamps = _sinking_lamps(run)
    if params.target < 0:
        limit = theory.zero_threshold(params.target, params.power)
        small = 0.0 < state.largest_step <= limit * (1.0 + ROUNDING)
        detail = f"δσ(1 - λ) = {state.largest_step / limit:.6g}"
        lamps = (*lamps, Lamp("δ ≤ 1/(σ(1 - λ))", small, detail))
    note = "Once w reaches 0 it stays; for L ≥ 3 it gets there slower than exponentially."
    if params.depth == 1:
        note = "It needs L ≥ 2: for L = 1, 0 is no equilibrium and the weight goes to λ."
    elif params.target < 0 and not lamps[-1].on:
        note = '"Unless" is not "if and only if": above the threshold anything can happen.'
    return Claim(
        id="proposition-3",
        title="Sinking to 0 for a negative target",
        source="Proposition 3",
        statement="For λ < 0 and w_i[0] = 1 each w_i converges to 0 unless δ > 1/(σ(1 - λ)).",
        assumptions=lamps,
        predicted="all w_i go to 0, the loss to σλ²/2",
        measured=_size(run),
        verdict=_verdict(lamps, _has_sunk(run)),
        note=note,
    )


def _sinking_corrected(run: Evidence) -> Claim:
    params, state = run.params, run.state
    lamps = (
        *_sinking_lamps(run),
        Lamp("L ≥ 2", params.depth >= 2, f"L = {params.depth}"),
    )
    predicted = "all w_i go to 0"
    if params.target < 0 and params.depth >= 2:
        limit = theory.zero_limit(params.target, params.depth, params.power)
        even = params.depth % 2 == 0
        ratio = state.largest_step / limit
        name = "δ < 2/(σ(1 - λ)), L even" if even else "δ ≤ 1/(σ(1 - λ)), L odd"
        on = ratio < 1.0 - ROUNDING if even else ratio <= 1.0 + ROUNDING
        lamps = (*lamps, Lamp(name, on, f"{ratio:.6g} of it"))
        if params.depth == 2:
            predicted += ", exponentially"
        else:
            decay = theory.zero_decay(
                max(state.step, 1), params.step_size, params.target, params.depth, params.power
            )
            predicted += f" like (δσ|λ|(L-2)k)^(-1/(L-2)) = {float(decay):.6g} at this k"
    return Claim(
        id="proposition-3-corrected",
        title="Sinking to 0, with what it needs",
        source="Proposition 3, corrected",
        statement="For L ≥ 2, λ < 0 and exactly equal weights 1, each w_i goes to 0 if "
        "δ ≤ 1/(σ(1 - λ)), for even L also up to twice that; exponentially for L = 2 only.",
        assumptions=lamps,
        predicted=predicted,
        measured=_size(run),
        verdict=_verdict(lamps, _has_sunk(run)),
        note="0 is unstable in all other directions: any difference between the weights grows, and "
        "the run leaves in the end.",
    )
