"""Equilibria of functions whose equilibria are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.analysis.equilibria import Nature, classify, find, starts
from engine.core.ensemble import Progress
from tests.engine.analysis.polynomials import Polynomial, himmelblau, product_loss

GO_ON: Progress = lambda fraction, text: True  # noqa: E731


def _find(loss: Polynomial, reach: float, count: int):
    n = loss.dimension
    found = find(loss, starts(np.zeros(n), np.full(n, reach), count, 0), GO_ON)
    assert found is not None
    return found


def test_himmelblau_has_four_minima_four_saddles_and_a_maximum() -> None:
    found = _find(himmelblau(), 5.0, 64)
    natures = [each.nature for each in found]
    assert natures == [Nature.MINIMUM] * 4 + [Nature.SADDLE] * 4 + [Nature.MAXIMUM]
    assert found[-1].point == pytest.approx([-0.270845, -0.923039], abs=1e-6)
    assert any(each.point == pytest.approx([3.0, 2.0], abs=1e-12) for each in found[:4])
    assert all(each.manifold == 0 for each in found)


def test_minima_of_a_product_are_a_manifold_and_its_flattest_point_is_listed() -> None:
    minimum, saddle = _find(product_loss(2, 2.0), 3.0, 8)
    assert minimum.nature is Nature.MINIMUM and minimum.manifold == 1
    assert minimum.sharpness == pytest.approx(4.0, rel=1e-9)
    assert minimum.sharpest > minimum.sharpness
    assert saddle.nature is Nature.SADDLE and saddle.manifold == 0
    assert saddle.eigenvalues == pytest.approx([-2.0, 2.0])


def test_a_point_where_the_hessian_vanishes_is_degenerate() -> None:
    found = _find(product_loss(3, 2.0), 3.0, 6)
    assert found[0].manifold == 2
    assert found[0].sharpness == pytest.approx(3 * 2 ** (4 / 3), rel=1e-9)
    origin = classify(product_loss(3, 2.0), np.zeros(3))
    assert origin is not None and origin.nature is Nature.DEGENERATE


@pytest.mark.parametrize(
    ("terms", "nature"),
    [
        ({(4,): 1.0}, Nature.DEGENERATE),
        ({(2,): 1.0}, Nature.MINIMUM),
        ({(2,): -1.0}, Nature.MAXIMUM),
    ],
)
def test_natures_in_one_dimension(terms, nature) -> None:
    found = classify(Polynomial(terms, 1), np.zeros(1))
    assert found is not None and found.nature is nature


def test_a_flat_direction_that_bends_up_is_no_manifold() -> None:
    found = classify(Polynomial({(2, 0): 1.0, (0, 4): 1.0}, 2), np.zeros(2))
    assert found is not None and found.manifold == 0 and found.nature is Nature.DEGENERATE


def test_a_point_at_a_kink_is_not_classified() -> None:
    class Kinked(Polynomial):
        def kinks(self, z):
            return 0.0

    assert classify(Kinked({(2,): 1.0}, 1), np.zeros(1)) is None


def test_nothing_is_listed_where_the_gradient_never_vanishes() -> None:
    assert _find(Polynomial({(1,): 1.0, (3,): 1.0}, 1), 3.0, 6) == ()


def test_search_stops_when_asked() -> None:
    loss = himmelblau()
    assert find(loss, starts(np.zeros(2), np.ones(2), 8, 0), lambda fraction, text: False) is None


def test_starts_fill_their_box_and_depend_on_the_seed_alone() -> None:
    box = starts(np.array([1.0, -1.0]), np.array([2.0, 0.5]), 33, 7, also=[np.zeros(2)])
    assert len(box) == 34
    points = np.array(box[1:])
    assert (np.abs(points - [1.0, -1.0]) <= [2.0, 0.5]).all()
    again = starts(np.array([1.0, -1.0]), np.array([2.0, 0.5]), 33, 7, also=[np.zeros(2)])
    assert np.array_equal(points, again[1:])
    assert math.isclose(points[:, 0].mean(), 1.0, abs_tol=0.1)
