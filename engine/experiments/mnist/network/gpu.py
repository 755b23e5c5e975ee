"""Training on a GPU: the batched model by autograd, all parameters in one flat array.

On CUDA a step is captured as a graph, which removes the launching of some two hundred kernels, and
runs in bfloat16 where that is asked for. Whether either helps depends on the card and the width, so
with ``precision="auto"`` both precisions, each with and without a graph, are timed for a moment
when training begins, and the fastest is kept.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.core import interrupt
from engine.core.device import explain_memory
from engine.experiments.mnist.datasets import Bytes
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.cpu import (
    ADVICE,
    BETA1,
    BETA2,
    LOSS_LIMIT,
    Batch,
    Rule,
    norms_by_kind,
)
from engine.experiments.mnist.network.model import Parameters
from engine.kernels.network.images import CROP
from engine.text.numbers import whole

Precision = Literal["auto", "float32", "bfloat16"]

EVALUATION_BATCH = 1000
_TRIAL_STEPS = 10
_WARM_UP_STEPS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """How a step is carried out."""

    bfloat16: bool = False
    graph: bool = False

    def __str__(self) -> str:
        """Name it for the status line."""
        return ("bfloat16" if self.bfloat16 else "float32") + (", CUDA graph" if self.graph else "")


class _Memory:
    """What must survive a trial: parameters and the method's averages, copied and put back."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._tensors = dict(tensors)
        self._copies = {name: values.clone() for name, values in tensors.items()}

    def restore(self) -> None:
        for name, values in self._tensors.items():
            values.copy_(self._copies[name])


class AcceleratedCore:
    """Parameters and training images on a device, stepped by autograd.

    Parameters
    ----------
    parameters : Parameters
        The start, on the CPU; copied.
    images, labels : ndarray of uint8
        The training set, copied to the device.
    batch_size : int
        Size of all batches but the last of an epoch.
    device : torch.device
        Usually a GPU; the CPU works too, slowly.
    precision : str
        ``auto`` times the choices on CUDA and means float32 elsewhere.

    Raises
    ------
    LabError
        If the memory is too small.
    """

    def __init__(
        self,
        parameters: Parameters,
        images: Bytes,
        labels: Bytes,
        batch_size: int,
        device: torch.device,
        precision: Precision = "auto",
    ) -> None:
        self.architecture = parameters.architecture
        self.device = device
        self._precision: Precision = precision
        self._train_images = images
        with explain_memory(ADVICE):
            self._own = Parameters(self.architecture, parameters.flat.to(device, copy=True))
            self._gradient = torch.zeros_like(self._own.flat)
            self._leaves = self._make_leaves()
            self._images = torch.from_numpy(images).to(device)
            self._labels = torch.from_numpy(labels.astype(np.int64)).to(device)
        self._memory: dict[str, Tensor] = {}
        self._count = 0
        self._batch_size = batch_size
        self._index = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self._scalars = {
            name: torch.zeros((), device=device) for name in ("step_size", "momentum", "root_scale")
        }
        self._graph: torch.cuda.CUDAGraph | None = None
        self._graph_rule: tuple[object, ...] = ()
        self._result: tuple[Tensor, Tensor] | None = None
        self.plan: Plan | None = None

    def _make_leaves(self) -> dict[str, Tensor]:
        """Make leaves that share the flat parameters, with gradients in the flat gradient."""
        slopes = Parameters(self.architecture, self._gradient)
        leaves = {}
        for name, values in self._own.parts.items():
            leaf = values.detach().requires_grad_()
            leaf.grad = slopes.parts[name]
            leaves[name] = leaf
        return leaves

    def step(self, index: NDArray[np.int64], rule: Rule, measure: bool = False) -> Batch:
        """Make one update with chosen training images; a loss out of range changes no velocity."""
        with explain_memory(ADVICE):
            return self._step(torch.from_numpy(index).to(self.device), rule, measure)

    def _step(self, index: Tensor, rule: Rule, measure: bool) -> Batch:
        self._prepare(rule)
        plan = self.plan
        if plan is None or self._graph_rule != _fixed(rule):
            self._graph_rule = _fixed(rule)
            plan = self.plan = self._choose(index, rule)
        active = self._active(index) if measure else None
        if self._graph is not None and len(index) == self._batch_size and self._result is not None:
            self._index.copy_(index)
            self._graph.replay()
            value, correct = self._result
        else:
            value, correct = self._compute(index, rule, plan)
        norms = None
        if measure:
            norms = norms_by_kind(Parameters(self.architecture, self._gradient))
        number = float(value)
        if not number <= LOSS_LIMIT:
            return Batch(LOSS_LIMIT, int(correct), diverged=True)
        return Batch(number, int(correct), gradient_norms=norms, active=active)

    def _prepare(self, rule: Rule) -> None:
        """Put the numbers of the coming step where a captured graph reads them."""
        self._count += 1
        names = {"gradient-descent": (), "adam": ("mean", "square")}.get(rule.method, ("velocity",))
        for name in names:
            if name not in self._memory:
                self._memory[name] = torch.zeros_like(self._own.flat)
        step_size = rule.step_size
        if rule.method == "adam":
            step_size /= 1 - BETA1**self._count
            self._scalars["root_scale"].fill_(1 / math.sqrt(1 - BETA2**self._count))
        self._scalars["step_size"].fill_(step_size)
        self._scalars["momentum"].fill_(rule.momentum)

    def _compute(self, index: Tensor, rule: Rule, plan: Plan) -> tuple[Tensor, Tensor]:
        """Make a step of plain operations, which a graph can record."""
        images = self._images[index, None, :CROP, :CROP].to(torch.float32) / 255
        labels = self._labels[index]
        self._gradient.zero_()
        tensors = models.public(self.architecture, self._leaves)
        casting = (
            torch.autocast(self.device.type, torch.bfloat16, cache_enabled=False)
            if plan.bfloat16
            else contextlib.nullcontext()
        )
        with casting:
            scores = models.forward(self.architecture, tensors, images)
        scores = scores.float()
        value = models.loss(scores, labels, rule.squared_error)
        value.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self._update(rule, value.detach() <= LOSS_LIMIT)
            return value.detach(), (scores.argmax(1) == labels).sum()

    def _update(self, rule: Rule, in_range: Tensor) -> None:
        weights, gradient = self._own.flat, self._gradient
        step_size, momentum = self._scalars["step_size"], self._scalars["momentum"]
        slopes = torch.where(in_range, gradient, torch.zeros_like(gradient))
        if rule.method == "adam":
            mean, square = self._memory["mean"], self._memory["square"]
            mean.lerp_(slopes, 1 - BETA1)
            square.lerp_(slopes.square(), 1 - BETA2)
            root = square.sqrt().mul_(self._scalars["root_scale"]).add_(1e-8)
            slopes = mean / root
        elif rule.method != "gradient-descent":
            velocity = self._memory["velocity"]
            velocity.mul_(momentum).add_(slopes)
            slopes = slopes + momentum * velocity if rule.method == "nesterov" else velocity
        weights.sub_(slopes * step_size)
        if rule.projection:
            self._own.signed.clamp_(min=0)

    # How a step is carried out.

    def _choose(self, index: Tensor, rule: Rule) -> Plan:
        """Time the plans that are allowed here and keep the fastest."""
        self._graph = self._result = None
        if self.device.type != "cuda":
            return Plan(bfloat16=self._precision == "bfloat16")
        precisions = {"float32": [False], "bfloat16": [True]}.get(self._precision, [False, True])
        plans = [Plan(bf16, graph) for bf16 in precisions for graph in (False, True)]
        timed = [(self._trial(plan, index, rule), position) for position, plan in enumerate(plans)]
        best = plans[min(timed)[1]]
        if best.graph:
            self._capture(best, rule)
        else:
            self._graph = self._result = None
        return best

    def _trial(self, plan: Plan, index: Tensor, rule: Rule) -> float:
        """Measure seconds per step of a plan, infinite if it does not work here."""
        self._index.copy_(index[torch.arange(self._batch_size, device=self.device) % len(index)])
        saved = _Memory({"flat": self._own.flat, **self._memory})
        try:
            run = self._runner(plan, rule)
            for _ in range(_WARM_UP_STEPS):
                run()
            torch.cuda.synchronize(self.device)
            begin = time.perf_counter()
            for _ in range(_TRIAL_STEPS):
                run()
            torch.cuda.synchronize(self.device)
            return (time.perf_counter() - begin) / _TRIAL_STEPS
        except RuntimeError:
            if not plan.graph and not plan.bfloat16:
                raise
            return math.inf
        finally:
            saved.restore()

    def _runner(self, plan: Plan, rule: Rule) -> Callable[[], object]:
        """Return what makes a step with the images in `_index`."""
        if plan.graph:
            return self._capture(plan, rule).replay
        return lambda: self._compute(self._index, rule, plan)

    def _capture(self, plan: Plan, rule: Rule) -> torch.cuda.CUDAGraph:
        """Record a step as a CUDA graph; parameters are left as they were."""
        saved = _Memory({"flat": self._own.flat, **self._memory})
        side = torch.cuda.Stream(self.device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP_STEPS):
                self._compute(self._index, rule, plan)
        torch.cuda.current_stream(self.device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        # Another thread may ask the network about a digit meanwhile.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            self._result = self._compute(self._index, rule, plan)
        self._graph = graph
        saved.restore()
        return graph

    # Looking at the network.

    def _active(self, index: Tensor) -> NDArray[np.float64]:
        with torch.no_grad():
            images = self._images[index, None, :CROP, :CROP].to(torch.float32) / 255
            tensors = self._own.tensors()
            h0 = models.features(tensors, images)
            fractions = models.active_fractions(self.architecture, tensors, h0)
        return fractions.cpu().numpy().astype(np.float64)

    def answers(self, images: Bytes) -> NDArray[np.float32]:
        """Compute the networks' answers cᵀ h_L for all images, shape (N, K)."""
        on_device = self._images if images is self._train_images else torch.from_numpy(images)
        tensors = self._own.tensors()
        results = []
        with explain_memory(ADVICE), torch.no_grad():
            for first in range(0, len(images), EVALUATION_BATCH):
                interrupt.report(first / len(images), f"scores of {whole(len(images))} images")
                chosen = on_device[first : first + EVALUATION_BATCH, None, :CROP, :CROP]
                floats = chosen.to(self.device).to(torch.float32) / 255
                h0 = models.features(tensors, floats)
                results.append(models.parts(self.architecture, tensors, h0).cpu())
        return torch.cat(results).numpy()

    def live(self) -> Parameters:
        """Return the parameters themselves, on the device."""
        return self._own

    def parameters(self) -> Parameters:
        """Copy the parameters to the CPU."""
        return Parameters(self.architecture, self._own.flat.detach().to("cpu", copy=True))

    def load(self, flat: Tensor, buffers: Mapping[str, Tensor]) -> None:
        """Put parameters and the method's memory back."""
        self._own.flat.copy_(flat)
        for name in self._memory.keys() - buffers.keys():
            self._memory[name].zero_()  # in place: a captured graph reads it
        if "count" not in buffers:
            self._count = 0
        for name, values in buffers.items():
            if name == "count":
                self._count = int(values)
            elif name in self._memory:
                self._memory[name].copy_(values)
            else:
                self._memory[name] = values.to(self.device, copy=True)

    def buffers(self) -> dict[str, Tensor]:
        """Return the method's memory, copied to the CPU."""
        memory = {name: values.to("cpu", copy=True) for name, values in self._memory.items()}
        return {**memory, "count": torch.tensor(self._count, device="cpu")}


def _fixed(rule: Rule) -> tuple[object, ...]:
    """Return what a captured graph cannot change of a rule."""
    return rule.method, rule.projection, rule.squared_error
