"""What is loaded when: the registry and the command line start without the heavy packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import main as program
from engine.core.versions import VERSION

ROOT = Path(__file__).parents[2]
HEAVY = ("PySide6", "pyqtgraph", "torch", "torchvision", "numba", "matplotlib", "scipy", "imageio")


def modules_after(statement: str) -> set[str]:
    """Run a statement in a fresh interpreter and return the names of the modules it imported."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    command = [sys.executable, "-W", "error", "-c", code]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def loaded(statement: str) -> set[str]:
    """Return the heavy packages that a statement loads in a fresh interpreter."""
    return {name.partition(".")[0] for name in modules_after(statement)} & set(HEAVY)


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


RUN = ["run", "scalar-product", "--steps", "20", "--figures", "none", "--out"]
UNNEEDED = (  # of a short run of one experiment whose kernels are compiled
    "scipy.linalg",
    "numba.np.arraymath",  # numba's implementations, from which it compiles
    "numba.np.linalg",
    "numba.np.arrayobj",
    "numba.cpython.unicode",
    "numba.typed.typeddict",
    "gui.app.application",
    "engine.system.display",
    "engine.cli.animate",
    "engine.cli.compare",
    "engine.cli.maps",
    "engine.cli.reproduce",
    "engine.families.proofs.proofs",
    "engine.experiments.least_squares.experiment",
)


def test_a_short_run_imports_what_it_needs(tmp_path: Path) -> None:
    assert program.main([*RUN, str(tmp_path / "first")]) == 0  # whatever it compiles is kept
    statement = f"import main; assert main.main({[*RUN, str(tmp_path / 'second')]!r}) == 0"
    assert set(UNNEEDED) & modules_after(statement) == set()


def test_figures_load_beside_everything_else_of_a_run(tmp_path: Path) -> None:
    """The processes that draw start before anything is imported that takes long."""
    drawn = [*RUN[:-2], "svg", "--out", str(tmp_path / "run")]
    statement = (
        "import json, os, sys, main\n"
        "from engine.figures.painters import Painters\n"
        "def start(_): print(json.dumps(list(sys.modules)), flush=True); os._exit(0)\n"
        f"Painters.start = start\nmain.main({drawn!r})"
    )
    assert {"numpy", "pydantic"} & modules_after(statement) == set()


def test_a_command_imports_no_other() -> None:
    statement = (
        "import contextlib, io; from engine.cli.commands import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['{}', '--help'])"
    )
    loaded_by = {name: modules_after(statement.format(name)) for name in ("list", "eval", "page")}
    assert "engine.cli.models" in loaded_by["eval"] - loaded_by["list"] - loaded_by["page"]
    assert "engine.cli.page" in loaded_by["page"] - loaded_by["list"] - loaded_by["eval"]
    assert "engine.cli.listed" in loaded_by["list"] - loaded_by["eval"] - loaded_by["page"]
