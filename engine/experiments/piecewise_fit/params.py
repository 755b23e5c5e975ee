"""Parameters, state and start of the piecewise fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from engine import theory
from engine.core.arrays import FloatArray
from engine.core.errors import InputError
from engine.core.experiment import State
from engine.core.params import Params, param
from engine.experiments.piecewise_fit import samples
from engine.experiments.piecewise_fit.samples import Samples
from engine.families.ensembles.params import many_seeds
from engine.families.functions.expression import parse
from engine.families.hyperparameters import hyperparameter

if TYPE_CHECKING:
    from engine.kernels.residual.descent import Data, Rule

_FUNCTION = "Function"
_NETWORK = "Estimators"
_DESCENT = "Descent"
_MEASURE = "Measurements"

STREAM_ROWS = 10_000
"""Seeds that share a stream, which has to be made from its beginning; then the next one begins."""
SECOND_SEED = 1000
"""Seeds of the second estimator are this much larger than those of the first."""


class FitParams(Params):
    """Parameters of the two estimators."""

    function: Literal[
        "figure-4", "sawtooth", "absolute-value", "sine", "convex", "typed", "drawn", "file"
    ] = param("figure-4", "What is fitted: the paper's f or another.", symbol="f", group=_FUNCTION)
    expression: str = param(
        "sin(6*x)/4",
        "A function of x on [0, 1].",
        symbol="f(x)",
        group=_FUNCTION,
        widget="expression",
        when={"function": ["typed"]},
    )
    drawn: tuple[tuple[float, ...], ...] = param(
        ((0.0, 0.0), (0.3, 0.3), (0.5, -0.1), (0.7, 0.1), (1.0, -0.2)),
        "Points x, y with x from 0 to 1: type them, or draw them on the plot of the fit.",
        label="Points drawn",
        group=_FUNCTION,
        ge=-1e6,
        le=1e6,
        widget="points",
        when={"function": ["drawn"]},
    )
    file: str = param(
        "",
        "CSV file of two columns x, y; both are scaled to length one, long files thinned out.",
        group=_FUNCTION,
        widget="file",
        when={"function": ["file"]},
    )
    points: int = param(
        100,
        "Number of equispaced points on [0, 1].",
        symbol="N",
        group=_FUNCTION,
        ge=3,
        le=samples.MOST_POINTS,
        when={"function": ["figure-4", "sawtooth", "absolute-value", "sine", "convex", "typed"]},
    )
    depth: int = param(
        10,
        "Layers of each network; an estimator is a pair of networks.",
        symbol="L",
        group=_NETWORK,
        ge=1,
        le=40,
    )
    bias_range_1: float = param(
        0.5,
        "The first estimator's biases start in [0, this], uniformly.",
        symbol=r"b_{1,\max}",
        group=_NETWORK,
        ge=1e-6,
        le=2,
    )
    bias_range_2: float = param(
        1.0,
        "The second estimator's biases start in [0, this], uniformly.",
        symbol=r"b_{2,\max}",
        group=_NETWORK,
        ge=1e-6,
        le=2,
    )
    draws: Literal["per-seed", "one-stream"] = param(
        "per-seed",
        "Numbers behind the biases: each estimator's own, or a row of one stream, "
        "the same for both.",
        label="Random numbers",
        group=_NETWORK,
    )
    init: Literal["constant", "uniform"] = param(
        "constant",
        "Whether all weights start alike or uniformly in [0, twice the start weight].",
        label="Start weights",
        group=_NETWORK,
    )
    init_weight: float = param(
        0.1,
        "Weight of every layer at the start, or its mean.",
        symbol="W[0]",
        group=_NETWORK,
        ge=0,
        le=2,
    )
    init_scale: float = param(
        1.0,
        "Factor c of both networks at the start.",
        symbol="c[0]",
        group=_NETWORK,
        ge=1e-6,
        le=10,
    )
    moved_kinks: tuple[tuple[float, ...], ...] = param(
        (),
        "Kinks put somewhere by hand at the start: rows estimator (1 or 2), kink (from 0), x.",
        group=_NETWORK,
        ge=-1,
        le=1000,
    )
    step_size: float = param(
        0.01,
        "Step size.",
        symbol=r"\delta",
        group=_DESCENT,
        ge=1e-30,
        le=100,
        log=True,
        live=True,
        bounds={},
    )
    optimiser: Literal["gradient-descent", "heavy-ball", "nesterov"] = param(
        "nesterov",
        "Nesterov's method (the paper's), the heavy ball, or plain descent.",
        group=_DESCENT,
    )
    schedule: Literal["sequence", "ratio", "constant"] = param(
        "sequence",
        "Momentum of Nesterov's method: (t[k] - 1)/t[k+1], k/(k + 3), or constant.",
        group=_DESCENT,
        when={"optimiser": ["nesterov"]},
    )
    momentum: float = hyperparameter(
        "momentum",
        ["heavy-ball", "nesterov"],
        group=_DESCENT,
        more="Nesterov's method uses it where its schedule is constant.",
    )
    projected: bool = param(
        True,
        "Whether w, b >= 0 and c > 0 are restored after every step.",
        label="Projection",
        group=_DESCENT,
        live=True,
    )
    scale_floor: float = param(
        1e-6,
        "Least c that the projection leaves.",
        group=_DESCENT,
        ge=1e-12,
        le=1,
        log=True,
        live=True,
        when={"projected": [True]},
    )
    train_biases: bool = param(
        True,
        "Whether the biases are trained, or frozen where they start.",
        group=_DESCENT,
        live=True,
    )
    fit_limit: float = param(
        1e-4,
        "Mean squared error below which an estimator counts as fitting.",
        group=_MEASURE,
        ge=1e-30,
        le=1,
        log=True,
        live=True,
        measures=True,
    )
    hessian_every: int = param(
        200,
        "Steps between two looks at the Hessian.",
        group=_MEASURE,
        ge=1,
        le=100_000,
        live=True,
        measures=True,
    )
    hessian_count: int = param(
        3,
        "Eigenvalues of the Hessian that are recorded, the largest.",
        group=_MEASURE,
        ge=1,
        le=7,
        measures=True,
    )
    ensemble: int = many_seeds()

    @property
    def unused(self) -> frozenset[str]:
        """The momentum where Nesterov's schedule brings its own."""
        is_scheduled = self.optimiser == "nesterov" and self.schedule != "constant"
        return frozenset({"momentum"} if is_scheduled else ())

    @model_validator(mode="after")
    def _is_function(self) -> Self:
        """Refuse what is no function before a run is given up for it."""
        if self.function == "typed":
            parse(self.expression, 1, "expression")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class FitState(State[FitParams]):
    """Both estimators between two steps.

    `theta`, `previous` and `start` have shape (2, 4L + 3) and the layout of
    `engine.kernels.residual.descent`: current, last and first parameters. `clock` is Nesterov's
    t_k.
    """

    samples: Samples
    data: Data
    theta: FloatArray
    previous: FloatArray
    start: FloatArray
    clock: float = 1.0


def samples_of(params: FitParams) -> Samples:
    """Make the points to fit.

    Raises
    ------
    InputError
        If the function, the points drawn or the file cannot be used.
    """
    if params.function == "typed":
        return samples.of_expression(params.expression, params.points)
    if params.function == "drawn":
        return samples.of_points(params.drawn, "drawn")
    if params.function == "file":
        if not params.file:
            raise InputError("file", "", "give the name of a CSV file with two columns")
        path = Path(params.file)
        changed = path.stat().st_mtime_ns if path.is_file() else 0
        return _read(params.file, changed)
    return samples.of_shape(params.function.replace("-", " "), params.points)


@lru_cache(maxsize=2)
def _read(path: str, changed: int) -> Samples:
    """Read a file once for as long as it does not change."""
    return samples.of_file(path, "file")


def starts(params: FitParams, seed: int) -> FloatArray:
    """Draw both estimators at step 0, shape (2, 4L + 3).

    The first estimator's generator has the seed, the second's a seed `SECOND_SEED` larger; each
    draws its biases first, so that the weights' start does not change them. With one stream for
    all seeds the biases of both estimators are the same row of it, times their ranges.

    Raises
    ------
    InputError
        If a kink put by hand does not exist.
    """
    rows = []
    for which, widest in enumerate((params.bias_range_1, params.bias_range_2)):
        generator = np.random.default_rng(seed + which * SECOND_SEED)
        b = generator.uniform(0.0, widest, (2, params.depth))
        if params.draws == "one-stream":
            b = widest * row_of_stream(seed, b.size).reshape(b.shape)
        w = np.full((2, params.depth), params.init_weight)
        if params.init == "uniform":
            w = generator.uniform(0.0, 2.0 * params.init_weight, (2, params.depth))
        _put_kinks(params, which, w, b)
        scales = [params.init_scale, params.init_scale, 0.0]
        rows.append(np.concatenate([w.ravel(), b.ravel(), scales]))
    return np.array(rows)


def row_of_stream(seed: int, count: int) -> FloatArray:
    """Return `count` numbers in [0, 1), a seed's own row of one stream, as long for every seed.

    The stream is that of the Mersenne twister begun at 0, as torch makes doubles of it: the biases
    of seeds 0, 1, ..., S - 1 are
    ``torch.manual_seed(0); torch.rand(S, 2, L, dtype=torch.float64)``.
    """
    stream, row = divmod(seed, STREAM_ROWS)
    # The old generator: numpy promises that its streams never change.
    twister = np.random.RandomState(stream % 2**32)
    words = twister.randint(0, 2**32, 2 * count * (row + 1), dtype=np.uint32)[-2 * count :]
    pairs = words.astype(np.uint64)
    bits = (pairs[0::2] << np.uint64(32) | pairs[1::2]) & np.uint64(2**53 - 1)
    return bits.astype(np.float64) * 2.0**-53


def _put_kinks(params: FitParams, which: int, w: FloatArray, b: FloatArray) -> None:
    """Set the biases of the kinks that were put by hand, layer by layer: b_l = h_{l-1}(x)."""
    places: dict[int, float] = {}
    for row in params.moved_kinks:
        if len(row) != 3 or row[0] not in (1.0, 2.0) or not 0 <= row[1] < 2 * params.depth:
            rule = f"give rows estimator (1 or 2), kink (0 to {2 * params.depth - 1}), x"
            raise InputError("moved_kinks", list(row), rule)
        if row[0] == which + 1:
            places[int(row[1])] = max(row[2], 0.0)
    for index in sorted(places):
        net, layer = divmod(index, params.depth)
        h = places[index]
        for below in range(layer):
            h += w[net, below] * max(h - b[net, below], 0.0)
        b[net, layer] = h


def rule_of(params: FitParams) -> Rule:
    """Return the update rule in the kernel's terms."""
    from engine.kernels.residual import descent as residual

    methods = {
        "gradient-descent": residual.GRADIENT,
        "heavy-ball": residual.HEAVY_BALL,
        "nesterov": residual.NESTEROV,
    }
    schedules = {
        "sequence": residual.SEQUENCE,
        "ratio": residual.RATIO,
        "constant": residual.CONSTANT,
    }
    return residual.Rule(
        params.step_size,
        methods[params.optimiser],
        schedules[params.schedule],
        params.momentum,
        params.projected,
        params.scale_floor,
        params.train_biases,
    )


def momentum_at(params: FitParams, step: int) -> float:
    """Return the momentum that a step uses (0 for plain descent)."""
    if params.optimiser == "gradient-descent" or step == 0:
        return 0.0
    if params.optimiser == "heavy-ball" or params.schedule == "constant":
        return params.momentum
    return step / (step + 3.0)  # the sequence t_k tends to the same


def largest_sharpness(params: FitParams, step: int) -> float:
    """Return the largest Hessian eigenvalue at which small oscillations die out.

    The optimiser's own limit, with the momentum of the step.
    """
    return theory.sharpness_limit(params.optimiser, momentum_at(params, step), params.step_size)
