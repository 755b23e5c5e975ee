"""Branches of whole experiments against NUMERICS.md and closed forms."""

from __future__ import annotations

import json
import math
import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest

from engine import theory
from engine.core.errors import InputError
from engine.core.registry import get
from engine.maps import tree
from engine.maps.axis import Axis
from engine.maps.branches import Branches, BranchSpec, Stability
from engine.maps.loci import find as find_curves
from engine.maps.loci import overlays
from engine.maps.spec import MapSpec
from engine.maps.tree import find
from engine.storage.files import to_json

TWO = {"depth": 2, "target": 2.0, "step_size": 0.5}


def spec(low: float, high: float, max_period: int = 2, **values: Any) -> BranchSpec:
    """Return the branches of the scalar product network over the step size."""
    params = get("scalar-product").parameters(**{**TWO, **values})
    return BranchSpec(
        experiment="scalar-product",
        params=params,
        name="step_size",
        low=low,
        high=high,
        max_period=max_period,
    )


def found(asked: BranchSpec) -> Branches:
    made = find(asked, lambda done, text: True)
    assert made is not None
    return made


@cache
def whole() -> Branches:
    return found(spec(0.3, 0.99, 8))


def at(branches: Branches, event: str, period: int) -> list[float]:
    some = [each for each in branches.specials if each.event == event and each.period == period]
    return [each.parameter for each in some]


@pytest.mark.parametrize(
    ("period", "flip"),
    [(1, 0.5), (2, (math.sqrt(5.0) - 1.0) / 2.0), (4, 0.6440158772), (8, 0.6496139698)],
)
def test_the_cascade(period: int, flip: float) -> None:
    assert min(abs(each - flip) for each in at(whole(), "flip", period)) < 1e-9


@pytest.mark.parametrize(
    ("period", "fold", "flip"),
    [
        (3, 0.72522048, 0.73041434),
        (5, 0.69696251, 0.69789614),
        (6, 0.66674388, 0.66776688),
        (4, 0.91421356, 0.92105821),
    ],
)
def test_windows(period: int, fold: float, flip: float) -> None:
    assert min(abs(each - fold) for each in at(whole(), "fold", period)) < 1e-7
    assert min(abs(each - flip) for each in at(whole(), "flip", period)) < 1e-7


def test_the_tree_is_joined_at_its_flips() -> None:
    branches = whole()
    for curve in branches.curves:
        if curve.origin is not None:
            special = branches.specials[curve.origin]
            assert curve.parameter[0] == special.parameter
            assert curve.period in (special.period, 2 * special.period)
            nearest = np.abs(curve.cycles[0] - special.cycle[0]).max(axis=1).min()
            assert nearest < 1e-9


def test_every_point_is_a_cycle_of_its_stability() -> None:
    """Steps of the experiment's own system lead round; multipliers agree with its Jacobian."""
    experiment, branches = get("scalar-product"), whole()
    for curve in branches.curves[::3]:
        for i in range(0, len(curve.parameter), 17):
            params = branches.spec.params.model_copy(
                update={"step_size": float(curve.parameter[i])}
            )
            system = experiment.system(params, 0)
            assert system is not None
            lap = np.eye(2)
            for k, z in enumerate(curve.cycles[i]):
                after = curve.cycles[i][(k + 1) % curve.period]
                assert system.step(z) == pytest.approx(after, abs=1e-9)
                lap = system.jacobian(z) @ lap
            sizes = sorted(np.abs(np.linalg.eigvals(lap)))
            pair = sorted([curve.radius[i], curve.across[i]])
            assert sizes == pytest.approx(pair, rel=1e-6, abs=1e-6)
            if curve.stability[i] == Stability.STABLE:
                assert curve.radius[i] < 1.0 + 1e-9 and curve.across[i] < 1.0 + 1e-6


def test_strokes_change_their_dash_at_the_flip() -> None:
    branches = whole()
    (rest,) = [each for each in branches.curves if each.period == 1 and each.cycles[0, 0, 0] > 1.0]
    stable, unstable = rest.strokes(0)
    assert (stable.dash, unstable.dash) == ("solid", "dash")
    assert np.nanmax(stable.x) == pytest.approx(0.5, abs=1e-9)
    assert np.nanmin(unstable.x) == pytest.approx(0.5, abs=1e-9)
    for stroke in branches.strokes(0):
        assert stroke.x.shape == stroke.y.shape
        assert np.count_nonzero(np.isnan(stroke.y)) == stroke.period


def test_flips_of_the_minimum_have_the_coefficient_in_closed_form() -> None:
    flips = [each for each in whole().specials if each.event == "flip" and each.period == 1]
    for flip in flips:
        assert flip.coefficient == pytest.approx(2.0, abs=1e-8)
        assert flip.label == "soft flip 1 → 2"


def test_overlays_hold_all_strokes_and_marks() -> None:
    made = {each.label: each for each in whole().overlays(1)}
    assert {"stable cycles", "unstable cycles", "flip", "fold"} <= set(made)
    assert made["stable cycles"].dash == "solid" and made["flip"].dash == "points"
    assert whole().coordinate("w2") == 1 == whole().coordinate("w_2")
    assert whole().coordinate("nothing") is None


def test_they_are_plain_data() -> None:
    copy = pickle.loads(pickle.dumps(whole()))
    assert copy.as_table() == whole().as_table()
    assert json.loads(to_json(whole().as_table()))["within"] == "all weights equal"
    rows = list(whole().rows())
    assert all(len(row) == len(rows[0]) for row in rows)


def test_cycles_of_the_heavy_ball_are_those_of_a_smaller_step() -> None:
    """Its 2-cycles at δ are those of gradient descent at δ/(1 + β); period 4 at 0.7508925726."""
    beta = 0.3
    branches = found(spec(0.5, 0.9, 2, optimiser="heavy-ball", momentum=beta))
    assert min(abs(each - 0.5 * (1 + beta)) for each in at(branches, "flip", 1)) < 1e-9
    assert min(abs(each - 0.7508925726) for each in at(branches, "flip", 2)) < 1e-9
    params = get("scalar-product").parameters(**TWO)
    two = next(each for each in branches.curves if each.period == 2 and each.origin is not None)
    for i in range(1, len(two.parameter), 9):
        plain = params.model_copy(update={"step_size": float(two.parameter[i]) / (1 + beta)})
        system = get("scalar-product").system(plain, 0)
        assert system is not None
        weights = two.cycles[i, 0, :2]
        assert system.step(system.step(weights)) == pytest.approx(weights, abs=1e-8)


def test_on_a_manifold_of_minima_there_are_no_folds() -> None:
    """Unequal weights: the minima fill a hyperbola, of which one is drawn, and a lamp says so."""
    branches = found(spec(0.1, 0.6, 1, init="list", weights=(1.0, 1.3)))
    assert branches.within == ""
    assert at(branches, "fold", 1) == [] and at(branches, "branch point", 1) == []
    lamp = next(each for each in branches.lamps if each.name == "Cycles are isolated")
    assert lamp.on is False and "dimension 1" in lamp.detail
    assert len([each for each in branches.curves if each.manifold]) == 1


def test_a_saddle_that_is_no_sharp_zero_is_left_out_and_named() -> None:
    """At 0 of three equal weights the multiplier is 1 at every step size."""
    branches = found(spec(0.2, 0.4, 2, depth=3))
    assert {each.period for each in branches.curves} == {1, 2}
    assert all(np.abs(each.cycles).min() > 0.1 for each in branches.curves)
    assert len([each for each in branches.curves if each.period == 1]) == 1
    assert any("no manifold" in note for note in branches.notes)
    flip = theory.delta_max(2.0, 3, 1.0)
    assert min(abs(each - flip) for each in at(branches, "flip", 1)) < 1e-9


def test_a_cycle_stable_within_may_be_unstable_across() -> None:
    """For λ < 0 equal weights sink to 0, which any difference between them leaves."""
    branches = found(spec(0.2, 0.4, 2, target=-2.0, init="ones"))
    rest = next(each for each in branches.curves if each.period == 1)
    assert np.all(rest.stability == Stability.ACROSS)
    assert rest.strokes(0)[0].dash == "dot"
    lamp = next(each for each in branches.lamps if each.name == "Transversally stable")
    assert lamp.on is False


def test_a_typed_loss_over_a_constant_of_its_own() -> None:
    """(x² - a)²/4 at δ = 0.9: the minimum √a flips where 2aδ = 2."""
    experiment = get("own-loss")
    params = experiment.parameters(
        function="(x^2 - a)^2/4", constants="a = 1", step_size=0.9, start=(1.0,)
    )
    branches = found(
        BranchSpec(experiment="own-loss", params=params, name="a", low=0.5, high=1.6, max_period=2)
    )
    assert min(abs(each - 1.0 / 0.9) for each in at(branches, "flip", 1)) < 1e-9
    assert branches.coordinate("x") == 0


def test_what_is_found_until_then_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "PARTLY", 0.0)
    shown: list[Branches] = []
    last = find(spec(0.4, 0.6), lambda done, text: True, shown.append)
    assert last is not None
    counts = [len(each.curves) for each in shown]
    assert counts == sorted(set(counts)) and counts[-1] == len(last.curves)


def test_branches_over_an_axis_of_a_map() -> None:
    axis = Axis(name="step_size", low=0.4, high=0.6, count=3)
    asked = spec(0.4, 0.6)
    map_spec = MapSpec(
        kind="orbit", experiment=asked.experiment, params=asked.params, x=axis, y=axis, steps=1
    )
    assert BranchSpec.of(map_spec, 2) == asked


def test_a_search_can_be_cancelled() -> None:
    assert find(spec(0.3, 0.99, 8), lambda done, text: False) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "depth"}, "parameter"),
        ({"low": 0.0}, "step_size"),
        ({"experiment": "mnist", "params": None}, "experiment"),
    ],
)
def test_what_cannot_be_varied_is_refused(change: dict[str, Any], field: str) -> None:
    asked = spec(0.3, 0.6)
    values = {
        name: getattr(asked, name) for name in ("experiment", "params", "name", "low", "high")
    }
    values |= change
    if values["params"] is None:
        values["params"] = get(values["experiment"]).parameters()
    with pytest.raises(InputError) as caught:
        found(BranchSpec(**values))
    assert caught.value.field == field


@pytest.mark.parametrize(("low", "high"), [(1.0, 0.5), (math.nan, 1.0), (0.1, math.inf)])
def test_ranges_have_two_ends(low: float, high: float) -> None:
    with pytest.raises(InputError):
        spec(low, high)


def test_curves_over_step_size_and_target_are_hyperbolas() -> None:
    """With L = 2 all depends on δλ: flips at δλ = 1 and √5 - 1."""
    map_spec = MapSpec(
        kind="stability",
        experiment="scalar-product",
        params=get("scalar-product").parameters(**TWO),
        x=Axis(name="step_size", low=0.3, high=0.7, count=10),
        y=Axis(name="target", low=1.8, high=2.2, count=10),
        steps=100,
    )
    curves = find_curves(map_spec, lambda done, text: True, 2)
    assert curves is not None
    products = {each.period: np.prod(each.parameters, axis=1) for each in curves}
    assert products[1] == pytest.approx(1.0, abs=1e-9)
    assert products[2] == pytest.approx(math.sqrt(5.0) - 1.0, abs=1e-9)
    assert [each.label for each in overlays(curves)] == ["soft flip 1 → 2", "soft flip 2 → 4"]
    assert find_curves(map_spec, lambda done, text: False, 2) is None


def test_a_hard_flip_at_0_is_of_isolated_cycles() -> None:
    """w²/2 + w⁴/4 flips at δ = 2 from w = 0; its 2-cycle ±√(2/δ - 1) lies before it."""
    params = get("own-loss").parameters(function="w1^2/2 + w1^4/4", step_size=1.9, start=(0.05,))
    branches = found(
        BranchSpec(
            experiment="own-loss", params=params, name="step_size", low=1.2, high=2.5, max_period=2
        )
    )
    (flip,) = branches.specials
    assert flip.label == "hard flip 1 → 2" and flip.coefficient == pytest.approx(-2.0, abs=1e-8)
    two = next(each for each in branches.curves if each.origin == flip.number)
    assert np.all(two.stability == Stability.UNSTABLE) and two.manifold == 0
    assert two.cycles[:, 0, 0] ** 2 == pytest.approx(2.0 / two.parameter - 1.0, abs=1e-7)
    assert two.parameter.min() == 1.2


def test_a_flip_of_a_cycle_that_repels_is_neither_soft_nor_hard() -> None:
    """2 log cosh x + log cosh y: at its second flip the multiplier of x is -3."""
    params = get("own-loss").parameters(
        function="2*logcosh(x)+logcosh(y)", step_size=0.9, start=(0.05, 0.03)
    )
    branches = found(
        BranchSpec(
            experiment="own-loss", params=params, name="step_size", low=0.8, high=2.2, max_period=2
        )
    )
    first, second = (each for each in branches.specials if each.event == "flip")
    assert first.label == "soft flip 1 → 2" and first.others == pytest.approx(0.0, abs=1e-8)
    assert second.label == "flip 1 → 2" and second.others == pytest.approx(3.0, abs=1e-8)
    assert second.coefficient is not None and second.coefficient > 0.0
    born = next(each for each in branches.curves if each.origin == second.number)
    assert np.all(born.stability == Stability.UNSTABLE)


def test_a_manifold_across_the_invariant_set_is_named() -> None:
    """Minima of two equal weights are points of a hyperbola that crosses their line."""
    lamps = {each.name: each for each in whole().lamps}
    assert lamps["Cycles are isolated"].on is False
    assert lamps["Transversally stable"].on is None
    assert "neutral: the minima are a manifold" in lamps["Transversally stable"].detail


def test_without_cycles_nothing_is_said_of_them() -> None:
    params = get("own-loss").parameters(function="x", step_size=0.5, start=(0.05,))
    branches = found(
        BranchSpec(
            experiment="own-loss", params=params, name="step_size", low=0.4, high=0.6, max_period=1
        )
    )
    assert branches.curves == ()
    assert [each.on for each in branches.lamps] == [None]
