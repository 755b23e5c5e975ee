"""Random typed functions, with the same function written for torch."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

CONSTANTS = {"lambda": 0.7, "p": 2.5}


def logcosh(x: torch.Tensor) -> torch.Tensor:
    """Compute log cosh x, whose derivatives torch finds."""
    return torch.log(torch.cosh(x))


UNARY = {
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "atan": torch.atan,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "abs": torch.abs,
    "sigmoid": torch.sigmoid,
    "softplus": lambda x: torch.log1p(torch.exp(x)),
    "logcosh": logcosh,
    "relu": torch.relu,
    "pos": torch.relu,
}
BINARY = {
    "{} + {}": lambda a, b: a + b,
    "{} - {}": lambda a, b: a - b,
    "{} * {}": lambda a, b: a * b,
    "{} / {}": lambda a, b: a / b,
    "max({}, {})": torch.maximum,
    "min({}, {})": torch.minimum,
}
POWERS = {"{}^2": 2.0, "{}^3": 3.0, "{}^-1": -1.0, "{}^1.5": 1.5, "{}^0.5": 0.5, "{}^p": 2.5}
LEAVES = {
    "x": lambda z: z[0],
    "y": lambda z: z[1],
    "z": lambda z: z[2],
    "λ": lambda z: z[0] * 0 + 0.7,
    "1.5": lambda z: z[0] * 0 + 1.5,
    "2": lambda z: z[0] * 0 + 2.0,
}


def composed(outer: Any, *inner: Any) -> Any:
    """Return a function of a function or two."""
    return lambda z: outer(*(each(z) for each in inner))


@st.composite
def functions(draw: st.DrawFn, depth: int = 3) -> tuple[str, Any]:
    """Draw a function of x, y and z as typed, and for torch."""
    kind = (
        draw(st.sampled_from(["leaf", "unary", "binary", "binary", "power"])) if depth else "leaf"
    )
    if kind == "leaf":
        name = draw(st.sampled_from(sorted(LEAVES)))
        return name, LEAVES[name]
    text, inner = draw(functions(depth=depth - 1))
    if kind == "unary":
        name = draw(st.sampled_from(sorted(UNARY)))
        return f"{name}({text})", composed(UNARY[name], inner)
    if kind == "power":
        shape = draw(st.sampled_from(sorted(POWERS)))
        exponent = POWERS[shape]
        return shape.format(f"({text})"), composed(lambda a: a**exponent, inner)
    shape = draw(st.sampled_from(sorted(BINARY)))
    other, second = draw(functions(depth=depth - 1))
    return shape.format(f"({text})", f"({other})"), composed(BINARY[shape], inner, second)
