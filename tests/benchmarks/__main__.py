"""Measure every speed that is claimed, beside its peers, in one run on this machine.

    uv run --group bench python -m tests.benchmarks --quick
    uv run --group bench python -m tests.benchmarks --compare build/benchmarks/before.json

Each benchmark is a process of its own; within one, ours and its peers take turns, and medians of
five turns or more count. What was measured is written as `benchmarks.json` and `benchmarks.svg`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np  # noqa: F401  before the engine chooses the number of its threads

import engine.experiments  # noqa: F401  registers them, for every benchmark
from tests.benchmarks import catalogue, jax_peer, machine, report
from tests.benchmarks.timing import ROUNDS, Measurement, Timer

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""One thread against one thread: what libraries read when they are loaded."""
ROOT = Path(__file__).resolve().parents[2]
RESULTS, FIGURE = "benchmarks.json", "benchmarks.svg"


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    made = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    made.formatter_class = argparse.RawDescriptionHelpFormatter
    add = made.add_argument
    add("--quick", action="store_true", help="smaller jobs: three minutes on a quiet machine")
    add("--only", action="append", choices=catalogue.NAMES, help="measure this one (repeatable)")
    add("--out", type=Path, default=Path("build/benchmarks"), help="folder of what is written")
    add("--compare", type=Path, metavar="JSON", help="compare with what was measured before")
    add("--rounds", type=int, default=ROUNDS, help=f"turns of each, at least {ROUNDS}")
    add("--list", action="store_true", help="list the benchmarks and end")
    add("--inside", choices=catalogue.NAMES, help=argparse.SUPPRESS)  # one, in this process
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write and print; return 0, or 1 where a benchmark failed."""
    options = parser().parse_args(arguments)
    if options.list:
        for each in map(catalogue.get, catalogue.NAMES):
            peers = f" Peers: {', '.join(each.peers)}." if each.peers else ""
            print(f"{each.name:10} {each.measures}.{peers}")
        return 0
    timer = Timer(rounds=max(options.rounds, ROUNDS))
    if options.inside:
        found = list(catalogue.get(options.inside).run(options.quick, timer))
        sys.stdout.write(report.to_json({}, options.quick, {options.inside: found}))
        return 0
    return measure_all(options)


def measure_all(options: argparse.Namespace) -> int:
    """Measure in processes, one after another, and write what was measured."""
    if not jax_peer.is_there():
        print("JAX is not installed, so it is left out; `uv run --group bench` brings it.")
    about = machine.describe()
    load = about["load"] or 0.0
    if load > 0.5:
        print(f"Other programs are busy (load {load:.1f}): the figures are too low.")
    before = report.from_json(options.compare.read_text("utf-8")) if options.compare else {}
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / RESULTS
    results: dict[str, list[Measurement]] = {}
    names = options.only or catalogue.NAMES
    for name in names:
        begin = time.monotonic()
        found = _in_process(name, options)
        took = f"{time.monotonic() - begin:.0f} s"
        print(f"\n{name} ({'FAILED' if found is None else took})")
        print("\n".join(report.lines(found or [])), flush=True)
        if found is not None:
            results[name] = found
            path.write_text(report.to_json(about, options.quick, results), "utf-8")
    if options.compare:
        print("\nCompared with", options.compare)
        print("\n".join(report.compare(before, results)))
    report.draw(options.out / FIGURE, results)
    print(f"\nWritten: {path}, {options.out / FIGURE}")
    return 0 if len(results) == len(names) else 1


def _in_process(name: str, options: argparse.Namespace) -> list[Measurement] | None:
    """Return what a benchmark measures in a process of its own; None if it fails."""
    command = [sys.executable, "-m", "tests.benchmarks", "--inside", name]
    command += ["--rounds", str(options.rounds), *(["--quick"] if options.quick else [])]
    quiet = {"QT_LOGGING_RULES": "default.warning=false"}  # offscreen lacks this and that
    environment = {**quiet, **os.environ, **ONE_THREAD}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    return None if done.returncode else report.from_json(done.stdout)[name]


if __name__ == "__main__":
    sys.exit(main())
