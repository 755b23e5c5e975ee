"""The one way in which this project compiles a kernel."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

if getattr(sys, "frozen", False):
    from engine.kernels import shipped_cache

    shipped_cache.install()

_P = ParamSpec("_P")
_R = TypeVar("_R")


def kernel(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function with numba: GIL released, cached on disk, IEEE arithmetic.

    Fast-math stays off so that a run split into chunks has the same bits as one long run,
    and division by zero gives inf or nan, as in NumPy, because divergence is an outcome.
    """
    return cast(
        "Callable[_P, _R]",
        numba.njit(nogil=True, cache=True, error_model="numpy")(function),
    )
