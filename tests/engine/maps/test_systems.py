"""What has a system has every kind of map, and branches that its law carries."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from engine.core import registry
from engine.core.claims import Lamp
from engine.core.experiment import AbstractExperiment
from engine.experiments import EXPERIMENTS
from engine.kernels.maps.carry import LawCarrier
from engine.maps import tree
from engine.maps.branches import BranchSpec
from engine.maps.catalogue import kind
from engine.maps.spec import KindId, MapSpec
from engine.maps.subject import subject_of

SMALL: dict[str, dict[str, object]] = {
    "scalar-product": {"depth": 3},
    "double-scalar": {"depth": 3},
    "least-squares": {},
    "own-loss": {"function": "(x*y - 1)^2/2"},
}
KINDS: tuple[KindId, ...] = ("orbit", "basin", "stability")


def test_these_are_all() -> None:
    programs = [registry.get(listed.id) for listed in EXPERIMENTS]
    own = {
        each.listing.id for each in programs if type(each).system is not AbstractExperiment.system
    }
    assert own == set(SMALL)


@pytest.mark.parametrize("which", KINDS)
@pytest.mark.parametrize("experiment", SMALL)
def test_every_kind_of_map(experiment: str, which: KindId) -> None:
    params = registry.get(experiment).parameters(**SMALL[experiment])
    made = kind(which)
    offer = made.offer(experiment, params, 0)
    assert offer is not None
    spec = MapSpec(
        kind=which,
        experiment=experiment,
        params=params,
        x=replace(offer.x, count=5),
        y=replace(offer.y, count=4),
        steps=40,
        options=offer.options,
    )
    prepared = made.prepare(spec)
    x, y = spec.x.values, spec.y.values
    cells = prepared.cells(np.tile(x, len(y)), np.repeat(y, len(x)), threading.Event())
    assert set(cells) == {each.name for each in prepared.fields}
    for each in prepared.fields:
        assert len(cells[each.name]) == 20
    assert prepared.hover({name: values[0] for name, values in cells.items()})


@pytest.mark.parametrize("experiment", SMALL)
def test_its_branches_are_carried_by_its_law(
    experiment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = registry.get(experiment).parameters(**SMALL[experiment])
    spec = BranchSpec(
        experiment=experiment, params=params, name="step_size", low=0.1, high=0.3, max_period=1
    )
    subject = subject_of(experiment, params, 0, {"step_size": (0.1, 0.3)})
    assert isinstance(subject.carrier, LawCarrier)
    law = registry.get(experiment).law(params, 0)
    assert law is not None
    assert set(law.variables) <= set(subject.names)  # an orbit diagram of each draws them
    monkeypatch.setattr(tree, "Search", partial(tree.Search, values=2))
    found = tree.find(spec, lambda done, text: True)
    assert found is not None and found.curves
    assert all(isinstance(lamp, Lamp) for lamp in found.lamps)
    for name in law.variables:
        place = found.coordinate(name)
        assert place is not None and found.coordinates[place].startswith(name[0])


def test_a_variable_of_many_weights_is_the_first_of_them() -> None:
    params = registry.get("double-scalar").parameters(depth=3)
    subject = subject_of("double-scalar", params, 0, {"step_size": (0.1, 0.3)})
    assert subject.names == ("w", "w", "w", "z", "z", "z")
