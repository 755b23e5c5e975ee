"""The statements of Section 4, confronted with a run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Lamp, Verdict
from engine.core.experiment import Recent
from engine.experiments.piecewise_fit.observe import estimate
from engine.experiments.piecewise_fit.params import FitParams, FitState
from engine.experiments.piecewise_fit.run import measured
from engine.experiments.piecewise_fit.samples import Samples
from engine.families import piecewise

ENOUGH = 2000
"""Steps before which the end of the training is undecided."""
LITTLE = 0.05
"""Mean movement of a bias, relative to the range it was drawn from, that still is little."""
CLOSE = 0.05
"""Distance from the least-squares lines, relative to the range of y, that still is close."""
STEEPER = 0.05
"""Excess of slope over that of f that counts as none."""
SETTLED = 1e-5
"""Residual of (12a) and (12b), per data point, below which a local optimum counts as near."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What the claims look at."""

    params: FitParams
    state: FitState
    now: dict[str, FloatArray]
    smallest: float

    def pair(self, key: str, form: str = ".3g") -> str:
        """Write a measured pair of numbers."""
        first, second = self.now[key]
        return f"{first:{form}} and {second:{form}}"

    @property
    def is_long(self) -> Lamp:
        """Whether enough steps were made."""
        steps = self.state.step
        return Lamp(f"at least {ENOUGH} steps", steps >= ENOUGH, f"k = {steps}")

    @property
    def is_near(self) -> Lamp:
        """Whether both estimates are near a local optimum."""
        return Lamp("near a local optimum", self.is_settled, f"residual {self.worst:.2g}")

    @property
    def worst(self) -> float:
        """Largest residual of (12a) and (12b)."""
        return max(float(self.now[key].max()) for key in ("residual_12a", "residual_12b"))

    @property
    def is_settled(self) -> bool:
        """Whether both conditions are nearly met."""
        return self.worst < SETTLED * self.state.samples.x.size

    @property
    def is_nonnegative(self) -> Lamp:
        """Whether all constrained parameters are, and were, nonnegative."""
        return Lamp("w, b >= 0 and c > 0", self.smallest >= 0, f"smallest {self.smallest:.3g}")

    @property
    def is_deep(self) -> Lamp:
        """Whether there are many layers."""
        depth = self.params.depth
        return Lamp("many layers (10 or more)", depth >= 10, f"L = {depth}")


def all_claims(params: FitParams, state: FitState, recent: Recent) -> tuple[Claim, ...]:
    """Confront every statement with the run."""
    now = measured(state)
    smallest = float(min(now["smallest"].min(), np.nanmin(recent["smallest"])))
    run = _Run(params, state, now, smallest)
    return (
        _figure_4(run),
        _biases_stay(run),
        _biases_stay_more(run),
        _optimality(run),
        _least_squares(run),
        _local_slope(run),
        _convex_parts(run),
    )


def judged(lamps: tuple[Lamp, ...], holds: bool | None) -> Verdict:
    """Return the verdict; not applicable unless all lamps are on, undecided if `holds` is None."""
    if any(lamp.on is False for lamp in lamps):
        return Verdict.NOT_APPLICABLE
    if holds is None or any(lamp.on is None for lamp in lamps):
        return Verdict.UNDECIDED
    return Verdict.HOLDS if holds else Verdict.VIOLATED


def paper_setting(params: FitParams) -> tuple[Lamp, ...]:
    """Return the lamps of Figure 4: its function, its ranges and its depth."""
    ranges = (params.bias_range_1, params.bias_range_2)
    given = f"{ranges[0]:g} and {ranges[1]:g}"
    return (
        Lamp("the function of Figure 4", params.function == "figure-4", params.function),
        Lamp("biases from [0, 0.5] and [0, 1]", ranges == (0.5, 1.0), given),
        Lamp("10 layers", params.depth == 10, f"L = {params.depth}"),
    )


def _figure_4(run: _Run) -> Claim:
    lamps = (*paper_setting(run.params), run.is_long)
    first, second = run.now["mse"]
    limit = run.params.fit_limit
    return Claim(
        id="figure-4",
        title="The wide range of biases fits, the narrow one does not",
        source="Section 4, Figure 4",
        statement="With biases from [0, 1] the estimate fits all points; with biases from "
        "[0, 0.5] it fails to, though it has as many layers.",
        assumptions=lamps,
        predicted="the second fits, the first does not",
        measured=f"mean squared errors {run.pair('mse')}; an estimate fits below {limit:g}",
        verdict=judged(lamps, second < limit <= first),
        note="N, the steps, the step size and the start of w and c are not in the paper. With a "
        "step of 0.1 both fail; about one seed in twenty of the narrow range fits.",
    )


def _biases_stay(run: _Run) -> Claim:
    params, state = run.params, run.state
    lamps = (run.is_deep, run.is_long, Lamp("biases trained", params.train_biases))
    depth = params.depth
    moved = np.abs(state.theta - state.start)[:, 2 * depth : 4 * depth].mean(axis=1)
    share = moved / np.array([params.bias_range_1, params.bias_range_2])
    relative = run.pair("bias_movement")
    return Claim(
        id="biases-change-little",
        title="Biases change very little",
        source="Section 4",
        statement="With many layers the gradient for the biases vanishes quickly, so the biases "
        "change very little during training.",
        assumptions=lamps,
        predicted=f"mean movement at most {LITTLE:.0%} of the range",
        measured=f"mean movement {share[0]:.1%} and {share[1]:.1%} of the range; "
        f"norm of the change over norm {relative}",
        verdict=judged(lamps, bool(share.max() <= LITTLE)),
        note="True only loosely in the paper's own setting: 10 to 15 % of the range, and with "
        "frozen biases both fits get worse.",
    )


def _biases_stay_more(run: _Run) -> Claim:
    lamps = (run.is_deep, run.is_long, Lamp("biases trained", run.params.train_biases))
    weights, biases = run.now["weight_movement"], run.now["bias_movement"]
    return Claim(
        id="biases-change-less",
        title="Biases change less than weights",
        source="Section 4",
        statement="What is learned is learned by the weights rather than by the biases.",
        assumptions=lamps,
        predicted="relative change of b below that of W",
        measured=f"b: {run.pair('bias_movement')}; W: {run.pair('weight_movement')}",
        verdict=judged(lamps, bool((biases < weights).all())),
        note="Gradient norms now: "
        f"b {run.pair('gradient_b', '.2g')}, W {run.pair('gradient_w', '.2g')}.",
    )


def _optimality(run: _Run) -> Claim:
    lamps = (run.is_long,)
    return Claim(
        id="optimality",
        title="Conditions (12a) and (12b) are met",
        source="Section 4, eqs. (12a), (12b)",
        statement="At a local optimum the error is orthogonal to the active units' outputs, "
        "weighted by the slope that follows, and to h_L.",
        assumptions=lamps,
        predicted=f"both residuals tend to 0 (below {SETTLED * run.state.samples.x.size:.2g})",
        measured=f"(12a) {run.pair('residual_12a', '.2g')}, (12b) "
        f"{run.pair('residual_12b', '.2g')}, b-gradient {run.pair('residual_b', '.2g')}",
        verdict=judged(lamps, run.is_settled),
        note="(12a) is an equation only for entries of W above 0; at 0 the gradient may point "
        "outwards, which is counted here as met. The paper's (10c) should read c'h_L(x).",
    )


def _least_squares(run: _Run) -> Claim:
    lamps = (run.is_near,)
    spread = float(np.ptp(run.state.samples.y)) or 1.0
    known, held = [], []
    for which in range(2):
        lines = estimate(run.state, which).lines
        known.append((lines.overall_distance() or 0.0) / spread)
        held.append(lines.count.sum() / run.state.samples.x.size)
    return Claim(
        id="pieces-are-least-squares",
        title="Each affine piece is close to a least-squares line",
        source="Section 4",
        statement="The active units are the same on an affine piece, so each piece is likely to "
        "solve a weighted least-squares problem for its points.",
        assumptions=lamps,
        predicted=f"distance from the pieces' own least-squares lines below {CLOSE:.0%} of the "
        "range of y",
        measured=f"root mean square distance {known[0]:.2%} and {known[1]:.2%} of the range, over "
        f"pieces of three points or more, which hold {held[0]:.0%} and {held[1]:.0%} of the points",
        verdict=judged(lamps, max(known) < CLOSE),
        note="The lines are not weighted.",
    )


def _constant(samples: Samples) -> str:
    return "a slope of f without bound" if samples.lipschitz is None else f"{samples.lipschitz:.3g}"


def _local_slope(run: _Run) -> Claim:
    lamps = (run.is_near,)
    found = run.state.samples
    middle = np.linspace(0.0, 1.0, 2001)[:-1] + 0.00025
    truth = np.abs(piecewise.interpolant(found.line_x, found.line_y).slope_at(middle))
    shares = []
    for which in range(2):
        slope = np.abs(estimate(run.state, which).whole.slope_at(middle))
        shares.append(float(np.mean(slope <= truth + STEEPER * max(found.steepest, 1e-12))))
    return Claim(
        id="local-lipschitz",
        title="The estimate is nowhere steeper than the function",
        source="Section 4",
        statement="The Lipschitz constant of the estimate at a point is the same as or less than "
        "that of the original function.",
        assumptions=lamps,
        predicted="on at least 95 % of [0, 1]",
        measured=f"on {shares[0]:.1%} and {shares[1]:.1%}; global constants "
        f"{run.pair('lipschitz')} against {_constant(found)}",
        verdict=judged(lamps, min(shares) >= 0.95),
        note="The global constant is not lower than that of f: the claim is about each point.",
    )


def _convex_parts(run: _Run) -> Claim:
    lamps = (run.is_nonnegative,)
    least = np.inf
    for which in range(2):
        found = estimate(run.state, which)
        for pieces, sign in ((found.convex, 1.0), (found.concave, -1.0)):
            least = min(least, float((sign * np.diff(pieces.slopes)).min(initial=0.0)))
    return Claim(
        id="convex-parts",
        title="The parts are convex and concave",
        source="Section 3.1, eqs. (7a)-(7c); Section 4",
        statement="With w, b >= 0 and c > 0 each network is convex, so an estimate is a convex "
        "part minus another.",
        assumptions=lamps,
        predicted="slopes of the convex part rise, those of the concave part fall",
        measured=f"smallest rise {least:.3g}",
        verdict=judged(lamps, least >= -1e-9),
    )
