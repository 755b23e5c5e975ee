"""Runs as a page makes them, carried out line by line, beside those of the engine."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.core.errors import InputError
from engine.core.params import build
from engine.core.registry import get
from engine.pages.steps import NUMBERS
from engine.pages.subject import Subject, subject_of
from engine.run.spec import RunSpec
from engine.theory.optimisers import OPTIMISERS
from tests.engine.pages.arithmetic import call

STEPS = 100


def page_of(experiment: str, **values: Any) -> tuple[Subject, RunSpec]:
    params = build(get(experiment).parameters, values)
    run = RunSpec(experiment=experiment, params=params, seed=1, steps=STEPS)
    return subject_of(run), run


def made_by_page(subject: Subject) -> list[float]:
    """Return the losses after every step, as `resources/page/run.js` makes them."""
    law, by_name = subject.law, {each.name: each for each in subject.functions}
    data = [] if law.data is None else law.data.tolist()
    w, n = law.start.copy(), len(law.start)
    m, g, q, slope = np.zeros(2 * n), np.zeros(n), np.zeros(n), np.zeros(n)
    p = [float(getattr(law.setting, name)) for name in NUMBERS]
    loss, losses = call(by_name["gradient"], w, law.constants, g, data=data), []
    for k in range(STEPS):
        size = float(np.linalg.norm(g))
        step = call(by_name["stepSize"], k, loss, size, p)
        call(by_name["lookAhead"], w, m, g, size, p, q)
        call(by_name["gradient"], q, law.constants, slope, data=data)
        call(by_name["move"], k, step, w, m, slope, p)
        loss = call(by_name["gradient"], w, law.constants, g, data=data)
        losses.append(loss)
    return losses


def made_by_engine(run: RunSpec) -> list[float]:
    experiment = get(run.experiment)
    _, chunk = experiment.advance(experiment.init(run.params, run.seed), STEPS)
    return list(chunk.low["loss"])


SCALAR: list[dict[str, Any]] = [
    {"depth": 2, "step_size": 0.4},
    {"depth": 3, "step_size": 0.1, "init": "random"},
    {"depth": 4, "step_size": 0.05, "init": "odd-negatives", "target": -2.0},
    {"depth": 3, "step_size": 0.05, "optimiser": "heavy-ball", "momentum": 0.5},
    {"depth": 3, "step_size": 0.05, "optimiser": "nesterov", "init": "random"},
]


@pytest.mark.parametrize("values", SCALAR)
def test_the_scalar_network_is_the_engines(values: dict[str, Any]) -> None:
    subject, run = page_of("scalar-product", **values)
    np.testing.assert_allclose(made_by_page(subject), made_by_engine(run), rtol=0, atol=1e-12)


@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_every_optimiser_is_the_engines(optimiser: str) -> None:
    more = {"weight_decay": 0.02} if optimiser == "adamw" else {}
    scheduled = {} if optimiser == "polyak" else {"schedule": "cosine", "warmup": 5}
    values = {"step_size": 0.05, "scales": (1.0, 0.5), **scheduled, **more}
    subject, run = page_of("own-loss", optimiser=optimiser, **values)
    np.testing.assert_allclose(made_by_page(subject), made_by_engine(run), rtol=0, atol=1e-12)


def test_a_loss_over_rows_is_the_engines() -> None:
    subject, run = page_of(
        "own-loss", function="a*tanh(w1*x1 + w2)", minimise="least-squares", constants="a = 1.2"
    )
    np.testing.assert_allclose(made_by_page(subject), made_by_engine(run), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("experiment", "values", "field"),
    [
        ("least-squares", {}, "page"),
        ("own-loss", {"step_rule": "hessian"}, "step_rule"),
        ("scalar-product", {"step_rule": "sharpness"}, "step_rule"),
        ("scalar-product", {"depth": 30, "init": "random"}, "init"),
    ],
)
def test_what_a_page_cannot_make_is_refused(
    experiment: str, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InputError) as caught:
        page_of(experiment, **values)
    assert caught.value.field == field


def test_controls_are_within_what_the_program_allows() -> None:
    subject, _ = page_of("scalar-product", optimiser="heavy-ball")
    controls = {each["id"]: each for each in subject.setting["controls"]}
    assert controls["momentum"]["high"] < 1.0
    assert controls["w1"]["variables"] == [0]
    assert "w2" not in controls  # it is the same variable
    for each in controls.values():
        assert each["low"] <= each["value"] <= each["high"]
        assert (each["least"] or -math.inf) <= each["low"]


def test_period_doublings_stand_in_units_of_the_largest_step_size() -> None:
    subject, _ = page_of("scalar-product", depth=2)
    assert subject.marks[0]["x"] == pytest.approx(math.sqrt(5.0) - 1.0, abs=1e-9)
    momentum, _ = page_of("scalar-product", depth=2, optimiser="heavy-ball", momentum=0.5)
    assert [mark["momentum"] for mark in momentum.marks] == [0.5]
    apart, _ = page_of("scalar-product", depth=2, init="list", weights=(1.0, 1.2))
    assert apart.marks == ()
