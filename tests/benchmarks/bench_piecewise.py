"""Speed of the residual pair's kernel beside a plain PyTorch autograd loop, in one run.

Usage: ``OMP_NUM_THREADS=1 uv run python tests/benchmarks/bench_piecewise.py``.

The job: 20 pairs of ten layers, 10,000 Nesterov steps each at N = 100 points, one thread. The
autograd loop goes over seeds and steps; its time for the whole job is that of a few hundred steps
scaled up. ``--points`` shows how both grow with the data.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

PAIRS, STEPS, DEPTH, STEP_SIZE = 20, 10_000, 10, 0.01


def data(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Sample the function of Figure 4."""
    x = np.linspace(0.0, 1.0, points)
    return x, np.interp(x, [0, 0.3, 0.5, 0.7, 1], [0, 0.3, -0.1, 0.1, -0.2])


def biases(seed: int) -> np.ndarray:
    """Draw the biases of a pair, shape (2, L)."""
    return np.random.default_rng(seed).uniform(0.0, 1.0, (2, DEPTH))


def best(function: Callable[[], object], repeats: int) -> float:
    """Shortest wall time of a few calls, after one that compiles."""
    function()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def kernel_seconds(points: int, every: int) -> float:
    """Seconds for the whole job, recording every so many steps."""
    from engine.kernels.residual import descent as residual

    prepared = residual.prepare(*data(points))
    b = np.stack([biases(seed) for seed in range(PAIRS)])
    pairs = residual.start_pairs(np.full(b.shape, 0.1), b, np.ones((PAIRS, 2)), np.zeros(PAIRS))
    rule = residual.Rule(STEP_SIZE)
    return best(lambda: residual.advance(pairs, prepared, rule, STEPS, every), 3)


def torch_seconds(points: int, steps: int) -> float:
    """Seconds for the whole job by autograd, one seed and one step after the other."""
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

    def run() -> list[float]:
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
        return losses

    return best(run, 2) / steps * STEPS * PAIRS


def main() -> None:
    """Measure and print seconds and ratios as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--torch-steps", type=int, default=300)
    options = parser.parse_args()
    seconds = {
        "kernel, every step recorded": kernel_seconds(options.points, 1),
        "kernel, every 100th step recorded": kernel_seconds(options.points, 100),
        "torch autograd loop": torch_seconds(options.points, options.torch_steps),
    }
    slow = seconds["torch autograd loop"]
    ratios = {name: slow / value for name, value in seconds.items() if name.startswith("kernel")}
    job = {"pairs": PAIRS, "steps": STEPS, "points": options.points}
    print(json.dumps({"job": job, "seconds": seconds, "torch / kernel": ratios}, indent=2))


if __name__ == "__main__":
    main()
