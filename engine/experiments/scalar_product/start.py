"""Starting weights of the scalar product network."""

from __future__ import annotations

import math

import numpy as np

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.experiments.scalar_product.params import ScalarParams
from engine.text.numbers import short


def starting_weights(params: ScalarParams, seed: int) -> FloatArray:
    """Make the weights at step 0, shape (L,).

    Raises
    ------
    InputError
        If a list has the wrong length, or the start lies beyond the range of useful numbers.
    """
    random = np.random.default_rng(seed)
    weights = _minimum_or_list(params)
    if weights is None:
        weights = np.ones(params.depth)
    if params.init == "random":
        if not params.random_low < params.random_high:
            rule = f"give a number < random_high, which is {short(params.random_high, 6)}"
            raise InputError("random_low", params.random_low, rule)
        weights = random.uniform(params.random_low, params.random_high, params.depth)
    elif params.init == "odd-negatives":
        if params.negatives % 2 == 0 or params.negatives > params.depth:
            rule = f"give an odd number from 1 to {params.depth}"
            raise InputError("negatives", params.negatives, rule)
        weights[: params.negatives] = -1.0
    if params.noise > 0:
        weights = weights + params.noise * random.standard_normal(params.depth)
    _check_range(params, weights)
    return weights


def _minimum_or_list(params: ScalarParams) -> FloatArray | None:
    depth = params.depth
    given = np.array(params.weights, dtype=np.float64)
    if params.init == "disproportionate":
        return disproportionate_minimum(params) * (1.0 + params.stretch)
    if params.init == "list":
        if given.size != depth:
            many = f"{given.size} numbers"
            raise InputError("weights", many, f"give {depth} numbers, one per weight")
        return given
    if params.init != "minimum":
        return None
    free = given[: depth - 1]
    if given.size not in (depth - 1, depth) or not free.all():
        wrong = given.size not in (depth - 1, depth)
        what = f"{given.size} numbers" if wrong else list(params.weights)
        rule = f"give {depth - 1} numbers other than 0; the last weight follows from the target"
        raise InputError("weights", what, rule)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        last = params.target / float(np.prod(free)) if np.prod(free) != 0.0 else math.inf
    return np.append(free, last) * (1.0 + params.stretch)


def disproportionate_minimum(params: ScalarParams) -> FloatArray:
    r"""Make the paper's disproportionate minimum, the sign of the target in its last weight.

    :math:`\{\kappa r,\dots,\kappa r,\kappa^{1-L}r\}` with :math:`r=|\lambda|^{1/L}`, from the text
    after Proposition 1.
    """
    root, depth = params.root, params.depth
    weights = np.full(depth, params.kappa * root)
    exponent = (1 - depth) * math.log(params.kappa)
    if not abs(exponent) < 600:
        raise InputError("kappa", params.kappa, f"give a number nearer to 1 for L = {depth}")
    weights[-1] = params.kappa ** (1 - depth) * root
    if params.target < 0:
        weights[-1] = -weights[-1]
    return weights


def _check_range(params: ScalarParams, weights: FloatArray) -> None:
    field = {"disproportionate": "kappa", "list": "weights", "minimum": "weights"}.get(
        params.init, "init"
    )
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        product = float(np.prod(weights))
    sharpness = theory.sharpness(weights, params.power)
    limit = 1e12 * max(1.0, abs(params.target))
    if not (abs(product) <= limit and sharpness <= 1e150 and np.all(np.abs(weights) <= 1e12)):
        raise InputError(
            field, getattr(params, field), "choose a start whose product and sharpness are smaller"
        )
