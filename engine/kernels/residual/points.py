"""Gradient of the scalar residual pair point by point: for any weights, cost O(L N).

Needed where a weight is at or below -1: a layer may then have several kinks or none, and the
affine pieces are no longer an ordered list. Parameter layout as in
`engine.kernels.residual.pieces`.
"""

from __future__ import annotations

import numpy as np

from engine.kernels.jit import helper
from engine.kernels.residual.pieces import Data, Floats, Scratch


@helper
def forward_points(theta: Floats, data: Data, work: Scratch) -> float:
    """Find h_0 .. h_L of both networks and the error at every point; return the mean of e^2."""
    layers, error = work.layers, work.error
    depth = layers.shape[1] - 1
    total = 0.0
    for i in range(data.x.size):
        for net in range(2):
            h = data.x[i]
            layers[net, 0, i] = h
            for layer in range(depth):
                unit = h - theta[(2 + net) * depth + layer]
                if unit > 0.0:
                    h += theta[net * depth + layer] * unit
                layers[net, layer + 1, i] = h
        value = theta[4 * depth] * layers[0, depth, i] - theta[4 * depth + 1] * layers[1, depth, i]
        error[i] = value + theta[4 * depth + 2] - data.y[i]
        total += error[i] * error[i]
    return total / data.x.size


@helper
def backward_points(theta: Floats, net: int, work: Scratch, grad: Floats) -> None:
    """Gradient of 1/(2N) sum e^2 with respect to w, b and c of one network."""
    layers, error, gain = work.layers, work.error, work.gain
    depth = layers.shape[1] - 1
    scale = (1.0 - 2.0 * net) / error.size
    to_scale = 0.0
    for i in range(error.size):
        to_scale += error[i] * layers[net, depth, i]
        gain[i] = scale * theta[4 * depth + net] * error[i]
    grad[4 * depth + net] = scale * to_scale
    for layer in range(depth - 1, -1, -1):
        weight = theta[net * depth + layer]
        bias = theta[(2 + net) * depth + layer]
        to_weight = to_bias = 0.0
        for i in range(error.size):
            unit = layers[net, layer, i] - bias
            if unit > 0.0:
                to_weight += gain[i] * unit
                to_bias += gain[i]
                gain[i] += weight * gain[i]
        grad[net * depth + layer] = to_weight
        grad[(2 + net) * depth + layer] = -weight * to_bias


@helper
def gradient_by_points(theta: Floats, data: Data, work: Scratch, grad: Floats) -> float:
    """Gradient of 1/(2N) sum e^2 for a pair with any weights; returns the mean of e^2."""
    depth = work.layers.shape[1] - 1
    square = forward_points(theta, data, work)
    for net in range(2):
        backward_points(theta, net, work, grad)
    total = 0.0
    for i in range(data.x.size):
        total += work.error[i]
    grad[4 * depth + 2] = total / data.x.size
    return square


@helper
def crossing_by_points(theta: Floats, net: int, layer: int, data: Data, work: Scratch) -> float:
    """First place between two points where a layer switches on or off, NaN if there is none."""
    x, place = data.x, np.nan
    bias = theta[(2 + net) * work.ranks.shape[2] + layer]
    for i in range(1, x.size):
        left = work.layers[net, layer, i - 1] - bias
        right = work.layers[net, layer, i] - bias
        if (left > 0.0) != (right > 0.0):
            place = x[i - 1] + (x[i] - x[i - 1]) * left / (left - right)
            break
    return place


@helper
def steepest_by_points(theta: Floats, work: Scratch) -> float:
    """Largest absolute slope of the pair at a data point."""
    layers = work.layers
    depth = layers.shape[1] - 1
    steepest = 0.0
    for i in range(layers.shape[2]):
        slope = 0.0
        for net in range(2):
            part = (1.0 - 2.0 * net) * theta[4 * depth + net]
            for layer in range(depth):
                if layers[net, layer, i] > theta[(2 + net) * depth + layer]:
                    part *= 1.0 + theta[net * depth + layer]
            slope += part
        steepest = max(steepest, abs(slope))
    return steepest
