"""Orbit diagrams, basins and stability regions: what they show, and that it is true."""

from __future__ import annotations

import math
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from engine import theory
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind
from engine.core.params import update
from engine.core.registry import get
from engine.maps.axis import Axis
from engine.maps.catalogue import kind
from engine.maps.kind import Prepared
from engine.maps.spec import KindId, MapSpec
from engine.run.session import Session
from engine.theory.optimisers.law import DescentLaw

STOP = threading.Event()
HIMMELBLAU = "(x^2 + y - 11)^2 + (x + y^2 - 7)^2"


def prepared(
    which: KindId,
    experiment: str,
    x: str,
    y: str,
    steps: int = 1500,
    options: dict[str, float] | None = None,
    **values: Any,
) -> Prepared:
    """Make a map ready."""
    params = get(experiment).parameters(**values)
    spec = MapSpec(
        kind=which,
        experiment=experiment,
        params=params,
        x=Axis.parse(x),
        y=Axis.parse(y),
        steps=steps,
        options=options or {},
    )
    return kind(which).prepare(spec)


def grid(made: Prepared) -> dict[str, np.ndarray[Any, Any]]:
    """Compute all cells, as rows."""
    x, y = made.spec.x.values, made.spec.y.values
    cells = made.cells(np.tile(x, len(y)), np.repeat(y, len(x)), STOP)
    return {name: values.reshape(len(y), len(x)) for name, values in cells.items()}


def names(made: Prepared) -> dict[int, str]:
    return {each.code: each.name for each in made.classes}


def test_what_stays_bounded_with_two_weights_is_the_ellipse() -> None:
    step, target, cells = 0.9, 1.0, 400
    made = prepared(
        "basin",
        "scalar-product",
        f"w1=-4:4:{cells}",
        f"w2=-4:4:{cells}",
        600,
        depth=2,
        target=target,
        step_size=step,
    )
    outcome = grid(made)["outcome"]
    bounded = np.vectorize(names(made).get)(outcome) != "diverged"
    w1, w2 = np.meshgrid(made.spec.x.values, made.spec.y.values)
    level = (w1 + w2) ** 2 / (2 / step + target) + (w1 - w2) ** 2 / (2 / step - target)
    clear = np.abs(level - 4.0) > 1e-3
    assert np.mean((bounded == (level < 4.0))[clear]) >= 0.9999
    (ellipse,) = made.overlays()
    on_it = (ellipse.x + ellipse.y) ** 2 / (2 / step + target)
    on_it += (ellipse.x - ellipse.y) ** 2 / (2 / step - target)
    np.testing.assert_allclose(on_it, 4.0)
    share = 2 * math.pi * math.sqrt(4 / step**2 - target**2) / 64
    assert np.mean(bounded) == pytest.approx(share, abs=2e-3)


def test_the_basins_with_a_penalty_have_three_classes() -> None:
    made = prepared(
        "basin",
        "own-loss",
        "x=-4:4:96",
        "y=-4:4:96",
        1000,
        function="(x*y - a)^2/2 + r/2*(x^2 + y^2)",
        constants="a = 0.5; r = 0.2",
        step_size=1.0,
    )
    fields = grid(made)
    shown = {names(made)[code] for code in np.unique(fields["outcome"]).tolist()}
    minima = {name for name in shown if name.startswith("minimum")}
    assert len(minima) == 2
    assert shown <= minima | {
        "diverged",
        "held at an equilibrium that repels",
        "undecided",
    }
    clear = ~np.fliplr(np.eye(96, dtype=bool))  # those starts are drawn to the saddle at 0
    one, other = fields["outcome"] == 0, fields["outcome"] == 1
    np.testing.assert_array_equal(one[clear], one.T[clear])  # exchanging x and y changes nothing
    np.testing.assert_array_equal(one[clear], other[::-1, ::-1][clear])
    at_rest = fields["outcome"] < 2
    np.testing.assert_allclose(fields["sharpness"][at_rest], 0.6, atol=1e-6)


CASES: tuple[tuple[KindId, str, str, str, dict[str, Any]], ...] = (
    ("basin", "scalar-product", "w1=-3:3:100", "w2=-3:3:100", {"depth": 2, "step_size": 0.4}),
    ("basin", "scalar-product", "w1=-3:3:100", "w3=-3:3:100", {"depth": 3, "step_size": 0.2}),
    ("stability", "scalar-product", "target=0.5:4:100", "step_size=0.01:0.8:100", {"depth": 2}),
    (
        "stability",
        "scalar-product",
        "momentum=0:0.9:100",
        "step_size=0.01:1:100",
        {"depth": 2, "optimiser": "nesterov"},
    ),
    (
        "basin",
        "own-loss",
        "x=-5:5:100",
        "y=-5:5:100",
        {"function": HIMMELBLAU, "constants": "", "step_size": 0.03},
    ),
    (
        "stability",
        "own-loss",
        "a=0.5:4:100",
        "step_size=0.01:2.5:100",
        {"function": "a*(x - 1)^2 + y^4/4 - y^2/2", "constants": "a = 1"},
    ),
    ("stability", "double-scalar", "target=-3:-0.2:100", "step_size=0.01:0.3:100", {}),
    (
        "stability",
        "least-squares",
        "momentum=0:0.9:100",
        "step_size=0.01:0.5:100",
        {"optimiser": "heavy-ball"},
    ),
)
RIGHT: dict[str, tuple[OutcomeKind, ...]] = {
    "diverged": (OutcomeKind.DIVERGED,),
    "led to where the loss is no number": (OutcomeKind.DIVERGED,),
    "aperiodic": (OutcomeKind.APERIODIC, OutcomeKind.MAX_STEPS, OutcomeKind.OSCILLATING),
    "held at an equilibrium that repels": (OutcomeKind.CONVERGED, OutcomeKind.CONVERGING),
}
AT_REST = (OutcomeKind.CONVERGED, OutcomeKind.CONVERGING)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]} {case[2]}")
def test_no_cell_contradicts_the_verdict_of_its_run(
    case: tuple[KindId, str, str, str, dict[str, Any]],
) -> None:
    which, experiment, x, y, values = case
    made = prepared(which, experiment, x, y, **values)
    rng, count = np.random.default_rng(5), 64
    at_x = rng.uniform(made.spec.x.low, made.spec.x.high, count)
    at_y = rng.uniform(made.spec.y.low, made.spec.y.high, count)
    cells = made.cells(at_x, at_y, STOP)
    for i in range(count):
        name = names(made)[int(cells["outcome"][i])]
        if name == "undecided":
            continue
        params = update(made.spec.params, **made.start_at(at_x[i], at_y[i]))
        session = Session(get(experiment), params, 0)
        session.advance(made.spec.steps)
        outcome = session.outcome()
        session.close()
        if name.startswith("cycle of period"):
            assert outcome.period in (int(name.split()[-1]), None)
            assert outcome.kind not in (OutcomeKind.DIVERGED, OutcomeKind.APERIODIC)
        else:
            assert outcome.kind in RIGHT.get(name, AT_REST), (name, params, outcome.message)


def test_the_bounds_of_the_theory_lie_over_a_stability_region() -> None:
    made = prepared(
        "stability",
        "scalar-product",
        "target=0.5:4:40",
        "step_size=0:1:40",
        500,
        depth=2,
    )
    curves = {curve.label.split(",")[0]: curve for curve in made.overlays()}
    largest = curves[r"$\delta_{\max}$"]
    np.testing.assert_allclose(largest.y, 1.0 / largest.x)  # 2 / (2 λ)
    assert largest.source == "Proposition 1"


def test_the_critical_step_size_follows_an_isolated_minimum() -> None:
    made = prepared(
        "stability",
        "own-loss",
        "a=0.5:4:40",
        "step_size=0:1.5:40",
        500,
        function="a*(x - 1)^2 + y^4/4 - y^2/2",
        constants="a = 1",
    )
    (curve,) = made.overlays()
    np.testing.assert_allclose(curve.y, 2.0 / np.maximum(2.0 * curve.x, 2.0))


def test_a_prepared_map_is_the_same_in_another_process() -> None:
    made = prepared(
        "basin",
        "own-loss",
        "x=-5:5:20",
        "y=-5:5:20",
        300,
        function=HIMMELBLAU,
        constants="",
        step_size=0.01,
    )
    other = pickle.loads(pickle.dumps(made))
    for name, values in grid(made).items():
        np.testing.assert_array_equal(grid(other)[name], values)


def test_an_orbit_diagram_shows_periods_exponents_and_where_runs_leave() -> None:
    made = prepared(
        "orbit", "scalar-product", "step_size=0.4:1.1:140", "w1=-2:2:50", 2000, depth=2, target=2.0
    )
    cells = made.cells(made.spec.x.values, np.empty(0), STOP)
    steps, period = made.spec.x.values, cells["period"]
    known = {(0.41, 0.49): 1, (0.51, 0.61): 2, (0.625, 0.64): 4}
    for (low, high), expected in known.items():
        inside = (steps > low) & (steps < high)
        assert set(period[inside].tolist()) == {expected}
        assert np.all(cells["exponent"][inside] < 0.0)
    at = int(np.argmin(np.abs(steps - 0.5525)))
    assert len(np.unique(np.round(cells["points"][at], 9))) == 2
    assert not np.isfinite(cells["points"][steps > 1.01]).any()
    assert np.all(cells["exponent"][(steps > 0.97) & (steps < 0.99)] > 0.5)


def test_the_observable_may_be_the_loss_or_the_sharpness() -> None:
    x = np.array([0.5, 1.0])
    for name, expected in (("loss", 0.0), ("sharpness", None), ("x", None)):
        made = prepared("orbit", "own-loss", "lambda=0.5:3:40", f"{name}=0:4:40", 2000)
        points = made.cells(x, np.empty(0), STOP)["points"]
        if expected is not None:
            np.testing.assert_allclose(points, expected, atol=1e-20)
        else:
            assert np.isfinite(points).all() and np.all(np.ptp(points, axis=1) < 1e-9)


def reached(which: KindId, experiment: str, x: str, y: str, **values: Any) -> float:
    """Return the sharpness that the run in the middle of a map of 41 x 41 cells reaches."""
    made = prepared(which, experiment, x, y, 3000, **values)
    if which == "orbit":
        points = made.cells(made.spec.x.values[20:21], np.empty(0), STOP)["points"]
        assert np.ptp(points) < 1e-6
        return float(points[0, -1])
    cells = made.cells(made.spec.x.values[20:21], made.spec.y.values[20:21], STOP)
    assert "minim" in names(made)[int(cells["outcome"][0])]
    return float(cells["sharpness"][0])


@pytest.mark.parametrize("which, y", [("stability", "step_size=0.05:0.15:41"), ("orbit", "")])
@pytest.mark.parametrize("depth, target", [(2, 1.782), (3, 1.782), (5, 0.7)])
def test_the_sharpness_of_equal_weights_is_that_of_all_weights(
    which: KindId, y: str, depth: int, target: float
) -> None:
    expected = depth * target ** (2.0 * (depth - 1) / depth)
    x, y = f"target={target - 0.1}:{target + 0.1}:41", y or "sharpness=0:10:41"
    for last, share in ((1.0, 1e-6), (1.001, 0.01), (-1.0, 1e-6)):
        weights = (*[math.copysign(1.0, last)] * (depth > 2), *[1.0] * (depth - 2 - (depth > 2)))
        start = (*weights, last, 1.0)
        signs = float(np.prod(np.sign(start)))
        chosen = {"depth": depth, "init": "list", "weights": start, "step_size": 0.1}
        along = x if signs > 0.0 else f"target={-target - 0.1}:{-target + 0.1}:41"
        chosen["target"] = signs * target
        found = reached(which, "scalar-product", along, y, **chosen)
        assert found == pytest.approx(expected, rel=share)


def test_basins_of_merged_weights_have_the_sharpness_of_all_weights() -> None:
    target, weights = 1.782, (1.0, 1.0, 1.0, 1.0)
    for others, share in ((weights, 1e-6), ((1.0, 1.0, 1.0, 1.001), 0.01)):
        found = reached(
            "basin",
            "scalar-product",
            "w1=0.9:1.1:41",
            "w2=0.9:1.1:41",
            depth=4,
            target=target,
            init="list",
            weights=others,
            step_size=0.05,
        )
        assert found == pytest.approx(4.0 * target**1.5, rel=share)


@pytest.mark.parametrize("depth, target, step", [(5, -1.0, 0.1), (3, 0.8, 0.05), (2, 1.3, 0.1)])
def test_the_sharpness_of_a_double_network_is_that_of_the_theory(
    depth: int, target: float, step: float
) -> None:
    chosen = {"depth": depth, "target": target, "step_size": step, "noise": 0.0}
    axis = f"step_size={step - 0.01}:{step + 0.01}:41"
    seen = []
    for name in "wz":
        made = prepared("orbit", "double-scalar", axis, f"{name}=-2:2:41", 3000, **chosen)
        points = made.cells(np.array([step]), np.empty(0), STOP)["points"]
        seen.append(float(points[0, -1]))
    expected = theory.double_sharpness(seen[0], seen[1], depth)
    other = f"target={target - 0.1}:{target + 0.1}:41"
    kinds: tuple[tuple[KindId, str, str], ...] = (
        ("stability", other, axis),
        ("orbit", axis, "sharpness=0:10:41"),
    )
    for which, x, y in kinds:
        found = reached(which, "double-scalar", x, y, **chosen)
        assert found == pytest.approx(expected, rel=1e-6)
    law = get("double-scalar").law(get("double-scalar").parameters(**chosen), 0, ())
    assert isinstance(law, DescentLaw)
    w, z = law.start.tolist()
    axes = [f"{n}={v - 0.1}:{v + 0.1}:41" for n, v in (("w", w), ("z", z))]
    found = reached("basin", "double-scalar", axes[0], axes[1], **chosen)
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_saddle_across_equal_weights_is_no_minimum() -> None:
    made = prepared(
        "stability",
        "scalar-product",
        "target=-1.1:-0.9:3",
        "step_size=0.2:0.4:3",
        3000,
        depth=2,
        target=-1.0,
        init="list",
        weights=(0.5, 0.5),
    )
    cells = made.cells(np.array([-1.0]), np.array([0.3]), STOP)
    assert names(made)[int(cells["outcome"][0])] == "held at an equilibrium that repels"
    assert cells["sharpness"][0] == pytest.approx(1.0)  # eigenvalues 1 and -1 at 0


def test_factors_of_step_sizes_do_not_change_the_sharpness_of_an_own_loss() -> None:
    kinds: tuple[tuple[KindId, str], ...] = (
        ("stability", "step_size=0.2:0.4:41"),
        ("orbit", "sharpness=0:9:41"),
    )
    for scales in ((0.2, 1.0), (0.5, 0.5), ()):
        chosen: dict[str, Any] = {
            "function": "a*x^2/2 + 2*y^2",
            "constants": "a = 1",
            "start": (0.5, 0.5),
            "scales": scales,
            "step_size": 0.3,
        }
        for which, y in kinds:
            found = reached(which, "own-loss", "a=0.9:1.1:41", y, **chosen)
            assert found == pytest.approx(4.0)
    made = prepared(
        "stability",
        "own-loss",
        "a=0.9:1.1:3",
        "step_size=0.2:0.4:3",
        **chosen | {"scales": (1, 0.5)},
    )  # the limit is 2 / (0.5 * 4) = 1
    cells = made.cells(np.array([1.0, 1.0]), np.array([0.98, 1.02]), STOP)
    assert names(made)[int(cells["outcome"][0])].startswith("at a minimum")
    assert names(made)[int(cells["outcome"][1])] == "diverged"


def test_a_plane_through_two_directions() -> None:
    options = {"u.w1": 1.0, "u.w2": 1.0, "v.w3": 2.0}
    made = prepared(
        "basin", "scalar-product", "u=-1:1:20", "v=-1:1:20", 500, options, depth=3, step_size=0.1
    )
    start = made.start_at(0.5, -0.25)["weights"]
    np.testing.assert_allclose(start, [1.5, 1.5, 0.5])


@pytest.mark.parametrize(
    "which, x, y, field",
    [
        ("basin", "w1=-1:1:9", "step_size=0:1:9", "y"),
        ("basin", "w1=-1:1:9", "w1=-1:1:9", "y"),
        ("basin", "u=-1:1:9", "w1=-1:1:9", "u"),
        ("stability", "depth=1:4:9", "step_size=0.1:1:9", "x"),
        ("stability", "momentum=0:1:9", "step_size=0.1:1:9", "x"),
        ("stability", "target=0:1e70:9", "step_size=0.1:1:9", "target"),
        ("orbit", "step_size=0.1:1:9", "w9=0:1:9", "y"),
        ("orbit", "nothing=0.1:1:9", "w1=0:1:9", "x"),
    ],
)
def test_axes_that_cannot_be_varied_are_refused_in_a_sentence(
    which: KindId, x: str, y: str, field: str
) -> None:
    with pytest.raises(InputError) as refusal:
        prepared(which, "scalar-product", x, y, depth=3)
    assert refusal.value.field == field


def test_options_and_steps_are_checked() -> None:
    axes = "step_size=0.1:1:9", "w1=0:1:9"
    for options in ({"points": 0.5}, {"points": 1e9}, {"other": 1.0}, {"points": math.nan}):
        with pytest.raises(InputError):
            prepared("orbit", "scalar-product", *axes, 10, options)
    with pytest.raises(InputError):
        prepared("orbit", "scalar-product", *axes, 10**7)
    with pytest.raises(InputError):
        prepared("stability", "scalar-product", "target=1:2:9", axes[0], 0)


def test_a_map_of_endless_runs_stops_at_once() -> None:
    made = prepared(
        "basin", "own-loss", "x=1:2:9", "y=1:2:9", 10**9, function="x^4 + y^4", constants=""
    )
    stop = threading.Event()
    stop.set()
    x = made.spec.x.values
    assert np.all(made.cells(x, x, stop)["outcome"] == 255)
    timer = threading.Timer(0.2, stop.set)
    stop.clear()
    timer.start()
    made.cells(x, x, stop)  # 9 runs of a thousand million steps
    assert stop.is_set()


@pytest.mark.parametrize("optimiser", ["adam", "sam"])
def test_an_optimiser_that_never_rests_is_placed_near_a_minimum(optimiser: str) -> None:
    made = prepared(
        "basin",
        "own-loss",
        "x=-5:5:6",
        "y=-5:5:6",
        2000,
        function=HIMMELBLAU,
        constants="",
        step_size=0.005,
        optimiser=optimiser,
        radius=0.01,
    )
    shown = [names(made)[code] for code in grid(made)["outcome"].ravel().tolist()]
    assert sum(name.startswith("near minimum") for name in shown) >= 30


def test_points_of_a_manifold_are_not_listed_as_isolated_minima() -> None:
    made = prepared("basin", "own-loss", "x=-3:3:6", "y=-3:3:6", 1000, optimiser="adam")
    assert not any(each.name.startswith("minimum") for each in made.classes)


def test_an_isolated_degenerate_minimum_is_on_no_manifold() -> None:
    """Only at a = 0, which no cell of the sample has, is the minimum flat along y."""
    made = prepared(
        "stability",
        "own-loss",
        "a=-1:1:41",
        "step_size=0.3:0.7:3",
        function="x^2/2 + a*y^2/2 + y^4",
        constants="a = 1",
        start=(1.0, 0.0),
    )
    shown = grid(made)["outcome"]
    assert {names(made)[code] for code in shown[:, 20].tolist()} == {"undecided"}
    assert {names(made)[code] for code in shown[:, 21:].ravel().tolist()} == {"at a minimum"}


@pytest.mark.parametrize(
    ("function", "step"),
    [("(x*y - 2)^2/2", 0.45), ("(x*y - 0.5)^2/2 + 0.1*(x^2 + y^2)", 1.0), ("x^4 + y^2", 0.2)],
)
def test_a_cell_is_the_same_whatever_is_computed_with_it(function: str, step: float) -> None:
    made = prepared(
        "basin",
        "own-loss",
        "x=-3:3:31",
        "y=-3:3:7",
        600,
        function=function,
        constants="",
        step_size=step,
    )
    x, y = np.tile(made.spec.x.values, 7), np.repeat(made.spec.y.values, 31)
    whole = made.cells(x, y, STOP)
    for rows in (slice(0, 1), slice(1, 4), slice(60, 131), np.arange(216, -1, -5)):
        for name, values in made.cells(x[rows], y[rows], STOP).items():
            np.testing.assert_array_equal(values, whole[name][rows])


def test_a_flat_line_of_one_column_is_a_manifold() -> None:
    """Of a family of losses whose minima are isolated but for the one at a = 0."""
    made = prepared(
        "stability",
        "own-loss",
        "a=-1:1:41",
        "step_size=0.3:0.7:3",
        function="x^2/2 + a*y^2/2",
        constants="a = 1",
        start=(1.0, 0.0),
    )
    shown = grid(made)["outcome"][:, 20]
    assert {names(made)[code] for code in shown.tolist()} == {"on a manifold of minima"}


def test_every_experiment_without_a_law_has_none_of_these_maps() -> None:
    params = get("matrix-product").parameters()
    for which in ("orbit", "basin", "stability"):
        assert kind(which).offer("matrix-product", params, 0) is None


@pytest.mark.parametrize(
    "experiment", ["own-loss", "scalar-product", "double-scalar", "least-squares"]
)
@pytest.mark.parametrize("which", ["orbit", "basin", "stability"])
def test_what_is_offered_can_be_prepared(which: KindId, experiment: str) -> None:
    params = get(experiment).parameters()
    offer = kind(which).offer(experiment, params, 0)
    assert offer is not None
    spec = MapSpec(
        kind=which,
        experiment=experiment,
        params=params,
        x=offer.x,
        y=offer.y,
        steps=min(offer.steps, 200),
        options=offer.options,
    )
    made = kind(which).prepare(spec)
    assert set(offer.labels) >= {*offer.x_names, *offer.y_names}
    middle = float(spec.x.values[len(spec.x.values) // 2])
    assert update(params, **made.start_at(middle, float(spec.y.values[1]))) != params
