"""Speed of own networks beside a plain PyTorch loop.

Both train the same tanh networks on 1,000 digits by gradient descent with full batches, in 32 bits
on one thread. Ours records loss, accuracy and the norm of the gradient at every step, PyTorch's the
loss. That they make the same run is checked first.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from engine.experiments.network import descent
from engine.experiments.network.ensemble import train
from engine.experiments.network.params import NetworkParams
from engine.experiments.network.state import NetworkState
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Contender, Measurement, Timer, rates

SIZES = ("32, 32", "64, 64, 64")
STEP_SIZE = 0.1
SEEDS = 64


def params_of(widths: str, sharpness_every: int = 0) -> NetworkParams:
    """Return the parameters of a run."""
    return NetworkParams(
        widths=widths,
        step_size=STEP_SIZE,
        sharpness_every=sharpness_every,
        measure_every=1_000_000,
    )


def plain(state: NetworkState, steps: int) -> list[float]:
    """Train the same network by a plain PyTorch loop, and return the losses."""
    torch.set_num_threads(1)
    sizes = state.problem.architecture.sizes
    modules: list[nn.Module] = []
    parts = iter(state.problem.parts(state.weights).values())
    for before, after in pairwise(sizes):
        layer = nn.Linear(before, after)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(next(parts)))
            layer.bias.copy_(torch.from_numpy(next(parts)))
        modules += [layer, nn.Tanh()]
    network = nn.Sequential(*modules[:-1])
    optimiser = torch.optim.SGD(network.parameters(), lr=STEP_SIZE)
    x, y = state.problem.train.x, state.problem.train.y
    losses = []
    for _ in range(steps):
        optimiser.zero_grad()
        loss = 0.5 * (network(x) - y).square().sum(1).mean()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Yield steps per second of both, and the cost of a look."""
    steps = 60 if quick else 300
    for widths in SIZES:
        state = descent.first_state(params_of(widths), 0)
        ours = descent.advance(state, steps, 1)[1].low["loss"]
        np.testing.assert_allclose(ours[:-1], plain(state, steps)[1:], rtol=1e-3)
        contenders: dict[str, Contender] = {
            f"{widths}: ours": partial(ours_of, state, steps),
            f"{widths}: PyTorch": partial(plain_of, state, steps),
        }
        seconds = timer.by_processor().in_turns(contenders)
        work = dict.fromkeys(contenders, float(steps))
        yield from rates(seconds, work, "steps/s", [f"{widths}: ours"])
    yield from together(quick, timer)


def together(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Yield steps per second of small networks of 64 seeds, trained at once and one by one."""
    steps = 20 if quick else 100
    params = NetworkParams(
        data="moons", points=60, width=8, sharpness_every=0, measure_every=1_000_000
    )
    states = [descent.first_state(params, seed) for seed in range(SEEDS)]
    names = f"{SEEDS} networks at once", f"{SEEDS} networks one by one"

    def at_once() -> None:
        train(params, range(SEEDS), np.array([0, steps]), lambda done, text: True)

    def one_by_one() -> None:
        for state in states:
            descent.advance(state, steps, 1)

    seconds = timer.by_processor().in_turns({names[0]: at_once, names[1]: one_by_one})
    yield from rates(seconds, dict.fromkeys(names, float(SEEDS * steps)), "steps/s", names)


def ours_of(state: NetworkState, steps: int) -> None:
    """Make our steps."""
    descent.advance(state, steps, 1)


def plain_of(state: NetworkState, steps: int) -> None:
    """Make PyTorch's."""
    plain(state, steps)


BENCHMARK = Benchmark(
    name="network",
    measures="own networks: steps of gradient descent on 1,000 digits, sharpness off",
    peers=("PyTorch, backward and SGD",),
    run=measure,
)
