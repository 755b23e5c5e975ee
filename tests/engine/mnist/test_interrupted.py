"""A step of MNIST's training that is stopped midway and made again."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from engine.core.interrupt import Interrupted, watched
from engine.core.params import build
from engine.core.registry import get
from engine.experiments.mnist import training as trainings
from engine.run.session import Session

MNIST = get("mnist")
SMALL = {
    "data": "digits",
    "filters": 1,
    "width": 2,
    "depth": 2,
    "batch_size": 720,
    "epochs": 2,
    "checkpoints": "off",
    "hessian_every": 3,
    "hessian_images": 40,
    "evaluate_every": 1,
    "device": "cpu",
}
STEPS = 3


def _session(**changes: Any) -> Session:
    return Session(MNIST, build(MNIST.parameters, {**SMALL, **changes}), 0)


def _after(session: Session) -> dict[str, Any]:
    """Collect the bits that a run stands on, and what it shows, but for its clock."""
    state: Any = session.state
    training = state.training
    final = dict(MNIST.final(session.state, session.recent()))
    for name in ("training_seconds", "images_per_second", "seconds_to_paper_accuracy", "device"):
        del final[name]
    memory = {name: np.asarray(values) for name, values in training.core.buffers().items()}
    arrays = {
        **MNIST.arrays(session.state),
        **{name: values for name, values in memory.items() if values.any()},  # begins with zeros
        **{f"row {key}": rows for key, rows in session.trace.view().low.items()},
    }
    values = {name: np.asarray(values).tobytes() for name, values in arrays.items()}
    return {**values, "final": repr(final), "outcome": repr(session.outcome())}


@pytest.mark.parametrize("optimiser", ["gradient-descent", "nesterov", "adam"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])  # the second runs by autograd
def test_a_step_stopped_anywhere_and_made_again_gives_the_same_bits(
    optimiser: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainings, "LARGE_BATCH", 1)
    whole, other = (_session(optimiser=optimiser, precision=precision) for _ in range(2))
    texts: list[str] = []
    allowed = iter(range(0))

    def stop(fraction: float, text: str) -> bool:
        texts.append(text)
        assert 0 <= fraction <= 1
        return next(allowed, None) is not None

    for _ in range(STEPS):
        whole.advance(1)
        before, calls = _after(other), 0
        while True:  # at ever later places, until it comes through
            allowed = iter(range(calls))
            try:
                with watched(stop):
                    other.advance(1)
                break
            except Interrupted:
                assert _after(other) == before
                calls = 2 * calls + 1
        assert _after(other) == _after(whole)
    kinds = {re.sub(r"[\d\W]+", " ", text).strip() for text in texts}
    assert {"scores of images", "sharpness at most products", "spectral norms"} <= kinds


def test_a_network_too_large_to_be_kept_is_not_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trainings, "DISPLACEMENT_LIMIT", 0)
    run = _session()
    with watched(lambda fraction, text: False):
        run.advance(STEPS)
    assert run.step == STEPS
