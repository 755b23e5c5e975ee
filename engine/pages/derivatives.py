"""A tape as functions for a page: its value with the gradient, and the Hessian times a direction.

The sweeps are those of `engine.kernels.tape.sweep`: forward through the shared part, forward and
backward through every row of data, backward through the shared part.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.expressions.functions import Op
from engine.expressions.tape import Tape
from engine.pages.lines import Function, Line, Writer, number, product

_SLOPES: dict[Op, tuple[str, str]] = {
    Op.SQUARE: ("2.0 * {x}", "2.0"),
    Op.RECIP: ("-({y} * {y})", "2.0 * {y} * {y} * {y}"),
    Op.SQRT: ("0.5 / {y}", "-0.25 / ({x} * {y})"),
    Op.EXP: ("{y}", "{y}"),
    Op.LOG: ("1.0 / {x}", "-1.0 / ({x} * {x})"),
    Op.SIN: ("cos({x})", "-{y}"),
    Op.COS: ("-sin({x})", "-{y}"),
    Op.TAN: ("1.0 + {y} * {y}", "2.0 * {y} * (1.0 + {y} * {y})"),
    Op.ATAN: ("1.0 / (1.0 + {x} * {x})", "-2.0 * {x} / ((1.0 + {x} * {x}) * (1.0 + {x} * {x}))"),
    Op.SINH: ("cosh({x})", "{y}"),
    Op.COSH: ("sinh({x})", "{y}"),
    Op.TANH: ("sech2({x})", "-2.0 * {y} * sech2({x})"),
    Op.SIGMOID: ("{y} * sigmoid(-{x})", "-{y} * sigmoid(-{x}) * tanh(0.5 * {x})"),
    Op.SOFTPLUS: ("sigmoid({x})", "sigmoid({x}) * sigmoid(-{x})"),
    Op.LOGCOSH: ("tanh({x})", "sech2({x})"),
    Op.ABS: ("sign({x})", "0.0"),
    Op.RELU: ("above({x})", "0.0"),
}
"""First and second derivative of a function y of x."""
_VALUES: dict[Op, str] = {
    Op.ADD: "{x} + {z}",
    Op.SUB: "{x} - {z}",
    Op.MUL: "{x} * {z}",
    Op.NEG: "-{x}",
    Op.SQUARE: "{x} * {x}",
    Op.RECIP: "1.0 / {x}",
    Op.RELU: "positive({x})",
    Op.POWER: "power({x}, {z})",
}
"""Values of operations that are not written as a call of their own name."""


class Sweep:
    """Values, tangents and adjoints of one part of a tape.

    Parameters
    ----------
    writer : Writer
    code : sequence of (operation, argument, argument)
    leaves : sequence of str
        Names or numbers of the first places.
    tangents : sequence of str or None
        Entries of a direction; None for leaves that it leaves alone.
    has_kinks : bool
        Whether adjoints may be 0 because a maximum does not take them.
    """

    def __init__(
        self,
        writer: Writer,
        code: Sequence[Sequence[int]],
        leaves: Sequence[str],
        tangents: Sequence[str | None],
        has_kinks: bool,
    ) -> None:
        self._writer = writer
        self.code = [(Op(op), a, b) for op, a, b in code]
        self.leaves = len(leaves)
        self.values = list(leaves)
        self.tangents = list(tangents)
        self.bars: list[str | None] = []
        self.turns: list[str | None] = []
        """Derivatives of the adjoints along the direction."""
        self._slopes: dict[int, tuple[str, str]] = {}
        self._has_kinks = has_kinks

    def forward(self, above: Sweep | None = None) -> None:
        """Write all operations; `above` has the values that are repeated for every row."""
        for op, a, b in self.code:
            if op is Op.SPREAD:
                assert above is not None
                self.values.append(above.values[a])
                self.tangents.append(above.tangents[a])
            else:
                self._operation(op, a, b)

    def _operation(self, op: Op, a: int, b: int) -> None:
        x, z = self.values[a], self.values[b]
        u, v = self.tangents[a], self.tangents[b]
        write, node = self._writer.value, len(self.values)
        if op in (Op.MAX, Op.MIN):
            first = write(f"{'upper' if op is Op.MAX else 'lower'}({x}, {z})")
            self._slopes[node] = (first, "0.0")
            self.values.append(write(f"select({first}, {x}, {z})"))
            chosen = f"select({first}, {u or '0.0'}, {v or '0.0'})"
            self.tangents.append(write(chosen) if u or v else None)
            return
        y = write(_VALUES.get(op, f"{op.name.lower()}({{x}})").format(x=x, z=z))
        self.values.append(y)
        if op in (Op.ADD, Op.SUB):
            self.tangents.append(self._sum(u, v, negative=op is Op.SUB))
        elif op is Op.NEG:
            self.tangents.append(u and write(f"-{u}"))
        elif op is Op.MUL:
            parts = (u and write(product(u, z)), v and write(product(x, v)))
            self.tangents.append(self._sum(*parts))
        else:
            self._slopes[node] = self._slopes_of(op, x, y, z)
            self.tangents.append(u and write(product(u, write(self._slopes[node][0]))))

    @staticmethod
    def _slopes_of(op: Op, x: str, y: str, z: str) -> tuple[str, str]:
        if op is Op.POWER:
            return f"power_1({x}, {z})", f"power_2({x}, {z})"
        first, second = _SLOPES[op]
        return first.format(x=x, y=y), second.format(x=x, y=y)

    def _sum(self, first: str | None, second: str | None, negative: bool = False) -> str | None:
        if first is None and second is not None and negative:
            return self._writer.value(f"-{second}")
        if first is None or second is None:
            return first or second
        return self._writer.value(f"{first} {'-' if negative else '+'} {second}")

    def begin(self) -> None:
        """Begin without any adjoints."""
        self.bars = [None] * len(self.values)
        self.turns = [None] * len(self.values)

    def propagate(self) -> None:
        """Write adjoints from those that there are to the leaves."""
        for k in range(len(self.code) - 1, -1, -1):
            op, a, b = self.code[k]
            node = self.leaves + k
            bar, turn = self.bars[node], self.turns[node]
            if bar is not None and op is not Op.SPREAD:
                self._adjoint(op, a, b, bar, turn, node)

    def _adjoint(self, op: Op, a: int, b: int, bar: str, turn: str | None, node: int) -> None:
        if op in (Op.ADD, Op.SUB, Op.NEG):
            sign = -1 if op is Op.NEG else 1
            self.add(a, bar, turn, sign)
            if op is not Op.NEG:
                self.add(b, bar, turn, -1 if op is Op.SUB else 1)
        elif op is Op.MUL:
            for place, other in ((b, a), (a, b)):
                x, u = self.values[other], self.tangents[other]
                self.add(place, self._times(bar, x), self._turned(bar, turn, x, u))
        elif op in (Op.MAX, Op.MIN):
            first = self._slopes[node][0]
            second = self._writer.value(f"1.0 - {first}")
            self.add(a, self._times(first, bar), turn and self._times(first, turn))
            self.add(b, self._times(second, bar), turn and self._times(second, turn))
        else:
            slope = self._writer.value(self._slopes[node][0])
            u = self.tangents[a]
            curve = self._slopes[node][1]
            bent = None if u is None or curve == "0.0" else self._times(u, f"({curve})")
            self.add(a, self._times(bar, slope), self._turned(bar, turn, slope, bent))

    def _turned(self, bar: str, turn: str | None, x: str, u: str | None) -> str | None:
        """Return the derivative of ``bar * x``, whose factors have the derivatives `turn`, `u`."""
        first = turn and self._times(turn, x)
        return self._sum(first, u and self._times(bar, u))

    def _times(self, a: str, b: str) -> str:
        """Return a product of an adjoint; 0 times anything is 0 where a maximum may say so."""
        if self._has_kinks and "1.0" not in (a, b):
            return self._writer.value(f"part({a}, {b})")
        return self._writer.value(product(a, b))

    def add(self, place: int, bar: str, turn: str | None, sign: int = 1) -> None:
        """Add to an adjoint and to its derivative."""
        negative = sign < 0
        self.bars[place] = self._sum(self.bars[place], bar, negative)
        if turn is not None:
            self.turns[place] = self._sum(self.turns[place], turn, negative)


def gradient_of(tape: Tape) -> Function:
    """Return the function that returns the loss and writes its gradient, `gradient(w, c, g)`."""
    return _function("gradient", tape, along=False)


def curve_of(tape: Tape) -> Function:
    """Return the function that writes the Hessian times a direction, `curve(w, c, u, h)`."""
    return _function("curve", tape, along=True)


def _function(name: str, tape: Tape, *, along: bool) -> Function:
    writer, n = Writer(), len(tape.variables)
    leaves = [writer.value(f"w[{i}]") for i in range(n)]
    leaves += [writer.value(f"c[{i}]") for i in range(len(tape.constants))]
    leaves += [number(value) for value in tape.numbers.tolist()]
    tangents: list[str | None] = [None] * len(leaves)
    if along:
        tangents[:n] = [writer.value(f"u[{i}]") for i in range(n)]
    ops = {Op(op) for op in (*tape.shared[:, 0].tolist(), *tape.rows[:, 0].tolist())}
    has_kinks = bool(ops & {Op.MAX, Op.MIN})
    shared = Sweep(writer, tape.shared.tolist(), leaves, tangents, has_kinks)
    shared.forward()
    shared.begin()
    before: tuple[Line, ...] = ()
    rows: tuple[Line, ...] = ()
    if len(tape.rows):
        result, before, rows = _rows(tape, writer, shared, has_kinks)
    else:
        result = shared.values[tape.root]
        shared.bars[tape.root] = "1.0"
    shared.propagate()
    for i in range(n):
        made = shared.turns[i] if along else shared.bars[i]
        writer.set(f"{'h' if along else 'g'}[{i}]", made or "0.0")
    arguments = ("w", "c", "u", "h") if along else ("w", "c", "g")
    return Function(name, arguments, before, rows, writer.take(), "" if along else result)


def _rows(
    tape: Tape, writer: Writer, shared: Sweep, has_kinks: bool
) -> tuple[str, tuple[Line, ...], tuple[Line, ...]]:
    """Write the loop over rows, and begin the shared adjoints with the sums of theirs.

    Returns
    -------
    result : str
        The mean of the rows.
    before, rows : tuple of Line
        What comes before the loop, and within it.
    """
    share = writer.value("1.0 / ROWS")
    total = writer.sum("total")
    spreads = [(k, a) for k, (op, a, _) in enumerate(tape.rows.tolist()) if op == Op.SPREAD]
    for k, _ in spreads:
        writer.sum(f"s{k}")
        writer.sum(f"t{k}")
    before, known = writer.take(), writer.known()
    columns = [writer.value(f"D[{i}][r]") for i in range(len(tape.columns))]
    sweep = Sweep(writer, tape.rows.tolist(), columns, [None] * len(columns), has_kinks)
    sweep.forward(shared)
    writer.add(total, sweep.values[tape.root])
    sweep.begin()
    sweep.bars[tape.root] = share
    sweep.propagate()
    for k, a in reversed(spreads):
        bar, turn = sweep.bars[sweep.leaves + k], sweep.turns[sweep.leaves + k]
        if bar is not None:
            writer.add(f"s{k}", bar)
            shared.add(a, f"s{k}", None if turn is None else f"t{k}")
        if turn is not None:
            writer.add(f"t{k}", turn)
    rows = writer.take()
    writer.forget(known)
    return writer.value(f"{total} * {share}"), before, rows
