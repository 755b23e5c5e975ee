"""Series of a run as TensorBoard events (the extra ``tensorboard``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import LabError


def write_events(folder: Path, series: Mapping[str, tuple[NDArray[Any], NDArray[Any]]]) -> None:
    """Write series, each as steps and values, as TensorBoard events; NaN entries are left out.

    Raises
    ------
    LabError
        If the package tensorboard is not installed, or the folder does not take the file.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise LabError("Events need the package tensorboard; install the extra.") from None
    try:
        writer = SummaryWriter(str(folder))
        for name, (steps, values) in series.items():
            for step, value in zip(steps.tolist(), values.tolist(), strict=True):
                if np.isfinite(value):
                    writer.add_scalar(name, value, int(step))
        writer.close()
    except OSError as error:
        raise LabError(f"The events could not be written: {error.strerror}.") from None
