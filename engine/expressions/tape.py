"""Straight-line programs: what kernels run of a typed function.

A tape is two lists of operations. The shared one depends on variables and constants only; the one
for rows depends on the data as well and is run for every row. Common subexpressions are shared,
what depends on numbers only is computed at once, and what does not lead to the result is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.core.arrays import FloatArray
from engine.expressions.functions import BINARY, VALUES, Op

MOST_OPERATIONS = 100_000
"""Operations of a tape, and parts of a text with all its sums and products written out."""

Ints = NDArray[np.int64]


class TooLongError(Exception):
    """A program of more than `MOST_OPERATIONS`."""


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """A function as a program.

    Places of the shared part are numbered through variables, constants, numbers and operations, in
    this order; those of the part for rows through columns and operations. An operation is a row
    (operation, first argument, second argument or 0), with arguments from its own part; `Op.SPREAD`
    alone takes its argument from the shared part.

    Attributes
    ----------
    variables, constants, columns : tuple of str
        Keys of what comes first in each part.
    numbers : ndarray, shape (p,)
    shared, rows : ndarray of int64, shape (m, 3)
    root, residual : int
        Places of the result and of the residual of a least-squares problem, -1 if there is none;
        in the part for rows if there is one.
    """

    variables: tuple[str, ...]
    constants: tuple[str, ...]
    columns: tuple[str, ...]
    numbers: FloatArray
    shared: Ints
    rows: Ints
    root: int
    residual: int

    @property
    def leaves(self) -> int:
        """Number of places of the shared part before its operations."""
        return len(self.variables) + len(self.constants) + self.numbers.size

    @property
    def operations(self) -> int:
        """Number of operations."""
        return len(self.shared) + len(self.rows)


Entry = tuple[object, ...]
"""A leaf ("name", key) or ("number", value), or an operation (Op, argument, argument)."""


class Builder:
    """Collects operations, each of which is kept once.

    Nodes are numbered as they come; arguments come before what they are arguments of.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.active: list[bool] = []
        """Of every node, whether it depends on an active name: a variable or a column."""
        self._known: dict[Entry, int] = {}

    def _node(self, entry: Entry, active: bool = False) -> int:
        found = self._known.get(entry)
        if found is None:
            if len(self.entries) >= MOST_OPERATIONS:
                raise TooLongError
            found = self._known[entry] = len(self.entries)
            self.entries.append(entry)
            active = active or any(self.active[each] for each in self._arguments(found))
            self.active.append(active)
        return found

    def number(self, value: float) -> int:
        """Return the node of a number."""
        return self._node(("number", value + 0.0))

    def name(self, key: str, active: bool) -> int:
        """Return the node of a variable, constant or column."""
        return self._node(("name", key), active)

    def value(self, node: int) -> float | None:
        """Return the value of a node that is a number, else None."""
        kind, value = self.entries[node][:2]
        return value if kind == "number" and isinstance(value, float) else None

    def unary(self, op: Op, a: int) -> int:
        """Return the node of a function of one argument."""
        value = self.value(a)
        if value is not None:
            return self.number(VALUES[op](value))
        entry = self.entries[a]
        if op is Op.NEG and entry[0] is Op.NEG and isinstance(entry[1], int):
            return entry[1]
        return self._node((op, a, 0))

    def binary(self, op: Op, a: int, b: int) -> int:
        """Return the node of a function of two arguments."""
        x, y = self.value(a), self.value(b)
        if x is not None and y is not None:
            return self.number(VALUES[op](x, y))
        if op is Op.MUL:
            return self._times(a, x, b, y)
        if op is Op.ADD and x == 0:
            return b
        if op in (Op.ADD, Op.SUB) and y == 0:
            return a
        if op is Op.SUB and x == 0:
            return self.unary(Op.NEG, b)
        if op is Op.ADD:
            a, b = min(a, b), max(a, b)
        return self._node((op, a, b))

    def _times(self, a: int, x: float | None, b: int, y: float | None) -> int:
        if x == 1:
            return b
        if y == 1:
            return a
        if x == -1:
            return self.unary(Op.NEG, b)
        if y == -1:
            return self.unary(Op.NEG, a)
        if a == b:
            return self.unary(Op.SQUARE, a)
        return self._node((Op.MUL, min(a, b), max(a, b)))

    def whole_power(self, base: int, exponent: int) -> int:
        """Return the node of a power with a whole exponent, by squaring."""
        if exponent < 0:
            return self.unary(Op.RECIP, self.whole_power(base, -exponent))
        made, square = self.number(1.0), base
        while exponent:
            if exponent % 2:
                made = self.binary(Op.MUL, made, square)
            exponent //= 2
            if exponent:
                square = self.unary(Op.SQUARE, square)
        return made

    def names(self, nodes: Iterable[int]) -> list[str]:
        """Return the keys of the names that some nodes depend on, as they occur."""
        needed = self._needed(nodes)
        entries = (self.entries[node] for node in needed)
        return [str(key) for kind, key, *_ in entries if kind == "name"]

    def _needed(self, nodes: Iterable[int]) -> list[int]:
        """Return all nodes that some depend on, these included, in order."""
        keep = bytearray(len(self.entries))
        for node in nodes:
            keep[node] = 1
        for node in range(len(self.entries) - 1, -1, -1):
            if keep[node]:
                for argument in self._arguments(node):
                    keep[argument] = 1
        return [node for node in range(len(self.entries)) if keep[node]]

    def _arguments(self, node: int) -> tuple[int, ...]:
        op, *arguments = self.entries[node]
        if not isinstance(op, Op):
            return ()
        wanted = arguments if op in BINARY else arguments[:1]
        return tuple(each for each in wanted if isinstance(each, int))

    def depends(self, names: Iterable[str]) -> list[bool]:
        """Return of every node whether it depends on one of some names."""
        keys, made = set(names), [False] * len(self.entries)
        for node, (kind, *rest) in enumerate(self.entries):
            if kind == "name":
                made[node] = rest[0] in keys
            else:
                made[node] = any(made[argument] for argument in self._arguments(node))
        return made

    def tape(
        self,
        root: int,
        residual: int | None,
        variables: tuple[str, ...],
        constants: tuple[str, ...],
        columns: tuple[str, ...] = (),
    ) -> Tape:
        """Lay out what leads to some nodes as a tape; with columns, `root` is of their part."""
        wanted = [root] if residual is None else [root, residual]
        layout = _Layout(self, self._needed(wanted), variables, constants, columns)
        places = [layout.place(node, bool(columns)) for node in wanted]
        return Tape(
            variables,
            constants,
            columns,
            np.array(layout.numbers, np.float64),
            np.array(layout.shared, np.int64).reshape(-1, 3),
            np.array(layout.rows, np.int64).reshape(-1, 3),
            places[0],
            places[1] if residual is not None else -1,
        )


class _Layout:
    """Finds every node its place in one part of a tape."""

    def __init__(
        self,
        builder: Builder,
        needed: list[int],
        variables: tuple[str, ...],
        constants: tuple[str, ...],
        columns: tuple[str, ...],
    ) -> None:
        self.shared: list[tuple[int, int, int]] = []
        self.rows: list[tuple[int, int, int]] = []
        self._shared: dict[int, int] = {}
        self._rows: dict[int, int] = {}
        self._columns = len(columns)
        entries = builder.entries
        numbers = [node for node in needed if entries[node][0] == "number"]
        self.numbers = [builder.value(node) for node in numbers]
        first = {key: i for i, key in enumerate((*variables, *constants))}
        across = {key: i for i, key in enumerate(columns)}
        self._leaves = len(first) + len(numbers)
        self._shared.update(zip(numbers, range(len(first), self._leaves), strict=True))
        over_rows = builder.depends(columns)
        for node in needed:
            op, *arguments = entries[node]
            if op == "name":
                key = str(arguments[0])
                if key in across:
                    self._rows[node] = across[key]
                else:
                    self._shared[node] = first[key]
            elif isinstance(op, Op):
                self._operation(node, op, arguments, over_rows[node])

    def _operation(self, node: int, op: Op, arguments: list[object], over_rows: bool) -> None:
        given = [each for each in arguments if isinstance(each, int)]
        if op not in BINARY:
            given = given[:1]
        a, *rest = [self.place(each, over_rows) for each in given]
        b = rest[0] if rest else 0
        if over_rows:
            self._rows[node] = self._columns + len(self.rows)
            self.rows.append((int(op), a, b))
        else:
            self._shared[node] = self._leaves + len(self.shared)
            self.shared.append((int(op), a, b))

    def place(self, node: int, over_rows: bool) -> int:
        """Return a node's place in a part, spread over the rows where it is of the other."""
        if not over_rows:
            return self._shared[node]
        if node not in self._rows:
            self._rows[node] = self._columns + len(self.rows)
            self.rows.append((int(Op.SPREAD), self._shared[node], 0))
        return self._rows[node]


def constants_in_order(tape: Tape, values: Mapping[str, float]) -> FloatArray:
    """Return the values of a tape's constants as its kernels take them, shape (c,)."""
    return np.array([values[key] for key in tape.constants], np.float64)
