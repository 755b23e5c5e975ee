"""JAX's part of `bench_own_loss`, in an environment of its own: one line in, one line out.

Each line of the input names a problem and a number of steps; the answer is the processor time per
step in nanoseconds, and the last value, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


def functions(inputs: list[float], targets: list[float]) -> dict[str, Callable[[Any], Any]]:
    """Return the losses by name."""
    x, y = jnp.array(inputs), jnp.array(targets)

    def net(z: Any) -> Any:
        hidden = jnp.tanh(z[6:12, None] * x + z[12:18, None])
        return jnp.mean((z[:6] @ hidden + z[18] - y) ** 2) / 2

    return {
        "rosenbrock": lambda z: (1 - z[0]) ** 2 + 100 * (z[1] - z[0] ** 2) ** 2,
        "product": lambda z: 0.5 * (jnp.prod(z) - 2.0) ** 2,
        "net": net,
    }


def scan(function: Callable[[Any], Any], rate: float, steps: int) -> Callable[[Any], Any]:
    """Make a jitted scan over steps of gradient descent that records the value at every one."""
    gradient = jax.value_and_grad(function)

    def step(z: Any, _: None) -> tuple[Any, Any]:
        value, slope = gradient(z)
        return z - rate * slope, value

    return jax.jit(lambda z: jax.lax.scan(step, z, None, length=steps)[1])


def main() -> None:
    """Answer line by line."""
    made: dict[tuple[str, int], tuple[Callable[[Any], Any], Any]] = {}
    first = json.loads(sys.stdin.readline())
    known = functions(first["inputs"], first["targets"])
    print(json.dumps({"jax": jax.__version__}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        key = asked["name"], asked["steps"]
        if key not in made:
            run = scan(known[asked["name"]], asked["rate"], asked["steps"])
            start = jnp.array(asked["start"])
            run(start).block_until_ready()
            made[key] = run, start
        run, start = made[key]
        begin = time.process_time()
        values = run(start).block_until_ready()
        spent = time.process_time() - begin
        answer = {"ns": spent / asked["steps"] * 1e9, "last": float(values[-1])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
