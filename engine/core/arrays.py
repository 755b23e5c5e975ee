"""The type of the arrays that everything here computes with, and a check of those from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.errors import InputError

FloatArray = NDArray[np.float64]
"""An array of 64-bit floats; docstrings give its shape."""


def checked(
    arrays: Mapping[str, NDArray[Any]], shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, FloatArray]:
    """Check arrays that come from a file, and copy them as 64-bit floats.

    Raises
    ------
    InputError
        If a name is missing or unknown, a shape differs or a value is not finite.
    """
    if set(arrays) != set(shapes):
        raise InputError("model", ", ".join(arrays) or "nothing", f"give {', '.join(shapes)}")
    for name, shape in shapes.items():
        values = arrays[name]
        size = " x ".join(map(str, shape))
        if values.shape != shape or values.dtype.kind not in "iuf":
            given = " x ".join(map(str, values.shape))
            raise InputError(name, given, f"give {size} numbers")
        if not np.isfinite(values).all():
            raise InputError(name, "inf or nan", "give finite numbers only")
    return {name: np.array(arrays[name], np.float64) for name in shapes}
