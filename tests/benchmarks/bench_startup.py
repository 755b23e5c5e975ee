"""Times from the start of a process: to the window and its plots, and of a run without a window.

The peer is a bare interpreter that imports what both cannot do without; it is the limit as well.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.catalogue import Benchmark
from tests.benchmarks.timing import Measurement, Timer, median_ratio

ROOT = Path(__file__).resolve().parents[2]
WINDOW, PLOTS, HEADLESS = "window visible", "window with plots", "100 steps without a window"
IMPORTS = "imports of Qt and NumPy"
PEER = [sys.executable, "-c", "import PySide6.QtWidgets, numpy"]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment with settings of its own, in which compiled modules are kept."""
    made = {
        **os.environ,
        **{f"XDG_{kind}_HOME": str(folder / kind) for kind in ("CONFIG", "DATA", "STATE")},
    }
    if made.pop("PYTHONDONTWRITEBYTECODE", None):  # as nobody's installation has it
        made.setdefault("PYTHONPYCACHEPREFIX", str(folder / "bytecode"))
    if not made.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}:
        made["QT_QPA_PLATFORM"] = "offscreen"
    return made


class _Starts:
    """Starts of the program, and what it says of its window."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = environment(folder)
        self.plots: list[float] = []

    def window(self) -> float:
        """Open the window; return the seconds until it showed."""
        said = self._run([sys.executable, "main.py", "--fresh", "--startup-time"])
        shown, plots = map(float, re.findall(r"(\d+\.\d+) s", said))
        self.plots.append(plots)
        return shown

    def headless(self) -> None:
        """Make a short run without a window and without figures."""
        run = ["run", "scalar-product", "--steps", "100", "--figures", "none"]
        self._run([sys.executable, "main.py", *run, "--out", str(self._folder / "run")])

    def imports(self) -> None:
        """Import what both cannot do without."""
        self._run(PEER)

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=True
        )
        return done.stdout


def measure(quick: bool, timer: Timer) -> Iterator[Measurement]:
    """Measure starts of all kinds in turns; a quick one is the same."""
    with tempfile.TemporaryDirectory() as folder:
        starts = _Starts(Path(folder))
        seconds = timer.in_turns(
            {WINDOW: starts.window, HEADLESS: starts.headless, IMPORTS: starts.imports}
        )
    seconds[PLOTS] = starts.plots[1:]  # without the one that compiled
    for name, samples in seconds.items():
        yield Measurement(
            name=name,
            unit="s",
            samples=tuple(samples),
            peer=name == IMPORTS,
            of_limit=None if name == IMPORTS else median_ratio(seconds[IMPORTS], samples),
            limit=IMPORTS,
        )


BENCHMARK = Benchmark(
    name="startup",
    measures="starts of the program, from the start of its process",
    peers=(IMPORTS,),
    run=measure,
)
