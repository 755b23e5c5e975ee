"""A registry that holds the given experiments and no others."""

from __future__ import annotations

from typing import Any

import pytest

from engine.core import registry


def only(monkeypatch: pytest.MonkeyPatch, *experiments: Any) -> None:
    """Register these experiments, and no others, until the test ends."""
    monkeypatch.setattr(registry, "_entries", {})
    register_all(*experiments)


def only_here(*experiments: Any) -> None:
    """Register these experiments, and no others, for the rest of the process."""
    registry._entries.clear()
    register_all(*experiments)


def register_all(*experiments: Any) -> None:
    """Add experiments that are made already to the registry."""
    for experiment in experiments:
        registry.register(experiment.listing, experiment.load)
