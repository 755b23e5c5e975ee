"""Interval arithmetic over tapes never excludes the true value, as mpmath computes it."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analysis.regions.interval import Interval
from engine.expressions.reader import Rule, read
from engine.kernels.intervals.enclosure import Enclosure

mpmath.mp.dps = 40


def sigmoid(x: mpmath.mpf) -> mpmath.mpf:
    return 1 / (1 + mpmath.exp(-x))


FUNCTIONS: dict[str, tuple[Callable[..., mpmath.mpf], float, float]] = {
    "exp": (mpmath.exp, -700.0, 700.0),
    "log": (mpmath.log, 1e-300, 1e300),
    "sqrt": (mpmath.sqrt, 0.0, 1e300),
    "sin": (mpmath.sin, -1e7, 1e7),
    "cos": (mpmath.cos, -1e7, 1e7),
    "tan": (mpmath.tan, -50.0, 50.0),
    "atan": (mpmath.atan, -1e9, 1e9),
    "sinh": (mpmath.sinh, -700.0, 700.0),
    "cosh": (mpmath.cosh, -700.0, 700.0),
    "tanh": (mpmath.tanh, -50.0, 50.0),
    "sigmoid": (sigmoid, -700.0, 700.0),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), -700.0, 700.0),
    "logcosh": (lambda x: mpmath.log1p(2 * mpmath.sinh(x / 2) ** 2), -300.0, 300.0),
    "abs": (abs, -1e9, 1e9),
    "relu": (lambda x: max(x, mpmath.mpf(0)), -1e9, 1e9),
}
TEXTS = (
    "(x*y - 2)^2/2",
    "exp(x/3)*sin(y) + tanh(x*y)",
    "log(x^2 + 1)/(y^2 + 2) - atan(x - y)",
    "logcosh(x*y) + softplus(x - y) + sigmoid(x)*cosh(y/2)",
    "sqrt(x^2 + y^2 + 1)^3 + (x^2 + 1)^(-1.5) + tan(x/9) - cos(x*y)^5",
    "max(x, y) + min(x^2, y) + abs(x - 7) + relu(y + 9)",
)


def enclosure(text: str) -> Enclosure:
    tape = read(text, ("x", "y")).tape
    return Enclosure(tape, np.zeros(0))


@pytest.mark.parametrize("name", FUNCTIONS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_function_of_an_interval_holds_its_values(name: str, data: st.DataObject) -> None:
    true, low, high = FUNCTIONS[name]
    made = Enclosure(read(f"{name}(x)", ("x",)).tape, np.zeros(0))
    a = data.draw(st.floats(low, high) | st.floats(max(low, -4.0), min(high, 4.0)))
    width = data.draw(st.sampled_from((0.0, 1e-12, 1e-3, 1.0, 5.0)))
    b = min(a + width, high)
    found = made.value(Interval(np.array([[a]]), np.array([[b]])))
    for share in (0.0, data.draw(st.floats(0.0, 1.0)), 1.0):
        x = min(max(a + share * (b - a), a), b)
        exact = true(mpmath.mpf(x))
        assert mpmath.mpf(found.lo[0]) <= exact <= mpmath.mpf(found.hi[0])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_points_have_narrow_enclosures_that_hold_them(name: str) -> None:
    true, low, high = FUNCTIONS[name]
    x = np.random.default_rng(3).uniform(max(low, -5.0), min(high, 5.0), 2000)
    found = Enclosure(read(f"{name}(x)", ("x",)).tape, np.zeros(0)).value(
        Interval.point(x[:, None])
    )
    for each, lo, hi in zip(x, found.lo, found.hi, strict=True):
        assert mpmath.mpf(lo) <= true(mpmath.mpf(each)) <= mpmath.mpf(hi)
    assert (found.hi - found.lo <= 1e-12 * np.maximum(np.abs(found.hi), 1.0)).all()


@pytest.mark.parametrize("text", TEXTS)
@given(
    x=st.floats(-2.0, 2.0),
    y=st.floats(-2.0, 2.0),
    width=st.sampled_from((0.0, 1e-9, 0.01, 0.5)),
    inside=st.tuples(st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
)
@settings(max_examples=30, deadline=None)
def test_value_gradient_and_hessian_of_a_box_hold_those_of_its_points(
    text: str, x: float, y: float, width: float, inside: tuple[float, float]
) -> None:
    low = np.array([x, y])
    box = Interval(low[None], low[None] + width)
    at = np.minimum(low + np.array(inside) * width, box.hi[0])
    made = enclosure(text)
    value, slope, curve = made.curves(box)
    exact = made.curves(Interval.point(at[None]))  # narrow, and compared with mpmath below
    for outer, inner in zip((value, slope, curve), exact, strict=True):
        known = np.isfinite(inner.size)  # at a kink there is no second derivative
        assert (outer.lo <= inner.mid)[known].all()
        assert (inner.mid <= outer.hi)[known].all()
        assert np.isinf(outer.size[~known]).all()


def true_tree(x: mpmath.mpf, y: mpmath.mpf) -> mpmath.mpf:
    e = mpmath
    return e.exp(x / 3) * e.sin(y) + e.tanh(x * y) + e.log(x**2 + 1) / (y**2 + 2) - e.atan(x - y)


@given(x=st.floats(-2.0, 2.0), y=st.floats(-2.0, 2.0))
@settings(max_examples=60, deadline=None)
def test_derivatives_hold_those_of_mpmath(x: float, y: float) -> None:
    text = "exp(x/3)*sin(y) + tanh(x*y) + log(x^2 + 1)/(y^2 + 2) - atan(x - y)"
    # x/3 is x times the float next to 1/3, so that a box around it holds the quotient's values
    box = Interval.around(np.array([[x, y]]), 1e-13)
    value, slope, curve = enclosure(text).curves(box)
    orders = {(0, 0): value[0], (1, 0): slope[0, 0], (0, 1): slope[0, 1]}
    orders |= {(2, 0): curve[0, 0, 0], (1, 1): curve[0, 0, 1], (0, 2): curve[0, 1, 1]}
    for order, found in orders.items():
        exact = mpmath.diff(true_tree, (mpmath.mpf(x), mpmath.mpf(y)), order)
        slack = mpmath.mpf("1e-12") * max(1, abs(exact))  # of differences in 40 digits
        assert mpmath.mpf(float(found.lo)) - slack <= exact <= mpmath.mpf(float(found.hi)) + slack
        assert float(found.hi - found.lo) < 1e-10


@given(
    x=st.floats(-3.0, 3.0),
    p=st.integers(-6, 6) | st.sampled_from((0.5, 1.5, -2.5)),
    width=st.sampled_from((0.0, 0.5)),
)
@settings(max_examples=200, deadline=None)
def test_powers_hold_their_values(x: float, p: float, width: float) -> None:
    tape = read("x^p", ("x",)).tape
    made = Enclosure(tape, np.array([float(p)]))
    found = made.value(Interval(np.array([[x]]), np.array([[x + width]])))
    for at in (x, x + width):
        if (at == 0.0 and p <= 0) or (at < 0.0 and p != int(p)):
            continue
        exact = mpmath.mpf(at) ** (int(p) if p == int(p) else mpmath.mpf(p))
        assert mpmath.mpf(found.lo[0]) <= exact <= mpmath.mpf(found.hi[0])


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("log(x)", -1.0, 1.0), ("sqrt(x)", -1.0, 1.0), ("1/x", -1.0, 1.0), ("tan(x)", 1.0, 2.0)],
)
def test_what_is_undefined_somewhere_is_the_whole_line(text: str, low: float, high: float) -> None:
    made = Enclosure(read(text, ("x",)).tape, np.zeros(0))
    value, slope, curve = made.curves(Interval(np.array([[low]]), np.array([[high]])))
    for each in (value, slope, curve):
        assert np.isneginf(each.lo).all()
        assert np.isposinf(each.hi).all()


@pytest.mark.parametrize(
    "text",
    [
        "max({}, 0)",
        "min(1, {})",
        "min(max({}, 0), 1)",
        "max(min({}, y), x)",
        "abs({})",
        "relu({})",
        "tanh({})",
        "sigmoid({})",
        "sin({})",
        "exp(-{})",
        "({})^2",
        "({})^3",
        "({})^(-2)",
        "({})^0.5",
        "({})^p",
        "y*({})",
        "1/(1 + ({})^2)",
    ],
)
@pytest.mark.parametrize("inner", ["log(x - 1)", "sqrt(x)", "1/x", "x^0.5"])
def test_nothing_makes_an_undefined_argument_defined(text: str, inner: str) -> None:
    tape = read(text.format(inner), ("x", "y")).tape
    made = Enclosure(tape, np.zeros(len(tape.constants)))
    box = Interval(np.array([[-3.0, 0.0]]), np.array([[3.0, 0.0]]))
    for each in made.curves(box):
        assert np.isneginf(each.lo).all()
        assert np.isposinf(each.hi).all()


@pytest.mark.parametrize("text", ["abs(x)", "relu(x)", "max(x, -x)"])
def test_a_kink_has_all_slopes_between_and_no_second_derivative(text: str) -> None:
    made = Enclosure(read(text, ("x",)).tape, np.zeros(0))
    _, slope, curve = made.curves(Interval(np.array([[-1.0]]), np.array([[1.0]])))
    assert slope.lo[0, 0] <= (0.0 if text == "relu(x)" else -1.0)
    assert slope.hi[0, 0] >= 1.0
    assert np.isinf(curve.size).all()


def test_infinite_boxes_prove_nothing() -> None:
    box = Interval(np.array([[-np.inf, 0.0]]), np.array([[np.inf, 1.0]]))
    value, slope, _ = enclosure(TEXTS[0]).curves(box)
    assert np.isinf(value.size).all()
    assert np.isinf(slope.size).all()


def test_a_mean_over_rows_holds_the_mean() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(2, 17))
    tape = read("tanh(w1*x1) + w2", ("w1", "w2"), Rule.SQUARES).tape
    data = np.stack([rows[0] if key == "x1" else rows[1] for key in tape.columns])
    made = Enclosure(tape, np.zeros(0), data)
    point = np.array([0.7, -0.2])
    value, slope, _ = made.curves(Interval.point(point[None]))
    residual = [
        mpmath.tanh(mpmath.mpf(0.7) * mpmath.mpf(x)) + mpmath.mpf(-0.2) - mpmath.mpf(y)
        for x, y in rows.T.tolist()
    ]
    exact = mpmath.fsum(r * r for r in residual) / 34
    assert mpmath.mpf(value.lo[0]) <= exact <= mpmath.mpf(value.hi[0])
    assert float(value.hi[0] - value.lo[0]) < 1e-12
    mean = mpmath.fsum(residual) / 17
    assert mpmath.mpf(slope.lo[0, 1]) <= mean <= mpmath.mpf(slope.hi[0, 1])
