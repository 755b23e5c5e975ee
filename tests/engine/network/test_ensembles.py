"""Networks of many seeds trained at once are those trained one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.core.claims import Verdict
from engine.core.errors import InputError
from engine.core.params import build
from engine.experiments.network import ensemble
from engine.experiments.network.experiment import Network
from engine.experiments.network.params import NetworkParams

NETWORK = Network()


def params_of(**changes: Any) -> NetworkParams:
    values = {
        "data": "moons",
        "points": 30,
        "width": 4,
        "precision": "float64",
        "ensemble": 3,
        "sharpness_every": 0,
        **changes,
    }
    return build(NetworkParams, values)


def go_on(done: float, text: str) -> bool:
    return True


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"form": "pair", "loss": "cross-entropy", "depth": 4},
        {"form": "residual", "loss": "logistic", "layer_norm": True, "depth": 4},
        {"optimiser": "adam", "step_size": 0.01, "batch_size": 7, "loss": "cross-entropy"},
        {"optimiser": "sam", "batch_size": 7},
        {"optimiser": "normalised-gd", "biases": False, "start": "he"},
        {"optimiser": "nesterov", "step_size": 0.05},
        {"data": "sines", "optimiser": "heavy-ball", "step_size": 0.05},
    ],
    ids=str,
)
def test_networks_trained_at_once_are_those_trained_alone(changes: dict[str, Any]) -> None:
    params = params_of(**changes)
    found = NETWORK.ensemble(params, 5, 20, go_on)
    for index, seed in enumerate(found.columns["seed"]):
        state, _ = NETWORK.advance(NETWORK.init(params, seed), 20)
        row = NETWORK.record(state)
        for name in ("loss", "held_loss", "accuracy", "held_accuracy"):
            value = found.columns[name][index]
            if value is not None:
                np.testing.assert_allclose(value, row[name], rtol=1e-8, err_msg=name)


def test_diverged_networks_leave_the_others_alone() -> None:
    params = params_of(step_sizes=(0.1, 1000.0))
    found = NETWORK.ensemble(params, 0, 30, go_on)
    assert [each["diverged"] for each in found.summary["table"]] == [0.0, 1.0]
    assert (
        found.columns["loss"][:3]
        == NETWORK.ensemble(params_of(step_size=0.1), 0, 30, go_on).columns["loss"]
    )


def test_an_ensemble_can_be_cancelled() -> None:
    found = NETWORK.ensemble(params_of(), 0, 30, lambda done, text: done < 0.5)
    assert found.cancelled and not found.columns["seed"]


def test_depths_cannot_go_with_a_list_of_widths() -> None:
    with pytest.raises(InputError, match="depths"):
        NETWORK.ensemble(params_of(depths=(2, 3), widths="4, 4"), 0, 5, go_on)


def test_the_claim_on_depth_is_judged_by_seeds() -> None:
    """Narrow tanh layers: plain ones of 24 layers do not learn the moons, residual ones do."""
    params = params_of(
        compare="plain-and-residual",
        depths=(3, 24),
        step_size=0.2,
        width=6,
        branch_scale="1/L",
        ensemble=4,
    )
    found = NETWORK.ensemble(params, 0, 60, go_on)
    verdicts = {claim.id: claim.verdict for claim in found.claims}
    assert verdicts["plain-degrades"] is Verdict.HOLDS
    alone = NETWORK.ensemble(params_of(compare="plain-and-residual"), 0, 5, go_on)
    assert all(claim.verdict is Verdict.NOT_APPLICABLE for claim in alone.claims)


def test_depths_are_compared_by_their_training_losses() -> None:
    """Here the deep networks begin lower, so that losses over the first ones say the opposite."""
    params = params_of(
        compare="plain-and-residual",
        depths=(2, 12),
        points=40,
        width=8,
        activation="relu",
        step_size=0.002,
        ensemble=4,
    )
    found = NETWORK.ensemble(params, 0, 60, go_on)
    depths, losses = np.array(found.columns["depth"]), np.array(found.columns["plain_loss"])
    grew = losses[depths == 12] > losses[depths == 2]
    runs = ensemble.run(params, 0, 60, go_on)
    claim = {claim.id: claim for claim in runs.claims}["plain-degrades"]
    assert claim.verdict is (Verdict.HOLDS if grew.all() else Verdict.UNDECIDED)
    assert f"{grew.sum()}" in claim.measured


def test_the_largest_step_sizes_are_compared_seed_by_seed() -> None:
    """The claim agrees with the first step size that diverges at either depth, found by hand."""
    sizes = (0.1, 0.4, 1.6, 6.4, 100.0)
    params = params_of(
        compare="plain-and-residual",
        depths=(2, 6),
        step_sizes=sizes,
        activation="linear",
        ensemble=3,
    )
    found = NETWORK.ensemble(params, 0, 25, go_on)
    claims = {claim.id: claim for claim in found.claims}
    rows = found.columns
    for side, name, falls in (
        ("plain", "depth-against-step-size", True),
        ("residual", "residual-step-size", False),
    ):
        agree = 0
        for seed in range(3):
            first = {
                depth: min(
                    size
                    for size, own, at, loss in zip(
                        rows["step_size"],
                        rows["seed"],
                        rows["depth"],
                        rows[f"{side}_loss"],
                        strict=True,
                    )
                    if own == seed and at == depth and loss is None
                )
                for depth in (2, 6)
            }
            agree += first[6] != first[2] and (first[6] < first[2]) is falls
        assert claims[name].measured.startswith(f"{agree} of 3")
    few = NETWORK.ensemble(params_of(compare="plain-and-residual", depths=(2, 3)), 0, 5, go_on)
    verdicts = {claim.id: claim.verdict for claim in few.claims}
    assert verdicts["depth-against-step-size"] is Verdict.NOT_APPLICABLE


def test_step_sizes_of_another_optimiser_say_nothing_of_descent() -> None:
    params = params_of(
        compare="plain-and-residual",
        depths=(2, 3),
        step_sizes=(0.1, 1.0, 100.0),
        optimiser="adam",
    )
    verdicts = {claim.id: claim.verdict for claim in NETWORK.ensemble(params, 0, 3, go_on).claims}
    assert verdicts["depth-against-step-size"] is Verdict.NOT_APPLICABLE
    assert verdicts["residual-step-size"] is Verdict.NOT_APPLICABLE
