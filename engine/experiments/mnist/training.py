"""A training run of the MNIST experiment: the part of its state that changes in place.

Each step adds a row to a history that is kept whole, so that a run which goes on from a checkpoint
gives the rows of its first part again. Everything random comes from one torch generator on the CPU.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core import interrupt
from engine.core.device import choose, describe, explain_memory
from engine.core.errors import InputError
from engine.experiments.mnist import checkpoint_files as checkpoint
from engine.experiments.mnist.before import BeforeStep
from engine.experiments.mnist.checkpoint_files import Checkpoint
from engine.experiments.mnist.checkpoints import Checkpoints
from engine.experiments.mnist.datasets import ImageData, load
from engine.experiments.mnist.history import History, series_widths
from engine.experiments.mnist.judging import Answer, answer, judge
from engine.experiments.mnist.latest import KEY, Latest, Look
from engine.experiments.mnist.network import model as models
from engine.experiments.mnist.network.cpu import ADVICE, Core, CpuCore, norms_by_kind
from engine.experiments.mnist.network.gpu import AcceleratedCore
from engine.experiments.mnist.network.measures import (
    Lipschitz,
    Sharpness,
    convexity_violation,
    lipschitz,
    sharpness,
)
from engine.experiments.mnist.network.model import Parameters, initialise
from engine.experiments.mnist.params import SUBSET, MnistParams

NORMS_EVERY = 10
"""Steps between two measurements of norms, displacement and active ReLUs."""
RUNNING_IMAGES = 2000
"""Training images over which, about, the accuracy of the batches is averaged."""
SUBSET_IMAGES = 1000
"""Test images, the first ones, of which an early look is taken while an epoch is on its way."""
FIRST_LOOKS = (5000, 10_000)
LOOK_EVERY = 20_000
"""Training images after which an early look is taken: a look costs as much as some 400 of them."""
CONVEXITY_IMAGES = 64
LARGE_BATCH = 1000
"""Images of a batch from which on a step on the CPU may take longer than anyone likes to wait."""
DISPLACEMENT_LIMIT = 50_000_000
"""Parameters up to which the start is kept, to measure how far a run has moved, and the network
before a long step, so that the step can be interrupted."""
PAPER_TEST = 97.58


class Training:
    """Data, network, method, order of the data, and history of one run.

    Raises
    ------
    InputError
        If the data, the device or a checkpoint cannot be used.
    LabError
        If the memory is too small.
    """

    def __init__(self, params: MnistParams, seed: int) -> None:
        self.params = params
        self.seed = seed
        self.data: ImageData = load(params.data)
        self.architecture = params.architecture()
        self.device = choose(params.device)
        self._generator = torch.Generator().manual_seed(seed)
        self._start: torch.Tensor | None = None
        with explain_memory(ADVICE):
            parameters = initialise(self.architecture, self._generator, params.bias_range)
            self._start_norms = norms_by_kind(parameters)
            self.core: Core = self._make_core(parameters)
            self._keep_start()
        self._order = np.empty(0, np.int64)
        self._running = 0.0
        self.step = 0
        self.diverged_at: int | None = None
        self.was_resumed_at: int | None = None
        self.history = History(series_widths(params))
        self.look: Look | None = None
        self.lipschitz: Lipschitz | None = None
        self.convexity: float | None = None
        self.minima: dict[str, float] = {}
        self.sharpness: Sharpness | None = None
        self.seconds = 0.0
        self.images_per_second: float | None = None
        self.reached_paper: float | None = None
        self.checkpoints = Checkpoints(params, seed, self.data)
        saved = self.checkpoints.newest() if params.resume else None
        if saved is not None:
            self._restore(saved)
        else:
            self._begin()

    def _begin(self) -> None:
        """Measure the start and make it the first row."""
        self.history = History(series_widths(self.params))
        row = {"step_size": self.params.rule(0).step_size, **self._norms()}
        self.history.add({**row, **self.evaluate(with_train=False)})
        self._find_minima()

    def _find_minima(self) -> None:
        """Find the least entries that convexity needs to be nonnegative."""
        tensors = self.core.live().tensors()
        kept = (name for name in ("V", "W", "c") if name in tensors)
        self.minima = {name: float(tensors[name].min()) for name in kept}

    def _make_core(self, parameters: Parameters) -> Core:
        images, labels = self.data.train_images, self.data.train_labels
        size = min(self.params.batch_size, len(images))
        if self.device.type == "cpu" and self.params.precision != "bfloat16":
            return CpuCore(parameters, images, labels, size)
        return AcceleratedCore(parameters, images, labels, size, self.device, self.params.precision)

    def _keep_start(self) -> None:
        if self.architecture.size <= DISPLACEMENT_LIMIT:
            self._start = self.core.live().flat.detach().clone()
        self._start_norms = norms_by_kind(self.core.live())

    @property
    def steps_per_epoch(self) -> int:
        """Batches that make up an epoch, the last perhaps smaller."""
        return -(-len(self.data.train_images) // self.params.batch_size)

    @property
    def epochs_done(self) -> float:
        """Passes over the training images made, with fraction."""
        return self.step / self.steps_per_epoch

    def last_step(self, params: MnistParams) -> int:
        """Return the step at which the run ends."""
        return params.epochs * self.steps_per_epoch

    def load_parameters(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Begin from learned parameters, at step 0.

        Raises
        ------
        InputError
            If names, shapes or values do not fit.
        """
        loaded = Parameters(self.architecture)
        loaded.load({name: torch.as_tensor(values) for name, values in arrays.items()})
        self.core.load(loaded.flat, {})
        self._keep_start()
        self._begin()

    def step_size(self, params: MnistParams) -> float:
        """Return the step size of the coming step, at the end that of the last one."""
        coming = min(self.step, self.last_step(params) - 1)
        return params.rule(coming / self.last_step(params)).step_size

    # Steps

    def advance(self, params: MnistParams) -> None:
        """Make one step and add its row.

        Raises
        ------
        Interrupted
            If a long step was asked to stop; the run is as it was before the step, and making it
            again gives the same bits.
        """
        before = BeforeStep(self) if self._is_interruptible(params) else None
        if before is None:
            with interrupt.uninterrupted():
                self._advance(params)
            return
        try:
            self._advance(params)
        except interrupt.Interrupted:
            before.restore(self)
            raise

    def _is_interruptible(self, params: MnistParams) -> bool:
        """Return whether the coming step takes long and there is room for what it replaces."""
        if self.architecture.size > DISPLACEMENT_LIMIT:
            return False
        coming = self.step + 1
        is_slow = len(self._batch_places()) >= LARGE_BATCH and isinstance(self.core, CpuCore)
        looks = coming % self.steps_per_epoch == 0 or _is_due(coming, params.evaluate_every)
        return is_slow or looks or self._is_hessian_due(coming, params)

    def _advance(self, params: MnistParams) -> None:
        begin = time.perf_counter()
        rule = params.rule(self.step / self.last_step(params))
        index = self._next_batch()
        self.step += 1
        ends_epoch = self.step % self.steps_per_epoch == 0
        measures = ends_epoch or self.step % NORMS_EVERY == 0
        batch = self.core.step(index, rule, measures)
        share = min(1.0, max(len(index) / RUNNING_IMAGES, 1 / self.step))
        self._running += share * (100 * batch.correct / len(index) - self._running)
        row: dict[str, Any] = {
            "loss": batch.loss,
            "batch_accuracy": self._running,
            "step_size": rule.step_size,
        }
        if batch.diverged:
            self.diverged_at = self.step
        elif measures:
            row |= {"gradient_norms": batch.gradient_norms, "active": batch.active}
            row |= self._norms()
        self._clock(time.perf_counter() - begin, len(index))
        if not batch.diverged:
            row |= self._measure(params, ends_epoch)
        self.history.add(row)
        is_last = self.step == self.last_step(params)
        if self.diverged_at is None and self.checkpoints.is_due(ends_epoch, is_last):
            self.save(params)

    def _next_batch(self) -> NDArray[np.int64]:
        if self.step % self.steps_per_epoch == 0:
            count = len(self.data.train_images)
            self._order = torch.randperm(count, generator=self._generator).numpy()
        places = self._batch_places()
        return self._order[places.start : places.stop]

    def _batch_places(self) -> range:
        """Return the places in the order of the data that the coming batch takes."""
        size, count = self.params.batch_size, len(self.data.train_images)
        first = self.step % self.steps_per_epoch * size
        return range(first, min(first + size, count))

    def order_of_data(self) -> tuple[torch.Tensor, NDArray[np.int64], float]:
        """Return the generator's state, the order of this epoch and the batches' accuracy."""
        return self._generator.get_state(), self._order, self._running

    def set_order_of_data(self, order: tuple[torch.Tensor, NDArray[np.int64], float]) -> None:
        """Put back what `order_of_data` returned."""
        state, self._order, self._running = order
        self._generator.set_state(state)

    def _clock(self, seconds: float, images: int) -> None:
        self.seconds += seconds
        rate = images / max(seconds, 1e-9)
        old = self.images_per_second
        self.images_per_second = rate if old is None else 0.95 * old + 0.05 * rate

    def _norms(self) -> dict[str, Any]:
        live = self.core.live()
        row = {"parameter_norms": norms_by_kind(live)}
        if self._start is not None:
            moved = norms_by_kind(live, self._start)
            known = self._start_norms > 0
            row["displacement"] = np.where(
                known, moved / np.where(known, self._start_norms, 1), np.nan
            )
        return row

    def _measure(self, params: MnistParams, ends_epoch: bool) -> dict[str, Any]:
        row: dict[str, Any] = {}
        with explain_memory(ADVICE):
            if ends_epoch or _is_due(self.step, params.evaluate_every):
                row |= self.evaluate(with_train=ends_epoch)
            elif self.is_look_due(self.step):
                row |= self._glance()
            if ends_epoch:
                row |= self._bounds()
            if self._is_hessian_due(self.step, params):
                row |= self._hessian()
        return row

    @staticmethod
    def _is_hessian_due(step: int, params: MnistParams) -> bool:
        period = params.hessian_every
        return _is_due(step, period) or (period > 0 and step == 1)

    def evaluate(self, with_train: bool) -> dict[str, Any]:
        """Look at all test images, and perhaps at all training images."""
        squared = self.params.loss == "squared-error"
        scores = self.scores(self.data.test_images)
        test = judge(scores, self.data.test_labels, squared)
        row: dict[str, Any] = {"test_accuracy": 100 * test.accuracy}
        row |= self._of_subset(scores[:SUBSET_IMAGES])
        train = None
        if with_train:
            train = judge(self.scores(self.data.train_images), self.data.train_labels, squared)
            row["train_accuracy"] = 100 * train.accuracy
            row["gap"] = row["train_accuracy"] - row["test_accuracy"]
        self.look = Look(self.step, test, train)
        if self.reached_paper is None and row["test_accuracy"] >= PAPER_TEST:
            self.reached_paper = self.seconds
        return row

    def is_look_due(self, step: int) -> bool:
        """Return whether the first test images are looked at, which depends on the step alone."""
        if len(self.data.test_images) <= SUBSET_IMAGES:
            return False  # an epoch is over soon
        size = self.params.batch_size
        return step % -(-LOOK_EVERY // size) == 0 or step in [-(-n // size) for n in FIRST_LOOKS]

    def _glance(self) -> dict[str, Any]:
        """Look at the first test images: early news, which decide nothing."""
        return self._of_subset(self.scores(self.data.test_images[:SUBSET_IMAGES]))

    def _of_subset(self, scores: NDArray[np.float32]) -> dict[str, Any]:
        """Judge the first test images by their scores, shape (N, 10), where there are more."""
        if len(self.data.test_images) <= SUBSET_IMAGES:
            return {}
        labels = self.data.test_labels[:SUBSET_IMAGES]
        squared = self.params.loss == "squared-error"
        return {SUBSET: 100 * judge(scores, labels, squared).accuracy}

    def scores(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Compute the scores of images (N, 28, 28), shape (N, 10)."""
        answers = torch.from_numpy(self.core.answers(images))
        d = self.core.live().parts["d"].detach().cpu()
        return models.scores(self.architecture, answers, d).numpy()

    def answer(self, image: NDArray[np.floating[Any]]) -> Answer:
        """Classify one image (28, 28) with values 0 to 1 by the networks as they are now."""
        return answer(self.core.live(), image)

    def _bounds(self) -> dict[str, Any]:
        parameters = self.core.parameters()
        self.lipschitz = found = lipschitz(parameters)
        self.convexity = convexity_violation(parameters, self.data.test_images[:CONVEXITY_IMAGES])
        self._find_minima()
        active = np.nan if found.active_bound is None else found.active_bound
        return {
            "spectral_norms": (found.V.max(), found.W.max()),
            "lipschitz": (found.product_bound, active),
        }

    def _hessian(self) -> dict[str, Any]:
        params, data = self.params, self.data
        self.sharpness = found = sharpness(
            self.core.parameters(),
            data.train_images[: params.hessian_images],
            data.train_labels[: params.hessian_images],
            count=params.hessian_count,
            squared_error=params.loss == "squared-error",
        )
        return {} if found is None else {"hessian": found.eigenvalues}

    # Checkpoints

    def save(self, params: MnistParams) -> Path | None:
        """Write a checkpoint; returns its path, or None where they are off.

        Raises
        ------
        FileError
            If the disk does not take it.
        """
        rows = self.history.rows(0, self.step)
        memory = self.core.buffers()
        latest, measured = self._latest().to_checkpoint()
        arrays: dict[str, NDArray[Any]] = {
            **latest,
            checkpoint.PARAMETERS: self.core.parameters().flat.numpy(),
            "generator": self._generator.get_state().numpy(),
            "order": self._order,
            **{f"memory.{name}": np.asarray(values) for name, values in memory.items()},
            **{f"history.{key}": values for key, values in rows.items()},
        }
        numbers = {
            "architecture": self.architecture.to_config(),
            "running_accuracy": self._running,
            "seconds": self.seconds,
            "reached_paper": self.reached_paper,
            **measured,
        }
        return self.checkpoints.save(self.step, arrays, numbers, params)

    def _latest(self) -> Latest:
        return Latest(self.look, self.lipschitz, self.convexity, self.minima, self.sharpness)

    def _take(self, latest: Latest) -> None:
        self.look, self.lipschitz = latest.look, latest.lipschitz
        self.convexity, self.minima = latest.convexity, latest.minima
        self.sharpness = latest.sharpness

    def _restore(self, saved: Checkpoint) -> None:
        self.params = self.checkpoints.params_of(saved)
        arrays, config = saved.arrays, saved.config
        network = checkpoint.network(saved)
        memory = {
            name.removeprefix("memory."): torch.from_numpy(np.array(values))
            for name, values in arrays.items()
            if name.startswith("memory.")
        }
        try:
            self._generator.set_state(torch.from_numpy(arrays["generator"].copy()))
            self._order = order = arrays["order"]
            self._running = float(config["running_accuracy"])
            self.seconds, reached = float(config["seconds"]), config["reached_paper"]
            fits = self.history.load(arrays) and self.history.count == saved.step + 1
            for name, values in memory.items():
                fits &= name == "count" or values.shape == network.flat.shape
            if KEY in config:
                self._take(Latest.from_checkpoint(arrays, config[KEY], self.data.test_labels))
            fits &= order.dtype == np.int64 and len(order) in (0, len(self.data.train_images))
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError):
            fits = False
        if not fits:
            raise InputError("checkpoint", saved.path.name, "give a whole checkpoint")
        self.core.load(network.flat, memory)
        self.step = self.was_resumed_at = saved.step
        if KEY not in config:  # of a version that kept no measurements
            self.evaluate(with_train=False)
            self._bounds()
        self.reached_paper = reached if isinstance(reached, float) else None

    def describe(self) -> str:
        """Name the device and how steps are made there."""
        plan = self.core.plan if isinstance(self.core, AcceleratedCore) else None
        return describe(self.device) + (f", {plan}" if plan else "")


def _is_due(step: int, period: int) -> bool:
    """Return whether something is due that happens every `period` steps, or never (0)."""
    return period > 0 and step % period == 0
