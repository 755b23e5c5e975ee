"""What a map shows in numbers: the content of `map.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.core.ensemble import Share
from engine.core.versions import versions
from engine.maps.kind import Overlay, Prepared
from engine.maps.measured import Measured, measured
from engine.text.mathtext import to_plain

_ROWS = 2**22
"""Cells that are counted at a time, so that a large map need not be in memory."""


@dataclass(frozen=True, slots=True)
class ClassShare:
    """How many cells have a class."""

    name: str
    share: Share

    @property
    def words(self) -> str:
        """Write it for people."""
        return self.share.words


def summary(
    prepared: Prepared, arrays: Mapping[str, NDArray[Any]], seconds: float
) -> dict[str, Any]:
    """Describe a map that is made, JSON-ready.

    Parameters
    ----------
    prepared : Prepared
    arrays : mapping
        Its fields, whole.
    seconds : float
        How long it took, or the last part of it.
    """
    first = arrays[prepared.fields[0].name]
    counts = _counts(arrays["outcome"]) if "outcome" in arrays else {}
    seen = measured(prepared, arrays["outcome"]) if prepared.spec.kind == "basin" else None
    cells = first.shape[0] if prepared.spec.kind == "orbit" else first.shape[0] * first.shape[1]
    return {
        "spec": prepared.spec.as_table(),
        "cells": cells,
        "fields": [{**asdict(each), "label": to_plain(each.label)} for each in prepared.fields],
        "classes": [
            {
                "code": each.code,
                "name": to_plain(each.name),
                "cells": counts.get(each.code, 0),
                "share": counts.get(each.code, 0) / cells,
                **_error_of(seen, each.code),
            }
            for each in prepared.classes
        ],
        **({} if seen is None else {"borders": seen.as_table()}),
        "overlays": [_of_overlay(each) for each in (*prepared.overlays(), *prepared.found(arrays))],
        "seconds": round(seconds, 3),
        "versions": versions(),
    }


def _error_of(seen: Measured | None, code: int) -> dict[str, float]:
    """Return the error of a class's share of the area, where it is known."""
    return {"error": seen.shares[code].error} if seen is not None and code in seen.shares else {}


def _of_overlay(overlay: Overlay) -> dict[str, Any]:
    return {
        "label": to_plain(overlay.label),
        "source": to_plain(overlay.source),
        "x": overlay.x,
        "y": overlay.y,
    }


def _counts(outcome: NDArray[Any]) -> dict[int, int]:
    """Count the cells of each class, a part of the map at a time."""
    flat = outcome.reshape(-1)
    total = np.zeros(256, np.int64)
    for begin in range(0, len(flat), _ROWS):
        total += np.bincount(flat[begin : begin + _ROWS], minlength=256)
    return {code: int(count) for code, count in enumerate(total) if count}


def shares(result: Mapping[str, Any]) -> list[ClassShare]:
    """Return the classes that there are in a map, the largest first, from its `map.json`."""
    there = [each for each in result["classes"] if each["cells"]]
    there.sort(key=lambda each: -each["cells"])
    return [ClassShare(each["name"], Share(each["cells"], result["cells"])) for each in there]
