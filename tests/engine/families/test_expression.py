"""The parser of typed functions: values, derivatives, and what it refuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.families.functions.expression import MOST_CHARACTERS, MOST_DEPTH, parse
from engine.families.functions.jets import FUNCTIONS

POINTS = np.linspace(0.1, 0.9, 7)

VALUES = {
    "x": POINTS,
    "2": np.full(7, 2.0),
    "-x**2": -(POINTS**2),
    "2^3^2*x": 512 * POINTS,
    "1 - 2 - x": -1 - POINTS,
    "8/4/x": 2 / POINTS,
    "2**-1*x": POINTS / 2,
    "2**x": 2**POINTS,
    "sin(pi*x) + e": np.sin(np.pi * POINTS) + math.e,
    "max(x, 0.5) - min(x, .5)": np.abs(POINTS - 0.5),
    "abs(x - 0.5) + pos(x - .5)": np.abs(POINTS - 0.5) + np.maximum(POINTS - 0.5, 0),
    "1e-3*exp(-x)/(1+x^2)": 1e-3 * np.exp(-POINTS) / (1 + POINTS**2),
    "+-+x1": -POINTS,
    "\N{MINUS SIGN}x": -POINTS,
    "\tx +\n 1 ": POINTS + 1,
    "2x + 3(x - 1)": 5 * POINTS - 3,
    "x² + sum(i*x, i = 1..3)": POINTS**2 + 6 * POINTS,
    "max(x, 0.2, 1 - x)": np.maximum(np.maximum(POINTS, 0.2), 1 - POINTS),
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text):
    expression = parse(text)
    assert expression.dimensions == 1
    np.testing.assert_allclose(expression(POINTS), VALUES[text], rtol=1e-14)


def test_two_variables_have_two_names_each():
    x, y = np.meshgrid(POINTS, POINTS)
    for text in ("x*y**2", "x1*x2^2", "x*x2*y"):
        expression = parse(text)
        assert expression.dimensions == 2
        np.testing.assert_allclose(expression(x, y), x * y**2, rtol=1e-14)
    assert parse("x**2", 2).dimensions == 2
    assert parse("x**2", 2)(x, y).shape == x.shape


def test_smoothness_is_known():
    assert parse("exp(x) + x**2").smooth
    for text in ("abs(x)", "max(x, 1)", "min(x, 1)", "1 + pos(x)"):
        assert not parse(text).smooth


SMOOTH = [f"{name}(0.3 + x*y/2)" for name in FUNCTIONS] + [
    "x**3*y - y/x",
    "(x + 2*y)**2.5",
    "2**(x*y)",
    "max(x*y, x + y)",
    "min(x*x, y)",
    "1/(1 + x*x + y*y)",
]


@pytest.mark.parametrize("text", SMOOTH)
def test_derivatives_equal_differences(text):
    expression = parse(text)
    x, y = np.random.default_rng(0).uniform(0.2, 0.8, (2, 20))
    jet, step = expression.jet(x, y), 1e-4
    for i, (dx, dy) in enumerate(((step, 0), (0, step))):
        ahead, behind = expression.jet(x + dx, y + dy), expression.jet(x - dx, y - dy)
        slope = (ahead.value - behind.value) / (2 * step)
        np.testing.assert_allclose(jet.gradient[i], slope, rtol=2e-6, atol=2e-6)
        bend = (ahead.gradient - behind.gradient) / (2 * step)
        np.testing.assert_allclose(jet.hessian[i], bend, rtol=2e-6, atol=2e-5)


def test_no_derivative_is_lost_at_zero():
    jet = parse("x**2 + x + 3*x**3").jet(np.zeros(1))
    assert (jet.value[0], jet.gradient[0, 0], jet.hessian[0, 0, 0]) == (0, 1, 2)


def test_the_undefined_is_not_finite_and_never_warns():
    for text in ("log(x)", "1/x", "sqrt(x)/x", "x**-3"):
        assert not np.isfinite(parse(text).jet(np.zeros(1)).hessian).all()
    assert np.isinf(parse("exp(1000*x)")(np.ones(1)))


REFUSED = {
    "": "write a number, a name or a bracket at the end",
    "1/2x": "write /2*x or /(2*x)",
    "x(1)": "'x' is no function",
    "sin x": "write '(' before 'x'",
    "sin(x": "write ')' at the end",
    "max(x)": "write ',' before ')'",
    "sin(x, 1)": "write ')' before ','",
    "x)": "leave out ')'",
    "x + ": "write a number, a name or a bracket at the end",
    "z": "'z' is not known: use x, y, pi, e, exp",
    "x.real": "'.' is not known",
    "x[0]": "'x[0]' is not known: use x, y",
    "prod(w)": "'prod(w)' is not known: use x, y",
    "x = 1": "leave out '='",
    "x if x else 1": "write an operator, such as *, before 'if'",
    "lambda: 1": "':' is not known",
    "x ** x": "give a power a number as its exponent",
    "x ** 33": "use exponents up to 32 in size",
    "9**9**9": "use exponents up to 32 in size",
    "1e13": "use numbers up to 10¹² in size",
    "1e999": "use numbers up to 10¹² in size",
    "1e9*1e9": "use numbers up to 10¹² in size",
    "1/0": "use numbers up to 10¹² in size",
    "log(0)": "use numbers up to 10¹² in size",
    "(" * (MOST_DEPTH + 1) + "x": f"nest at most {MOST_DEPTH}",
    "2^" * (MOST_DEPTH + 1) + "x": f"nest at most {MOST_DEPTH}",
    "x+" * MOST_CHARACTERS + "x": f"write at most {MOST_CHARACTERS} characters",
    "sum(x*i, i = 1..10^9)": "use at most 1000 terms",
    "sum(sum(x*i*j, i = 1..100), j = 1..100)": "use at most 1000 terms",
    "sum(x*i, i = 3..1)": "count upwards",
    "sum(x*i, i = 1..x)": "count upwards between whole numbers",
    "__import__('os').system('true')": "'_' is not known",
    "exec(1)": "'exec' is no function",
    "eval(x)": "'eval' is no function",
    "import os": "write an operator, such as *, before 'os'",
    "\N{FULLWIDTH LATIN SMALL LETTER X}": "is not known",
    "1_000": "'_' is not known",
    "0x10": "'x10' is not known",
    "\x00": "is not known",
    "x'": '"\'" is not known',
}


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_in_one_sentence(text):
    with pytest.raises(InputError) as caught:
        parse(text, field="function")
    assert caught.value.field == "function"
    assert REFUSED[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_y_is_refused_in_one_dimension():
    with pytest.raises(InputError, match="'y' is not known: use x, pi"):
        parse("x + y", 1)


def test_the_longest_and_deepest_texts_still_evaluate():
    assert parse(("x+" * 150)[:299])(1.0) == 150
    assert parse("(" * 40 + "x" + ")" * 40)(2.0) == 2
    assert parse(("x*" * 150)[:299]).jet(1.0).gradient[0] == 150


ATOMS = ["x", "y", "2", "0.5", "1e3", "pi", "sin(x)", "max(x, y)", "(x - 1)", "abs(y)"]
PIECES = [*ATOMS, "+", "-", "*", "/", "**", "^", "(", ")", ",", "__class__", "x.y", "[", "exp", ";"]


def evaluates_or_is_refused(text):
    try:
        expression = parse(text)
    except InputError as error:
        assert "\n" not in str(error)
        return
    coordinates = [np.linspace(0, 1, 5)] * expression.dimensions
    jet = expression.jet(*coordinates)
    assert jet.value.shape == (5,)
    assert jet.value.dtype == float
    assert jet.hessian.shape == (expression.dimensions, expression.dimensions, 5)
    assert set("{}'\";:<>%&|~!@#$`\\?").isdisjoint(text)


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text_evaluates_or_is_refused(text):
    evaluates_or_is_refused(text)


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_any_shuffle_of_tokens_evaluates_or_is_refused(text):
    evaluates_or_is_refused(text)


@st.composite
def arithmetic(draw, depth=4):
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(ATOMS[:6]))
    kind = draw(st.sampled_from(["binary", "call", "sign"]))
    first = draw(arithmetic(depth=depth - 1))
    if kind == "call":
        return f"{draw(st.sampled_from(['sin', 'cos', 'tanh', 'atan']))}({first})"
    if kind == "sign":
        return f"(-{first})"
    return f"({first} {draw(st.sampled_from('+-*'))} {draw(arithmetic(depth=depth - 1))})"


@given(arithmetic())
def test_arithmetic_means_what_it_means_in_python(text):
    if len(text) > MOST_CHARACTERS:
        return
    try:
        expression = parse(text, 2)
    except InputError as error:
        assert "numbers up to" in str(error)
        return
    names = {"sin": np.sin, "cos": np.cos, "tanh": np.tanh, "atan": np.arctan, "pi": np.pi}
    expected = eval(text, {"__builtins__": {}}, {**names, "x": 0.3, "y": 0.7})
    np.testing.assert_allclose(expression(0.3, 0.7), expected, rtol=1e-12, atol=1e-9)
