"""What stands over a run with momentum is its own optimiser's, in words and in numbers."""

from __future__ import annotations

import re

import pytest

from engine.core.params import build, describe
from engine.experiments import EXPERIMENTS
from engine.run.analyst import complete
from engine.theory.optimisers import OPTIMISERS
from engine.theory.optimisers.hyperparameters import HYPERPARAMETERS, shared

PLAIN = re.compile(
    r"(?<![\w)}])2\s?/\s?(\\+delta|δ|S|\\+lambda_|\\+frac\{\\+lambda)|(δ|\\+delta) ?S\s?/\s?2\b"
)
"""The limit of gradient descent: 2/δ, 2/S, δS/2, 2/λ_max."""
FROZEN = re.compile(r"P\^\{-1\}|P⁻¹")
"""Names the preconditioned Hessian, for which RMSprop's limit is written as that of descent."""
STATED = {"delta_plain", "basins"}
"""What says itself that it is about descent without momentum, or shows δS/2 itself."""
LOADED = {experiment.id: experiment.load() for experiment in EXPERIMENTS}
WITH_OPTIMISERS = [
    (name, optimiser)
    for name, loaded in LOADED.items()
    for spec in describe(loaded.parameters)
    if spec.name == "optimiser"
    for optimiser in spec.choices
]


def test_the_limit_of_gradient_descent_is_recognized() -> None:
    for text in (r"2/\delta", r"$\delta S/2$", "above 2/δ", r"2/\lambda_{\max}(H)", "2 / S"):
        assert PLAIN.search(text)
    for described in OPTIMISERS.values():
        if described.id not in ("gradient-descent", "rmsprop", "polyak", "normalised-gd"):
            assert not PLAIN.search(described.ratio + " " + described.sharpness_formula)


def naming_the_plain_limit(name: str, optimiser: str) -> list[str]:
    """Find the plots and bounds, of a run at its start, that name the limit of plain descent.

    With what is computed beside a run of an own loss, which other tests may have left or not.
    """
    experiment = LOADED[name]
    params = build(experiment.parameters, {"optimiser": optimiser})
    shown = [*experiment.views(params), *experiment.theory(params, None)]
    if name != "mnist":  # its start needs data
        state = experiment.init(params, 0)
        if name == "own-loss":
            complete(experiment, params, state, lambda fraction, text: True)
        shown += experiment.theory(params, state)
    plain = [each for each in shown if PLAIN.search(repr(each)) and each.id not in STATED]
    if optimiser == "rmsprop":
        plain = [each for each in plain if not FROZEN.search(repr(each))]
    return [each.id for each in plain]


@pytest.mark.parametrize(("name", "optimiser"), WITH_OPTIMISERS)
def test_plots_and_bounds_name_the_limit_of_their_optimiser(name: str, optimiser: str) -> None:
    found = naming_the_plain_limit(name, optimiser)
    assert optimiser == "gradient-descent" or found == []


def test_plots_and_bounds_of_plain_descent_name_its_limit() -> None:
    names = [name for name, optimiser in WITH_OPTIMISERS if optimiser == "gradient-descent"]
    assert len(names) >= 6
    assert sum(bool(naming_the_plain_limit(name, "gradient-descent")) for name in names) >= 5


def test_hyperparameters_are_declared_alike() -> None:
    """A field of that name that belongs to an optimiser has one symbol, range and scale."""
    seen: dict[str, set[str]] = {}
    for name, loaded in LOADED.items():
        for spec in describe(loaded.parameters):
            if spec.name not in HYPERPARAMETERS or (
                "optimiser" not in spec.when and spec.name != "lowest_loss"
            ):
                continue
            own = HYPERPARAMETERS[spec.name]
            given = (spec.symbol, spec.label, spec.minimum, spec.maximum, spec.log)
            assert given == (own.symbol, own.label, own.ge, own.lt or own.le, own.log), name
            optimisers = [str(each) for each in spec.when.get("optimiser", ())]
            assert spec.help.startswith(shared(own.name, optimisers).help), name
            seen.setdefault(spec.name, set()).add(name)
    assert {"network", "own-loss"} <= seen["epsilon"] & seen["square_decay"] & seen["momentum"]


def test_the_catalogue_has_the_same_limits() -> None:
    for described in OPTIMISERS.values():
        for each in described.hyperparameters:
            own = HYPERPARAMETERS[each.name]
            assert (each.ge, each.gt, each.le, each.lt, each.log) == (
                own.ge,
                own.gt,
                own.le,
                own.lt,
                own.log,
            )
