r"""Eigenvalues of the Hessian of the scalar product network, without forming it.

With :math:`g_i=\prod_{j\ne i}w_j`, :math:`p=\prod_j w_j` and :math:`e=p-\lambda` the Hessian of
:math:`\tfrac12\sigma e^2` is diagonal plus rank one,

.. math:: H = \sigma\,(1+e/p)\,gg^\top - \operatorname{diag}(\sigma e g_i/w_i),

so its eigenvalues interlace the diagonal: each is the one root of the secular equation
:math:`1+\sum_i y_i/(d_i-\mu)=0` between two neighbours, with :math:`d_i=-\sigma e g_i/w_i` and
:math:`y_i=\sigma g_i^2-d_i`. A root costs O(L), a dense solver O(L^3).
At a minimum e = 0 leaves the one eigenvalue S of Proposition 1 and L - 1 zeros. Where one weight
is zero (or negligible) the Hessian is an arrow, where two are, a single pair.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.kernels.jit import helper, plain_kernel

ROUNDS = 200
NEGLIGIBLE = 1e-8
"""A weight this much smaller than all others counts as zero in the spectrum (not in the run)."""


@helper
def _sums(mu: float, left: float, d: Any, y: Any, n: int) -> tuple[float, float, float, float]:
    """Return the sum over the poles up to `left`, its slope, and the same over the others."""
    near, near_slope, far, far_slope = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        inverse = 1.0 / (d[i] - mu)
        term = y[i] * inverse
        slope = term * inverse
        if d[i] <= left:
            near += term
            near_slope += slope
        else:
            far += term
            far_slope += slope
    return near, near_slope, far, far_slope


@helper
def _step(mu: float, left: float, right: float, pole: float, sums: Any) -> tuple[float, float]:
    """Return the secular function and the root of its interpolation by the neighbouring poles.

    Between two poles the interpolation is r + s/(left - mu) + t/(pole - mu) with the sums'
    slopes (the "middle way" of rank-one updates), beyond the last one r + s/(left - mu).
    """
    near, near_slope, far, far_slope = sums
    f = 1.0 + near + far
    to_left, to_right = left - mu, pole - mu
    if pole == math.inf:
        rest = f - to_left * near_slope
        return f, (left + near_slope * to_left * to_left / rest if rest > 0.0 else right)
    c = f - to_left * near_slope - to_right * far_slope
    a = (to_left + to_right) * f - to_left * to_right * (near_slope + far_slope)
    b = to_left * to_right * f
    root = math.sqrt(max(a * a - 4.0 * b * c, 0.0))
    if a <= 0.0:
        return f, mu + (a - root) / (2.0 * c) if c != 0.0 else mu + b / a
    return f, mu + 2.0 * b / (a + root)


@helper
def _root(left: float, right: float, pole: float, d: Any, y: Any, n: int, tol: float) -> float:
    """Find the eigenvalue between two neighbouring poles, or above the last one.

    `pole` is the next pole, where `right` is too, or inf if `left` is the last one and `right` an
    upper bound. The secular function grows between poles, so every evaluation shortens the
    bracket; a step that leaves it, or shortens it too little, is replaced by a bisection.
    """
    low, high = left, right
    mu = 0.5 * (low + high)
    for turn in range(ROUNDS):
        if high - low <= tol or mu <= low or mu >= high:
            break
        f, proposal = _step(mu, left, right, pole, _sums(mu, left, d, y, n))
        if f < 0.0:
            low = mu
        else:
            high = mu
        if abs(proposal - mu) <= tol:
            return min(max(proposal, low), high)
        mu = proposal
        if not low < mu < high or turn % 8 == 7:
            mu = 0.5 * (low + high)
    return 0.5 * (low + high)


@helper
def _smallest_two(w: Any, n: int) -> tuple[int, int]:
    """Return the indices of the two weights of least magnitude (the same where n = 1)."""
    first = 0
    for i in range(1, n):
        if abs(w[i]) < abs(w[first]):
            first = i
    second = 1 if first == 0 and n > 1 else 0
    for i in range(n):
        if i != first and abs(w[i]) < abs(w[second]):
            second = i
    return first, second


@helper
def _arrow(w: Any, g: Any, e: float, sigma: float, first: int, n: int) -> tuple[float, float]:
    """Return the two nonzero eigenvalues where the weight `first` is zero or negligible."""
    second = 0
    zeros = 0
    for i in range(n):
        if i != first and w[i] == 0.0:
            second, zeros = i, zeros + 1
    if zeros == 0:
        a, b = sigma * g[first] * g[first], 0.0
        for i in range(n):
            if i != first:
                b += (sigma * e * (g[first] / w[i])) ** 2
    else:  # only the pair of zero weights is coupled, by the product of all the others
        a, b = 0.0, sigma * e
        for i in range(n):
            if i != first and i != second:
                b *= w[i]
        b *= b
    radius = math.sqrt(a * a + 4.0 * b)
    top = 0.5 * (a + radius)
    return (-b / top if top > 0.0 else 0.0), top


@helper
def _split(w: Any, g: Any, e: float, sigma: float, n: int, d: Any, y: Any) -> tuple[float, float]:
    """Fill in diagonal and rank-one part, both times the returned sign, so that y >= 0."""
    total = 0.0
    for i in range(n):
        d[i] = -sigma * e * (g[i] / w[i])
        y[i] = sigma * g[i] * g[i] - d[i]
        total += y[i]
    sign = 1.0 if total >= 0.0 else -1.0
    for i in range(n):
        d[i] *= sign
        y[i] = max(y[i] * sign, 0.0)
    return sign, abs(total)


@helper
def _sort_pairs(d: Any, y: Any, n: int) -> None:
    """Sort d ascending and y with it: shell sort, quick on the nearly sorted."""
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, n):
            key, value, j = d[i], y[i], i
            while j >= gap and d[j - gap] > key:
                d[j], y[j] = d[j - gap], y[j - gap]
                j -= gap
            d[j], y[j] = key, value
        gap //= 3


@helper
def extremes(w: Any, g: Any, e: float, sigma: float, n: int, d: Any, y: Any) -> tuple[float, float]:
    """Return the least and the greatest eigenvalue of the Hessian.

    Parameters
    ----------
    w, g : ndarray, shape (>= n,)
        Weights and products over all weights but one.
    e, sigma : float
        Signed error and input power.
    n : int
        Number of weights.
    d, y : ndarray, shape (>= n,)
        Workspace.
    """
    if n == 1:
        return sigma, sigma
    first, second = _smallest_two(w, n)
    if abs(w[first]) <= NEGLIGIBLE * abs(w[second]):
        low, high = _arrow(w, g, e, sigma, first, n)
        return low, high
    sign, total = _split(w, g, e, sigma, n, d, y)
    bottom, above, top = 0, 1, 0
    for i in range(1, n):
        if d[i] < d[bottom]:
            bottom, above = i, bottom
        elif d[i] < d[above] or above == bottom:
            above = i
        if d[i] > d[top]:
            top = i
    tol = 1e-15 * max(abs(d[bottom]), max(abs(d[top]), total))
    high = _root(d[top], d[top] + total, math.inf, d, y, n, tol)
    low = _root(d[bottom], d[above], d[above], d, y, n, tol)
    if sign < 0.0:
        return -high, -low
    return low, high


@helper
def eigenvalues(w: Any, g: Any, e: float, sigma: float, n: int, d: Any, y: Any, out: Any) -> None:
    """Write all eigenvalues of the Hessian, ascending; arguments as for `extremes`."""
    if n == 1:
        out[0] = sigma
        return
    first, second = _smallest_two(w, n)
    if abs(w[first]) <= NEGLIGIBLE * abs(w[second]):
        for i in range(n):
            out[i] = 0.0
        out[0], out[n - 1] = _arrow(w, g, e, sigma, first, n)
        return
    sign, total = _split(w, g, e, sigma, n, d, y)
    _sort_pairs(d, y, n)
    tol = 1e-15 * max(abs(d[0]), max(abs(d[n - 1]), total))
    for i in range(n - 1):
        out[i] = _root(d[i], d[i + 1], d[i + 1], d, y, n, tol)
    out[n - 1] = _root(d[n - 1], d[n - 1] + total, math.inf, d, y, n, tol)
    if sign < 0.0:
        for i in range((n + 1) // 2):
            out[i], out[n - 1 - i] = -out[n - 1 - i], -out[i]


@plain_kernel
def spectra(weights: Any, target: float, sigma: float, out: Any) -> None:
    """Write the Hessian's eigenvalues at each row of weights, or the two extremes of each.

    Parameters
    ----------
    weights : ndarray, shape (m, L)
    target, sigma : float
    out : ndarray, shape (m, L) or (m, 2)
        All eigenvalues ascending, or least and greatest.
    """
    n = weights.shape[1]
    g = np.empty(n)
    d = np.empty(n)
    y = np.empty(n)
    for row in range(weights.shape[0]):
        w = weights[row]
        before = 1.0
        for i in range(n):
            g[i] = before
            before *= w[i]
        after = 1.0
        for i in range(n - 1, -1, -1):
            g[i] *= after
            after *= w[i]
        if out.shape[1] == n:
            eigenvalues(w, g, before - target, sigma, n, d, y, out[row])
        else:
            out[row, 0], out[row, 1] = extremes(w, g, before - target, sigma, n, d, y)
