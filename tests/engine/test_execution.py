"""No text and no file is executed, but for a Python file of the user that was trusted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "main.py", *(ROOT / "engine").rglob("*.py"), *(ROOT / "gui").rglob("*.py")]
EXECUTES = {"exec", "eval", "compile", "__import__", "execfile", "breakpoint"}
"""Builtins that make code of a text."""
IMPORTS = {"import_module", "run_path", "run_module", "spec_from_file_location", "exec_module"}
UNPICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "runpy"}
ALLOWED = {
    ("engine/storage/user_code.py", "exec"),
    ("engine/storage/user_code.py", "compile"),
    # names that stand in the program
    ("engine/executors/cluster.py", "import_module"),
    ("engine/figures/files/loading.py", "import_module"),
    ("engine/system/trial.py", "import_module"),
    # the errors of torch's reader of tensors
    ("engine/storage/state_dicts.py", "pickle"),
    # jobs for the program's own processes and workers, and the cache of its kernels
    ("engine/executors/cluster.py", "pickle"),
    ("engine/executors/portable.py", "pickle"),
    ("engine/executors/processes.py", "pickle"),
    ("engine/kernels/cache.py", "pickle"),
    ("engine/run/warming.py", "pickle"),
}


def found(path: Path) -> Iterator[tuple[str, str]]:
    """Yield what in a file may execute something else, with the file's name."""
    name = path.relative_to(ROOT).as_posix()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in EXECUTES | IMPORTS:
                yield name, called.id
            if isinstance(called, ast.Attribute) and called.attr in IMPORTS:
                yield name, called.attr
            words = {each.arg: each.value for each in node.keywords}
            if isinstance(called, ast.Attribute) and ast.unparse(called) == "torch.load":
                only = words.get("weights_only")
                if not (isinstance(only, ast.Constant) and only.value is True):
                    yield name, "torch.load"
            allowed = words.get("allow_pickle")
            if allowed is not None and not (
                isinstance(allowed, ast.Constant) and allowed.value is False
            ):
                yield name, "allow_pickle"
        elif isinstance(node, ast.Import):
            yield from ((name, each.name) for each in node.names if each.name in UNPICKLES)
        elif isinstance(node, ast.ImportFrom) and node.module in UNPICKLES:
            yield name, str(node.module)


def test_only_trusted_files_are_executed() -> None:
    assert {each for path in SOURCES for each in found(path)} - ALLOWED == set()


def test_execution_would_be_found() -> None:
    path = ROOT / "engine" / "storage" / "user_code.py"
    assert {each for _, each in found(path)} == {"exec", "compile"}
