"""Speed of typed losses beside JAX, PyTorch and the kernel that is written by hand.

Every contender makes the same steps of gradient descent in double precision, on one thread, and
records the value at every step: on Rosenbrock's function, on ½(∏w - λ)² with five weights, and on
a 1-6-1 tanh net of 19 parameters over 20 points. That they make the same run is checked first.
"All recorded" is what a run of the program records: weights, value, norm of the gradient, step size
and length of the step.

A step on Rosenbrock's function is a chain of seven operations: x², y - x², times 200, times 2x,
2(x - 1) minus that, times δ, x minus that. That is 28 cycles where a product and a sum take 4 each,
and no program that rounds after each of them makes a step in less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from engine.families.loss.loss import Data, Loss
from engine.kernels.jit import kernel
from engine.kernels.optimisers import code as step_code
from engine.kernels.optimisers.code import StepCode
from engine.kernels.optimisers.descent import Recording
from engine.kernels.optimisers.descent import descend as descend_recorded
from engine.kernels.scalar import descent as scalar
from engine.kernels.tape import native
from engine.kernels.tape.program import Program, gradient, workspace
from engine.theory.optimisers import Setting
from tests.benchmarks import jax_peer
from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, rates

INPUTS = np.linspace(-1.0, 1.0, 20)
TARGETS = np.sin(2.0 * INPUTS)
LAMBDA = 2.0
TEXTS = {
    "Rosenbrock": "(1 - x)^2 + 100(y - x^2)^2",
    "product": "0.5*(prod(w[i], i = 1..5) - λ)^2",
    "net": "sum(w[i]*tanh(w[i + 6]*x + w[i + 12]), i = 1..6) + w19",
}
WINDOW = {"Himmelblau": "(x^2 + y - 11)^2 + (x + y^2 - 7)^2", **TEXTS}
RATES = {"Himmelblau": 0.01, "Rosenbrock": 1e-3, "product": 0.01, "net": 0.05}
STARTS = {
    "Himmelblau": np.zeros(2),
    "Rosenbrock": np.array([-1.2, 1.0]),
    "product": 0.9 + 0.01 * np.arange(5),
    "net": np.random.default_rng(0).normal(size=19),
}
STEPS = {"Rosenbrock": 100_000, "product": 100_000, "net": 10_000}
FEW = 1_000
EAGER = 300
FIRST = 2_000
"""Steps until the first picture."""


def loss(problem: str) -> Loss:
    """Return the typed loss of a problem."""
    data = Data(INPUTS[:, None], TARGETS) if problem == "net" else None
    return Loss.of(TEXTS[problem], constants={"lambda": LAMBDA}, data=data)


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


def typed(problem: str, made: Loss, program: Program, steps: int) -> np.ndarray:
    """Run a typed loss."""
    z, values = STARTS[problem].copy(), np.empty(steps)
    slope, work = np.empty_like(z), workspace(program)
    descend(program, z, made.constants, RATES[problem], values, slope, work)
    return values


def recorded(problem: str, made: Loss, code: StepCode, steps: int) -> Recording:
    """Run a typed loss as the program does, with everything that is recorded."""
    z, setting = STARTS[problem], Setting(step_size=RATES[problem])
    moments, program = np.zeros((2, z.size)), made.compiled()
    return descend_recorded(
        program, made.constants, z, moments, setting, first=0, n=steps, code=code
    )


def by_hand(steps: int) -> np.ndarray:
    """Run the kernel of the scalar product network, which records the signed error."""
    start, errors = STARTS["product"], np.empty(steps)
    law = scalar.Law(target=LAMBDA, depth=5, step=RATES["product"])
    scalar.errors(start, scalar.Ties.of(start), law, first=0, out=errors)
    return errors


def eager(problem: str, steps: int) -> np.ndarray:
    """Run a plain PyTorch loop: forward, backward, update."""
    import torch

    torch.set_num_threads(1)
    x, y = torch.tensor(INPUTS), torch.tensor(TARGETS)

    def net(z: Any) -> Any:
        hidden = torch.tanh(z[6:12, None] * x + z[12:18, None])
        return ((z[:6] @ hidden + z[18] - y) ** 2).mean() / 2

    functions: dict[str, Callable[[Any], Any]] = {
        "Rosenbrock": lambda z: (1 - z[0]) ** 2 + 100 * (z[1] - z[0] ** 2) ** 2,
        "product": lambda z: 0.5 * (z.prod() - LAMBDA) ** 2,
        "net": net,
    }
    z = torch.tensor(STARTS[problem], requires_grad=True)
    optimiser = torch.optim.SGD([z], lr=RATES[problem])
    values = []
    for _ in range(steps):
        optimiser.zero_grad()
        value = functions[problem](z)
        value.backward()
        optimiser.step()
        values.append(value.item())
    return np.array(values)


def steps_of(problem: str, made: Loss) -> StepCode:
    """Compile the steps of gradient descent."""
    code = step_code.compiled(made.expression.tape, Setting(step_size=RATES[problem]))
    assert code is not None
    return code


def check(problem: str, made: Loss) -> None:
    """Make sure that all make the same run, and the interpreter to the last bit."""
    run = typed(problem, made, made.compiled(), EAGER)
    np.testing.assert_array_equal(typed(problem, made, made.interpreted, EAGER), run)
    np.testing.assert_allclose(eager(problem, EAGER), run, rtol=1e-9)
    all_of_it = recorded(problem, made, steps_of(problem, made), EAGER - 1)
    np.testing.assert_array_equal(all_of_it.low["loss"], run[1:])
    if problem == "product":
        errors = np.abs(by_hand(EAGER))[:-1]
        np.testing.assert_allclose(errors, np.sqrt(2.0 * run[1:]), rtol=0, atol=1e-12)


def first_picture(problem: str) -> Callable[[], float]:
    """Return the seconds from a text that was never compiled to `FIRST` recorded steps."""
    asked = 0

    def measured() -> float:
        nonlocal asked
        asked += 1
        extra = "+ 0.001*w1" * asked if problem != "Rosenbrock" else "+ 0.001*x" * asked
        begin = time.perf_counter()
        data = Data(INPUTS[:, None], TARGETS) if problem == "net" else None
        made = Loss.of(TEXTS[problem] + extra, data=data)
        z, left = STARTS[problem].copy(), FIRST
        while left:
            count, program = min(left, 100), made.program
            slope, work = np.empty_like(z), workspace(program)
            descend(program, z, made.constants, 1e-5, np.empty(count), slope, work)
            left -= count
        return time.perf_counter() - begin

    return measured


def compiling(made: Loss) -> float:
    """Return the seconds of compiling a tape."""
    begin = time.process_time()
    native.Code(made.expression.tape)
    return time.process_time() - begin


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure all contenders in turns, problem by problem, then what an edit costs."""
    turns = timer.by_processor()
    losses = {problem: loss(problem) for problem in TEXTS}
    for problem, made in losses.items():
        check(problem, made)
        yield from _problem(problem, made, turns, STEPS[problem] // (3 if quick else 1))
    jobs: dict[str, Callable[[], float]] = {}
    for problem in ("Rosenbrock", "net"):
        jobs[f"{problem}: compiling"] = lambda each=losses[problem]: compiling(each)
        jobs[f"{problem}: from an edit to {FIRST:,} steps"] = first_picture(problem)
    for name, seconds in timer.in_turns(jobs).items():
        yield Measurement(name=name, unit="ms", samples=tuple(1e3 * each for each in seconds))
    yield from pictures(timer.rounds)


def _settings(problem: str) -> dict[str, object]:
    """Return the parameters of a run in the window."""
    named: dict[str, object] = {"function": WINDOW[problem], "step_size": RATES[problem]}
    if problem == "net":
        rows = tuple(zip(INPUTS.tolist(), TARGETS.tolist(), strict=True))
        named |= {"minimise": "least-squares", "rows": rows}
    return named | {"start": tuple(STARTS[problem].tolist()), "constants": ""}


def pictures(spans: int) -> Iterator[Measurement]:
    """Type letters in the window, and measure until the plots of the new function are painted.

    From the keystroke, so that the 30 ms are counted in which another letter may follow.
    """
    from gui.app.application import application, prepare_process, problem_with_qt

    problem = problem_with_qt(offscreen=True)
    if problem:
        raise SystemExit(problem)
    prepare_process()
    application()
    from engine.core.params import build
    from gui.app.drive import Driver
    from tests.gui.typist import Typist

    driver = Driver(1600, 900)
    try:
        driver.open("own-loss")
        model = driver.window.control.experiment.parameters
        for name in ("Rosenbrock", "Himmelblau", "net"):
            driver.window.control.restore(build(model, _settings(name)), 0)
            driver.settle(2.0)
            typist = Typist(driver)
            seconds = [typist.seconds("*x" if k else " + 0*x") for k in range(spans + 1)]
            samples = tuple(1000.0 * each for each in seconds[1:])
            title = f"{name}: from a keystroke to the picture"
            yield Measurement(name=title, unit="ms", samples=samples)
    finally:
        driver.close()


def _problem(problem: str, made: Loss, timer: Timer, steps: int) -> list[Measurement]:
    """Measure the contenders of one problem."""
    compiled, few, code = made.compiled(), made.interpreted, steps_of(problem, made)
    runs: dict[str, tuple[int, Callable[[int], object]]] = {
        "typed": (steps, lambda n: typed(problem, made, compiled, n)),
        "typed, all recorded": (steps, lambda n: recorded(problem, made, code, n)),
        "typed, interpreted": (FEW, lambda n: typed(problem, made, few, n)),
        "PyTorch": (EAGER, lambda n: eager(problem, n)),
    }
    ours = ["typed", "typed, all recorded", "typed, interpreted"]
    if problem == "product":
        runs["by hand"] = (steps, by_hand)
        ours.append("by hand")
    work = {name: float(n) for name, (n, _) in runs.items()}
    contenders = {name: lambda r=run, n=n: _none(r(n)) for name, (n, run) in runs.items()}
    with ExitStack() as stack:
        if jax_peer.is_there():
            for name in ("", ", all recorded"):
                peer = stack.enter_context(jax_peer.JaxPeer(problem + name))
                contenders["JAX" + name] = lambda peer=peer: peer.seconds(steps)
                work["JAX" + name] = float(steps)
        seconds = timer.in_turns(contenders)
    named = {f"{problem}: {name}": spent for name, spent in seconds.items()}
    amounts = {f"{problem}: {name}": amount for name, amount in work.items()}
    return rates(named, amounts, "steps/s", [f"{problem}: {name}" for name in ours])


def _none(_: object) -> None:
    """Leave the time to the timer."""


BENCHMARK = Benchmark(
    name="own_loss",
    measures="typed losses: steps of gradient descent, compiled and interpreted, and an edit",
    peers=("JAX, jitted scan", "PyTorch, backward and SGD"),
    run=measure,
)
