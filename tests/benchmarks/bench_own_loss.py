"""Speed of typed losses beside JAX, PyTorch and the hand-written kernel, in one run.

Usage: ``uv run --group bench python tests/benchmarks/bench_own_loss.py [--json] [--jax PYTHON]``,
where ``--jax`` names another environment's Python for JAX.

All make the same steps of gradient descent in double precision on one thread and record the value
at every step; that they make the same run is checked first. They take turns, and what is compared
are medians of processor time per step.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from engine.families.loss.loss import Data, Loss  # noqa: E402
from engine.kernels.jit import kernel  # noqa: E402
from engine.kernels.scalar import descent as scalar  # noqa: E402
from engine.kernels.tape import native  # noqa: E402
from engine.kernels.tape.program import Program, gradient, workspace  # noqa: E402

TURNS = 7
INPUTS = np.linspace(-1.0, 1.0, 20)
TARGETS = np.sin(2.0 * INPUTS)
NET = "sum(w[i]*tanh(w[i + 6]*x + w[i + 12]), i = 1..6) + w19"
STEPS = {"rosenbrock": 20_000, "product": 20_000, "net": 5_000}
RATES = {"rosenbrock": 1e-3, "product": 0.01, "net": 0.05}
STARTS = {
    "rosenbrock": np.array([-1.2, 1.0]),
    "product": 0.9 + 0.01 * np.arange(5),
    "net": np.random.default_rng(0).normal(size=19),
}
EAGER_STEPS = 300


@kernel
def descend(
    program: Program,
    z: np.ndarray,
    constants: np.ndarray,
    rate: float,
    values: np.ndarray,
    slope: np.ndarray,
    work: np.ndarray,
) -> None:
    """Descend and record the value before every step."""
    for k in range(values.size):
        values[k] = gradient(program, z, constants, slope, work)
        for i in range(z.size):
            z[i] -= rate * slope[i]


def losses() -> dict[str, Loss]:
    """Return the losses by name."""
    return {
        "rosenbrock": Loss.of("(1 - x)^2 + 100(y - x^2)^2"),
        "product": Loss.of("0.5*(prod(w[i], i = 1..5) - λ)^2", constants={"lambda": 2.0}),
        "net": Loss.of(NET, data=Data(INPUTS[:, None], TARGETS)),
    }


def ours(loss: Loss, program: Program, name: str, steps: int) -> np.ndarray:
    """Run a typed loss."""
    z, values = STARTS[name].copy(), np.empty(steps)
    descend(program, z, loss.constants, RATES[name], values, np.empty_like(z), workspace(program))
    return values


def eager(name: str, steps: int) -> np.ndarray:
    """Run a plain PyTorch loop: forward, backward, update."""
    import torch

    torch.set_num_threads(1)
    x, y = torch.tensor(INPUTS), torch.tensor(TARGETS)
    functions: dict[str, Callable[[Any], Any]] = {
        "rosenbrock": lambda z: (1 - z[0]) ** 2 + 100 * (z[1] - z[0] ** 2) ** 2,
        "product": lambda z: 0.5 * (z.prod() - 2.0) ** 2,
        "net": lambda z: (
            ((z[:6] @ torch.tanh(z[6:12, None] * x + z[12:18, None]) + z[18] - y) ** 2).mean() / 2
        ),
    }
    z = torch.tensor(STARTS[name], requires_grad=True)
    optimiser = torch.optim.SGD([z], lr=RATES[name])
    values = []
    for _ in range(steps):
        optimiser.zero_grad()
        value = functions[name](z)
        value.backward()
        optimiser.step()
        values.append(value.item())
    return np.array(values)


def written_by_hand(steps: int) -> np.ndarray:
    """Run the scalar product network's kernel, which records the signed error."""
    start, errors = STARTS["product"], np.empty(steps)
    law = scalar.Law(target=2.0, depth=5, step=RATES["product"])
    scalar.errors(start, scalar.Ties.of(start), law, first=0, out=errors)
    return errors


@dataclass
class Jax:
    """JAX in a process of its own, asked line by line; None where there is none."""

    process: subprocess.Popen[str]

    @classmethod
    def start(cls, python: str) -> Jax | None:
        """Start it."""
        command = [python, str(Path(__file__).with_name("own_loss_peers.py"))]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        made = cls(process)
        answer = made.ask({"inputs": INPUTS.tolist(), "targets": TARGETS.tolist()})
        return made if answer else None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask a question and wait for the answer; empty if the process has ended."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            return {}
        line = self.process.stdout.readline()
        return dict(json.loads(line)) if line else {}

    def run(self, name: str) -> dict[str, Any]:
        """Run a problem."""
        question = {"name": name, "steps": STEPS[name], "rate": RATES[name]}
        return self.ask({**question, "start": STARTS[name].tolist()})


def timed(run: Callable[[int], np.ndarray], steps: int) -> float:
    """Return the processor time of a step in nanoseconds."""
    begin = time.process_time()
    run(steps)
    return (time.process_time() - begin) / steps * 1e9


def first_picture(text: str, data: Data | None) -> float:
    """Return the milliseconds from a text to 2,000 recorded steps, kernels being at hand."""
    begin = time.perf_counter()
    loss = Loss.of(text, data=data)
    z = np.full(loss.dimension, 0.3)
    left = 2000
    while left:
        count, program = min(left, 100), loss.program
        slope, work = np.empty_like(z), workspace(program)
        descend(program, z, loss.constants, 1e-4, np.empty(count), slope, work)
        left -= count
    return (time.perf_counter() - begin) * 1e3


def compile_time(loss: Loss) -> float:
    """Return the milliseconds that compiling a tape takes."""
    begin = time.process_time()
    native.Code(loss.expression.tape)
    return (time.process_time() - begin) * 1e3


def contenders(name: str, loss: Loss, jax: Jax | None) -> dict[str, Callable[[], float]]:
    """Return what takes turns at a problem, each giving its nanoseconds per step."""
    steps, program = STEPS[name], loss.compiled()
    made = {
        "typed": lambda: timed(lambda n: ours(loss, program, name, n), steps),
        "interpreted": lambda: timed(lambda n: ours(loss, loss.interpreted, name, n), 1000),
        "PyTorch": lambda: timed(lambda n: eager(name, n), EAGER_STEPS),
    }
    if name == "product":
        made["by hand"] = lambda: timed(written_by_hand, steps)
    if jax is not None:
        made["JAX"] = lambda: float(jax.run(name)["ns"])
    return made


def check(name: str, loss: Loss, jax: Jax | None) -> None:
    """Check that all make the same run."""
    run = ours(loss, loss.compiled(), name, EAGER_STEPS)
    np.testing.assert_allclose(eager(name, EAGER_STEPS), run, rtol=1e-9)
    np.testing.assert_array_equal(ours(loss, loss.interpreted, name, EAGER_STEPS), run)
    if name == "product":
        errors = np.sqrt(2.0 * run[1:])
        np.testing.assert_allclose(np.abs(written_by_hand(EAGER_STEPS)[:-1]), errors, atol=1e-12)
    if jax is not None:
        last = ours(loss, loss.compiled(), name, STEPS[name])[-1]
        np.testing.assert_allclose(jax.run(name)["last"], last, rtol=1e-6, atol=1e-12)


def measure(python: str) -> dict[str, dict[str, float]]:
    """Measure all contenders in turns; nanoseconds per step, medians."""
    jax, made = Jax.start(python), {}
    for name, loss in losses().items():
        check(name, loss, jax)
        times: dict[str, list[float]] = {}
        for _ in range(TURNS):
            for each, contender in contenders(name, loss, jax).items():
                times.setdefault(each, []).append(contender())
        made[name] = {each: median(values) for each, values in times.items()}
        made[name]["compiling, ms"] = median(compile_time(loss) for _ in range(3))
    changed = "(2 - x)^2 + 100(y - x^2)^2 + x*y"
    made["rosenbrock"]["first picture, ms"] = first_picture(changed, None)
    data = Data(INPUTS[:, None], TARGETS)
    made["net"]["first picture, ms"] = first_picture(NET + " + 0*w1", data)
    return made


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the times as JSON")
    parser.add_argument("--jax", default=sys.executable, help="Python that has JAX")
    options = parser.parse_args()
    made = measure(options.jax)
    if options.json:
        print(json.dumps(made, indent=2))
        return
    for name, times in made.items():
        print(name)
        for each, value in times.items():
            unit = "" if "ms" in each else f" ns a step, {value / times['typed']:.2f} x typed"
            print(f"  {each:20} {value:10.1f}{unit}")


if __name__ == "__main__":
    main()
