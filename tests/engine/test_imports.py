"""What is loaded when: the registry and the command line start without the heavy packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from engine.core.versions import VERSION

ROOT = Path(__file__).parents[2]
HEAVY = ("PySide6", "pyqtgraph", "torch", "torchvision", "numba", "matplotlib", "scipy", "imageio")


def loaded(statement: str) -> set[str]:
    """Run a statement in a fresh interpreter and return the heavy packages it loaded."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    modules = json.loads(run.stdout.splitlines()[-1])
    return {name.partition(".")[0] for name in modules} & set(HEAVY)


@pytest.mark.parametrize(
    "statement",
    [
        "import engine.experiments",
        "import engine.experiments as e; [x.load().parameters() for x in e.EXPERIMENTS]",
        "import engine.cli.commands; engine.cli.commands.main(['list'])",
        "import engine.storage.runfile, engine.storage.runfolder, engine.storage.export",
        "import engine.cli.headless, engine.run.runner",
        "import engine.figures.album, engine.figures.painters",
    ],
)
def test_nothing_heavy_is_loaded(statement: str) -> None:
    assert loaded(statement) == set()


def test_figures_load_matplotlib_and_no_window() -> None:
    assert loaded("import engine.figures.paper") == {"matplotlib"}


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == VERSION


def test_blas_leaves_a_core_to_the_window() -> None:
    """The number of its threads is settled before numpy reads it."""
    code = (
        "import sys, engine, os; print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "4"}  # of a user, for other programs
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert run.stdout.split() == ["False", "1"]
