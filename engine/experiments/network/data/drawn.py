"""Samples that are drawn: of a teacher network, moons, spirals, a line, sines."""

from __future__ import annotations

import numpy as np

from engine.core.arrays import FloatArray
from engine.experiments.network.data.dataset import Dataset, Targets, split
from engine.experiments.network.params import NetworkParams

TEACHER_UNITS = 8
"""Hidden units of the teacher network."""
TURNS = 1.5
"""Turns of each spiral."""


def draw(params: NetworkParams) -> Dataset:
    """Draw samples and hold some out."""
    generator = np.random.default_rng(params.data_seed)
    inputs, targets = _MAKERS[params.data](params, generator)
    classes = ("0", "1") if params.has_classes else ()
    return split(inputs, targets, params.held_out, generator, classes)


def _teacher(params: NetworkParams, generator: np.random.Generator) -> tuple[FloatArray, Targets]:
    """Draw normal inputs; the targets are those of a random tanh network, and noise."""
    d = params.inputs
    first = generator.standard_normal((TEACHER_UNITS, d)) / np.sqrt(d)
    last = generator.standard_normal(TEACHER_UNITS) / np.sqrt(TEACHER_UNITS)
    inputs = generator.standard_normal((params.points, d))
    values = np.tanh(2.0 * inputs @ first.T) @ last
    return inputs, _noisy(values, params, generator)


def _moons(params: NetworkParams, generator: np.random.Generator) -> tuple[FloatArray, Targets]:
    """Draw two half circles that reach into one another."""
    labels = np.arange(params.points) % 2
    angle = np.pi * generator.random(params.points)
    x = np.where(labels == 0, np.cos(angle), 1.0 - np.cos(angle))
    y = np.where(labels == 0, np.sin(angle), 0.5 - np.sin(angle))
    points = np.stack([x, y], axis=1)
    return points + params.noise * generator.standard_normal(points.shape), labels


def _spirals(params: NetworkParams, generator: np.random.Generator) -> tuple[FloatArray, Targets]:
    """Draw two spirals wound into one another."""
    labels = np.arange(params.points) % 2
    along = np.sqrt(generator.random(params.points))
    angle = 2.0 * np.pi * TURNS * along + np.pi * labels
    points = 2.0 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + params.noise * generator.standard_normal(points.shape), labels


def _line(params: NetworkParams, generator: np.random.Generator) -> tuple[FloatArray, Targets]:
    x = generator.uniform(-1.0, 1.0, params.points)
    return x[:, None], _noisy(x, params, generator)


def _sines(params: NetworkParams, generator: np.random.Generator) -> tuple[FloatArray, Targets]:
    x = generator.uniform(-1.0, 1.0, params.points)
    values = 0.5 * (np.sin(np.pi * x) + np.sin(np.pi * params.waves * x))
    return x[:, None], _noisy(values, params, generator)


def _noisy(values: FloatArray, params: NetworkParams, generator: np.random.Generator) -> FloatArray:
    noise = params.noise * generator.standard_normal(len(values))
    return np.asarray((values + noise)[:, None])


_MAKERS = {
    "teacher": _teacher,
    "moons": _moons,
    "spirals": _spirals,
    "line": _line,
    "sines": _sines,
}
