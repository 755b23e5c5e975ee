"""Speed of training beside a straightforward PyTorch program.

The plain program is twenty modules in a loop, autograd and ``torch.optim.SGD``, at the size of the
preset ``quick``: same start, same batches, same arithmetic. Both take turns of ten steps, so
that neither often finds the other's numbers in the caches or its threads still spinning. All cores
work. ``$MNIST_DIR`` may name a folder with MNIST's files; else the bundled digits stand in.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engine.core import device
from engine.core.params import update
from engine.core.registry import get
from engine.experiments.mnist.datasets import ImageData, load
from engine.experiments.mnist.network.cpu import CpuCore, Rule
from engine.experiments.mnist.network.model import Architecture, initialise
from engine.run.session import Session
from engine.storage.presets import preset
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, rates
from tests.engine.straightforward import Straightforward, train_step

BATCH, TURN, QUICK_TURN, SEED = 100, 10, 4, 0
OURS, PLAIN = "training", "plain PyTorch"
MOST_DIFFERENT = 1e-3
"""Difference of the losses after the same steps beyond which it is another computation."""
ACCURACY, AT_MOST = 95.0, 1000


class _Nowhere:
    """A sink for a gradient that nobody wants."""

    def take(self, offset: int, gradient: np.ndarray) -> None:
        """Forget a piece."""


class _Turns:
    """Two programs that train on the same batches, some steps a turn."""

    def __init__(self, data: ImageData, steps: int) -> None:
        parameters = initialise(Architecture(), torch.Generator().manual_seed(SEED))
        self._data, self._steps = data, steps
        self._plain = Straightforward(parameters)
        self._optimiser = torch.optim.SGD(
            self._plain.parameters(), 0.05, momentum=0.9, nesterov=True
        )
        self._core = CpuCore(parameters, data.train_images, data.train_labels, BATCH)
        self._core.gradient(np.arange(BATCH), _Nowhere(), False)  # compile
        self._done = {OURS: 0, PLAIN: 0}
        self.losses: dict[str, float] = {}

    def turn(self, name: str) -> None:
        """Make the next steps with one of them."""
        torch.set_num_threads(device.cores() if name == PLAIN else 1)
        step = self._plainly if name == PLAIN else self._by_the_core
        for _ in range(self._steps):
            first = self._done[name] * BATCH
            index = np.arange(first, first + BATCH) % len(self._data.train_images)
            self.losses[name] = step(index)
            self._done[name] += 1

    def _by_the_core(self, index: NDArray[np.int64]) -> float:
        return float(self._core.step(index, Rule()).loss)

    def _plainly(self, index: NDArray[np.int64]) -> float:
        images = torch.from_numpy(self._data.train_images[index] / np.float32(255))[:, None]
        labels = torch.from_numpy(self._data.train_labels[index].astype(np.int64))
        return train_step(self._plain, self._optimiser, images, labels)


def seconds_to_accuracy() -> float | None:
    """Train on the digits until 95 % of the test images are told right; seconds of the steps."""
    params = update(preset("mnist", "tiny").params, checkpoints="off")
    session = Session(get("mnist"), params, SEED)
    training: Any = session.state.training  # type: ignore[attr-defined]
    while session.step < AT_MOST and not session.finished:
        session.advance(1)
        if np.nan_to_num(session.recent()["test_accuracy"][-1]) >= ACCURACY:
            return float(training.seconds)
    return None


def answer() -> Callable[[], None]:
    """Return what asks for one answer about one image, at the size of `quick`."""
    mnist: Any = get("mnist")
    params = update(preset("mnist", "quick").params, data="digits", checkpoints="off")
    state = mnist.init(params, SEED)
    image = load("digits").test_images[0] / 255

    def ask() -> None:
        mnist.predict(state, image)

    return ask


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure steps of both in turns, then answers and the time to an accuracy."""
    steps = QUICK_TURN if quick else TURN
    turns = _Turns(load(os.environ.get("MNIST_DIR") or "digits"), steps)
    seconds = timer.in_turns({name: partial(turns.turn, name) for name in (OURS, PLAIN)})
    assert abs(turns.losses[OURS] - turns.losses[PLAIN]) < MOST_DIFFERENT
    work = dict.fromkeys(seconds, float(BATCH * steps))
    yield from rates(seconds, work, "images/s", (OURS,))
    spent = timer.in_turns({"answer about one image": answer()})
    yield from (
        Measurement(name=name, unit="ms", samples=tuple(1e3 * one for one in found))
        for name, found in spent.items()
    )
    if not quick:
        found = [seconds_to_accuracy() for _ in range(timer.rounds)]
        reached = tuple(one for one in found if one is not None)
        if reached:
            yield Measurement(name=f"digits to {ACCURACY:g} %", unit="s", samples=reached)


BENCHMARK = Benchmark(
    name="mnist",
    measures="training steps of the network of the preset quick, on all cores",
    peers=(PLAIN,),
    run=measure,
)
