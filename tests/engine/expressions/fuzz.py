"""Random texts of a typed function: each is a value with derivatives, or one sentence.

``python -m tests.engine.expressions.fuzz --count 100000 --seed 1`` tries as many as are wanted.
"""

from __future__ import annotations

import argparse
import random
import warnings
from collections import Counter

import numpy as np

from engine.core.errors import InputError
from engine.expressions.grammar import read_tree
from engine.expressions.typeset import to_mathtext, to_text
from engine.families.loss.loss import Loss
from engine.text.mathtext import plain_math

PIECES = ["x", "y", "z", "w[1]", "w_2", "2", "0.5", "1e3", "π", "λ", "a", "sin(x)", "max(x, y)"]
PIECES += ["sum(w[i], i = 1..3)", "prod(", "i = 1..4)", "+", "-", "*", "/", "**", "^", "(", ")"]
PIECES += [",", "..", "[", "]", "=", "²", "__class__", "x.y", "exp", "exp(", "log(", "0", "i", "$"]
PIECES += ["abs(", "tanh(", "1e400", "9^", "e", "softplus(", "ₙ", "\n", ":", "\x00", "é", "½"]
OPERANDS = ["x", "y", "w[1]", "2", "0.5", "π", "λ", "a", "z", "(", "exp(", "log(", "tanh(", "-("]
OPERANDS += ["softplus(", "abs(", "sqrt(", "logcosh(", "x²", "sin(x)", "sum(w[i]*x, i = 1..3)"]
OPERATORS = ["+", "-", "*", "/", "^", " - ", "**", "*2^-"]


def is_value_or_sentence(text: str) -> str:
    """Check that a text is evaluated or refused; return which of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            loss = Loss.of(text)
        except InputError as error:
            assert "\n" not in str(error)
            place = error.place or (0, len(text))
            assert 0 <= place[0] <= place[1] <= max(len(text), place[0])
            return "sentence"
        point = np.full(loss.dimension, 0.4)
        assert isinstance(loss.value(point), float)
        assert loss.hessian(point).shape == (loss.dimension, loss.dimension)
        assert isinstance(loss.fourth(point, point, point, point, point), float)
        tree = loss.expression.tree
        assert to_text(read_tree(to_text(tree))) == to_text(tree)
        assert plain_math(to_mathtext(tree))
    return "value"


def fuzzed(random_source: random.Random) -> str:
    """Return a text of pieces of the grammar and others, half of them in a likely order."""
    count = random_source.randrange(1, 14)
    if random_source.random() < 0.5:
        return "".join(random_source.choice(PIECES) for _ in range(count))
    text, depth = "", 0
    for _ in range(count):
        operand = random_source.choice(OPERANDS)
        depth += operand.endswith("(")
        text += operand if operand.endswith("(") else operand + random_source.choice(OPERATORS)
    return text + random_source.choice(OPERANDS[:9]) + ")" * depth


def main() -> None:
    """Try texts until one is neither; the text is named then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    source, seen = random.Random(given.seed), Counter[str]()
    for _ in range(given.count):
        text = fuzzed(source)
        try:
            seen[is_value_or_sentence(text)] += 1
        except Exception as error:
            raise SystemExit(f"neither a value nor a sentence: {text!r}") from error
    print(", ".join(f"{count} {kind}s" for kind, count in sorted(seen.items())))


if __name__ == "__main__":
    main()
