"""Exceptions on their way from one process to another."""

from __future__ import annotations

import pickle
import traceback

from engine.core.errors import LabError


def portable(error: Exception) -> Exception:
    """Return an exception that can be sent to another process, noting where it was raised.

    One that cannot be made again from its parts becomes a `LabError` with its message.
    """
    where = "".join(traceback.format_exception(error))
    try:
        again: Exception = pickle.loads(pickle.dumps(error))
    except Exception:
        text = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
        again = LabError(text)
    again.add_note(f"In a worker:\n{where}")
    return again
