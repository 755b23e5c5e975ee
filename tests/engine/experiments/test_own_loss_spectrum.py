"""The Lyapunov spectrum of a run on a typed loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from engine.experiments.own_loss.experiment import OwnLoss
from engine.experiments.own_loss.params import OwnLossParams
from engine.run.session import Session


def observed(steps: int = 600, **values: Any) -> dict[str, Any]:
    """Return what is drawn after some steps."""
    params = OwnLossParams(**{"constants": "", **values})
    session = Session(OwnLoss(), params, 0)
    session.advance(steps)
    made = dict(session.experiment.observe(session.state, session.recent()))
    session.close()
    return made


@pytest.mark.parametrize("optimiser", ["gradient-descent", "heavy-ball", "nesterov"])
def test_at_a_minimum_the_exponents_are_the_logs_of_the_multipliers(optimiser: str) -> None:
    made = observed(function="x^2/2 + 3*y^2/2", step_size=0.1, optimiser=optimiser, momentum=0.05)
    multipliers = np.hypot(made["multiplier_re"], made["multiplier_im"])
    np.testing.assert_allclose(
        made["exponent"], np.sort(np.log(multipliers))[::-1], atol=2e-3, rtol=1e-3
    )


def test_along_a_manifold_of_minima_the_exponent_is_0() -> None:
    made = observed(function="(x*y - 2)^2/2", step_size=0.1, start=(1.0, 2.5))
    assert made["exponent"][0] == pytest.approx(0.0, abs=1e-6)
    assert made["exponent"][1] < -0.05


def test_in_chaos_the_largest_exponent_is_positive() -> None:
    made = observed(2000, function="x^4/4 - x^2", step_size=1.0, start=(0.7,))
    assert made["exponent"][0] == pytest.approx(math.log(3.0), abs=0.15)
    low, high = made["exponent_bar_y"][:2]
    assert low < made["exponent"][0] < high


def test_without_a_smooth_map_there_is_none() -> None:
    assert observed(function="x^2 + y^2", optimiser="sam")["exponent"].size == 0
    assert observed(8, function="x^2 + y^2")["exponent"].size == 0
