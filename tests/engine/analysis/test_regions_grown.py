"""How regions grow, and what is proved of starts one by one, with momentum, over eigenvalues."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from engine import theory
from engine.analysis.regions.interval import Interval, applied
from engine.analysis.regions.momentum import momentum_matrix, proved_ball_with_momentum
from engine.analysis.regions.repelling import is_repelling
from engine.analysis.regions.starts import proved_starts
from engine.families.proofs.laws import Momentum, Rule
from engine.kernels.intervals.growing import grow
from tests.engine.analysis.test_regions import (
    converges,
    cycle_at,
    go_on,
    law,
    network,
    region_of,
)


def test_a_set_grows_by_the_cells_that_lead_into_it_and_by_no_others() -> None:
    rng = np.random.default_rng(3)
    for sizes in ((40,), (9, 7), (4, 5, 3)):
        count = int(np.prod(sizes))
        for _ in range(20):
            first = np.stack([rng.integers(0, size, count) for size in sizes], axis=-1)
            last = np.minimum(first + rng.integers(0, 2, first.shape), np.array(sizes) - 1)
            inside = rng.uniform(size=count) < 0.3
            expected = inside.copy()
            blocks = [
                np.ravel_multi_index(
                    np.ix_(*(range(a, b + 1) for a, b in zip(*ends, strict=True))), sizes
                )
                for ends in zip(first, last, strict=True)
            ]
            for _ in range(count):
                expected |= np.array([bool(expected[block].all()) for block in blocks])
            grow(first, last, np.arange(count), np.array(sizes), inside)
            assert (inside == expected).all()


@pytest.mark.parametrize("rule", [None, Rule(alpha=0.8, cap=3.0)])
def test_images_of_boxes_are_the_same_by_either_way(rule: Rule | None) -> None:
    quick = network(2, 1.0, 0.3, rule).descent
    slow = replace(quick, imaging=None)
    middles = np.random.default_rng(4).uniform(-3.0, 3.0, (300, 2))
    boxes = Interval.around(middles, 0.02)
    one, other = quick.image(boxes), slow.image(boxes)
    assert np.allclose(one.lo, other.lo, rtol=1e-12, atol=1e-12)
    assert np.allclose(one.hi, other.hi, rtol=1e-12, atol=1e-12)
    for _ in range(10):
        points = np.random.default_rng(5).uniform(boxes.lo, boxes.hi)
        image = quick.plain_image(Interval.point(points)).mid
        assert ((one.lo <= image) & (image <= one.hi)).all()


def test_cutting_cells_keeps_what_was_proved_and_adds_to_it() -> None:
    made = network(2, 1.0, 0.6)
    reach = 1.02 * float(np.abs(theory.bounded_ellipse(0.6, 1.0)).max())
    region = region_of(made, reach, 96)
    assert region.uncut is not None
    assert region.grid.shape == tuple(4 * size for size in region.uncut.grid.shape)
    parts = np.kron(region.uncut.proved, np.ones((4, 4), bool))
    assert region.proved[parts].all()
    assert region.volume > 1.1 * region.uncut.volume


@pytest.mark.parametrize("optimiser", ["heavy-ball", "nesterov"])
@pytest.mark.parametrize(("depth", "radius"), [(2, 1e-3), (3, 1e-3), (6, 1e-4)])
def test_the_definition_of_stability_on_a_manifold_with_momentum(
    optimiser: Momentum, depth: int, radius: float
) -> None:
    names = " ".join(f"w{i + 1}" for i in range(depth))
    text = f"({names.replace(' ', '*')} - 1)^2/2"
    limit = theory.stability_limit(optimiser, 0.6) / depth
    at = np.concatenate([np.ones(depth), np.zeros(depth)])
    made = law(text, names, 0.7 * limit, optimiser, 0.6)
    assert made.square is None
    assert made.carried is not None
    delta = proved_ball_with_momentum(made.carried, at, radius)
    assert delta is not None
    rng = np.random.default_rng(depth)
    points = rng.normal(size=(200, 2 * depth))
    points = at + 0.999 * delta * points / np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(200):
        points = made.descent.plain_image(Interval.point(points)).mid
        assert (np.linalg.norm(points - at, axis=1) < radius).all()
    assert (made.carried.residual.value(Interval.point(points[:, :depth])).size < 1e-9).all()
    beyond = law(text, names, 1.01 * limit, optimiser, 0.6)
    assert beyond.carried is not None
    assert proved_ball_with_momentum(beyond.carried, at, radius) is None
    assert is_repelling(beyond.descent, Interval.around(np.ones(depth), 1e-9))


@pytest.mark.parametrize("optimiser", ["heavy-ball", "nesterov"])
def test_the_residual_and_the_velocity_follow_the_matrix_of_their_proof(
    optimiser: Momentum,
) -> None:
    """A step of (r, v) lies in the image of the interval matrix over a box around the step."""
    made = law("(x*y - 1)^2/2", "x y", 0.3, optimiser, 0.6)
    square = made.carried
    assert square is not None
    rng = np.random.default_rng(0)
    for _ in range(100):
        center, radius = rng.uniform(0.5, 1.5, 2), 0.2
        slope = square.residual.slopes(Interval.around(center, radius)[None])[1][0]
        before = np.concatenate([center, rng.uniform(-0.05, 0.05, 2)])
        after = made.descent.plain_image(Interval.point(before[None])).mid[0]
        if np.abs(after[:2] - center).max() > radius:
            continue
        u, moved = (np.concatenate([[at[0] * at[1] - 1.0], at[2:]]) for at in (before, after))
        image = applied(momentum_matrix(square, slope), u)
        assert (image.lo <= moved + 1e-14).all()
        assert (moved - 1e-14 <= image.hi).all()


@pytest.mark.parametrize(("depth", "step"), [(2, 0.45), (3, 0.25), (6, 0.1)])
def test_starts_that_are_proved_one_by_one_converge_and_are_nearly_all(
    depth: int, step: float
) -> None:
    made = network(depth, 1.0, step)
    points = np.random.default_rng(depth).uniform(-2.5, 2.5, (150, depth))
    proved = proved_starts(made.descent, points, (), made.square, go_on)
    assert proved is not None
    with np.errstate(all="ignore"):
        seen = converges(made, points, 1500) < 1e-6
    assert not (proved & ~seen).any()
    assert proved.sum() > 0.8 * seen.sum() > 8.0
    if depth == 2:
        assert (theory.bounded_level(points[proved], step, 1.0) < 1.0).all()


def test_starts_in_three_dimensions_are_proved_to_reach_an_equilibrium() -> None:
    made = law("x^2 + y^2 + z^2/2 + z^4 + x*y/2", "x y z", 0.1)
    cores = cycle_at(made, 0.0, 0.0, 0.0).cores
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (200, 3))
    proved = proved_starts(made.descent, points, cores, None, go_on)
    assert proved is not None
    assert proved.all()
    away = points + np.array([0.0, 0.0, 8.0])  # where a step is too long for z⁴
    lost = proved_starts(made.descent, away, cores, None, go_on)
    assert lost is not None
    assert not lost.any()
    assert proved_starts(made.descent, points, cores, None, lambda done, text: False) is None


@pytest.mark.parametrize("eigenvalue", ["top", "norm"])
@pytest.mark.parametrize("text", ["x^4/4 - x^2/2 + y^2*x + z^2", "x^2 + 3*y^2 + x*y*z + z^4"])
def test_steps_over_an_eigenvalue_of_the_hessian_are_enclosed(
    eigenvalue: Literal["top", "norm"], text: str
) -> None:
    made = law(text, "x y z", rule=Rule(alpha=0.8, cap=2.0, eigenvalue=eigenvalue)).descent
    boxes = Interval.around(np.random.default_rng(0).uniform(-2.0, 2.0, (60, 3)), 0.05)
    enclosed, images = made.step(boxes), made.image(boxes)
    assert (enclosed.hi - enclosed.lo < 1.0).mean() > 0.5
    for seed in range(8):
        points = np.random.default_rng(seed).uniform(boxes.lo, boxes.hi)
        at = Interval.point(points)
        values = np.linalg.eigvalsh(made.loss.curves(at)[2].mid)
        sizes = values[:, -1] if eigenvalue == "top" else np.abs(values).max(axis=1)
        steps = np.where(sizes > 0.4, 0.8 / np.maximum(sizes, 0.4), 2.0)
        assert ((enclosed.lo <= steps + 1e-12) & (steps - 1e-12 <= enclosed.hi)).all()
        moved = points - steps[:, None] * made.loss.slopes(at)[1].mid
        assert ((images.lo <= moved + 1e-9) & (moved - 1e-9 <= images.hi)).all()
