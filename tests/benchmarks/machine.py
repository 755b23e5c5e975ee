"""The machine: what it is, and how fast it multiplies matrices."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.core.versions import versions

BLAS = "BLAS, one thread"
"""Limit of arithmetic in double precision: one large product of matrices."""
_SIZE, _TIMES = 400, 8


@cache
def _operands() -> tuple[np.ndarray, np.ndarray]:
    factor = np.random.default_rng(0).standard_normal((_SIZE, _SIZE))
    return factor, np.empty_like(factor)


def blas_product() -> None:
    """Multiply large matrices a few times."""
    factor, out = _operands()
    for _ in range(_TIMES):
        np.dot(factor, factor, out=out)


def blas_flops() -> float:
    """Return the floating-point operations of `blas_product`."""
    return 2.0 * _SIZE**3 * _TIMES


def describe() -> dict[str, Any]:
    """Return the processor, its cores, its load and the versions of what is measured."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    flags = next((line for line in lines if line.startswith("flags")), "")
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "vectors": next((name for name in ("avx512f", "avx2") if name in flags), ""),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "versions": versions(),
    }
