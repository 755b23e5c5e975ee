"""What is measured of a network besides its loss: sharpness, spectral norms, Lipschitz bounds."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.analysis.spectrum import extremes
from engine.core import interrupt
from engine.core.arrays import FloatArray
from engine.experiments.mnist.datasets import Bytes
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.hessian import HessianProduct
from engine.experiments.mnist.network.model import Architecture, Parameters
from engine.kernels.network.images import CROP

LANCZOS_MEMORY = 1_500_000_000
"""Bytes that the Lanczos vectors may take."""
LANCZOS_PRODUCTS = 30
LANCZOS_TOLERANCE = 0.03
"""Residual relative to the largest eigenvalue; the error is of the order of its square."""
_POWER_STEPS = 30


@dataclass(frozen=True, slots=True)
class Sharpness:
    """Largest eigenvalues of the Hessian on some images, and what finding them cost.

    `error` bounds how far an eigenvalue may be off.
    """

    eigenvalues: FloatArray
    error: float
    products: int
    seconds: float


def sharpness(
    parameters: Parameters,
    images: Bytes,
    labels: Bytes,
    *,
    count: int,
    squared_error: bool,
    tolerance: float = LANCZOS_TOLERANCE,
) -> Sharpness | None:
    """Find the `count` largest eigenvalues by Lanczos; None where the vectors fill the memory.

    The search always begins from the same random vectors, so that its result depends on nothing
    but the parameters.
    """
    size = parameters.flat.numel()
    affordable = LANCZOS_MEMORY // (4 * size)
    if affordable < 4 * count:
        return None
    begin = time.perf_counter()
    most, made = min(LANCZOS_PRODUCTS, affordable), itertools.count()
    interrupt.report(0.0, "sharpness")
    multiply = HessianProduct(parameters, images, labels, squared_error)

    def product(vector: FloatArray) -> FloatArray:
        interrupt.report(next(made) / most, f"sharpness, at most {most} products")
        return multiply(vector)

    found = extremes(
        product,
        size,
        count,
        tolerance=tolerance,
        max_products=most,
        dtype=np.float32,
    )
    seconds = time.perf_counter() - begin
    return Sharpness(found.top, found.residual, found.products, seconds)


@dataclass(frozen=True, slots=True)
class Lipschitz:
    """Spectral norms and what they say about how fast the scores can change.

    Attributes
    ----------
    V, W : ndarray, shape (K, L)
        Spectral norms (1 for V = I).
    filters : float
        Norm of the convolution as a map of 25 × 25 images; ReLU and pooling add nothing to it.
    product_bound : float
        Largest over the classes of ‖filters‖ · Σ over its networks of ‖c‖ Π (1 + ‖W_i‖‖V_i‖).
    active_bound : float or None
        The same with the slope cᵀ Π (I + W_i V_iᵀ) that a network has when all ReLUs are on, which
        is its steepest one if V, W and c are nonnegative; None otherwise.
    """

    V: FloatArray
    W: FloatArray
    filters: float
    product_bound: float
    active_bound: float | None


def lipschitz(parameters: Parameters) -> Lipschitz:
    """Measure spectral norms and bound the scores' Lipschitz constant in the pixels (0 to 1)."""
    architecture = parameters.architecture
    interrupt.report(0.0, "spectral norms")
    tensors = {name: values.detach().cpu() for name, values in parameters.tensors().items()}
    W = _spectral_norms(tensors["W"])
    V = torch.ones_like(W) if architecture.identity else _spectral_norms(tensors["V"])
    filters = _filter_norm(tensors["conv.weight"])
    gain = W * V + (1 if architecture.residual else 0)
    steepest = tensors["c"].norm(dim=1) * gain.prod(1)
    nonnegative = all(
        bool((tensors[name] >= 0).all()) for name in ("V", "W", "c") if name in tensors
    )
    active = _active_slopes(architecture, tensors).norm(dim=1) if nonnegative else None
    return Lipschitz(
        V=np.asarray(V, np.float64),
        W=np.asarray(W, np.float64),
        filters=filters,
        product_bound=filters * _worst_class(architecture, steepest),
        active_bound=None if active is None else filters * _worst_class(architecture, active),
    )


def _worst_class(architecture: Architecture, slopes: Tensor) -> float:
    return float(slopes.view(-1, architecture.per_class).sum(1).max())


def _spectral_norms(matrices: Tensor) -> Tensor:
    """Compute the spectral norms of matrices (K, L, m, n): exactly, wide ones by iteration."""
    rows = matrices.shape[2]
    if rows <= 128:
        gram = torch.einsum("klin,kljn->klij", matrices, matrices)
        return torch.sqrt(torch.linalg.eigvalsh(gram)[..., -1].clamp_min(0))
    vector = torch.ones(*matrices.shape[:2], matrices.shape[3], 1)
    norm = torch.ones(*matrices.shape[:2], 1, 1)
    for _ in range(_POWER_STEPS):
        interrupt.check()
        vector = matrices.mT @ (matrices @ (vector / norm))
        norm = vector.norm(dim=2, keepdim=True).clamp_min(1e-30)
    return torch.sqrt(norm[..., 0, 0])


def _filter_norm(filters: Tensor) -> float:
    image = torch.ones(1, 1, CROP, CROP)
    norm = torch.linalg.vector_norm(image)
    for _ in range(_POWER_STEPS):
        image = functional.conv_transpose2d(functional.conv2d(image / norm, filters), filters)
        norm = image.norm().clamp_min(1e-30)
    return float(norm.sqrt())


def _active_slopes(architecture: Architecture, tensors: dict[str, Tensor]) -> Tensor:
    """Compute cᵀ Π (I + W_i V_iᵀ) of every network, shape (K, n)."""
    slope = tensors["c"]
    for i in reversed(range(architecture.depth)):
        passed = torch.einsum("kn,kmn->km", slope, tensors["W"][:, i])
        if not architecture.identity:
            passed = torch.einsum("km,kmn->kn", passed, tensors["V"][:, i])
        slope = slope + passed if architecture.residual else passed
    return slope


def convexity_violation(parameters: Parameters, images: Bytes) -> float:
    """Measure by how much midpoints of features lie above the chord, relative to the answers.

    The first half of the images is paired with the second. For convex r_k and s_k the result is 0
    up to rounding; a positive number is a violation.
    """
    architecture = parameters.architecture
    tensors = parameters.tensors()
    pictures = torch.from_numpy(images[:, None, :CROP, :CROP] / np.float32(255))
    with torch.no_grad():
        h = models.features(tensors, pictures).double()
        tensors = {name: values.double() for name, values in tensors.items()}
        half = len(h) // 2
        x, y = h[:half], h[half : 2 * half]
        ends = models.parts(architecture, tensors, torch.cat([x, y]))
        middle = models.parts(architecture, tensors, (x + y) / 2)
        chord = (ends[:half] + ends[half:]) / 2
        return float(((middle - chord) / ends.abs().max().clamp_min(1e-30)).max().clamp_min(0))
