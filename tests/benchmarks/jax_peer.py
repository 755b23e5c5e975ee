"""JAX in a process of its own, which makes steps when asked to.

XLA fixes the number of its threads when it is loaded, so each peer is a process. It reads a number
of steps from a line of its input and answers with the seconds that they took: of the processor
where one thread works, else of the wall.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SCALAR_TARGET, SCALAR_DEPTH = 2.0, 20
MATRIX_STEP = 0.01
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


def is_there() -> bool:
    """Return whether JAX is installed."""
    return importlib.util.find_spec("jax") is not None


class JaxPeer:
    """A process that makes steps of a job with JAX; to be closed.

    Parameters
    ----------
    job : str
        Key of `JOBS`.
    one_thread : bool
        Keep it to one thread on one core.
    """

    def __init__(self, job: str, *, one_thread: bool = True) -> None:
        environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
        if one_thread:
            environment["XLA_FLAGS"] = ONE_THREAD
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.jax_peer", job, "1" if one_thread else "0"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> JaxPeer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def seconds(self, steps: int) -> float:
        """Return the seconds that some steps take."""
        assert self._process.stdin is not None and self._process.stdout is not None
        print(steps, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())


def scalar() -> Callable[[int], Any]:
    """Return a jitted scan over steps on a product of scalars, each error recorded."""
    import jax
    import jax.numpy as jnp

    from tests.benchmarks.bench_scalar import START, STEP_SIZE

    gradient = jax.grad(lambda w: 0.5 * (jnp.prod(w) - SCALAR_TARGET) ** 2)

    def scan(start: Any, n: int) -> Any:
        def step(w: Any, _: None) -> tuple[Any, Any]:
            w = w - STEP_SIZE * gradient(w)
            return w, jnp.prod(w) - SCALAR_TARGET

        return jax.lax.scan(step, start, None, length=n)[1]

    compiled, start = jax.jit(scan, static_argnums=1), jnp.asarray(START)
    return lambda n: jax.block_until_ready(compiled(start, n))


def matrix(batch: int) -> Callable[[int], Any]:
    """Return a jitted scan over steps on products of matrices, a batch of targets by vmap."""
    import jax
    import jax.numpy as jnp

    from tests.benchmarks.bench_matrix import DEPTH, SIZE, target

    def loss(weights: Any, r: Any) -> Any:
        product = weights[0]
        for i in range(1, DEPTH):
            product = weights[i] @ product
        return 0.5 * jnp.sum((product - r) ** 2)

    def descend(r: Any, n: int) -> Any:
        def step(weights: Any, _: None) -> tuple[Any, Any]:
            value, gradient = jax.value_and_grad(loss)(weights, r)
            return weights - MATRIX_STEP * gradient, value

        start = jnp.tile(jnp.eye(SIZE), (DEPTH, 1, 1))
        return jax.lax.scan(step, start, None, length=n)

    made = jax.vmap(descend, in_axes=(0, None)) if batch > 1 else descend
    compiled = jax.jit(made, static_argnums=1)
    targets = jnp.asarray(np.stack([target(seed) for seed in range(batch)]))
    given = targets if batch > 1 else targets[0]
    return lambda n: jax.block_until_ready(compiled(given, n))


def own_loss(problem: str, everything: bool = False) -> Callable[[int], Any]:
    """Return a jitted scan over steps on a typed loss, each value recorded.

    With `everything` weights, gradient norm, step size and length of the step are recorded, too,
    as a run records them.
    """
    import jax
    import jax.numpy as jnp

    from tests.benchmarks.bench_own_loss import INPUTS, LAMBDA, RATES, STARTS, TARGETS

    x, y = jnp.asarray(INPUTS), jnp.asarray(TARGETS)

    def net(z: Any) -> Any:
        hidden = jnp.tanh(z[6:12, None] * x + z[12:18, None])
        return jnp.mean((z[:6] @ hidden + z[18] - y) ** 2) / 2

    functions: dict[str, Callable[[Any], Any]] = {
        "Rosenbrock": lambda z: (1 - z[0]) ** 2 + 100 * (z[1] - z[0] ** 2) ** 2,
        "product": lambda z: 0.5 * (jnp.prod(z) - LAMBDA) ** 2,
        "net": net,
    }
    gradient = jax.value_and_grad(functions[problem])

    def scan(start: Any, n: int) -> Any:
        def step(z: Any, _: None) -> tuple[Any, Any]:
            value, slope = gradient(z)
            return z - RATES[problem] * slope, value

        return jax.lax.scan(step, start, None, length=n)[1]

    def recorded(start: Any, n: int) -> Any:
        rate = jnp.asarray(RATES[problem])

        def step(state: tuple[Any, Any], _: None) -> tuple[Any, Any]:
            z, slope = state
            new = z - rate * slope
            value, after = gradient(new)
            norms = jnp.linalg.norm(after), jnp.linalg.norm(new - z)
            return (new, after), (new, value, rate, *norms)

        begun = (start, gradient(start)[1])
        return jax.lax.scan(step, begun, None, length=n)[1]

    made = recorded if everything else scan
    compiled, start = jax.jit(made, static_argnums=1), jnp.asarray(STARTS[problem])
    return lambda n: jax.block_until_ready(compiled(start, n))


def basins() -> Callable[[int], Any]:
    """Return a jitted loop from one start until it is decided, mapped over a square grid."""
    import jax
    import jax.numpy as jnp

    from tests.benchmarks.bench_maps import FAR, MOST, NEAR, PENALTY, STEP, TARGET, starts

    def loss(z: Any) -> Any:
        return 0.5 * (z[0] * z[1] - TARGET) ** 2 + 0.5 * PENALTY * (z[0] ** 2 + z[1] ** 2)

    gradient = jax.grad(loss)

    def is_open(carried: Any) -> Any:
        k, z, slope = carried
        small = jnp.max(jnp.abs(slope)) > NEAR
        return (k < MOST) & small & (jnp.max(jnp.abs(z)) < FAR)

    def step(carried: Any) -> Any:
        k, z, slope = carried
        z = z - STEP * slope
        return k + 1, z, gradient(z)

    def follow(z: Any) -> Any:
        return jax.lax.while_loop(is_open, step, (0, z, gradient(z)))[:2]

    compiled, grids = jax.jit(jax.vmap(follow)), {}

    def steps(side: int) -> Any:
        if side not in grids:
            grids[side] = jnp.stack([jnp.asarray(each).ravel() for each in starts(side)], axis=1)
        return jax.block_until_ready(compiled(grids[side]))

    return steps


JOBS: dict[str, Callable[[], Callable[[int], Any]]] = {
    "scalar": scalar,
    "matrix": lambda: matrix(1),
    "matrices": lambda: matrix(64),
    "Rosenbrock": lambda: own_loss("Rosenbrock"),
    "product": lambda: own_loss("product"),
    "net": lambda: own_loss("net"),
    "Rosenbrock, all recorded": lambda: own_loss("Rosenbrock", everything=True),
    "product, all recorded": lambda: own_loss("product", everything=True),
    "net, all recorded": lambda: own_loss("net", everything=True),
    "basins": basins,
}


def main(job: str, one_thread: str) -> None:
    """Answer until the input ends."""
    if one_thread == "1" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import jax

    jax.config.update("jax_enable_x64", True)
    steps = JOBS[job]()
    clock = time.process_time if one_thread == "1" else time.perf_counter
    for line in sys.stdin:
        begin = clock()
        steps(int(line))
        print(clock() - begin, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
