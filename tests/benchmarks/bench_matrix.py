"""Speed of the matrix kernel beside PyTorch, JAX and the BLAS, in one run on this machine.

Usage: ``OMP_NUM_THREADS=1 uv run --group bench python tests/benchmarks/bench_matrix.py``.

Every contender makes the same steps of gradient descent on the same product of L = 20 matrices
of 20 x 20 in double precision, and records the error of every step. JAX runs in processes of its
own, because the number of its threads is fixed at its start.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

SIZE, DEPTH, STEP_SIZE, SEEDS = 20, 20, 0.01, 64
FLOPS = 2 * SIZE**3 * 3 * (DEPTH - 1)


def target(seed: int) -> np.ndarray:
    """Make a symmetric R with eigenvalues in [0.2, 1.5]."""
    generator = np.random.default_rng(seed)
    basis = np.linalg.qr(generator.standard_normal((SIZE, SIZE)))[0]
    return (basis * generator.uniform(0.2, 1.5, SIZE)) @ basis.T


def best(function: Callable[[], object], repeats: int = 5) -> float:
    """Shortest wall time of a few calls, after one that compiles."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def kernel_steps(steps: int = 2000) -> float:
    """Steps per second of the kernel, one thread."""
    from engine.kernels.matrix.descent import descend
    from engine.kernels.matrix.padding import padded

    weights = padded(np.tile(np.eye(SIZE), (1, DEPTH, 1, 1)))
    moment, r = padded(np.eye(SIZE)), padded(target(0))
    return steps / best(lambda: descend(weights, weights, r, moment, steps, STEP_SIZE))


def kernel_ensemble(steps: int = 200) -> float:
    """Steps per second, summed over 64 seeds on two threads."""
    from engine.kernels.matrix.descent import descend
    from engine.kernels.matrix.padding import padded

    weights = padded(np.tile(np.eye(SIZE), (1, DEPTH, 1, 1)))
    moment = padded(np.eye(SIZE))
    targets = [padded(target(seed)) for seed in range(SEEDS)]
    with ThreadPoolExecutor(2) as pool:

        def run() -> None:
            list(
                pool.map(lambda r: descend(weights, weights, r, moment, steps, STEP_SIZE), targets)
            )

        return SEEDS * steps / best(run, 3)


def torch_steps(steps: int = 200) -> float:
    """Steps per second of a plain autograd loop in PyTorch, one thread."""
    import torch

    torch.set_num_threads(1)
    r = torch.from_numpy(target(0))

    def run() -> list[float]:
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
        return errors

    return steps / best(run, 3)


def jax_steps(batch: int, steps: int) -> float:
    """Steps per second of a jitted JAX scan, summed over a batch of seeds by vmap."""
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    def loss(weights: jax.Array, r: jax.Array) -> jax.Array:
        product = weights[0]
        for i in range(1, DEPTH):
            product = weights[i] @ product
        return 0.5 * jnp.sum((product - r) ** 2)

    def descend(r: jax.Array) -> tuple[jax.Array, jax.Array]:
        def step(weights: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
            value, gradient = jax.value_and_grad(loss)(weights, r)
            return weights - STEP_SIZE * gradient, value

        start = jnp.tile(jnp.eye(SIZE), (DEPTH, 1, 1))
        return jax.lax.scan(step, start, None, length=steps)

    targets = jnp.asarray(np.stack([target(seed) for seed in range(batch)]))
    compiled = jax.jit(jax.vmap(descend) if batch > 1 else descend)
    given = targets if batch > 1 else targets[0]
    return batch * steps / best(lambda: jax.block_until_ready(compiled(given)), 3)


def blas_steps() -> float:
    """Steps per second if the step's products ran at the speed of one large BLAS product."""
    a = np.random.default_rng(0).standard_normal((400, 400))
    out = np.empty_like(a)
    rate = 2 * 400**3 / best(lambda: np.dot(a, a, out=out), 9)
    return rate / FLOPS


def in_process(job: str, flags: str, threads: int) -> float:
    """Run one job in a process of its own and read the number that it prints."""
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, __file__, "--job", job]
    if threads == 1 and sys.platform == "linux":
        command = ["taskset", "-c", "0", *command]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    """Measure all contenders and print rates and ratios as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", choices=("jax-one", "jax-batch"))
    job = parser.parse_args().job
    if job == "jax-one":
        print(jax_steps(1, 1000))
        return
    if job == "jax-batch":
        print(jax_steps(SEEDS, 100))
        return
    rates = {
        "kernel": kernel_steps(),
        "blas_limit": blas_steps(),
        "torch_loop": torch_steps(),
        "jax_scan": in_process("jax-one", "--xla_cpu_multi_thread_eigen=false", 1),
        "kernel_64_two_threads": kernel_ensemble(),
        "jax_vmap_64": in_process("jax-batch", "", 2),
    }
    rates["kernel_again"] = kernel_steps()
    single = max(rates["kernel"], rates["kernel_again"])
    ratios = {
        "kernel / torch loop": single / rates["torch_loop"],
        "kernel / jax scan": single / rates["jax_scan"],
        "kernel / blas limit": single / rates["blas_limit"],
        "ensemble / jax vmap": rates["kernel_64_two_threads"] / rates["jax_vmap_64"],
    }
    print(json.dumps({"steps_per_second": rates, "ratios": ratios}, indent=2))


if __name__ == "__main__":
    main()
