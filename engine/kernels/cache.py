"""Compiled kernels on disk, in a folder of the user that all copies of the program share.

Numba's own cache keys a kernel on its source file alone, not on the helpers that the kernel
inlines from other files; stops with a traceback at a damaged file; and lets two processes that
compile at once write each other's code under the wrong signature. Here every compiled kernel is one
file, whose name is a hash of all that the machine code depends on: the sources of all kernels, the
signature, the processor and the compiler. A file holds its own checksum and is replaced as a whole.
Whatever cannot be read is a miss, and whatever cannot be written is compiled again the next time.

The packaged program brings compiled kernels along, beside their sources, and reads them there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import platform
import sys
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs
from numba.core import caching
from numba.core.serialize import dumps

from engine.core.versions import VERSION

KERNELS = Path(__file__).parent
BASELINE = "x86-64-v3"
"""Instruction set that the packaged kernels are compiled for: AVX2 and FMA, but no newer ones."""
KEPT = 8
"""Folders of kernels, one for each state of the sources, that are kept; the newest ones."""
_CHECKSUM = hashlib.sha256().digest_size


def require_baseline() -> None:
    """Compile for `BASELINE` from now on, where the processor has it, as the package does."""
    from llvmlite import binding

    features: Any = binding.get_host_cpu_features()
    if all(features.get(name) for name in ("avx2", "fma", "bmi", "bmi2")):
        config: Any = numba.config
        config.CPU_NAME, config.CPU_FEATURES = BASELINE, ""


@cache
def source_digest() -> str:
    """Return a hash of the sources of all kernels and of the versions of what compiles them."""
    found = hashlib.sha256()
    versions = (numba.__version__, llvmlite.__version__, np.__version__, platform.python_version())
    found.update(repr(versions).encode())
    for path in sorted(KERNELS.rglob("*.py")):
        found.update(path.relative_to(KERNELS).as_posix().encode() + b"\0")
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


@cache
def user_folder() -> Path | None:
    """Return the folder for kernels compiled from these sources; None where there is no home.

    It lies in `NUMBA_CACHE_DIR` if that is set, else in the user's folder of caches.
    """
    config: Any = numba.config
    root = Path(config.CACHE_DIR or platformdirs.user_cache_dir("lyapunov-lab", False))
    if not root.is_absolute() and not config.CACHE_DIR:
        return None  # "~" that stands for no folder
    folder = root / f"kernels-{VERSION}-{source_digest()[:16]}"
    with contextlib.suppress(OSError):
        if folder.exists():
            os.utime(folder)  # in use: not one of the old ones
        else:
            folder.mkdir(parents=True)
            _remove_old(root)
    return folder


def _remove_old(root: Path) -> None:
    """Remove the kernels of sources that have long been replaced."""
    folders = sorted(root.glob("kernels-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[KEPT:]:
        for path in sorted(folder.rglob("*"), reverse=True):
            with contextlib.suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        with contextlib.suppress(OSError):
            folder.rmdir()


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

    def get_source_stamp(self) -> str:
        """Return the hash of all sources of kernels, and of a kernel's that lies elsewhere."""
        if self._source.is_relative_to(KERNELS):
            return source_digest()
        return source_digest() + hashlib.sha256(self._source.read_bytes()).hexdigest()


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
                return pickle.loads(data)
        return None

    def save(self, key: object, data: object) -> None:
        """Write data under a key, as a whole or not at all; raise OSError where it cannot be."""
        packed: bytes = dumps(data)  # type: ignore[no-untyped-call]
        path = self._folder / self._file(key)
        aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            aside.write_bytes(hashlib.sha256(packed).digest() + packed)
            os.replace(aside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.unlink()
            raise

    def flush(self) -> None:
        """Remove all files of the kernel."""
        for path in self._folder.glob(f"{self._name}.*.nbc"):
            path.unlink(missing_ok=True)

    def _file(self, key: object) -> str:
        digest = hashlib.sha256(repr((self._stamp, key)).encode()).hexdigest()
        return f"{self._name}.{digest[:24]}.nbc"


class KernelCache(caching.FunctionCache):
    """Numba's cache of one kernel, in which every fault is a miss."""

    _impl_class = _Implementation

    def __init__(self, py_func: Callable[..., object]) -> None:
        super().__init__(py_func)  # type: ignore[no-untyped-call]
        locator: Any = self._impl.locator
        self._cache_file = Files(  # type: ignore[assignment]  # in place of index and data
            Path(self._cache_path),
            locator.get_shipped_path(),
            self._impl.filename_base,
            locator.get_source_stamp(),
        )

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel for a signature, None where there is no sound file of it."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # the file is whole, but numba cannot make sense of it
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Write a compiled kernel, if the folder can be written to."""
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


def is_frozen() -> bool:
    """Return whether this is the packaged program."""
    return bool(getattr(sys, "frozen", False))
