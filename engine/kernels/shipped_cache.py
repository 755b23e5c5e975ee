"""Compiled kernels that travel inside the packaged program.

Numba keys its cache on the source file, or, in a frozen program, on the executable, and looks for
it where it can write. Here the key is the kernel's source, which is packaged beside the program,
and the place is a folder of the user that is filled once from the cache made at build time.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
import platformdirs
from numba.core.caching import InTreeCacheLocator

from engine.core.versions import VERSION

BASELINE = "x86-64-v3"
"""Instruction set that the packaged kernels are compiled for: AVX2 and FMA, but no newer ones."""


def install() -> None:
    """Make numba use this cache; call before the first kernel is defined."""
    config: Any = numba.config
    config.CACHE_LOCATOR_CLASSES = f"{__name__}.{ShippedCacheLocator.__name__}"
    if _host_has_baseline():
        config.CPU_NAME, config.CPU_FEATURES = BASELINE, ""


def _host_has_baseline() -> bool:
    from llvmlite import binding

    features: Any = binding.get_host_cpu_features()
    return all(features.get(name) for name in ("avx2", "fma", "bmi", "bmi2"))


@cache
def _user_folder(shipped: Path) -> Path:
    """Return the user's folder of compiled kernels, filled from the shipped ones at first."""
    kernels = Path(__file__).parent
    root = Path(platformdirs.user_cache_dir("lyapunov-lab", False)) / f"kernels-{VERSION}"
    # A folder a family: numba names a compiled kernel by the last part of its module only.
    folder = root / shipped.parent.relative_to(kernels)
    folder.mkdir(parents=True, exist_ok=True)
    for source in shipped.glob("*.nb[ic]"):
        if not (folder / source.name).exists():
            shutil.copy2(source, folder / source.name)
    return folder


class ShippedCacheLocator(InTreeCacheLocator):
    """Locates the compiled form of a kernel in the user's folder, keyed on the kernel's source."""

    def __init__(self, py_func: Callable[..., object], py_file: str) -> None:
        super().__init__(py_func, py_file)  # type: ignore[no-untyped-call]
        self._cache_path = str(_user_folder(Path(py_file).parent / "__pycache__"))

    def get_source_stamp(self) -> str:
        """Return the hash of the source file, the same wherever the program is unpacked."""
        return hashlib.sha256(Path(self._py_file).read_bytes()).hexdigest()
