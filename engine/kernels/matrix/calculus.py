r"""Value, gradient and Hessian products of networks of square matrices, eqs. (4) and (5).

The same code serves the single network (Section 2) and the double one (Section 3.2): a network has
one or two *branches* with signs +1 and -1, and minimises

.. math:: \tfrac12 \operatorname{tr}(E \Sigma E^\top), \quad E = \sum_s \pm W^s_L \cdots W^s_1 - R.

With prefixes :math:`P_i = W_i \cdots W_1` and the backward product :math:`B_L = (E\Sigma)^\top`,
:math:`B_{i-1} = B_i W_i`, the gradient is :math:`(P_{i-1} B_i)^\top`: three products of n x n
matrices per layer, no transposed operand, one transposed store.

Arrays are zero-padded to a side m that is a multiple of 4 (`engine.kernels.matrix.gemm`); the
padding stays zero. Shapes: weights (branches, L, m, m), target and second moments (m, m). Kernels
take them flat, with offsets.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from engine.core.arrays import FloatArray
from engine.kernels.jit import inner, kernel
from engine.kernels.matrix.gemm import (
    multiply,
    multiply_add,
    multiply_transposed,
    multiply_transposed_add,
)


class Shape(NamedTuple):
    """Branches, matrices in each, and their padded side."""

    branches: int
    depth: int
    m: int


class Point(NamedTuple):
    """Flat arrays that belong to weights `w`: products P_i and B_i, and second moments.

    The weights may begin at an offset `base` and a second moment at an offset `at`.
    """

    w: FloatArray
    prefix: FloatArray
    back: FloatArray
    moment: FloatArray


class Derivatives(NamedTuple):
    """Room for the derivatives of prefixes, backward products and error along a direction."""

    prefix: FloatArray
    back: FloatArray
    e: FloatArray


@inner
def forward(w: FloatArray, base: int, prefix: FloatArray, shape: Shape) -> None:
    """Fill the prefixes of every branch from the weights at an offset of a flat array."""
    branches, depth, m = shape
    size = m * m
    for s in range(branches):
        first = s * depth * size
        for q in range(size):
            prefix[first + q] = w[base + first + q]
        for i in range(1, depth):
            at = first + i * size
            multiply(w, base + at, prefix, at - size, prefix, at, m)


@inner
def squares(x: FloatArray, count: int) -> float:
    """Sum of squares in a fixed order, four at a time; the count is a multiple of 4."""
    a = b = c = d = 0.0
    for q in range(0, count, 4):
        a += x[q] * x[q]
        b += x[q + 1] * x[q + 1]
        c += x[q + 2] * x[q + 2]
        d += x[q + 3] * x[q + 3]
    return (a + b) + (c + d)


@inner
def residual(prefix: FloatArray, target: FloatArray, e: FloatArray, shape: Shape) -> float:
    """Write E = F - R and return its squared Frobenius norm."""
    branches, depth, m = shape
    size = m * m
    last = (depth - 1) * size
    for q in range(size):
        e[q] = prefix[last + q] - target[q]
    if branches == 2:
        last += depth * size
        for q in range(size):
            e[q] -= prefix[last + q]
    return squares(e, size)


@inner
def loss(e: FloatArray, moment: FloatArray, product: FloatArray, m: int) -> float:
    """Half the trace of E Sigma E^T."""
    multiply(e, 0, moment, 0, product, 0, m)
    total = 0.0
    for q in range(m * m):
        total += e[q] * product[q]
    return 0.5 * total


@inner
def backward(point: Point, base: int, at: int, e: FloatArray, shape: Shape) -> None:
    """Fill the backward products B_i of every branch."""
    branches, depth, m = shape
    w, _, back, moment = point
    size = m * m
    for s in range(branches):
        first = s * depth * size
        last = first + (depth - 1) * size
        multiply_transposed(e, 0, moment, at, back, last, m)
        if s == 1:
            for q in range(size):
                back[last + q] = -back[last + q]
        for i in range(depth - 1, 0, -1):
            here = first + i * size
            multiply(back, here, w, base + here, back, here - size, m)


@inner
def gradients(prefix: FloatArray, back: FloatArray, out: FloatArray, shape: Shape) -> None:
    """Write the gradient with respect to every weight matrix."""
    branches, depth, m = shape
    size = m * m
    for s in range(branches):
        first = s * depth * size
        for row in range(m):
            for column in range(m):
                out[first + row * m + column] = back[first + column * m + row]
        for i in range(1, depth):
            here = first + i * size
            multiply_transposed(prefix, here - size, back, here, out, here, m)


@inner
def tangent(
    point: Point,
    base: int,
    at: int,
    v: FloatArray,
    out: FloatArray,
    room: Derivatives,
    shape: Shape,
) -> None:
    """Write the derivative of the gradient along v: an exact Hessian-vector product."""
    branches, depth, m = shape
    w, prefix, back, moment = point
    d_prefix, d_back, d_e = room
    size = m * m
    for q in range(size):
        d_e[q] = 0.0
    for s in range(branches):
        first = s * depth * size
        for q in range(size):
            d_prefix[first + q] = v[first + q]
        for i in range(1, depth):
            here = first + i * size
            multiply(v, here, prefix, here - size, d_prefix, here, m)
            multiply_add(w, base + here, d_prefix, here - size, d_prefix, here, m)
        last = first + (depth - 1) * size
        sign = 1.0 if s == 0 else -1.0
        for q in range(size):
            d_e[q] += sign * d_prefix[last + q]
    for s in range(branches):
        first = s * depth * size
        last = first + (depth - 1) * size
        multiply_transposed(d_e, 0, moment, at, d_back, last, m)
        if s == 1:
            for q in range(size):
                d_back[last + q] = -d_back[last + q]
        for i in range(depth - 1, 0, -1):
            here = first + i * size
            multiply_transposed(d_prefix, here - size, back, here, out, here, m)
            multiply_transposed_add(prefix, here - size, d_back, here, out, here, m)
            multiply(d_back, here, w, base + here, d_back, here - size, m)
            multiply_add(back, here, v, here, d_back, here - size, m)
        for row in range(m):
            for column in range(m):
                out[first + row * m + column] = d_back[first + column * m + row]


@kernel
def hessian_product(
    w: FloatArray,
    products: FloatArray,
    moment: FloatArray,
    v: FloatArray,
    out: FloatArray,
    room: FloatArray,
    e: FloatArray,
    sides: tuple[int, int, int],
) -> None:
    """Write the product of the Hessian with a vector: `tangent` for calls from Python.

    Without records, which would take longer to be handed over than a small product to be made.
    """
    point = Point(w, products[0], products[1], moment)
    shape = Shape(sides[0], sides[1], sides[2])
    tangent(point, 0, 0, v, out, Derivatives(room[0], room[1], e), shape)


@inner
def dominant(
    point: Point,
    base: int,
    at: int,
    direction: FloatArray,
    iterations: int,
    out: FloatArray,
    room: Derivatives,
    shape: Shape,
) -> float:
    """Estimate the largest |eigenvalue| of the Hessian by power iteration on `direction`."""
    count = shape.branches * shape.depth * shape.m * shape.m
    size = 0.0
    for _ in range(iterations):
        tangent(point, base, at, direction, out, room, shape)
        size = math.sqrt(squares(out, count))
        if not 0.0 < size < np.inf:
            return size
        scale = 1.0 / size
        for q in range(count):
            direction[q] = out[q] * scale
    return size


@kernel
def linearise(
    w: FloatArray,
    target: FloatArray,
    moment: FloatArray,
    products: FloatArray,
    gradient: FloatArray,
    e: FloatArray,
    sides: tuple[int, int, int],
) -> float:
    """Fill all that belongs to a point, and return its squared error."""
    point = Point(w, products[0], products[1], moment)
    shape = Shape(sides[0], sides[1], sides[2])
    forward(w, 0, point.prefix, shape)
    square = residual(point.prefix, target, e, shape)
    backward(point, 0, 0, e, shape)
    gradients(point.prefix, point.back, gradient, shape)
    return square


class Linearisation:
    """The loss around a point: its value, gradient, and exact Hessian-vector products.

    Parameters
    ----------
    weights : ndarray, shape (branches, L, m, m)
    target, moment : ndarray, shape (m, m)
        R and Sigma, padded like the weights.
    """

    def __init__(self, weights: FloatArray, target: FloatArray, moment: FloatArray) -> None:
        self.shape = weights.shape
        self._w = np.ascontiguousarray(weights).ravel()
        self._moment = np.ascontiguousarray(moment).ravel()
        self._dims = (weights.shape[0], weights.shape[1], weights.shape[3])
        self._products, self._room = np.empty((2, 2, self._w.size))
        gradient = np.empty(self._w.size)
        self._residual, self._small = np.empty((2, self._moment.size))
        square = linearise(
            self._w,
            np.ascontiguousarray(target).ravel(),
            self._moment,
            self._products,
            gradient,
            self._residual,
            self._dims,
        )
        self.error = math.sqrt(square)
        self.gradient = gradient.reshape(self.shape)

    @property
    def residual(self) -> FloatArray:
        """E = F - R, shape (m, m)."""
        return self._residual.reshape(self._dims[2], -1)

    @property
    def products(self) -> FloatArray:
        """Partial products W_i ... W_1 of every branch, shape of the weights."""
        prefixes: FloatArray = self._products[0].reshape(self.shape)
        return prefixes

    def hessian_product(self, v: FloatArray) -> FloatArray:
        """Product of the Hessian with a vector of the weights' size; zero padding stays zero."""
        out = np.empty(self._w.size)
        hessian_product(
            self._w,
            self._products,
            self._moment,
            np.ascontiguousarray(v).ravel(),
            out,
            self._room,
            self._small,
            self._dims,
        )
        return out.reshape(v.shape)
