"""Saved states of a run, from which any step can be computed again bit by bit."""

from __future__ import annotations

import dataclasses
from bisect import bisect_right
from typing import Any, Generic, TypeVar

import numpy as np

from engine.core.experiment import State

StateT = TypeVar("StateT", bound=State[Any])

MEMORY = 128 * 2**20
"""Bytes of arrays that the keyframes of one run may hold."""


class Keyframes(Generic[StateT]):
    """States evenly spread over the run, the spacing doubling when there are too many.

    Memory is bounded by a count and by bytes; the first state is always kept. States that must be
    kept whatever their spacing (live parameters changed there) are `pin`ned.
    """

    def __init__(self, first: StateT, most: int = 256, memory: int = MEMORY) -> None:
        size = max(state_bytes(first), 1)
        self._most = max(4, min(most, memory // size))
        self._spacing = 1
        self._steps: list[int] = [first.step]
        self._states: list[StateT] = [first]
        self._pinned: set[int] = {first.step}

    def __len__(self) -> int:
        return len(self._states)

    def offer(self, state: StateT) -> None:
        """Keep a state if it lies at least one spacing after the last one kept."""
        if state.step < self._steps[-1] + self._spacing:
            return
        self._steps.append(state.step)
        self._states.append(state)
        while len(self._steps) > self._most and self._thin():
            pass

    def pin(self, state: StateT) -> None:
        """Keep a state, in place of any other of the same step."""
        self.drop_from(state.step)
        self._steps.append(state.step)
        self._states.append(state)
        self._pinned.add(state.step)

    def drop_from(self, step: int) -> None:
        """Forget the states at `step` and after."""
        keep = bisect_right(self._steps, step - 1)
        self._pinned -= set(self._steps[keep:])
        del self._steps[keep:], self._states[keep:]

    def nearest(self, step: int) -> StateT:
        """Return the last state kept at or before `step`."""
        return self._states[max(bisect_right(self._steps, step) - 1, 0)]

    def _thin(self) -> bool:
        """Double the spacing; returns whether anything could be dropped."""
        before = len(self._steps)
        self._spacing *= 2
        kept_steps: list[int] = []
        kept_states: list[StateT] = []
        for step, state in zip(self._steps, self._states, strict=True):
            if (
                not kept_steps
                or step in self._pinned
                or step - kept_steps[-1] >= self._spacing
                or step == self._steps[-1]
            ):
                kept_steps.append(step)
                kept_states.append(state)
        self._steps, self._states = kept_steps, kept_states
        return len(kept_steps) < before or self._spacing < kept_steps[-1]


def state_bytes(part: object) -> int:
    """Count the bytes of the arrays of a state, those of its parts included."""
    if isinstance(part, np.ndarray):
        return part.nbytes
    if isinstance(part, tuple | list):
        return sum(map(state_bytes, part))
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return sum(state_bytes(getattr(part, item.name)) for item in dataclasses.fields(part))
    return 0
