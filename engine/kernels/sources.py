"""The sources that a compiled kernel depends on: its own module and all that this one imports.

Comments and docstrings do not count, since the machine code stays the same without them, and
neither does a module that the kernel's own does not reach through its imports.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.core.versions import VERSION

ROOT = Path(__file__).parents[2]
PACKAGE = "engine"
"""The package below `ROOT` whose modules count; what comes from outside counts by its version."""
STORAGE_ONLY = frozenset(("engine.kernels.cache", "engine.kernels.sources"))
"""Modules that keep machine code and make none."""

_FileState = tuple[int, int, int]


@dataclass(frozen=True)
class Scan:
    """What one file says: a hash of its code, and names that it imports from the package."""

    digest: str
    imports: tuple[str, ...]


class Sources:
    """The hashes of modules together with what they import.

    A file is parsed once for each of its states; the times and the size in its folder entry say
    whether it is the same as before.

    Parameters
    ----------
    root : Path
        The folder that holds the package.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._scans: dict[Path, tuple[_FileState, Scan]] = {}
        self._files: dict[str, Path | None] = {}
        self._checked: set[Path] = set()
        self.parsed = 0
        """How many files were parsed, because nothing was known of their state."""

    def stamp(self, path: Path) -> str:
        """Return the hash of a module and of all modules that it imports, directly or not.

        Raises
        ------
        OSError
            If a file cannot be read.
        SyntaxError
            If one is not Python.
        """
        found = hashlib.sha256()
        for name, digest in sorted(self.closure(path).items()):
            found.update(f"{name} {digest}\n".encode())
        return found.hexdigest()

    def closure(self, path: Path) -> dict[str, str]:
        """Return the hash of each module that counts by its name; `path` itself has no name."""
        own = self._scan(path)
        found = {"": own.digest}
        waiting = [*own.imports, *_with_packages(".".join(self._package_of(path)))]
        while waiting:
            name = waiting.pop()
            if name in found or name in STORAGE_ONLY:
                continue
            file = self._file(name)
            if file is not None:
                scan = self._scan(file)
                found[name] = scan.digest
                waiting += scan.imports
            elif self._file(name.rpartition(".")[0]) is None:
                found[name] = f"without source in {VERSION}"  # as in the packaged program
        return found

    def noted(self) -> str:
        """Return what is known of the files below the root, as text for the next process."""
        return json.dumps(
            {
                str(path): [*state, scan.digest, *scan.imports]
                for path, (state, scan) in self._scans.items()
                if path.is_relative_to(self._root) and path.exists()
            }
        )

    def recall(self, notes: str) -> None:
        """Read what an earlier process noted; damaged notes are ignored."""
        try:
            for path, (modified, changed, size, digest, *imports) in json.loads(notes).items():
                scan = Scan(str(digest), tuple(map(str, imports)))
                self._scans[Path(path)] = (int(modified), int(changed), int(size)), scan
        except (ValueError, TypeError, AttributeError):
            self._scans.clear()

    def _file(self, name: str) -> Path | None:
        """Return the file of a module, None where there is none or the name is no module."""
        if name not in self._files:
            place = self._root.joinpath(*name.split("."))
            candidates = (place.with_suffix(".py"), place / "__init__.py")
            self._files[name] = next((path for path in candidates if path.is_file()), None)
        return self._files[name]

    def _scan(self, path: Path) -> Scan:
        known = self._scans.get(path)
        if known is not None and path in self._checked:
            return known[1]
        entry = path.stat()
        state = entry.st_mtime_ns, entry.st_ctime_ns, entry.st_size
        if known is None or known[0] != state:
            known = state, scan(path.read_bytes(), self._package_of(path))
            self._scans[path] = known
            self.parsed += 1
        self._checked.add(path)
        return known[1]

    def _package_of(self, path: Path) -> tuple[str, ...]:
        return path.parent.relative_to(self._root).parts if path.is_relative_to(self._root) else ()


def scan(source: bytes, package: tuple[str, ...]) -> Scan:
    """Return what a module says, given its text and the names of the package it lies in."""
    tree = ast.parse(source)
    imports = sorted({name for node in _statements(tree.body) for name in _named(node, package)})
    for node in _statements([tree]):
        _drop_docstrings(node)
    return Scan(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(imports))


def _statements(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield statements and those within them; imports for the sake of types do not run."""
    for node in nodes:
        yield node
        typing_only = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        blocks = ("orelse",) if typing_only else ("body", "orelse", "handlers", "finalbody")
        for block in blocks:
            inside = getattr(node, block, ())
            yield from _statements(inside if isinstance(inside, list) else ())
        if isinstance(node, ast.Match):
            yield from _statements(node.cases)


def _named(node: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    """Yield the modules that a statement imports, and names in them that may be modules too."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _with_packages(alias.name)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) - node.level + 1] if node.level else ()
        module = ".".join((*above, *filter(None, [node.module])))
        for alias in node.names:
            yield from _with_packages(f"{module}.{alias.name}")


def _with_packages(name: str) -> Iterator[str]:
    """Yield a name in the package and all that contain it, which run before it."""
    parts = name.split(".")
    if parts[0] == PACKAGE:
        yield from (".".join(parts[: end + 1]) for end in range(len(parts)))


def _drop_docstrings(node: ast.AST) -> None:
    """Remove the strings that are statements of a module, class or function: its docstrings."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        node.body = [item for item in node.body if not _is_text(item)]


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
