"""`main.py doctor`: what this machine has of what the program needs, line by line.

It imports nothing of the program's packages before it says which of them are there, and a check
that fails in whatever way is a line like any other.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.cli.output import Parser, printed, report
from engine.core.packages import INSTALL, is_installed
from engine.core.versions import NAME, VERSION
from engine.system import display, libraries, packages, trial

NEEDED = (
    "numpy",
    "scipy",
    "numba",
    "pydantic",
    "matplotlib",
    "safetensors",
    "platformdirs",
    "PySide6-Essentials",
    "pyqtgraph",
)
OPTIONAL = {
    "torch": "MNIST, own networks and ensembles on a GPU need",
    "torchvision": "downloads of data need",
}
"""Packages that only a part of the program needs, and which one."""
OLDEST_PYTHON = (3, 11)
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report.

    Attributes
    ----------
    name : str
    ok : bool
        Whether the program works as it should in this respect.
    value : str
        What was found.
    remedy : str
        What to do about it; empty where there is nothing to do.
    """

    name: str
    ok: bool
    value: str
    remedy: str = ""


Checks = Iterator[Check]


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `doctor`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(options: argparse.Namespace) -> int:
    """Print the report; returns 0 if everything is in order, else 1."""
    checks = list(examine())
    is_fine = all(check.ok for check in checks)
    if options.json:
        print(json.dumps({"ok": is_fine, "checks": [asdict(each) for each in checks]}, indent=2))
        return 0 if is_fine else 1
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark = "ok" if check.ok else "--"
        remedy = f"; {check.remedy}" if check.remedy else ""
        print(f"{check.name:{width}}  {mark}  {check.value}{remedy}")
    return 0 if is_fine else 1


def main(arguments: Sequence[str]) -> int:
    """Carry out `main.py doctor` where other commands might not even be imported."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of folders on a terminal that lacks a letter
            stream.reconfigure(errors="backslashreplace")
    parser = Parser(prog="main.py doctor", description="Check this machine.")
    configure(parser)
    try:
        return printed(lambda: execute(parser.parse_args(arguments)))
    except KeyboardInterrupt:
        return report("stopped", INTERRUPTED)


def examine() -> Checks:
    """Yield all checks, those of Qt before any that starts threads."""
    parts: tuple[tuple[str, Callable[[], Checks]], ...] = (
        ("program", _program),
        ("packages", _packages),
        ("system libraries", _libraries),
        ("display", _display),
        ("folders", _folders),
        ("kernel cache", _kernels),
        ("device", _device),
    )
    for name, part in parts:
        try:
            yield from part()
        except Exception as error:  # the report goes on, and says what failed
            yield Check(name, False, f"{type(error).__name__}: {' '.join(str(error).split())}")


def _program() -> Checks:
    kind = "packaged" if getattr(sys, "frozen", False) else str(Path(__file__).parents[2])
    yield Check("program", True, f"{NAME} {VERSION}, {kind}")
    version = platform.python_version()
    is_new = sys.version_info[:2] >= OLDEST_PYTHON
    remedy = "" if is_new else f"install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer"
    yield Check("Python", is_new, f"{version}, {sys.executable}", remedy)
    yield Check("system", True, f"{platform.platform()}, {packages.system_name()}")


def _packages() -> Checks:
    from importlib.metadata import PackageNotFoundError, version

    is_packaged = getattr(sys, "frozen", False)
    for name in (*NEEDED, *OPTIONAL):
        try:
            yield Check(name, True, version(name))
        except PackageNotFoundError:
            absent = "not in this package" if is_packaged else "not installed"
            if name in OPTIONAL:
                remedy = "" if is_packaged else f"add it with: {INSTALL}"
                yield Check(name, True, f"{absent}; {OPTIONAL[name]} it", remedy)
            else:
                yield Check(name, False, absent, "" if is_packaged else f"run {INSTALL}")


def _libraries() -> Checks:
    names = ("offscreen", *display.DISPLAYS) if sys.platform.startswith("linux") else ()
    absent = {name: libraries.missing(name) for name in names}
    every = list(dict.fromkeys(library for found in absent.values() for library in found))
    # one of the platforms with a display is enough
    lacking = absent and all(absent[name] for name in display.DISPLAYS)
    if not every:
        yield Check("system libraries", True, "all that Qt needs are there")
        return
    command = packages.command_here(every)
    remedy = f"install with: {command}" if command else "install your system's packages of them"
    yield Check("system libraries", not lacking, f"missing: {', '.join(every)}", remedy)


def _display() -> Checks:
    choice = display.choose()
    named = [
        f"{variable}={os.environ[variable]}"
        for variable in (*display.DISPLAYS.values(), "QT_QPA_PLATFORM")
        if os.environ.get(variable)
    ]
    shown = ", ".join(named) or "none is named"
    yield Check("display", not choice.problem, shown, choice.problem)
    name = choice.platform or sys.platform
    if choice.problem:
        name = "offscreen"  # what the commands draw with
    found = trial.start(name)
    if isinstance(found, str):
        yield Check("Qt platform", False, f"{name} does not start: {found}", choice.problem)
        return
    yield Check("Qt platform", True, f"{name} starts")
    has_fonts = found > 0
    value = f"{found} families with Greek letters" if has_fonts else "no family has Greek letters"
    remedy = "" if has_fonts else "fonts of matplotlib are used; install some, such as DejaVu"
    yield Check("fonts", has_fonts, value, remedy)


def _folders() -> Checks:
    import platformdirs

    name = "lyapunov-lab"
    for what, folder in (
        ("settings", platformdirs.user_config_dir(name, False)),
        ("data", platformdirs.user_data_dir(name, False)),
        ("cache", platformdirs.user_cache_dir(name, False)),
    ):
        yield _folder(what, Path(folder), "set HOME to a folder that can be written to")


def _kernels() -> Checks:
    from engine.kernels.cache import user_folder

    folder = user_folder()
    remedy = "set NUMBA_CACHE_DIR to a folder; without one, kernels are compiled at every start"
    if folder is None:
        yield Check("kernel cache", False, "there is no home", remedy)
    else:
        yield _folder("kernel cache", folder, remedy)


def _folder(name: str, folder: Path, remedy: str) -> Check:
    """Check that a folder can be written to, or made, and measure it."""
    if not folder.is_absolute():
        return Check(name, False, f"{folder} is no folder", remedy)
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        return Check(name, False, f"{folder}: {error.strerror or error}", remedy)
    if existing != folder:
        return Check(name, True, f"{folder}, not made yet")
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return Check(name, True, f"{folder}, {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB")


def _device() -> Checks:
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Check("CPU", True, f"{platform.machine()}, {count} cores for this process")
    if not is_installed("torch"):
        yield Check("CUDA", True, "not looked for: torch is not installed")
        return
    import torch

    there = torch.cuda.is_available()
    yield Check("CUDA", True, torch.cuda.get_device_name() if there else "no device; not needed")
