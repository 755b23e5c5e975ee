r"""The loss of a difference of products of weights as a tape.

:math:`f = \tfrac{\sigma}{2}(\prod_i w_i^{m_i}-\prod_j z_j^{n_j}-\lambda)^2`. A variable with a
multiplicity m stands for m weights that are equal and stay so; its gradient is m times theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.expressions.functions import Op
from engine.expressions.tape import Builder, Tape


def product_tape(
    powers: Sequence[int], others: Sequence[int] = (), *, is_negative: bool = False
) -> Tape:
    """Return the tape of the loss.

    Parameters
    ----------
    powers, others : sequence of int
        Multiplicities of the variables of the first product, and of the one that is subtracted.
    is_negative : bool
        Whether an odd number of the weights have another sign than their variable.

    Returns
    -------
    Tape
        With the variables w1, w2 ... and z1, z2 ..., and the constants sigma and lambda.
    """
    builder = Builder()
    first = [f"w{i + 1}" for i in range(len(powers))]
    second = [f"z{i + 1}" for i in range(len(others))]
    made = _product(builder, first, powers)
    if is_negative:
        made = builder.unary(Op.NEG, made)
    if second:
        made = builder.binary(Op.SUB, made, _product(builder, second, others))
    error = builder.binary(Op.SUB, made, builder.name("lambda", False))
    half = builder.binary(Op.MUL, builder.number(0.5), builder.name("sigma", False))
    root = builder.binary(Op.MUL, half, builder.unary(Op.SQUARE, error))
    return builder.tape(root, None, (*first, *second), ("sigma", "lambda"))


def parted(powers: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Take one weight of every variable for itself.

    Parameters
    ----------
    powers : sequence of int
        Multiplicities of the variables.

    Returns
    -------
    variables, powers : tuples of int
        Of every part the number of its variable, and its multiplicity.
    """
    made: list[tuple[int, int]] = []
    for number, power in enumerate(powers):
        made += [(number, 1), (number, power - 1)] if power > 1 else [(number, 1)]
    return tuple(number for number, _ in made), tuple(power for _, power in made)


def _product(builder: Builder, names: Sequence[str], powers: Sequence[int]) -> int:
    made = builder.number(1.0)
    for name, power in zip(names, powers, strict=True):
        part = builder.whole_power(builder.name(name, True), power)
        made = builder.binary(Op.MUL, made, part)
    return made
