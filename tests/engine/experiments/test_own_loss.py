"""The user's own loss: against the paper's network, known functions, and independent runs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core import beside
from engine.core.claims import Verdict
from engine.core.errors import InputError
from engine.core.outcome import Outcome, OutcomeKind, Standing
from engine.core.params import build, update
from engine.experiments.own_loss.analysis import analysis_of
from engine.experiments.own_loss.experiment import OwnLoss
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.problem import loss_of
from engine.experiments.scalar_product.experiment import ScalarProduct
from engine.experiments.scalar_product.params import ScalarParams
from engine.expressions.constants import read_constants, with_value, write_constants
from engine.run.analyst import complete
from engine.run.session import Session
from engine.storage.view_data import view_keys
from engine.theory.optimisers import OPTIMISERS, describe

LAB = OwnLoss()


FITTED = {"function": "w1*x", "minimise": "least-squares"}


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    beside.forget()
    yield
    beside.forget()


def params(**values: Any) -> OwnLossParams:
    return build(OwnLossParams, values)


def run(made: OwnLossParams, steps: int) -> Session:
    session = Session(LAB, made, 0)
    session.advance(steps)
    return session


def analysed(session: Session) -> None:
    assert complete(LAB, session.params, session.state, lambda fraction, text: True)


def bound(session: Session, name: str) -> float | None:
    found = LAB.theory(session.params, session.state)
    return next(each.value for each in found if each.id == name)


def verdicts(session: Session) -> dict[str, Verdict]:
    claims = LAB.claims(session.params, session.state, session.recent())
    return {claim.id: claim.verdict for claim in claims}


@pytest.mark.parametrize(
    ("optimiser", "step_size"),
    [("gradient-descent", 0.11), ("heavy-ball", 0.12), ("nesterov", 0.06)],
)
def test_the_typed_network_is_that_of_the_paper(optimiser: str, step_size: float) -> None:
    start, depth = (0.9, 1.0, 1.1, 1.2, 1.3), 5
    typed = run(
        params(
            function="(prod(w[i], i = 1..5) - lambda)^2/2",
            start=start,
            step_size=step_size,
            optimiser=optimiser,
            momentum=0.3,
        ),
        300,
    )
    paper = Session(
        ScalarProduct(),
        build(
            ScalarParams,
            {
                "depth": depth,
                "init": "list",
                "weights": start,
                "step_size": step_size,
                "optimiser": optimiser,
                "momentum": 0.3,
            },
        ),
        0,
    )
    paper.advance(300)
    mine, its = typed.recent(), paper.recent()
    np.testing.assert_allclose(mine["weights"], its["weights"], rtol=1e-10)
    np.testing.assert_allclose(mine["loss"], its["loss"], rtol=1e-10, atol=1e-20)
    np.testing.assert_allclose(mine["step_size"], its["step_size"], rtol=1e-10)
    known = np.isfinite(mine["sharpness"]) & np.isfinite(its["edge"])
    assert known.sum() > 100
    np.testing.assert_allclose(mine["stability"][known], its["edge"][known], rtol=1e-10)
    np.testing.assert_allclose(mine["hessian"][known], its["hessian"][known], rtol=1e-9, atol=1e-9)


def test_the_cycle_beyond_the_critical_step_is_the_predicted_one() -> None:
    session = run(params(start=(1.3, 1.5), step_size=0.5 * 1.0005), 40_000)
    analysed(session)
    assert bound(session, "critical") == pytest.approx(0.5, rel=1e-9)
    assert bound(session, "flip") == pytest.approx(2.0, rel=1e-9)
    rows = session.recent()["weights"]
    half = 0.5 * float(np.linalg.norm(rows[-1] - rows[-2]))
    assert half == pytest.approx(bound(session, "amplitude"), rel=1e-3)
    assert session.outcome().period == 2
    assert verdicts(session)["flip"] is Verdict.HOLDS


def test_a_cycle_that_the_theory_does_not_speak_of_is_not_denied() -> None:
    """Its minimum is one of a manifold, and not the flattest."""
    session = run(params(step_size=0.51), 400)
    analysed(session)
    claims = LAB.claims(session.params, session.state, session.recent())
    claim = next(each for each in claims if each.id == "flip")
    assert session.outcome().period == 2 and claim.verdict is Verdict.NOT_APPLICABLE
    assert claim.measured == "period 2"


def test_convergence_below_the_threshold_holds_and_beyond_it_does_not_apply() -> None:
    session = run(params(step_size=0.3), 400)
    assert session.outcome().standing is Standing.AT_MINIMUM
    assert verdicts(session)["threshold"] is Verdict.HOLDS
    beyond = run(params(step_size=0.51), 400)
    assert verdicts(beyond)["threshold"] is Verdict.UNDECIDED


def _sharp_ends() -> list[tuple[float, float]]:
    return [(0.1, 5.0), (0.05, 4.6), (0.2, 5.4)]


@pytest.mark.parametrize("start", _sharp_ends())
def test_log_cosh_ends_just_below_the_edge(start: tuple[float, float]) -> None:
    """Song and Yun (2023): S ends below 2/η = 16, from the sharp side at one place."""
    session = run(params(function="logcosh(x*y)", start=start, step_size=0.125), 4000)
    sharpness = LAB.final(session.state, session.recent())["sharpness"]
    assert sharpness == pytest.approx(15.8116, abs=5e-5)
    assert session.outcome().kind is OutcomeKind.CONVERGED


def test_the_quartic_product_ends_within_the_interval_of_zhu_et_al() -> None:
    step = 0.05
    session = run(params(function="(1 - x^2*y^2)^2/2", start=(3.2, 0.315), step_size=step), 20_000)
    sharpness = LAB.final(session.state, session.recent())["sharpness"]
    assert 2 / step - 20 * step / 3 < sharpness < 2 / step


@pytest.mark.parametrize(
    ("function", "start", "standing"),
    [
        ("x^2 - y^2", (1.0, 0.0), Standing.NEARING_SADDLE),
        ("x^2 + y^4", (1.0, 0.0), Standing.AT_SADDLE),  # degenerate: no minimum is claimed
        ("x^2 + 3*y^2", (1.0, 1.0), Standing.AT_MINIMUM),
    ],
)
def test_what_rests_is_named_by_its_hessian(
    function: str, start: tuple[float, ...], standing: Standing
) -> None:
    session = run(params(function=function, start=start, step_size=0.1), 400)
    assert session.outcome().standing is standing


@pytest.mark.parametrize(
    ("function", "start", "step_size"),
    [
        ("exp(-x) + y^2", (0.0, 1.0), 0.5),
        ("softplus(-x)", (0.0,), 1.0),
        ("1/(1 + x^2)", (1.0,), 1.0),
    ],
)
def test_a_loss_that_falls_for_ever_has_no_minimum_near(
    function: str, start: tuple[float, ...], step_size: float
) -> None:
    session = run(params(function=function, start=start, step_size=step_size, searches=8), 5000)
    outcome: Outcome = session.outcome()
    assert not outcome.standing.is_by_minimum
    assert outcome.kind is not OutcomeKind.CONVERGED
    analysed(session)
    found = analysis_of(session.params, 0)
    assert found is not None and not found.minima


@pytest.mark.parametrize("optimiser", ["sam", "normalised-gd"])
def test_what_never_rests_never_converges(optimiser: str) -> None:
    session = run(params(optimiser=optimiser, step_size=0.05, start=(1.3, 1.6)), 3000)
    assert session.outcome().kind is not OutcomeKind.CONVERGED
    assert verdicts(session)["threshold"] is Verdict.NOT_APPLICABLE


@settings(max_examples=12)
@given(
    st.integers(1, 400),
    st.integers(1, 64),
    st.sampled_from(["gradient-descent", "nesterov", "adam", "rmsprop", "polyak", "sam"]),
)
def test_a_run_does_not_depend_on_its_split(steps: int, part: int, optimiser: str) -> None:
    made = params(optimiser=optimiser, step_size=0.05, schedule="cosine", warmup=7)
    whole, parts = run(made, steps), Session(LAB, made, 0)
    while parts.step < steps and not parts.finished:
        parts.advance(min(part, steps - parts.step))
    assert whole.step == parts.step
    assert whole.state.weights.tobytes() == parts.state.weights.tobytes()
    assert whole.state.moments.tobytes() == parts.state.moments.tobytes()


def test_a_constant_is_moved_while_the_run_goes_on() -> None:
    session = run(params(step_size=0.2), 100)
    session.retune(update(session.params, constants=with_value("lambda = 2", "lambda", 3.0)))
    session.advance(300)
    assert float(np.prod(session.state.weights)) == pytest.approx(3.0, abs=1e-9)
    assert session.state.changed_at == 100


def test_data_are_fitted() -> None:
    """The least-squares line through points, against NumPy's."""
    rows = ((0.0, 1.0), (1.0, 2.9), (2.0, 5.1), (3.0, 7.0))
    session = run(
        params(
            function="w1*x + w2",
            minimise="least-squares",
            rows=rows,
            start=(0.0, 0.0),
            step_size=0.25,
        ),
        2000,
    )
    x, y = np.array(rows).T
    np.testing.assert_allclose(session.state.weights, np.polyfit(x, y, 1), rtol=1e-8)


def test_a_step_into_the_undefined_ends_the_run_in_words() -> None:
    session = run(params(function="log(x)", start=(0.5,), step_size=1.0), 50)
    outcome = session.outcome()
    assert outcome.kind is OutcomeKind.DIVERGED
    assert "undefined" in outcome.phase


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"function": ""}, "function"),
        ({"function": "x +"}, "function"),
        ({"function": "__import__('os')"}, "function"),
        ({"function": "3"}, "function"),
        ({"function": "x", "variables": "x, x"}, "variables"),
        ({"constants": "lambda"}, "constants"),
        ({"constants": "lambda = 1; lambda = 2"}, "constants"),
        ({"constants": "lambda = 5 in 0..1"}, "constants"),
        ({"constants": "x = 1"}, "constants"),
        ({"constants": "pi = 3"}, "constants"),
        ({"scales": [1.0, 2.0, 3.0]}, "scales"),
        ({"minimise": "least-squares"}, "function"),
        (FITTED | {"rows": [[1.0], [2.0]]}, "rows"),
        (FITTED | {"rows": [[1.0, 2.0], [2.0]]}, "rows"),
        (FITTED | {"function": "w1*x2"}, "function"),
        (FITTED | {"data_from": "file"}, "data_file"),
        (FITTED | {"data_from": "file", "data_file": "no.csv"}, "data_file"),
        ({"minimise": "logistic", "rows": [[1.0, 3.0], [2.0, 1.0]], "function": "w1*x"}, "y"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_field(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        LAB.init(params(**values), 0)
    assert caught.value.refusal.field == field


def test_a_changed_file_is_read_again(tmp_path: Any) -> None:
    path = tmp_path / "points.csv"
    made = params(function="w1*x", minimise="least-squares", data_from="file", data_file=str(path))
    path.write_text("1,2\n2,4\n")
    assert loss_of(made).value(np.array([2.0])) == 0.0
    path.write_text("1,3\n2,6\n3,9\n")
    assert loss_of(made).value(np.array([3.0])) == 0.0


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "lambda", "rho", "k2"]),
        st.floats(-1e9, 1e9, allow_subnormal=False),
        max_size=5,
    )
)
def test_constants_are_read_as_they_are_written(values: dict[str, float]) -> None:
    text = "; ".join(f"{name} = {value!r}" for name, value in values.items())
    found = read_constants(text)
    assert {key: constant.value for key, constant in found.items()} == values
    assert read_constants(write_constants(found)) == found


@given(st.text(max_size=40))
def test_any_text_of_constants_is_read_or_refused(text: str) -> None:
    try:
        read_constants(text)
    except InputError as error:
        assert error.refusal.field == "constants"


def test_the_start_is_dragged_in_every_plane() -> None:
    made = params(function="sum(w[i]^2, i = 1..3)", start=(1.0, 2.0, 3.0), axis_x=1, axis_y=3)
    dragged = LAB.drag(made, "start", 0.5, -0.5)
    assert dragged.start == (0.5, 2.0, -0.5)
    planes = params(function="x^2 + 2*y^2 + 3*z^2", start=(1.0, 2.0, 2.0), plane="eigenvectors")
    session = run(planes, 1)
    analysed(session)
    there = LAB.observe(session.state, session.recent())
    dragged = LAB.drag(planes, "start", float(there["start_x"]), float(there["start_y"]))
    expected = np.array([0.0, 2.0, 2.0])  # the sharpest directions are z and y
    np.testing.assert_allclose(dragged.start, expected, atol=1e-5)


@pytest.mark.parametrize("plane", ["eigenvectors", "start-to-minimum"])
def test_two_variables_through_the_start_are_shown_as_long_as_no_minimum_is_known(
    plane: str,
) -> None:
    function = "x^2 + 2*y^2 + 3*(z - 0.25)^2"
    made = params(function=function, start=(1.0, 2.0, 2.0), plane=plane)
    stand_in = run(made, 20)
    there = LAB.observe(stand_in.state, stand_in.recent())
    chosen = run(params(function=function, start=(1.0, 2.0, 2.0)), 20)
    expected = LAB.observe(chosen.state, chosen.recent())
    for key in ("level_x", "level_y", "path_x", "path_y", "start_x", "start_y", "surface"):
        np.testing.assert_array_equal(there[key], expected[key])
    assert there["stand_in"] == pytest.approx(-0.97 * 3.0)
    assert not {"stand_in", "minima_x"} & set(expected)
    assert LAB.drag(made, "start", 0.5, -0.5).start == (0.5, -0.5, 2.0)
    analysed(stand_in)
    there = LAB.observe(stand_in.state, stand_in.recent())
    assert "stand_in" not in there
    np.testing.assert_allclose([there["minima_x"], there["minima_y"]], 0.0, atol=1e-9)


@pytest.mark.parametrize("plane", ["coordinates", "eigenvectors", "start-to-minimum"])
@given(
    moves=st.lists(st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)), min_size=2, max_size=5)
)
@settings(max_examples=20)
def test_a_drag_in_many_moves_ends_where_one_move_does(
    plane: str, moves: list[tuple[float, float]]
) -> None:
    function = "x^2 + 2*y^2 + 3*(z - 0.25)^2 + x*y + x^4"
    made = params(function=function, start=(1.0, 2.0, 2.0), plane=plane)
    session = run(made, 1)
    analysed(session)
    once, many = LAB.drag(made, "start", *moves[-1]), made
    for x, y in moves:
        many = LAB.drag(many, "start", x, y)
    session = run(many, 1)
    there = LAB.observe(session.state, session.recent())
    if plane == "start-to-minimum":  # only the distance is the hand's
        x = moves[-1][0]
        at = float(there["start_x"])
        assert at == pytest.approx(x, abs=1e-4) if x > 0.05 else 0.0 < at < 0.06
        assert there["start_y"] == pytest.approx(0.0, abs=1e-4)
    else:
        np.testing.assert_allclose(many.start, once.start, atol=1e-4)
        assert (there["start_x"], there["start_y"]) == pytest.approx(moves[-1], abs=1e-4)


@pytest.mark.parametrize(("step_size", "manner"), [(0.1, "monotone"), (0.3, "oscillating")])
def test_the_manner_of_convergence_is_that_of_the_error(step_size: float, manner: str) -> None:
    """The gradient's norm shrinks either way; 1 - δS is 0.6 and -0.2 at the flattest minima."""
    session = run(params(start=(1.35, 1.45), step_size=step_size), 300)
    outcome = session.outcome()
    assert outcome.phase == f"converged ({manner})"
    assert outcome.lyapunov == pytest.approx(np.log(abs(1 - 4 * step_size)), abs=0.03)


@st.composite
def _states(draw: st.DrawFn) -> tuple[OwnLossParams, int]:
    """Draw parameters under any optimiser and rule, and a number of steps."""
    optimiser = draw(st.sampled_from(list(OPTIMISERS)))
    own = params(
        function=draw(st.sampled_from(["(x^2 - 1)^2 + y^2", "(x*y - 1)^2/2", "x^2 - y^2 + x*y"])),
        start=(draw(st.floats(-1.5, 1.5)), draw(st.floats(-1.5, 1.5))),
        optimiser=optimiser,
        momentum=draw(st.sampled_from([0.0, 0.5, 0.9])),
        step_size=draw(st.sampled_from([0.003, 0.05])),
        step_rule=draw(st.sampled_from(["fixed", "sharpness", "hessian"])),
        alpha=draw(st.sampled_from([0.1, 1.0])),
        step_cap=draw(st.sampled_from([0.05, 10.0])),
        schedule=draw(st.sampled_from(["constant", "linear", "cosine"])),
        warmup=draw(st.integers(0, 5)),
        weight_decay=draw(st.sampled_from([0.0, 0.1])),
    )
    return own, draw(st.integers(1, 12))


@given(_states())
def test_a_state_measures_what_was_recorded_of_it(drawn: tuple[OwnLossParams, int]) -> None:
    """Every series but the length of the step that led to it, which a state does not know."""
    own, steps = drawn
    state, chunk = LAB.advance(LAB.init(own, 0), steps)
    if chunk.count < steps:
        return  # the last row is before the step that diverged
    again = LAB.record(state)
    assert set(again) == set(chunk.low)
    for key in set(again) - {"move"}:
        np.testing.assert_allclose(
            again[key], chunk.low[key][-1], rtol=1e-9, atol=1e-12, err_msg=key
        )
    for key in ("weights", "loss", "excess", "gradient"):
        assert np.asarray(again[key]).tobytes() == chunk.low[key][-1].tobytes(), key


@given(_states())
def test_the_stability_is_that_of_the_step_size_in_use(drawn: tuple[OwnLossParams, int]) -> None:
    """Step size times sharpness over the limit, whatever rule the step size is from."""
    own, steps = drawn
    own = update(own, optimiser="nesterov" if own.momentum else "gradient-descent")
    rows = LAB.advance(LAB.init(own, 0), steps)[1].low
    limit = describe(own.optimiser).limit(own.setting)
    assert limit is not None
    moving = np.flatnonzero(rows["step_size"])
    expected = rows["step_size"] * rows["sharpness"] / limit
    np.testing.assert_allclose(rows["stability"][moving], expected[moving], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
def test_the_first_row_has_the_step_size_of_the_first_step(optimiser: Any) -> None:
    """The length of the first step from rest over what it multiplies, for those without moments."""
    own = params(optimiser=optimiser, start=(1.3, 0.4), step_size=0.01)
    state = LAB.init(own, 0)
    row, after = LAB.record(state), LAB.advance(state, 1)[0]
    moved = float(np.linalg.norm(after.weights - state.weights))
    if describe(optimiser).carried or optimiser == "sam":
        assert row["step_size"] == 0.01
    else:
        slope = float(np.linalg.norm(loss_of(own).gradient(state.weights)))
        assert moved == pytest.approx(float(row["step_size"]) * slope, rel=1e-12)


def test_gradients_too_small_to_be_squared_are_measured() -> None:
    own = params(
        function="x^2 + y^2", start=(1e-200, 1e-200), optimiser="normalised-gd", step_size=0.1
    )
    row = LAB.record(LAB.init(own, 0))
    assert float(row["gradient"]) == pytest.approx(math.sqrt(8.0) * 1e-200)
    assert float(row["step_size"]) == pytest.approx(0.1 / (math.sqrt(8.0) * 1e-200))


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop", "adamw"])
@pytest.mark.parametrize("steps", [200, 800, 2000])
def test_an_adaptive_optimiser_that_cannot_stay_is_not_called_converged(
    optimiser: str, steps: int
) -> None:
    """At a minimum P sinks to epsilon, and 38 epsilon over the step is far below the sharpness."""
    made = params(
        function="x^2 + 3*y^2",
        optimiser=optimiser,
        step_size=0.05,
        start=(1.0, 0.5),
        square_decay=0.9,
    )
    outcome = run(made, steps).outcome()
    assert outcome.kind is not OutcomeKind.CONVERGED or outcome.standing.is_precarious
    assert outcome.standing is not Standing.NEARING_MINIMUM


def test_the_surface_is_the_loss_over_the_picture_of_the_level_curves() -> None:
    """In a coordinate plane, with the third variable as at the start."""
    function = "(x - 1)^2 + 3*(y + 0.5)^2 + z^2"
    made = params(function=function, constants="", start=(0.5, 2.0, 1.5), reach=4.0)
    view = next(each for each in LAB.views(made) if each.id == "surface")
    session = run(made, 3)
    seen = LAB.observe(session.state, session.recent())
    assert {"surface", "surface_extent", "path_x"} <= set(view_keys(view)) & set(seen)
    assert seen["surface_extent"].tolist() == [-4.0, 4.0, -4.0, 4.0]
    rows, columns = seen["surface"].shape
    x, y = np.meshgrid(np.linspace(-4.0, 4.0, columns), np.linspace(-4.0, 4.0, rows))
    wanted = (x - 1) ** 2 + 3 * (y + 0.5) ** 2 + 1.5**2
    np.testing.assert_allclose(seen["surface"], wanted, rtol=1e-12)
    session.advance(1)
    assert LAB.observe(session.state, session.recent())["surface"] is seen["surface"]
    alone = LAB.views(params(function="x^2", constants=""))
    assert all(each.id != "surface" for each in alone)


def test_level_curves_have_no_islands_along_a_narrow_valley() -> None:
    session = run(params(function="(1 - x)^2 + 100*(y - x^2)^2", start=(-1.2, 1.0)), 1)
    drawn = LAB.observe(session.state, session.recent())
    points = np.column_stack([drawn["level_x"], drawn["level_y"]])
    lines = np.split(points, np.flatnonzero(np.isnan(points[:, 0])))
    assert len(lines) > 10
    sizes = [float(np.ptp(line[1:], axis=0).max()) for line in lines if len(line) > 2]
    assert min(sizes) > 0.5


def test_the_cobweb_is_of_the_step_size_in_use() -> None:
    given = params(function="x^2/2", start=(1.0,), step_size=0.5, schedule="linear")
    session = run(given.model_copy(update={"schedule_length": 100}), 60)
    drawn = LAB.observe(session.state, session.recent())
    slope = np.polyfit(drawn["map_x"], drawn["map_y"], 1)[0]
    assert slope == pytest.approx(1.0 - 0.5 * 0.4)


@pytest.mark.parametrize(("steps", "is_held"), [(20, True), (100, True), (400, False)])
def test_the_picture_grows_to_hold_the_run_unless_it_goes_too_far(
    steps: int, is_held: bool
) -> None:
    session = run(params(function="y^2 - exp(x/4)", start=(1.0, 1.0), step_size=0.1), steps)
    drawn = LAB.observe(session.state, session.recent())
    farthest = np.max(np.abs(drawn["path_x"]))
    corners, curves = np.nanmax(drawn["corner_x"]), np.nanmax(drawn["level_x"])
    assert (corners >= farthest, curves >= farthest) == (is_held, is_held)
    assert corners / params().reach in (1.0, 2.0, 4.0, 8.0, 16.0)
