"""Sets of cells that grow by those whose images lie within them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import inner, kernel

Ints = NDArray[np.int64]


@inner
def _missing(first: Any, last: Any, sizes: Any, inside: Any, place: Any) -> int:
    """Return a cell of a block that is not inside, from a place of it on; -1 if all are."""
    n = sizes.size
    while True:
        flat = 0
        for i in range(n):
            flat = flat * sizes[i] + place[i]
        if not inside[flat]:
            return flat
        i = n - 1
        while i >= 0:
            place[i] += 1
            if place[i] <= last[i]:
                break
            place[i] = first[i]
            i -= 1
        if i < 0:
            return -1


@kernel
def grow(first: Ints, last: Ints, cells: Ints, sizes: Ints, inside: NDArray[np.bool_]) -> None:
    """Add cells to a set, again and again, whose blocks of cells lie within it.

    Every cell that is not in the set waits for one cell of its block; when that comes in, it looks
    for the next that is missing. So all of it takes one pass over all blocks.

    Parameters
    ----------
    first, last : ndarray of int64, shape (m, n)
        Blocks, ends included.
    cells : ndarray of int64, shape (m,)
        Whose blocks they are, flat; one of its blocks brings a cell in.
    sizes : ndarray of int64, shape (n,)
        Cells along each axis.
    inside : ndarray of bool, shape (product of sizes,)
        The set; it is changed.
    """
    m = first.shape[0]
    places = first.copy()
    head = np.full(inside.size, -1, np.int64)
    after = np.full(m, -1, np.int64)
    stack = np.empty(m, np.int64)
    top = 0
    # At first all blocks are looked at, then those that waited for a cell that came in.
    waiting = -1
    for k in range(m - 1, -1, -1):
        after[k], waiting = waiting, k
    while True:
        k = waiting
        while k >= 0:
            later = after[k]
            if not inside[cells[k]]:
                flat = _missing(first[k], last[k], sizes, inside, places[k])
                if flat < 0:
                    inside[cells[k]] = True
                    stack[top] = cells[k]
                    top += 1
                else:
                    after[k] = head[flat]
                    head[flat] = k
            k = later
        if top == 0:
            return
        top -= 1
        waiting = head[stack[top]]
        head[stack[top]] = -1
