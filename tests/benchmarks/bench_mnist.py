"""Speed of training beside a straightforward PyTorch program, and times to reach accuracies.

Usage: ``uv run python tests/benchmarks/bench_mnist.py [--data FOLDER]``, FOLDER with MNIST's files
(default: ``$MNIST_DIR``; without it the bundled digits stand in for the steps).

The plain program is twenty modules in a loop, autograd and ``torch.optim.SGD``, at the preset
``quick``: same start, same batches, same arithmetic. Both take turns, ten steps each, so that
whatever else the machine does meets both, while neither often finds the other's numbers in the
caches or its threads still spinning. Times are of the wall, with all cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from engine.core import device  # noqa: E402
from engine.core.params import Params, update  # noqa: E402
from engine.core.registry import get  # noqa: E402
from engine.experiments.mnist.datasets import ImageData, load  # noqa: E402
from engine.experiments.mnist.network.cpu import CpuCore, Rule  # noqa: E402
from engine.experiments.mnist.network.model import Architecture, initialise  # noqa: E402
from engine.run.session import Session  # noqa: E402
from engine.storage.presets import preset  # noqa: E402
from tests.engine.straightforward import Straightforward, train_step  # noqa: E402

BATCH, STEPS, TURN, SEED = 100, 50, 10, 0
PAPER_TEST = 97.58


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, and what it returns."""
    begin = time.perf_counter()
    result = function()
    return time.perf_counter() - begin, result


def steps_beside_the_plain_program(data: ImageData) -> dict[str, float]:
    """Make fifty steps with both programs in turn."""
    parameters = initialise(Architecture(), torch.Generator().manual_seed(SEED))
    plain = Straightforward(parameters)
    optimiser = torch.optim.SGD(plain.parameters(), 0.05, momentum=0.9, nesterov=True)
    core = CpuCore(parameters, data.train_images, data.train_labels, BATCH)
    core.gradient(np.arange(BATCH), _Nowhere(), False)  # compile

    def step_plainly(index: NDArray[np.int64]) -> float:
        images = torch.from_numpy(data.train_images[index] / np.float32(255))[:, None]
        labels = torch.from_numpy(data.train_labels[index].astype(np.int64))
        return train_step(plain, optimiser, images, labels)

    programs: dict[str, Callable[[NDArray[np.int64]], float]] = {
        "plain": step_plainly,
        "ours": lambda index: core.step(index, Rule()).loss,
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    losses: dict[str, float] = {}
    batches = np.arange(BATCH * STEPS).reshape(-1, TURN, BATCH) % len(data.train_images)
    for turn in batches:
        for name, program in programs.items():
            torch.set_num_threads(device.cores() if name == "plain" else 1)
            for index in turn:
                spent, losses[name] = timed(lambda p=program, i=index: p(i))
                times[name].append(spent)
    rate = {name: BATCH / statistics.median(spent) for name, spent in times.items()}
    return {
        "plain_samples_per_second": rate["plain"],
        "our_samples_per_second": rate["ours"],
        "ratio_of_medians": rate["ours"] / rate["plain"],
        "ratio_of_fastest": min(times["plain"]) / min(times["ours"]),
        "loss_difference_after_50_steps": abs(losses["plain"] - losses["ours"]),
    }


class _Nowhere:
    """A sink for a gradient that nobody wants."""

    def take(self, offset: int, gradient: np.ndarray) -> None:
        """Forget a piece."""


def time_to(params: Params, accuracy: float, at_most: int) -> dict[str, float | None]:
    """Train until the test accuracy is reached; wall seconds with and without the looks at it."""
    begin = time.perf_counter()
    session = Session(get("mnist"), params, SEED)
    ready = time.perf_counter() - begin
    reached, best = None, 0.0
    training: Any = session.state.training  # type: ignore[attr-defined]
    while session.step < at_most and reached is None and not session.finished:
        session.advance(1)
        best = max(best, float(np.nan_to_num(session.recent()["test_accuracy"][-1])))
        if best >= accuracy:
            reached = time.perf_counter() - begin
    return {
        "ready_after_seconds": ready,
        "reached_after_seconds": reached,
        "seconds_of_steps": training.seconds,
        "steps": session.step,
        "test_accuracy": best,
    }


def answer_milliseconds() -> float:
    """Median time of an answer about one image at the size of `quick`."""
    mnist: Any = get("mnist")
    params = update(preset("mnist", "quick").params, data="digits", checkpoints="off")
    state = mnist.init(params, SEED)
    image = load("digits").test_images[0] / 255
    return 1e3 * statistics.median(timed(lambda: mnist.predict(state, image))[0] for _ in range(21))


def main() -> None:
    """Print all figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default=os.environ.get("MNIST_DIR", ""))
    folder = parser.parse_args().data
    data = load(folder or "digits")
    off: dict[str, Any] = {"checkpoints": "off"}
    figures: dict[str, Any] = {
        "cores": device.cores(),
        "data": data.name,
        "steps": steps_beside_the_plain_program(data),
        "answer_milliseconds": answer_milliseconds(),
        "digits_to_95_percent": time_to(update(preset("mnist", "tiny").params, **off), 95.0, 1000),
    }
    if folder:
        quick = update(preset("mnist", "quick").params, data=folder, evaluate_every=30, **off)
        figures["quick_to_97.58_percent"] = time_to(quick, PAPER_TEST, 1200)
        if torch.cuda.is_available():
            paper = update(preset("mnist", "paper").params, data=folder, evaluate_every=30, **off)
            figures["paper_to_97.58_percent"] = time_to(paper, PAPER_TEST, 7200)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
