"""Borders of basins at full size: ``python -m tests.benchmarks.dimension [SIDE]``.

The loss is ½(w₁w₂ - 0.5)² + (r/2)|w|² at δ = 1 over [-4, 4]², with r = 0.2 and without, as measured
by Liang & Montúfar (arXiv 2509.25351). Prints each fit with its error and the range of its boxes.
"""

from __future__ import annotations

import sys

import numba
import numpy as np
from numpy.typing import NDArray

from engine.maps.borders import box_dimension, shares, uncertainty

SIDE, REACH, TARGET, STEPS = 4096, 4.0, 0.5, 2000
POSITIVE, NEGATIVE, DIVERGED, BOUNDED = range(4)


@numba.njit(nogil=True, parallel=False)
def basins(side: int, decay: float) -> NDArray[np.uint8]:
    """Return where starts end: the minimum of positive or negative weights, away, or elsewhere."""
    out = np.empty((side, side), np.uint8)
    root = np.sqrt(TARGET - decay)
    for i in range(side):
        for j in range(side):
            b = (2 * i + 1 - side) * REACH / side
            a = (2 * j + 1 - side) * REACH / side
            code = BOUNDED
            for _ in range(STEPS if decay > 0.0 else 300):
                error = a * b - TARGET
                a, b = a - error * b - decay * a, b - error * a - decay * b
                if not abs(a) + abs(b) < 1e6:
                    code = DIVERGED
                    break
                if decay > 0.0 and abs(a - b) < 1e-3 and abs(abs(a) - root) < 1e-3:
                    code = POSITIVE if a > 0.0 else NEGATIVE
                    break
            out[i, j] = code
    return out


def main(side: int) -> None:
    """Measure both borders and print what comes out."""
    regularised, plain = basins(side, 0.2), basins(side, 0.0)
    fits = {
        "r = 0.2, border of all classes": box_dimension(regularised),
        "r = 0.2, 2 - uncertainty exponent": uncertainty(regularised),
        "r = 0, border of divergence": box_dimension(plain, [DIVERGED]),
    }
    for name, fit in fits.items():
        value = 2.0 - fit.value if "uncertainty" in name else fit.value
        low, high = fit.range
        print(f"{name}: {value:.4f} ± {fit.error:.2g}, boxes of {low:g} to {high:g} cells")
    for share in shares(regularised):
        print(f"class {share.code}: {share.value:.6f} ± {share.error:.1g} of the area")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SIDE)
