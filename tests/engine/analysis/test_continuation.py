"""Branches of the scalar product network against NUMERICS.md, and of maps that are known."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from engine.analysis.branch import Branch, Event
from engine.analysis.continuation import follow
from engine.analysis.family import Family, Frame
from engine.analysis.multistart import BranchPoint, cycles
from engine.analysis.switching import doubled
from engine.core.params import build
from engine.core.system import System
from engine.experiments.scalar_product.params import ScalarParams
from engine.experiments.scalar_product.system import system_of
from tests.engine.analysis.test_critical import Plain


def scalar(low: float = 0.3, high: float = 0.99, **more: Any) -> Family:
    """Return the maps of two weights with the product 2, kept equal, over the step size."""

    @cache
    def at(step_size: float) -> System[Any]:
        values = {"depth": 2, "target": 2.0, "step_size": step_size, **more}
        system = system_of(build(ScalarParams, values))
        assert system is not None
        return system

    return Family.of(at, low, high, at(0.5).invariant_sets[0])


@cache
def fixed_points() -> Branch:
    family = scalar()
    root = family.frame.seen(np.full(2, math.sqrt(2.0)))
    (begin,) = cycles(family, 0.4, 1, [root])
    return follow(family, begin, 1)


def test_the_minimum_flips_at_the_largest_stable_step() -> None:
    branch = fixed_points()
    assert branch.of(Event.FLIP) == pytest.approx([0.5], abs=1e-9)
    assert branch.of(Event.FOLD) == [] and branch.of(Event.NEIMARK_SACKER) == []
    assert branch.events[0].is_soft
    for point in branch.points:
        if point is not branch.events[0].at:
            assert point.is_stable == (point.parameter < 0.5)


def test_the_cascade_is_that_of_the_reference() -> None:
    """Flips at 1/2, (√5 - 1)/2, 0.6440158772 and 0.6496139698."""
    family, branch, period, found = scalar(), fixed_points(), 1, []
    for _ in range(4):
        flip = next(each for each in branch.events if each.event is Event.FLIP)
        found.append(flip.parameter)
        begin = doubled(family, flip.at, period)
        assert begin is not None
        period *= 2
        if period > 8:
            break
        branch = follow(family, begin, period, step=0.01, both=False)
    expected = [0.5, (math.sqrt(5.0) - 1.0) / 2.0, 0.6440158772, 0.6496139698]
    assert found == pytest.approx(expected, abs=1e-9)


def _stable(family: Family, step_size: float, period: int) -> BranchPoint:
    """Return the stable cycle of a period, at which an orbit ends."""
    w = 1.0
    for _ in range(20_000):
        w -= step_size * w * (w * w - 2.0)
    found = cycles(family, step_size, period, [family.frame.seen(np.full(2, w))])
    return next(each for each in found if each.is_stable)


@pytest.mark.parametrize(
    ("period", "inside", "step", "fold", "flip"),
    [
        (3, 0.728, 0.004, 0.72522048, 0.73041434),
        (5, 0.6975, 0.002, 0.69696251, 0.69789614),
        (6, 0.6672, 0.002, 0.66674388, 0.66776688),
    ],
)
def test_windows_begin_at_a_fold_and_end_at_a_flip(
    period: int, inside: float, step: float, fold: float, flip: float
) -> None:
    family = scalar(low=fold - 0.01, high=flip + 0.01)
    branch = follow(family, _stable(family, inside, period), period, step=step, most=400)
    assert min(abs(each - fold) for each in branch.of(Event.FOLD)) < 1e-7
    assert min(abs(each - flip) for each in branch.of(Event.FLIP)) < 1e-7


def test_the_window_of_period_4_loses_its_symmetry_before_it_flips() -> None:
    """Its fold is at 0.91421356; its flip at 0.92105821 is that of two cycles that mirror."""
    family = scalar(low=0.905, high=0.93)
    whole = follow(family, _stable(family, 0.917, 4), 4, step=0.004, most=400)
    assert whole.of(Event.FOLD) == pytest.approx([0.91421356], abs=1e-8)
    (fork,) = whole.of(Event.BRANCH_POINT)
    half = follow(family, _stable(family, 0.92, 4), 4, step=0.004, most=400)
    assert min(abs(each - 0.92105821) for each in half.of(Event.FLIP)) < 1e-7
    assert min(point.parameter for point in half.points) == pytest.approx(fork, abs=1e-4)


def test_cycles_of_the_heavy_ball_are_those_of_a_smaller_step() -> None:
    """Its 2-cycles at δ are those of gradient descent at δ/(1 + β); period 4 at 0.7508925726."""
    beta = 0.3
    family = scalar(high=0.95, optimiser="heavy-ball", momentum=beta)
    root = family.frame.seen(np.concatenate([np.full(2, math.sqrt(2.0)), np.zeros(2)]))
    (begin,) = cycles(family, 0.5, 1, [root])
    branch = follow(family, begin, 1)
    assert branch.of(Event.FLIP) == pytest.approx([0.5 * (1 + beta)], abs=1e-9)
    flip = next(each for each in branch.events if each.event is Event.FLIP)
    two = doubled(family, flip.at, 1)
    assert two is not None
    second = follow(family, two, 2, step=0.01, both=False)
    assert second.of(Event.FLIP)[0] == pytest.approx(0.7508925726, abs=1e-9)
    some = second.points[len(second.points) // 2]
    weights = family.frame.placed(some.x)[:2]
    plain = scalar().carrier.orbit(weights, np.array([some.parameter / (1 + beta)]), 2)
    assert plain[2] == pytest.approx(weights, abs=1e-9)


def test_no_folds_are_seen_on_a_manifold_of_minima() -> None:
    whole = scalar()
    family = Family(whole.carrier, whole.low, whole.high, Frame(2))
    (begin,) = cycles(family, 0.4, 1, [np.full(2, math.sqrt(2.0))])
    branch = follow(family, begin, 1, most=20)
    assert branch.is_degenerate
    assert branch.of(Event.FOLD) == [] and branch.of(Event.BRANCH_POINT) == []


def test_two_multipliers_that_pass_minus_one_together_are_a_flip() -> None:
    """x - δx of two coordinates: the product of both multipliers + 1 keeps its sign."""

    def at(step: float) -> Plain:
        return Plain(
            coordinates=("x", "y"),
            varied=(),
            of=lambda z: z - step * (z + z**3),
            slope=lambda z: np.diag(1.0 - step * (1.0 + 3.0 * z**2)),
        )

    family = Family.of(at, 1.0, 3.0)
    (begin,) = cycles(family, 1.5, 1, [np.full(2, 0.01)])
    branch = follow(family, begin, 1)
    assert branch.of(Event.FLIP) == pytest.approx([2.0], abs=1e-9)
    assert branch.events[0].form is None, "it is not simple"
