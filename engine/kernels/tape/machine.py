"""The interpreter as one function of addresses, called as compiled programs are.

It is compiled once for all programs and all uses; kernels that differentiate a program call it at
its address, and are small.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from engine.kernels.jit import inner, kernel
from engine.kernels.tape.codes import ABS, MAX, MIN, RELU, SPREAD
from engine.kernels.tape.interpreter import ORDERS, Part, backward, forward
from engine.kernels.tape.intrinsics import floats_at, integers_at

LANES = 4
"""Running sums over rows: row i goes to sum i mod 4, as in packs of four."""
RESIDUALS, KINKS = -1, -2
"""What is asked for instead of a number of coefficients."""
TABLE = 13
"""Entries of a program's table, see `engine.kernels.tape.program`."""


@inner
def part_at(work: int, places: int, operations: int, size: int) -> Part:
    """Return the working arrays of a part, one after another from an address."""
    bars = work + 8 * places * size
    slopes = bars + 8 * places * size
    supports = slopes + 8 * operations * ORDERS
    return Part(
        floats_at(work, places * size),
        floats_at(bars, places * size),
        floats_at(slopes, operations * ORDERS),
        integers_at(supports, 2 * places),
        floats_at(supports + 16 * places, size),
    )


@inner
def load(part: Part, place: int, value: float, size: int) -> None:
    """Write a leaf that no direction changes."""
    part.supports[place] = 1
    part.values[place * size] = value
    for s in range(1, size):
        part.values[place * size + s] = 0.0


@inner
def load_shared(
    z: Any, constants: Any, numbers: Any, directions: Any, size: int, part: Part
) -> None:
    """Write variables with their directions, constants and numbers."""
    n, fixed = z.size, constants.size
    for i in range(fixed):
        load(part, n + i, constants[i], size)
    for i in range(numbers.size):
        load(part, n + fixed + i, numbers[i], size)
    for i in range(n):
        load(part, i, z[i], size)
        direction = 0
        while 1 << direction < size:
            along = directions[direction * n + i]
            if along != 0.0:
                part.values[i * size + (1 << direction)] = along
                part.supports[i] |= 1 << (1 << direction)
            direction += 1


@inner
def begin(part: Part, root: int, seed: float, size: int) -> None:
    """Begin all adjoints, that of a result with a number."""
    places = part.supports.size // 2
    for i in range(part.bars.size):
        part.bars[i] = -0.0
    for i in range(places, 2 * places):
        part.supports[i] = 0
    if root >= 0:
        part.supports[places + root] = 1
        part.bars[root * size] = seed
        for s in range(1, size):
            part.bars[root * size + s] = 0.0


@inner
def add_lanes(sums: Any, at: int) -> float:
    """Add four running sums."""
    total: float = (sums[at] + sums[at + 1]) + (sums[at + 2] + sums[at + 3])
    return total


@inner
def gather(rows: Any, sums: Any, size: int, above: Part) -> None:
    """Add what the rows' sums hold to the adjoints of the shared part, and clear them."""
    for k in range(rows.size // 3 - 1, -1, -1):
        if rows[3 * k] == SPREAD:
            for s in range(size):
                place = rows[3 * k + 1] * size + s
                above.bars[place] += add_lanes(sums, (k * size + s) * LANES)
    for i in range(sums.size):
        sums[i] = -0.0


@inner
def write_slopes(part: Part, n: int, size: int, slopes: Any, at: int) -> None:
    """Write the adjoints of n variables, coefficient by coefficient."""
    places = part.supports.size // 2
    for s in range(size):
        for i in range(n):
            reached = (part.supports[places + i] >> s) & 1
            slopes[at + s * n + i] = part.bars[i * size + s] + 0.0 if reached else 0.0


@inner
def nearest(code: Any, values: Any, least: float) -> float:
    """Return the least distance from a kink of an argument, `least` at most."""
    for k in range(code.size // 3):
        op, x = code[3 * k], values[code[3 * k + 1]]
        if op == MAX or op == MIN:
            x -= values[code[3 * k + 2]]
        if op == ABS or op == RELU or op == MAX or op == MIN:
            least = min(least, abs(x))
    return least


@kernel
def interpret(
    z_at: int,
    constants_at: int,
    directions_at: int,
    task: int,
    values_at: int,
    slopes_at: int,
    table_at: int,
    work_at: int,
) -> None:
    """Evaluate a program and its derivatives; all arguments but `task` are addresses.

    Parameters
    ----------
    z_at, constants_at : int
        n variables and c constants.
    directions_at : int
        m directions of n entries each, for 2^m coefficients.
    task : int
        1 for value and gradient; 2, 4 or 8 coefficients for derivatives along 1, 2 or 3
        directions; `RESIDUALS`, `KINKS`.
    values_at : int
        Receives the value's coefficients; the residuals; the least distance from a kink.
    slopes_at : int
        Receives the gradient's coefficients, n entries each; the residuals' gradients.
    table_at, work_at : int
        Of the program, and working memory of one thread.
    """
    table = integers_at(table_at, TABLE)
    n, fixed, count, columns = table[0], table[1], table[2], table[5]
    shared = integers_at(table[7], 3 * table[8])
    rows = integers_at(table[9], 3 * table[10])
    numbers = floats_at(table[11], table[6])
    stride = (count + LANES - 1) // LANES * LANES
    data = floats_at(table[12], columns * stride)
    size = max(task, 1)
    leaves = n + fixed + numbers.size
    places, across = leaves + table[8], columns + table[10]
    one = part_at(work_at, places, table[8], size)
    below = work_at + 8 * (2 * places * size + table[8] * ORDERS + 2 * places + size)
    each = part_at(below, across, table[10], size)
    below += 8 * (2 * across * size + table[10] * ORDERS + 2 * across + size)
    sums = floats_at(below, table[10] * size * LANES)
    total = floats_at(below + 8 * sums.size, size * LANES)
    directions = floats_at(directions_at, 3 * n)
    load_shared(floats_at(z_at, n), floats_at(constants_at, fixed), numbers, directions, size, one)
    forward(shared, leaves, one, size, one)
    least = nearest(shared, one.values, 1e999) if task == KINKS else 0.0
    for i in range(sums.size):
        sums[i] = -0.0
    for i in range(total.size):
        total[i] = -0.0
    root = table[4] if task == RESIDUALS else table[3]
    seed = 1.0 if count == 0 or task == RESIDUALS else 1.0 / count
    values = floats_at(values_at, count if task == RESIDUALS else size)
    slopes = floats_at(slopes_at, n * (count if task == RESIDUALS else size))
    begin(one, root if count == 0 else -1, seed, size)
    last = max(count, 1) - 1
    for row in range(count):
        for column in range(columns):
            load(each, column, data[column * stride + row], size)
        forward(rows, columns, each, size, one)
        if task == KINKS:
            least = nearest(rows, each.values, least)
            continue
        begin(each, root, seed, size)
        backward(rows, columns, each, size, sums, row % LANES, one)
        for s in range(size):
            total[s * LANES + row % LANES] += each.values[root * size + s]
        if task == RESIDUALS and row < last:  # the last one with what follows
            gather(rows, sums, 1, one)
            backward(shared, leaves, one, 1, sums, 0, one)
            values[row] = each.values[root]
            write_slopes(one, n, 1, slopes, row * n)
            begin(one, -1, 0.0, 1)
    gather(rows, sums, size, one)
    backward(shared, leaves, one, size, sums, 0, one)
    write_slopes(one, n, size, slopes, last * n if task == RESIDUALS else 0)
    if task == RESIDUALS:
        values[last] = each.values[root]
        return
    if task == KINKS:
        values[0] = least
        return
    for s in range(size):  # at last, for they may be the first of the working memory
        if count > 0:
            values[s] = add_lanes(total, s * LANES) * seed
        else:
            values[s] = one.values[root * size + s]


@cache
def interpreter_address() -> int:
    """Return the address of `interpret`, compiled if it is not yet."""
    from numba.core import types
    from numba.core.compiler_lock import global_compiler_lock

    dispatcher = cast("Any", interpret)
    signature = (types.int64,) * 8
    dispatcher.compile(signature)
    made = dispatcher.overloads[signature]
    with cast("Any", global_compiler_lock):  # code from the cache is linked now
        address: int = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    return address
