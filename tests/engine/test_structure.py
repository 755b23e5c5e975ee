"""The house: no circle of imports, and no folder or file that has lost its shape."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
MOST_FILES = 25
"""Modules in a folder, without its `__init__.py`."""


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Read all imports, those for types and those within functions included."""
    return grimp.build_graph("engine", "gui", cache_dir=None)


def circles(graph: grimp.ImportGraph) -> Iterator[list[str]]:
    """Yield the sets of modules that import one another (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    for root in sorted(graph.modules):
        if root in index:
            continue
        work = [(root, iter(sorted(graph.find_modules_directly_imported_by(root))))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while work:
            module, imported = work[-1]
            for other in imported:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    below = sorted(graph.find_modules_directly_imported_by(other))
                    work.append((other, iter(below)))
                    break
                if other in stack:
                    low[module] = min(low[module], index[other])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[module])
                if low[module] == index[module]:
                    cut = stack.index(module)
                    found, stack[cut:] = stack[cut:], []
                    if len(found) > 1:
                        yield sorted(found)


def test_no_modules_import_one_another(graph: grimp.ImportGraph) -> None:
    assert list(circles(graph)) == []


def test_a_circle_would_be_found() -> None:
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e")):
        graph.add_import(importer=importer, imported=imported)
    assert list(circles(graph)) == [["a", "b", "c"]]


def test_folders_hold_few_files() -> None:
    for package in ("engine", "gui"):
        for folder in (ROOT / package).rglob("*"):
            if folder.is_dir():
                modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
                assert len(modules) <= MOST_FILES, folder


def test_no_module_is_private() -> None:
    for package in ("engine", "gui"):
        private = [path for path in (ROOT / package).rglob("_*.py") if path.name != "__init__.py"]
        assert private == []


def test_every_dependency_is_imported() -> None:
    """A package that nothing imports is no dependency."""
    import tomllib

    names = {
        "pyside6-essentials": "PySide6",
        "imageio-ffmpeg": "imageio_ffmpeg",
        "pillow": "PIL",
        "fonttools": "fontTools",
    }
    sources = "\n".join(
        path.read_text("utf-8")
        for package in ("engine", "gui")
        for path in (ROOT / package).rglob("*.py")
    )
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for line in project["dependencies"]:
        name = line.split(">")[0].split("=")[0].split("<")[0].strip().lower()
        module = names.get(name, name.replace("-", "_"))
        assert f"import {module}" in sources or f"from {module}" in sources, name
