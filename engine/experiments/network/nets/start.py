"""Weights at step 0."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.experiments.network.choices import Start
from engine.experiments.network.nets.architecture import Architecture

_STREAM = 0x6E6574
"""Keeps the numbers of a start apart from those that the same seed makes batches of."""


def stream(seed: int) -> np.random.Generator:
    """Return the generator of a start."""
    return np.random.default_rng([_STREAM, seed])


def begin(architecture: Architecture, how: Start, scale: float, seed: int) -> FloatArray:
    """Draw all weights, shape (n,), in 64 bits."""
    generator = stream(seed)
    vector = np.zeros(architecture.count)
    matrices = 0
    for part in architecture.parts(vector).values():
        if part.ndim == 2:
            layer = matrices % architecture.depth
            part[:] = _matrix(architecture, how, layer, generator)
            inputs = part.shape[1]
            matrices += 1
        elif how == "standard":
            part[:] = generator.uniform(-1.0, 1.0, part.shape) / np.sqrt(inputs)
    return vector * scale


def _matrix(
    architecture: Architecture, how: Start, layer: int, generator: np.random.Generator
) -> FloatArray:
    inputs, outputs = architecture.sizes[layer : layer + 2]
    shape = outputs, inputs
    if how == "mup" and layer == architecture.depth - 1:
        return np.asarray(generator.standard_normal(shape) * (1.0 / inputs))
    made = drawn(how, shape, outputs, generator)  # for all, so that other layers stay the same
    is_zero = how == "zero-branch" and architecture.is_skipped(layer)
    return np.zeros(shape) if is_zero else made


def drawn(
    how: Start, shape: tuple[int, int], outputs: int, generator: np.random.Generator
) -> FloatArray:
    """Draw the matrix of one layer, shape (outputs, inputs).

    `outputs` are those that an input is passed on to: of a kernel all that it covers.
    """
    inputs = shape[1]
    if how == "identity":
        return np.eye(*shape)
    if how == "orthogonal":
        return _orthogonal(*shape, generator)
    if how == "standard":
        return np.asarray(generator.uniform(-1.0, 1.0, shape) / np.sqrt(inputs))
    normal = generator.standard_normal(shape)
    deviation = inputs**-0.5
    if how in ("he", "zero-branch"):
        deviation = (2.0 / inputs) ** 0.5
    elif how == "xavier":
        deviation = (2.0 / (inputs + outputs)) ** 0.5
    return np.asarray(normal * deviation)


def _orthogonal(outputs: int, inputs: int, generator: np.random.Generator) -> FloatArray:
    """Draw a matrix with orthonormal rows or columns, each equally likely."""
    tall = generator.standard_normal((max(outputs, inputs), min(outputs, inputs)))
    q, r = np.linalg.qr(tall)
    q = q * np.where(np.diag(r) < 0.0, -1.0, 1.0)
    return np.asarray(q if outputs >= inputs else q.T)
