"""Speed of the residual pair's kernel beside a plain PyTorch autograd loop.

The job: 20 pairs of ten layers, Nesterov steps at N = 100 points, one thread. The autograd loop
goes over seeds and steps, so its time for a step of all pairs is that of one pair times 20.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from engine.kernels.residual import descent as residual
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, by_size, rates

PAIRS, DEPTH, STEP_SIZE, POINTS = 20, 10, 0.01, 100
SIZES = (50, 100, 200, 400, 800)
EVERY, SELDOM = "kernel, every step recorded", "kernel, every 100th step recorded"
TORCH = "PyTorch, autograd.grad"


def data(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Sample the function of Figure 4."""
    x = np.linspace(0.0, 1.0, points)
    return x, np.interp(x, [0, 0.3, 0.5, 0.7, 1], [0, 0.3, -0.1, 0.1, -0.2])


def biases(seed: int) -> np.ndarray:
    """Draw the biases of a pair, shape (2, L)."""
    return np.random.default_rng(seed).uniform(0.0, 1.0, (2, DEPTH))


def kernel(steps: int, every: int, points: int = POINTS) -> Callable[[], None]:
    """Return what makes steps of all pairs by the kernel."""
    prepared = residual.prepare(*data(points))
    b = np.stack([biases(seed) for seed in range(PAIRS)])
    pairs = residual.start_pairs(np.full(b.shape, 0.1), b, np.ones((PAIRS, 2)), np.zeros(PAIRS))
    rule = residual.Rule(STEP_SIZE)

    def run() -> None:
        residual.advance(pairs, prepared, rule, steps, every)

    return run


def torch_loop(steps: int, points: int = POINTS) -> Callable[[], None]:
    """Return a plain autograd loop in PyTorch, for one pair."""
    import torch

    torch.set_num_threads(1)
    x, y = (torch.from_numpy(values) for values in data(points))

    def loss(w: torch.Tensor, b: torch.Tensor, c: torch.Tensor, d: torch.Tensor) -> torch.Tensor:
        parts = []
        for net in range(2):
            h = x
            for layer in range(DEPTH):
                h = h + w[net, layer] * torch.relu(h - b[net, layer])
            parts.append(c[net] * h)
        return 0.5 * ((parts[0] - parts[1] + d - y) ** 2).mean()

    def run() -> None:
        first = torch.full((2, DEPTH), 0.1, dtype=torch.float64)
        now = [first, torch.from_numpy(biases(0)), torch.ones(2).double(), torch.zeros(1).double()]
        past, t, losses = now, 1.0, []
        for _ in range(steps):
            t_next = (1 + (1 + 4 * t * t) ** 0.5) / 2
            ahead = [p + (t - 1) / t_next * (p - q) for p, q in zip(now, past, strict=True)]
            ahead = [p.detach().requires_grad_() for p in ahead]
            value = loss(*ahead)
            gradients = torch.autograd.grad(value, ahead)
            with torch.no_grad():
                past = now
                now = [p - STEP_SIZE * g for p, g in zip(ahead, gradients, strict=True)]
                for p, floor in zip(now, (0.0, 0.0, 1e-6), strict=False):
                    p.clamp_(min=floor)
            t = t_next
            losses.append(value.item())

    return run


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure the job, then the kernel with more and more points."""
    timer = timer.by_processor()
    part = 4 if quick else 1
    steps, few = 4000 // part, 120 // part
    seconds = timer.in_turns(
        {EVERY: kernel(steps, 1), SELDOM: kernel(steps, 100), TORCH: torch_loop(few)}
    )
    work = {EVERY: PAIRS * steps, SELDOM: PAIRS * steps, TORCH: few}
    yield from rates(seconds, work, "steps/s", (EVERY, SELDOM))
    n = 1000 // part
    jobs = {points: kernel(n, 1, points) for points in SIZES}
    yield from by_size(timer, "N", jobs, f"kernel, {n} steps")


BENCHMARK = Benchmark(
    name="piecewise",
    measures="Nesterov steps of residual pairs at 100 points, summed over 20 pairs",
    peers=(TORCH,),
    run=measure,
)
