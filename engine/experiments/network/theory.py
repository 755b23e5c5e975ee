"""What the theory says of a training run: the optimiser's limit, and the step that is critical."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from engine import theory
from engine.core.beside import once
from engine.core.claims import Bound
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.state import NetworkState
from engine.text.numbers import short, whole

if TYPE_CHECKING:
    from engine.experiments.network.look import Look
    from engine.experiments.network.problem import Problem

SMOOTH = ("gradient-descent", "heavy-ball", "nesterov")
"""Optimisers whose limit is a number over the sharpness of the Hessian."""


def bounds(params: NetworkParams, state: NetworkState | None) -> tuple[Bound, ...]:
    """List the limit of the sharpness, the step size critical here, and that of linear nets."""
    look = None
    if state is not None:
        from engine.experiments.network.descent import last_look

        look = last_look(state)
    made = [_limit(params, look)]
    if params.optimiser in SMOOTH:
        made.append(_critical(params, look))
    if params.expands:
        made.append(_flip(params, state))
    if is_deep_linear(params):
        made.append(_deep_linear(params, state))
    return tuple(made)


def _limit(params: NetworkParams, look: Look | None) -> Bound:
    described = params.described
    limit = described.limit(params.setting)
    value = None if limit is None else limit / params.step_size
    if value is None and look is not None:
        value = look.limit
    measured = None if look is None else float(look.eigenvalues[0])
    missing = " It moves with the gradient." if limit is None else ""
    return Bound(
        id="sharpness",
        name="Largest stable sharpness",
        symbol=r"S_{\max}",
        value=value if value is not None and math.isfinite(value) else None,
        source=described.source.text,
        formula=described.sharpness_formula,
        measured=measured,
        measured_symbol=rf"{params.curvature_symbol}",
        note=described.sentence + missing + ("" if look is None else f" S is of k = {look.step}."),
    )


def _critical(params: NetworkParams, look: Look | None) -> Bound:
    limit = params.described.limit(params.setting)
    top = 0.0 if look is None else float(look.eigenvalues[0])
    value = limit / top if limit is not None and top > 0.0 else None
    return Bound(
        id="critical",
        name="Critical step size here",
        symbol=r"\delta^*",
        value=value,
        source=params.described.source.text,
        formula=rf"{params.described.limit_formula}/S",
        field="step_size" if value is not None else "",
        note="Of a minimum as sharp as the point where the run is; it moves with the run."
        if value is not None
        else "The sharpness is not measured yet.",
    )


def _flip(params: NetworkParams, state: NetworkState | None) -> Bound:
    """Return what the derivatives along the first eigenvector say, and where it means something."""
    found = None
    if state is not None:
        from engine.experiments.network.descent import last_expansion

        found = last_expansion(state)
    note = "The derivatives along the first eigenvector are not known yet."
    measured = None
    if found is not None:
        measured, error = found.flip(params.step_size)
        note = (
            f"± {short(error, 2)}, at k = {whole(found.step)}, without the {short(found.flat, 2)} "
            "of T in flat directions. It decides at a minimum at the limit of plain descent; "
            "elsewhere it is a number of the place."
        )
        if not found.smooth:
            note = "The derivatives do not agree with differences of the gradient: a kink is near."
            measured = None
    return Bound(
        id="flip",
        name="Flip coefficient",
        symbol="c",
        value=None,
        source="normal form of the flip",
        formula=r"\frac{\delta}{6}(3\,T^\top H^+T-\nabla^4f(v,v,v,v))",
        measured=measured,
        measured_symbol="c",
        note=note,
    )


def is_deep_linear(params: NetworkParams) -> bool:
    """Return whether a network is the paper's product of matrices, biases apart."""
    return (
        params.activation == "linear"
        and params.form == "plain"
        and not params.layer_norm
        and params.loss == "squared-error"
    )


def _deep_linear(params: NetworkParams, state: NetworkState | None) -> Bound:
    """Return the step size above which no minimum of a deep linear network is stable."""
    value = None if state is None else once(state, "linear", lambda: _linear_step(state))
    note = "Of the best linear map R of the samples, for plain descent and full batches; any start."
    if value is None:
        note = "Needs a network that is wide enough, without biases and without decay."
    return Bound(
        id="linear",
        name="Largest step of a deep linear network",
        symbol=r"\delta_{\max}",
        value=value,
        source="Theorem 1, with the spectral norm",
        formula=r"2/(L(\|R\Sigma^{1/2}\|^{2(L-1)}\|\Sigma^{1/2}v\|^2)^{1/L})",
        note=note,
    )


def step_limits(params: NetworkParams) -> tuple[Bound, ...]:
    """Return the largest step size of linear layers as many, for plain descent on full batches."""
    from engine.experiments.network.problem import problem_of

    problem = problem_of(params)
    if (
        params.loss != "squared-error"
        or params.weight_decay
        or params.optimiser != "gradient-descent"
        or params.is_minibatch(problem.train.count)
    ):
        return ()
    own = is_deep_linear(params) and not params.biases and not _is_narrow(problem)
    name = "largest step of this network" if own else "of as many plain linear layers"
    return (
        Bound(
            id="linear",
            name=rf"$\delta_{{\max}}$, {name}",
            symbol=r"\delta_{\max}",
            value=linear_step(problem, problem.architecture.depth),
            source="Theorem 1, with the spectral norm",
            field="step_size",
        ),
    )


def _linear_step(state: NetworkState) -> float | None:
    """Compute the largest step size at which a global minimum can be stable."""
    params, problem = state.params, state.problem
    others = params.weight_decay or params.optimiser != "gradient-descent"
    if params.biases or others or _is_narrow(problem):
        return None
    return linear_step(problem, problem.architecture.depth)


def _is_narrow(problem: Problem) -> bool:
    """Return whether plain layers cannot make every linear map of their inputs."""
    from engine.experiments.network.nets.architecture import Architecture

    assert isinstance(problem.architecture, Architecture)  # the form is plain
    sizes = problem.architecture.sizes
    return bool(min(sizes[1:-1], default=math.inf) < min(sizes[0], sizes[-1]))


def linear_step(problem: Problem, depth: int) -> float | None:
    """Compute that of so many plain linear layers, wide enough, on the samples of a problem."""
    x = problem.train.x.cpu().numpy().astype(np.float64)
    y = problem.train.y.cpu().numpy().astype(np.float64)
    best = np.linalg.lstsq(x, y, rcond=None)[0].T
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    _, singular, right = np.linalg.svd(best @ root)
    gain = float(np.sum((root @ right[0]) ** 2))
    if not singular[0] > 0.0 or not gain > 0.0:
        return None
    return float(theory.norm_bound(float(singular[0]), depth, gain))
