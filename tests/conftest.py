"""What all tests share: strict randomness, the place of MNIST, no leftover engine threads."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import engine.experiments  # noqa: F401  registers the experiments of the program
from engine.system import display

# The tests of the window need Qt, and pytest-qt loads it for all others, too.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if problem := display.choose().problem:
    sys.exit(problem)

# A shell ignores the interrupts of what it starts in the background, and `nohup` the end of the
# terminal; the program would obey, and its children inherit it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

ROOT = Path(__file__).resolve().parents[1]

# Examples are the same on every machine and no example fails for being slow there. A longer search,
# with new examples every time, is `pytest --hypothesis-profile deep`.
LAB = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.register_profile("lab", LAB)
settings.register_profile("deep", LAB, max_examples=400, derandomize=False)
settings.load_profile("lab")

LONG = (
    "tests/engine/reproduce/test_verdicts.py",
    "tests/gui/window/test_main_window.py",
    "tests/engine/core/test_registry.py",
    "tests/gui/window/test_interface_size.py",
    "tests/engine/mnist/test_experiment.py",
    "tests/gui/window/test_switching.py",
    "tests/engine/mnist/test_checkpoint.py",
    "tests/gui/app/test_odd_machines.py",
    "tests/engine/families/test_proofs.py",
    "tests/engine/experiments/test_ends.py",
    "tests/engine/storage/test_files_full_disk.py",
    "tests/gui/app/test_scalar_product.py",
    "tests/engine/network/test_runs.py",
    "tests/engine/cli/test_maps.py",
    "tests/gui/maps/test_maps.py",
    "tests/engine/maps/test_making.py",
    "tests/engine/families/test_short_ensembles.py",
    "tests/engine/maps/test_lawful.py",
    "tests/gui/app/test_monkey.py",
    "tests/engine/figures/test_figures.py",
    "tests/engine/mnist/test_training_batched.py",
    "tests/engine/executors/test_cluster.py",
)
"""Files that take long, the longest first: processes that share the suite end together.

The first compiles most kernels. Those beside it need few, so that none is compiled twice at once.
"""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Share the whole suite among the cores; a part of it is sooner done by one process."""
    is_whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return (os.cpu_count() or 1) if is_whole else 0


def pytest_collection(session: pytest.Session) -> None:
    """Import the tests from the last to the first in every other process that shares them.

    One process then writes the bytecode of each file and the other reads it; from the same end,
    both would write all of it side by side. What fails is told when it is collected.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    if int(worker.removeprefix("gw")) % 2:
        places = [session.config.invocation_params.dir / arg for arg in session.config.args]
        files = {file for place in places for file in place.rglob("test_*.py")}
        for file in sorted(files, reverse=True):
            with contextlib.suppress(Exception, pytest.skip.Exception):
                importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long; the order is kept where processes share the files."""
    if gone := [file for file in LONG if not (ROOT / file).is_file()]:
        raise pytest.UsageError(f"no such tests: {', '.join(gone)}")
    places = {ROOT / file: place for place, file in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path, len(LONG)))


def pytest_collection_finish() -> None:
    """Take what is loaded by now out of all later collections of garbage, which it would slow."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """Return the folder of the MNIST files, or skip the test where there is none."""
    for folder in (os.environ.get("MNIST_DIR"), ROOT.parent / "shared" / "data" / "mnist"):
        if folder and Path(folder).is_dir():
            return Path(folder)
    pytest.skip("needs the MNIST files: set MNIST_DIR to their folder")


@pytest.fixture(autouse=True)
def no_engine_thread_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread of the engine running, naming it."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if thread.name.startswith("engine-"):
            thread.join(timeout=5)
            assert not thread.is_alive(), f"{request.node.name} left {thread.name} running"
