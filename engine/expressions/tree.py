"""The parts of a typed function as frozen nodes; sums and products are flat, never deep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Place: TypeAlias = "tuple[int, int]"
"""Where a part stands in the text: its first character, and the one after its last."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number, with the letters it was typed with."""

    value: float
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Name:
    """A name that is no function: a variable, a column, a constant or an index.

    Attributes
    ----------
    key : str
        What all spellings have in common: ``w1`` of ``w_1``, ``lambda`` of ``λ``.
    text : str
        As it was typed.
    """

    key: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a vector, ``w[i+1]``."""

    key: str
    index: Node
    place: Place


@dataclass(frozen=True, slots=True)
class Sum:
    """Terms, each with whether it is subtracted; one term alone is a sign."""

    terms: tuple[tuple[bool, Node], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Product:
    """Factors, each with whether it divides."""

    factors: tuple[tuple[bool, Node], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Power:
    """A power."""

    base: Node
    exponent: Node
    place: Place


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one or more arguments."""

    function: str
    arguments: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Fold:
    """A sum or product over an index, ``sum(w[i]^2, i = 1..5)``."""

    kind: str
    body: Node
    index: Name
    low: Node
    high: Node
    place: Place


@dataclass(frozen=True, slots=True)
class Whole:
    """The sum or product of all entries of a vector, ``prod(w)``."""

    kind: str
    key: str
    place: Place


Node: TypeAlias = "Number | Name | Item | Sum | Product | Power | Call | Fold | Whole"
