r"""Optimisers whose step is no smooth function of the weights at a minimum.

What their steps do along one eigenvector of the Hessian, with eigenvalue h and the gradient
:math:`g=hu` at the displacement u:

- normalised gradient descent: :math:`u^+=u-\delta\,\mathrm{sign}(u)`, so that the step shrinks u
  only while :math:`h<2|g|/\delta`; in the end u changes between :math:`\pm\delta/2`;
- SAM: :math:`u^+=u-\delta h(u+\rho\,\mathrm{sign}(u))`, so that u shrinks only while
  :math:`\delta h(1+\rho h/|g|)<2`, whose border is the root h of
  :math:`(\rho/|g|)h^2+h-2/\delta=0`; in the end u changes between
  :math:`\pm\delta\rho h/(2-\delta h)`, where h is on that border;
- Polyak's step: :math:`u^+=u/2`.
"""

from __future__ import annotations

import math

from engine.theory.optimisers.setting import Setting


def normalised_edge(setting: Setting, gradient_norm: float) -> float:
    r"""Return the curvature along the gradient from which a step lengthens it, 2‖g‖/δ."""
    return 2.0 * gradient_norm / setting.step_size


def sam_edge(setting: Setting, gradient_norm: float) -> float:
    r"""Return SAM's edge, :math:`(\|g\|/2\rho)(\sqrt{1+8\rho/(\delta\|g\|)}-1)`.

    In a form that does not cancel: :math:`(4/\delta)/(1+\sqrt{1+8\rho/(\delta\|g\|)})`. It is 0 at
    a minimum and at most :math:`2/\delta`, which it is without radius.
    """
    if gradient_norm <= 0.0:
        return 0.0 if setting.radius > 0.0 else 2.0 / setting.step_size
    ratio = 8.0 * setting.radius / (setting.step_size * gradient_norm)
    return 4.0 / setting.step_size / (1.0 + math.sqrt(1.0 + ratio))


def normalised_amplitude(setting: Setting) -> float:
    """Return how far from a minimum normalised descent ends up along one eigenvector, δ/2."""
    return 0.5 * setting.step_size


def sam_amplitude(setting: Setting, curvature: float) -> float:
    r"""Return the amplitude of SAM's 2-cycle about a minimum along one eigenvector.

    :math:`\delta\rho h/(2-\delta h)`; infinite where :math:`\delta h\geq 2`.
    """
    left = 2.0 - setting.step_size * curvature
    if left <= 0.0:
        return math.inf
    return setting.step_size * setting.radius * curvature / left


def polyak_step(setting: Setting, loss: float, gradient_norm: float) -> float:
    r"""Return Polyak's step size, :math:`(f-f^*)/\|g\|^2`, from 0 to the cap."""
    if gradient_norm == 0.0:
        return 0.0
    wanted = (loss - setting.lowest_loss) / gradient_norm / gradient_norm
    return min(max(wanted, 0.0), setting.step_cap)
