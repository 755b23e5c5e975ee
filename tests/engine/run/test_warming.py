"""Kernels that another process compiles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.experiments import EXPERIMENTS
from engine.run.warming import Part, Warming, is_importable
from tests.engine.linear_map import LinearMap

ROOT = Path(__file__).resolve().parents[3]


class Reporting(LinearMap):  # type: ignore[misc]
    """An experiment whose kernels are files that its process writes."""

    def warm_up(self) -> None:
        from engine.core.compiled import compiling, report_compiled

        report_compiled(f"steps, {compiling().name}")

    def observe(self, state, recent):  # type: ignore[no-untyped-def]
        from engine.core.compiled import report_compiled

        report_compiled("picture")
        return super().observe(state, recent)


class Broken(LinearMap):  # type: ignore[misc]
    def warm_up(self) -> None:
        raise RuntimeError("no compiler")


def end(warming: Warming) -> None:
    for compiler in warming._compilers.values():
        compiler._process.join()


def test_processes_report_what_they_compile() -> None:
    warming = Warming(Reporting, Part.PICTURE, Part.STEPS)
    end(warming)
    assert warming.is_done()
    assert warming.compiled == {"picture", "steps, ALWAYS"}
    warming.close()


def test_a_process_that_fails_is_done() -> None:
    warming = Warming(Broken, Part.STEPS)
    end(warming)
    assert warming.is_done(Part.STEPS)
    assert warming.is_done(Part.PICTURE)  # which nobody asked for
    warming.close()


def test_processes_that_are_not_wanted_any_more_are_ended() -> None:
    warming = Warming(Reporting, Part.STEPS)
    (compiler,) = warming._compilers.values()
    process = compiler._process
    warming.close()
    assert not process.is_alive()
    assert warming.is_done()


def test_what_only_this_process_knows_is_compiled_here() -> None:
    class Local(LinearMap):  # type: ignore[misc]
        pass

    assert is_importable(Reporting)
    assert not is_importable(Local)


FORESEEN = """
import sys
import engine.experiments
from engine.core import registry
from engine.core.compiled import Compiling, compile_kernels
from engine.run.run import Run
from engine.run.session import Session

for listed in registry.entries():
    experiment = listed.load()
    with compile_kernels(Compiling.ALWAYS):
        is_all = experiment.warm_picture()
    assert "torch" not in sys.modules, listed.id
    if is_all:
        with compile_kernels(Compiling.NEVER):
            session = Session(experiment, experiment.parameters(), 0)
            Run(session, lambda dropped: "").show(force=True)
        print(listed.id)
        break  # torch is loaded now
"""


@pytest.mark.slow
def test_kernels_that_are_compiled_beforehand_are_all_that_a_picture_needs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORESEEN],
        cwd=ROOT,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["mnist"]


COUNT = """
import gc, json, os, sys
import engine.experiments
from engine.core import registry
from engine.core.compiled import Compiling, compile_kernels
from engine.kernels.jit import _Kernel
from engine.run.run import Run
from engine.run.session import Session

def count(name):
    experiment = registry.get(name)
    with compile_kernels(Compiling.ALWAYS):
        Run(Session(experiment, experiment.parameters(), 0), lambda dropped: "").show(force=True)
        experiment.warm_up()
    kernels = [each for each in gc.get_objects() if type(each) is _Kernel and each.overloads]
    print(json.dumps([name, sorted({each.py_func.__name__ for each in kernels})]), flush=True)

for name in sys.argv[1:]:  # each on its own, but for what all import
    child = os.fork()
    if not child:
        count(name)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(name)
"""


@pytest.fixture(scope="module")
def kernels_used() -> dict[str, list[str]]:
    """Return the kernels that each experiment uses from its start to its first picture."""
    names = [listed.id for listed in EXPERIMENTS]
    done = subprocess.run(
        [sys.executable, "-c", COUNT, *names], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


@pytest.mark.parametrize("listed", EXPERIMENTS, ids=lambda listed: listed.id)
def test_a_listing_counts_the_kernels_that_the_window_waits_for(
    kernels_used: dict[str, list[str]],
    listed,  # type: ignore[no-untyped-def]
) -> None:
    used = kernels_used[listed.id]
    assert listed.listing.kernels in (0, len(used)), used
