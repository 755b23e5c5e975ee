"""Steps of a training run, and what is recorded of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import partial

import numpy as np
import torch

from engine.core.arrays import FloatArray
from engine.core.beside import once
from engine.core.chunk import Chunk
from engine.core.device import explain_memory
from engine.core.errors import InputError
from engine.core.outcome import CONVERGED
from engine.experiments.network import central, measure, sharpness, steps
from engine.experiments.network import flow as flows
from engine.experiments.network.expansion import Expansion, expand
from engine.experiments.network.look import Look, Numbers
from engine.experiments.network.nets.higher import Doubles
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.problem import Problem, batch_of, problem_of
from engine.experiments.network.state import NetworkState
from engine.experiments.network.workspace import Workspace
from engine.text.numbers import whole
from engine.theory.optimisers import Setting

FAR = 1e12
"""Loss, relative to that at the start or to 1, beyond which a run has diverged."""
ADVICE = "give fewer samples, smaller batches or narrower layers"
Row = dict[str, FloatArray]


def first_state(params: NetworkParams, seed: int) -> NetworkState:
    """Return the state at step 0."""
    problem = problem_of(params)
    state = started(params, seed, problem, problem.begin(params, seed))
    if not math.isfinite(state.first_loss):
        rule = "give a smaller one, as the loss is no number at the start"
        raise InputError("start_scale", params.start_scale, rule)
    return state


def started(params: NetworkParams, seed: int, problem: Problem, weights: Numbers) -> NetworkState:
    """Return the state at step 0 with given weights.

    Raises
    ------
    InputError
        If the central flow is asked for beside a large network.
    """
    if params.has_central_flow and len(weights) > central.MOST_WEIGHTS:
        rule = f"give a network of at most {whole(central.MOST_WEIGHTS)} weights; it has "
        raise InputError("central_flow", "on", rule + whole(len(weights)))
    moments = np.zeros((steps.carried(params.setting), len(weights)), weights.dtype)
    return NetworkState(
        params=params,
        seed=seed,
        problem=problem,
        weights=weights,
        moments=moments,
        first_loss=loss_at(problem, weights),
        flow=weights if params.has_flow else weights[:0],
        central=central.Central.at(weights, 0) if params.has_central_flow else None,
    )


def loss_at(problem: Problem, weights: Numbers) -> float:
    """Compute the loss over all training samples; infinite where it is no number."""
    with torch.no_grad(), explain_memory(ADVICE):
        loss, _ = Workspace(problem, weights, weights[None, :0]).judge(problem.train)
    return loss if math.isfinite(loss) else math.inf


def advance(state: NetworkState, n: int, stride: int) -> tuple[NetworkState, Chunk]:
    """Make up to `n` steps and record them."""
    torch.set_num_threads(1)
    with torch.no_grad(), explain_memory(ADVICE):
        new, rows = _advance(state, n)
    return new, Chunk.exact(state.step + 1, rows).bucketed(stride)


def _advance(state: NetworkState, n: int) -> tuple[NetworkState, Mapping[str, FloatArray]]:
    params, problem, setting = state.params, state.problem, state.params.setting
    work = Workspace(problem, state.weights, state.moments)
    run = _Record(state, work)
    run.begin()
    batch = batch_of(problem, params, state.seed, state.step)
    seen = work.look(batch)
    diverged = None
    for k in range(state.step, state.step + n):
        if params.has_reached(*seen[:2]) and not params.is_minibatch(problem.train.count):
            break
        work.keep()
        steps.make(setting, work.w, work.moments, work.g, k, partial(work.gradient, batch))
        batch = batch_of(problem, params, state.seed, k + 1)
        seen = work.look(batch)
        if not _is_useful(seen, state.first_loss):
            work.restore()
            diverged = k + 1
            break
        run.add(k + 1, *seen)
    made = dataclasses.replace(
        state,
        step=run.step,
        weights=work.weights(),
        moments=work.carried(),
        look=run.look,
        flow=run.flow.cpu().numpy().copy(),
        flow_step=run.flow_step,
        central=run.central,
        expansion=run.expansion,
        rest=run.rest,
        edge=run.edge,
        diverged_at=diverged,
    )
    return made, run.rows()


def _is_useful(seen: tuple[float, float, float], first_loss: float) -> bool:
    """Return whether loss and gradient are numbers in the useful range."""
    loss, _, slope = seen
    far = FAR * max(first_loss, 1.0)
    return math.isfinite(loss) and loss <= far and math.isfinite(slope)


class _Record:
    """What is recorded while steps are made, and what is kept of the looks at the Hessian."""

    def __init__(self, state: NetworkState, work: Workspace) -> None:
        self._state, self._work = state, work
        self._rows: list[Row] = []
        self.step, self.look, self.edge = state.step, state.look, state.edge
        self.flow, self.flow_step = state.problem.tensor(state.flow), state.flow_step
        self.central, self.expansion, self.rest = state.central, state.expansion, state.rest
        self._doubles = _doubles(state) if state.central is not None else None

    def begin(self) -> None:
        """Look at the Hessian where the run begins, or goes on after a change."""
        state = self._state
        if not state.params.sharpness_every or state.step != state.edge.begun or state.edge.looks:
            return
        self._see(state.step, look_at(state), float(record(state)["loss"]))

    def add(self, step: int, loss: float, accuracy: float, slope: float) -> None:
        """Record a step that was made, and measure what is due."""
        state, work, self.step = self._state, self._work, step
        params = state.params
        row = _quick_row(state.problem, params, loss, accuracy, slope)
        if len(self.flow):
            row |= self._follow(params.step_size)
        if step % params.measure_every == 0:
            row |= _measured(state.problem, params, work)
        if params.sharpness_every and step % params.sharpness_every == 0:
            found = sharpness.look(
                state.problem, params, work.weights(), work.carried(), step, self.look, slope
            )
            self._see(step, found, loss)
            row |= _look_row(params, found)
            row |= self._expand(step, found)
        row |= self._carry_central(step, loss)
        self._rows.append(row)

    def _expand(self, step: int, found: Look | None) -> Row:
        """Find derivatives along the first eigenvector, if it is their turn."""
        state, params = self._state, self._state.params
        if not params.expands or step % (params.sharpness_every * params.expansion_every):
            return {}
        made = expand(state.problem, params, self._work.weights(), found, step)
        if made is not None and made.slope <= CONVERGED * state.first_loss:
            self.rest = made
        self.expansion = made
        return _expansion_row(params, made)

    def _carry_central(self, step: int, loss: float) -> Row:
        """Carry the central flow on beside a step, measure it, and count the step."""
        setting = self._state.params.setting
        if self.central is None or self._doubles is None:
            return {}
        self.central = central.carry(self.central, self._doubles, setting.step_size, step)
        if self.central is None:
            return {}
        self.central = self.central.counted(loss, setting)
        if self.look is not None and self.look.step == step:
            self.central = self.central.looked(self.look.ratio, self.look.limit)
        return _central_row(self.central, self._work.weights(), setting)

    def _follow(self, time: float) -> Row:
        """Carry the gradient flow on beside a step, and measure it."""
        decay = self._state.params.setting.weight_decay

        def gradient(weights: torch.Tensor) -> torch.Tensor:
            slope = self._work.gradient(None, weights)
            return slope.add_(weights, alpha=decay) if decay else slope

        found = flows.follow(self.flow, time, self.flow_step, gradient)
        if found is None:
            self.flow = self.flow[:0]
            return {}
        self.flow, self.flow_step = found
        return _flow_row(self._work, self.flow)

    def _see(self, step: int, found: Look | None, loss: float) -> None:
        """Keep a look, and take its ratio into account."""
        if found is None:
            return
        self.look = found
        if math.isfinite(found.ratio) and math.isfinite(loss):
            self.edge = self.edge.seen(step, found.ratio, loss)

    def rows(self) -> dict[str, FloatArray]:
        """Return all rows, by series; NaN where nothing was measured."""
        made = {}
        for key, shape in shapes(self._state.problem, self._state.params).items():
            values = np.full((len(self._rows), *shape), np.nan)
            for index, row in enumerate(self._rows):
                if key in row:
                    values[index] = row[key]
            made[key] = values
        return made


def shapes(problem: Problem, params: NetworkParams) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the recorded series."""
    architecture = problem.architecture
    made: dict[str, tuple[int, ...]] = {"loss": ()}
    if params.is_minibatch(problem.train.count):
        made["batch_loss"] = ()
    made |= {"held_loss": (), "gradient": ()}
    if problem.data.classes:
        made |= {"accuracy": (), "held_accuracy": ()}
    if params.has_flow:
        made |= {"flow_loss": (), "flow_distance": ()}
    if params.has_central_flow:
        made |= dict.fromkeys(CENTRAL, ())
    if params.expands:
        made |= dict.fromkeys(EXPANSION, ())
    return made | {
        "sharpness": (),
        "limit": (),
        "stability": (),
        "eigenvalues": (params.eigenvalues,),
        "products": (),
        "layer_norms": (measure.norm_count(architecture),),
        "alignments": (measure.alignment_count(architecture),),
    }


def _quick_row(
    problem: Problem, params: NetworkParams, loss: float, accuracy: float, slope: float
) -> Row:
    """Return what every step measures, on the samples of the step that leads on."""
    row: dict[str, float] = {"gradient": slope}
    limit = params.described.limit(params.setting)
    if limit is not None:
        row["limit"] = limit / params.step_size
    if params.is_minibatch(problem.train.count):
        row["batch_loss"] = loss
    else:
        row |= {"loss": loss, "accuracy": accuracy}
    return {key: np.asarray(value) for key, value in row.items()}


def _measured(problem: Problem, params: NetworkParams, work: Workspace) -> Row:
    """Measure what takes longer: held-out samples and layers, all samples beside batches."""
    row: Row = {}
    if params.is_minibatch(problem.train.count):
        loss, accuracy = work.judge(problem.train)
        row |= {"loss": np.asarray(loss), "accuracy": np.asarray(accuracy)}
    loss, accuracy = work.judge(problem.held)
    held = {"held_loss": loss, "held_accuracy": accuracy}
    row |= {key: np.asarray(value if math.isfinite(value) else math.nan)
            for key, value in held.items()}  # fmt: skip
    weights = work.weights()
    row["layer_norms"] = measure.norms(problem.architecture, weights)
    row["alignments"] = measure.alignments(problem.architecture, weights)
    return row


def _flow_row(work: Workspace, flow: torch.Tensor) -> Row:
    """Measure the gradient flow: its loss, and how far the run is from it."""
    distance = float(torch.linalg.vector_norm(work.w - flow))
    return {
        "flow_loss": np.asarray(work.loss_of(flow)),
        "flow_distance": np.asarray(distance),
    }


CENTRAL = (
    "central_loss",
    "central_mean_loss",
    "central_distance",
    "central_sharpness",
    "central_variance",
)
"""Series of the central flow."""
EXPANSION = ("third", "fourth", "sharpness_drift", "flip", "flip_error", "flip_line", "flat_share")
"""Series of the derivatives along the first eigenvector."""


def _doubles(state: NetworkState) -> Doubles:
    """Return the run's loss in 64 bits, on all samples and with its decay."""
    problem, setting = state.problem, state.params.setting
    samples = problem.train
    return Doubles(problem.architecture, problem.loss, samples.x, samples.y, setting.weight_decay)


def _central_row(flow: central.Central, weights: Numbers, setting: Setting) -> Row:
    """Measure the central flow: losses, how far the run is from it, its sharpness and swings."""
    distance = np.linalg.norm(weights.astype(np.float64) - flow.weights)
    values = (
        flow.loss,
        flow.mean_loss(setting),
        float(distance),
        float(flow.values[0]) if flow.values.size else math.nan,
        flow.variance,
    )
    return {key: np.asarray(value) for key, value in zip(CENTRAL, values, strict=True)}


def _expansion_row(params: NetworkParams, found: Expansion | None) -> Row:
    if found is None:
        return {}
    size = params.step_size
    flip, error = found.flip(size)
    values = (
        abs(found.third),
        found.fourth,
        -size * found.fall,
        flip,
        error,
        found.line(size),
        found.flat,
    )
    return {key: np.asarray(value) for key, value in zip(EXPANSION, values, strict=True)}


def _look_row(params: NetworkParams, found: Look | None) -> Row:
    if found is None:
        return {}
    return {
        "sharpness": found.eigenvalues[0],
        "limit": np.asarray(found.limit),
        "stability": np.asarray(found.ratio),
        "eigenvalues": found.eigenvalues,
        "products": np.asarray(float(found.products)),
    }


def record(state: NetworkState) -> Mapping[str, FloatArray]:
    """Measure everything at one state."""
    return once(state, "record", lambda: _recorded(state))


def _recorded(state: NetworkState) -> Mapping[str, FloatArray]:
    torch.set_num_threads(1)
    problem, params = state.problem, state.params
    with torch.no_grad():
        work = Workspace(problem, state.weights, state.moments)
        seen = work.look(batch_of(problem, params, state.seed, state.step))
        row = _quick_row(problem, params, *seen) | _measured(problem, params, work)
        if len(state.flow):
            row |= _flow_row(work, problem.tensor(state.flow))
        if state.central is not None and math.isfinite(state.central.loss):
            row |= _central_row(state.central, state.weights, params.setting)
    if params.sharpness_every:
        row |= _look_row(params, look_at(state))
    if params.expands:
        row |= _expansion_row(params, expansion_at(state))
    made = {key: np.full(shape, np.nan) for key, shape in shapes(problem, params).items()}
    found = {key: np.asarray(row[key], np.float64) for key in made if key in row}
    return made | {key: np.where(np.isfinite(each), each, np.nan) for key, each in found.items()}


def look_at(state: NetworkState) -> Look | None:
    """Find the eigenvalues of the Hessian at a state, unless its last step has."""
    last = state.look
    if last is not None and last.step == state.step != state.changed_at:
        return last
    return once(state, "look", lambda: _looked(state))


def expansion_at(state: NetworkState) -> Expansion | None:
    """Find the derivatives along the first eigenvector at a state, unless its last step has."""
    last = state.expansion
    if last is not None and last.step == state.step != state.changed_at:
        return last
    return once(
        state,
        "expansion",
        lambda: expand(state.problem, state.params, state.weights, look_at(state), state.step),
    )


def last_expansion(state: NetworkState) -> Expansion | None:
    """Return the last derivatives, or those at a state that was begun or changed just now."""
    if not state.params.expands or state.diverged_at is not None:
        return None
    return expansion_at(state) if state.step == state.edge.begun else state.expansion


def last_look(state: NetworkState) -> Look | None:
    """Return the last look at the Hessian, or one at a state that was begun or changed just now."""
    if not state.params.sharpness_every or state.diverged_at is not None:
        return None
    return look_at(state) if state.step == state.edge.begun else state.look


def _looked(state: NetworkState) -> Look | None:
    with torch.no_grad():
        work = Workspace(state.problem, state.weights, state.moments)
        slope = work.look(None)[2]
    return sharpness.look(
        state.problem,
        state.params,
        state.weights,
        state.moments,
        state.step,
        state.look,
        slope,
    )
