"""The flip of a tanh network with weight decay: predicted from derivatives, found by its map."""

from __future__ import annotations

import numpy as np
import pytest

from engine.analysis.equilibria import Nature, classify, descend
from engine.analysis.normal_forms import flip
from engine.families.loss.loss import Loss

POINTS = ((-2.0, -0.9), (-1.0, 0.2), (0.0, 0.8), (1.0, 0.1), (2.0, -0.7))


def network() -> Loss:
    """Return half the mean squared error of a network 1-6-1 with weight decay 0.01."""
    net = "(sum(w[12+i]*tanh(w[i]*({x}) + w[6+i]), i = 1..6) + w19 - ({y}))^2"
    errors = " + ".join(net.format(x=x, y=y) for x, y in POINTS)
    return Loss.of(f"({errors})/10 + 0.005*sum(w[i]^2, i = 1..19)")


@pytest.mark.parametrize("seed", range(3))
def test_the_cycle_has_the_predicted_amplitude(seed: int) -> None:
    loss = network()
    start = np.random.default_rng(seed).normal(size=19)
    minimum = descend(loss, start)
    assert minimum is not None
    found, form = classify(loss, minimum), flip(loss, minimum)
    assert found is not None and found.nature is Nature.MINIMUM and not found.manifold
    assert form is not None and form.is_soft is not None
    step = form.step_size * (1.0001 if form.is_soft else 0.9999)
    amplitude = form.amplitude(step)
    assert amplitude is not None
    z, one = minimum + amplitude * form.direction, np.eye(19)
    for _ in range(20):
        new = z - step * loss.gradient(z)
        gap = new - step * loss.gradient(new) - z
        slope = (one - step * loss.hessian(new)) @ (one - step * loss.hessian(z))
        z = z - np.linalg.solve(slope - one, gap)
    half = 0.5 * step * float(np.linalg.norm(loss.gradient(z)))
    assert float(np.linalg.norm(gap)) < 1e-12
    assert half == pytest.approx(amplitude, rel=1e-3)
