"""What experiments prove of their runs: claims, the table of step rules, random starts."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import theory
from engine.analysis.regions.cycles import ProvedCycle
from engine.analysis.regions.interval import Interval
from engine.cli.commands import main
from engine.core import beside
from engine.core.claims import Claim, Verdict
from engine.core.errors import InputError
from engine.core.registry import get
from engine.experiments.scalar_product import proofs as scalar
from engine.experiments.scalar_product.params import ScalarParams
from engine.families.proofs import pictures
from engine.families.proofs import rules as step_rules
from engine.families.proofs.claims import level_parts, region_parts, stability_in_words
from engine.families.proofs.pictures import rows
from engine.families.proofs.proofs import Proofs
from engine.run.analyst import complete
from engine.run.session import Session
from engine.text.numbers import short_below
from tests.random_proofs import systems, tried


def go_on(_done: float, _text: str) -> bool:
    return True


def proved(experiment: str, steps: int = 400, **values: Any) -> dict[str, Claim]:
    """Return the claims of a run with proofs, by id."""
    entry = get(experiment).load()
    params = entry.parameters(prove=True, **values)
    session = Session(entry, params, 0)
    session.advance(steps)
    assert complete(entry, params, session.state, go_on)
    claims = entry.claims(params, session.state, session.recent())
    return {each.id: each for each in claims if each.id.startswith("proved")}


@cache
def plane(**values: Any) -> Proofs:
    """Return what is proved of two weights with target 1 in [-4, 4]²."""
    start = (1.3, 1.05)
    params = ScalarParams(
        depth=2, target=1.0, init="list", weights=start, prove=True, cells=160, **values
    )
    made = scalar.analyse(params, 0, go_on)
    assert made is not None
    return made


def test_two_weights_have_a_proved_region_and_a_delta() -> None:
    made = proved(
        "scalar-product",
        depth=2,
        target=1.0,
        step_size=0.3,
        init="list",
        weights=(1.5, 0.4),
        cells=160,
    )
    assert made["proved-attractor"].verdict is Verdict.HOLDS
    assert made["proved-region"].verdict is Verdict.HOLDS
    assert made["proved-definition"].verdict is Verdict.HOLDS
    assert made["proved-level"].verdict is Verdict.HOLDS


def test_a_third_of_the_ellipse_is_proved_at_the_smallest_step() -> None:
    made = plane(step_size=0.3)
    ellipse = 2.0 * np.pi * np.sqrt(4.0 / 0.3**2 - 1.0)
    assert ellipse / 3.0 < made.volume < ellipse
    points = np.random.default_rng(0).uniform(-4.0, 4.0, (100_000, 2))
    inside = points[made.holds(points)]
    assert (theory.bounded_level(inside, 0.3, 1.0) < 1.0).all()
    assert made.volume / 64.0 == pytest.approx(len(inside) / len(points), abs=0.01)
    assert made.share is not None
    share, error = made.share
    assert abs(share - made.volume / ellipse) < 4.0 * error < 0.03
    assert "±" in region_parts(made)[0]


def test_what_is_unstable_is_said_no_stronger_than_it_is_proved() -> None:
    """Without a cycle that exists it is said of every equilibrium there may be near the point."""
    too_sharp = plane(step_size=1.2).minima[0]
    assert too_sharp.cycle is None and too_sharp.is_stable is False
    assert stability_in_words(too_sharp).startswith("every equilibrium within 10")
    isolated = replace(too_sharp, cycle=ProvedCycle((Interval.point(np.ones(2)),), False))
    assert stability_in_words(isolated) == "unstable, proved"
    assert stability_in_words(replace(isolated, is_stable=None)) == "stability not proved"


def test_steps_over_the_curvature_have_larger_regions_than_the_fixed_one() -> None:
    """Of the same rate at the balanced minima, where all that is seen may be a start a cell."""
    values = {"depth": 2, "target": 1.0, "prove": True, "compare_rules": True, "cells": 96}
    params = ScalarParams(**values, step_size=0.5)
    made = scalar.compare_step_rules(params, 0, go_on)
    assert made is not None
    fixed, sharp, top, polyak = made.regions
    ellipse = 2.0 * np.pi * np.sqrt(4.0 / 0.5**2 - 1.0)
    area, error = fixed.measured_area
    assert abs(area - ellipse) < 4.0 * error < 0.3
    assert fixed.proved_area[0] > ellipse / 3.0
    assert fixed.rate == sharp.rate == top.rate == 0.0
    assert polyak.rate == 0.5
    for each in (sharp, top, polyak):
        assert each.proved_area[0] > fixed.measured_area[0] + 4.0 * error
        assert (each.seen | ~each.proved).all()
    shown = step_rules.observe(made)
    assert np.asarray(shown["rules_images"]).shape == (4, step_rules.SIDE, step_rules.SIDE)
    assert len(shown["rules_rows"]) == len(shown["rules_names"]) == 4


def test_step_rules_are_shown_as_they_are_compared() -> None:
    values = {"depth": 2, "target": 1.0, "prove": True, "compare_rules": True, "cells": 16}
    params = ScalarParams(**values, step_size=0.4375)
    seen = []

    def progress(share: float, text: str) -> bool:
        rules = scalar.rules_of(params, 0)
        seen.append(0 if rules is None else len(rules.regions))
        return seen[-1] < 2

    assert scalar.rules_of(params, 0) is None
    shown = step_rules.observe(None)
    assert shown["rules_status"] and "rules_images" not in shown
    assert scalar.compare_step_rules(params, 0, progress) is None
    assert seen[0] == 0 and sorted(seen) == seen and seen[-1] == 2
    shown = step_rules.observe(scalar.rules_of(params, 0))
    assert len(shown["rules_images"]) == len(shown["rules_names"]) == 2
    assert "2 of 4" in shown["rules_rows"][-1][0] and "rules_status" not in shown


def test_the_rate_of_a_capped_step_rule_is_that_of_its_largest_step() -> None:
    values = {"depth": 2, "target": 1.0, "prove": True, "compare_rules": True, "cells": 16}
    params = ScalarParams(**values, step_size=0.5, step_cap=0.125)
    made = scalar.compare_step_rules(params, 0, go_on)
    assert made is not None
    assert [each.rate for each in made.regions] == [0.0, 0.75, 0.75, 0.75]


def test_starts_with_momentum_are_seen_to_come_to_a_manifold_of_minima() -> None:
    values = {"depth": 2, "target": 1.0, "step_size": 0.2, "optimiser": "heavy-ball"}
    params = ScalarParams(**values, momentum=0.3, prove=True, cells=16)
    made = scalar.analyse(params, 0, go_on)
    assert isinstance(made, Proofs)
    assert made.attractor.kind == "manifold"
    assert made.scattered is not None
    assert not made.scattered.proved.any()
    assert made.scattered.seen_share[0] > 0.05
    assert any(each.seen.any() for each in made.scattered.slices)


def test_no_basin_is_drawn_of_a_run_that_comes_to_nothing() -> None:
    params = ScalarParams(
        depth=2, target=1.0, step_size=0.3, init="list", weights=(3.9, 3.9), prove=True, cells=16
    )
    made = scalar.analyse(params, 0, go_on)
    assert isinstance(made, Proofs)
    assert made.attractor.kind == "none"
    shown = pictures.observe(made, np.ones((2, 2)), "loss", 0.25)
    assert "proof_region" not in shown
    assert "proof_rows" in shown


def test_the_comparison_of_step_rules_keeps_the_proofs_beside_it() -> None:
    values = {"depth": 2, "target": 1.0, "prove": True, "cells": 24, "compare_rules": True}
    entry = get("scalar-product").load()
    params = entry.parameters(**values)
    assert complete(entry, params, entry.init(params, 0), go_on)
    assert scalar.proofs_of(params, 0) is not None
    assert scalar.rules_of(params, 0) is not None
    ids = {view.id for view in entry.views(params)}
    assert {"proved-region", "step-rules", "step-rules-table"} <= ids
    momentum = entry.parameters(**values, optimiser="heavy-ball", step_size=0.01)
    assert "step-rules" not in {view.id for view in entry.views(momentum)}


def test_a_minimum_that_repels_is_refuted() -> None:
    made = proved(
        "scalar-product",
        steps=2,
        depth=2,
        target=1.0,
        step_size=0.6,
        init="minimum",
        weights=(2.0,),
        stretch=0.0,
        cells=16,
    )
    assert made["proved-attractor"].verdict is Verdict.VIOLATED
    assert made["proved-definition"].verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("experiment", "values", "verdict"),
    [
        ("scalar-product", {"depth": 4, "target": 1.5, "step_size": 0.1}, Verdict.HOLDS),
        ("scalar-product", {"depth": 3, "target": 2.0, "step_size": 0.335}, Verdict.HOLDS),
        ("scalar-product", {"depth": 7}, Verdict.NOT_APPLICABLE),
        ("double-scalar", {"depth": 2, "target": 1.0, "step_size": 0.2}, Verdict.HOLDS),
        ("double-scalar", {"depth": 4}, Verdict.NOT_APPLICABLE),
        ("least-squares", {"step_size": 0.15}, Verdict.HOLDS),
        ("least-squares", {"width": 7}, Verdict.NOT_APPLICABLE),
        (
            "least-squares",
            {"optimiser": "nesterov", "momentum": 0.9, "step_size": 0.05},
            Verdict.HOLDS,
        ),
        ("own-loss", {"function": "x^2 + y^2 + x^4"}, Verdict.HOLDS),
        ("own-loss", {"function": "x^2 + y^2", "optimiser": "adam"}, Verdict.NOT_APPLICABLE),
        ("own-loss", {"function": "x^2/2", "optimiser": "heavy-ball"}, Verdict.HOLDS),
        ("own-loss", {"function": "(x*y - 1)^2", "optimiser": "polyak"}, Verdict.HOLDS),
        ("own-loss", {"function": "x^2 + y^4 + y^2", "step_rule": "sharpness"}, Verdict.HOLDS),
        ("own-loss", {"function": "(x*y - 1)^2/2", "step_rule": "hessian"}, Verdict.HOLDS),
        (
            "scalar-product",
            {"depth": 3, "target": 1.0, "optimiser": "heavy-ball", "step_size": 0.05},
            Verdict.HOLDS,
        ),
        ("own-loss", {"function": "w1^2 + w2^2 + w3^4 + w3^2"}, Verdict.HOLDS),
    ],
)
def test_what_each_experiment_proves_of_its_attractor(
    experiment: str, values: dict[str, Any], verdict: Verdict
) -> None:
    if experiment != "least-squares":
        values = {"cells": 16, **values}
    claim = proved(experiment, steps=3000, **values)["proved-attractor"]
    assert claim.verdict is verdict, claim.measured


@pytest.mark.parametrize("lyapunov", ["loss", "quadratic", "typed"])
def test_level_sets_of_all_functions_are_proved(lyapunov: str) -> None:
    made = proved(
        "own-loss",
        function="x^2 + 2*y^2 + x*y + x^4/4",
        step_size=0.1,
        lyapunov=lyapunov,
        lyapunov_typed="x^2 + y^2",
        cells=32,
    )
    claim = made["proved-level"]
    assert claim.verdict is Verdict.HOLDS, claim.measured
    assert "proved for V <" in claim.measured


def test_no_level_is_proved_of_a_typed_function_that_rises_towards_the_minimum() -> None:
    made = proved(
        "own-loss",
        function="x^2/2 + y^2",
        step_size=0.5,
        start=(0.6, 0.1),
        lyapunov="typed",
        lyapunov_typed="(x^2 + y^2)^2 - x^2 - y^2",
        cells=32,
    )
    assert made["proved-level"].verdict is Verdict.UNDECIDED
    assert "not proved" in made["proved-level"].measured
    assert "ball" in made["proved-level"].statement


def test_proved_numbers_are_written_rounded_down() -> None:
    made = plane(step_size=0.3)
    level = replace(next(iter(made.levels.values())), value=0.12345678)
    attractor = replace(made.attractor, delta=0.98765499)
    shown = replace(made, attractor=attractor, levels={"loss": level})
    assert level_parts(shown, level)[0] == "proved for V < 0.123456"
    assert region_parts(shown)[0].startswith(f"proved: area {short_below(made.volume, 5)}")
    assert ["for starts within r = 0.987654"] in [row[1:2] for row in rows(shown)]


def test_a_typed_function_that_cannot_be_used_is_refused() -> None:
    params = ScalarParams(depth=2, prove=True, lyapunov="typed", lyapunov_typed="w1^2 + q*w9")
    with pytest.raises(InputError, match="lyapunov_typed"):
        scalar.analyse(params, 0, go_on)


def test_nothing_is_claimed_where_nothing_is_asked_for() -> None:
    for name in ("scalar-product", "double-scalar", "least-squares", "own-loss"):
        entry = get(name).load()
        params = entry.parameters()
        session = Session(entry, params, 0)
        session.advance(5)
        claims = entry.claims(params, session.state, session.recent())
        assert not [each for each in claims if each.id.startswith("proved")]
        assert not {view.id for view in entry.views(params)} & {"proved-region", "proofs"}


def test_a_stopped_proof_leaves_nothing() -> None:
    entry = get("scalar-product").load()
    params = entry.parameters(depth=2, prove=True)
    state = entry.init(params, 0)
    assert not complete(entry, params, state, lambda done, text: False)
    key = entry.analysis_key(params, 0)
    assert key is not None
    assert beside.recall(key) is None


def test_the_command_writes_verdicts(tmp_path: Path) -> None:
    values = ["depth=2", "target=1", "step_size=0.3", "cells=64"]
    settings = [part for value in values for part in ("--set", value)]
    arguments = ["run", "scalar-product", *settings, "--prove", "--steps", "50"]
    assert main([*arguments, "--figures", "none", "--out", str(tmp_path / "run")]) == 0
    written = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    verdicts = {each["id"]: each["verdict"] for each in written["claims"]}
    assert verdicts["proved-attractor"] == "holds"
    assert "proved-region" in verdicts


def test_the_command_says_where_nothing_is_proved(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "matrix-product", "--prove", "--out", "nowhere"]) == 2
    assert "scalar-product" in capsys.readouterr().err


def test_random_starts_never_contradict_a_proved_region() -> None:
    """One system of each kind; ``python -m tests.random_proofs`` tries many, with more starts."""
    made = [tried(params, 10_000) for params in systems(7, cells=48)]
    assert sum(each.contradictions for each in made) == 0
    assert sum(each.tried for each in made) > 15_000
    assert {each.kind for each in made} >= {"manifold", "equilibrium"}


def test_shares_and_slices_are_proved_in_three_dimensions() -> None:
    entry = get("scalar-product").load()
    params = entry.parameters(depth=3, target=1.0, step_size=0.2, prove=True)
    session = Session(entry, params, 0)
    session.advance(20)
    assert complete(entry, params, session.state, go_on)
    made = scalar.proofs_of(params, 0)
    assert made is not None
    assert made.scattered is not None
    share, error = made.scattered.proved_share
    assert 0.3 < share <= made.scattered.seen_share[0] < 0.4
    assert 0.0 < error < 0.03
    assert made.scattered.is_start_proved
    assert [each.axes for each in made.scattered.slices] == [(0, 1), (0, 2), (1, 2)]
    shown = entry.observe(session.state, session.recent())
    assert np.asarray(shown["proof_slices"]).shape[0] == len(shown["proof_slice_names"]) == 3
    claims = {each.id: each for each in entry.claims(params, session.state, session.recent())}
    assert claims["proved-region"].verdict is Verdict.HOLDS
    assert "proved-slices" in {view.id for view in entry.views(params)}
