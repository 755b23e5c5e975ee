"""Speed of the scalar kernel beside PyTorch, JAX and NumPy, in one run on this machine.

Usage: ``uv run --group bench python tests/benchmarks/bench_scalar.py [--json]``.

Every contender makes the same steps of gradient descent on the product of L = 20 scalar weights,
all different, in double precision, on one thread, and records the signed error of every step. That
they make the same run is checked first. Times are the shortest of several calls in processor time
of the whole process, so that other programs on the machine count as little as can be.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np  # noqa: E402

from engine import theory  # noqa: E402
from engine.kernels.scalar import descent as scalar  # noqa: E402

DEPTH, TARGET = 20, 2.0
STEP_SIZE = 0.6 * theory.delta_max(TARGET, DEPTH)
START = np.random.default_rng(0).uniform(0.9, 1.1, DEPTH)
CHECKED = 300


def steps_per_second(run: Callable[[int], object], n: int) -> float:
    """Best of several calls after one that compiles."""
    run(n)
    times = []
    for _ in range(9):
        begin = time.process_time()
        run(n)
        times.append(time.process_time() - begin)
    return n / min(times)


def law() -> scalar.Law:
    """The law of motion of all contenders."""
    return scalar.Law(target=TARGET, depth=DEPTH, step=STEP_SIZE)


def kernel(n: int, start: np.ndarray = START) -> np.ndarray:
    """Run the lean kernel."""
    errors = np.empty(n)
    scalar.errors(start, scalar.Ties.of(start), law(), first=0, out=errors)
    return errors


def kernel_tied(n: int) -> np.ndarray:
    """Run the lean kernel from all ones, whose equal weights are kept equal to the last bit."""
    return kernel(n, np.ones(DEPTH))


def recorder(n: int, stride: int = 1) -> np.ndarray:
    """Run the kernel that records every quantity, as the program does."""
    still, ties = np.zeros(DEPTH), scalar.Ties.of(START)
    made = scalar.advance(START, still, ties, law(), first=0, n=n, stride=stride, every=64)
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


def jax_scan() -> Callable[[int], np.ndarray]:
    """Make a jitted scan over steps of `jax.grad`."""
    from functools import partial

    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    gradient = jax.grad(lambda w: 0.5 * (jnp.prod(w) - TARGET) ** 2)

    @partial(jax.jit, static_argnums=1)
    def scan(start: jax.Array, n: int) -> jax.Array:
        def step(w: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
            w = w - STEP_SIZE * gradient(w)
            return w, jnp.prod(w) - TARGET

        return jax.lax.scan(step, start, None, length=n)[1]

    start = jnp.asarray(START)
    return lambda n: np.asarray(scan(start, n).block_until_ready())


def main() -> None:
    """Check that all make the same run, time them, print rates and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the rates as JSON")
    as_json = parser.parse_args().json
    scan = jax_scan()
    contenders: dict[str, tuple[Callable[[int], object], int]] = {
        "kernel, every error": (kernel, 300_000),
        "kernel, every error, from all ones": (kernel_tied, 300_000),
        "kernel, everything in buckets of 1000": (lambda n: recorder(n, 1000), 200_000),
        "kernel, everything at every step": (recorder, 20_000),
        "JAX, jitted scan": (scan, 100_000),
        "NumPy": (numpy_loop, 3_000),
        "PyTorch, autograd.grad": (torch_bare, 500),
        "PyTorch, backward and SGD": (torch_loop, 500),
    }
    expected = kernel(CHECKED)
    for run in (recorder, scan, numpy_loop, torch_bare, torch_loop):
        np.testing.assert_allclose(run(CHECKED), expected, rtol=0, atol=1e-11)
    rates = {name: steps_per_second(run, n) for name, (run, n) in contenders.items()}
    if as_json:
        print(json.dumps(rates, indent=2))
        return
    reference = rates["kernel, every error"]
    print(f"L = {DEPTH}, one thread, the error of every step recorded")
    for name, rate in rates.items():
        print(f"{name:40s} {rate:15,.0f} steps/s   the kernel is {reference / rate:8.1f} x")


if __name__ == "__main__":
    main()
