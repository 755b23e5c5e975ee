"""Compiled kernels on disk, in a folder of the user that all copies of the program share.

Numba's own cache keys a kernel on its source file alone, not on the helpers that the kernel
inlines from other files; stops with a traceback at a damaged file; and lets two processes that
compile at once write each other's code under the wrong signature. Here every compiled kernel is one
file, whose name is a hash of all that the machine code depends on: the kernel's module and what
that one imports (`engine.kernels.sources`), the signature, the processor and the compiler. A file
holds its own checksum and is replaced as a whole. Whatever cannot be read is a miss, and whatever
cannot be written is compiled again the next time.

The packaged program brings compiled kernels along, beside their sources, and reads them there.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import pickle
import platform
import sys
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs
from numba.core import caching, environment
from numba.core.runtime.nrt import rtsys
from numba.core.serialize import dumps

from engine.kernels.sources import Sources

KERNELS = Path(__file__).parent
BASELINE = "x86-64-v3"
"""Instruction set that the packaged kernels are compiled for: AVX2 and FMA, but no newer ones."""
KEPT = 8
"""Folders of kernels, one for each compiler, that are kept; the newest ones."""
FORMS_KEPT = 16
"""Compiled forms of one kernel, for all signatures and states of its sources; the last used."""
DAY = 86400.0
"""Seconds after which a form's last use is noted anew, and half a file counts as abandoned."""
_CHECKSUM = hashlib.sha256().digest_size


def require_baseline() -> None:
    """Compile for `BASELINE` from now on, where the processor has it, as the package does."""
    from llvmlite import binding

    features: Any = binding.get_host_cpu_features()
    if all(features.get(name) for name in ("avx2", "fma", "bmi", "bmi2")):
        config: Any = numba.config
        config.CPU_NAME, config.CPU_FEATURES = BASELINE, ""


@cache
def compiler_digest() -> str:
    """Return a hash of the versions of everything that turns a source into machine code."""
    versions = (numba.__version__, llvmlite.__version__, np.__version__, platform.python_version())
    return hashlib.sha256(repr(versions).encode()).hexdigest()


def _user_root() -> Path | None:
    """Return the folder of caches: `NUMBA_CACHE_DIR` if that is set, else one of the user."""
    config: Any = numba.config
    root = Path(config.CACHE_DIR or platformdirs.user_cache_dir("lyapunov-lab", False))
    if not root.is_absolute() and not config.CACHE_DIR:
        return None  # "~" that stands for no folder
    return root


@cache
def user_folder() -> Path | None:
    """Return the folder for kernels of this compiler; None where there is no home."""
    root = _user_root()
    if root is None:
        return None
    folder = root / f"kernels-{compiler_digest()[:16]}"
    with contextlib.suppress(OSError):
        if folder.exists():
            os.utime(folder)  # in use: not one of the old ones
        else:
            folder.mkdir(parents=True)
            _remove_old(root)
    return folder


def _remove_old(root: Path) -> None:
    """Remove the kernels of compilers that have long been replaced."""
    folders = sorted(root.glob("kernels-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[KEPT:]:
        for path in sorted(folder.rglob("*"), reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        with contextlib.suppress(OSError):
            folder.rmdir()


class _Stamps:
    """The hashes of the sources of kernels, remembered from one process to the next."""

    def __init__(self) -> None:
        self._sources = Sources()
        folder = user_folder()
        place = hashlib.sha256(bytes(KERNELS)).hexdigest()[:8]
        self._notes = None if folder is None else folder / f"sources-{place}.json"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if self._notes is not None:
                self._sources.recall(self._notes.read_text("utf-8"))

    def of(self, path: Path) -> str | None:
        """Return the hash of all that a kernel depends on; None where a source cannot be read."""
        before = self._sources.parsed
        try:
            stamp = self._sources.stamp(path)
        except (OSError, SyntaxError, ValueError):
            return None
        if self._notes is not None and self._sources.parsed > before:
            with contextlib.suppress(OSError):
                replace(self._notes, self._sources.noted().encode())
        return f"{compiler_digest()} {stamp}"


@cache
def _stamps() -> _Stamps:
    return _Stamps()


def replace(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all; raise OSError where it cannot be written."""
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        aside.write_bytes(content)
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise


class _Locator(caching.InTreeCacheLocator):
    """Locates a kernel's compiled form, and the one that came with the program."""

    def __init__(self, py_func: Callable[..., object], py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[no-untyped-call]
        self._source = Path(py_file)
        if self._source.is_relative_to(KERNELS):
            self._family = self._source.parent.relative_to(KERNELS)
        else:
            place = hashlib.sha256(bytes(self._source.parent)).hexdigest()[:8]
            self._family = Path(f"{self._source.parent.name}-{place}")

    @classmethod
    def from_function(cls, py_func: Callable[..., object], py_file: str) -> _Locator:
        """Return the locator of a function, whether or not its folder can be written to."""
        return cls(py_func, py_file)

    def get_cache_path(self) -> str:
        """Return the user's folder for the kernel's family, beside the program if there is none."""
        folder = user_folder()
        return str(self.get_shipped_path() if folder is None else folder / self._family)

    def get_shipped_path(self) -> Path:
        """Return where compiled kernels lie in the packaged program."""
        return self._source.parent / "__pycache__"

    def get_source_stamp(self) -> str | None:
        """Return the hash of what the kernel depends on; None where a source cannot be read."""
        return _stamps().of(self._source)

    def get_disambiguator(self) -> str:
        """Return what tells apart functions of one name: the key does so, and nothing need here."""
        return "kernel"


class _Implementation(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012  numba's attribute


class Files:
    """The files of one kernel, one for each signature, processor and state of the sources.

    Parameters
    ----------
    folder, shipped : Path
        Where to write and to read, and where to read besides.
    name : str
        What all names begin with.
    stamp : str
        Hash of the sources.
    """

    def __init__(self, folder: Path, shipped: Path, name: str, stamp: str) -> None:
        self._folder, self._shipped, self._name, self._stamp = folder, shipped, name, stamp

    def load(self, key: object) -> Any:
        """Return what was saved under a key; None where nothing whole is there."""
        name = self._file(key)
        for folder in (self._folder, self._shipped):
            try:
                content = (folder / name).read_bytes()
            except OSError:
                continue
            checksum, data = content[:_CHECKSUM], content[_CHECKSUM:]
            if hashlib.sha256(data).digest() == checksum:
                _note_use(folder / name)
                return pickle.loads(data)
        return None

    def has(self, key: object) -> bool:
        """Return whether there is a file of a key; it may turn out to be damaged."""
        name = self._file(key)
        return any((folder / name).is_file() for folder in (self._folder, self._shipped))

    def save(self, key: object, data: object) -> None:
        """Write data under a key, as a whole or not at all; raise OSError where it cannot be."""
        packed: bytes = dumps(data)  # type: ignore[no-untyped-call]
        replace(self._folder / self._file(key), hashlib.sha256(packed).digest() + packed)
        self._remove_unused()

    def _remove_unused(self) -> None:
        """Remove the forms that were used the longest ago, and what broken-off writing left."""
        with contextlib.suppress(OSError):
            pattern = f"{glob.escape(self._name)}.*.nbc"
            forms = sorted(self._folder.glob(pattern), key=_last_use, reverse=True)
            aside = self._folder.glob(f"{pattern}.*.tmp")
            abandoned = [path for path in aside if _last_use(path) < time.time() - DAY]
            for path in (*forms[FORMS_KEPT:], *abandoned):
                path.unlink(missing_ok=True)

    def flush(self) -> None:
        """Remove all files of the kernel."""
        for path in self._folder.glob(f"{self._name}.*.nbc"):
            path.unlink(missing_ok=True)

    def _file(self, key: object) -> str:
        digest = hashlib.sha256(repr((self._stamp, key)).encode()).hexdigest()
        return f"{self._name}.{digest[:24]}.nbc"


def _last_use(path: Path) -> float:
    """Return when a file was written or last noted to be in use; 0 where it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _note_use(path: Path) -> None:
    """Note that a form is in use, at most once a day."""
    if _last_use(path) < time.time() - DAY:
        with contextlib.suppress(OSError):
            os.utime(path)


_numba: Any = environment
_rebuild_fully: Any = vars(environment).get("_rebuild_env")


def _rebuild_env(module: str, constants: list[Any], name: str) -> Any:
    """Return the surroundings of a function from its file (see `numba.core.environment`).

    Numba would import the modules of its own functions that a kernel calls, from which it compiles;
    machine code does not ask for their globals.
    """
    made = _numba.lookup_environment(name)
    if made is not None or module in sys.modules or not module.startswith("numba."):
        return made or _rebuild_fully(module, constants, name)
    made = _numba.Environment({"__name__": module})
    made.consts[:] = constants
    made.env_name = name
    vars(_numba.Environment)["_memo"][name] = made
    return made


if _rebuild_fully is not None:
    # By this name files of kernels ask for it, those of before and those to come.
    _rebuild_env.__module__, _rebuild_env.__qualname__ = environment.__name__, "_rebuild_env"
    vars(environment)["_rebuild_env"] = _rebuild_env


class KernelCache(caching.FunctionCache):
    """Numba's cache of one kernel, in which every fault is a miss."""

    _impl_class = _Implementation

    def __init__(self, py_func: Callable[..., object]) -> None:
        super().__init__(py_func)  # type: ignore[no-untyped-call]
        locator: Any = self._impl.locator
        stamp = locator.get_source_stamp()
        self._cache_file = Files(  # type: ignore[assignment]  # in place of index and data
            Path(self._cache_path),
            locator.get_shipped_path(),
            self._impl.filename_base,
            stamp or "",
        )
        if stamp is None:
            self.disable()  # type: ignore[no-untyped-call]

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        """Return what tells apart the forms of a function, and functions of one name."""
        key = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]
        function = self._py_func
        return *key, _constants(function.__code__, has_docstring=bool(function.__doc__))

    def has(self, sig: Any, target_context: Any) -> bool:
        """Return whether a compiled kernel for a signature seems to be there."""
        files: Any = self._cache_file
        return bool(files.has(self._index_key(sig, target_context.codegen())))

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for a signature, None where there is no sound file of it.

        Numba would import first all that compiling may need, SciPy included, half a second's work.
        Machine code needs only the functions of the runtime that it calls.
        """
        rtsys.initialize(target_context)
        try:
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # the file is whole, but numba cannot make sense of it
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write a compiled kernel, if the folder can be written to."""
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


def _constants(code: CodeType, has_docstring: bool = False) -> tuple[object, ...]:
    """Return the constants and the names of a function, which its bytecode refers to by number."""
    constants = code.co_consts[1:] if has_docstring else code.co_consts
    inside = (_constants(item) if isinstance(item, CodeType) else repr(item) for item in constants)
    return (*inside, *code.co_names)


def is_frozen() -> bool:
    """Return whether this is the packaged program."""
    return bool(getattr(sys, "frozen", False))
