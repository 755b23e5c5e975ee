"""Gradient of the scalar residual pair by affine pieces: its cost does not grow with the data.

For weights above -1 every layer of (10b) is increasing in x, so layer l has exactly one kink and
is active to the right of it. Between two kinks all layers are affine in x, and the sums over the
data that the gradient needs are differences of running sums of 1, x, x^2, y and xy: O(L^2) work.

Layout of the parameters of a pair (length 4L + 3): weights of the convex part, weights of the
concave part, biases of both, c of both, d. The same layout holds for its gradient.
Loops rather than slices keep compilation short.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.kernels.jit import helper

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Data(NamedTuple):
    """Points sorted by x: ``x``, ``y`` (N,), running sums ``sums`` (4, N + 1) of x, x^2, y, xy."""

    x: Floats
    y: Floats
    sums: Floats


class Scratch(NamedTuple):
    """Working arrays of one pair, kept from step to step.

    ``ranks`` (3, 2, L), per network: layer of each sorted kink, rank of each layer's kink, number
    of points at or left of each kink. ``lines`` (5, 2, L + 1): sorted kinks, output there, slopes
    of the pieces, then slope and offset of h_L on each piece that holds data. ``units``
    (2, 2, L, L + 1): slope and offset of the rectified units. ``errors`` (2, 2, L + 1): sums of e
    and of e x over each piece. ``layers`` (2, L + 1, N), ``error`` and ``gain`` (N,): outputs,
    errors and derivatives at every point, where pieces do not serve.
    """

    ranks: Ints
    lines: Floats
    units: Floats
    errors: Floats
    layers: Floats
    error: Floats
    gain: Floats


@helper
def is_increasing(theta: Floats, depth: int) -> bool:
    """Whether all weights exceed -1, so that each layer has exactly one kink."""
    smallest = 0.0
    for i in range(2 * depth):
        smallest = min(smallest, theta[i])
    return smallest > -1.0


@helper
def locate_kinks(theta: Floats, net: int, ranks: Ints, lines: Floats) -> None:
    """Find the sorted kinks of one network by inserting layer after layer.

    Fills rows 0 and 1 of ``ranks`` and rows 0 (kinks), 1 (output there, without c) and 2 (slopes
    of all L + 1 pieces) of ``lines``.
    """
    depth = ranks.shape[2]
    lines[2, net, 0] = 1.0
    for layer in range(depth):
        weight, bias = theta[net * depth + layer], theta[(2 + net) * depth + layer]
        gain = 1.0 + weight
        j = layer
        while j > 0 and lines[1, net, j - 1] >= bias:
            j -= 1
        place = bias
        if j > 0:
            place = lines[0, net, j - 1] + (bias - lines[1, net, j - 1]) / lines[2, net, j]
        if j < layer and place > lines[0, net, j]:
            place = lines[0, net, j]
        for m in range(layer, j, -1):
            lines[0, net, m] = lines[0, net, m - 1]
            ranks[0, net, m] = ranks[0, net, m - 1]
            height = lines[1, net, m - 1]
            lines[1, net, m] = height + weight * (height - bias)
            lines[2, net, m + 1] = lines[2, net, m] * gain
        lines[2, net, j + 1] = lines[2, net, j] * gain
        lines[0, net, j] = place
        lines[1, net, j] = bias
        ranks[0, net, j] = layer
    for j in range(depth):
        ranks[1, net, ranks[0, net, j]] = j


@helper
def split_data(x: Floats, net: int, ranks: Ints, lines: Floats) -> int:
    """Count the sorted points at or left of each kink; return how many kinks have points beyond.

    The counts (row 2 of ``ranks``) are also the first guess: they hardly change in a step.
    """
    count = x.size
    used = 0
    for j in range(ranks.shape[2]):
        place, i = lines[0, net, j], ranks[2, net, j]
        while i < count and x[i] <= place:
            i += 1
        while i > 0 and x[i - 1] > place:
            i -= 1
        ranks[2, net, j] = i
        if i < count:
            used = j + 1
    return used


@helper
def forward_pieces(
    theta: Floats, net: int, used: int, ranks: Ints, lines: Floats, units: Floats
) -> None:
    """Find slope and offset of h_L and of the active (h_{l-1} - b_l)_+ on the pieces 0..used."""
    depth = ranks.shape[2]
    for p in range(used + 1):
        lines[3, net, p] = 1.0
        lines[4, net, p] = 0.0
    for layer in range(depth):
        weight, bias = theta[net * depth + layer], theta[(2 + net) * depth + layer]
        for p in range(ranks[1, net, layer] + 1, used + 1):
            slope, inner = lines[3, net, p], lines[4, net, p] - bias
            units[0, net, layer, p] = slope
            units[1, net, layer, p] = inner
            lines[3, net, p] = slope + weight * slope
            lines[4, net, p] += weight * inner


@helper
def sum_errors(
    theta: Floats, data: Data, ranks: Ints, lines: Floats, errors: Floats, squares: bool
) -> float:
    """Sum e and e x over the points of each piece, of both networks.

    Returns the sum of squared errors, each evaluated on its own (no cancellation), or 0 if they
    are not asked for.
    """
    depth = ranks.shape[2]
    count = data.x.size
    sums = data.sums
    c1, c2, d = theta[4 * depth], theta[4 * depth + 1], theta[4 * depth + 2]
    for p in range(depth + 1):
        for net in range(2):
            errors[net, 0, p] = 0.0
            errors[net, 1, p] = 0.0
    total = 0.0
    i = p = q = 0
    while i < count:
        while p < depth and ranks[2, 0, p] <= i:
            p += 1
        while q < depth and ranks[2, 1, q] <= i:
            q += 1
        end = ranks[2, 0, p] if p < depth else count
        end = min(end, ranks[2, 1, q] if q < depth else count)
        a = c1 * lines[3, 0, p] - c2 * lines[3, 1, q]
        o = c1 * lines[4, 0, p] - c2 * lines[4, 1, q] + d
        x1 = sums[0, end] - sums[0, i]
        e0 = a * x1 + o * (end - i) - (sums[2, end] - sums[2, i])
        e1 = a * (sums[1, end] - sums[1, i]) + o * x1 - (sums[3, end] - sums[3, i])
        errors[0, 0, p] += e0
        errors[0, 1, p] += e1
        errors[1, 0, q] += e0
        errors[1, 1, q] += e1
        if squares:
            total += sum_squares(a, o, data, i, end)
        i = end
    return total


@helper
def sum_squares(a: float, o: float, data: Data, first: int, end: int) -> float:
    """Sum of (a x + o - y)^2, in four lanes so that the additions do not wait for each other."""
    x, y = data.x, data.y
    s0 = s1 = s2 = s3 = 0.0
    last = end - (end - first) % 4
    for i in range(first, last, 4):
        s0 += (a * x[i] + o - y[i]) ** 2
        s1 += (a * x[i + 1] + o - y[i + 1]) ** 2
        s2 += (a * x[i + 2] + o - y[i + 2]) ** 2
        s3 += (a * x[i + 3] + o - y[i + 3]) ** 2
    for i in range(last, end):
        s0 += (a * x[i] + o - y[i]) ** 2
    return (s0 + s1) + (s2 + s3)


@helper
def backward_pieces(
    theta: Floats,
    net: int,
    used: int,
    scale: float,
    work: Scratch,
    grad: Floats,
) -> None:
    """Gradient with respect to w, b and c of one network (0 convex, 1 concave).

    ``scale`` is 1/N for the convex and -1/N for the concave network. Row 2 of ``lines`` serves
    as scratch for the derivative of the estimate with respect to h_l.
    """
    lines, units, errors, ranks = work.lines, work.units, work.errors, work.ranks
    depth = ranks.shape[2]
    to_scale = 0.0
    for p in range(used + 1):
        lines[2, net, p] = scale * theta[4 * depth + net]
        to_scale += lines[3, net, p] * errors[net, 1, p] + lines[4, net, p] * errors[net, 0, p]
    grad[4 * depth + net] = scale * to_scale
    for layer in range(depth - 1, -1, -1):
        weight = theta[net * depth + layer]
        to_weight = to_bias = 0.0
        for p in range(ranks[1, net, layer] + 1, used + 1):
            gain, error = lines[2, net, p], errors[net, 0, p]
            unit = units[0, net, layer, p] * errors[net, 1, p] + units[1, net, layer, p] * error
            to_weight += gain * unit
            to_bias += gain * error
            lines[2, net, p] = gain + weight * gain
        grad[net * depth + layer] = to_weight
        grad[(2 + net) * depth + layer] = -weight * to_bias


@helper
def gradient_by_pieces(
    theta: Floats, data: Data, work: Scratch, grad: Floats, squares: bool
) -> float:
    """Gradient of 1/(2N) sum e^2 for a pair whose weights all exceed -1.

    Returns the mean of e^2, or 0 without ``squares``.
    """
    depth = work.ranks.shape[2]
    count = data.x.size
    used = (0, 0)
    for net in range(2):
        locate_kinks(theta, net, work.ranks, work.lines)
        last = split_data(data.x, net, work.ranks, work.lines)
        forward_pieces(theta, net, last, work.ranks, work.lines, work.units)
        used = (used[1], last)
    total = sum_errors(theta, data, work.ranks, work.lines, work.errors, squares)
    for net in range(2):
        backward_pieces(theta, net, used[net], (1.0 - 2.0 * net) / count, work, grad)
    error = 0.0
    for p in range(used[0] + 1):
        error += work.errors[0, 0, p]
    grad[4 * depth + 2] = error / count
    return total / count


@helper
def steepest_by_pieces(theta: Floats, data: Data, work: Scratch) -> float:
    """Lipschitz constant of the pair over the range of the data: the steepest piece's slope."""
    lines = work.lines
    depth = work.ranks.shape[2]
    c1, c2 = theta[4 * depth], theta[4 * depth + 1]
    steepest, left, high = 0.0, data.x[0], data.x[data.x.size - 1]
    p = q = 0
    while left < high:
        while p < depth and lines[0, 0, p] <= left:
            p += 1
        while q < depth and lines[0, 1, q] <= left:
            q += 1
        steepest = max(steepest, abs(c1 * lines[3, 0, p] - c2 * lines[3, 1, q]))
        left = min(high, lines[0, 0, p] if p < depth else high)
        left = min(left, lines[0, 1, q] if q < depth else high)
    return steepest
