"""Whether matrix networks beyond the edge of stability stay on the scalar maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.core.arrays import FloatArray
from engine.core.claims import Claim, Verdict
from engine.core.outcome import Exponent, OutcomeKind
from engine.core.registry import get
from engine.families.matrix.transverse import Transverse, distinct, transverse
from engine.kernels.matrix.transverse import mixing_growth

VALUES = (10.0, 6.0, 3.0, 0.0)


def _gradient(weights: FloatArray, target: FloatArray) -> FloatArray:
    """Return the gradient of ½‖W_L ... W_1 − R‖² in plain matrix products."""
    depth, one = len(weights), np.eye(len(target))
    below, above = [one], [one]
    for i in range(depth):
        below.append(weights[i] @ below[-1])
        above.append(above[-1] @ weights[depth - 1 - i])
    error = below[-1] - target
    return np.array([above[depth - 1 - i].T @ error @ below[i].T for i in range(depth)])


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_growth_is_that_of_whole_matrices(depth: int) -> None:
    """Against the difference of two runs of matrices that are pushed apart by a little."""
    step, values, h = 0.05, (3.0, 2.0), 1e-6
    number = np.arange(depth)
    runs = []
    for side in (h, -h):
        weights = np.tile(1.3 * np.eye(2), (depth, 1, 1))
        weights[:, 0, 1] = side * np.sin(1.0 + 2.7 * number)
        weights[:, 1, 0] = side * np.cos(2.0 + 1.9 * number)
        runs.append(weights)
    sizes = [2.0 * h]
    for _ in range(4):
        runs = [weights - step * _gradient(weights, np.diag(values)) for weights in runs]
        sizes.append(float(np.linalg.norm(runs[0] - runs[1])))
    logs = np.empty(4)
    assert mixing_growth(step, depth, *values, 1.3, 0, logs)
    assert logs == pytest.approx(np.diff(np.log(sizes)), abs=1e-8)


def test_bounded_scalar_maps_can_be_unstable_across() -> None:
    """Singular values 10, 6, 3, 0, 0 and L = 3: stable at 0.042, not from 0.044 to 0.055."""
    below = transverse(0.042, 3, VALUES)
    assert below.is_stable and below.exponent is not None
    for step in (0.044, 0.047, 0.05, 0.055):
        found = transverse(step, 3, VALUES)
        assert found.exponent is not None, "the scalar maps stay bounded"
        assert found.is_stable is False
        assert found.exponent.of == "mixing λ = 10 and 6"


def test_a_small_positive_exponent_is_no_neutral_one() -> None:
    """At δ = 0.572 the 2-cycle of λ = 2 mixes with λ = 1.5, by 0.00107 a step."""
    found = transverse(0.572, 2, (2.0, 1.5))
    assert found.exponent is not None
    assert found.exponent.value == pytest.approx(0.00107, abs=2e-5)
    assert found.is_stable is False


@pytest.mark.parametrize(
    ("value", "error", "is_stable"),
    [
        (1e-3, 5e-6, False),
        (1e-3, 5e-4, None),
        (1e-4, 1e-5, False),
        (-1e-3, 1e-4, True),
        (-1e-4, 1e-4, None),
        (0.0, None, True),
        (1e-5, 1e-6, True),
        (1e-5, 1e-3, None),
    ],
)
def test_an_exponent_decides_beyond_its_error(
    value: float, error: float | None, is_stable: bool | None
) -> None:
    assert Transverse(Exponent(value=value, error=error, of="")).is_stable is is_stable


def test_nothing_is_said_where_a_scalar_map_diverges() -> None:
    assert transverse(0.5, 3, VALUES).exponent is None
    assert transverse(0.5, 3, VALUES).is_stable is None


def test_equal_eigenvalues_are_one() -> None:
    values = np.array([3.0, 10.0, 1e-16, 3.0 + 1e-14, 0.0, -6.0])
    assert distinct(values) == pytest.approx((10.0, -6.0, 3.0, 0.0), abs=1e-12)


def _claim(step_size: float, steps: int) -> tuple[Claim, OutcomeKind]:
    experiment = get("matrix-product")
    values: dict[str, Any] = {
        "depth": 3,
        "width": 5,
        "step_size": step_size,
        "step_unit": "absolute",
        "eigenvalues": (10, 6, 3, 0, 0),
        "measure_every": 1000,
        "hessian_count": 0,
    }
    params = experiment.parameters(**values)
    state, chunk = experiment.advance(experiment.init(params, 0), steps)
    recent = {key: rows[-500:] for key, rows in chunk.low.items()}
    found = {each.id: each for each in experiment.claims(params, state, recent)}
    return found["decoupling"], experiment.outcome(state, recent).kind


def test_a_run_that_leaves_the_scalar_maps_violates_nothing() -> None:
    claim, kind = _claim(0.05, 4000)
    assert kind is OutcomeKind.DIVERGED
    assert claim.verdict is Verdict.NOT_APPLICABLE
    assert [lamp.name for lamp in claim.assumptions if not lamp.on] == ["Transversally stable"]


def test_a_run_on_stable_scalar_maps_stays_bounded() -> None:
    claim, kind = _claim(0.042, 2000)
    assert kind is not OutcomeKind.DIVERGED
    assert claim.verdict is Verdict.HOLDS


def test_below_the_edge_nothing_is_claimed() -> None:
    claim, _ = _claim(0.02, 200)
    assert claim.verdict is Verdict.NOT_APPLICABLE
