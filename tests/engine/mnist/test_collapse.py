"""A training that went wrong says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.core.outcome import OutcomeKind
from engine.core.params import build
from engine.core.registry import get
from engine.experiments.mnist.collapse import trouble
from engine.experiments.mnist.history import History
from engine.run.session import Session

MNIST = get("mnist")


def history(losses: list[float], tests: dict[int, float]) -> History:
    made = History({"loss": (), "test_accuracy": ()})
    for step, loss in enumerate([np.nan, *losses]):
        made.add({"loss": loss, **({"test_accuracy": tests[step]} if step in tests else {})})
    return made


@pytest.mark.parametrize(
    ("losses", "tests", "phase"),
    [
        ([], {0: 10.0}, ""),
        ([2.3, 2.2, 2.1], {0: 10.0}, ""),
        ([2.3] + [1.0] * 30, {0: 10.0, 30: 70.0}, ""),
        ([2.3, 2589.0] + [259.0] * 30, {0: 10.0}, "unstable"),
        ([2.3, 2589.0] + [259.0] * 30, {0: 10.0, 30: 10.0}, "collapsed to chance"),
        ([2.3, 2589.0] + [2.303] * 30, {0: 10.0, 30: 9.8}, "collapsed to chance"),
        ([2.3] + [2.303] * 30, {0: 10.0, 30: 11.0}, "collapsed to chance"),
        ([2.3, 60.0] + [0.5] * 30, {0: 10.0, 30: 85.0}, ""),
        ([2.3] + [1.9] * 30, {0: 10.0, 30: 14.0}, ""),
    ],
)
def test_the_record_shows_it(losses: list[float], tests: dict[int, float], phase: str) -> None:
    found, sentence = trouble(history(losses, tests))
    assert found == phase and bool(sentence) == bool(phase)


def test_a_blown_up_training_is_not_said_to_converge() -> None:
    values: dict[str, Any] = {
        "filters": 2,
        "width": 2,
        "batch_size": 180,
        "epochs": 3,
        "checkpoints": "off",
        "step_size": 100.0,
        "hessian_every": 0,
    }
    run = Session(MNIST, build(MNIST.parameters, values))
    run.advance(9)
    outcome = run.outcome()
    assert outcome.kind in (OutcomeKind.APERIODIC, OutcomeKind.DIVERGED)
    if outcome.kind is OutcomeKind.APERIODIC:
        assert outcome.phase in ("collapsed to chance", "unstable")
