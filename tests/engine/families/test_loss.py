"""Typed losses: all derivatives to the fourth, over the whole grammar, and at awkward points."""

from __future__ import annotations

import gc
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.expressions.reader import Rule
from engine.families.loss.loss import Data, Loss
from engine.kernels.tape import looks, native
from engine.kernels.tape.program import workspace
from tests.engine.expressions.drawn import CONSTANTS, functions

VARIABLES = ("x", "y", "z")
U, V, W, X = np.array([[0.6, -0.8, 0.3], [0.2, 0.9, -0.4], [-0.7, 0.1, 0.7], [0.5, 0.5, -0.7]])


def slope(value: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """Return the gradient, in a form that can be differentiated again."""
    if not value.requires_grad:
        return torch.zeros_like(z)
    (made,) = torch.autograd.grad(value, z, create_graph=True, materialize_grads=True)
    return made


def reference(
    function: Any, point: np.ndarray, u: np.ndarray, v: np.ndarray, w: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Compute value, gradient, Hessian and third and fourth derivatives with torch."""
    z = torch.tensor(point, requires_grad=True)
    value = function(z)
    gradient = slope(value, z)
    hessian = torch.stack([slope(each, z) for each in gradient])
    third = slope(slope(gradient @ torch.tensor(u), z) @ torch.tensor(v), z)
    fourth = slope(third @ torch.tensor(w), z) @ torch.tensor(x)
    return tuple(each.detach().numpy() for each in (value, gradient, hessian, third, fourth))


def is_moderate(expected: tuple[np.ndarray, ...]) -> bool:
    """Return whether derivatives are defined, and not so large that their digits cancel."""
    return all(np.isfinite(each).all() and np.abs(each).max() < 1e8 for each in expected)


def assert_equal(loss: Loss, expected: tuple[np.ndarray, ...], point: np.ndarray) -> None:
    """Compare all derivatives."""
    made = (
        loss.value(point),
        loss.gradient(point),
        loss.hessian(point),
        loss.third(point, U, V),
        loss.fourth(point, U, V, W, X),
    )
    scale = 1.0
    for ours, theirs in zip(made, expected, strict=True):
        scale = max(scale, float(np.abs(theirs).max()))
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * scale)


def typed(text: str) -> Loss:
    """Read a drawn function, unless numbers in it are too large."""
    try:
        return Loss.of(text, VARIABLES, CONSTANTS)
    except InputError:
        assume(False)
        raise


@settings(max_examples=30, deadline=None)
@given(functions(), st.lists(st.floats(0.3, 1.7), min_size=3, max_size=3, unique=True))
def test_derivatives_equal_those_of_automatic_differentiation(
    drawn: tuple[str, Any], point: list[float]
) -> None:
    text, function = drawn
    loss = typed(text)
    assume(loss.kinks(np.array(point)) > 1e-9)  # on one there are two derivatives
    expected = reference(function, np.array(point), U, V, W, X)
    assume(is_moderate(expected))
    assert_equal(loss, expected, np.array(point))


SINGLE = {
    "x^2*y^3 - z/x": lambda z: z[0] ** 2 * z[1] ** 3 - z[2] / z[0],
    "exp(x*y) + y^z": lambda z: torch.exp(z[0] * z[1]) + z[1] ** z[2],
    "2^(x*z) + x^p": lambda z: 2 ** (z[0] * z[2]) + z[0] ** 2.5,
    "sigmoid(5x)*softplus(-3y)": lambda z: (
        torch.sigmoid(5 * z[0]) / 1 * torch.log1p(torch.exp(-3 * z[1]))
    ),
    "x^10/(1+y^2)": lambda z: z[0] ** 10 / (1 + z[1] ** 2),
}


@pytest.mark.parametrize("text", SINGLE)
def test_derivatives_of_what_is_drawn_seldom(text: str) -> None:
    loss, point = Loss.of(text, VARIABLES, CONSTANTS), np.array([0.8, 1.1, 0.7])
    expected = reference(SINGLE[text], point, U, V, W, X)
    assert is_moderate(expected)
    assert_equal(loss, expected, point)


ROWS = np.random.default_rng(3).normal(size=(70, 2))
TARGETS = np.sin(ROWS[:, 0]) + 0.1 * ROWS[:, 1]
NET = "w1*tanh(w2*x1 + w3*x2 + w4) + w5*relu(x2 - w6) + a*w7^2"


def net(z: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Compute the model of `NET`, with 0.3 for its constant."""
    hidden = torch.tanh(z[1] * rows[:, 0] + z[2] * rows[:, 1] + z[3])
    return z[0] * hidden + z[4] * torch.relu(rows[:, 1] - z[5]) + 0.3 * z[6] ** 2


@pytest.mark.parametrize("count", [1, 3, 4, 5, 70])
@pytest.mark.parametrize("rule", [Rule.SQUARES, Rule.LOGISTIC])
def test_losses_over_data_are_means_over_rows(count: int, rule: Rule) -> None:
    rows, labels = ROWS[:count], np.where(TARGETS[:count] > 0, 1.0, -1.0)
    targets = TARGETS[:count] if rule is Rule.SQUARES else labels
    loss = Loss.of(NET, constants={"a": 0.3}, data=Data(rows, targets, rule))
    known = torch.tensor(targets)

    def function(z: torch.Tensor) -> torch.Tensor:
        made = net(z, torch.tensor(rows))
        if rule is Rule.SQUARES:
            return ((made - known) ** 2).mean() / 2
        return torch.log1p(torch.exp(-known * made)).mean()

    point = np.array([0.5, -0.4, 0.3, 0.2, 0.6, 0.05, 0.4])
    u, v, w, x = np.random.default_rng(1).normal(size=(4, 7))
    value, gradient, hessian, third, fourth = reference(function, point, u, v, w, x)
    assert loss.value(point) == pytest.approx(float(value), rel=1e-12)
    np.testing.assert_allclose(loss.gradient(point), gradient, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(loss.hessian(point), hessian, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(loss.third(point, u, v), third, rtol=1e-9, atol=1e-11)
    assert loss.fourth(point, u, v, w, x) == pytest.approx(float(fourth), rel=1e-9, abs=1e-10)


def test_residuals_and_their_jacobian() -> None:
    loss = Loss.of(f"{NET} - y", constants={"a": 0.3}, data=Data(ROWS, TARGETS))
    model = Loss.of(NET, constants={"a": 0.3}, data=Data(ROWS, TARGETS))
    point = np.array([0.5, -0.4, 0.3, 0.2, 0.6, 0.05, 0.4])
    made = net(torch.tensor(point), torch.tensor(ROWS)).numpy() - TARGETS
    np.testing.assert_allclose(loss.residuals(point), made, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(loss.residuals(point), model.residuals(point))
    z = torch.tensor(point, requires_grad=True)
    jacobian = torch.stack([slope(each, z) for each in net(z, torch.tensor(ROWS))]).detach()
    np.testing.assert_allclose(loss.jacobian(point), jacobian, rtol=1e-12, atol=1e-14)
    summed = loss.jacobian(point).T @ loss.residuals(point) / len(TARGETS)
    np.testing.assert_allclose(loss.gradient(point), summed, rtol=1e-10)


def bits(values: np.ndarray) -> np.ndarray:
    """Return the bits of floats, one for all nans."""
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def both(loss: Loss, points: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Compute values and gradients by the interpreter and by compiled code."""
    made = []
    for program in (loss.interpreted, loss.compiled()):
        values, slopes = np.empty(len(points)), np.empty_like(points)
        work = workspace(program)
        looks.values_at(program, points, loss.constants, values, slopes, work)
        made.append((values, slopes))
    assert loss.compiled().address != loss.interpreted.address
    return made


@settings(max_examples=25, deadline=None)
@given(functions(depth=4), st.integers(0, 2**32 - 1))
def test_compiled_code_has_the_bits_of_the_interpreter(drawn: tuple[str, Any], seed: int) -> None:
    loss = typed(drawn[0])
    points = np.random.default_rng(seed).normal(scale=2.0, size=(20, 3))
    (values, slopes), (fast, steep) = both(loss, points)
    np.testing.assert_array_equal(bits(values), bits(fast))
    np.testing.assert_array_equal(bits(slopes), bits(steep))


@pytest.mark.parametrize("count", [1, 2, 4, 7, 70])
def test_compiled_code_has_the_bits_of_the_interpreter_over_data(count: int) -> None:
    text = f"{NET} + max(w1*x1, w8)*exp(-x2^2) + softplus(w2*x1)"
    loss = Loss.of(text, data=Data(ROWS[:count], TARGETS[:count]))
    points = np.random.default_rng(count).normal(size=(50, 8))
    (values, slopes), (fast, steep) = both(loss, points)
    np.testing.assert_array_equal(bits(values), bits(fast))
    np.testing.assert_array_equal(bits(slopes), bits(steep))


def test_code_is_shared_by_tapes_that_differ_in_numbers_only() -> None:
    one, other = Loss.of("3*x^2 + 5*y"), Loss.of("4*x^2 + 7*y")
    assert one.compiled().address == other.compiled().address
    assert other.values_and_gradients(np.ones((2000, 2)))[1][0].tolist() == [8.0, 7.0]
    assert native.ready(one.expression.tape) is not None


def test_code_lasts_as_long_as_its_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native.CODES, "kept", 1)
    loss = Loss.of("x^2 + sin(x)*exp(x)")
    program = loss.compiled()
    Loss.of("x^3 + cos(x)").compiled()
    assert native.ready(loss.expression.tape) is None
    gc.collect()
    values, slopes = np.empty(1), np.empty((1, 1))
    looks.values_at(program, np.ones((1, 1)), loss.constants, values, slopes, workspace(program))
    assert values[0] == loss.value(np.ones(1))


def test_long_functions_are_left_to_the_interpreter() -> None:
    loss = Loss.of("sum(sin(i*x), i = 1..1000)")
    assert loss.compiled().address == loss.interpreted.address
    point = np.array([0.3])
    assert loss.value(point) == pytest.approx(np.sin(0.3 * np.arange(1, 1001)).sum())


AT_ZERO = {
    "x^2": (0.0, 0.0, 2.0, 0.0),
    "x^3": (0.0, 0.0, 0.0, 6.0),
    "x^4": (0.0, 0.0, 0.0, 0.0),
    "x^1.5": (0.0, 0.0, math.inf, -math.inf),
    "x^q": (0.0, 0.0, 2.0, 0.0),
    "logcosh(x)": (0.0, 0.0, 1.0, 0.0),
    "abs(x)": (0.0, 0.0, 0.0, 0.0),
    "sqrt(x)": (0.0, math.inf, -math.inf, math.inf),
}


@pytest.mark.parametrize("text", AT_ZERO)
def test_derivatives_at_zero_are_those_of_calculus(text: str) -> None:
    loss = Loss.of(text, constants={"q": 2.0})
    zero, one = np.zeros(1), np.ones(1)
    made = (
        loss.value(zero),
        loss.gradient(zero)[0],
        loss.hessian(zero)[0, 0],
        loss.third(zero, one, one)[0],
    )
    assert made == AT_ZERO[text]


def test_an_infinite_derivative_spoils_no_other() -> None:
    hessian = Loss.of("sqrt(x) + x*y + y^2").hessian(np.zeros(2))
    assert hessian.tolist() == [[-math.inf, 1.0], [1.0, 2.0]]
    loss = Loss.of("max(sqrt(x), 1) - min(2, 1/x) + y")
    for _, slopes in both(loss, np.array([[0.0, 0.0], [4.0, 0.0]])):
        assert slopes.tolist() == [[0.0, 1.0], [0.3125, 1.0]]


def test_nothing_overflows_that_need_not() -> None:
    for far in (-800.0, 800.0):
        point = np.array([far])
        assert Loss.of("softplus(x)").value(point) == pytest.approx(max(far, 0.0), abs=1e-300)
        assert Loss.of("logcosh(x)").value(point) == pytest.approx(800.0 - math.log(2))
        assert Loss.of("sigmoid(x)").value(point) == pytest.approx(float(far > 0), abs=1e-300)
        for text in ("softplus(x)", "logcosh(x)", "sigmoid(x)", "tanh(x)"):
            assert np.isfinite(Loss.of(text).hessian(point)).all()
    tail = Loss.of("sigmoid(x)").hessian(np.array([-50.0]))[0, 0]
    assert tail == pytest.approx(math.exp(-50.0), rel=1e-12)
    tiny = Loss.of("logcosh(x)").value(np.array([1e-9]))
    assert tiny == pytest.approx(5e-19, rel=1e-12)


SCALAR = {
    "exp": (math.exp, -700, 700),
    "tanh": (math.tanh, -25, 25),
    "sinh": (math.sinh, -700, 700),
    "cosh": (math.cosh, -700, 700),
    "sigmoid": (lambda x: 1 / (1 + math.exp(-x)), -30, 700),
}


@pytest.mark.parametrize("name", SCALAR)
def test_functions_are_right_to_the_last_bits(name: str) -> None:
    exact, low, high = SCALAR[name]
    points = np.concatenate([np.linspace(low, high, 2001), np.geomspace(1e-12, 1, 200)])
    made = Loss.of(f"{name}(x)").values(points[:, None])
    np.testing.assert_allclose(made, [exact(x) for x in points], rtol=2e-15)


def test_the_undefined_is_not_finite_and_warns_of_nothing() -> None:
    for text in ("log(x)", "1/x", "sqrt(x)/x", "x^-3", "x^-0.5"):
        loss = Loss.of(text)
        assert not np.isfinite(loss.hessian(np.zeros(1))).any()
        assert not math.isfinite(loss.fourth(np.zeros(1), *np.ones((4, 1))))
    assert math.isnan(Loss.of("log(x)").value(np.array([-1.0])))


def test_kinks_are_near_where_an_argument_is() -> None:
    loss = Loss.of("abs(x - 1) + max(y, 2*x)")
    assert loss.kinks(np.array([1.25, 9.0])) == pytest.approx(0.25 / 9)
    assert loss.kinks(np.array([0.5, 1.0])) == 0.0
    assert Loss.of("x^2").kinks(np.zeros(1)) == math.inf
    rows = Data(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]), np.zeros(5))
    assert Loss.of("relu(w1*x - w2)", data=rows).kinks(np.array([0.5, 2.4])) == pytest.approx(
        0.1 / 2.4
    )


def test_constants_move_without_reading_again() -> None:
    loss = Loss.of("(w1*w2 - λ)^2/2", constants={"lambda": 2.0})
    moved = loss.at({"lambda": 3.0})
    assert moved.interpreted is loss.interpreted
    point = np.array([1.0, 1.0])
    assert (loss.value(point), moved.value(point)) == (0.5, 2.0)


@pytest.mark.parametrize("text", ["3 + a", "w1*x3 - y"])
def test_what_cannot_be_a_loss_is_refused(text: str) -> None:
    data = Data(ROWS, TARGETS) if "y" in text else None
    with pytest.raises(InputError):
        Loss.of(text, data=data)


def test_bad_constants_and_labels_are_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        Loss.of("a*x", constants={"a": math.nan})
    with pytest.raises(InputError, match="labels"):
        Loss.of("w1*x1", data=Data(ROWS, TARGETS, Rule.LOGISTIC))
    with pytest.raises(InputError, match="row"):
        Loss.of("w1*x1", data=Data(ROWS[:0], TARGETS[:0]))


def test_values_have_the_shape_of_the_points() -> None:
    grid = np.stack(np.meshgrid(np.linspace(-1, 1, 5), np.linspace(0, 1, 4)), axis=-1)
    values, slopes = Loss.of("x^2 + 3*y").values_and_gradients(grid)
    np.testing.assert_allclose(values, grid[..., 0] ** 2 + 3 * grid[..., 1])
    assert slopes.shape == (4, 5, 2)
