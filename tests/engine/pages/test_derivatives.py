"""What a page computes of a typed function, carried out line by line, beside the kernels."""

from __future__ import annotations

import numpy as np
import pytest

from engine.expressions.functions import Op
from engine.expressions.reader import Rule, read
from engine.families.loss.loss import Data, Loss
from engine.pages.derivatives import curve_of, gradient_of
from tests.engine.pages.arithmetic import call

FUNCTIONS = (
    "(x*y - lambda)^2/2 + x/y",
    "log(1 + exp(x)) + sqrt(1 + x^2)*sin(y) + cos(x*y) + tan(x/9)",
    "tanh(y)^2 + logcosh(x - y) + softplus(x*y) + sigmoid(y)*relu(x) + relu(-x)*y",
    "atan(x)/cosh(y) + sinh(y/3) + (1 + x^2)^0.3 + 2^x + (2 + y)^a",
    "max(x, y)*x + min(x, 2*y)^2 + abs(x - 0.3)*y + max(1, sqrt(x - 9))",
)


def test_all_operations_are_among_the_functions() -> None:
    tapes = [read(text).tape for text in FUNCTIONS]
    met = {Op(op) for tape in tapes for op in tape.shared[:, 0].tolist()}
    assert met == set(Op) - {Op.SPREAD}


@pytest.mark.parametrize("text", FUNCTIONS)
def test_value_gradient_and_hessian_are_those_of_the_kernels(text: str) -> None:
    loss = Loss.of(text, constants={"a": 1.3, "lambda": 2.0}, variables=("x", "y"))
    tape = loss.expression.tape
    random = np.random.default_rng(1)
    for _ in range(4):
        w, u = random.normal(size=2), random.normal(size=2)
        g, h = np.zeros(2), np.zeros(2)
        value = call(gradient_of(tape), w, loss.constants, g)
        call(curve_of(tape), w, loss.constants, u, h)
        exact = loss.gradient(w), loss.curve(w, u)
        assert value == pytest.approx(loss.value(w), rel=1e-14, abs=1e-14, nan_ok=True)
        np.testing.assert_allclose(g, exact[0], rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(h, exact[1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rule", [Rule.SQUARES, Rule.LOGISTIC])
def test_means_over_rows_are_those_of_the_kernels(rule: Rule) -> None:
    random = np.random.default_rng(2)
    targets = random.integers(0, 2, 7).astype(float)
    data = Data(random.normal(size=(7, 2)), targets, rule)
    loss = Loss.of("a*tanh(w1*x1 + w2)*w3 + w1^2*x2 + w2*max(w3, x1)", data=data)
    tape = loss.expression.tape
    columns = data.columns(tape.columns).tolist()
    w, u, g, h = random.normal(size=3), random.normal(size=3), np.zeros(3), np.zeros(3)
    value = call(gradient_of(tape), w, loss.constants, g, data=columns)
    call(curve_of(tape), w, loss.constants, u, h, data=columns)
    assert value == pytest.approx(loss.value(w), rel=1e-14)
    np.testing.assert_allclose(g, loss.gradient(w), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(h, loss.curve(w, u), rtol=1e-13, atol=1e-14)


def test_a_written_function_is_its_lines() -> None:
    """What is checked here line by line is what the browser reads."""
    data = Data(np.array([[1.0], [2.0]]), np.array([0.0, 1.0]))
    made = gradient_of(Loss.of("w1*x1", data=data).expression.tape)
    text = str(made).splitlines()
    begin = text.index("for (let r = 0; r < ROWS; r += 1) {")
    assert text[1:begin] == [*map(str, made.before)]
    assert text[begin + 1 :] == [*map(str, made.rows), "}", *map(str, made.after), *text[-2:]]
    assert text[-2:] == [f"return {made.result};", "}"]
