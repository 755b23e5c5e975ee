"""Cycles, regions and level sets that are proved, against known numbers and random runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from engine import theory
from engine.analysis.regions.covering import Grid, Region, covering
from engine.analysis.regions.cycles import ProvedCycle, prove_cycle
from engine.analysis.regions.definition import ball_within
from engine.analysis.regions.interval import Interval, applied
from engine.analysis.regions.maps import Descent, EnclosedMap
from engine.analysis.regions.repelling import is_repelling
from engine.analysis.regions.residual import proved_ball
from engine.analysis.regions.sublevel import Quadratic, certified_level, falls, loss_falls
from engine.core.arrays import FloatArray
from engine.expressions.reader import read
from engine.families.proofs.laws import Law, Momentum, Rule, law_of
from engine.kernels.intervals.enclosure import Enclosure
from engine.kernels.intervals.growing import grow

GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
CYCLES = [
    (2, 0.55, 2),
    (2, 0.6375, 4),
    (2, 0.648, 8),
    (3, 0.29102353, 2),
    (3, 0.335, 4),
    (3, 0.3463, 8),
    (5, 0.14514587, 2),
    (5, 0.169, 4),
    (5, 0.1735, 8),
]
"""L, step size and period for the target 2, within the windows of the reference table."""


def go_on(_done: float, _text: str) -> bool:
    return True


def law(
    text: str,
    names: str = "x y",
    step: float = 0.1,
    optimiser: Momentum = "gradient-descent",
    momentum: float = 0.0,
    rule: Rule | None = None,
) -> Law:
    tape = read(text, tuple(names.split())).tape
    made = law_of(
        tape, np.zeros(0), step_size=step, optimiser=optimiser, momentum=momentum, rule=rule
    )
    assert made is not None
    return made


def network(depth: int, target: float, step: float, rule: Rule | None = None) -> Law:
    names = " ".join(f"w{i + 1}" for i in range(depth))
    return law(f"({names.replace(' ', '*')} - {target})^2/2", names, step, rule=rule)


def region_of(made: Law, reach: float, cells: int) -> Region:
    grid = Grid.of(np.full(2, -reach), np.full(2, reach), cells)
    found = covering(made.descent, grid, (), made.square, grow, go_on)
    assert found is not None
    return found


def symmetric_orbit(depth: int, step: float) -> float:
    w = 1.0
    for _ in range(100_000):
        w -= step * w ** (depth - 1) * (w**depth - 2.0)
    return w


@pytest.mark.parametrize(("depth", "step", "period"), CYCLES)
def test_cycles_of_the_reference_are_proved_stable(depth: int, step: float, period: int) -> None:
    at = np.full(depth, symmetric_orbit(depth, step))
    found = prove_cycle(network(depth, 2.0, step).descent, at, period)
    assert found is not None
    assert found.period == period
    assert found.is_stable
    assert max(float((each.hi - each.lo).max()) for each in found.points) < 1e-7
    if period < 8:  # no cycle of two laps, which would be this one
        assert prove_cycle(network(depth, 2.0, step).descent, at, 2 * period) is None


def test_the_two_cycle_is_proved_to_repel_beyond_the_next_doubling() -> None:
    step = 1.5 * GOLDEN
    w = np.linspace(0.3, 1.3, 100_001)
    lap = w - step * w * (w * w - 2.0)
    lap = lap - step * lap * (lap * lap - 2.0) - w
    at = w[:-1][np.sign(lap[:-1]) != np.sign(lap[1:])][0]
    found = prove_cycle(network(2, 2.0, step).descent, np.array([at, at]), 2)
    assert found is not None
    assert found.is_stable is False
    assert found.cores == ()


@pytest.mark.parametrize("factor", [0.999, 1.001])
def test_the_threshold_of_a_minimum_divides_proofs(factor: float) -> None:
    sharpness = float(np.linalg.eigvalsh([[2.0, 1.0], [1.0, 6.0]])[-1])
    made = law("x^2 + 3*y^2 + x*y", step=factor * 2.0 / sharpness)
    found = prove_cycle(made.descent, np.zeros(2), 1)
    assert found is not None
    assert found.is_stable is (factor < 1.0)
    assert is_repelling(made.descent, Interval.around(np.zeros(2), 1e-9)) is (factor > 1.0)


@pytest.mark.parametrize("optimiser", ["heavy-ball", "nesterov"])
@pytest.mark.parametrize("factor", [0.99, 1.01])
def test_the_threshold_with_momentum_divides_proofs(optimiser: Momentum, factor: float) -> None:
    limit = theory.stability_limit(optimiser, 0.4)
    sharpness = float(np.linalg.eigvalsh([[2.0, 1.0], [1.0, 6.0]])[-1])
    made = law("x^2 + 3*y^2 + x*y", "x y", factor * limit / sharpness, optimiser, 0.4)
    found = prove_cycle(made.descent, np.zeros(4), 1)
    assert found is not None
    assert found.is_stable is (factor < 1.0)
    assert is_repelling(made.descent, Interval.around(np.zeros(2), 1e-9)) is (factor > 1.0)


def test_a_minimum_of_a_manifold_is_proved_to_repel_above_its_threshold() -> None:
    minimum = np.array([2.0, 0.5])  # sharpness 4.25
    below, above = network(2, 1.0, 1.99 / 4.25), network(2, 1.0, 2.01 / 4.25)
    assert not is_repelling(below.descent, Interval.around(minimum, 1e-9))
    assert is_repelling(above.descent, Interval.around(minimum, 1e-9))
    assert above.square is not None
    assert below.square is not None
    assert proved_ball(above.square, minimum, 1e-3) is None
    delta = proved_ball(below.square, minimum, 1e-3)
    assert delta is not None
    assert 0.0 < delta < 1e-3


@pytest.mark.parametrize("step", [0.3, 0.6, 0.9])
def test_the_proved_region_of_two_weights_lies_in_the_ellipse_of_bounded_starts(
    step: float,
) -> None:
    made = network(2, 1.0, step)
    reach = 1.02 * float(np.abs(theory.bounded_ellipse(step, 1.0)).max())
    region = region_of(made, reach, 200)
    cells = region.grid.boxes(np.flatnonzero(region.proved))
    for x in (cells.lo[:, 0], cells.hi[:, 0]):
        for y in (cells.lo[:, 1], cells.hi[:, 1]):
            assert (theory.bounded_level(np.stack([x, y], axis=-1), step, 1.0) < 1.0).all()
    area = 2.0 * np.pi * np.sqrt(4.0 / step**2 - 1.0)
    assert region.volume / area >= {0.3: 0.7, 0.6: 0.6, 0.9: 0.0}[step]


def converges(made: Law, points: FloatArray, steps: int = 3000) -> FloatArray:
    """Return residual sizes after a run in floats, without any interval."""
    assert made.square is not None
    for _ in range(steps):
        points = made.descent.plain_image(Interval.point(points)).mid
    return made.square.residual.value(Interval.point(points)).size


@pytest.mark.parametrize("rule", [None, Rule(alpha=1.0, cap=10.0), Rule(alpha=0.5, cap=10.0)])
def test_random_starts_of_a_proved_region_converge(rule: Rule | None) -> None:
    made = network(2, 1.0, 0.45, rule)
    region = region_of(made, 3.2, 128)
    assert region.proved.mean() > 0.2
    points = np.random.default_rng(5).uniform(-3.2, 3.2, (2000, 2))
    inside = points[region.holds(points)]
    assert (converges(made, inside, 400) < 1e-6).all()


def test_a_step_over_the_sharpness_has_the_larger_region() -> None:
    """With α = 1 and the fixed step of the same rate at the balanced minima, 1/S there."""
    fixed = region_of(network(2, 1.0, 0.5), 4.0, 160)
    scaled = region_of(network(2, 1.0, 0.5, Rule(alpha=1.0, cap=10.0)), 4.0, 160)
    ellipse = 2.0 * np.pi * np.sqrt(4.0 / 0.5**2 - 1.0)
    assert fixed.volume < ellipse < scaled.volume


def test_the_region_of_a_cycle() -> None:
    made = network(2, 2.0, 0.55)
    cycle = prove_cycle(made.descent, np.full(2, symmetric_orbit(2, 0.55)), 2)
    assert cycle is not None
    grid = Grid.of(np.array([0.8, 0.8]), np.array([1.8, 1.8]), 200)
    region = covering(made.descent, grid, cycle.cores, None, grow, go_on)
    assert region is not None
    assert region.proved.any()
    points = np.random.default_rng(1).uniform(0.8, 1.8, (4000, 2))
    points = points[region.holds(points)]
    for _ in range(4000):
        points = points - 0.55 * (points.prod(axis=1, keepdims=True) - 2.0) * points[:, ::-1]
    orbit = [each.mid for each in cycle.points]
    away = np.min([np.abs(points - each).max(axis=1) for each in orbit], axis=0)
    assert (away < 1e-6).all()


def cycle_at(made: Law, *point: float) -> ProvedCycle:
    found = prove_cycle(made.descent, np.array(point), 1)
    assert found is not None
    return found


def test_the_level_of_the_loss_is_bounded_by_the_next_equilibrium() -> None:
    """The loss x⁴/4 - x²/2 + y² falls from below its saddle's value 0, but not from there on."""
    made = law("x^4/4 - x^2/2 + y^2", step=0.1)
    domain = Interval(np.array([0.05, -1.0]), np.array([1.9, 1.0]))
    found = certified_level(
        made.descent, made.descent.loss, domain, loss_falls(made.descent), None, go_on
    )
    assert found is not None
    assert found.value is not None
    assert -0.25 < found.value <= 0.0


def test_the_level_of_a_quadratic_form_holds_no_start_that_leaves() -> None:
    made = law("x^2 + y^4 + x*y/3 + y^2", step=0.3)
    core = cycle_at(made, 0.0, 0.0).cores[0]
    function = Quadratic(core.center, core.weight)
    domain = Interval(np.full(2, -3.0), np.full(2, 3.0))
    found = certified_level(
        made.descent, function, domain, falls(made.descent, function), core, go_on
    )
    assert found is not None
    assert found.value is not None
    assert found.value > core.level
    points = np.random.default_rng(2).uniform(-3.0, 3.0, (4000, 2))
    points = points[function.value(Interval.point(points)).hi < found.value]
    for _ in range(500):
        points = made.descent.plain_image(Interval.point(points)).mid
    assert (np.abs(points) < 1e-9).all()


def typed_level(text: str, v: str, names: str, step: float, reach: float) -> float | None:
    """Return the level that is proved of a typed V, outside a tiny ball around the origin."""
    made = law(text, names, step)
    n = made.descent.dimension
    core = cycle_at(made, *np.zeros(n)).cores[0].within_level(1e-12)
    function = Enclosure(read(v, tuple(names.split())).tape, np.zeros(0))
    domain = Interval(np.full(n, -reach), np.full(n, reach))
    proved = falls(made.descent, function)
    found = certified_level(made.descent, function, domain, proved, core, go_on, 20_000)
    assert found is not None
    return found.value


@pytest.mark.parametrize(
    ("text", "v", "names"),
    [
        ("x^2/2 + y^2", "(x^2 + y^2)^2 - x^2 - y^2", "x y"),
        ("w^2/2", "w^4 - w^2", "w"),
        ("w^2/2", "-w^2", "w"),
        ("w^2/2", "w^2 + min(max(log(w - 1), 0), 1)", "w"),
    ],
)
def test_a_function_that_rises_next_to_the_equilibrium_has_no_level(
    text: str, v: str, names: str
) -> None:
    assert typed_level(text, v, names, 0.5, 3.0) is None


@pytest.mark.parametrize(
    ("text", "v", "names", "least"),
    [("x^2/2 + y^2", "x^2 + 2*y^2 + x*y/2", "x y", 7.0), ("w^2/2", "w^2 + w^4", "w", 89.0)],
)
def test_a_typed_function_that_falls_has_its_level_up_to_the_border(
    text: str, v: str, names: str, least: float
) -> None:
    level = typed_level(text, v, names, 0.5, 3.0)
    assert level is not None
    assert level > least


def test_a_core_is_cut_down_to_the_domain() -> None:
    core = cycle_at(law("x^2/2 + y^2", step=0.5), 0.0, 0.0).cores[0]
    within = core.within(Interval(np.array([-0.3, -1.0]), np.array([1.0, 0.2])))
    assert within is not None
    edge = np.linalg.inv(np.linalg.cholesky(core.weight)).T
    angle = np.linspace(0.0, 2.0 * np.pi, 400)
    points = np.sqrt(within.level) * np.stack([np.cos(angle), np.sin(angle)], axis=-1) @ edge.T
    assert points[:, 0].min() > -0.3
    assert points[:, 1].max() < 0.2
    assert core.within(Interval(np.full(2, 0.1), np.full(2, 1.0))) is None


def test_nothing_is_proved_of_a_loss_that_does_not_fall() -> None:
    made = law("x^2 + y^2", step=1.1)
    domain = Interval(np.full(2, -1.0), np.full(2, 1.0))
    found = certified_level(
        made.descent, made.descent.loss, domain, loss_falls(made.descent), None, go_on, 2000
    )
    assert found is not None
    assert found.value is None
    assert found.doubtful is not None


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_the_definition_of_stability_in_several_dimensions(n: int) -> None:
    names = [f"w{i + 1}" for i in range(n)]
    text = " + ".join(f"{i + 1}*{name}^2/2 + {name}^4" for i, name in enumerate(names))
    made = law(text, " ".join(names), 0.2)
    core = cycle_at(made, *np.zeros(n)).cores[0]
    delta = ball_within(core, 0.1)
    assert delta is not None
    rng = np.random.default_rng(n)
    points = rng.normal(size=(500, n))
    points *= 0.999 * delta / np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(100):
        points = made.descent.plain_image(Interval.point(points)).mid
        assert (np.linalg.norm(points, axis=1) < 0.1).all()


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_the_definition_of_stability_on_a_manifold(depth: int) -> None:
    made = network(depth, 1.0, 0.8 / depth)
    assert made.square is not None
    delta = proved_ball(made.square, np.ones(depth), 0.05)
    assert delta is not None
    points = np.random.default_rng(depth).normal(size=(500, depth))
    points = 1.0 + 0.999 * delta * points / np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(200):
        points = made.descent.plain_image(Interval.point(points)).mid
        assert (np.linalg.norm(points - 1.0, axis=1) < 0.05).all()
    assert (made.square.residual.value(Interval.point(points)).size < 1e-9).all()


@pytest.mark.parametrize("off", [1e-6, -1e-4, 1e-3])
def test_the_definition_holds_of_the_minimum_itself_where_the_point_is_off(off: float) -> None:
    made = network(2, 1.0, 0.4)
    assert made.square is not None
    at = np.array([1.0, 1.0 + off])
    delta = proved_ball(made.square, at, 0.05)
    assert delta is not None
    minimum = at[None]
    for _ in range(500):
        minimum = made.descent.plain_image(Interval.point(minimum)).mid
    angle = np.linspace(0.0, 2.0 * np.pi, 100)
    points = minimum + delta * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    for _ in range(200):
        points = made.descent.plain_image(Interval.point(points)).mid
        assert (np.linalg.norm(points - minimum, axis=1) < 0.05).all()
    exact = proved_ball(made.square, np.ones(2), 0.05)
    assert exact is not None
    assert delta < exact - abs(off) / 2.0  # the minimum is about |off| / √2 away
    assert proved_ball(made.square, at, 0.5 * abs(off)) is None


def test_no_other_equilibrium_is_taken_for_a_minimum_of_a_manifold() -> None:
    """There Newton's method has no isolated point to go to, and may leap to the saddle at 0."""
    for w1 in np.linspace(1.05, 1.8, 16):
        at = np.array([w1, 2.0 / w1])
        for shift in (0.0, 1e-12, 1e-9, 1e-7):
            assert prove_cycle(network(2, 2.0, 0.3).descent, at + shift, 1) is None


@dataclass(frozen=True, eq=False)
class Affine(EnclosedMap):
    """The map w -> Aw + b.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
    shift : ndarray, shape (n,)
    """

    matrix: FloatArray
    shift: FloatArray

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.shift)

    def plain_image(self, box: Interval) -> Interval:
        """Enclose images of boxes."""
        return applied(self.matrix, box) + self.shift

    def enclosures(self, box: Interval) -> tuple[Interval, Interval]:
        """Enclose images and derivatives of boxes."""
        slope = Interval.point(np.broadcast_to(self.matrix, (box.shape[0], *self.matrix.shape)))
        return self.plain_image(box), slope


def test_an_affine_map_is_enclosed() -> None:
    made = Affine(np.array([[0.5, 0.2], [-0.1, 0.4]]), np.array([1.0, 2.0]))
    exact = np.linalg.solve(np.eye(2) - made.matrix, made.shift)
    found = prove_cycle(made, exact + 1e-6, 1)
    assert found is not None
    assert found.is_stable
    assert (found.points[0].lo <= exact).all()
    assert (exact <= found.points[0].hi).all()


def test_a_kink_of_the_loss_proves_nothing_next_to_it() -> None:
    made = law("abs(x) + y^2", step=0.1)
    assert prove_cycle(made.descent, np.zeros(2), 1) is None
    assert not is_repelling(made.descent, Interval.around(np.zeros(2), 1e-3))


def test_a_stop_ends_every_proof() -> None:
    made = network(2, 1.0, 0.3)
    grid = Grid.of(np.full(2, -2.0), np.full(2, 2.0), 32)
    assert covering(made.descent, grid, (), made.square, grow, lambda done, text: False) is None
    domain = Interval(np.full(2, -2.0), np.full(2, 2.0))
    proved = loss_falls(made.descent)
    stopped = certified_level(
        made.descent, made.descent.loss, domain, proved, None, lambda done, text: False
    )
    assert stopped is None


def test_windows_hold_every_cell_that_a_box_meets() -> None:
    grid = Grid.of(np.zeros(2), np.ones(2), 8)
    boxes = Interval(np.array([[0.125, 0.3], [-0.1, 0.0]]), np.array([[0.25, 0.3], [0.2, 0.1]]))
    windows = grid.met(boxes)
    assert windows.first[0].tolist() == [1, 2]
    assert windows.last[0].tolist() == [1, 2]
    assert windows.fits.tolist() == [True, False]
    mask = np.zeros((8, 8), bool)
    mask[1, 2] = True
    assert windows.are_within(mask).tolist() == [True, False]
    assert windows.meet(mask).tolist() == [True, False]


def descent_is_plain(made: Law) -> bool:
    return isinstance(made.descent, Descent) and not made.descent.has_velocity


def test_the_square_of_a_residual_is_recognised() -> None:
    for text in ("(x*y - 2)^2", "3*(x - y)^2/7", "(x*y - 2)^2/2 * 4"):
        made = law(text)
        assert made.square is not None, text
        box = Interval.point(np.array([[0.3, 1.7]]))
        r = made.square.residual.value(box)
        half = 0.5 * made.square.factor * r.squared()
        loss = made.descent.loss.value(box)
        assert half.lo <= loss.hi
        assert loss.lo <= half.hi
    for text in ("(x*y - 2)^2 + y^2", "-(x - y)^2", "x*(x - y)^2", "x + y"):
        assert law(text).square is None, text
    assert not descent_is_plain(law("x^2", "x y", 0.1, "heavy-ball", 0.5))
