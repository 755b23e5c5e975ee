"""The reader of typed functions: meaning, places of errors, limits, any text at all."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.errors import InputError
from engine.expressions.functions import FUNCTIONS, Op
from engine.expressions.grammar import MOST_DEPTH, ExpressionError, read_tree
from engine.expressions.reader import Rule, read, read_variables
from engine.expressions.typeset import to_mathtext, to_text
from engine.families.loss.loss import Loss
from engine.kernels.tape import codes
from tests.engine.expressions.drawn import functions
from tests.engine.expressions.fuzz import fuzzed, is_value_or_sentence

POINT = np.array([0.3, 0.7, 1.9])


def value(text: str, **constants: float) -> float:
    """Evaluate a text in x, y, z at `POINT`."""
    return Loss.of(text, ("x", "y", "z"), constants).value(POINT)


VALUES = {
    "2x + 3(y - 1)": 2 * 0.3 + 3 * (0.7 - 1),
    "2 sin(x)": 2 * math.sin(0.3),
    "-x^2": -0.09,
    "2^3^2*x": 512 * 0.3,
    "1 - 2 - x": -1.3,
    "8/4/x": 2 / 0.3,
    "2**-1*x": 0.15,
    "x² + y⁻¹": 0.09 + 1 / 0.7,
    "+-+x": -0.3,
    "− x · y × z ÷ 2": -0.3 * 0.7 * 1.9 / 2,
    "sin(π*x) + e": math.sin(math.pi * 0.3) + math.e,
    "max(x, y, z) - min(x, y, .5)": 1.9 - 0.3,
    "sum(i*x, i = 1..4)": 3.0,
    "prod(x + i, i = 0..2)": 0.3 * 1.3 * 2.3,
    "sum(sum(i*j, j = 1..i)*y, i = 1..3)": (1 + 2 * 3 + 3 * 6) * 0.7,
    "1e-3*exp(-x)/(1 + x^2)": 1e-3 * math.exp(-0.3) / 1.09,
    "x*0 + 1/3": 1 / 3,
}


@pytest.mark.parametrize("text", VALUES)
def test_values(text: str) -> None:
    assert value(text) == pytest.approx(VALUES[text], rel=1e-14)


def test_spellings_of_a_name_are_one_name() -> None:
    tape = read("w1 + w_1 + w₁ + w[1] + w[3 - 2] + λ + lambda").tape
    assert (tape.variables, tape.constants) == (("w1",), ("lambda",))


def test_variables_are_sorted_by_their_numbers() -> None:
    assert read("w10 + w2 + x + a + y").tape.variables == ("w2", "w10", "x", "y")
    assert read("w10 + w2 + x + a", ("a", "w2")).tape.variables == ("a", "w2")
    assert read("w10 + w2 + x + a", ("a", "w2")).tape.constants == ("w10", "x")


def test_over_data_x_and_y_are_columns() -> None:
    expression = read("w1*x + a", rule=Rule.SQUARES)
    assert expression.tape.columns == ("x1", "y")
    assert (expression.tape.variables, expression.tape.constants) == (("w1",), ("a",))
    assert expression.tape.residual >= 0
    assert read("w1*x1 - w2*x2", rule=Rule.LOGISTIC).tape.columns == ("x1", "x2", "y")


def test_vectors_are_summed_as_a_whole() -> None:
    assert read("(prod(w) - 1)^2", ("w1", "w2", "w3")).tape.variables == ("w1", "w2", "w3")
    assert read("sum(w) + w4^2").tape.variables == ("w1", "w2", "w3", "w4")
    with pytest.raises(ExpressionError, match="how many"):
        read("prod(w)")


def test_common_parts_are_shared_and_numbers_computed() -> None:
    tape = read("exp(x*y)^2 + exp(y*x) + 0*2 + 3^2*sqrt(4)*z + 1*x").tape
    ops = tape.shared[:, 0].tolist()
    assert ops.count(Op.EXP) == 1
    assert ops.count(Op.MUL) == 2
    assert tape.numbers.tolist() == [18.0]


def test_smoothness_is_known() -> None:
    assert read("exp(x) + x^2").smooth
    for text in ("abs(x)", "max(x, 1)", "min(x, 1)", "1 + pos(x)", "relu(x)"):
        assert not read(text).smooth


def test_kernels_have_the_numbers_of_operations() -> None:
    assert {op.name: int(op) for op in Op} == {
        name: number for name, number in vars(codes).items() if name.isupper()
    }


PLACES = {
    "x + 3 $ 2": (6, "$"),
    "x + ": (3, ""),
    "1/2x": (2, "2x"),
    "x y": (2, "y"),
    "x + foo(y)": (4, "foo"),
    "x + w[1.5]": (6, "1.5"),
    "x + w[0]": (4, "w[0]"),
    "1 + q[1]": (4, "q[1]"),
    "x^2 + 1/0": (8, "0"),
    "x + 9^9^9": (4, "9^9^9"),
    "x*1e999": (2, "1e999"),
    "sin x": (4, "x"),
    "x)": (1, ")"),
    "x + log(0)*y": (4, "log(0)"),
    "sum(w[i], i = 3..1)": (14, "3..1"),
    "sum(w[i], e = 1..3)": (10, "e"),
    "sum(w[i], i = 1..x)": (17, "x"),
    "x + sum(x*i, i = 1..1000000)": (4, "sum(x*i, i = 1..1000000)"),
    "max(x)": (5, ")"),
    "α$": (1, "$"),
    "×$": (1, "$"),
}


@pytest.mark.parametrize("text", PLACES)
def test_errors_know_their_place(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read(text)
    start, part = PLACES[text]
    assert caught.value.place[0] == start
    if part:
        assert text[slice(*caught.value.place)] == part
    assert "\n" not in str(caught.value)


LONG = {
    "brackets": "(" * 10_000 + "x" + ")" * 10_000,
    "signs": "-" * 10_000 + "x",
    "powers": "x" + "^x" * 10_000,
    "calls": "sin(" * 10_000 + "x" + ")" * 10_000,
    "terms": "+".join(["x"] * 100_000),
    "fewer terms": "x" + " + x*y" * 3_000,
    "factors": "*".join(["(x + y)"] * 3_000),
    "towers": "9^9^9",
    "variable towers": "x^9^9^9",
    "nested sums": "sum(sum(sum(x*i*j, i = 1..1000), j = 1..1000), k = 1..1000)",
    "long sum": "sum(x*i, i = 1..5000)",
    "digits": "1" * 5000 + "x",
    "names": "a" * 100_000,
    "different terms": "+".join(f"a{i}*x" for i in range(3_000)),
}


@pytest.mark.parametrize("name", LONG)
def test_long_texts_are_a_value_or_a_sentence(name: str) -> None:
    try:
        made = value(LONG[name])
        assert isinstance(made, float)
    except InputError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 300


def test_what_is_just_allowed() -> None:
    assert value("(" * MOST_DEPTH + "x" + ")" * MOST_DEPTH) == 0.3
    assert value(LONG["signs"]) == 0.3
    assert value(LONG["fewer terms"]) == pytest.approx(0.3 + 3_000 * 0.21)


def test_fuzzed_texts_are_values_or_sentences() -> None:
    source = random.Random(20_261_130)
    seen = [is_value_or_sentence(fuzzed(source)) for _ in range(1000)]
    assert {"value", "sentence"} == set(seen)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_value_or_a_sentence(text: str) -> None:
    is_value_or_sentence(text)


@settings(max_examples=150, deadline=None)
@given(functions(depth=4))
def test_what_is_written_reads_back_to_the_same(drawn: tuple[str, object]) -> None:
    tree = read_tree(drawn[0])
    again = read_tree(to_text(tree))
    assert to_text(again) == to_text(tree)
    one, other = (Loss.of(text, ("x", "y", "z"), {"p": 2.5}) for text in (drawn[0], to_text(tree)))
    np.testing.assert_array_equal(one.interpreted.shared, other.interpreted.shared)
    np.testing.assert_array_equal(one.interpreted.numbers, other.interpreted.numbers)


TYPESET = {
    "(1-x)^2 + 100(y-x^2)^2": r"(1 - x)^{2} + 100 \, (y - x^{2})^{2}",
    "-a/b*c": r"-\frac{a \, c}{b}",
    "1e-3*w_1": r"1 \times 10^{-3} \, w_{1}",
    "0.5(prod(w[i], i=1..5) - λ)^2": r"0.5 \, (\prod_{i=1}^{5} w_{i} - \lambda)^{2}",
    "sqrt(abs(x))*delta_max": r"\sqrt{|x|} \, \delta_{\mathrm{max}}",
    "tanh(x)^2*3": r"(\mathrm{tanh}(x))^{2} \cdot 3",
    "a - (b - c)": "a - (b - c)",
    "sum(w)": r"\sum_{i} w_{i}",
}


@pytest.mark.parametrize("text", TYPESET)
def test_formulas_are_typeset(text: str) -> None:
    assert to_mathtext(read_tree(text)) == TYPESET[text]


def test_everything_is_typeset_by_matplotlib() -> None:
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("path")
    for text in (*VALUES, *TYPESET, *(f"{name}(x, y)" for name in ("max", "min"))):
        parser.parse(f"${to_mathtext(read_tree(text))}$")
    for name in set(FUNCTIONS) - {"max", "min"}:
        parser.parse(f"${to_mathtext(read_tree(f'{name}(α_2 + w[i])'))}$")


def test_lists_of_variables() -> None:
    assert read_variables("") == ()
    assert read_variables("w1..w5, x") == ("w1", "w2", "w3", "w4", "w5", "x")
    assert read_variables("w_2 w1;λ") == ("w2", "w1", "lambda")
    assert read_variables("w1 .. w3") == ("w1", "w2", "w3")


@pytest.mark.parametrize("text", ["1", "w1, w1", "sin", "e", "w5..w1", "w1..w900", "w-", "x+y"])
def test_bad_lists_of_variables_are_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_variables(text)
    assert "\n" not in str(caught.value)


def test_too_many_variables_are_refused() -> None:
    with pytest.raises(InputError, match="at most 20 variables"):
        read("sum(w[i], i = 1..21)")


def main() -> None:
    """Fuzz the reader with many texts: ``python -m tests.engine.expressions.test_reader N``."""
    import collections
    import sys

    source = random.Random(1)
    count = int(sys.argv[1])
    seen = collections.Counter(is_value_or_sentence(fuzzed(source)) for _ in range(count))
    print(dict(seen))


if __name__ == "__main__":
    main()
