"""The convex shapes as an experiment: growth, Figure 2, decomposition, handles, input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.claims import Verdict
from engine.core.errors import InputError
from engine.core.outcome import OutcomeKind
from engine.core.params import build, update
from engine.experiments.convex_shape.drag import whole_network
from engine.experiments.convex_shape.experiment import ConvexShape
from engine.experiments.convex_shape.params import ShapeParams
from engine.experiments.convex_shape.surface import picture
from engine.run.session import Session
from engine.storage.presets import preset, presets

EXPERIMENT = ConvexShape()


def run(params, steps=12, seed=0):
    session = Session(EXPERIMENT, params, seed)
    session.advance(steps)
    return session


def claims_of(session):
    found = EXPERIMENT.claims(session.params, session.state, session.recent())
    return {claim.id: claim for claim in found}


def bounds_of(session):
    return {bound.id: bound for bound in EXPERIMENT.theory(session.params, session.state)}


def seen_of(session):
    return EXPERIMENT.observe(session.state, session.recent())


@pytest.mark.parametrize("placement", ["tangents", "greedy"])
def test_every_step_adds_a_layer_until_all_are_there(placement):
    session = run(build(ShapeParams, {"placement": placement, "depth": 5}), 8)
    recent = session.recent()
    assert recent["layers"][:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    errors = recent["error"][:6, 0]
    assert (np.diff(errors) < 0).all()
    assert errors[5] < errors[0] / 30
    assert (recent["smallest"][1:] >= 0).all()
    assert (recent["violation"] == 0).all()
    assert session.outcome().phase == "complete"
    verdicts = {claim.verdict for claim in claims_of(session).values()}
    assert verdicts == {Verdict.HOLDS}


def test_the_end_slope_is_the_product_of_all_factors():
    session = run(preset("convex-shape", "two-layers").params, 3)
    found = bounds_of(session)["end-slope"]
    first = session.state.problem.slopes[0][0]
    assert found.value == pytest.approx(first * 2.4 * 2.2)
    assert found.measured == pytest.approx(found.value)


def test_figure_2():
    session = run(preset("convex-shape", "figure-2").params, 5)
    found = claims_of(session)
    assert {claim.verdict for claim in found.values()} == {Verdict.HOLDS}
    assert found["figure-2"].measured == "slopes -2, -1, -0.5 in 4 cells"
    seen = seen_of(session)
    assert seen["level_y"].shape[1] == 9
    x, y = seen["level_x"], seen["level_y"]
    network = session.state.networks[0]
    for column in range(9):
        rows = ~np.isnan(y[:, column])
        values = network(np.stack([x[rows], y[rows, column]], axis=1))
        assert np.ptp(values) < 1e-12


def test_b_is_the_distance_only_for_normals_of_length_one():
    session = run(preset("convex-shape", "other-normals").params, 2)
    assert claims_of(session)["normals"].verdict is Verdict.VIOLATED
    found = bounds_of(session)
    assert found["distance-1"].value == pytest.approx(0.35 / np.hypot(0.8, 0.3))
    assert found["distance-1"].measured == 0.35


def test_a_negative_weight_turns_a_lamp_off_and_is_measured():
    session = run(preset("convex-shape", "not-convex").params, 10)
    claim = claims_of(session)["convex"]
    assert [lamp.on for lamp in claim.assumptions] == [False, True, True, True]
    assert claim.verdict is Verdict.NOT_APPLICABLE
    worst = session.recent()["violation"][:, 0]
    assert worst[-1] > 0.1
    assert (np.diff(worst) >= 0).all()
    seen = seen_of(session)
    network = session.state.networks[0]
    ends = np.stack([seen["chord_x"], seen["chord_y"]], axis=1)
    middle = np.array([[seen["chord_middle_x"][0], seen["chord_middle_y"][0]]])
    share = np.linalg.norm(middle - ends[1]) / np.linalg.norm(ends[0] - ends[1])
    below = share * network(ends)[0] + (1 - share) * network(ends)[1]
    assert network(middle)[0] - below == pytest.approx(worst[-1])
    assert "not convex" in session.outcome().message.lower()


def test_a_repaired_weight_forgets_the_violation():
    session = run(preset("convex-shape", "not-convex").params, 5)
    session.retune(update(session.params, W=((1.0, 0.0), (0.0, 0.5))))
    session.advance(3)
    assert session.recent()["violation"][-1, 0] == 0
    assert claims_of(session)["convex"].verdict is Verdict.HOLDS


def test_decomposition_of_a_sine():
    session = run(preset("convex-shape", "decompose-sine").params, 12)
    final = EXPERIMENT.final(session.state, session.recent())
    assert final["smallest_alpha"] == pytest.approx(18, rel=1e-9)  # the least of -36/2 sin(6x)
    assert final["alpha"] == pytest.approx(1.05 * 18)
    assert final["smallest_beta"] == [0]
    assert {claim.verdict for claim in claims_of(session).values()} == {Verdict.HOLDS}
    assert final["error"][2] < 0.02
    seen = seen_of(session)
    np.testing.assert_allclose(seen["r"] - seen["s"], seen["f"], atol=1e-12)


def test_too_small_an_alpha_is_found_out():
    session = run(preset("convex-shape", "alpha-too-small").params, 8)
    found = claims_of(session)
    assert found["decomposition"].verdict is Verdict.NOT_APPLICABLE
    assert "least curvature of r -9" in found["decomposition"].measured
    assert session.recent()["error"][-1, 2] > 0.05


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("mixed-derivative", Verdict.VIOLATED),
        ("signed-normals", Verdict.NOT_APPLICABLE),
    ],
)
def test_nonnegative_networks_cannot_do_negative_mixed_derivatives(name, verdict):
    session = run(preset("convex-shape", name).params, 8)
    assert claims_of(session)["approximation"].verdict is verdict
    assert bounds_of(session)["mixed"].measured == pytest.approx(-1)


def test_an_approximation_that_loses_f_does_not_hold():
    """alpha inflates r and s, so that their own ranges say nothing of what is left of f."""
    params = ShapeParams(picture="decomposition", function="exp(-400*(x-0.4321)^2)", depth=6)
    session = run(params, 8)
    error = session.recent()["error"][-1]
    assert error[2] > 0.5
    claim = claims_of(session)["approximation"]
    assert claim.verdict is Verdict.UNDECIDED
    shown = float(claim.measured.split(", ")[2].rstrip("%"))
    assert shown == pytest.approx(100 * error[2], rel=0.01)


@settings(max_examples=25)
@given(
    center=st.floats(0.2, 0.8),
    sharpness=st.floats(0.0, 3.0),
    depth=st.integers(1, 8),
)
def test_an_approximation_holds_only_where_f_is_close(center, sharpness, depth):
    function = f"exp(-{10**sharpness:.3f}*(x-{center:.4f})^2)"
    session = run(ShapeParams(picture="decomposition", function=function, depth=depth), depth)
    seen = seen_of(session)
    lost = np.sqrt(np.mean((seen["f_estimate"] - seen["f"]) ** 2)) / np.ptp(seen["f"])
    if claims_of(session)["approximation"].verdict is Verdict.HOLDS:
        assert lost < 0.02


def test_a_dragged_kink_lies_where_it_was_put():
    params = ShapeParams()
    for x in (0.33, 0.34):
        params = EXPERIMENT.drag(params, "kink:2", x, 0.0)
    assert params.placement == "typed"
    seen = seen_of(run(params, 1))
    assert seen["kink_x"][2] == pytest.approx(0.34)
    others = np.delete(seen["kink_x"], 2)
    before = seen_of(run(update(ShapeParams(), placement="tangents"), 6))["kink_x"]
    np.testing.assert_allclose(others[:2], before[:2])


def test_a_dragged_weight_takes_the_curve_with_it():
    params = preset("convex-shape", "two-layers").params
    seen = seen_of(run(params, 1))
    for layer, rise in ((0, 0.1), (1, -0.2)):
        x, y = seen["lever_x"][layer], seen["lever_y"][layer] + rise
        moved = EXPERIMENT.drag(params, f"weight:{layer}", x, y)
        network = whole_network(moved)
        assert network(np.array([[x]]))[0] == pytest.approx(y)
    flat = EXPERIMENT.drag(params, "weight:1", seen["lever_x"][1], -50.0)
    assert flat.weights[1] == 0  # never below: the network stays convex


@settings(max_examples=20)
@given(st.integers(0, 5), st.lists(st.floats(-0.2, 2.0), min_size=1, max_size=6))
def test_a_dragged_weight_stays_under_the_pointer(layer, rises):
    """A drag of many moves ends where one move to the same place does, and moves no kink."""
    first = seen_of(run(ShapeParams(), 6))
    x, y = first["lever_x"][layer], first["lever_y"][layer]
    params = ShapeParams()
    for rise in rises:
        params = EXPERIMENT.drag(params, f"weight:{layer}", x, y + rise)
        seen = seen_of(run(params, 1))
        np.testing.assert_allclose(seen["kink_x"], first["kink_x"], atol=1e-9)
        assert seen["lever_x"][layer] == pytest.approx(x)
        if 0 < params.weights[layer] < 1e3:
            assert seen["lever_y"][layer] == pytest.approx(y + rise)
    at_once = EXPERIMENT.drag(ShapeParams(), f"weight:{layer}", x, y + rises[-1])
    if all(weight > 0 for weight in params.weights):
        np.testing.assert_allclose(params.weights, at_once.weights, rtol=1e-6)


@pytest.mark.parametrize("placement", ["tangents", "greedy"])
@pytest.mark.parametrize("depth", [1, 6])
def test_a_run_ends_with_the_last_layer(placement, depth):
    session = run(ShapeParams(placement=placement, depth=depth), 13)
    assert session.finished and session.step == depth
    assert session.state.facts["layers"][0] == depth
    assert EXPERIMENT.outcome(session.state, session.recent()).phase == "complete"


def test_a_typed_network_goes_on_trying_chords():
    session = run(preset("convex-shape", "two-layers").params, 13)
    assert not session.finished and session.step == 13


def test_dragged_lines_normals_and_increments_follow():
    params = preset("convex-shape", "other-normals").params
    moved = EXPERIMENT.drag(params, "b:1", 0.5, 0.5)
    assert moved.b[1] == pytest.approx(0.3 * 0.5 + 0.9 * 0.5)
    assert moved.V == params.V
    for name, target in (("V", (0.7, 0.5)), ("W", (0.9, 0.3))):
        moved = EXPERIMENT.drag(params, f"{name}:0", *target)
        seen = seen_of(run(moved, 1))
        assert seen[f"{name}_tip_x"][0] == pytest.approx(target[0])
        assert seen[f"{name}_tip_y"][0] == pytest.approx(target[1])


def test_dragging_is_live_for_typed_networks():
    params = preset("convex-shape", "figure-2").params
    session = run(params, 4)
    session.retune(EXPERIMENT.drag(params, "b:0", 0.25, 0.5))
    assert session.step == 4
    assert bounds_of(session)["distance-1"].value == pytest.approx(0.25)


def test_the_surface_hides_what_lies_behind():
    upper, marks = np.ones(2), np.array([[0.2, 0.2], [0.8, 0.8]])

    def ridge(points):
        return -4 * (points[:, 0] - 0.5) ** 2

    for azimuth, hides in ((0.0, True), (90.0, False)):
        seen = picture(ridge, upper, azimuth, 30.0, marks)
        assert np.isfinite(seen.image).any()
        assert np.isnan(seen.image).any()
        shown = np.isfinite(seen.lines_x).mean()
        assert (shown < 0.8) == hides
    flat = picture(lambda points: np.zeros(len(points)), upper, -60.0, 90.0, marks)
    assert np.isfinite(flat.marks_x).all()
    assert flat.image[np.isfinite(flat.image)].max() == 0


BAD = {
    "z + 1": "'z' is not known",
    "1/x": "unlike at",
    "sqrt(x)": "derivative at the origin",
    "1 - x": "rises at 0",
    "x*y": "x alone",
}


@pytest.mark.parametrize("text", BAD)
def test_functions_that_cannot_be_built_up_are_refused(text):
    with pytest.raises(InputError, match=BAD[text]):
        EXPERIMENT.init(build(ShapeParams, {"function": text}), 0)


def test_a_downward_kink_needs_a_typed_alpha():
    values = {"picture": "decomposition", "function": "x - abs(x - 0.5)"}
    with pytest.raises(InputError, match=r"bends down without bound at \(0\.5\)"):
        EXPERIMENT.init(build(ShapeParams, values), 0)
    params = build(ShapeParams, {**values, "alpha_from": "typed", "alpha": 5, "depth": 4})
    session = run(params, 4)
    assert claims_of(session)["decomposition"].verdict is Verdict.NOT_APPLICABLE
    assert bounds_of(session)["alpha"].value is None
    upward = build(ShapeParams, {"picture": "decomposition", "function": "abs(x - 0.5) + x"})
    assert EXPERIMENT.init(upward, 0).problem.smallest_alpha == 0


@pytest.mark.parametrize(
    "values",
    [
        {"b": [1]},
        {"V": [[1, 0]]},
        {"W": [[1, 0], [0]]},
        {"c": [1]},
        {"biases": [1, 2, 3]},
        {"biases": [], "weights": []},
        {"weights": [-1, 1]},
        {"function": "import os"},
    ],
)
def test_shapes_that_disagree_are_refused_in_one_sentence(values):
    with pytest.raises(InputError) as caught:
        build(ShapeParams, values)
    assert "\n" not in str(caught.value)


def test_all_presets_run():
    for chosen in presets("convex-shape"):
        session = run(chosen.params, 2, chosen.seed)
        assert session.outcome().kind in (OutcomeKind.CONVERGING, OutcomeKind.MAX_STEPS)
        assert seen_of(session)
