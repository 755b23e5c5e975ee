"""Speed of the matrix kernel beside PyTorch, JAX and the BLAS.

Every contender makes the same steps of gradient descent on the same product of L = 20 matrices
of 20 x 20 in double precision, and records the error of every step. Ensembles of 64 targets run on
two threads, and as one batch in JAX on all of its threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from engine.kernels.matrix.descent import descend
from engine.kernels.matrix.padding import padded
from tests.benchmarks import jax_peer
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.machine import BLAS, blas_flops, blas_product
from tests.benchmarks.timing import Measurement, Timer, by_size, median_ratio, rates

SIZE, DEPTH, STEP_SIZE, SEEDS = 20, 20, 0.01, 64
FLOPS = 2 * SIZE**3 * 3 * (DEPTH - 1)
SIZES, DEPTHS = (4, 8, 16, 32, 64), (5, 10, 20, 40)
KERNEL, ENSEMBLE = "kernel", "kernel, 64 targets on two threads"
TORCH, SCAN, BATCH = "PyTorch, autograd.grad", "JAX, jitted scan", "JAX, 64 targets by vmap"


def target(seed: int, size: int = SIZE) -> np.ndarray:
    """Make a symmetric R with eigenvalues in [0.2, 1.5]."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((size, size)))[0]
    return (basis * generator.uniform(0.2, 1.5, size)) @ basis.T


def kernel(steps: int, size: int = SIZE, depth: int = DEPTH) -> Callable[[], None]:
    """Return what makes steps by the kernel on one thread."""
    weights = padded(np.tile(np.eye(size), (1, depth, 1, 1)))
    moment, r = padded(np.eye(size)), padded(target(0, size))

    def run() -> None:
        descend(weights, weights, r, moment, steps, STEP_SIZE)

    return run


def ensemble(steps: int, pool: ThreadPoolExecutor) -> Callable[[], None]:
    """Return what makes steps for each of 64 targets on the threads of a pool."""
    weights = padded(np.tile(np.eye(SIZE), (1, DEPTH, 1, 1)))
    moment, targets = padded(np.eye(SIZE)), [padded(target(seed)) for seed in range(SEEDS)]

    def run() -> None:
        list(pool.map(lambda r: descend(weights, weights, r, moment, steps, STEP_SIZE), targets))

    return run


def torch_loop(steps: int) -> Callable[[], None]:
    """Return a plain autograd loop in PyTorch, on one thread."""
    import torch

    torch.set_num_threads(1)
    r = torch.from_numpy(target(0))

    def run() -> None:
        weights = [torch.eye(SIZE, dtype=torch.float64, requires_grad=True) for _ in range(DEPTH)]
        errors = []
        for _ in range(steps):
            product = weights[0]
            for w in weights[1:]:
                product = w @ product
            loss = 0.5 * ((product - r) ** 2).sum()
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for w, g in zip(weights, gradients, strict=True):
                    w -= STEP_SIZE * g
            errors.append(loss.item())

    return run


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure one run, then ensembles, then the kernel at several sizes and depths."""
    part = 4 if quick else 1
    alone = timer.by_processor()
    yield from _single(alone, {KERNEL: 1600 // part, TORCH: 160 // part, SCAN: 800 // part})
    yield from _ensembles(timer, 80 // part)
    n = 400 // part
    yield from by_size(alone, "n", {s: kernel(n, size=s) for s in SIZES}, f"kernel, {n} steps")
    yield from by_size(alone, "L", {d: kernel(n, depth=d) for d in DEPTHS}, f"kernel, {n} steps")


def _single(timer: Timer, work: dict[str, int]) -> Iterator[Measurement]:
    contenders = {KERNEL: kernel(work[KERNEL]), TORCH: torch_loop(work[TORCH])}
    with ExitStack() as stack:
        if jax_peer.is_there():
            peer = stack.enter_context(jax_peer.JaxPeer("matrix"))
            contenders[SCAN] = lambda: peer.seconds(work[SCAN])
        seconds = timer.in_turns({**contenders, BLAS: blas_product})
    of_blas = median_ratio(
        [work[KERNEL] * FLOPS / spent for spent in seconds[KERNEL]],
        [blas_flops() / spent for spent in seconds.pop(BLAS)],
    )
    first, *others = rates(seconds, work, "steps/s", (KERNEL,))
    yield replace(first, of_limit=of_blas, limit=BLAS)
    yield from others


def _ensembles(timer: Timer, steps: int) -> Iterator[Measurement]:
    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:
        contenders = {ENSEMBLE: ensemble(steps, pool)}
        if jax_peer.is_there():
            peer = stack.enter_context(jax_peer.JaxPeer("matrices", one_thread=False))
            contenders[BATCH] = lambda: peer.seconds(steps)
        seconds = timer.in_turns(contenders)
    work = dict.fromkeys(seconds, SEEDS * steps)
    yield from rates(seconds, work, "steps/s", (ENSEMBLE,))


BENCHMARK = Benchmark(
    name="matrix",
    measures="steps of the product of 20 matrices of 20 x 20",
    peers=(TORCH, SCAN, BATCH),
    run=measure,
)
