r"""The linear maps of the optimisers at a minimum, and where they lose their stability.

Along an eigenvector of the curvature with eigenvalue h each iteration is linear. With
:math:`x=\delta h` its multipliers are the roots of :math:`z^2-tz+d` with

- gradient descent and RMSprop: :math:`1-x` alone;
- heavy ball: :math:`t=1+\beta-x`, :math:`d=\beta`;
- Nesterov: :math:`t=(1+\beta)(1-x)`, :math:`d=\beta(1-x)`;
- Adam: :math:`t=1+\beta_1-(1-\beta_1)x`, :math:`d=\beta_1`: the heavy ball's with
  :math:`(1-\beta_1)x` in place of x;
- AdamW with :math:`a=\delta\lambda`: :math:`t=1-a+\beta_1-(1-\beta_1)x`,
  :math:`d=\beta_1(1-a)`.

As x grows the first to leave the unit circle does so at -1, where :math:`1+t+d=0`; that gives the
limits below. Curvature means the eigenvalues of the Hessian, of :math:`P^{-1/2}HP^{-1/2}` where the
optimiser divides its steps by a diagonal P (`engine.theory.optimisers.curvature`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engine.theory.optimisers.setting import Setting

Complex = npt.NDArray[np.complex128]


def plain_limit(setting: Setting) -> float:
    """Return the largest stable step size times curvature of descent without momentum: 2."""
    del setting
    return 2.0


def heavy_ball_limit(setting: Setting) -> float:
    r"""Return that of the heavy ball, :math:`2(1+\beta)`."""
    return 2.0 * (1.0 + setting.momentum)


def nesterov_limit(setting: Setting) -> float:
    r"""Return that of Nesterov's momentum, :math:`2(1+\beta)/(1+2\beta)`."""
    return 2.0 * (1.0 + setting.momentum) / (1.0 + 2.0 * setting.momentum)


def adam_limit(setting: Setting) -> float:
    r"""Return that of Adam, :math:`(2+2\beta_1)/(1-\beta_1)`: 38 at :math:`\beta_1=0.9`."""
    return 2.0 * (1.0 + setting.momentum) / (1.0 - setting.momentum)


def adamw_limit(setting: Setting) -> float:
    r"""Return that of AdamW, :math:`(2-\delta\lambda)(1+\beta_1)/(1-\beta_1)`.

    The decay takes a part of each weight without passing through the momentum, so that the
    multiplier without curvature is :math:`1-\delta\lambda` and that much less is left up to -1.
    """
    left = 2.0 - setting.step_size * setting.weight_decay
    return left * (1.0 + setting.momentum) / (1.0 - setting.momentum)


def plain_multipliers(pull: npt.ArrayLike, setting: Setting) -> Complex:
    """Return the multipliers of descent without momentum, one for each curvature, shape (n,).

    Parameters
    ----------
    pull : array_like, shape (n,)
        Step size times each eigenvalue of the curvature.
    setting : Setting
    """
    del setting
    return (1.0 - np.asarray(pull, np.float64)).astype(np.complex128)


def heavy_ball_multipliers(pull: npt.ArrayLike, setting: Setting) -> Complex:
    """Return those of the heavy ball, the n first and the n second roots, shape (2n,)."""
    x = np.asarray(pull, np.float64)
    return _roots(1.0 - x + setting.momentum, np.full_like(x, setting.momentum))


def nesterov_multipliers(pull: npt.ArrayLike, setting: Setting) -> Complex:
    """Return those of Nesterov's momentum, the n first and the n second roots, shape (2n,)."""
    left = 1.0 - np.asarray(pull, np.float64)
    return _roots((1.0 + setting.momentum) * left, setting.momentum * left)


def rmsprop_multipliers(pull: npt.ArrayLike, setting: Setting) -> Complex:
    r"""Return those of RMSprop: of the weights, then :math:`\beta_2` n times, shape (2n,)."""
    return _with_squares(plain_multipliers(pull, setting), setting)


def adam_multipliers(pull: npt.ArrayLike, setting: Setting) -> Complex:
    r"""Return those of Adam: two roots for each curvature, then :math:`\beta_2`, shape (3n,)."""
    x, beta = np.asarray(pull, np.float64), setting.momentum
    roots = _roots(1.0 + beta - (1.0 - beta) * x, np.full_like(x, beta))
    return _with_squares(roots, setting)


def adamw_multipliers(pull: npt.ArrayLike, setting: Setting) -> Complex:
    r"""Return those of AdamW: two roots for each curvature, then :math:`\beta_2`, shape (3n,)."""
    x, beta = np.asarray(pull, np.float64), setting.momentum
    kept = 1.0 - setting.step_size * setting.weight_decay
    roots = _roots(kept + beta - (1.0 - beta) * x, np.full_like(x, beta * kept))
    return _with_squares(roots, setting)


def _roots(trace: npt.NDArray[np.float64], determinant: npt.NDArray[np.float64]) -> Complex:
    root = np.sqrt((trace * trace - 4.0 * determinant).astype(np.complex128))
    return np.concatenate([0.5 * (trace + root), 0.5 * (trace - root)])


def _with_squares(multipliers: Complex, setting: Setting) -> Complex:
    """Append the multipliers of the mean squares, on which a step at a minimum does not depend."""
    width = len(multipliers) if setting.optimiser == "rmsprop" else len(multipliers) // 2
    return np.concatenate([multipliers, np.full(width, setting.square_decay, np.complex128)])


def dominant(multipliers: Complex) -> float:
    """Return the factor by which an error is multiplied per step in the long run.

    The multiplier of largest modulus; of a complex pair its modulus, negative, for the error then
    changes its sign. 0 where there is none.
    """
    if not multipliers.size:
        return 0.0
    largest = multipliers[int(np.argmax(np.abs(multipliers)))]
    size = float(abs(largest))
    return size if largest.imag == 0.0 and largest.real >= 0.0 else -size
