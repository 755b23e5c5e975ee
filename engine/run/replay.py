"""A run file carried out: its session begun, and its steps made with the changes noted."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from engine.core.change import Change
from engine.core.ensemble import Progress
from engine.core.params import update
from engine.core.registry import get
from engine.run.session import Session
from engine.run.spec import RunSpec
from engine.text.numbers import whole

PIECE_SECONDS = 0.1
"""Aim for a piece of a replay, after which progress is told."""
Advance = Callable[[int], int]
"""Makes up to a number of steps and returns how many it made; 0 says stop."""


def on_this_machine(run: RunSpec) -> tuple[RunSpec, str]:
    """Move a run that another machine made to the CPU, where this one lacks its device.

    Returns
    -------
    run : RunSpec
        The one given, unless its device is missing.
    notice : str
        The sentence that says what was changed, or nothing.
    """
    device: Any = getattr(run.params, "device", "cpu")
    if device in ("auto", "cpu"):
        return run, ""
    from engine.core.device import is_there  # torch takes seconds to load

    if is_there(device):
        return run, ""
    moved = dataclasses.replace(run, params=update(run.params, device="cpu"))
    return moved, f"This machine has no {device.upper()} device: the run is made on the CPU."


def begin(run: RunSpec) -> Session:
    """Make the session of a run, at step 0.

    Raises
    ------
    InputError
        If the parameters cannot be used together.
    """
    return Session(get(run.experiment), run.params, run.seed, run.start)


def target_of(run: RunSpec) -> int:
    """Return the step at which a run stops."""
    return get(run.experiment).steps(run.params) if run.steps is None else run.steps


def carry_out(run: RunSpec, session: Session, advance: Advance | None = None) -> None:
    """Make the steps of a run with its live changes; the bits do not depend on `advance`.

    Parameters
    ----------
    run : RunSpec
        What to run.
    session : Session
        From `begin`.
    advance : callable, optional
        Makes the steps; a caller that records, shows progress or cancels gives its own.
    """
    advance = advance or (lambda n: session.advance(n, coarse=True))
    target = target_of(run)
    for change in (*run.changes, Change(target)):
        stop = min(change.step, target)
        while session.step < stop:
            if advance(stop - session.step) == 0:
                return
        if change.step > target:
            return
        session.change(change)


def in_pieces(run: RunSpec, session: Session, progress: Progress) -> bool:
    """Carry out a run in pieces after which progress is told; returns False if it was stopped."""
    target, piece, heeded = target_of(run), 1, True

    def advance(n: int) -> int:
        nonlocal piece, heeded
        begin = time.perf_counter()
        made = session.advance(min(n, piece), coarse=True)
        quick = time.perf_counter() - begin < PIECE_SECONDS
        piece = piece * 4 if quick else max(1, piece // 2)
        heeded = progress(
            session.step / max(target, 1), f"step {whole(session.step)} of {whole(target)}"
        )
        return made if heeded else 0

    carry_out(run, session, advance)
    return heeded
