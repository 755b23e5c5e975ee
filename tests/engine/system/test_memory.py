"""Giving memory back changes nothing that is in use, and is not an error anywhere."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from engine.system import memory


def test_what_is_in_use_stays() -> None:
    kept = [np.full(2000, float(number)) for number in range(200)]
    del kept[::2]
    memory.give_back()
    assert [values[0] for values in kept] == list(range(1, 200, 2))


def test_another_c_library_has_nothing_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(name: None) -> object:
        return object()

    monkeypatch.setattr(ctypes, "CDLL", no_library)
    memory._trim.cache_clear()
    try:
        assert not memory.give_back()
    finally:
        memory._trim.cache_clear()
