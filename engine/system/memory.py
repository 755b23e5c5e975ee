"""Memory that the program holds and does not use, given back to the system."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable


def give_back() -> bool:
    """Return unused memory to the system; whether there was any.

    The allocator of glibc keeps what is freed between blocks that are still in use, hundreds of
    megabytes after a training. Elsewhere this does nothing.
    """
    trim = _trim()
    return trim is not None and bool(trim(0))


@functools.cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library, or Windows
        return None
    return trim
