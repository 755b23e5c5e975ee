"""The interpreter as one function of addresses, called as compiled programs are.

It is compiled once for all programs and all uses; kernels that differentiate a program call it at
its address, and are small.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from engine.kernels.jit import inner, kernel
from engine.kernels.tape.codes import ABS, MAX, MIN, RELU, SPREAD
from engine.kernels.tape.interpreter import LANES, ORDERS, Part, backward, forward
from engine.kernels.tape.intrinsics import floats_at, integers_at

BLOCK = 64
"""Rows that are evaluated at once."""
RESIDUALS, KINKS = -1, -2
"""What is asked for instead of a number of coefficients."""
TABLE = 13
"""Entries of a program's table, see `engine.kernels.tape.program`."""


@inner
def part_at(work: int, places: int, operations: int, size: int, width: int) -> Any:
    """Return the working arrays of a part, one after another from an address, and their end."""
    numbers = places * size * width
    slopes = operations * ORDERS * width
    bars = work + 8 * numbers
    supports = bars + 8 * (numbers + slopes)
    element = supports + 8 * 2 * places
    part = Part(
        floats_at(work, numbers),
        floats_at(bars, numbers),
        floats_at(bars + 8 * numbers, slopes),
        integers_at(supports, 2 * places),
        floats_at(element, size * width),
    )
    return part, element + 8 * size * width


@inner
def load_shared(
    z: Any, constants: Any, numbers: Any, directions: Any, size: int, part: Part
) -> None:
    """Write variables with their directions, constants and numbers."""
    n, fixed = z.size, constants.size
    for i in range(n + fixed + numbers.size):
        value = 0.0
        if i < n:
            value = z[i]
        elif i < n + fixed:
            value = constants[i - n]
        else:
            value = numbers[i - n - fixed]
        support = 1
        part.values[i * size] = value
        for s in range(1, size):
            part.values[i * size + s] = 0.0
        direction = 0
        while 1 << direction < size:
            if i < n and directions[direction * n + i] != 0.0:
                part.values[i * size + (1 << direction)] = directions[direction * n + i]
                support |= 1 << (1 << direction)
            direction += 1
        part.supports[i] = support


@inner
def load_rows(data: Any, columns: int, begin: int, size: int, width: int, part: Part) -> None:
    """Write the columns of a block of rows, which no direction changes."""
    stride = data.size // columns
    for column in range(columns):
        part.supports[column] = 1
        for s in range(size):
            for lane in range(width):
                value = data[column * stride + begin + lane] if s == 0 else 0.0
                part.values[(column * size + s) * width + lane] = value


@inner
def clear_bars(part: Part) -> None:
    """Begin all adjoints."""
    for i in range(part.bars.size):
        part.bars[i] = -0.0
    for i in range(part.supports.size // 2, part.supports.size):
        part.supports[i] = 0


@inner
def begin_block(part: Part, root: int, inside: int, seed: float, size: int, width: int) -> None:
    """Begin the adjoints of a block with those of a result in the first `inside` lanes."""
    clear_bars(part)
    part.supports[part.supports.size // 2 + root] = 1
    at = root * size * width
    for lane in range(size * width):
        part.bars[at + lane] = seed if lane < inside else 0.0


@inner
def gather_spreads(rows: Any, sums: Any, size: int, above: Part) -> None:
    """Add what the rows' sums hold to the adjoints of the shared part."""
    for k in range(rows.size // 3 - 1, -1, -1):
        if rows[3 * k] == SPREAD:
            for s in range(size):
                at = (k * size + s) * LANES
                spread = (sums[at] + sums[at + 1]) + (sums[at + 2] + sums[at + 3])
                above.bars[rows[3 * k + 1] * size + s] += spread


@inner
def write_residuals(
    rows: Any, columns: int, part: Part, lane: int, width: int, above: Part
) -> None:
    """Begin the adjoints of the shared part with those of one row."""
    clear_bars(above)
    places, above_places = part.supports.size // 2, above.supports.size // 2
    for k in range(rows.size // 3):
        node = columns + k
        if rows[3 * k] == SPREAD and part.supports[places + node] != 0:
            above.bars[rows[3 * k + 1]] += part.bars[node * width + lane]
            above.supports[above_places + rows[3 * k + 1]] = 1


@inner
def nearest(code: Any, values: Any, width: int, lanes: int, least: float) -> float:
    """Return the least distance from a kink of an argument in some lanes, `least` at most."""
    for k in range(code.size // 3):
        op, a, b = code[3 * k], code[3 * k + 1] * width, code[3 * k + 2] * width
        if op == ABS or op == RELU or op == MAX or op == MIN:
            for lane in range(lanes):
                x = values[a + lane]
                if op == MAX or op == MIN:
                    x -= values[b + lane]
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
    n, fixed, count = table[0], table[1], table[2]
    shared = integers_at(table[7], 3 * table[8])
    rows = integers_at(table[9], 3 * table[10])
    columns, numbers = table[5], floats_at(table[11], table[6])
    stride = (count + LANES - 1) // LANES * LANES
    data = floats_at(table[12], columns * stride)
    z, constants = floats_at(z_at, n), floats_at(constants_at, fixed)
    size = max(task, 1)
    directions = floats_at(directions_at, 3 * n)
    leaves, width = n + fixed + numbers.size, min(stride, BLOCK)
    one, end = part_at(work_at, leaves + table[8], table[8], size, 1)
    load_shared(z, constants, numbers, directions, size, one)
    forward(shared, leaves, one, size, 1, one)
    sums = floats_at(end, table[10] * size * LANES)
    total = floats_at(end + 8 * sums.size, size * LANES)
    end += 8 * (sums.size + total.size)
    least = nearest(shared, one.values, 1, 1, 1e999) if task == KINKS else 0.0
    for i in range(sums.size):
        sums[i] = -0.0
    for i in range(total.size):
        total[i] = -0.0
    clear_bars(one)
    places = leaves + table[8]
    root = table[4] if task == RESIDUALS else table[3]
    seed = 1.0 if count == 0 or task == RESIDUALS else 1.0 / count
    values = floats_at(values_at, count if task == RESIDUALS else size)
    slopes = floats_at(slopes_at, n * (count if task == RESIDUALS else size))
    for begin in range(0, stride, BLOCK):
        width = min(BLOCK, stride - begin)
        inside = min(width, count - begin)
        part, _ = part_at(end, columns + table[10], table[10], size, width)
        load_rows(data, columns, begin, size, width, part)
        forward(rows, columns, part, size, width, one)
        if task == KINKS:
            least = nearest(rows, part.values, width, inside, least)
            continue
        begin_block(part, root, inside, seed, size, width)
        backward(rows, columns, part, size, width, sums, one)
        at = root * size * width
        for lane in range(inside):
            if task == RESIDUALS:
                write_residuals(rows, columns, part, lane, width, one)
                backward(shared, leaves, one, 1, 1, sums, one)
                values[begin + lane] = part.values[at + lane]
                for i in range(n):
                    slopes[(begin + lane) * n + i] = one.bars[i] + 0.0
            else:
                for s in range(size):
                    total[s * LANES + lane % LANES] += part.values[at + s * width + lane]
    if task == RESIDUALS:
        return
    if task == KINKS:
        values[0] = least
        return
    if count > 0:
        gather_spreads(rows, sums, size, one)
    else:
        one.supports[places + root] = 1
        for s in range(size):
            one.bars[root * size + s] = 1.0 if s == 0 else 0.0
    backward(shared, leaves, one, size, 1, sums, one)
    for s in range(size):
        for i in range(n):
            slopes[s * n + i] = one.bars[i * size + s] + 0.0
    for s in range(size):  # at last, for they may be the first of the working memory
        at = s * LANES
        if count > 0:
            both = (total[at] + total[at + 1]) + (total[at + 2] + total[at + 3])
            values[s] = both * seed
        else:
            values[s] = one.values[root * size + s]


@cache
def interpreter_address() -> int:
    """Return the address of `interpret`, compiled if it is not yet."""
    from numba.core import types

    dispatcher = cast("Any", interpret)
    signature = (types.int64,) * 8
    dispatcher.compile(signature)
    made = dispatcher.overloads[signature]
    address: int = made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    return address
