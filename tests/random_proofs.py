"""Random systems whose proved regions are tried with random starts, in floats.

``python -m tests.random_proofs --systems 50 --starts 1000000 --out FILE`` takes some minutes; a
smaller number of starts is among the tests. No start of a proved region may fail to come to the
attractor. What is done is in the file, one line a system, so that the same command goes on after it
was stopped.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.arrays import FloatArray
from engine.core.errors import LabError
from engine.experiments.own_loss import proofs
from engine.experiments.own_loss.experiment import OwnLoss
from engine.experiments.own_loss.params import OwnLossParams
from engine.experiments.own_loss.problem import loss_of
from engine.families.proofs.proofs import Proofs

FAR = 1e6
MOST_STEPS = 30_000
NEAR = 1e-3


@dataclass(frozen=True, slots=True)
class Trial:
    """What was proved of a random system, and how many starts contradict it."""

    function: str
    step_size: float
    kind: str
    volume: float
    tried: int
    contradictions: int


def systems(count: int, seed: int = 0, cells: int = 96) -> Iterator[OwnLossParams]:
    """Draw random losses of one and two variables, with random steps."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        a, b, c, d = (float(f"{x:.3g}") for x in rng.uniform(0.3, 2.0, 4))
        text, sharp = (
            (f"(x*y - {a})^2/2", 2.0 * a),
            (f"{a}*x^2 + {b}*y^2 + {c}*x*y/3 + {d}*x^4", 2.0 * max(a, b) + c),
            (f"({a}*x*y + {b}*x - {c})^2", 4.0 * (a + b) ** 2),
            (f"log(cosh({a}*x)) + {b}*y^2 + {c}*sin(x*y)/4", 2.0 * b + a * a + c),
            (f"({a} + x^2)^0.5 + {b}*y^4 + {c}*y^2/2", 2.0 * b + c),
            (f"x^4/4 - {a}*x^2/2 + {b}*x/5", 4.0 * a),
            (f"(x^2 + {a}*y^2 - {b})^2/4", 3.0 * b + 2.0 * a * b),
        )[i % 7]
        factor = float(rng.uniform(0.3, 2.3))
        yield OwnLossParams(
            function=text,
            constants="",
            start=(float(rng.uniform(0.4, 1.2)), float(rng.uniform(0.4, 1.2))),
            step_size=float(f"{factor / sharp:.4g}"),
            reach=2.5,
            searches=4,
            prove=True,
            cells=cells,
        )


def tried(params: OwnLossParams, starts: int, seed: int = 0) -> Trial:
    """Prove what can be of a system, and run random starts of the proved region."""
    experiment = OwnLoss()
    made = experiment.analyse(params, experiment.init(params, 0), lambda done, text: True)
    if not isinstance(made, Proofs) or made.region is None or proofs.key_of(params, 0) is None:
        raise LabError("nothing was tried")
    task = made.task
    points = np.random.default_rng(seed).uniform(task.low, task.high, (starts, len(task.low)))
    points = points[made.holds(points)]
    count = len(points)
    for _ in range(MOST_STEPS):
        if not len(points):
            break
        points = points - params.step_size * loss_of(params).values_and_gradients(points)[1]
        arrived = _arrived(params, made, points)
        lost = ~np.isfinite(points).all(axis=1) | (np.abs(points).max(axis=1) > FAR)
        if lost.any():
            break
        points = points[~arrived]
    kind = made.attractor.kind
    return Trial(params.function, params.step_size, kind, made.volume, count, len(points))


def _arrived(params: OwnLossParams, made: Proofs, points: FloatArray) -> FloatArray:
    """Return which points are at the attractor."""
    if made.attractor.kind == "manifold":
        return loss_of(params).values(points) < NEAR**2
    cycle = made.attractor.cycle
    orbit = [] if cycle is None else [each.mid for each in cycle.points]
    away = [np.abs(points - each).max(axis=1) for each in orbit]
    return np.min(away, axis=0) < NEAR


def main() -> int:
    """Try random systems and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--starts", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="file of what is done already")
    options = parser.parse_args()
    known: dict[int, dict[str, Any]] = {}
    if options.out is not None and options.out.exists():
        lines = map(json.loads, options.out.read_text("utf-8").splitlines())
        known = {line["system"]: line for line in lines}
    wrong = 0
    for index, params in enumerate(systems(options.systems, options.seed)):
        if index < options.first:
            continue
        if index not in known:
            known[index] = {"system": index, **asdict(tried(params, options.starts))}
            if options.out is not None:
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(known[index]) + "\n")
        wrong += known[index]["contradictions"]
        print(known[index], flush=True)
    print(f"{wrong} contradictions")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
