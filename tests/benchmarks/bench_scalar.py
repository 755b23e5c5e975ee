"""Speed of the scalar kernel beside JAX, NumPy and PyTorch.

Every contender makes the same steps of gradient descent on the product of L = 20 scalar weights,
all different, in double precision, on one thread, and records the signed error of every step. That
they make the same run is checked first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from engine import theory
from engine.kernels.scalar import descent as scalar
from tests.benchmarks import jax_peer
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.machine import BLAS, blas_flops, blas_product
from tests.benchmarks.timing import Measurement, Timer, by_size, median_ratio, rates

DEPTH, TARGET = 20, 2.0
STEP_SIZE = 0.6 * theory.delta_max(TARGET, DEPTH)
START = np.random.default_rng(0).uniform(0.9, 1.1, DEPTH)
CHECKED = 300
FLOPS = 5 * DEPTH
"""Of a step: products from the left and from the right, and the update."""
DEPTHS = (5, 10, 20, 40, 80)

OURS = {
    "kernel": 300_000,
    "kernel, from all ones": 300_000,
    "kernel, all in buckets of 1000": 200_000,
    "kernel, all at every step": 20_000,
}
PEERS = {
    "JAX, jitted scan": 50_000,
    "NumPy": 2_000,
    "PyTorch, autograd.grad": 400,
    "PyTorch, backward and SGD": 400,
}


def kernel(n: int, start: np.ndarray = START) -> np.ndarray:
    """Run the lean kernel."""
    errors = np.empty(n)
    step = 0.6 * theory.delta_max(TARGET, len(start))
    law = scalar.Law(target=TARGET, depth=len(start), step=step)
    scalar.errors(start, scalar.Ties.of(start), law, first=0, out=errors)
    return errors


def recorder(n: int, stride: int = 1) -> np.ndarray:
    """Run the kernel that records every quantity, as the program does."""
    still, ties = np.zeros(DEPTH), scalar.Ties.of(START)
    law = scalar.Law(target=TARGET, depth=DEPTH, step=STEP_SIZE)
    made = scalar.advance(START, still, ties, law, first=0, n=n, stride=stride, every=64)
    return made.low["error"]


def numpy_loop(n: int) -> np.ndarray:
    """Run NumPy with prefix and suffix products."""
    w, errors = START.copy(), np.empty(n)
    prefix, suffix = np.ones(DEPTH), np.ones(DEPTH)
    for k in range(-1, n):
        np.cumprod(w[:-1], out=prefix[1:])
        error = prefix[-1] * w[-1] - TARGET
        if k >= 0:
            errors[k] = error
        suffix[:-1] = np.cumprod(w[:0:-1])[::-1]
        w -= STEP_SIZE * error * prefix * suffix
    return errors


def torch_loop(n: int) -> np.ndarray:
    """Run a plain PyTorch loop: forward, backward, update."""
    import torch

    torch.set_num_threads(1)
    w = torch.tensor(START, requires_grad=True)
    optimiser = torch.optim.SGD([w], lr=STEP_SIZE)
    errors = []
    for _ in range(n + 1):
        optimiser.zero_grad()
        error = w.prod() - TARGET
        (0.5 * error**2).backward()
        optimiser.step()
        errors.append(error.item())
    return np.array(errors[1:])


def torch_bare(n: int) -> np.ndarray:
    """Run PyTorch's autograd without an optimiser object, the least it can do."""
    import torch

    torch.set_num_threads(1)
    w = torch.tensor(START, requires_grad=True)
    errors = []
    for _ in range(n + 1):
        error = w.prod() - TARGET
        (gradient,) = torch.autograd.grad(0.5 * error**2, w)
        with torch.no_grad():
            w -= STEP_SIZE * gradient
        errors.append(error.item())
    return np.array(errors[1:])


def check() -> None:
    """Make sure that all make the same run."""
    expected = kernel(CHECKED)
    for run in (recorder, numpy_loop, torch_bare, torch_loop):
        np.testing.assert_allclose(run(CHECKED), expected, rtol=0, atol=1e-11)


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure all contenders in turns, and the kernel at several depths."""
    check()
    timer = timer.by_processor()
    runs: dict[str, Callable[[int], object]] = {
        "kernel": kernel,
        "kernel, from all ones": lambda n: kernel(n, np.ones(DEPTH)),
        "kernel, all in buckets of 1000": lambda n: recorder(n, 1000),
        "kernel, all at every step": recorder,
        "NumPy": numpy_loop,
        "PyTorch, autograd.grad": torch_bare,
        "PyTorch, backward and SGD": torch_loop,
    }
    work = {name: n // (3 if quick else 1) for name, n in (OURS | PEERS).items()}
    with ExitStack() as stack:
        contenders = {name: lambda r=run, n=work[name]: _none(r(n)) for name, run in runs.items()}
        if jax_peer.is_there():
            peer, steps = stack.enter_context(jax_peer.JaxPeer("scalar")), work["JAX, jitted scan"]
            contenders["JAX, jitted scan"] = lambda: peer.seconds(steps)
        seconds = timer.in_turns({**contenders, BLAS: blas_product})
    of_blas = median_ratio(
        [work["kernel"] * FLOPS / spent for spent in seconds["kernel"]],
        [blas_flops() / spent for spent in seconds.pop(BLAS)],
    )
    first, *others = rates(seconds, work, "steps/s", tuple(OURS))
    yield replace(first, of_limit=of_blas, limit=BLAS)
    yield from others
    n = 20_000 if quick else 100_000
    starts = {depth: np.random.default_rng(0).uniform(0.9, 1.1, depth) for depth in DEPTHS}
    jobs = {depth: lambda s=start: _none(kernel(n, s)) for depth, start in starts.items()}
    yield from by_size(timer, "L", jobs, f"kernel, {n:,} steps")


def _none(_: object) -> None:
    """Leave the time to the timer."""


BENCHMARK = Benchmark(
    name="scalar",
    measures="steps of the product of 20 scalar weights, the error of each recorded",
    peers=tuple(PEERS),
    run=measure,
)
